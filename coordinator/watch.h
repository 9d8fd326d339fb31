/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Which alerts stand (alert.h): the one place that says so, for the dashboard and for the webhook. What can't be read from the
 * coordinator's state at once is watched here: how full the store is, asked on a back thread, and whether anything is read. */
#ifndef SOHOA_WATCH_H
#define SOHOA_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/account.h"
#include "coordinator/alert.h"

struct coordinator;
struct watch;

enum { WATCH_SPACE_MS = 60000 }; /* the store is asked how full it is this often */

struct watch *watch_new(void);
void watch_destroy(struct watch **watch); /* when the back threads have ended */

/* Every turn of the loop. */
void watch_tick(struct coordinator *c, uint64_t now_ms);

/* A worker that was gone when the coordinator before was there still; it counts as gone until it is heard of. */
void watch_miss(struct watch *watch, const char *worker);

/* What lies under the store and how much of it is used, as it said last; false: it has not said so yet. */
bool watch_space(const struct watch *watch, uint64_t *ret_used_bytes, uint64_t *ret_total_bytes);

/* Calls each for every alert that stands in the account's units, with words that are not of its kind alone; both are borrowed. */
void watch_alerts(const struct coordinator *c, const struct account *account,
                  void (*each)(const struct alert *alert, const char *text, void *user), void *user);

#endif
