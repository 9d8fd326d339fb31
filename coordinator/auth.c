/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A token is sohoa_<id>_<secret>: the id finds the account, the secret (32 random bytes) is checked against its hash once and
 * against a digest with this process's key from then on. Where nothing else is said, it takes as long to refuse a name that there is not. */
#include "coordinator/auth.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/secret.h"
#include "coordinator/session.h"
#include "coordinator/tries.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"

#define COOKIE       "sohoa_session"
#define TOKEN_PREFIX "sohoa_"

enum {
    TOKEN_ID_RANDOM_BYTES = (ACCOUNT_TOKEN_ID_BYTES - 1) / 2,
    SECRET_RANDOM_BYTES = 32,
    SECRET_CHARS = 2 * SECRET_RANDOM_BYTES,
    SECRET_MOST_BYTES = 1024, /* of a password, with the 0 */
};
_Static_assert(sizeof TOKEN_PREFIX + ACCOUNT_TOKEN_ID_BYTES + SECRET_CHARS <= AUTH_TOKEN_BYTES, "a token has room");
_Static_assert((int)SESSION_CSRF_BYTES > (int)SECRET_CHARS && (int)SESSION_DIGEST_BYTES == (int)SECRET_DIGEST_BYTES &&
                   (int)ACCOUNT_HASH_BYTES >= (int)SECRET_HASH_BYTES,
               "what is kept of secrets has room");

/* A token that was right. */
struct known {
    const struct account *account;
    char token_id[ACCOUNT_TOKEN_ID_BYTES];
    uint8_t digest[SECRET_DIGEST_BYTES];
};

struct auth {
    struct io *io;
    struct sessions *sessions;
    struct tries *tries;
    struct known known[ACCOUNTS_MAX];
    size_t knowns;
    struct auth_task *first, **end; /* the first is running */
    unsigned waiting;
};

static const struct account local = {.name = ACCOUNT_LOCAL, .role = SOHOA__ROLE__ROLE_ADMINISTRATOR};
static const struct account open_to_all = {.name = ACCOUNT_OPEN, .role = SOHOA__ROLE__ROLE_ADMINISTRATOR};

static bool is_open(const struct coordinator *c)
{
    return !strcmp(config_text(c->config, CFG_HTTP_AUTH), "open");
}

int auth_new(struct coordinator *c, struct auth **ret_auth, struct err *err)
{
    const char *http = config_text(c->config, CFG_HTTP);
    int rc = secret_init(err);
    if (rc)
        return rc;
    struct auth *auth = calloc(1, sizeof *auth);
    if (!auth)
        return err_set(err, E_NOMEM, "no memory for sessions");
    auth->io = c->back_io;
    auth->sessions = sessions_new();
    auth->tries = tries_new();
    auth->end = &auth->first;
    *ret_auth = auth;
    if (!strncmp(http, "unix:", 5))
        return 0;
    if (is_open(c))
        trace(TRACE_WARN, "http_open", "http=%s administrators=all", trace_value(http));
    else if (!accounts_at(c->accounts, 0))
        trace(TRACE_WARN, "no_account", "http=%s administrators=%s", trace_value(http),
              trace_value("who is on this host"));
    return 0;
}

void auth_destroy(struct auth **auth)
{
    if (!*auth)
        return;
    while ((*auth)->first) {
        struct auth_task *task = (*auth)->first;
        (*auth)->first = task->next;
        free(task);
    }
    sessions_destroy(&(*auth)->sessions);
    tries_destroy(&(*auth)->tries);
    free(*auth);
    *auth = NULL;
}

/* ---- hashing, one at a time: each takes 64 MiB ---- */

static void task_work(struct io_task *io_task)
{
    struct auth_task *task = (struct auth_task *)io_task;
    task->work(task);
}

static void task_done(struct io_task *io_task)
{
    struct auth_task *task = (struct auth_task *)io_task;
    struct auth *auth = task->c->auth;
    auth->first = task->next;
    auth->waiting--;
    if (auth->first)
        io_submit(auth->io, &auth->first->task);
    else
        auth->end = &auth->first;
    task->done(task);
}

int auth_run(struct auth *auth, struct auth_task *task, struct err *err)
{
    if (auth->waiting == AUTH_WAITING_MAX)
        return err_set(err, E_TRIES, "%d others are being let in (AUTH_WAITING_MAX): try again", AUTH_WAITING_MAX);
    task->task = (struct io_task){.work = task_work, .done = task_done};
    task->next = NULL;
    *auth->end = task;
    auth->end = &task->next;
    if (!auth->waiting++)
        io_submit(auth->io, &task->task);
    return 0;
}

