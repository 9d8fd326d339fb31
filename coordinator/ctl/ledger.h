/* SPDX-License-Identifier: AGPL-3.0-or-later
 * sohoa ledger verify|checkpoint|key|show, and sohoa prove. */
#ifndef SOHOA_CTL_LEDGER_H
#define SOHOA_CTL_LEDGER_H

#include "coordinator/ctl/api.h"

int ledger_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);
int prove_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

/* ---- ledger_watch.c ---- */

/* Of a store that is read here, without a coordinator; NULL: the coordinator verifies. */
struct ledger_verifying {
    const char *store;
    const char *checkpoint; /* a file with one that was kept elsewhere; NULL: none */
    const char *
        key; /* a public key or a file with one; NULL: signatures are not looked at; not for the coordinator, which has its own */
};

/* Verifies with the progress on stderr; *ret_verdict is as the API tells it. Errors: E_USAGE, those of files, store and API. */
int ledger_watched(const struct ctl *ctl, const struct ledger_verifying *what, json_t **ret_verdict, struct err *err);

#endif
