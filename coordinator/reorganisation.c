/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Reading a table, in two passes: each row by itself, then all rows together. After that a list, whose re-organisations that stand
 * make the gazetteer, one on top of the other in the order of their numbers. */
#include "coordinator/reorganisation.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/csv.h"
#include "coordinator/day.h"
#include "proto/auto.h"

struct reorganisations {
    struct reorganisation at[REORGANISATIONS_MAX];
    uint32_t count;
};

void draft_clear(struct draft *draft)
{
    buf_destroy(&draft->handover);
    buf_destroy(&draft->finding);
    *draft = (struct draft){0};
}

static const struct handover *handovers_of(const struct draft *draft, size_t *ret_count)
{
    *ret_count = draft->handover.size / sizeof(struct handover);
    return (const struct handover *)(const void *)draft->handover.data;
}

__attribute__((format(printf, 3, 4))) static void find(struct draft *draft, uint64_t line_no, const char *format, ...)
{
    struct finding finding = {.line_no = line_no};
    va_list args;
    if (draft->finding.size / sizeof finding == REORGANISATION_FINDINGS_MOST)
        return;
    va_start(args, format);
    vsnprintf(finding.text, sizeof finding.text, format, args);
    va_end(args);
    buf_append(&draft->finding, &finding, sizeof finding);
}

/* ---- a row by itself ---- */

struct reading {
    const struct gazetteer *base;
    struct draft *draft;
};

static const char *cell(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text ? text : "";
}

static bool is_code(const char *text)
{
    return strlen(text) == CODE_BYTES - 1 && strspn(text, "0123456789") == CODE_BYTES - 1;
}

static bool is_printed(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

static void old_take(struct reading *reading, const json_t *row, uint64_t line_no, struct handover *handover)
{
    const char *code = cell(row, "old_commune_code"), *name = cell(row, "old_commune_name");
    const struct place *old = is_code(code) ? gazetteer_code(reading->base, code) : NULL;
    if (!is_code(code))
        find(reading->draft, line_no, "old_commune_code '%.20s' is not five digits", code);
    else if (!old)
        find(reading->draft, line_no, "no commune in force has the code %s", code);
    else if (*name && strcmp(name, old->name))
        find(reading->draft, line_no, "the commune in force with the code %s is '%s', not '%.100s'", code, old->name,
             name);
    else if (old->from_day >= reading->draft->day)
        find(reading->draft, line_no, "%s (%s) does not begin before that day", old->name, old->unit);
    if (old)
        memcpy(handover->old_unit, old->unit, sizeof handover->old_unit);
}

static void new_take(struct reading *reading, const json_t *row, uint64_t line_no, struct handover *handover)
{
    const char *code = cell(row, "new_commune_code"), *name = cell(row, "new_commune_name");
    if (!is_code(code))
        find(reading->draft, line_no, "new_commune_code '%.20s' is not five digits", code);
    if (!*name || strlen(name) >= sizeof handover->new_name || !is_printed(name))
        find(reading->draft, line_no, "new_commune_name has 1 to %zu bytes on one line", sizeof handover->new_name - 1);
    snprintf(handover->new_code, sizeof handover->new_code, "%s", code);
    snprintf(handover->new_name, sizeof handover->new_name, "%s", name);
}

static int on_row(json_t *row, uint64_t line_no, void *user, struct err *err)
{
    struct reading *reading = user;
    struct handover handover = {.line_no = line_no};
    const char *coverage = cell(row, "coverage");
    if (reading->draft->handover.size / sizeof handover == REORGANISATION_ROWS_MAX)
        return err_set(err, E_LIMIT, "more than %d rows (REORGANISATION_ROWS_MAX)", REORGANISATION_ROWS_MAX);
    old_take(reading, row, line_no, &handover);
    new_take(reading, row, line_no, &handover);
    if (!coverage_named(coverage, &handover.coverage))
        find(reading->draft, line_no, "coverage '%.30s' is whole, part, part_of_area or part_of_area_all_people",
             coverage);
    if (*cell(row, "old_district_code") || *cell(row, "old_district_name"))
        find(reading->draft, line_no,
             "communes are in no district since 2025: old_district_code and old_district_name stay empty");
    buf_append(&reading->draft->handover, &handover, sizeof handover);
    return 0;
}

/* ---- rows together ---- */

static bool is_old(const struct handover *handover, size_t count, const char *unit)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(handover[i].old_unit, unit))
            return true;
    return false;
}

