/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The report names every input, its sums add up, and the exit code follows from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/ctl/ctl.h"
#include "coordinator/ctl/report.h"
#include "proto/auto.h"

enum { DOCS = 7 };

static char none[] = "";

static void sample(struct input input[DOCS + 1], struct outcome outcome[DOCS])
{
    static char name[DOCS + 1][8] = {"a.pdf", "b.pdf", "c.pdf", "\\xe1", "d.pdf", "e.txt", "f.pdf", "g.pdf"};
    static char page[] = "E_PAGE_BROKEN: page 2: x", foreign[] = "E_SOURCE_TYPE: y", locked[] = "E_SOURCE_ENCRYPTED: z";
    outcome[0] = (struct outcome){.state = DOC_IS_STORED, .pages = 3, .pages_stored = 3, .there = true, .reason = none};
    outcome[1] = (struct outcome){
        .state = DOC_IS_DEAD, .pages = 4, .pages_stored = 3, .pages_dead = 1, .there = true, .reason = page};
    outcome[2] = (struct outcome){.state = DOC_IS_DUPLICATE, .pages = 3, .there = true, .reason = none};
    outcome[3] = (struct outcome){.state = DOC_IS_QUARANTINED, .pages = 5, .pages_stored = 2, .reason = none};
    outcome[4] = (struct outcome){.state = DOC_IS_REFUSED, .reason = foreign};
    outcome[5] = (struct outcome){.state = DOC_IS_REFUSED, .reason = locked};
    outcome[6] = (struct outcome){.state = DOC_IS_STORED, .pages = 1, .pages_stored = 1, .there = true, .reason = none};
    for (size_t i = 0, doc = 0; i <= DOCS; i++) {
        input[i] = (struct input){.name = name[i]};
        if (i == 3)
            err_set(&input[i].refused, E_SOURCE_DENIED, "name");
        else
            outcome[doc++].name = name[i];
    }
}

static void report_of(struct input *input, size_t inputs, struct outcome *outcome, size_t outcomes,
                      struct report *report)
{
    report_init(report, &(struct inputs){.item = input, .count = inputs},
                &(struct outcomes){.item = outcome, .count = outcomes});
}

static void every_state(void **state)
{
    (void)state;
    struct input input[DOCS + 1];
    struct outcome outcome[DOCS];
    AUTO(report_destroy) struct report report;
    AUTO(json_drop) json_t *totals = NULL;
    AUTO(mem_destroy) char *text = NULL;
    sample(input, outcome);
    report_of(input, DOCS + 1, outcome, DOCS, &report);
    totals = report_totals(&report);
    text = json_dumps(totals, JSON_COMPACT);
    assert_string_equal(
        text, "{\"documents\":{\"stored\":2,\"dead\":1,\"duplicate\":1,\"quarantined\":1,\"withdrawn\":0,"
              "\"refused\":3,\"total\":8},\"pages\":{\"stored\":7,\"dead\":1,\"duplicate\":3,\"quarantined\":5,"
              "\"withdrawn\":0,\"total\":16},\"grades\":{\"A\":0,\"B\":0,\"C\":0}}");
    assert_int_equal(report_exit(&report), EXIT_FINDINGS);
}

