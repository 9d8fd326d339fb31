/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Frames to bytes and back: what is sound comes through whole, what breaks a limit is refused and named, and no bytes at
 * all do harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "proto/wire.h"

static uint8_t digest[SHA256_BYTES];
static struct err err;

/* A sound frame of each kind; a test spoils one field. */
struct sample {
    Sohoa__Frame frame;
    Sohoa__Hello hello;
    Sohoa__Results results;
    Sohoa__Result result, *result_list[1];
    Sohoa__Probe probe;
    Sohoa__Signature signature, *signature_list[SIGNATURES_MAX + 1];
    Sohoa__Assembled assembled;
    Sohoa__PageFailure failure, *failure_list[1];
    Sohoa__Err err;
    Sohoa__Range range, *range_list[1];
    Sohoa__Grant grant;
    Sohoa__Job job, *job_list[GRANT_MAX_JOBS + 1];
    Sohoa__Subscriber subscriber, *subscriber_list[1];
    Sohoa__Refuse refuse;
    Sohoa__Viewed viewed;
};

static void sample_parts(struct sample *s)
{
    sohoa__err__init(&s->err);
    s->err.code = E_PAGE_BROKEN;
    s->err.page_no = 3;
    s->err.text = (char *)"no page tree";
    sohoa__range__init(&s->range);
    s->range.first = 2;
    s->range.count = 4;
    s->range_list[0] = &s->range;
    sohoa__page_failure__init(&s->failure);
    s->failure.page_no = 3;
    s->failure.attempts = 1;
    s->failure.err = &s->err;
    s->failure_list[0] = &s->failure;
    sohoa__signature__init(&s->signature);
    s->signature.signer = (char *)"UBND quận Ba Đình";
    for (size_t i = 0; i <= SIGNATURES_MAX; i++)
        s->signature_list[i] = &s->signature;
    sohoa__subscriber__init(&s->subscriber);
    s->subscriber.batch = (char *)"b1";
    s->subscriber.row = (char *)"{\"source\":\"a.pdf\"}";
    s->subscriber_list[0] = &s->subscriber;
}

static void sample_job(struct sample *s)
{
    sohoa__job__init(&s->job);
    s->job.lease = 7;
    s->job.kind = SOHOA__JOB_KIND__JOB_PAGES;
    s->job.batch = (char *)"b1";
    s->job.sha256 = (ProtobufCBinaryData){SHA256_BYTES, digest};
    s->job.doc_pages = 5;
    s->job.range = &s->range;
    s->job.bundles = s->range_list;
    s->job.n_bundles = 1;
    s->job.dead = s->failure_list;
    s->job.n_dead = 1;
    s->job.subscribers = s->subscriber_list;
    s->job.n_subscribers = 1;
    for (size_t i = 0; i <= GRANT_MAX_JOBS; i++)
        s->job_list[i] = &s->job;
}

static struct sample *sample_new(Sohoa__Frame__BodyCase kind)
{
    struct sample *s = calloc(1, sizeof *s);
    assert_non_null(s);
    sohoa__frame__init(&s->frame);
    s->frame.body_case = kind;
    sample_parts(s);
    sample_job(s);
    return s;
}

static struct sample *hello_new(void)
{
    struct sample *s = sample_new(SOHOA__FRAME__BODY_HELLO);
    sohoa__hello__init(&s->hello);
    s->hello.version = PROTOCOL_VERSION;
    s->hello.worker = (char *)"node-7.rack2";
    s->hello.pipeline = (ProtobufCBinaryData){SHA256_BYTES, digest};
    s->hello.slots = 4;
    s->hello.held = s->job_list;
    s->hello.n_held = 2;
    s->frame.hello = &s->hello;
    return s;
}

