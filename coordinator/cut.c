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

struct cut *cut_new(uint32_t parts)
{
    struct cut *cut = malloc(cut_bytes(parts));
    if (!cut)
        abort();
    *cut = (struct cut){.parts = parts, .last_worker = NONE};
    for (uint32_t i = 0; i < parts; i++)
        cut->part[i] = (struct part){.last_worker = NONE, .fault = NONE};
    return cut;
}

/* As the layout says. */
static struct cut *cut_plain(const struct work *work, enum page_state state)
{
    struct cut *cut = cut_new((work->pages + work->range_pages - 1u) / work->range_pages);
    for (uint32_t i = 0; i < cut->parts; i++) {
        uint32_t first = i * work->range_pages, left = work->pages - first;
        cut->part[i].first = first + 1;
        cut->part[i].count = left < work->range_pages ? left : work->range_pages;
        cut->part[i].state = (uint8_t)state;
    }
    return cut;
}

struct cut *work_cut(struct work *work)
{
    bool stored = work->phase == WORK_DONE || work->phase == WORK_ASSEMBLING;
    if (!work->cut)
        work->cut = cut_plain(work, stored ? PAGE_STORED : PAGE_QUEUED);
    return work->cut;
}

struct cut *work_before(struct work *work)
{
    struct cut *cut = work_cut(work);
    if (!cut->before)
        cut->before = cut_plain(work, PAGE_STORED);
    return cut->before;
}

void work_forget_before(struct work *work)
{
    if (!work->cut)
        return;
    free(work->cut->before);
    work->cut->before = NULL;
}

void work_weigh(struct work *work, uint32_t a4_pages, uint32_t pages)
{
    uint32_t more = a4_pages > pages ? a4_pages - pages : 0;
    work->a4_more = more < UINT16_MAX ? (uint16_t)more : UINT16_MAX;
}

void work_reach(struct work *work, uint16_t generation)
{
    work->generation = generation;
    work->reached = generation > work->reached ? generation : work->reached;
}

void work_uncut(struct work *work)
{
    work_forget_before(work);
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
