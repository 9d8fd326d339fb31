/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Two tables and a list: what roles may, what rights are called, who there is. */
#include "coordinator/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/gazetteer.h"
#include "proto/auto.h"

#define MAY(right) (1u << RIGHT_##right)

static const struct {
    const char *name;
    unsigned rights;
} role_rule[] = {
    [SOHOA__ROLE__ROLE_NONE] = {"",              0                                                                                        },
    [SOHOA__ROLE__ROLE_VIEWER] = {"viewer",        MAY(READ)                                                                                },
    [SOHOA__ROLE__ROLE_OPERATOR] = {"operator",      MAY(READ) | MAY(OPERATE)                                                                 },
    [SOHOA__ROLE__ROLE_ARCHIVIST] = {"archivist",     MAY(READ) | MAY(ARCHIVE) | MAY(PROVE)                                                    },
    [SOHOA__ROLE__ROLE_AUDITOR] = {"auditor",       MAY(READ) | MAY(AUDIT) | MAY(PROVE)                                                      },
    [SOHOA__ROLE__ROLE_ADMINISTRATOR] = {"administrator", MAY(READ) | MAY(OPERATE) | MAY(ARCHIVE) | MAY(PROVE) |
                                                              MAY(AUDIT) | MAY(ADMINISTER)},
};

enum { ROLES = sizeof role_rule / sizeof role_rule[0] };

static const char *const right_name[] = {
    [RIGHT_NONE] = "ask",    [RIGHT_READ] = "read",   [RIGHT_OPERATE] = "operate",      [RIGHT_ARCHIVE] = "archive",
    [RIGHT_PROVE] = "prove", [RIGHT_AUDIT] = "audit", [RIGHT_ADMINISTER] = "administer"};

const char *role_name(int role)
{
    return role >= 0 && role < ROLES ? role_rule[role].name : "";
}

int role_named(const char *name, Sohoa__Role *ret_role, struct err *err)
{
    for (int role = SOHOA__ROLE__ROLE_VIEWER; role < ROLES; role++)
        if (!strcmp(role_rule[role].name, name)) {
            *ret_role = (Sohoa__Role)role;
            return 0;
        }
    return err_set(err, E_USAGE, "role '%.40s': viewer, operator, archivist, auditor or administrator", name);
}

int account_name_check(const char *name, struct err *err)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@";
    size_t n = strlen(name);
    if (!n || n >= NAME_BYTES || strspn(name, allowed) != n)
        return err_set(err, E_USAGE, "account '%.40s': 1 to %d of the letters A-Z a-z 0-9 . _ - @", name,
                       NAME_BYTES - 1);
    if (!strcmp(name, ACCOUNT_LOCAL) || !strcmp(name, ACCOUNT_OPEN))
        return err_set(err, E_USAGE, "account '%s': so is called who needs no account", name);
    return 0;
}

/* ---- one account ---- */

int account_add_unit(struct account *account, const char *unit, struct err *err)
{
    int rc = unit_check(unit, err);
    if (rc || !*unit)
        return rc ? rc : err_set(err, E_MANIFEST, "a unit has a name: district:001, old:00004 or new:00004");
    if (account->units == ACCOUNT_UNITS_MAX)
        return err_set(err, E_LIMIT, "an account has at most %d units (ACCOUNT_UNITS_MAX)", ACCOUNT_UNITS_MAX);
    account->unit = realloc(account->unit, (account->units + 1) * sizeof *account->unit);
    if (!account->unit)
        abort();
    snprintf(account->unit[account->units++], UNIT_BYTES, "%s", unit);
    return 0;
}

int account_add_succession(struct account *account, const struct succession *succession, struct err *err)
{
    if (account->successions == ACCOUNT_SUCCESSIONS_MAX)
        return err_set(err, E_LIMIT, "an account has at most %d units that merged (ACCOUNT_SUCCESSIONS_MAX)",
                       ACCOUNT_SUCCESSIONS_MAX);
    account->succession = realloc(account->succession, (account->successions + 1) * sizeof *account->succession);
    if (!account->succession)
        abort();
    account->succession[account->successions++] = *succession;
    return 0;
}

void account_clear(struct account *account)
{
    free(account->unit);
    free(account->succession);
    *account = (struct account){0};
}

static void *copied(const void *data, size_t bytes)
{
    void *copy = malloc(bytes + 1);
    if (!copy)
        abort();
    if (bytes)
        memcpy(copy, data, bytes);
    return copy;
}

void account_copy(const struct account *account, struct account *into)
{
    *into = *account;
    into->unit = copied(account->unit, account->units * sizeof *into->unit);
    into->succession = copied(account->succession, account->successions * sizeof *into->succession);
}

/* ---- may it? ---- */

