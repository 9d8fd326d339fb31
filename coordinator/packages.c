/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/packages.h"

#include <stdlib.h>
#include <string.h>

struct packages {
    struct packaged *at;
    size_t count, room;
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

static char *copy_of(const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        abort();
    return copy;
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
    if (packages->count == packages->room) {
        packages->room = packages->room ? packages->room * 2 : 64;
        packages->at = realloc(packages->at, packages->room * sizeof *packages->at);
        if (!packages->at)
            abort();
    }
    struct packaged *packaged = &packages->at[packages->count++];
    *packaged = (struct packaged){.batch = batch->index,
                                  .documents = said->documents,
                                  .pages = said->pages,
                                  .time_ms = time_ms,
                                  .bytes = said->bytes,
                                  .file = copy_of(said->file),
                                  .profile = copy_of(said->profile),
                                  .package = copy_of(said->package),
                                  .actor = copy_of(entry->actor)};
    if (said->sha256.len == SHA256_BYTES)
        memcpy(packaged->sha256, said->sha256.data, SHA256_BYTES);
}

const struct packaged *packages_nth(const struct packages *packages, size_t n)
{
    return n < packages->count ? &packages->at[n] : NULL;
}
