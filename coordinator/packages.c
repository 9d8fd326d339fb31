/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/packages.h"

#include <stdlib.h>
#include <string.h>

#include "proto/array.h"
#include "proto/auto.h"

struct packages {
    struct packaged *at;
    size_t count;
};

struct packages *packages_new(void)
{
    struct packages *packages = calloc(1, sizeof *packages);
    if (!packages)
        abort();
    return packages;
}

void packages_destroy(struct packages **packages)
{
    if (!*packages)
        return;
    for (size_t i = 0; i < (*packages)->count; i++) {
        free((*packages)->at[i].file);
        free((*packages)->at[i].profile);
        free((*packages)->at[i].package);
        free((*packages)->at[i].actor);
    }
    free((*packages)->at);
    free(*packages);
    *packages = NULL;
}

void packages_add(struct packages *packages, const struct backlog *backlog, const Sohoa__LedgerEntry *entry,
                  uint64_t time_ms)
{
    const Sohoa__Packaged *said = entry->packaged;
    if (entry->body_case != SOHOA__LEDGER_ENTRY__BODY_PACKAGED)
        return;
    const struct batch *batch = backlog_batch(backlog, said->batch);
    if (!batch)
        return;
    packages->at = array_room(packages->at, packages->count, sizeof *packages->at);
    struct packaged *packaged = &packages->at[packages->count++];
    *packaged = (struct packaged){.batch = batch->index,
                                  .documents = said->documents,
                                  .pages = said->pages,
                                  .time_ms = time_ms,
                                  .bytes = said->bytes,
                                  .file = text_copy(said->file),
                                  .profile = text_copy(said->profile),
                                  .package = text_copy(said->package),
                                  .actor = text_copy(entry->actor)};
    if (said->sha256.len == SHA256_BYTES)
        memcpy(packaged->sha256, said->sha256.data, SHA256_BYTES);
}

bool packages_has(const struct packages *packages, uint32_t batch, const char *package,
                  const uint8_t sha256[SHA256_BYTES])
{
    for (size_t i = 0; i < packages->count; i++) {
        const struct packaged *it = &packages->at[i];
        if (it->batch == batch && !memcmp(it->sha256, sha256, SHA256_BYTES) && !strcmp(it->package, package))
            return true;
    }
    return false;
}

const struct packaged *packages_nth(const struct packages *packages, size_t n)
{
    return n < packages->count ? &packages->at[n] : NULL;
}
