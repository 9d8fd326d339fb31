/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Back-ups: a second store that a coordinator could open, with an inventory (inventory.h) and, written last, inventory/position, which
 * says up to which entry of the ledger it is whole:
 *
 *     sohoa-backup 1
 *     scope <all or records>
 *     entries <of the ledger>
 *     last <SHA-256 of the last of them>
 *     all <SHA-256 of the lines above>
 *
 * The ledger is read first, and what is written of it ends where it ended before anything else was looked at; what its entries and the
 * other blobs refer to is written before them, what has to go goes after. So also a run that was cut short leaves what can be opened, and
 * repeating it completes it. What is missing in the source is removed only where the ledger says why; else it stays, and is told.
 *
 * Not in a back-up: view/ (a cache), Redis (made from the store), keys, certificates and settings (none of them is in a store). */
#ifndef SOHOA_BACKUP_H
#define SOHOA_BACKUP_H

#include "storage/stocktake.h"

enum { BACKUP_FINDINGS_MAX = 100 /* that are kept; all are counted */ };

enum backup_wrong {
    BACKUP_MISSING, /* the source has it no more, and the ledger does not say why; or the back-up has it no more */
    BACKUP_EXTRA,   /* the inventory does not know it */
    BACKUP_DAMAGED,
};

struct backup_finding {
    enum backup_wrong wrong;
    char blob[STORE_NAME_BYTES];
    char text[ERR_TEXT_BYTES];
};

struct backup_report {
    uint64_t copied, copied_bytes;
    uint64_t same;    /* were there already, or were found to be what the inventory says */
    uint64_t removed; /* from the back-up: stopped, purged, released or folded in the source */
    uint64_t entries; /* of the ledger in the back-up */
    uint64_t findings;
    struct backup_finding finding[BACKUP_FINDINGS_MAX];
};

const char *backup_wrong_name(enum backup_wrong wrong); /* "missing", "extra", "damaged" */

struct backup_order {
    struct store *from, *to;
    bool records;   /* batches, ledger, records and tombstones only, without sources and results */
    bool read_back; /* what was written is read again at once */
    bool repair;    /* backup_run: all that is there is compared, too, and what is damaged is copied again */
    unsigned threads;
    struct stock_watch *watch;
};

/* Copies what is new or changed. `from` is only read, and may be at work; `to` is locked meanwhile. What is wrong with blobs is no error
 * but in the report. Errors: E_LOCKED; E_STATE: `to` is in use as a store, or not empty and no back-up, or the order was stopped; E_CORRUPT: the ledger
 * of `from` is damaged, or does not go on from what `to` has of it: then nothing was changed; E_STORE, E_FENCED, E_IO. */
int backup_run(const struct backup_order *order, struct backup_report *report, struct err *err);

/* Reads all of the back-up and looks whether it is what its inventory says. It is locked meanwhile. Errors: likewise; E_STATE also: it is no back-up. */
int backup_check(struct store *store, unsigned threads, struct stock_watch *watch, struct backup_report *report,
                 struct err *err);

/* From a back-up (order->from) to an empty store, which is locked meanwhile; one that was cut short goes on. Blobs that are damaged in the back-up
 * are left out, and told. Errors: likewise; E_STATE also: `to` is not empty. */
int backup_restore(const struct backup_order *order, struct backup_report *report, struct err *err);

/* Whether a coordinator may open the store. Errors: E_STORE; E_STATE: it was not restored to the end. */
int backup_whole(struct store *store, struct err *err);

#endif