/* A secret that somebody says is an account's. */
struct proof {
    struct auth_task task;
    struct request *request;
    void (*then)(struct coordinator *c, struct request *request);
    const struct account *account; /* NULL: there is none of that name */
    char name[NAME_BYTES], address[NAME_BYTES];
    char secret[SECRET_MOST_BYTES], hash[ACCOUNT_HASH_BYTES];
    bool fits;
};

static void proof_work(struct auth_task *task)
{
    struct proof *proof = (struct proof *)task;
    proof->fits = secret_fits(proof->secret, proof->hash);
}

static void proof_run(struct coordinator *c, struct request *request, const struct proof *asked,
                      void (*done)(struct auth_task *task))
{
    struct proof *proof = malloc(sizeof *proof);
    struct err err;
    if (!proof)
        abort();
    *proof = *asked;
    proof->request = request;
    proof->task = (struct auth_task){.c = c, .work = proof_work, .done = done};
    if (!auth_run(c->auth, &proof->task, &err))
        return;
    free(proof);
    request_answer_err(request, &err);
}

/* ---- how often ---- */

static int tries_check(struct auth *auth, const char *kind, const char *name, uint32_t most, struct err *err)
{
    char key[TRIES_KEY_BYTES];
    snprintf(key, sizeof key, "%s %s", kind, name);
    uint64_t wait_ms = tries_take(auth->tries, key, most, clock_mono_ms());
    if (!wait_ms)
        return 0;
    return err_set(err, E_TRIES, "%s %.60s was tried %u times: wait %" PRIu64 " s", kind, name, most,
                   wait_ms / 1000 + 1);
}

static void came_in(struct auth *auth, const struct proof *proof)
{
    char key[TRIES_KEY_BYTES];
    snprintf(key, sizeof key, "address %s", proof->address);
    tries_give_back(auth->tries, key);
    snprintf(key, sizeof key, "name %s", proof->name);
    tries_forget(auth->tries, key);
}

/* ---- tokens ---- */

void auth_token_new(char token[AUTH_TOKEN_BYTES], char id[ACCOUNT_TOKEN_ID_BYTES], const char **ret_secret)
{
    char secret[SECRET_CHARS + 1];
    secret_random(id, TOKEN_ID_RANDOM_BYTES);
    secret_random(secret, SECRET_RANDOM_BYTES);
    int n = snprintf(token, AUTH_TOKEN_BYTES, TOKEN_PREFIX "%s_%s", id, secret);
    *ret_secret = token + n - SECRET_CHARS;
}

static struct known *known_find(struct auth *auth, const struct account *account)
{
    for (size_t i = 0; i < auth->knowns; i++)
        if (auth->known[i].account == account)
            return &auth->known[i];
    return NULL;
}

static bool known_fits(struct auth *auth, const struct account *account, const char *secret)
{
    const struct known *known = known_find(auth, account);
    uint8_t digest[SECRET_DIGEST_BYTES];
    secret_digest(secret, digest);
    return known && !strcmp(known->token_id, account->token_id) &&
           secret_same_bytes(known->digest, digest, sizeof digest);
}

static void known_add(struct auth *auth, const struct account *account, const char *secret)
{
    struct known *known = known_find(auth, account);
    if (!known)
        known = &auth->known[auth->knowns++];
    known->account = account;
    memcpy(known->token_id, account->token_id, sizeof known->token_id);
    secret_digest(secret, known->digest);
}

static void token_refuse(struct request *request, const char *address)
{
    struct err err;
    err_set(&err, E_LOGIN, "the token is not, or no longer, one of an account's");
    trace(TRACE_WARN, "token_refused", "address=%s", trace_value(address));
    request_answer_err(request, &err);
}

static void token_done(struct auth_task *task)
{
    AUTO(mem_destroy) struct proof *proof = (struct proof *)task;
    struct coordinator *c = task->c;
    bool in_force = !proof->account->disabled && !strcmp(proof->account->token_hash, proof->hash);
    if (!proof->fits || !in_force) {
        token_refuse(proof->request, proof->address);
        return;
    }
    came_in(c->auth, proof);
    known_add(c->auth, proof->account, proof->secret);
    trace(TRACE_INFO, "token_known", "name=%s address=%s", trace_value(proof->account->name),
          trace_value(proof->address));
    request_caller(proof->request)->account = proof->account;
    proof->then(c, proof->request);
}