int account_may(const struct account *account, enum right right, enum reach reach, struct err *err)
{
    if (right != RIGHT_NONE && !(role_rule[account->role].rights & 1u << right))
        return err_set(err, E_DENIED, "'%s' is %s and may not %s", account->name, role_name((int)account->role),
                       right_name[right]);
    if (reach == REACH_ALL && account->units)
        return err_set(err, E_DENIED, "'%s' is bound to units, and that concerns all of them", account->name);
    return 0;
}

static bool is_named(const struct account *account, const char *unit)
{
    for (uint32_t i = 0; i < account->units; i++)
        if (!strcmp(account->unit[i], unit))
            return true;
    return false;
}

static bool is_bound(const struct account *account, const char *unit)
{
    if (is_named(account, unit))
        return true;
    for (uint32_t i = 0; i < account->successions; i++)
        if (!account->succession[i].declined && !strcmp(account->succession[i].unit, unit))
            return true;
    return false;
}

bool account_covers(const struct account *account, const char *unit)
{
    if (!account->units || is_bound(account, unit))
        return true;
    const struct place *place = place_find(unit);
    return place && place->parent && is_bound(account, place->parent->unit);
}

void account_each_unit(const struct account *account, void (*each)(const char *unit, void *user), void *user)
{
    const struct place *place;
    for (uint32_t i = 0; i < account->units; i++)
        each(account->unit[i], user);
    for (size_t i = 0; account->units && (place = place_at(i)); i++)
        if (!is_named(account, place->unit) && account_covers(account, place->unit))
            each(place->unit, user);
}

bool account_covers_batch(const struct account *account, const struct batch *batch)
{
    for (uint32_t i = 0; account->units && i < batch->lots; i++)
        if (!account_covers(account, batch->lot[i]->terms.unit))
            return false;
    return true;
}

bool account_covers_some(const struct account *account, const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->lots; i++)
        if (account_covers(account, batch->lot[i]->terms.unit))
            return true;
    return !account->units || batch->check_only;
}

bool account_covers_doc(const struct account *account, const struct batch *batch, uint32_t doc)
{
    return !account->units || account_covers(account, lot_of(batch, doc)->terms.unit);
}

int account_may_unit(const struct account *account, const char *unit, struct err *err)
{
    if (account_covers(account, unit))
        return 0;
    return err_set(err, E_DENIED, "'%s' is bound to other units than %s", account->name, *unit ? unit : "none");
}

static int batch_refuse(const struct account *account, const struct batch *batch, struct err *err)
{
    return err_set(err, E_DENIED, "'%s' is bound to other units than batch %s", account->name, batch->id);
}

int account_may_see(const struct account *account, const struct batch *batch, struct err *err)
{
    return account_covers_some(account, batch) ? 0 : batch_refuse(account, batch, err);
}

int account_may_touch(const struct account *account, const struct batch *batch, uint32_t doc, struct err *err)
{
    if (batch->check_only)
        return 0;
    if (doc != NONE)
        return account_may_unit(account, lot_of(batch, doc)->terms.unit, err);
    return account_covers_batch(account, batch) ? 0 : batch_refuse(account, batch, err);
}

/* ---- all accounts ---- */

struct accounts {
    struct account *at[ACCOUNTS_MAX];
    uint32_t count;
};

struct accounts *accounts_new(void)
{
    struct accounts *accounts = calloc(1, sizeof *accounts);
    if (!accounts)
        abort();
    return accounts;
}

void accounts_destroy(struct accounts **accounts)
{
    if (!*accounts)
        return;
    for (uint32_t i = 0; i < (*accounts)->count; i++) {
        account_clear((*accounts)->at[i]);
        free((*accounts)->at[i]);
    }
    free(*accounts);
    *accounts = NULL;
}

const struct account *accounts_at(const struct accounts *accounts, uint32_t index)
{
    return index < accounts->count ? accounts->at[index] : NULL;
}

static struct account *find(const struct accounts *accounts, const char *name)
{
    for (uint32_t i = 0; i < accounts->count; i++)
        if (!strcmp(accounts->at[i]->name, name))
            return accounts->at[i];
    return NULL;
}

const struct account *accounts_find(const struct accounts *accounts, const char *name)
{
    return find(accounts, name);
}

const struct account *accounts_of_token(const struct accounts *accounts, const char *token_id)
{
    for (uint32_t i = 0; *token_id && i < accounts->count; i++)
        if (!strcmp(accounts->at[i]->token_id, token_id))
            return accounts->at[i];
    return NULL;
}