static void before_check(struct draft *draft, const struct handover *handover, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        bool same_old = !strcmp(handover[i].old_unit, handover[at].old_unit),
             same_new = !strcmp(handover[i].new_code, handover[at].new_code);
        if (same_old && same_new)
            find(draft, handover[at].line_no, "%s and %s are together in line %" PRIu64 ", too", handover[at].old_unit,
                 handover[at].new_code, handover[i].line_no);
        if (same_new && strcmp(handover[i].new_name, handover[at].new_name)) {
            find(draft, handover[at].line_no, "%s is '%.80s' here and '%.80s' in line %" PRIu64, handover[at].new_code,
                 handover[at].new_name, handover[i].new_name, handover[i].line_no);
            return;
        }
    }
}

/* At the first row of each old commune: is all of it told? */
static void rest_check(struct draft *draft, const struct handover *handover, size_t count, size_t at)
{
    size_t rows = 0;
    bool whole = false;
    if (is_old(handover, at, handover[at].old_unit))
        return;
    for (size_t i = at; i < count; i++)
        if (!strcmp(handover[i].old_unit, handover[at].old_unit)) {
            whole = whole || handover[i].coverage == COVERAGE_WHOLE;
            rows++;
        }
    if (rows > 1 && whole)
        find(draft, handover[at].line_no, "%s goes over whole, and has another row, too", handover[at].old_unit);
    if (rows == 1 && !whole)
        find(draft, handover[at].line_no, "%s goes over in part: a row is missing for where the rest goes",
             handover[at].old_unit);
    if (rows > SUCCESSORS_MOST)
        find(draft, handover[at].line_no, "%s goes to %zu communes: at most %d (SUCCESSORS_MOST)",
             handover[at].old_unit, rows, SUCCESSORS_MOST);
}

static const struct place *code_holder(const struct gazetteer *base, const struct handover *handover, size_t count,
                                       size_t at)
{
    const struct place *holder = gazetteer_code(base, handover[at].new_code);
    return holder && !is_old(handover, count, holder->unit) ? holder : NULL;
}

static void rows_check(const struct gazetteer *base, struct draft *draft)
{
    size_t count;
    const struct handover *handover = handovers_of(draft, &count);
    if (!count)
        find(draft, 0, "the table has no rows");
    if (gazetteer_places(base) + count > PLACES_MAX)
        find(draft, 0, "with these rows there may be more than %d units, old and new (PLACES_MAX)", PLACES_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct place *holder = code_holder(base, handover, count, i);
        before_check(draft, handover, i);
        rest_check(draft, handover, count, i);
        if (holder)
            find(draft, handover[i].line_no, "the code %s is that of '%s', which does not end: no row has it as old",
                 handover[i].new_code, holder->name);
    }
}

/* ---- the table ---- */

static const struct reorganisation *last_of(const struct reorganisations *all)
{
    for (uint32_t i = all->count; i-- > 0;)
        if (!all->at[i].undone_ms)
            return &all->at[i];
    return NULL;
}

static void day_check(const struct reorganisations *all, struct draft *draft)
{
    const struct reorganisation *last = last_of(all);
    char date[DAY_CHARS + 1];
    int64_t merged = 0;
    day_parse(PLACES_MERGED_ON, &merged);
    if (draft->day <= merged)
        find(draft, 0, "the day is after " PLACES_MERGED_ON);
    if (last && draft->day < last->day)
        find(draft, 0, "re-organisation %" PRIu32 " is of a later day, %s: it would have to be taken back first",
             last->number, day_date(day_start_ms(last->day), date));
}

void reorganisation_read(const struct reorganisations *all, const char *csv, size_t bytes, int64_t day,
                         struct draft *draft)
{
    struct reading reading = {.base = gazetteer_now(), .draft = draft};
    struct err err;
    draft_clear(draft);
    draft->day = day;
    day_check(all, draft);
    if (bytes > REORGANISATION_CSV_BYTES) {
        find(draft, 0, "%zu bytes: at most %d (REORGANISATION_CSV_BYTES)", bytes, REORGANISATION_CSV_BYTES);
        return;
    }
    if (csv_read(csv, bytes, "old_commune_code", on_row, &reading, &err))
        find(draft, 0, "%s", err.text);
    else if (!draft->finding.size)
        rows_check(reading.base, draft);
}

int draft_check(const struct draft *draft, struct err *err)
{
    const struct finding *finding = (const struct finding *)(const void *)draft->finding.data;
    size_t count = draft->finding.size / sizeof *finding;
    char line[32] = "", more[32] = "";
    if (!count)
        return 0;
    if (finding->line_no)
        snprintf(line, sizeof line, "line %" PRIu64 ": ", finding->line_no);
    if (count > 1)
        snprintf(more, sizeof more, " (and %zu more)", count - 1);
    return err_set(err, E_MANIFEST, "%s%s%s", line, finding->text, more);
}

