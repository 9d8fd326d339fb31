/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The packages that were made for hand-over, as the ledger says. Pure. */
#ifndef SOHOA_PACKAGES_H
#define SOHOA_PACKAGES_H

#include "coordinator/backlog.h"

struct packaged {
    uint32_t batch, documents, pages;
    uint64_t time_ms, bytes;
    uint8_t sha256[SHA256_BYTES];
    char *file, *profile, *package, *actor;
};

struct packages;
struct packages *packages_new(void);
void packages_destroy(struct packages **packages);

/* Entries that are not Packaged, and those of unknown batches, are passed over. */
void packages_add(struct packages *packages, const struct backlog *backlog, const Sohoa__LedgerEntry *entry,
                  uint64_t time_ms);
bool packages_has(const struct packages *packages, uint32_t batch, const char *package,
                  const uint8_t sha256[SHA256_BYTES]);                          /* made with these bytes */
const struct packaged *packages_nth(const struct packages *packages, size_t n); /* the oldest first, until NULL */

#endif
