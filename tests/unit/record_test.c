/* SPDX-License-Identifier: AGPL-3.0-or-later
 * done and record: their keys and values, that done depends on its arguments alone, and that it can be read back. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "proto/grades.h"
#include "worker/field.h"
#include "worker/past.h"
#include "worker/quality.h"
#include "worker/record.h"

static const uint8_t sha256[SHA256_BYTES] = {0xab, 0x12}, pipeline[SHA256_BYTES] = {0xcd};

/* Three pages: read well, dead, blank; the dead one's error has bytes that are no UTF-8. */
static void three_pages(struct record_page pages[3])
{
    memset(pages, 0, 3 * sizeof *pages);
    pages[0] = (struct record_page){
        .page_no = 1,
        .kind = SOHOA__PAGE_KIND__PAGE_SCAN,
        .figures = {.words = 200, .confidence_cpct = 9312, .low_words = 3},
        .width_px = 2480,
        .height_px = 3508,
        .dpi_scan = 300,
        .bits = 1,
        .rotation_deg = 90,
        .skew_mdeg = -120,
        .a4 = 2,
        .measured = true,
        .grade = SOHOA__GRADE__GRADE_B,
        .error_cpct = 187,
        .notes = 1U << SOHOA__PAGE_NOTE__NOTE_LOW_COLOUR | 1U << SOHOA__PAGE_NOTE__NOTE_BLUE,
    };
    pages[0].quality.confidence_p10_cpct = 8100;
    pages[0].quality.confidence_p50_cpct = 9500;
    pages[0].quality.impossible_cpct = 125;
    pages[1] = (struct record_page){.page_no = 2, .dead = true, .kind = SOHOA__PAGE_KIND__PAGE_IMAGE};
    err_set(&pages[1].err, E_TIME, "no end \xff after 120000 ms");
    pages[2] = (struct record_page){.page_no = 3, .kind = SOHOA__PAGE_KIND__PAGE_BLANK};
}

static void write_done(struct buf *out)
{
    struct record_page pages[3];
    Sohoa__Probe probe = SOHOA__PROBE__INIT;
    Sohoa__Signature signature = SOHOA__SIGNATURE__INIT;
    Sohoa__Signature *signatures[] = {&signature};
    signature.signer = (char *)"Nguyễn Văn A";
    signature.time = (char *)"2024-05-01T08:00:00+07:00";
    signature.field = (char *)"Signature1";
    probe.kind = SOHOA__SOURCE_KIND__SOURCE_PDF;
    probe.signatures = signatures;
    probe.n_signatures = 1;
    three_pages(pages);
    Sohoa__Description *description = description_new();
    field_set(description, SOHOA__FIELD_NAME__FIELD_TYPE, "Quyết định", 9800, NULL);
    field_set(description, SOHOA__FIELD_NAME__FIELD_ORGAN, "Sở \xff", 8000, NULL);
    field_candidate(description, SOHOA__FIELD_NAME__FIELD_NUMBER, "05", 4000);
    struct record_doc doc = {.sha256 = sha256,
                             .pipeline = pipeline,
                             .lang = "vie",
                             .sketch = (const uint8_t *)"\x01\xfe\0",
                             .sketch_bytes = 3,
                             .probe = &probe,
                             .layers_left = 2,
                             .description = description,
                             .pages = pages,
                             .count = 3};
    for (int part = 0; part < RECORD_PARTS; part++)
        doc.output[part].bytes = 1000 + (uint64_t)part;
    record_done(&doc, out);
    description_destroy(&description);
}

static json_t *at(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (!value)
        fail_msg("key %s is missing", key);
    return value;
}

