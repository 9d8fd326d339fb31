/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Sessions, and accounts: what is not said of an account stays. Its new secrets are hashed before anything of it changes, so what it is
 * then is looked at again. */
#include "coordinator/api_auth.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/api_body.h"
#include "coordinator/auth.h"
#include "coordinator/gazetteer.h"
#include "coordinator/secret.h"
#include "coordinator/succession.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"

enum {
    PASSWORD_LEAST_BYTES = 10,
    PASSWORD_MOST_BYTES = 1000,
};

/* ---- sessions ---- */

static json_t *units_json(const struct account *account)
{
    json_t *units = json_array();
    for (uint32_t i = 0; i < account->units; i++)
        json_array_append_new(units, json_string(account->unit[i]));
    return units;
}

static void session_answer(struct coordinator *c, struct request *request)
{
    const struct caller *caller = request_caller(request);
    const struct account *account = caller->account;
    (void)c;
    request_add_header(request, "Cache-Control", "no-store");
    request_answer(request, 200,
                   json_pack("{s:s, s:s, s:o, s:o}", "name", account->name, "role", role_name((int)account->role),
                             "units", units_json(account), "csrf",
                             caller->csrf ? json_string(caller->csrf) : json_null()));
}

void get_session(struct coordinator *c, struct request *request, const struct route_args *args)
{
    (void)args;
    session_answer(c, request);
}

/* A form of another site's page can't say that it is JSON: nobody is logged in without knowing. */
static int login_take(struct request *request, json_t **ret_body, struct err *err)
{
    static const char *const known[] = {"name", "password", NULL};
    const char *type = request_header(request, "Content-Type");
    if (!type || strncasecmp(type, "application/json", 16))
        return err_set(err, E_USAGE, "a login is application/json");
    int rc = body_take(request, ret_body, err);
    if (!rc)
        rc = keys_check(*ret_body, known, "a login", err);
    const char *name = json_string_value(json_object_get(*ret_body, "name"));
    const char *password = json_string_value(json_object_get(*ret_body, "password"));
    if (!rc && (!name || !password || strlen(name) >= NAME_BYTES || strlen(password) > PASSWORD_MOST_BYTES))
        rc = err_set(err, E_USAGE, "a login has a name and a password");
    return rc;
}

static void session_begin(struct coordinator *c, struct request *request)
{
    auth_login(c, request);
    session_answer(c, request);
}

void post_session(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(json_drop) json_t *body = NULL;
    struct err err;
    (void)args;
    if (login_take(request, &body, &err))
        request_answer_err(request, &err);
    else
        auth_prove(c, request, json_string_value(json_object_get(body, "name")),
                   json_string_value(json_object_get(body, "password")), session_begin);
}

void delete_session(struct coordinator *c, struct request *request, const struct route_args *args)
{
    (void)args;
    auth_logout(c, request);
    request_add_header(request, "Cache-Control", "no-store");
    request_answer(request, 200, json_object());
}

/* ---- accounts ---- */

static json_t *succession_json(const struct succession *succession)
{
    const struct place *unit = place_find(succession->unit), *of = place_find(succession->of);
    const char *state = !succession->decided_ms ? "proposed" : succession->declined ? "declined" : "confirmed";
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "unit", succession->unit, "name", unit ? unit->name : "",
                     "of", succession->of, "of_name", of ? of->name : "", "since", succession->since, "state", state,
                     "decided_ms",
                     succession->decided_ms ? json_integer((json_int_t)succession->decided_ms) : json_null());
}

static json_t *successions_json(const struct account *account)
{
    AUTO(mem_destroy) struct succession *proposed = malloc(ACCOUNT_SUCCESSIONS_MAX * sizeof *proposed);
    json_t *list = json_array();
    if (!proposed)
        abort();
    size_t count = successions_proposed(account, proposed);
    for (uint32_t i = 0; i < account->successions; i++)
        json_array_append_new(list, succession_json(&account->succession[i]));
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, succession_json(&proposed[i]));
    return list;
}

static json_t *account_json(const struct account *account)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:b, s:o, s:b}", "name", account->name, "role",
                     role_name((int)account->role), "units", units_json(account), "successions",
                     successions_json(account), "password", *account->password_hash != '\0', "token_id",
                     *account->token_id ? json_string(account->token_id) : json_null(), "disabled", account->disabled);
}

void get_accounts(struct coordinator *c, struct request *request, const struct route_args *args)
{
    json_t *accounts = json_array();
    const struct account *account;
    (void)args;
    for (uint32_t i = 0; (account = accounts_at(c->accounts, i)); i++)
        json_array_append_new(accounts, account_json(account));
    request_answer(request, 200, json_pack("{s:o}", "accounts", accounts));
}

