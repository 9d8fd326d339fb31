/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The layout and the index on a real folder store. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "storage/layout.h"
#include "tests/lib/folder.h"

enum { STORE_KEY_CHARS = 65, HEARD_MAX = 200000 };

static char folder[FOLDER_BYTES];
static struct store *store;
static struct err err;

static struct layout_entry heard[HEARD_MAX];
static size_t heard_count;

static void hear(const struct layout_entry *entry, void *user)
{
    (void)user;
    assert_true(heard_count < HEARD_MAX);
    heard[heard_count++] = *entry;
}

static int start(void **state)
{
    (void)state;
    folder_make("layout", folder);
    folder_store(folder, &store);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    store_destroy(&store);
    return folder_remove(folder);
}

static struct layout_entry entry(uint32_t doc)
{
    struct layout_entry e = {.doc = doc,
                             .pages = doc % 17,
                             .first_ordinal = UINT64_C(5000000000) + doc,
                             .range_pages = 8,
                             .generation = doc % 3,
                             .cost = doc % 7};
    memset(e.sha256, (int)(doc % 251), sizeof e.sha256);
    return e;
}

static void append(uint32_t first, uint32_t count)
{
    AUTO(mem_destroy) struct layout_entry *entries = calloc(count, sizeof *entries);
    assert_non_null(entries);
    for (uint32_t i = 0; i < count; i++)
        entries[i] = entry(first + i);
    ok(layout_append(store, "b1", 0, entries, count, &err));
}

static int read_again(void)
{
    heard_count = 0;
    return layout_read(store, "b1", 0, hear, NULL, &err);
}

static void assert_heard(size_t at, uint32_t doc)
{
    const struct layout_entry want = entry(doc);
    assert_true(at < heard_count);
    assert_memory_equal(&heard[at], &want, sizeof want);
}

static const char *layout_path(void)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/batch/b1/layout/0", folder);
    return path;
}

static struct buf layout_get(void)
{
    struct buf data = {0};
    ok(store_get(store, "batch/b1/layout/0", SIZE_MAX, &data, &err));
    return data;
}