static void done_has_what_the_format_says(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf done = {0};
    write_done(&done);
    json_t *root = json_loadb((char *)done.data, done.size, 0, NULL);
    assert_non_null(root);
    json_t *page = json_array_get(at(root, "pages"), 0), *dead = json_array_get(at(root, "pages"), 1);
    assert_int_equal(json_integer_value(at(page, "page")), 1);
    assert_string_equal(json_string_value(at(page, "state")), "stored");
    assert_string_equal(json_string_value(at(page, "kind")), "scan");
    assert_int_equal(json_integer_value(at(page, "rotation")), 90);
    assert_true(json_is_null(at(page, "error")));
    assert_string_equal(json_string_value(at(dead, "state")), "dead");
    assert_true(json_is_null(at(dead, "confidence")));
    assert_string_equal(json_string_value(at(at(dead, "error"), "code")), "E_TIME");
    assert_string_equal(json_string_value(at(at(dead, "error"), "text")), "no end ? after 120000 ms");
    assert_int_equal(json_integer_value(at(root, "pages_stored")), 2);
    assert_int_equal(json_integer_value(at(root, "pages_dead")), 1);
    assert_int_equal(json_integer_value(at(at(at(root, "outputs"), "words"), "bytes")), 1003);
    assert_string_equal(json_string_value(at(root, "source_kind")), "pdf");
    assert_int_equal(json_integer_value(at(root, "layers_left")), 2);
    assert_string_equal(json_string_value(at(json_array_get(at(root, "signatures"), 0), "signer")), "Nguyễn Văn A");
    json_decref(root);
    assert_non_null(strstr(buf_text(&done), "\"confidence\":0.9312,"));
    assert_non_null(strstr(buf_text(&done), "\"skew\":-0.12,"));
    assert_null(strchr(buf_text(&done), '\n'));
}

static void done_has_quality_grades_and_notes(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf done = {0};
    write_done(&done);
    json_t *root = json_loadb((char *)done.data, done.size, 0, NULL);
    assert_non_null(root);
    json_t *page = json_array_get(at(root, "pages"), 0), *dead = json_array_get(at(root, "pages"), 1);
    json_t *notes = at(page, "notes");
    assert_string_equal(json_string_value(at(page, "grade")), "B");
    assert_int_equal(json_array_size(notes), 2);
    assert_string_equal(json_string_value(json_array_get(notes, 0)), "low_colour");
    assert_string_equal(json_string_value(json_array_get(notes, 1)), "blue");
    assert_true(json_is_null(at(dead, "grade")) && json_is_null(at(dead, "quality")));
    assert_true(json_is_null(at(dead, "error_expected")));
    assert_int_equal(json_array_size(at(dead, "notes")), 0);
    assert_string_equal(json_string_value(at(root, "grade")), "B");
    assert_int_equal(json_integer_value(at(at(root, "grades"), "B")), 1);
    assert_int_equal(json_integer_value(at(at(root, "grades"), "A")), 0);
    json_decref(root);
    assert_non_null(strstr(buf_text(&done), "\"error_expected\":0.0187,"));
    assert_non_null(strstr(buf_text(&done), "\"quality\":{\"confidence_p10\":0.81,\"confidence_p50\":0.95,"
                                            "\"garbage\":0.0,\"impossible\":0.0125}"));
}

static void done_takes_its_figures_from_the_page(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(4);
    struct record_page to;
    line_add_word(block_add_line(page_add_block(page)), "Quyết")->confidence_cpct = 9100;
    page->dpi_scan = 150;
    page->bits = 24;
    quality_measure(page);
    record_page_fill(page, &to);
    assert_true(to.measured);
    assert_int_equal(to.quality.confidence_p10_cpct, 9100);
    assert_int_equal(to.grade, page->grade);
    assert_int_equal(to.error_cpct, page->error_cpct);
    assert_int_equal(to.notes, 1U << SOHOA__PAGE_NOTE__NOTE_LOW_DPI);
}

static void done_is_the_same_bytes_again(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf one = {0};
    AUTO(buf_destroy) struct buf two = {0};
    write_done(&one);
    write_done(&two);
    assert_int_equal(one.size, two.size);
    assert_memory_equal(one.data, two.data, one.size);
}

static void done_reads_back(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf done = {0};
    AUTO(record_destroy) struct record *record = NULL;
    Sohoa__Assembled assembled = SOHOA__ASSEMBLED__INIT;
    struct err why;
    write_done(&done);
    assert_int_equal(record_parse(done.data, done.size, &record, NULL), 0);
    record_assembled(record, &assembled);
    assert_int_equal(assembled.pages_stored, 2);
    assert_int_equal(assembled.pages_dead, 1);
    assert_int_equal(assembled.a4_pages, 2);
    assert_int_equal(assembled.pdf_bytes, 1000);
    assert_int_equal(assembled.confidence_cpct, 9312);
    assert_int_equal(assembled.grades.len, 1);
    assert_int_equal(grade_get(assembled.grades.data, 1), SOHOA__GRADE__GRADE_B);
    assert_int_equal(grade_get(assembled.grades.data, 2), SOHOA__GRADE__GRADE_NONE);
    assert_int_equal(grade_get(assembled.grades.data, 3), SOHOA__GRADE__GRADE_NONE);
    free(assembled.grades.data);
    assert_int_equal(assembled.sketch.len, 3);
    assert_memory_equal(assembled.sketch.data, "\x01\xfe\0", 3);
    free(assembled.sketch.data);
    assert_int_equal(record_pages(record), 3);
    assert_false(record_page_dead(record, 1, &why));
    assert_true(record_page_dead(record, 2, &why));
    assert_int_equal(why.code, E_TIME);
    assert_int_equal(why.page_no, 2);
}

