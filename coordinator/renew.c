/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The pages of a work in a re-run: each runs again, is kept or stays dead. Parts are cut as a restart would cut them that knows the
 * layout's ranges and what is kept and dead: bundles are named after them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/rerun.h"

enum fate { FATE_RUN, FATE_KEEP, FATE_DEAD };

/* What does not run: what the words of this generation, or of one before that they were kept from, still have. */
static void fates_by_state(const struct work *work, uint8_t *fate)
{
    const struct cut *cut = cut_of(work);
    memset(fate, work->folded ? FATE_KEEP : FATE_RUN, work->pages);
    for (uint32_t i = 0; i < cut->parts; i++) {
        const struct part *part = &cut->part[i];
        enum fate its = part->state == PAGE_DEAD                                     ? FATE_DEAD
                        : part->state == PAGE_STORED && (work->folded || part->kept) ? FATE_KEEP
                                                                                     : FATE_RUN;
        memset(fate + part->first - 1, its, part->count);
    }
}

/* How many pages run. */
static uint32_t fates_tell(const struct work *work, const struct page_range *range, size_t ranges, uint8_t *fate)
{
    uint32_t run = 0;
    fates_by_state(work, fate);
    for (size_t i = 0; i < ranges; i++)
        memset(fate + range[i].first - 1, FATE_RUN, range[i].count);
    for (uint32_t i = 0; i < work->pages; i++) {
        if (!ranges && fate[i] == FATE_DEAD)
            fate[i] = FATE_RUN;
        run += fate[i] == FATE_RUN;
    }
    if (run)
        return run;
    memset(fate, FATE_RUN, work->pages);
    return work->pages;
}

uint32_t work_renew_pages(const struct work *work, const struct page_range *range, size_t ranges)
{
    uint8_t fate[DOC_MAX_PAGES];
    return fates_tell(work, range, ranges, fate);
}

static bool part_begins(const struct work *work, const uint8_t *fate, uint32_t i)
{
    return i % work->range_pages == 0 || fate[i] != fate[i - 1] || fate[i] == FATE_DEAD;
}

static struct cut *cut_by_fate(const struct work *work, const uint8_t *fate)
{
    static const uint8_t state_of[] = {[FATE_RUN] = PAGE_QUEUED, [FATE_KEEP] = PAGE_STORED, [FATE_DEAD] = PAGE_DEAD};
    uint32_t parts = 0;
    for (uint32_t i = 0; i < work->pages; i++)
        parts += part_begins(work, fate, i);
    struct cut *cut = cut_new(parts);
    for (uint32_t i = 0, n = 0; i < work->pages; i++) {
        n += part_begins(work, fate, i);
        struct part *part = &cut->part[n - 1];
        part->first = part->count ? part->first : i + 1;
        part->count++;
        part->state = state_of[fate[i]];
        part->kept = fate[i] == FATE_KEEP;
    }
    return cut;
}

/* Pages that stay dead, by what they died of. Dead parts are of one page each. */
static void faults_take(struct cut *cut, const struct cut *from)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < cut->parts; i++) {
        if (cut->part[i].state != PAGE_DEAD)
            continue;
        while (from->part[at].first != cut->part[i].first)
            at++;
        cut->part[i].fault = from->part[at].fault;
    }
}

bool work_renew(struct work *work, const struct page_range *range, size_t ranges)
{
    uint8_t fate[DOC_MAX_PAGES];
    struct cut *was = work->cut;
    uint32_t words_generation = work->folded ? work->generation : cut_of(work)->words_generation;
    bool partly = fates_tell(work, range, ranges, fate) < work->pages, done = work->phase == WORK_DONE;
    struct cut *cut = partly ? cut_by_fate(work, fate) : NULL;
    assert(!done || !cut_of(work)->before);
    if (cut) {
        faults_take(cut, cut_of(work));
        cut->words_generation = words_generation;
    }
    if (was && done)
        was->folded = work->folded;
    else
        work_uncut(work); /* there is no result to go back to */
    work->cut = cut;
    work_reach(work, (uint16_t)(work->generation + 1));
    work->phase = WORK_HELD;
    work->leased = work->folded = false;
    if (was && done)
        work_cut(work)->before = was;
    return partly;
}

void work_choose(struct work *work, const struct page_range *range, size_t ranges)
{
    uint8_t fate[DOC_MAX_PAGES];
    assert(work->generation && work->phase == WORK_HELD);
    memset(fate, FATE_KEEP, work->pages);
    for (size_t i = 0; i < ranges; i++)
        memset(fate + range[i].first - 1, FATE_RUN, range[i].count);
    work_uncut(work);
    if (!memchr(fate, FATE_KEEP, work->pages))
        return;
    work->cut = cut_by_fate(work, fate);
    work->cut->words_generation = work->generation - 1u;
}

bool work_untouched(const struct work *work)
{
    const struct cut *cut = cut_of(work);
    bool untouched = (work->phase == WORK_HELD || work->phase == WORK_READY) && !work->leased;
    for (uint32_t i = 0; i < cut->parts; i++) {
        const struct part *part = &cut->part[i];
        bool waits = part->state == PAGE_QUEUED && !part->losses, stays = part->kept || part->state == PAGE_DEAD;
        untouched = untouched && (waits || stays) && !part->attempts;
    }
    return untouched;
}

void work_revert(struct work *work)
{
    struct cut *before = cut_of(work)->before;
    assert(work->generation && work_untouched(work));
    if (before)
        work->cut->before = NULL;
    work_uncut(work);
    work->cut = before;
    work->folded = !before || before->folded;
    work->generation--;
    work->phase = WORK_DONE;
}
