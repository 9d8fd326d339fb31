/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Looks whether the ledger is what it was: reads all of it, and goes on after what is wrong as far as it can. Needs no lock, and may
 * run while the ledger is written. */
#ifndef SOHOA_LEDGER_VERIFY_H
#define SOHOA_LEDGER_VERIFY_H

#include <stdatomic.h>

#include "storage/checkpoint.h"

enum {
    LEDGER_FINDINGS_MAX = 100, /* that are kept; all are counted */
    LEDGER_FINDING_BYTES = 192,
    LEDGER_BLOB_BYTES = 40,
};

struct ledger_finding {
    char blob[LEDGER_BLOB_BYTES]; /* the segment or checkpoint */
    uint64_t offset;              /* the byte in it */
    uint64_t entry;               /* what it is about; 0: unknown */
    char text[LEDGER_FINDING_BYTES];
};

struct ledger_verdict {
    uint64_t entries, bytes;
    uint64_t chained_from; /* from this entry on a change is seen by the entry after it; 0: from none */
    uint32_t segments;
    uint8_t root[SHA256_BYTES];
    struct {
        uint64_t good, bad;
        uint64_t others;    /* agree with the ledger, but are of another key */
        uint64_t unchecked; /* of more entries than can be told after what was found before */
    } checkpoints;
    uint64_t findings;
    struct ledger_finding finding[LEDGER_FINDINGS_MAX];
};

/* How far it is, for other threads; stop ends it (E_STATE). */
struct ledger_watch {
    _Atomic uint64_t entries, bytes, bytes_all;
    _Atomic bool stop;
};

/* public NULL: signatures are not looked at. kept: a checkpoint from elsewhere that must fit, too; NULL: none. What is wrong with the
 * ledger is no error but in the verdict. Errors: E_STORE, E_NOMEM, E_STATE, E_CORRUPT (kept is no checkpoint). */
int ledger_verify(struct store *store, const uint8_t public[SIGNING_PUBLIC_BYTES], const struct buf *kept,
                  struct ledger_watch *watch, struct ledger_verdict *verdict, struct err *err);

#endif