static void torn_done_is_corrupt(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf done = {0};
    struct record *record = NULL;
    struct err err;
    write_done(&done);
    assert_int_equal(record_parse(done.data, done.size - 1, &record, &err), E_CORRUPT);
    assert_int_equal(record_parse("{}", 2, &record, &err), E_CORRUPT);
    assert_int_equal(record_parse(NULL, 0, &record, &err), E_CORRUPT);
    assert_null(record);
}

static int write_generation(const char *row, uint32_t generation, const struct buf *before, const bool *kept,
                            struct buf *out, struct err *err)
{
    AUTO(buf_destroy) struct buf done = {0};
    AUTO(record_destroy) struct record *record = NULL;
    static const uint32_t pages_ms[] = {2200, 120000, 90};
    Sohoa__Subscriber subscriber = SOHOA__SUBSCRIBER__INIT;
    subscriber.batch = (char *)"b-1";
    subscriber.doc = 7;
    subscriber.row = (char *)row;
    struct record_entry entry = {.subscriber = &subscriber,
                                 .generation = generation,
                                 .source_bytes = 5555,
                                 .worker = "node-1",
                                 .simd = "x86-64-avx2-fma",
                                 .build = "0.1.0",
                                 .created_ms = 1700000000000 + generation * 1000,
                                 .wall_ms = 123,
                                 .cpu_ms = 100,
                                 .pages_ms = pages_ms,
                                 .pages_count = 3,
                                 .before = before,
                                 .kept = kept};
    write_done(&done);
    assert_int_equal(record_parse(done.data, done.size, &record, NULL), 0);
    return record_write(record, &entry, out, err);
}

static int write_record(const char *row, struct buf *out, struct err *err)
{
    return write_generation(row, 0, NULL, NULL, out, err);
}

static void record_has_done_and_its_own(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf text = {0};
    assert_int_equal(write_record("{\"source\":\"/scans/a.pdf\",\"unit\":\"new:00004\",\"x\":\"ý\"}", &text, NULL), 0);
    json_t *root = json_loadb((char *)text.data, text.size, 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_array_size(at(root, "pages")), 3);
    assert_string_equal(json_string_value(at(root, "batch")), "b-1");
    assert_int_equal(json_integer_value(at(root, "document")), 7);
    assert_string_equal(json_string_value(at(root, "source")), "/scans/a.pdf");
    assert_string_equal(json_string_value(at(at(root, "manifest"), "x")), "ý");
    assert_int_equal(json_integer_value(at(root, "generation")), 0);
    assert_int_equal(json_integer_value(at(root, "bytes")), 5555);
    assert_true(json_is_true(at(root, "signed")));
    assert_string_equal(json_string_value(at(at(root, "provenance"), "created")), "2023-11-14T22:13:20Z");
    assert_int_equal(json_integer_value(json_array_get(at(at(root, "timings"), "pages_ms"), 1)), 120000);
    json_decref(root);
}

static const char *text_at(json_t *object, const char *key)
{
    return json_string_value(at(object, key));
}

/* The page's readings before, of a record as it was written. */
static size_t history_size(const struct buf *text, size_t page)
{
    json_t *root = json_loadb((char *)text->data, text->size, 0, NULL);
    size_t size = json_array_size(at(json_array_get(at(root, "pages"), page), "history"));
    json_decref(root);
    return size;
}

