/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Who may do what. An account has a role, a role has rights, and the account's units bound them: what is asked for needs a right,
 * and reaches so far. A district has its communes in it; what units merged into is the account's once an administrator said so
 * (succession.h). Accounts are never forgotten, so that what was done keeps its name; those that nobody uses any more are disabled. Pure:
 * hashes are texts here. */
#ifndef SOHOA_ACCOUNT_H
#define SOHOA_ACCOUNT_H

#include "coordinator/backlog.h"
#include "coordinator/day.h"
#include "proto/unit.h"

enum {
    ACCOUNTS_MAX = 1000,
    ACCOUNT_UNITS_MAX = 1000,
    ACCOUNT_SUCCESSIONS_MAX = 1000, /* that are decided, and that are proposed */
    ACCOUNT_HASH_BYTES = 128,       /* an Argon2id hash as text, with the 0 */
    ACCOUNT_TOKEN_ID_BYTES = 17,    /* the part of a token that is no secret, with the 0 */
};

#define ACCOUNT_LOCAL "local" /* who needs no account: on the coordinator's own socket */
#define ACCOUNT_OPEN  "open"  /* likewise, where http_auth = open */

enum right {
    RIGHT_NONE, /* nobody needs to be known for that */
    RIGHT_READ,
    RIGHT_OPERATE,    /* what runs, and when */
    RIGHT_ARCHIVE,    /* what is kept, and shown */
    RIGHT_PROVE,      /* what the ledger says, and that it is whole */
    RIGHT_AUDIT,      /* who there is, and what became of whom */
    RIGHT_ADMINISTER, /* accounts, and the system itself */
};

enum reach {
    REACH_ALL,     /* all units at once, so an account that is bound to some may not */
    REACH_SUBJECT, /* the batch or the document that is named */
    REACH_PART, /* of the batch that is named as much as is of the account's units: whoever answers looks at each document */
    REACH_OWN,     /* as far as the account's units: whoever answers looks at each */
    REACH_NO_UNIT, /* what belongs to none, and may be known of any */
};

struct succession {
    char unit[UNIT_BYTES], of[UNIT_BYTES]; /* unit took over all or a part of the other ... */
    char since[DAY_CHARS + 1];             /* ... on this day */
    uint64_t decided_ms;                   /* since 1970; 0: not yet */
    bool declined;
};

struct account {
    char name[NAME_BYTES];
    Sohoa__Role role;
    char (*unit)[UNIT_BYTES];
    uint32_t units;                /* 0: all */
    struct succession *succession; /* that were decided, each of a unit above or of one that the rights went with */
    uint32_t successions;
    char password_hash[ACCOUNT_HASH_BYTES], token_id[ACCOUNT_TOKEN_ID_BYTES],
        token_hash[ACCOUNT_HASH_BYTES]; /* "": none */
    bool disabled;
};

const char *role_name(int role);                                                  /* "" for what is no role */
int role_named(const char *name, Sohoa__Role *ret_role, struct err *err);         /* E_USAGE */
int account_name_check(const char *name, struct err *err);                        /* E_USAGE */
int account_add_unit(struct account *account, const char *unit, struct err *err); /* E_MANIFEST, E_LIMIT */
int account_add_succession(struct account *account, const struct succession *succession, struct err *err); /* E_LIMIT */
void account_copy(const struct account *account, struct account *into); /* into: empty */
void account_clear(struct account *account);                            /* frees what it holds: it is empty */

/* ---- may it? Errors: E_DENIED, which says what is missing. ---- */

int account_may(const struct account *account, enum right right, enum reach reach, struct err *err);
/* doc NONE: all of the batch. Batches that are only checked have no units. */
int account_may_touch(const struct account *account, const struct batch *batch, uint32_t doc, struct err *err);
int account_may_see(const struct account *account, const struct batch *batch, struct err *err); /* some of it */
int account_may_unit(const struct account *account, const char *unit, struct err *err);

/* The same as answers. unit "": of no unit. */
bool account_covers(const struct account *account, const char *unit);
void account_each_unit(const struct account *account, void (*each)(const char *unit, void *user),
                       void *user); /* all that it covers, each once; none: it covers all */
bool account_covers_batch(const struct account *account, const struct batch *batch); /* all of it */
bool account_covers_some(const struct account *account, const struct batch *batch);
bool account_covers_doc(const struct account *account, const struct batch *batch, uint32_t doc);

/* ---- all accounts ---- */

struct accounts;

struct accounts *accounts_new(void);
void accounts_destroy(struct accounts **accounts);

/* Each stays where it is as long as accounts is, and so does its name. */
const struct account *accounts_at(const struct accounts *accounts,
                                  uint32_t index); /* in the order they came; NULL: no more */
const struct account *accounts_find(const struct accounts *accounts, const char *name);
const struct account *accounts_of_token(const struct accounts *accounts, const char *token_id);

/* In the place of the one of the same name. account is copied. Errors: E_LIMIT. */
int accounts_set(struct accounts *accounts, const struct account *account, struct err *err);

/* Whether, after accounts_set(), there would be an administrator of all units who can come in. */
bool accounts_keep_administrator(const struct accounts *accounts, const struct account *account);

/* ---- in the ledger ---- */

/* Its texts are account's. */
struct account_said {
    Sohoa__Account account;
    char *unit[ACCOUNT_UNITS_MAX];
    Sohoa__Succession succession[ACCOUNT_SUCCESSIONS_MAX], *successions[ACCOUNT_SUCCESSIONS_MAX];
};
struct account_said *account_say(const struct account *account);
void account_said_destroy(struct account_said **said);

/* As accounts_set(), of what the ledger says. Errors: E_CORRUPT. */
int accounts_restore(struct accounts *accounts, const Sohoa__Account *said, struct err *err);

#endif
