/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Whether the other coordinators, which stand by, are there: asked for their /healthz on a back thread. Their addresses are a setting, the
 * same on all hosts: one's own is among them, and is always there. */
#ifndef SOHOA_OTHERS_H
#define SOHOA_OTHERS_H

#include <stddef.h>
#include <stdint.h>

#include "proto/err.h"

struct coordinator;
struct others;

enum {
    OTHERS_MOST = 8,
    OTHERS_ASK_MS = 5000,  /* they are asked this often */
    OTHERS_WAIT_MS = 1000, /* each has so long to answer */
    OTHERS_MISSES = 2,     /* in a row: then it is lost */
};

/* Of the setting `others`. ca_file: what https is checked with; "": the system's; borrowed. On the main thread, before any other uses libcurl. Errors: E_CONFIG. */
int others_new(const char *setting, const char *ca_file, struct others **ret_others, struct err *err);
void others_destroy(struct others **others); /* when the back threads have ended */

void others_tick(struct coordinator *c, uint64_t now_ms);         /* every turn of the loop */
const char *others_lost(const struct others *others, size_t nth); /* an address; NULL: there are not so many */

#endif