static struct sample *results_new(void)
{
    struct sample *s = sample_new(SOHOA__FRAME__BODY_RESULTS);
    sohoa__results__init(&s->results);
    sohoa__result__init(&s->result);
    sohoa__probe__init(&s->probe);
    sohoa__assembled__init(&s->assembled);
    s->probe.sha256 = (ProtobufCBinaryData){SHA256_BYTES, digest};
    s->probe.pages = 5;
    s->probe.signatures = s->signature_list;
    s->probe.n_signatures = SIGNATURES_MAX;
    s->result.lease = 7;
    s->result.probe = &s->probe;
    s->result.assembled = &s->assembled;
    s->result.stored = s->range_list;
    s->result.n_stored = 1;
    s->result.failed = s->failure_list;
    s->result.n_failed = 1;
    s->result_list[0] = &s->result;
    s->results.results = s->result_list;
    s->results.n_results = 1;
    s->frame.results = &s->results;
    return s;
}

static struct sample *grant_new(void)
{
    struct sample *s = sample_new(SOHOA__FRAME__BODY_GRANT);
    sohoa__grant__init(&s->grant);
    s->grant.jobs = s->job_list;
    s->grant.n_jobs = GRANT_MAX_JOBS;
    s->frame.grant = &s->grant;
    return s;
}

static int round_trip(const Sohoa__Frame *frame, Sohoa__Frame **ret_frame)
{
    AUTO(buf_destroy) struct buf packed = {0};
    wire_encode(frame, &packed);
    /* As long as the frame, so that a sanitizer sees a look behind it. */
    AUTO(mem_destroy) uint8_t *exact = malloc(packed.size ? packed.size : 1);
    assert_non_null(exact);
    memcpy(exact, packed.data, packed.size);
    err = (struct err){0};
    return wire_decode(exact, packed.size, ret_frame, &err);
}

static void assert_sound(struct sample *s)
{
    AUTO(frame_destroy) Sohoa__Frame *frame = NULL;
    int rc = round_trip(&s->frame, &frame);
    if (rc)
        fail_msg("%s", err.text);
    assert_non_null(frame);
    free(s);
}

static void assert_refused(struct sample *s, const char *field)
{
    Sohoa__Frame *frame = NULL;
    assert_int_equal(round_trip(&s->frame, &frame), E_FRAME);
    assert_null(frame);
    if (!strstr(err.text, field))
        fail_msg("'%s' is not in '%s'", field, err.text);
    free(s);
}

/* One refused frame: a sound sample, one statement that spoils it, and the field that is to be named. */
#define REFUSED(make, spoil, field)                                                                                    \
    do {                                                                                                               \
        struct sample *s = make();                                                                                     \
        spoil;                                                                                                         \
        assert_refused(s, field);                                                                                      \
    } while (0)

static uint8_t many_grades[DOC_MAX_PAGES / 4 + 1];
static char long_name[NAME_BYTES + 1], long_path[SOURCE_PATH_BYTES + 1], long_row[MANIFEST_ROW_BYTES + 2];

static int fill(void **state)
{
    (void)state;
    memset(long_name, 'n', sizeof long_name - 1);
    memset(long_path, 'p', sizeof long_path - 1);
    memset(long_row, 'r', sizeof long_row - 1);
    return 0;
}

static void sound_frames_come_through(void **state)
{
    (void)state;
    assert_sound(hello_new());
    assert_sound(results_new());
    assert_sound(grant_new());
    struct sample *s = results_new();
    s->result = (Sohoa__Result)SOHOA__RESULT__INIT;
    s->result.err = &s->err;
    assert_sound(s);
    s = grant_new();
    s->job = (Sohoa__Job)SOHOA__JOB__INIT;
    s->job.kind = SOHOA__JOB_KIND__JOB_PROBE;
    s->job.source = (char *)"/scans/hồ sơ 1.pdf";
    assert_sound(s);
    s = grant_new();
    s->job.kind = SOHOA__JOB_KIND__JOB_ASSEMBLE;
    s->job.range = NULL;
    s->err.code = 0; /* a dead page whose reason is not known any more */
    assert_sound(s);
}