static void entries(void **state)
{
    (void)state;
    struct input input[DOCS + 1];
    struct outcome outcome[DOCS];
    AUTO(report_destroy) struct report report;
    AUTO(mem_destroy) char *text = NULL;
    sample(input, outcome);
    report_of(input, 4, outcome, DOCS, &report);
    text = json_dumps(report.documents, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(
        text,
        "[{\"pages\":3,\"pages_dead\":0,\"pages_stored\":3,\"path\":\"a.pdf\",\"reason\":\"\",\"source\":\"a.pdf\","
        "\"state\":\"stored\"},"
        "{\"pages\":4,\"pages_dead\":1,\"pages_stored\":3,\"path\":\"b.pdf\",\"reason\":\"E_PAGE_BROKEN: page 2: x\","
        "\"source\":\"b.pdf\",\"state\":\"dead\"},"
        "{\"duplicate_of\":\"a.pdf\",\"pages\":3,\"pages_dead\":0,\"pages_stored\":0,\"path\":\"c.pdf\",\"reason\":\"\","
        "\"source\":\"c.pdf\",\"state\":\"duplicate\"},"
        "{\"pages\":0,\"pages_dead\":0,\"pages_stored\":0,\"reason\":\"E_SOURCE_DENIED: name\",\"source\":\"\\\\xe1\","
        "\"state\":\"refused\"}]");
}

static void record_put(const char *out, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", out, name);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/%s/record.json", out, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void out_remove(const char *out, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s/record.json", out, name);
    unlink(path);
    snprintf(path, sizeof path, "%s/%s", out, name);
    rmdir(path);
}

static void grades_come_from_the_records(void **state)
{
    (void)state;
    char out[] = "/tmp/sohoa-report-XXXXXX", told[4096] = "";
    struct input input[DOCS + 1];
    struct outcome outcome[DOCS];
    AUTO(report_destroy) struct report report;
    assert_non_null(mkdtemp(out));
    record_put(out, "a.pdf",
               "{\"grade\":\"C\",\"grades\":{\"A\":1,\"B\":0,\"C\":2},\"pages\":[{\"page\":1,\"grade\":\"A\"},"
               "{\"page\":2,\"grade\":\"C\"},{\"page\":3,\"grade\":\"C\"}]}");
    record_put(out, "b.pdf", "{\"pages\":[{\"page\":1}]}");
    sample(input, outcome);
    report_of(input, 4, outcome, DOCS, &report);
    report_grade(&report, out);
    json_t *entry = json_array_get(report.documents, 0);
    assert_string_equal(json_string_value(json_object_get(entry, "grade")), "C");
    assert_int_equal(json_array_size(json_object_get(entry, "pages_c")), 2);
    assert_null(json_object_get(json_array_get(report.documents, 1), "grade"));
    assert_int_equal(report.graded[0], 1);
    assert_int_equal(report.graded[2], 2);
    FILE *to = fmemopen(told, sizeof told, "w");
    report_tell(&report, to);
    fclose(to);
    assert_non_null(strstr(told, "grades:    1 A, 0 B, 2 C\n  a.pdf: to be looked at: page 2 3\n"));
    out_remove(out, "a.pdf");
    out_remove(out, "b.pdf");
    rmdir(out);
}

static int exit_of(enum doc_state doc_state, const char *reason)
{
    char name[] = "a.pdf", why[64];
    snprintf(why, sizeof why, "%s", reason);
    struct input input = {.name = name};
    struct outcome outcome = {.name = name, .state = doc_state, .reason = why};
    AUTO(report_destroy) struct report report;
    report_of(&input, 1, &outcome, 1, &report);
    return report_exit(&report);
}

static void exits(void **state)
{
    (void)state;
    assert_int_equal(exit_of(DOC_IS_STORED, ""), EXIT_SUCCESS);
    assert_int_equal(exit_of(DOC_IS_DUPLICATE, ""), EXIT_SUCCESS);
    assert_int_equal(exit_of(DOC_IS_REFUSED, "E_SOURCE_TYPE: a.pdf"), EXIT_SUCCESS);
    assert_int_equal(exit_of(DOC_IS_REFUSED, "E_SOURCE_EMPTY: a.pdf"), EXIT_FINDINGS);
    assert_int_equal(exit_of(DOC_IS_DEAD, ""), EXIT_FINDINGS);
    assert_int_equal(exit_of(DOC_IS_QUARANTINED, ""), EXIT_FINDINGS);
    assert_int_equal(exit_of(DOC_IS_WITHDRAWN, ""), EXIT_FINDINGS);
}

static void failures_are_cut(void **state)
{
    (void)state;
    enum { MANY = REPORT_FAILURES_SHOWN + 5 };
    char name[] = "a.pdf", why[] = "E_SOURCE_EMPTY: x", foreign[] = "E_SOURCE_TYPE: x", text[8192];
    struct input input[MANY];
    struct outcome outcome[MANY];
    AUTO(report_destroy) struct report report;
    for (size_t i = 0; i < MANY; i++) {
        input[i] = (struct input){.name = name};
        outcome[i] = (struct outcome){.name = name, .state = DOC_IS_REFUSED, .reason = i ? why : foreign};
    }
    report_of(input, MANY, outcome, MANY, &report);
    FILE *to = fmemopen(text, sizeof text, "w");
    assert_non_null(to);
    report_tell(&report, to);
    fclose(to);
    assert_non_null(strstr(text, "documents: 25: 25 refused\n"));
    assert_non_null(strstr(text, "  a.pdf: refused, E_SOURCE_EMPTY: x\n  and 5 more in report.json\n"));
    assert_null(strstr(text, "E_SOURCE_TYPE")); /* others come first */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_state), cmocka_unit_test(entries),
                                       cmocka_unit_test(grades_come_from_the_records), cmocka_unit_test(exits),
                                       cmocka_unit_test(failures_are_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