/* Another thread may be reading the name of one that is there, so that is left alone. */
int accounts_set(struct accounts *accounts, const struct account *account, struct err *err)
{
    struct account *there = find(accounts, account->name);
    if (!there && accounts->count == ACCOUNTS_MAX)
        return err_set(err, E_LIMIT, "there are %d accounts already (ACCOUNTS_MAX)", ACCOUNTS_MAX);
    struct account copy;
    account_copy(account, &copy);
    if (!there) {
        there = accounts->at[accounts->count++] = malloc(sizeof *there);
        if (!there)
            abort();
        *there = copy;
        return 0;
    }
    free(there->unit);
    free(there->succession);
    there->role = copy.role;
    there->unit = copy.unit;
    there->units = copy.units;
    there->succession = copy.succession;
    there->successions = copy.successions;
    memcpy(there->password_hash, copy.password_hash, sizeof there->password_hash);
    memcpy(there->token_id, copy.token_id, sizeof there->token_id);
    memcpy(there->token_hash, copy.token_hash, sizeof there->token_hash);
    there->disabled = copy.disabled;
    return 0;
}

static bool administers(const struct account *account)
{
    return account->role == SOHOA__ROLE__ROLE_ADMINISTRATOR && !account->units && !account->disabled &&
           (*account->password_hash || *account->token_hash);
}

bool accounts_keep_administrator(const struct accounts *accounts, const struct account *account)
{
    for (uint32_t i = 0; i < accounts->count; i++)
        if (strcmp(accounts->at[i]->name, account->name) && administers(accounts->at[i]))
            return true;
    return administers(account);
}

/* ---- in the ledger ---- */

static void succession_say(const struct succession *succession, Sohoa__Succession *said)
{
    sohoa__succession__init(said);
    said->unit = (char *)(uintptr_t)succession->unit;
    said->of = (char *)(uintptr_t)succession->of;
    said->since = (char *)(uintptr_t)succession->since;
    said->decided_ms = succession->decided_ms;
    said->declined = succession->declined;
}

struct account_said *account_say(const struct account *account)
{
    struct account_said *room = malloc(sizeof *room);
    if (!room)
        abort();
    Sohoa__Account *said = &room->account;
    sohoa__account__init(said);
    for (uint32_t i = 0; i < account->units; i++)
        room->unit[i] = account->unit[i];
    for (uint32_t i = 0; i < account->successions; i++) {
        succession_say(&account->succession[i], &room->succession[i]);
        room->successions[i] = &room->succession[i];
    }
    said->successions = room->successions;
    said->n_successions = account->successions;
    said->name = (char *)(uintptr_t)account->name;
    said->role = account->role;
    said->units = room->unit;
    said->n_units = account->units;
    said->password_hash = (char *)(uintptr_t)account->password_hash;
    said->token_id = (char *)(uintptr_t)account->token_id;
    said->token_hash = (char *)(uintptr_t)account->token_hash;
    said->disabled = account->disabled;
    return room;
}

void account_said_destroy(struct account_said **said)
{
    free(*said);
    *said = NULL;
}

static bool said_fits(const Sohoa__Account *said)
{
    return strlen(said->name) < NAME_BYTES && *role_name((int)said->role) &&
           strlen(said->password_hash) < ACCOUNT_HASH_BYTES && strlen(said->token_id) < ACCOUNT_TOKEN_ID_BYTES &&
           strlen(said->token_hash) < ACCOUNT_HASH_BYTES;
}

static int succession_restore(struct account *account, const Sohoa__Succession *said)
{
    struct succession succession = {.decided_ms = said->decided_ms, .declined = said->declined};
    if (unit_check(said->unit, NULL) || unit_check(said->of, NULL) || strlen(said->since) > DAY_CHARS)
        return E_CORRUPT;
    snprintf(succession.unit, sizeof succession.unit, "%s", said->unit);
    snprintf(succession.of, sizeof succession.of, "%s", said->of);
    snprintf(succession.since, sizeof succession.since, "%s", said->since);
    return account_add_succession(account, &succession, NULL);
}

int accounts_restore(struct accounts *accounts, const Sohoa__Account *said, struct err *err)
{
    AUTO(account_clear) struct account account = {.role = said->role, .disabled = said->disabled};
    int rc = said_fits(said) ? 0 : E_CORRUPT;
    for (size_t i = 0; i < said->n_units && !rc; i++)
        rc = account_add_unit(&account, said->units[i], NULL);
    for (size_t i = 0; i < said->n_successions && !rc; i++)
        rc = succession_restore(&account, said->successions[i]);
    if (!rc) {
        snprintf(account.name, sizeof account.name, "%s", said->name);
        snprintf(account.password_hash, sizeof account.password_hash, "%s", said->password_hash);
        snprintf(account.token_id, sizeof account.token_id, "%s", said->token_id);
        snprintf(account.token_hash, sizeof account.token_hash, "%s", said->token_hash);
        rc = accounts_set(accounts, &account, NULL);
    }
    return rc ? err_set(err, E_CORRUPT, "the ledger's account '%.60s' makes no sense", said->name) : 0;
}
