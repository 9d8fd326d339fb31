/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Sums come from the documents' outcomes, so they always add up to what the report lists. */
#include "coordinator/ctl/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/ctl.h"
#include "proto/auto.h"

void report_destroy(struct report *report)
{
    json_drop(&report->documents);
}

static bool is_foreign(const char *reason)
{
    return !strncmp(reason, "E_SOURCE_TYPE:", 14);
}

static void entry_add(struct report *report, const struct input *input, const char *state, const char *reason)
{
    json_array_append_new(report->documents,
                          json_pack("{s:s,s:s,s:s,s:i,s:i,s:i}", "source", input->name, "state", state, "reason",
                                    reason, "pages", 0, "pages_stored", 0, "pages_dead", 0));
}

static void refused_add(struct report *report, const struct input *input)
{
    AUTO(buf_destroy) struct buf reason = {0};
    buf_printf(&reason, "%s: %s", err_name(input->refused.code), input->refused.text);
    entry_add(report, input, doc_state_name(DOC_IS_REFUSED), buf_text(&reason));
    report->docs[DOC_IS_REFUSED]++;
}

static void pages_count(struct report *report, const struct outcome *outcome)
{
    report->pages += outcome->pages;
    switch (outcome->state) {
    case DOC_IS_DUPLICATE: report->pages_duplicate += outcome->pages; break;
    case DOC_IS_QUARANTINED: report->pages_quarantined += outcome->pages; break;
    case DOC_IS_WITHDRAWN: report->pages_withdrawn += outcome->pages; break;
    default: report->pages_stored += outcome->pages_stored; report->pages_dead += outcome->pages_dead;
    }
}

static void outcome_add(struct report *report, const struct input *input, const struct outcome *outcome,
                        const struct outcomes *outcomes)
{
    entry_add(report, input, doc_state_name(outcome->state), outcome->reason);
    json_t *entry = json_array_get(report->documents, json_array_size(report->documents) - 1);
    if (outcome->there)
        json_object_set_new(entry, "path", json_string(input->name));
    json_object_set_new(entry, "pages", json_integer(outcome->pages));
    json_object_set_new(entry, "pages_stored", json_integer(outcome->pages_stored));
    json_object_set_new(entry, "pages_dead", json_integer(outcome->pages_dead));
    if (outcome->state == DOC_IS_DUPLICATE)
        json_object_set_new(entry, "duplicate_of", json_string(outcomes->item[outcome->duplicate_of].name));
    report->docs[outcome->state]++;
    report->foreign += outcome->state == DOC_IS_REFUSED && is_foreign(outcome->reason);
    pages_count(report, outcome);
}

void report_init(struct report *report, const struct inputs *inputs, const struct outcomes *outcomes)
{
    *report = (struct report){.documents = json_array()};
    size_t doc = 0;
    for (size_t i = 0; i < inputs->count; i++)
        if (inputs->item[i].refused.code)
            refused_add(report, &inputs->item[i]);
        else
            outcome_add(report, &inputs->item[i], &outcomes->item[doc++], outcomes);
}

static const char *const report_grade_name[REPORT_GRADES] = {"A", "B", "C"};

static void entry_grade(struct report *report, json_t *entry, const json_t *record)
{
    json_t *pages = json_array(), *page;
    size_t i;
    json_array_foreach(json_object_get(record, "pages"), i, page)
    {
        const char *grade = json_string_value(json_object_get(page, "grade"));
        if (grade && !strcmp(grade, report_grade_name[REPORT_GRADES - 1]))
            json_array_append(pages, json_object_get(page, "page"));
    }
    for (int grade = 0; grade < REPORT_GRADES; grade++)
        report->graded[grade] +=
            (uint64_t)json_integer_value(json_object_get(json_object_get(record, "grades"), report_grade_name[grade]));
    json_object_set(entry, "grade", json_object_get(record, "grade"));
    json_object_set_new(entry, "pages_c", pages);
}

void report_grade(struct report *report, const char *out)
{
    size_t i;
    json_t *entry;
    json_array_foreach(report->documents, i, entry)
    {
        AUTO(buf_destroy) struct buf path = {0};
        const char *name = json_string_value(json_object_get(entry, "path"));
        if (!name || json_object_get(entry, "duplicate_of"))
            continue;
        buf_printf(&path, "%s/%s/record.json", out, name);
        AUTO(json_drop) json_t *record = json_load_file(buf_text(&path), 0, NULL);
        if (json_object_get(record, "grades"))
            entry_grade(report, entry, record);
    }
}

