/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A ring of days, each with a row for every unit that had something until then; one bit a document that has been counted. */
#include "coordinator/tally.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/day.h"

enum { SLOTS = 2 * TALLY_UNITS_MOST }; /* of the hash table of units; a power of two */

struct day {
    int64_t day; /* counted from 1970-01-01; 0: none yet */
    struct tally_row *row;
    uint32_t rows;
};

struct bits { /* of a batch */
    uint64_t *word;
    size_t words;
};

struct tally {
    struct day day[TALLY_DAYS_MOST];
    char (*unit)[NAME_BYTES];
    uint32_t units;
    uint32_t slot[SLOTS]; /* index of a unit and 1; 0: empty */
    struct bits *counted;
    size_t batches;
};

struct tally *tally_new(void)
{
    struct tally *tally = calloc(1, sizeof *tally);
    if (!tally)
        abort();
    return tally;
}

void tally_destroy(struct tally **tally)
{
    if (!*tally)
        return;
    for (size_t i = 0; i < TALLY_DAYS_MOST; i++)
        free((*tally)->day[i].row);
    for (size_t i = 0; i < (*tally)->batches; i++)
        free((*tally)->counted[i].word);
    free((*tally)->counted);
    free((*tally)->unit);
    free(*tally);
    *tally = NULL;
}

static void *grown(void *at, size_t had, size_t count, size_t bytes)
{
    uint8_t *grown = realloc(at, count * bytes);
    if (!grown)
        abort();
    memset(grown + had * bytes, 0, (count - had) * bytes);
    return grown;
}

/* ---- units ---- */

static uint32_t hash_of(const char *unit)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *unit; unit++)
        hash = (hash ^ (unsigned char)*unit) * 16777619u;
    return hash & (SLOTS - 1);
}

/* The slot that has the unit, or is free for it. */
static uint32_t slot_of(const struct tally *tally, const char *unit)
{
    uint32_t at = hash_of(unit);
    while (tally->slot[at] && strcmp(tally->unit[tally->slot[at] - 1], unit))
        at = (at + 1) & (SLOTS - 1);
    return at;
}

/* More units than there can be share the last. */
static uint32_t unit_index(struct tally *tally, const char *unit)
{
    uint32_t at = slot_of(tally, unit);
    if (tally->slot[at])
        return tally->slot[at] - 1;
    if (tally->units == TALLY_UNITS_MOST)
        return TALLY_UNITS_MOST - 1;
    tally->unit = grown(tally->unit, tally->units, tally->units + 1u, sizeof *tally->unit);
    strncpy(tally->unit[tally->units], unit, NAME_BYTES - 1);
    tally->slot[at] = ++tally->units;
    return tally->units - 1;
}

const char *tally_unit(const struct tally *tally, size_t nth)
{
    return nth < tally->units ? tally->unit[nth] : NULL;
}

/* ---- documents ---- */

/* True: it was not yet. */
static bool count_once(struct tally *tally, struct doc_ref ref)
{
    if (ref.batch >= tally->batches) {
        size_t batches = ref.batch + 1u + ref.batch / 2u;
        tally->counted = grown(tally->counted, tally->batches, batches, sizeof *tally->counted);
        tally->batches = batches;
    }
    struct bits *bits = &tally->counted[ref.batch];
    size_t word = ref.doc / 64u;
    if (word >= bits->words) {
        size_t words = word + 1 + word / 2;
        bits->word = grown(bits->word, bits->words, words, sizeof *bits->word);
        bits->words = words;
    }
    uint64_t bit = UINT64_C(1) << ref.doc % 64u;
    bool first = !(bits->word[word] & bit);
    bits->word[word] |= bit;
    return first;
}

/* NULL: it is older than what is kept. */
static struct tally_row *row_at(struct tally *tally, int64_t day, uint32_t unit)
{
    struct day *at = &tally->day[day % TALLY_DAYS_MOST];
    if (at->day > day)
        return NULL;
    if (at->day < day) {
        free(at->row);
        *at = (struct day){.day = day};
    }
    if (unit >= at->rows) {
        at->row = grown(at->row, at->rows, unit + 1u, sizeof *at->row);
        at->rows = unit + 1;
    }
    return &at->row[unit];
}

static void grades_add(struct tally_row *row, const Sohoa__DocOutcome *outcome)
{
    if (outcome->grades.len != grades_bytes(outcome->pages))
        return;
    for (uint32_t page_no = 1; page_no <= outcome->pages; page_no++)
        row->grade[grade_get(outcome->grades.data, page_no)]++;
}

static void result_add(struct tally_row *row, const Sohoa__DocOutcome *outcome)
{
    row->documents++;
    row->pages += outcome->pages_stored;
    row->a4 += outcome->a4_pages ? outcome->a4_pages : outcome->pages_stored;
    row->dead += outcome->pages_dead;
    grades_add(row, outcome);
}

void tally_add(struct tally *tally, struct doc_ref ref, const char *unit, const Sohoa__DocOutcome *outcome,
               uint64_t time_ms)
{
    bool has_result = outcome->state == SOHOA__DOC_STATE__DOC_STORED || outcome->state == SOHOA__DOC_STATE__DOC_DEAD;
    bool first = has_result && count_once(tally, ref);
    struct tally_row *row = row_at(tally, day_of(time_ms), unit_index(tally, unit));
    if (!row)
        return;
    if (first)
        result_add(row, outcome);
    row->again += has_result && !first;
    row->refused += outcome->state == SOHOA__DOC_STATE__DOC_REFUSED;
    row->quarantined += outcome->state == SOHOA__DOC_STATE__DOC_QUARANTINED;
}

/* ---- sums ---- */

void tally_row_add(struct tally_row *sum, const struct tally_row *row)
{
    sum->documents += row->documents;
    sum->pages += row->pages;
    sum->a4 += row->a4;
    sum->dead += row->dead;
    sum->again += row->again;
    sum->refused += row->refused;
    sum->quarantined += row->quarantined;
    for (size_t i = 0; i < sizeof row->grade / sizeof row->grade[0]; i++)
        sum->grade[i] += row->grade[i];
}

void tally_sum(const struct tally *tally, const char *unit, int64_t first, int64_t last, struct tally_row *row)
{
    uint32_t slot = unit ? slot_of(tally, unit) : 0;
    if (unit && !tally->slot[slot])
        return;
    uint32_t from = unit ? tally->slot[slot] - 1 : 0, end = unit ? from + 1 : TALLY_UNITS_MOST;
    for (int64_t day = first; day <= last; day++) {
        const struct day *at = &tally->day[day % TALLY_DAYS_MOST];
        for (uint32_t u = from; at->day == day && u < end && u < at->rows; u++)
            tally_row_add(row, &at->row[u]);
    }
}