static int units_take(const json_t *said, struct account *account, struct err *err)
{
    size_t i;
    json_t *unit;
    if (!said)
        return 0;
    if (!json_is_array(said))
        return err_set(err, E_USAGE, "units is a list of units; an empty one: all");
    account->units = 0;
    json_array_foreach(said, i, unit)
    {
        int rc = account_add_unit(account, json_is_string(unit) ? json_string_value(unit) : "?", err);
        if (rc)
            return rc;
    }
    successions_prune(account);
    return 0;
}

/* Of the units that it has by now. */
static int successions_take(const json_t *said, const char *key, struct account *account, struct err *err)
{
    const json_t *list = json_object_get(said, key);
    size_t i;
    json_t *unit;
    int rc = 0;
    if (list && !json_is_array(list))
        return err_set(err, E_USAGE, "%s is a list of units", key);
    json_array_foreach(list, i, unit)
    {
        if (!rc)
            rc = succession_decide(account, json_is_string(unit) ? json_string_value(unit) : "?",
                                   !strcmp(key, "decline"), clock_wall_ms(), err);
    }
    return rc;
}

/* null takes it away; a new one comes when it is hashed. */
static int password_take(const json_t *said, struct account *account, struct err *err)
{
    size_t bytes = json_string_length(said);
    if (json_is_null(said))
        account->password_hash[0] = '\0';
    else if (said && (!json_is_string(said) || bytes < PASSWORD_LEAST_BYTES || bytes > PASSWORD_MOST_BYTES))
        return err_set(err, E_USAGE, "a password has %d to %d bytes", PASSWORD_LEAST_BYTES, PASSWORD_MOST_BYTES);
    return 0;
}

static int token_take(const json_t *said, struct account *account, struct err *err)
{
    if (said && !json_is_boolean(said))
        return err_set(err, E_USAGE, "token is true (a new one) or false (none)");
    if (json_is_false(said))
        account->token_id[0] = account->token_hash[0] = '\0';
    return 0;
}

/* The account of that name as it is (or a new one), with what is said of it; *account is empty before. */
static int account_take(struct coordinator *c, const char *name, json_t *said, struct account *account, struct err *err)
{
    static const char *const known[] = {"role", "units", "confirm", "decline", "password", "token", "disabled", NULL};
    const struct account *there = accounts_find(c->accounts, name);
    const json_t *role = json_object_get(said, "role"), *disabled = json_object_get(said, "disabled");
    int rc = account_name_check(name, err);
    if (!rc)
        rc = keys_check(said, known, "an account", err);
    if (rc)
        return rc;
    if (there)
        account_copy(there, account);
    snprintf(account->name, sizeof account->name, "%s", name);
    if (!there && !role)
        return err_set(err, E_USAGE, "there is no account '%.60s'; a new one needs a role", name);
    if (role)
        rc = role_named(json_is_string(role) ? json_string_value(role) : "?", &account->role, err);
    if (!rc)
        rc = units_take(json_object_get(said, "units"), account, err);
    if (!rc)
        rc = successions_take(said, "confirm", account, err);
    if (!rc)
        rc = successions_take(said, "decline", account, err);
    if (!rc)
        rc = password_take(json_object_get(said, "password"), account, err);
    if (!rc)
        rc = token_take(json_object_get(said, "token"), account, err);
    if (!rc && disabled && !json_is_boolean(disabled))
        rc = err_set(err, E_USAGE, "disabled is true or false");
    if (disabled)
        account->disabled = json_is_true(disabled);
    return rc;
}

/* A change on its way: its secrets are made and hashed. */
struct change {
    struct auth_task task;
    struct request *request;
    json_t *said;
    char name[NAME_BYTES];
    char token[AUTH_TOKEN_BYTES], token_id[ACCOUNT_TOKEN_ID_BYTES], token_hash[ACCOUNT_HASH_BYTES];
    const char *secret; /* of the token; NULL: there is no new one */
    char password_hash[ACCOUNT_HASH_BYTES];
    int rc;
    struct err err;
};

static void change_destroy(struct change **change)
{
    json_decref((*change)->said);
    free(*change);
    *change = NULL;
}

static void change_work(struct auth_task *task)
{
    struct change *change = (struct change *)task;
    const char *password = json_string_value(json_object_get(change->said, "password"));
    if (password)
        change->rc = secret_hash(password, change->password_hash, &change->err);
    if (!change->rc && change->secret)
        change->rc = secret_hash(change->secret, change->token_hash, &change->err);
}

