/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Keeps a store's lock: renews it every third of its time to live, on a thread of its own, so that neither a long start nor a
 * store that does not answer keeps its holder from anything else. From then on no other thread calls store_lock or store_renew. */
#ifndef SOHOA_RENEWAL_H
#define SOHOA_RENEWAL_H

#include "storage/store.h"

enum {
    RENEWAL_SILENT_MS = 30000
}; /* a holder that did not look for so long is stuck: it loses the lock, and another takes over */

struct renewal;

/* The lock is held. Errors: E_NOMEM, E_IO. */
int renewal_start(struct store *store, uint32_t ttl_ms, struct renewal **ret_renewal, struct err *err);

/* Waits for a call under way; then the store may be closed. */
void renewal_stop(struct renewal **renewal);

int renewal_fd(const struct renewal *renewal); /* readable when the lock was lost */

/* To be called from time to time, by one thread. Until the first look nobody is taken for stuck. Errors: E_FENCED: it was lost. */
int renewal_look(struct renewal *renewal, struct err *err);

#endif