void draft_count(const struct draft *draft, uint32_t *ret_ends, uint32_t *ret_begins)
{
    size_t count;
    const struct handover *handover = handovers_of(draft, &count);
    *ret_ends = *ret_begins = 0;
    for (size_t i = 0; i < count; i++) {
        size_t before = 0;
        while (before < i && strcmp(handover[before].new_code, handover[i].new_code))
            before++;
        *ret_begins += before == i;
        *ret_ends += !is_old(handover, i, handover[i].old_unit);
    }
}

struct gazetteer *draft_gazetteer(const struct draft *draft)
{
    size_t count;
    const struct handover *handover = handovers_of(draft, &count);
    assert(!draft->finding.size);
    return gazetteer_changed(gazetteer_now(), handover, count, draft->day);
}

/* ---- all of them ---- */

struct reorganisations *reorganisations_new(void)
{
    struct reorganisations *all = calloc(1, sizeof *all);
    if (!all)
        abort();
    gazetteer_use(NULL);
    return all;
}

void reorganisations_destroy(struct reorganisations **all)
{
    if (!*all)
        return;
    for (uint32_t i = 0; i < (*all)->count; i++)
        draft_clear(&(*all)->at[i].draft);
    free(*all);
    *all = NULL;
    gazetteer_use(NULL);
}

const struct reorganisation *reorganisations_at(const struct reorganisations *all, uint32_t index)
{
    return index < all->count ? &all->at[index] : NULL;
}

int reorganisations_add(struct reorganisations *all, struct draft *draft, uint64_t time_ms, uint32_t *ret_number,
                        struct err *err)
{
    if (all->count == REORGANISATIONS_MAX)
        return err_set(err, E_LIMIT, "there were %d re-organisations already (REORGANISATIONS_MAX)",
                       REORGANISATIONS_MAX);
    struct reorganisation *at = &all->at[all->count];
    *at = (struct reorganisation){.number = ++all->count, .day = draft->day, .time_ms = time_ms};
    draft_count(draft, &at->ends, &at->begins);
    gazetteer_use(draft_gazetteer(draft));
    at->draft = *draft;
    *draft = (struct draft){0};
    *ret_number = at->number;
    return 0;
}

/* Can its rows be put on top of base, and do they mean the same communes? */
static bool fits(const struct gazetteer *base, const struct draft *draft)
{
    size_t count;
    const struct handover *handover = handovers_of(draft, &count);
    for (size_t i = 0; i < count; i++) {
        const struct place *old = gazetteer_find(base, handover[i].old_unit);
        if (!old || old->until_day || code_holder(base, handover, count, i))
            return false;
    }
    return true;
}

/* All that stand, but for one; NULL: not all of the others fit without it, and *ret_stands is the first that does not. */
static struct gazetteer *gazetteer_without(const struct reorganisations *all, uint32_t number, uint32_t *ret_stands)
{
    struct gazetteer *gazetteer = gazetteer_new();
    for (uint32_t i = 0; i < all->count; i++) {
        const struct reorganisation *one = &all->at[i];
        size_t count;
        const struct handover *handover = handovers_of(&one->draft, &count);
        if (one->undone_ms || one->number == number)
            continue;
        struct gazetteer *base = gazetteer;
        gazetteer = fits(base, &one->draft) ? gazetteer_changed(base, handover, count, one->day) : NULL;
        gazetteer_drop(&base);
        *ret_stands = one->number;
        if (!gazetteer)
            break;
    }
    return gazetteer;
}

int reorganisations_undo(struct reorganisations *all, uint32_t number, uint64_t time_ms, struct err *err)
{
    uint32_t stands = 0;
    if (!number || number > all->count)
        return err_set(err, E_ABSENT, "there is no re-organisation %" PRIu32, number);
    if (all->at[number - 1].undone_ms)
        return err_set(err, E_STATE, "re-organisation %" PRIu32 " was taken back already", number);
    struct gazetteer *gazetteer = gazetteer_without(all, number, &stands);
    if (!gazetteer)
        return err_set(err, E_STATE,
                       "re-organisation %" PRIu32 " stands on %" PRIu32 ": that one is to be taken back first", stands,
                       number);
    gazetteer_use(gazetteer);
    all->at[number - 1].undone_ms = time_ms;
    return 0;
}