/* "sohoa_<id>_<secret>"; NULL: it does not look like one. */
static const char *token_split(const char *token, char id[ACCOUNT_TOKEN_ID_BYTES])
{
    size_t prefix = sizeof TOKEN_PREFIX - 1, id_chars = ACCOUNT_TOKEN_ID_BYTES - 1;
    if (strlen(token) != prefix + id_chars + 1 + SECRET_CHARS || strncmp(token, TOKEN_PREFIX, prefix) ||
        token[prefix + id_chars] != '_')
        return NULL;
    memcpy(id, token + prefix, id_chars);
    id[id_chars] = '\0';
    return token + prefix + id_chars + 1;
}

static void by_token(struct coordinator *c, struct request *request, const char *token,
                     void (*then)(struct coordinator *c, struct request *request))
{
    struct proof proof = {.then = then};
    char id[ACCOUNT_TOKEN_ID_BYTES];
    const char *secret = token_split(token, id);
    struct err err;
    proof.account = secret ? accounts_of_token(c->accounts, id) : NULL;
    if (proof.account && proof.account->disabled)
        proof.account = NULL;
    if (proof.account && known_fits(c->auth, proof.account, secret)) {
        request_caller(request)->account = proof.account;
        then(c, request);
        return;
    }
    request_peer(request, proof.address);
    if (tries_check(c->auth, "address", proof.address, AUTH_ADDRESS_TRIES, &err)) {
        request_answer_err(request, &err);
    } else if (!proof.account) {
        token_refuse(request, proof.address);
    } else {
        snprintf(proof.secret, sizeof proof.secret, "%s", secret);
        snprintf(proof.hash, sizeof proof.hash, "%s", proof.account->token_hash);
        proof_run(c, request, &proof, token_done);
    }
}

/* ---- who needs none ---- */

static bool is_change(const struct request *request)
{
    return strcmp(request_method(request), "GET") && strcmp(request_method(request), "HEAD");
}

/* A browser says from which site's page a change comes. */
static bool is_foreign(const struct request *request)
{
    const char *origin = request_header(request, "Origin"), *host = request_header(request, "Host");
    const char *site = origin ? strstr(origin, "://") : NULL;
    return origin && (!site || !host || strcmp(site + 3, host));
}

/* Any other name that leads here may be one that somebody made up for our browsers. */
static bool host_is_loopback(const struct request *request)
{
    const char *host = request_header(request, "Host"), *port = host ? strrchr(host, ':') : NULL;
    size_t n = port && !strchr(port, ']') ? (size_t)(port - host) : host ? strlen(host) : 0;
    bool named = n == 9 && !strncasecmp(host, "localhost", n);
    bool numbered = n > 4 && !strncmp(host, "127.", 4) && strspn(host, "0123456789.") == n;
    return named || numbered || (n == 5 && !strncmp(host, "[::1]", n));
}

static bool is_local(const struct coordinator *c, const struct request *request)
{
    char address[NAME_BYTES];
    switch (request_peer(request, address)) {
    case PEER_LOCAL_SOCKET: return true;
    case PEER_LOOPBACK:
        return !accounts_at(c->accounts, 0) && host_is_loopback(request) &&
               !request_header(request, "X-Forwarded-For"); /* a proxy is on this host, whoever asks it is not */
    default: return false;
    }
}

/* ---- sessions ---- */

/* False: it sends no cookie of ours. */
static bool cookie_digest(const struct request *request, uint8_t digest[SECRET_DIGEST_BYTES])
{
    const char *cookie = request_cookie(request, COOKIE);
    if (cookie)
        secret_digest(cookie, digest);
    return cookie;
}

static const struct session *session_of(struct coordinator *c, const struct request *request)
{
    uint8_t digest[SECRET_DIGEST_BYTES];
    return cookie_digest(request, digest) ? sessions_find(c->auth->sessions, digest, clock_mono_ms()) : NULL;
}

static void by_cookie(struct request *request, const struct session *session)
{
    struct caller *caller = request_caller(request);
    const char *csrf = request_header(request, "X-CSRF-Token");
    caller->account = session->account;
    caller->csrf = session->csrf;
    caller->forged = is_change(request) && !(csrf && secret_same(csrf, session->csrf));
}

static void session_end(struct coordinator *c, const struct request *request)
{
    const struct session *session = session_of(c, request);
    if (session)
        sessions_end(c->auth->sessions, session->digest);
}

