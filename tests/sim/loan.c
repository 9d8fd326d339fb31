/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tests/sim/loan.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

enum { LEASES_AN_EPOCH = 40 };

static struct {
    struct loan *loan; /* in the order of their numbers */
    size_t loans, room;
    struct page_story story[SOURCES][PIPELINES][SOURCE_PAGES + 1];
} book;

void loans_reset(void)
{
    book.loans = 0;
    memset(book.story, 0, sizeof book.story);
}

uint64_t lease_epoch(uint64_t lease)
{
    return lease >> LEASES_AN_EPOCH;
}

struct loan *loan_add(uint64_t lease)
{
    if (book.loans && book.loan[book.loans - 1].lease >= lease)
        violation("lease %llu is granted after %llu", (unsigned long long)lease,
                  (unsigned long long)book.loan[book.loans - 1].lease);
    if (book.loans == book.room) {
        book.room = book.room ? book.room * 2 : 1024;
        book.loan = realloc(book.loan, book.room * sizeof *book.loan);
        if (!book.loan)
            abort();
    }
    book.loan[book.loans] = (struct loan){.lease = lease};
    return &book.loan[book.loans++];
}

struct loan *loan_find(uint64_t lease)
{
    size_t low = 0, high = book.loans;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (book.loan[middle].lease < lease)
            low = middle + 1;
        else
            high = middle;
    }
    return low < book.loans && book.loan[low].lease == lease ? &book.loan[low] : NULL;
}

struct page_story *story_of(uint32_t source, uint32_t pipeline, uint32_t page_no)
{
    return &book.story[source][pipeline][page_no];
}

struct page_story *story_in(uint32_t source, uint32_t pipeline, uint32_t page_no, uint32_t generation)
{
    struct page_story *story = story_of(source, pipeline, page_no);
    if (generation >= GENERATIONS)
        violation("source %u is in its generation %u", source, generation);
    if (story->generation != generation)
        *story = (struct page_story){.settled = story->settled, .generation = generation};
    return story;
}
