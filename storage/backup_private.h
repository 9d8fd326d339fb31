/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Shared by backup.c (making one), backup_restore.c (looking at one, and the way back) and backup_place.c, and by no one else. */
#ifndef SOHOA_BACKUP_PRIVATE_H
#define SOHOA_BACKUP_PRIVATE_H

#include <pthread.h>

#include "storage/backup.h"

enum {
    BACKUP_CONTENT = 1u << INVENTORY_SRC | 1u << INVENTORY_OUT | 1u << INVENTORY_BUNDLE,
    BACKUP_ALL = (1u << INVENTORY_KINDS) - 1,
};

/* What a run, a check and a restoring have in common; embedded first. */
struct backup_work {
    struct store *locked;
    struct stock_watch *watch;
    uint64_t renewed_ms;
    pthread_mutex_t mutex; /* guards the report */
    struct backup_report *report;
};

/* Takes the store's lock. */
int backup_work_begin(struct backup_work *work, struct store *locked, struct stock_watch *watch,
                      struct backup_report *report, struct err *err);
void backup_work_end(struct backup_work *work);

/* For stocktake: renews the lock when it is time to. user: struct backup_work. */
int backup_alive(void *user, struct err *err);

/* A blob is not as it should be: text, or what err says. */
void backup_find(struct backup_work *work, enum backup_wrong wrong, const char *blob, const char *text);

struct backup_position {
    bool records; /* scope */
    uint64_t entries;
    uint8_t last[SHA256_BYTES];
};

/* Errors: E_ABSENT: it is no back-up; E_CORRUPT. */
int backup_position_load(struct store *store, struct backup_position *ret_position, struct err *err);
int backup_position_save(struct store *store, const struct backup_position *position, struct err *err);

/* Whether the store has any blob. */
int backup_any(struct store *store, bool *ret_any, struct err *err);

#endif
