/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A work's pages in parts. */
#include "coordinator/backlog.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t cut_bytes(uint32_t parts)
{
    return sizeof(struct cut) + parts * sizeof(struct part);
}

const struct cut *cut_of(const struct work *work)
{
    static const struct cut none = {.last_worker = NONE};
    return work->cut ? work->cut : &none;
}

struct cut *work_cut(struct work *work)
{
    if (work->cut)
        return work->cut;
    uint32_t count = (work->pages + work->range_pages - 1u) / work->range_pages;
    bool stored = work->phase == WORK_DONE || work->phase == WORK_ASSEMBLING;
    struct cut *cut = malloc(cut_bytes(count));
    if (!cut)
        abort();
    *cut = (struct cut){.parts = count, .last_worker = NONE};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first = i * work->range_pages;
        uint32_t left = work->pages - first;
        cut->part[i] = (struct part){.first = first + 1,
                                     .count = left < work->range_pages ? left : work->range_pages,
                                     .state = stored ? PAGE_STORED : PAGE_QUEUED,
                                     .last_worker = NONE,
                                     .fault = NONE};
    }
    work->cut = cut;
    return cut;
}

void work_uncut(struct work *work)
{
    free(work->cut);
    work->cut = NULL;
}

/* Cuts the part that holds page_no in two, before page_no, unless it begins there. */
static void cut_before(struct work *work, uint32_t page_no)
{
    struct cut *cut = work->cut;
    uint32_t i = 0;
    while (i < cut->parts && page_no >= cut->part[i].first + cut->part[i].count)
        i++;
    if (i == cut->parts || cut->part[i].first == page_no)
        return;
    cut = realloc(cut, cut_bytes(cut->parts + 1));
    if (!cut)
        abort();
    memmove(&cut->part[i + 1], &cut->part[i], (cut->parts - i) * sizeof *cut->part);
    cut->parts++;
    cut->part[i].count = page_no - cut->part[i].first;
    cut->part[i + 1].count -= cut->part[i].count;
    cut->part[i + 1].first = page_no;
    work->cut = cut;
}

struct part *work_part(struct work *work, uint32_t first, uint32_t count)
{
    struct cut *cut = work_cut(work);
    for (uint32_t i = 0; i < cut->parts && count; i++) {
        struct part *part = &cut->part[i];
        if (first >= part->first && first - part->first < part->count && count <= part->first + part->count - first)
            return part;
    }
    return NULL;
}

struct part *work_isolate(struct work *work, uint32_t first, uint32_t count)
{
    assert(work_part(work, first, count));
    cut_before(work, first);
    cut_before(work, first + count);
    return work_part(work, first, count);
}

uint32_t work_parts_in(const struct work *work, enum page_state state)
{
    const struct cut *cut = cut_of(work);
    uint32_t n = 0;
    for (uint32_t i = 0; i < cut->parts; i++)
        n += cut->part[i].state == state;
    return n;
}