static void a_rerun_tells_what_its_pages_were_before(void **state)
{
    static const bool keeps_two[] = {true, false, true}, keeps_none[] = {false, false, false};
    AUTO(buf_destroy) struct buf zero = {0};
    AUTO(buf_destroy) struct buf one = {0};
    AUTO(buf_destroy) struct buf two = {0};
    (void)state;
    assert_int_equal(write_generation("{}", 0, NULL, NULL, &zero, NULL), 0);
    assert_int_equal(write_generation("{}", 1, &zero, keeps_two, &one, NULL), 0);
    assert_int_equal(history_size(&one, 0), 0);
    assert_int_equal(history_size(&one, 1), 1);
    assert_int_equal(write_generation("{}", 2, &one, keeps_none, &two, NULL), 0);
    json_t *root = json_loadb((char *)two.data, two.size, 0, NULL);
    json_t *kept = json_array_get(at(root, "pages"), 0), *dead = json_array_get(at(root, "pages"), 1);
    assert_int_equal(json_array_size(at(kept, "history")), 1); /* generation 1 kept it */
    assert_int_equal(json_integer_value(at(json_array_get(at(kept, "history"), 0), "generation")), 0);
    assert_string_equal(text_at(json_array_get(at(kept, "history"), 0), "grade"), "B");
    assert_int_equal(json_array_size(at(dead, "history")), 2);
    assert_int_equal(json_integer_value(at(at(dead, "reading"), "generation")), 2);
    json_t *last = json_array_get(at(dead, "history"), 1);
    assert_int_equal(json_integer_value(at(last, "generation")), 1);
    assert_string_equal(text_at(last, "state"), "dead");
    assert_string_equal(text_at(last, "worker"), "node-1");
    assert_string_equal(text_at(last, "created"), "2023-11-14T22:13:21Z");
    assert_string_equal(text_at(at(last, "error"), "code"), "E_TIME");
    json_decref(root);
}

static void a_try_that_was_cut_short_is_no_reading(void **state)
{
    static const bool keeps_none[] = {false, false, false};
    AUTO(buf_destroy) struct buf zero = {0};
    AUTO(buf_destroy) struct buf one = {0};
    AUTO(buf_destroy) struct buf again = {0};
    (void)state;
    assert_int_equal(write_generation("{}", 0, NULL, NULL, &zero, NULL), 0);
    assert_int_equal(write_generation("{}", 1, &zero, keeps_none, &one, NULL), 0);
    assert_int_equal(write_generation("{}", 1, &one, keeps_none, &again, NULL), 0);
    assert_int_equal(again.size, one.size);
    assert_memory_equal(again.data, one.data, one.size);
}

static void a_record_before_that_makes_no_sense_costs_the_history(void **state)
{
    static const bool keeps_all[] = {true, true, true};
    AUTO(buf_destroy) struct buf torn = {0};
    AUTO(buf_destroy) struct buf one = {0};
    AUTO(buf_destroy) struct buf two = {0};
    (void)state;
    buf_puts(&torn, "{\"pages\": [");
    assert_int_equal(write_generation("{}", 1, &torn, keeps_all, &one, NULL), 0);
    assert_int_equal(history_size(&one, 0), 0);
    buf_clear(&torn);
    buf_puts(&torn, "[3]");
    assert_int_equal(write_generation("{}", 1, &torn, keeps_all, &two, NULL), 0);
    assert_int_equal(history_size(&two, 0), 0);
}

static void only_the_latest_readings_are_told(void **state)
{
    static const bool keeps_none[] = {false, false, false};
    AUTO(buf_destroy) struct buf before = {0};
    (void)state;
    assert_int_equal(write_generation("{}", 0, NULL, NULL, &before, NULL), 0);
    for (uint32_t generation = 1; generation <= PAST_READINGS_MOST + 3; generation++) {
        struct buf next = {0};
        assert_int_equal(write_generation("{}", generation, &before, keeps_none, &next, NULL), 0);
        buf_destroy(&before);
        before = next;
    }
    assert_int_equal(history_size(&before, 2), PAST_READINGS_MOST);
}

static void row_that_is_no_object_is_refused(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf text = {0};
    struct err err;
    assert_int_equal(write_record("[1]", &text, &err), E_MANIFEST);
    assert_int_equal(write_record("", &text, &err), E_MANIFEST);
    assert_int_equal(text.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(done_has_what_the_format_says),
        cmocka_unit_test(done_has_quality_grades_and_notes),
        cmocka_unit_test(done_takes_its_figures_from_the_page),
        cmocka_unit_test(done_is_the_same_bytes_again),
        cmocka_unit_test(done_reads_back),
        cmocka_unit_test(torn_done_is_corrupt),
        cmocka_unit_test(record_has_done_and_its_own),
        cmocka_unit_test(a_rerun_tells_what_its_pages_were_before),
        cmocka_unit_test(a_try_that_was_cut_short_is_no_reading),
        cmocka_unit_test(a_record_before_that_makes_no_sense_costs_the_history),
        cmocka_unit_test(only_the_latest_readings_are_told),
        cmocka_unit_test(row_that_is_no_object_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