static void account_enter(struct coordinator *c, const struct account *account)
{
    AUTO(account_said_destroy) struct account_said *said = account_say(account);
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_ACCOUNT;
    entry.account = &said->account;
    group_add_entry(c->group, &entry);
    trace(TRACE_INFO, "account", "name=%s role=%s units=%u disabled=%d", trace_value(account->name),
          role_name((int)account->role), account->units, account->disabled);
}

static int change_enter(struct coordinator *c, const struct change *change, struct err *err)
{
    AUTO(account_clear) struct account account = {0};
    int rc = account_take(c, change->name, change->said, &account, err);
    if (*change->password_hash)
        memcpy(account.password_hash, change->password_hash, sizeof account.password_hash);
    if (*change->token_hash) {
        memcpy(account.token_id, change->token_id, sizeof account.token_id);
        memcpy(account.token_hash, change->token_hash, sizeof account.token_hash);
    }
    if (!rc && !accounts_keep_administrator(c->accounts, &account))
        rc = err_set(err, E_STATE,
                     "there would be no administrator of all units with a password or a token: make that one first");
    if (!rc)
        rc = accounts_set(c->accounts, &account, err);
    if (!rc)
        account_enter(c, &account);
    return rc;
}

static void change_answer(struct coordinator *c, const struct change *change)
{
    const struct account *account = accounts_find(c->accounts, change->name);
    json_t *answer = account_json(account);
    if (change->secret)
        json_object_set_new(answer, "token", json_string(change->token));
    if (json_object_get(change->said, "password") || account->disabled)
        auth_end_sessions(c, account);
    request_add_header(change->request, "Cache-Control", "no-store");
    answer_then(c, change->request, answer);
}

static void change_done(struct auth_task *task)
{
    AUTO(change_destroy) struct change *change = (struct change *)task;
    struct coordinator *c = task->c;
    struct err err = change->err;
    group_set_actor(c->group, request_account(change->request)->name);
    if (change->rc || change_enter(c, change, &err))
        request_answer_err(change->request, &err);
    else
        change_answer(c, change);
    group_set_actor(c->group, NULL);
}

/* Takes said over. */
static void change_start(struct coordinator *c, struct request *request, const char *name, json_t *said)
{
    AUTO(account_clear) struct account account = {0};
    struct err err;
    struct change *change = calloc(1, sizeof *change);
    if (!change)
        abort();
    *change = (struct change){
        .task = {.c = c, .work = change_work, .done = change_done},
          .request = request, .said = said
    };
    snprintf(change->name, sizeof change->name, "%s", name);
    if (json_is_true(json_object_get(said, "token")))
        auth_token_new(change->token, change->token_id, &change->secret);
    int rc = account_take(c, name, said, &account, &err);
    if (!rc)
        rc = auth_run(c->auth, &change->task, &err);
    if (!rc)
        return;
    request_answer_err(request, &err);
    change_destroy(&change);
}

void post_account(struct coordinator *c, struct request *request, const struct route_args *args)
{
    json_t *said = NULL;
    struct err err;
    if (body_take(request, &said, &err))
        request_answer_err(request, &err);
    else
        change_start(c, request, args->word, said);
}

void post_token(struct coordinator *c, struct request *request, const struct route_args *args)
{
    change_start(c, request, args->word, json_pack("{s:b}", "token", 1));
}

/* ---- one's own password ---- */

static int own_take(struct request *request, json_t **ret_body, struct err *err)
{
    static const char *const known[] = {"password", "new", NULL};
    int rc = body_take(request, ret_body, err);
    if (!rc)
        rc = keys_check(*ret_body, known, "a change of the password", err);
    const char *password = json_string_value(json_object_get(*ret_body, "password"));
    if (!rc &&
        (!password || strlen(password) > PASSWORD_MOST_BYTES || !json_is_string(json_object_get(*ret_body, "new"))))
        rc = err_set(err, E_USAGE, "a change of the password has the password, and a new one");
    return rc;
}

static void password_proved(struct coordinator *c, struct request *request)
{
    AUTO(json_drop) json_t *body = NULL;
    struct err err;
    if (own_take(request, &body, &err))
        request_answer_err(request, &err);
    else
        change_start(c, request, request_account(request)->name,
                     json_pack("{s:O}", "password", json_object_get(body, "new")));
}

/* Ends the account's sessions, this one, too. */
void post_password(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(json_drop) json_t *body = NULL;
    struct err err;
    (void)args;
    if (own_take(request, &body, &err))
        request_answer_err(request, &err);
    else
        auth_prove(c, request, request_account(request)->name, json_string_value(json_object_get(body, "password")),
                   password_proved);
}
