/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The ledger on a real folder store: what was committed comes back once and in order, and damage is found and named. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "storage/crc32c.h"
#include "storage/ledger.h"
#include "tests/lib/folder.h"

enum { HEARD_MAX = 20000, HEADER = 8 };

static char folder[FOLDER_BYTES];
static struct store *store;
static struct ledger *ledger;
static struct err err;

/* What a replay told. */
static struct {
    uint64_t number;
    uint32_t doc;
    size_t where_bytes;
} heard[HEARD_MAX];
static size_t heard_count;

static int hear(const Sohoa__LedgerEntry *entry, void *user, struct err *why)
{
    (void)user;
    (void)why;
    assert_true(heard_count < HEARD_MAX);
    heard[heard_count].number = entry->number;
    heard[heard_count].doc = entry->body_case == SOHOA__LEDGER_ENTRY__BODY_OUTCOME ? entry->outcome->doc : 0;
    heard[heard_count].where_bytes =
        entry->body_case == SOHOA__LEDGER_ENTRY__BODY_RERUN ? strlen(entry->rerun->where) : 0;
    assert_true(entry->time_ms > 1600000000000 && entry->epoch);
    heard_count++;
    return 0;
}

static int start(void **state)
{
    (void)state;
    folder_make("ledger", folder);
    folder_store(folder, &store);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    ledger_destroy(&ledger);
    store_destroy(&store);
    return folder_remove(folder);
}

static int reopen(void)
{
    ledger_destroy(&ledger);
    heard_count = 0;
    return ledger_open(store, NULL, hear, NULL, &ledger, &err);
}

static int reread(void)
{
    heard_count = 0;
    return ledger_read(store, hear, NULL, &err);
}

static void add(uint32_t doc)
{
    Sohoa__DocOutcome outcome = SOHOA__DOC_OUTCOME__INIT;
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    outcome.batch = (char *)"b1";
    outcome.doc = doc;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_OUTCOME;
    entry.outcome = &outcome;
    ledger_add(ledger, &entry);
}

/* An entry of about bytes. */
static void add_long(size_t bytes)
{
    AUTO(mem_destroy) char *where = malloc(bytes + 1);
    Sohoa__Rerun rerun = SOHOA__RERUN__INIT;
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    assert_non_null(where);
    memset(where, 'w', bytes);
    where[bytes] = '\0';
    rerun.batch = (char *)"b1";
    rerun.where = where;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_RERUN;
    entry.rerun = &rerun;
    ledger_add(ledger, &entry);
}

static void add_committed(uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        add(first + i);
    ok(ledger_commit(ledger, &err));
}

/* Entries 1 to count were told, each once, of documents 100 + number. */
static void assert_heard(size_t count)
{
    assert_int_equal(heard_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(heard[i].number, i + 1);
        assert_int_equal(heard[i].doc, 101 + i);
    }
}

/* ---- the files beneath ---- */

static const char *segment_path(unsigned segment)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/ledger/%08u", folder, segment);
    return path;
}

static struct buf segment_get(unsigned segment)
{
    struct buf data = {0};
    char name[32];
    snprintf(name, sizeof name, "ledger/%08u", segment);
    ok(store_get(store, name, SIZE_MAX, &data, &err));
    return data;
}

