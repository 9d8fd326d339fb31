/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/quarantine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct backlog *backlog;
static struct quarantines *quarantines;

static int start(void **state)
{
    (void)state;
    backlog = backlog_new();
    batch_add(backlog, "a", 5, NONE);
    batch_add(backlog, "b", 5, NONE);
    quarantines = quarantines_new();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    quarantines_destroy(&quarantines);
    backlog_destroy(&backlog);
    return 0;
}

static void raises(const char *batch, uint32_t doc, const char *actor, Sohoa__Suspicion **suspicions, size_t count)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Quarantined said = SOHOA__QUARANTINED__INIT;
    said.batch = (char *)(uintptr_t)batch;
    said.doc = doc;
    said.suspicions = suspicions;
    said.n_suspicions = count;
    entry.actor = (char *)(uintptr_t)actor;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_QUARANTINED;
    entry.quarantined = &said;
    quarantines_add(quarantines, backlog, &entry, 7);
}

static void raises_for(const char *batch, uint32_t doc, Sohoa__StampKind kind)
{
    Sohoa__Suspicion suspicion = SOHOA__SUSPICION__INIT, *suspicions[] = {&suspicion};
    Sohoa__Stamp stamp = SOHOA__STAMP__INIT;
    stamp.kind = kind;
    suspicion.page_no = 3;
    suspicion.stamp = &stamp;
    raises(batch, doc, "", suspicions, 1);
}

static void released(const char *batch, uint32_t doc)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Released said = SOHOA__RELEASED__INIT;
    said.batch = (char *)(uintptr_t)batch;
    said.doc = doc;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_RELEASED;
    entry.released = &said;
    quarantines_add(quarantines, backlog, &entry, 8);
}

static void purged(const char *batch, uint32_t doc, uint8_t first)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Purged said = SOHOA__PURGED__INIT;
    uint8_t sha256[SHA256_BYTES] = {first};
    said.batch = (char *)(uintptr_t)batch;
    said.doc = doc;
    said.sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha256};
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_PURGED;
    entry.purged = &said;
    quarantines_add(quarantines, backlog, &entry, 9);
}

static void what_was_raised_is_told(void **state)
{
    (void)state;
    assert_null(quarantines_of(quarantines, (struct doc_ref){0, 1}));
    raises_for("a", 1, SOHOA__STAMP_KIND__STAMP_TOI_MAT);
    raises("b", 2, "lan", NULL, 0);
    const struct raised *raised = quarantines_of(quarantines, (struct doc_ref){0, 1});
    assert_int_equal(raised->suspicions, 1);
    assert_int_equal(raised->suspicion[0].page_no, 3);
    assert_string_equal(stamp_word(raised->suspicion[0].kind), "toi_mat");
    assert_string_equal(raised->actor, "");
    assert_int_equal(raised->time_ms, 7);
    assert_false(raised_alone(raised));
    raised = quarantines_of(quarantines, (struct doc_ref){1, 2});
    assert_string_equal(raised->actor, "lan");
    assert_false(raised_alone(raised)); /* a person stops files */
    assert_ptr_equal(quarantines_nth(quarantines, 1), raised);
    assert_null(quarantines_nth(quarantines, 2));
}

static void what_was_not_seen_stops_alone(void **state)
{
    (void)state;
    raises_for("a", 0, SOHOA__STAMP_KIND__STAMP_UNSEEN);
    assert_true(raised_alone(quarantines_of(quarantines, (struct doc_ref){0, 0})));
    assert_string_equal(stamp_word(SOHOA__STAMP_KIND__STAMP_UNSEEN), "unseen");
    assert_string_equal(stamp_word(200), "unread");
}

static void a_release_counts_until_it_is_raised_again(void **state)
{
    (void)state;
    struct doc_ref ref = {0, 1}, other = {0, 2};
    raises_for("a", 1, SOHOA__STAMP_KIND__STAMP_MAT);
    uint64_t first = quarantines_of(quarantines, ref)->order;
    assert_false(quarantines_released(quarantines, ref, first));
    released("a", 2); /* stopped with its file */
    assert_true(quarantines_released(quarantines, other, first));
    assert_false(quarantines_of(quarantines, ref)->released);
    released("a", 1);
    assert_true(quarantines_of(quarantines, ref)->released);
    raises_for("a", 1, SOHOA__STAMP_KIND__STAMP_MAT);
    assert_false(quarantines_of(quarantines, ref)->released);
    assert_false(quarantines_released(quarantines, other, quarantines_of(quarantines, ref)->order));
}

static void a_purge_is_of_the_source(void **state)
{
    (void)state;
    const uint8_t gone[SHA256_BYTES] = {9}, other[SHA256_BYTES] = {8};
    raises_for("a", 1, SOHOA__STAMP_KIND__STAMP_MAT);
    purged("a", 1, 9);
    assert_true(quarantines_purged(quarantines, (struct doc_ref){0, 1}, NULL));
    assert_true(quarantines_purged(quarantines, (struct doc_ref){1, 4}, gone));
    assert_false(quarantines_purged(quarantines, (struct doc_ref){1, 4}, other));
    assert_false(quarantines_of(quarantines, (struct doc_ref){0, 1})->released); /* its file stays stopped */
    assert_memory_equal(quarantines_purged_source(quarantines, 0), gone, sizeof gone);
    assert_null(quarantines_purged_source(quarantines, 1));
}

static void what_makes_no_sense_is_passed_over(void **state)
{
    (void)state;
    raises_for("nowhere", 1, SOHOA__STAMP_KIND__STAMP_MAT);
    raises_for("a", 5, SOHOA__STAMP_KIND__STAMP_MAT);
    assert_null(quarantines_nth(quarantines, 0));
    raises_for("a", 0, (Sohoa__StampKind)77);
    assert_string_equal(stamp_word(quarantines_nth(quarantines, 0)->suspicion[0].kind), "unread");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_raised_is_told, start, stop),
        cmocka_unit_test_setup_teardown(what_was_not_seen_stops_alone, start, stop),
        cmocka_unit_test_setup_teardown(a_release_counts_until_it_is_raised_again, start, stop),
        cmocka_unit_test_setup_teardown(a_purge_is_of_the_source, start, stop),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_passed_over, start, stop),
    };
    return cmocka_run_group_tests_name("quarantine", tests, NULL, NULL);
}