static void fields_come_through_as_they_were(void **state)
{
    (void)state;
    AUTO(frame_destroy) Sohoa__Frame *frame = NULL;
    struct sample *s = results_new();
    assert_int_equal(round_trip(&s->frame, &frame), 0);
    const Sohoa__Result *result = frame->results->results[0];
    assert_int_equal(result->lease, 7);
    assert_int_equal(result->stored[0]->first, 2);
    assert_int_equal(result->stored[0]->count, 4);
    assert_int_equal(result->failed[0]->err->code, E_PAGE_BROKEN);
    assert_int_equal(result->failed[0]->err->page_no, 3);
    assert_string_equal(result->failed[0]->err->text, "no page tree");
    assert_string_equal(result->probe->signatures[0]->signer, "UBND quận Ba Đình");
    assert_memory_equal(result->probe->sha256.data, digest, SHA256_BYTES);
    free(s);
}

static void a_bad_hello_is_refused(void **state)
{
    (void)state;
    REFUSED(hello_new, s->hello.worker = (char *)"", "hello.worker");
    REFUSED(hello_new, s->hello.worker = long_name, "hello.worker");
    REFUSED(hello_new, s->hello.worker = (char *)"node 7", "hello.worker");
    REFUSED(hello_new, s->hello.worker = (char *)"node\n7", "hello.worker");
    REFUSED(hello_new, s->hello.worker = (char *)"n\xc3\xbat", "hello.worker");
    REFUSED(hello_new, s->hello.pipeline.len = SHA256_BYTES - 1, "hello.pipeline");
    REFUSED(hello_new, s->hello.pipeline.len = 0, "hello.pipeline");
    REFUSED(hello_new, s->hello.slots = 0, "hello.slots");
    REFUSED(hello_new, s->hello.slots = 5000, "hello.slots");
    REFUSED(hello_new, s->hello.build = long_name, "hello.build");
    REFUSED(hello_new, s->hello.simd = long_name, "hello.build");
    REFUSED(hello_new, s->hello.lang = long_name, "hello.build");
    REFUSED(hello_new, s->hello.tags = long_name, "lang or tags");
    REFUSED(hello_new, s->job.range = NULL, "job.range");
}

static void a_bad_result_is_refused(void **state)
{
    (void)state;
    REFUSED(results_new, s->range.first = 0, "result.stored");
    REFUSED(results_new, s->assembled.grades = ((ProtobufCBinaryData){sizeof many_grades, many_grades}),
            "result.assembled");
    REFUSED(results_new, s->range.count = 0, "result.stored");
    REFUSED(results_new, s->range.first = DOC_MAX_PAGES, "result.stored");
    REFUSED(results_new, s->range.count = DOC_MAX_PAGES, "result.stored");
    REFUSED(results_new, s->range.count = UINT32_MAX, "result.stored");
    REFUSED(results_new, s->failure.page_no = 0, "result.failed");
    REFUSED(results_new, s->failure.page_no = DOC_MAX_PAGES + 1, "result.failed");
    REFUSED(results_new, s->failure.err = NULL, "result.failed");
    REFUSED(results_new, s->err.code = 0, "result.failed");
    REFUSED(results_new, s->err.code = 5, "result.failed");
    REFUSED(results_new, s->err.code = 0; s->result.err = &s->err, "result.err.code");
    REFUSED(results_new, s->probe.pages = 0, "result.probe");
    REFUSED(results_new, s->probe.pages = DOC_MAX_PAGES + 1, "result.probe");
    REFUSED(results_new, s->probe.sha256.len = 31, "result.probe");
    REFUSED(results_new, s->probe.n_signatures = SIGNATURES_MAX + 1, "result.probe.signatures");
    REFUSED(results_new, s->assembled.pages_stored = DOC_MAX_PAGES + 1, "result.assembled");
    REFUSED(results_new, s->assembled.confidence_cpct = 10001, "result.assembled");
}