static void segment_put(unsigned segment, const void *data, size_t bytes)
{
    FILE *file = fopen(segment_path(segment), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

static bool segment_there(unsigned segment)
{
    return access(segment_path(segment), F_OK) == 0;
}

/* Where the record that holds byte begins. */
static size_t record_of(const struct buf *data, size_t byte)
{
    size_t at = 0;
    for (;;) {
        uint32_t bytes = (uint32_t)(data->data[at] | data->data[at + 1] << 8 | data->data[at + 2] << 16);
        if (byte < at + HEADER + bytes)
            return at;
        at += HEADER + bytes;
    }
}

/* Where the record behind nth others begins. */
static size_t record_nth(const struct buf *data, unsigned nth)
{
    size_t at = 0;
    while (nth--)
        for (size_t begun = at; at < data->size && record_of(data, at) == begun;)
            at++;
    return at;
}

static void assert_told(const char *text)
{
    if (!strstr(err.text, text))
        print_error("'%s' is not in '%s'\n", text, err.text);
    assert_non_null(strstr(err.text, text));
}

/* ---- tests ---- */

static void entries_come_back_once_and_in_order(void **state)
{
    (void)state;
    ok(reopen());
    assert_int_equal(heard_count, 0);
    assert_int_equal(ledger_next(ledger), 1);
    add_committed(101, 3);
    add_committed(104, 4);
    ok(ledger_commit(ledger, &err));
    ok(reopen());
    assert_heard(7);
    assert_int_equal(ledger_next(ledger), 8);
    ok(reopen());
    add_committed(108, 2);
    ok(reread());
    assert_heard(9);
}

static void what_was_not_committed_is_not_there(void **state)
{
    (void)state;
    ok(reopen());
    add_committed(101, 1);
    add(999);
    ok(reopen());
    assert_heard(1);
    assert_int_equal(ledger_next(ledger), 2);
}

static void a_full_segment_is_followed_by_another(void **state)
{
    (void)state;
    enum { LONG = 1500000, ENTRIES = 25 };
    ok(reopen());
    for (int i = 0; i < ENTRIES; i++)
        add_long(LONG);
    ok(ledger_commit(ledger, &err));
    assert_true(segment_there(3));
    struct stat st;
    assert_int_equal(stat(segment_path(1), &st), 0);
    assert_in_range(st.st_size, LEDGER_SEGMENT_BYTES - LEDGER_APPEND_BYTES, LEDGER_SEGMENT_BYTES);
    ok(reopen());
    assert_int_equal(heard_count, ENTRIES);
    for (int i = 0; i < ENTRIES; i++)
        assert_int_equal(heard[i].where_bytes, LONG);
}

static void a_torn_end_is_passed_over_and_stays_so(void **state)
{
    (void)state;
    ok(reopen());
    add_committed(101, 4);
    ledger_destroy(&ledger);
    struct buf whole = segment_get(1);
    for (size_t bytes = 0; bytes < whole.size; bytes++) {
        unsigned kept = 0;
        while (record_nth(&whole, kept) < record_of(&whole, bytes))
            kept++;
        segment_put(1, whole.data, bytes);
        ok(reopen());
        assert_heard(kept);
        add_committed(101 + kept, 3);
        ok(reread());
        assert_heard(kept + 3);
        assert_int_equal(remove(segment_path(2)), 0);
    }
    buf_destroy(&whole);
}

static void a_tail_of_zeros_is_torn(void **state)
{
    (void)state;
    ok(reopen());
    add_committed(101, 4);
    AUTO(buf_destroy) struct buf data = segment_get(1);
    size_t bytes = data.size;
    memset(buf_reserve(&data, 5000), 0, 5000);
    segment_put(1, data.data, bytes + 5000);
    ok(reread());
    assert_heard(4);
}

static void a_lost_tail_in_the_middle_is_a_gap(void **state)
{
    (void)state;
    ok(reopen());
    add_committed(101, 4);
    ok(reopen());
    add_committed(105, 1);
    AUTO(buf_destroy) struct buf data = segment_get(1);
    segment_put(1, data.data, data.size - 1);
    assert_int_equal(reread(), E_CORRUPT);
    assert_told("ledger/00000002 at byte 0: entry 5 where 4 should follow");
    assert_int_equal(reopen(), E_CORRUPT);
    assert_null(ledger);
}

static void every_flipped_bit_is_found_and_named(void **state)
{
    (void)state;
    ok(reopen());
    add_committed(101, 5);
    AUTO(buf_destroy) struct buf data = segment_get(1);
    for (size_t bit = 0; bit < data.size * 8; bit++) {
        char place[64];
        snprintf(place, sizeof place, "ledger/00000001 at byte %zu:", record_of(&data, bit / 8));
        data.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        segment_put(1, data.data, data.size);
        data.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (reread() != E_CORRUPT)
            fail_msg("bit %zu was not found", bit);
        assert_told(place);
    }
}

static void an_entry_that_comes_again_is_taken_once(void **state)
{
    (void)state;
    ok(reopen());
    add_committed(101, 4);
    AUTO(buf_destroy) struct buf first = segment_get(1), both = {0};
    buf_append(&both, first.data, first.size);
    buf_append(&both, first.data, first.size);
    segment_put(1, both.data, both.size);
    ok(reopen());
    assert_heard(4);
    size_t second = record_nth(&first, 1);
    segment_put(2, first.data + second, first.size - second);
    ok(reopen());
    assert_heard(4);
    add_committed(105, 1);
    ok(reread());
    assert_heard(5);
}

static void another_entry_of_the_same_number_is_corrupt(void **state)
{
    (void)state;
    ok(reopen());
    add_committed(101, 4);
    AUTO(buf_destroy) struct buf first = segment_get(1);
    ledger_destroy(&ledger);
    assert_int_equal(remove(segment_path(1)), 0);
    ok(reopen());
    add_committed(111, 2);
    AUTO(buf_destroy) struct buf other = segment_get(1);
    segment_put(1, first.data, first.size);
    segment_put(2, other.data, other.size);
    assert_int_equal(reread(), E_CORRUPT);
    assert_told("ledger/00000002 at byte 0: entry 1 comes again and is another");
}

static void a_missing_segment_is_corrupt(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        ok(reopen());
        add_committed(101 + i, 1);
    }
    assert_int_equal(remove(segment_path(2)), 0);
    assert_int_equal(reopen(), E_CORRUPT);
    assert_told("ledger/00000002 is missing");
    assert_int_equal(reread(), E_CORRUPT);
}

/* So many that their chain is looked at beside. One in the middle says that it follows another; its CRC is right. */
static void the_chain_of_many_entries_is_looked_at(void **state)
{
    enum { MANY = 3000, ALTERED = 1500 };
    (void)state;
    ok(reopen());
    add_committed(101, MANY);
    ok(reopen());
    assert_heard(MANY);
    AUTO(buf_destroy) struct buf data = segment_get(1);
    size_t at = record_nth(&data, ALTERED - 1), end = record_nth(&data, ALTERED);
    Sohoa__LedgerEntry *entry = sohoa__ledger_entry__unpack(NULL, end - at - HEADER, data.data + at + HEADER);
    assert_non_null(entry);
    assert_int_equal(entry->number, ALTERED);
    entry->before.data[7] ^= 1;
    sohoa__ledger_entry__pack(entry, data.data + at + HEADER);
    sohoa__ledger_entry__free_unpacked(entry, NULL);
    uint32_t crc = htole32(crc32c(data.data + at + HEADER, end - at - HEADER));
    memcpy(data.data + at + 4, &crc, sizeof crc);
    segment_put(1, data.data, data.size);
    assert_int_equal(reopen(), E_CORRUPT);
    assert_told("entry 1500 follows another entry than the one before it");
    assert_int_equal(reread(), E_CORRUPT);
}

static int refuse_the_third(const Sohoa__LedgerEntry *entry, void *user, struct err *why)
{
    ++*(int *)user;
    return entry->number == 3 ? err_set(why, E_CORRUPT, "no batch b1") : 0;
}

static void an_error_of_the_reader_ends_the_replay(void **state)
{
    (void)state;
    int calls = 0;
    ok(reopen());
    add_committed(101, 5);
    ledger_destroy(&ledger);
    assert_int_equal(ledger_open(store, NULL, refuse_the_third, &calls, &ledger, &err), E_CORRUPT);
    assert_int_equal(calls, 3);
    assert_string_equal(err.text, "no batch b1");
    assert_false(segment_there(2));
}

/* ---- failures ---- */

/* No file may grow above bytes; 0: no limit. A write over it fails after what fits. */
static void files_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void add_too_much(void)
{
    for (uint32_t i = 0; i < 200; i++)
        add(103 + i);
    files_limit(4096);
    assert_int_equal(ledger_commit(ledger, &err), E_STORE);
    assert_int_equal(ledger_commit(ledger, &err), E_STORE);
    files_limit(0);
}

static void a_failed_append_is_repeated_in_a_new_segment(void **state)
{
    (void)state;
    ok(reopen());
    add_committed(101, 2);
    add_too_much();
    assert_int_equal(ledger_next(ledger), 203);
    add(303);
    ok(ledger_commit(ledger, &err));
    ok(reread());
    assert_heard(203);
    add_committed(304, 1);
    ok(reread());
    assert_heard(204);
}

/* The append that failed arrives after all: whole, or a part of it. */
static void an_append_that_arrives_late_counts_nothing_twice(void **state)
{
    (void)state;
    ok(reopen());
    add_committed(101, 2);
    add_too_much();
    add(303);
    ok(ledger_commit(ledger, &err));
    AUTO(buf_destroy) struct buf first = segment_get(1), late = {0};
    unsigned last = 2;
    while (segment_there(last + 1))
        last++;
    AUTO(buf_destroy) struct buf again = segment_get(last);
    assert_true(again.size > 4096);
    for (size_t part = 1; part < again.size; part += 61) {
        buf_clear(&late);
        buf_append(&late, first.data, first.size);
        buf_append(&late, again.data, part);
        segment_put(1, late.data, late.size);
        ok(reread());
        assert_heard(203);
    }
}

static void a_segment_whose_creation_seemed_to_fail_is_used(void **state)
{
    (void)state;
    ok(reopen());
    add_committed(101, 2);
    add_too_much();
    unsigned next = 2;
    while (segment_there(next))
        next++;
    segment_put(next, "", 0);
    ok(ledger_commit(ledger, &err));
    assert_false(segment_there(next + 1));
    ok(reread());
    assert_heard(202);
}

static void a_segment_that_somebody_wrote_is_not_used(void **state)
{
    (void)state;
    ok(reopen());
    add_committed(101, 2);
    add_too_much();
    unsigned next = 2;
    while (segment_there(next))
        next++;
    segment_put(next, "x", 1);
    assert_int_equal(ledger_commit(ledger, &err), E_CORRUPT);
    assert_told("written by somebody else");
}

static int hear_and_write(const Sohoa__LedgerEntry *entry, void *user, struct err *why)
{
    const struct buf *late = user;
    if (entry->number == 2)
        ok(store_guard_create(store, "ledger/00000002", late->data, late->size, &err));
    return hear(entry, NULL, why);
}

/* The holder before us creates the next segment while we read. */
static void a_segment_that_appears_while_reading_is_read(void **state)
{
    (void)state;
    ok(reopen());
    add_committed(101, 4);
    ledger_destroy(&ledger);
    AUTO(buf_destroy) struct buf all = segment_get(1), late = {0};
    size_t half = record_nth(&all, 2);
    buf_append(&late, all.data + half, all.size - half);
    segment_put(1, all.data, half);
    heard_count = 0;
    ok(ledger_open(store, NULL, hear_and_write, &late, &ledger, &err));
    assert_heard(4);
    assert_true(segment_there(3));
    add_committed(105, 1);
    ok(reread());
    assert_heard(5);
}

static void without_the_lock_nothing_is_written(void **state)
{
    (void)state;
    ok(reopen());
    add_committed(101, 2);
    char lock[80];
    snprintf(lock, sizeof lock, "%s/lock", folder);
    assert_int_equal(remove(lock), 0);
    add(103);
    assert_int_equal(ledger_commit(ledger, &err), E_FENCED);
    assert_int_equal(ledger_commit(ledger, &err), E_FENCED);
    assert_int_equal(reopen(), E_FENCED);
    assert_false(segment_there(2));
    ok(reread());
    assert_heard(2);
}

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_come_back_once_and_in_order, start, stop),
        cmocka_unit_test_setup_teardown(what_was_not_committed_is_not_there, start, stop),
        cmocka_unit_test_setup_teardown(a_full_segment_is_followed_by_another, start, stop),
        cmocka_unit_test_setup_teardown(a_torn_end_is_passed_over_and_stays_so, start, stop),
        cmocka_unit_test_setup_teardown(a_tail_of_zeros_is_torn, start, stop),
        cmocka_unit_test_setup_teardown(a_lost_tail_in_the_middle_is_a_gap, start, stop),
        cmocka_unit_test_setup_teardown(every_flipped_bit_is_found_and_named, start, stop),
        cmocka_unit_test_setup_teardown(an_entry_that_comes_again_is_taken_once, start, stop),
        cmocka_unit_test_setup_teardown(another_entry_of_the_same_number_is_corrupt, start, stop),
        cmocka_unit_test_setup_teardown(a_missing_segment_is_corrupt, start, stop),
        cmocka_unit_test_setup_teardown(the_chain_of_many_entries_is_looked_at, start, stop),
        cmocka_unit_test_setup_teardown(an_error_of_the_reader_ends_the_replay, start, stop),
        cmocka_unit_test_setup_teardown(a_failed_append_is_repeated_in_a_new_segment, start, stop),
        cmocka_unit_test_setup_teardown(an_append_that_arrives_late_counts_nothing_twice, start, stop),
        cmocka_unit_test_setup_teardown(a_segment_whose_creation_seemed_to_fail_is_used, start, stop),
        cmocka_unit_test_setup_teardown(a_segment_that_somebody_wrote_is_not_used, start, stop),
        cmocka_unit_test_setup_teardown(a_segment_that_appears_while_reading_is_read, start, stop),
        cmocka_unit_test_setup_teardown(without_the_lock_nothing_is_written, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