json_t *report_totals(const struct report *report)
{
    json_t *docs = json_object();
    uint64_t total = 0;
    for (int state = 0; state < DOC_STATES; state++) {
        if (state != DOC_IS_OPEN)
            json_object_set_new(docs, doc_state_name((enum doc_state)state),
                                json_integer((json_int_t)report->docs[state]));
        total += report->docs[state];
    }
    json_object_set_new(docs, "total", json_integer((json_int_t)total));
    json_t *pages = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "stored", (json_int_t)report->pages_stored, "dead",
                              (json_int_t)report->pages_dead, "duplicate", (json_int_t)report->pages_duplicate,
                              "quarantined", (json_int_t)report->pages_quarantined, "withdrawn",
                              (json_int_t)report->pages_withdrawn, "total", (json_int_t)report->pages);
    json_t *grades = json_object();
    for (int grade = 0; grade < REPORT_GRADES; grade++)
        json_object_set_new(grades, report_grade_name[grade], json_integer((json_int_t)report->graded[grade]));
    return json_pack("{s:o,s:o,s:o}", "documents", docs, "pages", pages, "grades", grades);
}

void report_print(const struct report *report, struct buf *json)
{
    AUTO(json_drop)
    json_t *all = json_pack("{s:O,s:o}", "documents", report->documents, "totals", report_totals(report));
    size_t bytes = json_dumpb(all, NULL, 0, JSON_INDENT(2));
    json_dumpb(all, (char *)buf_reserve(json, bytes), bytes, JSON_INDENT(2));
    json->size += bytes;
    buf_puts(json, "\n");
}

int report_exit(const struct report *report)
{
    bool failed = report->docs[DOC_IS_DEAD] || report->docs[DOC_IS_QUARANTINED] || report->docs[DOC_IS_WITHDRAWN] ||
                  report->docs[DOC_IS_OPEN] || report->docs[DOC_IS_REFUSED] > report->foreign || report->pages_dead;
    return failed ? EXIT_FINDINGS : EXIT_SUCCESS;
}

/* "12 in all: 10 stored, 2 refused" */
static void counts_tell(const char *what, const json_t *counts, FILE *to)
{
    fprintf(to, "%s %" JSON_INTEGER_FORMAT, what, json_integer_value(json_object_get(counts, "total")));
    const char *key, *between = ": ";
    json_t *count;
    json_object_foreach((json_t *)counts, key, count)
    {
        if (!json_integer_value(count) || !strcmp(key, "total"))
            continue;
        fprintf(to, "%s%" JSON_INTEGER_FORMAT " %s", between, json_integer_value(count), key);
        between = ", ";
    }
    fputs("\n", to);
}

/* Those that are foreign, or those that are not; *shown counts all. */
static void failures_tell(const struct report *report, bool foreign, size_t *shown, FILE *to)
{
    size_t i;
    json_t *entry;
    json_array_foreach(report->documents, i, entry)
    {
        const char *reason = json_string_value(json_object_get(entry, "reason"));
        const char *state = json_string_value(json_object_get(entry, "state"));
        if (!strcmp(state, "stored") || !strcmp(state, "duplicate") || is_foreign(reason) != foreign)
            continue;
        if (++*shown <= REPORT_FAILURES_SHOWN)
            fprintf(to, "  %s: %s%s%s\n", json_string_value(json_object_get(entry, "source")), state,
                    *reason ? ", " : "", reason);
    }
}

/* "a.pdf: page 3 5" */
static void looks_tell(const struct report *report, FILE *to)
{
    size_t i, p, shown = 0;
    json_t *entry, *page;
    json_array_foreach(report->documents, i, entry)
    {
        const json_t *pages = json_object_get(entry, "pages_c");
        if (!json_array_size(pages) || ++shown > REPORT_FAILURES_SHOWN)
            continue;
        fprintf(to, "  %s: to be looked at: page", json_string_value(json_object_get(entry, "source")));
        json_array_foreach(pages, p, page) if (p < REPORT_FAILURES_SHOWN)
            fprintf(to, " %" JSON_INTEGER_FORMAT, json_integer_value(page));
        fputs(p > REPORT_FAILURES_SHOWN ? " ...\n" : "\n", to);
    }
    if (shown > REPORT_FAILURES_SHOWN)
        fprintf(to, "  and %zu more in report.json\n", shown - REPORT_FAILURES_SHOWN);
}

static void grades_tell(const struct report *report, FILE *to)
{
    if (!report->graded[0] && !report->graded[1] && !report->graded[2])
        return;
    fprintf(to, "grades:    %" PRIu64 " A, %" PRIu64 " B, %" PRIu64 " C\n", report->graded[0], report->graded[1],
            report->graded[2]);
    looks_tell(report, to);
}

void report_tell(const struct report *report, FILE *to)
{
    AUTO(json_drop) json_t *totals = report_totals(report);
    counts_tell("documents:", json_object_get(totals, "documents"), to);
    counts_tell("pages:    ", json_object_get(totals, "pages"), to);
    size_t shown = 0;
    failures_tell(report, false, &shown, to);
    failures_tell(report, true, &shown, to);
    if (shown > REPORT_FAILURES_SHOWN)
        fprintf(to, "  and %zu more in report.json\n", shown - REPORT_FAILURES_SHOWN);
    grades_tell(report, to);
}
