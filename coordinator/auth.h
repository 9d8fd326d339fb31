/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Who asks, and whether they may: by a token (Authorization: Bearer), by the cookie of a session, or because they need no account:
 * on the coordinator's own socket; on this host as long as there is no account; anywhere with http_auth = open.
 * Passwords and tokens are hashed by Argon2id on a back thread, one at a time; a token only once in the life of the process. */
#ifndef SOHOA_AUTH_H
#define SOHOA_AUTH_H

#include "coordinator/http.h"

enum {
    AUTH_NAME_TRIES = 5,     /* logins in TRIES_WINDOW_MS: of a name, where the password is wrong ... */
    AUTH_ADDRESS_TRIES = 30, /* ... and of an address, wrong tokens included */
    AUTH_WAITING_MAX = 64,   /* hashes at once */
    AUTH_TOKEN_BYTES = 96,   /* a token as it is given to people, with the 0 */
};

struct auth;

/* Also logs who needs no account. Errors: E_NOMEM. */
int auth_new(struct coordinator *c, struct auth **ret_auth, struct err *err);
void auth_destroy(struct auth **auth);

/* Finds out who asks and calls then, at once or later; or answers that the token is wrong. */
void auth_request(struct coordinator *c, struct request *request,
                  void (*then)(struct coordinator *c, struct request *request));

/* Errors: E_LOGIN, E_DENIED. */
int auth_check(struct coordinator *c, struct request *request, enum right right, enum reach reach, struct err *err);

/* Of a request that is answered for long: whether who asked would still be let in. */
bool auth_holds(struct coordinator *c, struct request *request);

/* ---- sessions ---- */

/* Whether the password, borrowed for the call, is the account's of that name: answers that it is not, or calls then with the account as
 * the request's caller. */
void auth_prove(struct coordinator *c, struct request *request, const char *name, const char *password,
                void (*then)(struct coordinator *c, struct request *request));
/* A session of the request's caller, in the place of one that it had: its cookie goes with the answer. */
void auth_login(struct coordinator *c, struct request *request);
void auth_logout(struct coordinator *c, struct request *request);
/* Of an account that may not be what it was: it has to log in again. */
void auth_end_sessions(struct coordinator *c, const struct account *account);

/* ---- new secrets ---- */

struct auth_task {
    struct io_task task;
    struct auth_task *next; /* auth's own */
    struct coordinator *c;
    void (*work)(struct auth_task *task); /* on a back thread */
    void (*done)(struct auth_task *task); /* on the loop's; frees it */
};

/* Runs it behind those before. The first member of what malloc() gave; c, work and done are set. Errors: E_TRIES (AUTH_WAITING_MAX). */
int auth_run(struct auth *auth, struct auth_task *task, struct err *err);

/* A token, and what an account keeps of it but the hash of its *secret, which points into it. */
void auth_token_new(char token[AUTH_TOKEN_BYTES], char id[ACCOUNT_TOKEN_ID_BYTES], const char **ret_secret);

#endif