void auth_login(struct coordinator *c, struct request *request)
{
    struct session session = {.account = request_account(request), .since_ms = clock_mono_ms()};
    char id[SECRET_CHARS + 1], cookie[SECRET_CHARS + NAME_BYTES], address[NAME_BYTES];
    const char *scheme = request_header(request, "X-Forwarded-Proto");
    session_end(c, request); /* of the cookie that goes */
    secret_random(id, SECRET_RANDOM_BYTES);
    secret_random(session.csrf, SECRET_RANDOM_BYTES);
    secret_digest(id, session.digest);
    request_caller(request)->csrf = sessions_add(c->auth->sessions, &session)->csrf;
    snprintf(cookie, sizeof cookie, COOKIE "=%s; HttpOnly; SameSite=Strict; Path=/; Max-Age=%d%s", id,
             SESSION_MOST_MS / 1000,
             c->certificate.chain.size || (scheme && !strcmp(scheme, "https")) ? "; Secure" : "");
    request_add_header(request, "Set-Cookie", cookie);
    request_peer(request, address);
    trace(TRACE_INFO, "login", "name=%s address=%s", trace_value(session.account->name), trace_value(address));
}

static void password_done(struct auth_task *task)
{
    AUTO(mem_destroy) struct proof *proof = (struct proof *)task;
    struct coordinator *c = task->c;
    const struct account *account = proof->account;
    struct err err;
    if (!proof->fits || account->disabled || strcmp(account->password_hash, proof->hash)) {
        trace(TRACE_WARN, "login_refused", "name=%s address=%s", trace_value(proof->name), trace_value(proof->address));
        err_set(&err, E_LOGIN, "the name or the password is wrong");
        request_answer_err(proof->request, &err);
        return;
    }
    came_in(c->auth, proof);
    *request_caller(proof->request) = (struct caller){.account = account};
    proof->then(c, proof->request);
}

void auth_prove(struct coordinator *c, struct request *request, const char *name, const char *password,
                void (*then)(struct coordinator *c, struct request *request))
{
    struct proof proof = {.account = accounts_find(c->accounts, name), .then = then};
    struct err err;
    if (proof.account && proof.account->disabled)
        proof.account = NULL;
    request_peer(request, proof.address);
    snprintf(proof.name, sizeof proof.name, "%s", name);
    snprintf(proof.hash, sizeof proof.hash, "%s", proof.account ? proof.account->password_hash : "");
    snprintf(proof.secret, sizeof proof.secret, "%s", password);
    int rc = tries_check(c->auth, "address", proof.address, AUTH_ADDRESS_TRIES, &err);
    if (!rc)
        rc = tries_check(c->auth, "name", proof.name, AUTH_NAME_TRIES, &err);
    if (rc)
        request_answer_err(request, &err);
    else
        proof_run(c, request, &proof, password_done);
}

void auth_logout(struct coordinator *c, struct request *request)
{
    session_end(c, request);
    request_add_header(request, "Set-Cookie", COOKIE "=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
}

void auth_end_sessions(struct coordinator *c, const struct account *account)
{
    sessions_end_of(c->auth->sessions, account);
}

/* ---- a request ---- */

void auth_request(struct coordinator *c, struct request *request,
                  void (*then)(struct coordinator *c, struct request *request))
{
    static const char scheme[] = "Bearer ";
    const char *authorization = request_header(request, "Authorization");
    const struct session *session = session_of(c, request);
    struct caller *caller = request_caller(request);
    if (authorization && !strncasecmp(authorization, scheme, sizeof scheme - 1)) {
        by_token(c, request, authorization + sizeof scheme - 1, then);
        return;
    }
    if (session) {
        by_cookie(request, session);
    } else {
        caller->account = is_local(c, request) ? &local : is_open(c) ? &open_to_all : NULL;
        caller->forged = is_change(request) && is_foreign(request);
    }
    then(c, request);
}

int auth_check(struct coordinator *c, struct request *request, enum right right, enum reach reach, struct err *err)
{
    const struct caller *caller = request_caller(request);
    if (right == RIGHT_NONE)
        return 0;
    if (!caller->account)
        return err_set(err, E_LOGIN,
                       accounts_at(c->accounts, 0)
                           ? "a login or a token is needed"
                           : "nobody has an account yet: make the first on the coordinator's host");
    if (caller->forged)
        return err_set(err, E_DENIED,
                       caller->csrf ? "X-CSRF-Token is not what GET session said"
                                    : "another site's page asks for that");
    return account_may(caller->account, right, reach, err);
}

bool auth_holds(struct coordinator *c, struct request *request)
{
    const struct caller *caller = request_caller(request);
    uint8_t digest[SECRET_DIGEST_BYTES];
    if (caller->csrf)
        return cookie_digest(request, digest) && sessions_look(c->auth->sessions, digest, clock_mono_ms());
    return caller->account == &local ? is_local(c, request) : !caller->account->disabled;
}