static void a_bad_grant_is_refused(void **state)
{
    (void)state;
    REFUSED(grant_new, s->grant.n_jobs = GRANT_MAX_JOBS + 1, "grant.jobs");
    REFUSED(grant_new, s->job.kind = SOHOA__JOB_KIND__JOB_NONE, "job.kind");
    REFUSED(grant_new, s->job.kind = (Sohoa__JobKind)9, "job.kind");
    REFUSED(grant_new, s->job.kind = SOHOA__JOB_KIND__JOB_PROBE, "job.source");
    REFUSED(grant_new, s->job.source = long_path, "job.batch or source");
    REFUSED(grant_new, s->job.batch = long_name, "job.batch or source");
    REFUSED(grant_new, s->job.sha256.len = 33 - 2, "job.sha256");
    REFUSED(grant_new, s->job.doc_pages = 0, "job.doc_pages");
    REFUSED(grant_new, s->job.doc_pages = DOC_MAX_PAGES + 1, "job.doc_pages");
    REFUSED(grant_new, s->job.range = NULL, "job.range");
    REFUSED(grant_new, s->range.count = 5, "job.range");
    REFUSED(grant_new, s->range.first = 6, "job.range");
    REFUSED(grant_new, s->range.first = 5; s->range.count = UINT32_MAX, "job.range");
    REFUSED(grant_new, s->job.kind = SOHOA__JOB_KIND__JOB_ASSEMBLE; s->range.count = 5, "job.bundles");
    REFUSED(grant_new, s->failure.page_no = 6, "job.dead");
    REFUSED(grant_new, s->failure.err = NULL, "job.dead");
    REFUSED(grant_new, s->err.code = 1, "job.dead");
    REFUSED(grant_new, s->grant.n_jobs = 1; s->subscriber.row = long_row, "job.subscribers");
    REFUSED(grant_new, s->grant.n_jobs = 1; s->subscriber.batch = long_name, "job.subscribers");
}

static struct sample *refuse_new(void)
{
    struct sample *s = sample_new(SOHOA__FRAME__BODY_REFUSE);
    sohoa__refuse__init(&s->refuse);
    s->refuse.err = &s->err;
    s->frame.refuse = &s->refuse;
    return s;
}

static struct sample *empty_new(void)
{
    return sample_new(SOHOA__FRAME__BODY__NOT_SET);
}

static struct sample *view_new(void)
{
    struct sample *s = sample_new(SOHOA__FRAME__BODY_VIEW);
    s->job.lease |= VIEW_LEASE;
    s->job.kind = SOHOA__JOB_KIND__JOB_VIEW;
    s->job.source = (char *)"out/ab/cd/words";
    s->job.blob = (char *)"view/ab/1";
    s->job.width_px = 240;
    s->range.count = 1;
    s->frame.view = &s->job;
    return s;
}

static struct sample *viewed_new(void)
{
    struct sample *s = sample_new(SOHOA__FRAME__BODY_VIEWED);
    sohoa__result__init(&s->result);
    sohoa__viewed__init(&s->viewed);
    s->viewed.blob = (char *)"view/ab/1";
    s->result.viewed = &s->viewed;
    s->frame.viewed = &s->result;
    return s;
}

static void a_bad_view_is_refused(void **state)
{
    (void)state;
    assert_sound(view_new());
    assert_sound(viewed_new());
    REFUSED(view_new, s->job.kind = SOHOA__JOB_KIND__JOB_PAGES, "view.kind");
    REFUSED(view_new, s->job.lease = 7, "view.kind or lease");
    REFUSED(view_new, s->job.sha256.len = 0, "view.sha256");
    REFUSED(view_new, s->job.doc_pages = 0, "view.sha256 or doc_pages");
    REFUSED(view_new, s->range.count = 2, "view.range");
    REFUSED(view_new, s->range.first = 6, "view.range");
    REFUSED(view_new, s->job.range = NULL, "view.range");
    REFUSED(view_new, s->job.width_px = VIEW_MAX_PX + 1, "view.width_px");
    REFUSED(view_new, s->job.source = (char *)"", "view.width_px or source");
    REFUSED(view_new, s->job.blob = (char *)"src/ab", "view.blob");
    REFUSED(view_new, s->job.blob = long_path, "view.blob");
    REFUSED(viewed_new, s->viewed.blob = (char *)"src/ab", "result.viewed.blob");
    REFUSED(viewed_new, s->result.viewed = NULL, "viewed.viewed or err");
    REFUSED(viewed_new, s->result.err = &s->err, "viewed.viewed or err");
    REFUSED(grant_new, s->job.kind = SOHOA__JOB_KIND__JOB_VIEW, "job.kind");
}