static void layout_put(const void *data, size_t bytes)
{
    FILE *file = fopen(layout_path(), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

static void entries_come_back_in_order(void **state)
{
    (void)state;
    ok(read_again());
    assert_int_equal(heard_count, 0);
    append(7, 3);
    append(2, 1);
    append(7, 1);
    ok(read_again());
    assert_int_equal(heard_count, 5);
    const uint32_t want[] = {7, 8, 9, 2, 7};
    for (size_t i = 0; i < 5; i++)
        assert_heard(i, want[i]);
    ok(layout_append(store, "b1", 0, NULL, 0, &err));
    ok(read_again());
    assert_int_equal(heard_count, 5);
}

/* The layout's bytes are kept for years: this is what they are. */
static void an_entry_is_laid_out_as_drawn(void **state)
{
    (void)state;
    const struct layout_entry e = {
        .doc = 0x01020304,
        .pages = 0x11121314,
        .first_ordinal = UINT64_C(0x2122232425262728),
        .range_pages = 0x31323334,
        .generation = 0x41424344,
        .cost = 0x51,
        .sha256 = {0xaa, 0xbb}
    };
    const uint8_t want[LAYOUT_ENTRY_BYTES] = {0x04, 0x03, 0x02, 0x01, 0x14, 0x13, 0x12,     0x11, 0x28, 0x27,
                                              0x26, 0x25, 0x24, 0x23, 0x22, 0x21, 0x34,     0x33, 0x32, 0x31,
                                              0x44, 0x43, 0x42, 0x41, 0xaa, 0xbb, [56] = 1, 0x51};
    ok(layout_append(store, "b1", 0, &e, 1, &err));
    AUTO(buf_destroy) struct buf data = layout_get();
    assert_int_equal(data.size, LAYOUT_ENTRY_BYTES);
    assert_memory_equal(data.data, want, 60);
}

static void many_entries_are_read_in_steps(void **state)
{
    (void)state;
    enum { ENTRIES = 140000 };
    append(0, ENTRIES);
    ok(read_again());
    assert_int_equal(heard_count, ENTRIES);
    for (uint32_t i = 0; i < ENTRIES; i += 997)
        assert_heard(i, i);
    assert_heard(ENTRIES - 1, ENTRIES - 1);
}

static void a_torn_entry_is_ignored_and_mended(void **state)
{
    (void)state;
    append(1, 3);
    AUTO(buf_destroy) struct buf whole = layout_get();
    for (size_t bytes = 2 * LAYOUT_ENTRY_BYTES + 1; bytes < 3 * LAYOUT_ENTRY_BYTES; bytes++) {
        layout_put(whole.data, bytes);
        ok(read_again());
        assert_int_equal(heard_count, 2);
        append(11, 2);
        append(13, 1);
        ok(read_again());
        assert_int_equal(heard_count, 5);
        assert_heard(1, 2);
        assert_heard(2, 11);
        assert_heard(4, 13);
    }
}

static void a_torn_mending_is_mended(void **state)
{
    (void)state;
    append(1, 2);
    AUTO(buf_destroy) struct buf whole = layout_get();
    layout_put(whole.data, whole.size - 10);
    append(11, 1);
    AUTO(buf_destroy) struct buf mended = layout_get();
    assert_int_equal(mended.size, 4 * LAYOUT_ENTRY_BYTES);
    for (size_t bytes = whole.size - 10; bytes < mended.size; bytes++) {
        if (bytes == whole.size)
            continue; /* a damaged entry at the very end is no torn one */
        layout_put(mended.data, bytes);
        ok(read_again());
        assert_int_equal(heard_count, 1);
        append(21, 2);
        ok(read_again());
        assert_int_equal(heard_count, 3);
        assert_heard(0, 1);
        assert_heard(2, 22);
    }
}

static void every_flipped_bit_is_found_and_named(void **state)
{
    (void)state;
    append(1, 4);
    AUTO(buf_destroy) struct buf data = layout_get();
    for (size_t bit = 0; bit < data.size * 8; bit++) {
        char place[64];
        snprintf(place, sizeof place,
                 "batch/b1/layout/0 at byte %zu:", bit / 8 / LAYOUT_ENTRY_BYTES * LAYOUT_ENTRY_BYTES);
        data.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        layout_put(data.data, data.size);
        data.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (read_again() != E_CORRUPT)
            fail_msg("bit %zu was not found", bit);
        assert_non_null(strstr(err.text, place));
    }
}

static void a_mending_pardons_only_what_is_directly_before_it(void **state)
{
    (void)state;
    append(1, 3);
    AUTO(buf_destroy) struct buf torn = layout_get();
    torn.data[5] ^= 1;
    layout_put(torn.data, torn.size - 10);
    append(11, 1);
    assert_int_equal(read_again(), E_CORRUPT);
    assert_non_null(strstr(err.text, "batch/b1/layout/0 at byte 0:"));
}

/* ---- the index ---- */

static struct {
    uint32_t doc, pages;
} outcome_heard[HEARD_MAX];

static void hear_outcome(const Sohoa__DocOutcome *outcome, void *user)
{
    (void)user;
    assert_true(heard_count < HEARD_MAX);
    outcome_heard[heard_count].doc = outcome->doc;
    outcome_heard[heard_count++].pages = outcome->pages;
    assert_string_equal(outcome->batch, "b1");
}

static int index_again(uint32_t docs)
{
    int rc = 0;
    heard_count = 0;
    for (uint32_t first = 0; first < docs && !rc; first += LAYOUT_SHARD_DOCS)
        rc = index_read(store, "b1", first / LAYOUT_SHARD_DOCS, hear_outcome, NULL, &err);
    return rc;
}

static Sohoa__DocOutcome outcome(uint32_t doc, uint32_t pages)
{
    Sohoa__DocOutcome o = SOHOA__DOC_OUTCOME__INIT;
    o.batch = (char *)"b1";
    o.doc = doc;
    o.pages = pages;
    o.state = SOHOA__DOC_STATE__DOC_STORED;
    return o;
}

static char key_heard[STORE_KEY_CHARS];

static void hear_key(const struct store_pair *pair, void *user)
{
    (void)user;
    snprintf(key_heard, sizeof key_heard, "%s", pair->key);
}

static void put_outcomes(const Sohoa__DocOutcome *of, size_t count)
{
    AUTO(mem_destroy) struct index_entry *entry = calloc(count + 1, sizeof *entry);
    AUTO(buf_destroy) struct buf packed = {0};
    for (size_t i = 0; i < count; i++) {
        entry[i] = (struct index_entry){of[i].doc, (uint32_t)sohoa__doc_outcome__get_packed_size(&of[i]), NULL,
                                        of[i].state == SOHOA__DOC_STATE__DOC_QUARANTINED};
        sohoa__doc_outcome__pack(&of[i], buf_reserve(&packed, entry[i].bytes));
        packed.size += entry[i].bytes;
    }
    for (size_t i = 0, at = 0; i < count; at += entry[i++].bytes)
        entry[i].outcome = packed.data + at;
    ok(index_put(store, "b1", entry, count, &err));
}

static void outcomes_of_several_shards_come_in_order(void **state)
{
    (void)state;
    Sohoa__DocOutcome of[] = {outcome(250000, 1), outcome(99999, 2), outcome(100000, 3), outcome(0, 4),
                              outcome(99999, 5),  outcome(7, 6),     outcome(99999, 7)};
    ok(index_again(300000));
    assert_int_equal(heard_count, 0);
    put_outcomes(of, 7);
    put_outcomes(of, 0);
    ok(index_again(300000));
    const uint32_t want[][2] = {
        {0,      4},
        {7,      6},
        {99999,  7},
        {100000, 3},
        {250000, 1}
    };
    assert_int_equal(heard_count, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(outcome_heard[i].doc, want[i][0]);
        assert_int_equal(outcome_heard[i].pages, want[i][1]);
    }
    of[0].pages = 70;
    put_outcomes(of, 1);
    ok(index_again(300000));
    assert_int_equal(outcome_heard[4].pages, 70);
    bool more;
    ok(store_map_read(store, "batch/b1/index/2", "", 10, hear_key, NULL, &more, &err));
    assert_string_equal(key_heard, "00250000");
    assert_false(more);
}

static void many_outcomes_are_put_and_read_in_steps(void **state)
{
    (void)state;
    enum { OUTCOMES = 5000 };
    static Sohoa__DocOutcome of[OUTCOMES];
    for (uint32_t i = 0; i < OUTCOMES; i++)
        of[i] = outcome(i * 7919 % OUTCOMES + 98000, i);
    put_outcomes(of, OUTCOMES);
    ok(index_again(200000));
    assert_int_equal(heard_count, OUTCOMES);
    for (uint32_t i = 0; i < OUTCOMES; i++) {
        assert_int_equal(outcome_heard[i].doc, 98000 + i);
        assert_int_equal(outcome_heard[i].pages * 7919 % OUTCOMES, i);
    }
}

static void what_is_not_an_outcome_is_named(void **state)
{
    (void)state;
    const struct store_pair junk = {.key = "00000003", .value = "\xff\xff", .bytes = 2};
    ok(store_guard_map_set(store, "batch/b1/index/0", &junk, 1, &err));
    assert_int_equal(index_again(10), E_CORRUPT);
    assert_non_null(strstr(err.text, "batch/b1/index/0: what key 00000003 holds"));
    uint8_t packed[64];
    Sohoa__DocOutcome four = outcome(4, 1);
    const struct store_pair other = {
        .key = "00000003", .value = packed, .bytes = sohoa__doc_outcome__pack(&four, packed)};
    ok(store_guard_map_set(store, "batch/b1/index/0", &other, 1, &err));
    assert_int_equal(index_again(10), E_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_come_back_in_order, start, stop),
        cmocka_unit_test_setup_teardown(an_entry_is_laid_out_as_drawn, start, stop),
        cmocka_unit_test_setup_teardown(many_entries_are_read_in_steps, start, stop),
        cmocka_unit_test_setup_teardown(a_torn_entry_is_ignored_and_mended, start, stop),
        cmocka_unit_test_setup_teardown(a_torn_mending_is_mended, start, stop),
        cmocka_unit_test_setup_teardown(every_flipped_bit_is_found_and_named, start, stop),
        cmocka_unit_test_setup_teardown(a_mending_pardons_only_what_is_directly_before_it, start, stop),
        cmocka_unit_test_setup_teardown(outcomes_of_several_shards_come_in_order, start, stop),
        cmocka_unit_test_setup_teardown(many_outcomes_are_put_and_read_in_steps, start, stop),
        cmocka_unit_test_setup_teardown(what_is_not_an_outcome_is_named, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
