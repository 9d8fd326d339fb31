/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Sorted by unit and priority, so that a unit's targets lie together. */
#include "coordinator/target.h"

#include <stdlib.h>
#include <string.h>

#include "proto/array.h"

static int target_order(const struct target *target, const char *unit, uint32_t priority)
{
    int order = strcmp(target->unit, unit);
    return order ? order : target->priority < priority ? -1 : target->priority > priority;
}

/* The first that is not before it. */
static uint32_t target_place(const struct backlog *backlog, const char *unit, uint32_t priority)
{
    uint32_t low = 0, high = backlog->targets;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (target_order(&backlog->target[middle], unit, priority) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct target *target_find(const struct backlog *backlog, const char *unit, uint32_t priority)
{
    uint32_t at = target_place(backlog, unit, priority);
    bool there = at < backlog->targets && !target_order(&backlog->target[at], unit, priority);
    return there ? &backlog->target[at] : NULL;
}

bool target_set(struct backlog *backlog, const struct target *target)
{
    struct target *there = target_find(backlog, target->unit, target->priority);
    if (there) {
        *there = *target;
        return true;
    }
    if (backlog->targets == TARGETS_MAX)
        return false;
    uint32_t at = target_place(backlog, target->unit, target->priority);
    backlog->target = array_room(backlog->target, backlog->targets, sizeof *target);
    memmove(&backlog->target[at + 1], &backlog->target[at], (backlog->targets - at) * sizeof *target);
    backlog->target[at] = *target;
    backlog->targets++;
    return true;
}

const struct target *target_of(const struct backlog *backlog, const char *unit, uint32_t priority)
{
    if (!*unit)
        return NULL;
    const struct target *own = target_find(backlog, unit, priority), *whole = target_find(backlog, unit, 0);
    uint32_t at = target_place(backlog, unit, 0);
    bool any = at < backlog->targets && !strcmp(backlog->target[at].unit, unit);
    return own ? own : whole ? whole : any ? &backlog->target[at] : NULL;
}

void lot_settle(const struct backlog *backlog, struct lot *lot)
{
    const struct standing *standing = &backlog->batch[lot->batch]->standing;
    const struct terms *terms = &lot->terms;
    uint32_t priority = standing->priority ? standing->priority : terms->priority;
    const struct target *target = target_of(backlog, terms->unit, priority);
    uint64_t due_ms = standing->deadline_ms           ? standing->deadline_ms
                      : target && target->deadline_ms ? target->deadline_ms
                                                      : terms->deadline_ms;
    priority = priority ? priority : target && target->priority ? target->priority : PRIORITY_PRESET;
    due_ms = due_ms ? due_ms : DEADLINE_NONE;
    if (lot->due_ms != due_ms) /* until the next plan */
        lot->turn_ms = due_ms;
    lot->priority = priority;
    lot->due_ms = due_ms;
    lot->paused = standing->paused || (target && target->paused);
}
