/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Signs what the ledger is: now and then when entries came, at an orderly end, and when somebody asks. On the committer's thread, where
 * nothing is being appended. */
#ifndef SOHOA_NOTARY_H
#define SOHOA_NOTARY_H

#include "coordinator/coordinator.h"

enum {
    NOTARY_CHECKED = 256
}; /* of the last checkpoints, each of which vouches for all before it, are looked at when the ledger is opened */

/* With the key of the setting ledger_key_file, made if need be; *ret_notary stays NULL without that setting. Loads c->checkpoints: the
 * store's lock is held, the ledger not open yet. Errors: those of the key, E_STORE. */
int notary_new(struct coordinator *c, struct notary **ret_notary, struct err *err);
void notary_destroy(struct notary **notary);

const uint8_t *notary_public(const struct notary *notary); /* NULL: there is no key */

void notary_tick(struct coordinator *c, uint64_t now_ms); /* every turn of the loop */
void notary_end(struct coordinator *c);                   /* the committer's thread has ended */

/* done gets the note of a checkpoint of all that is durable by then. Errors, told to done: E_CONFIG: there is no key; E_STATE: there is
 * nothing to sign; E_STORE, E_FENCED. */
struct notary_ask {
    struct io_task task;
    struct coordinator *c;
    void (*done)(struct notary_ask *ask); /* on the loop; frees it */
    struct buf note;
    uint64_t size;
    int rc;
    struct err err;
};
void notary_sign(struct notary_ask *ask); /* task is filled in */

#endif