static void frames_without_what_they_are_for_are_refused(void **state)
{
    (void)state;
    assert_sound(refuse_new());
    REFUSED(refuse_new, s->refuse.err = NULL, "refuse.err");
    REFUSED(empty_new, (void)0, "body");
}

static void sizes_are_checked_before_contents(void **state)
{
    (void)state;
    Sohoa__Frame *frame = NULL;
    AUTO(mem_destroy) uint8_t *zeros = calloc(FRAME_MAX_BYTES + 1, 1);
    assert_non_null(zeros);
    assert_int_equal(wire_decode(zeros, FRAME_MAX_BYTES + 1, &frame, &err), E_FRAME);
    assert_non_null(strstr(err.text, "FRAME_MAX_BYTES"));
    assert_int_equal(wire_decode(zeros, FRAME_MAX_BYTES, &frame, &err), E_FRAME);
    assert_int_equal(wire_decode(zeros, 0, &frame, &err), E_FRAME);
    assert_int_equal(wire_decode("\xff\xff\xff", 3, &frame, NULL), E_FRAME);
    assert_null(frame);
}

/* Every cut and many spoilt copies of sound frames: decoded or refused, and nothing else (under the sanitizers). */
static void spoilt_bytes_do_no_harm(void **state)
{
    (void)state;
    struct sample *(*const make[])(void) = {hello_new, results_new, grant_new, refuse_new};
    srand(1);
    for (size_t kind = 0; kind < 4; kind++) {
        AUTO(buf_destroy) struct buf packed = {0};
        AUTO(mem_destroy) struct sample *s = make[kind]();
        s->grant.n_jobs = s->grant.n_jobs ? 1 : 0;
        s->probe.n_signatures = s->probe.n_signatures ? 2 : 0;
        wire_encode(&s->frame, &packed);
        for (size_t i = 0; i < packed.size + 5000; i++) {
            size_t bytes = i < packed.size ? i : packed.size;
            AUTO(mem_destroy) uint8_t *spoilt = malloc(bytes ? bytes : 1);
            AUTO(frame_destroy) Sohoa__Frame *frame = NULL;
            assert_non_null(spoilt);
            memcpy(spoilt, packed.data, bytes);
            for (int n = i < packed.size ? 0 : 1 + rand() % 4; n; n--)
                spoilt[(size_t)rand() % bytes] = (uint8_t)rand();
            int rc = wire_decode(spoilt, bytes, &frame, &err);
            assert_true(rc ? rc == E_FRAME && !frame : !!frame);
        }
    }
}

static void errors_cross_the_wire(void **state)
{
    (void)state;
    struct err here, there = {.code = 1, .text = "old"};
    Sohoa__Err wire;
    err_set(&here, E_SOURCE_ENCRYPTED, "hồ sơ 1.pdf needs a password");
    here.page_no = 12;
    wire_err(&here, &wire);
    err_from_wire(&wire, &there);
    assert_int_equal(there.code, E_SOURCE_ENCRYPTED);
    assert_int_equal(there.page_no, 12);
    assert_string_equal(there.text, here.text);
    err_from_wire(NULL, &there);
    assert_int_equal(there.code, 0);
    assert_string_equal(there.text, "");
    /* Whatever a peer says stays one line within the limit. */
    wire.text = long_row;
    long_row[3] = '\n';
    err_from_wire(&wire, &there);
    assert_int_equal(strlen(there.text), ERR_TEXT_BYTES - 1);
    assert_int_equal(there.text[3], ' ');
    long_row[3] = 'r';
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_frames_come_through),
        cmocka_unit_test(fields_come_through_as_they_were),
        cmocka_unit_test(a_bad_hello_is_refused),
        cmocka_unit_test(a_bad_result_is_refused),
        cmocka_unit_test(a_bad_grant_is_refused),
        cmocka_unit_test(a_bad_view_is_refused),
        cmocka_unit_test(frames_without_what_they_are_for_are_refused),
        cmocka_unit_test(sizes_are_checked_before_contents),
        cmocka_unit_test(spoilt_bytes_do_no_harm),
        cmocka_unit_test(errors_cross_the_wire),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
