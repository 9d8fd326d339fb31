/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Entries of a ledger of some segments in a folder are looked up, by what they say and from either end. */
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
#include "storage/ledger_proof.h"
#include "storage/ledger_record.h"
#include "storage/ledger_search.h"
#include "storage/merkle.h"
#include "tests/lib/folder.h"

enum { SEGMENTS = 7, A_SEGMENT = 10, ENTRIES = SEGMENTS * A_SEGMENT, ORDER_EVERY = 5 };

static char folder[FOLDER_BYTES];
static struct store *store;
static struct ledger *ledger;
static struct err err;
static atomic_bool stop_now;

static void reopen(void)
{
    ledger_destroy(&ledger);
    ok(ledger_open(store, NULL, entry_ignore, NULL, &ledger, &err));
}

/* Entry ORDER_EVERY, twice that and so on is an order by lan for batch b2, the others are outcomes of documents of b1, or of b10 in the
 * second half, whose number is the entry's. */
static void entry_add(uint32_t number)
{
    Sohoa__DocOutcome outcome = SOHOA__DOC_OUTCOME__INIT;
    Sohoa__Standing standing = SOHOA__STANDING__INIT;
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    outcome.batch = (char *)(number > ENTRIES / 2 ? "b10" : "b1");
    outcome.doc = number;
    standing.batch = (char *)"b2";
    if (number % ORDER_EVERY) {
        entry.body_case = SOHOA__LEDGER_ENTRY__BODY_OUTCOME;
        entry.outcome = &outcome;
    } else {
        entry.actor = (char *)"lan";
        entry.body_case = SOHOA__LEDGER_ENTRY__BODY_STANDING;
        entry.standing = &standing;
    }
    ledger_add(ledger, &entry);
}

static int start(void **state)
{
    (void)state;
    folder_make("search", folder);
    folder_store(folder, &store);
    for (uint32_t number = 1; number <= ENTRIES; number++) {
        if (number % A_SEGMENT == 1)
            reopen();
        entry_add(number);
        ok(ledger_commit(ledger, &err));
    }
    reopen(); /* an empty one behind them */
    return 0;
}

static int stop(void **state)
{
    (void)state;
    ledger_destroy(&ledger);
    store_destroy(&store);
    return folder_remove(folder);
}

static uint64_t number_of(const struct ledger_page *page, const struct ledger_hit *hit)
{
    struct record_head head;
    assert_true(record_head(page->bytes.data + hit->at, hit->bytes, &head));
    return head.number;
}

/* All that the query wants, page by page: numbers of entries. */
static size_t all(const struct ledger_query *query, size_t limit, uint64_t numbers[ENTRIES])
{
    struct ledger_place from = {0};
    size_t count = 0;
    bool more = true;
    while (more) {
        struct ledger_page page;
        ok(ledger_search(store, query, from, limit, &page, &err));
        const struct ledger_hit *hit = (const struct ledger_hit *)(const void *)page.hits.data;
        assert_true(page.hits.size / sizeof *hit <= limit);
        for (size_t i = 0; i < page.hits.size / sizeof *hit; i++) {
            assert_true(count < ENTRIES);
            numbers[count++] = number_of(&page, &hit[i]);
        }
        from = page.next;
        more = page.more;
        ledger_page_destroy(&page);
    }
    return count;
}

static void pages_of_any_size_tell_each_entry_once(void **state)
{
    (void)state;
    for (size_t limit = 1; limit <= ENTRIES + 1; limit += 4)
        for (int newest = 0; newest < 2; newest++) {
            struct ledger_query query = {.doc = LEDGER_DOC_ANY, .newest_first = newest};
            uint64_t numbers[ENTRIES];
            assert_int_equal(all(&query, limit, numbers), ENTRIES);
            for (uint64_t i = 0; i < ENTRIES; i++)
                assert_int_equal(numbers[i], newest ? ENTRIES - i : i + 1);
        }
}

static void what_is_asked_for_is_found(void **state)
{
    (void)state;
    uint64_t numbers[ENTRIES];
    struct ledger_query orders = {.kind = ledger_kind_named("standing"), .doc = LEDGER_DOC_ANY};
    assert_int_equal(all(&orders, 3, numbers), ENTRIES / ORDER_EVERY);
    assert_int_equal(numbers[1], 2 * ORDER_EVERY);
    struct ledger_query lan = {.actor = "lan", .doc = LEDGER_DOC_ANY};
    assert_int_equal(all(&lan, 100, numbers), ENTRIES / ORDER_EVERY);
    struct ledger_query nobody = {.actor = "", .doc = LEDGER_DOC_ANY};
    assert_int_equal(all(&nobody, 100, numbers), ENTRIES - ENTRIES / ORDER_EVERY);
    struct ledger_query hidden = {.hidden = ledger_kind_named("outcome"), .doc = LEDGER_DOC_ANY};
    assert_int_equal(all(&hidden, 100, numbers), ENTRIES / ORDER_EVERY);
    struct ledger_query subject = {.subject = "b2", .doc = LEDGER_DOC_ANY};
    assert_int_equal(all(&subject, 100, numbers), ENTRIES / ORDER_EVERY);
    struct ledger_query part = {.subject = "b", .doc = LEDGER_DOC_ANY};
    assert_int_equal(all(&part, 100, numbers), 0);
    struct ledger_query batch = {.batch = "b1", .doc = LEDGER_DOC_ANY, .newest_first = true};
    assert_int_equal(all(&batch, 100, numbers), (ENTRIES - ENTRIES / ORDER_EVERY) / 2);
    assert_int_equal(numbers[0], ENTRIES / 2 - 1);
    struct ledger_query document = {.batch = "b1", .doc = 13};
    assert_int_equal(all(&document, 100, numbers), 1);
    assert_int_equal(numbers[0], 13);
    assert_int_equal(ledger_kind_named("number"), 0);
    assert_int_equal(ledger_kind_named("nonsense"), 0);
}

static void a_search_begins_at_a_number(void **state)
{
    (void)state;
    for (uint64_t from = 1; from <= ENTRIES + 1; from++) {
        struct ledger_query query = {.doc = LEDGER_DOC_ANY, .from_number = from};
        uint64_t numbers[ENTRIES];
        assert_int_equal(all(&query, 100, numbers), ENTRIES + 1 - from);
        if (from <= ENTRIES)
            assert_int_equal(numbers[0], from);
    }
}

/* Entries of the same millisecond can't be told apart: those of a moment come all, or none. */
static void a_search_is_within_its_times(void **state)
{
    (void)state;
    uint64_t at_ms[ENTRIES], numbers[ENTRIES];
    struct ledger_query every = {.doc = LEDGER_DOC_ANY};
    struct ledger_page page;
    struct ledger_place from = {0};
    size_t known = 0;
    do {
        ok(ledger_search(store, &every, from, ENTRIES, &page, &err));
        const struct ledger_hit *hit = (const struct ledger_hit *)(const void *)page.hits.data;
        for (size_t i = 0; i < page.hits.size / sizeof *hit; i++) {
            struct record_head head;
            assert_true(record_head(page.bytes.data + hit[i].at, hit[i].bytes, &head));
            at_ms[known++] = head.time_ms;
        }
        from = page.next;
        every.newest_first = false;
        ledger_page_destroy(&page);
    } while (page.more);
    assert_int_equal(known, ENTRIES);
    for (size_t i = 0; i < ENTRIES; i += 3)
        for (int newest = 0; newest < 2; newest++) {
            struct ledger_query query = {
                .doc = LEDGER_DOC_ANY, .from_ms = at_ms[i], .to_ms = at_ms[ENTRIES - 1], .newest_first = newest};
            size_t want = 0;
            for (size_t k = 0; k < ENTRIES; k++)
                want += at_ms[k] >= query.from_ms && at_ms[k] < query.to_ms;
            assert_int_equal(all(&query, 7, numbers), want);
        }
}

/* The path leads from the leaf to the root, as RFC 9162, 2.1.3.2, says. */
static void a_proof_leads_to_the_root(void **state)
{
    (void)state;
    struct ledger_proof proof;
    uint8_t root[SHA256_BYTES], hash[SHA256_BYTES];
    uint64_t size;
    assert_true(ledger_root(ledger, &size, root));
    for (uint32_t number = 1; number <= ENTRIES; number++) {
        const char *batch = number > ENTRIES / 2 ? "b10" : "b1";
        if (number % ORDER_EVERY == 0) {
            assert_int_equal(ledger_prove(store, size, batch, number, &stop_now, &proof, &err), E_ABSENT);
            continue;
        }
        ok(ledger_prove(store, size, batch, number, &stop_now, &proof, &err));
        assert_int_equal(proof.count, 1);
        const struct ledger_proven *proven = &proof.entry[0];
        assert_int_equal(proven->index, number - 1);
        struct merkle tree;
        merkle_init(&tree);
        merkle_leaf(&tree, proven->packed.data, proven->packed.size, hash);
        uint64_t fn = proven->index, sn = size - 1;
        for (size_t i = 0; i < proven->path_count; i++) {
            uint8_t node[1 + 2 * SHA256_BYTES] = {1};
            bool left = fn % 2 || fn == sn;
            memcpy(node + 1, left ? proven->path[i] : hash, SHA256_BYTES);
            memcpy(node + 1 + SHA256_BYTES, left ? hash : proven->path[i], SHA256_BYTES);
            sha256_of(node, sizeof node, hash);
            for (; left && fn % 2 == 0 && fn; fn /= 2)
                sn /= 2;
            fn /= 2;
            sn /= 2;
        }
        assert_int_equal(sn, 0);
        assert_memory_equal(hash, root, SHA256_BYTES);
        merkle_destroy(&tree);
        ledger_proof_destroy(&proof);
    }
    assert_int_equal(ledger_prove(store, size + 1, "b1", 1, &stop_now, &proof, &err), E_CORRUPT);
    atomic_store(&stop_now, true);
    assert_int_equal(ledger_prove(store, size, "b1", 1, &stop_now, &proof, &err), E_STATE);
    atomic_store(&stop_now, false);
}

/* A segment begins with entries that the one before has: their append seemed to fail. The last test: it alters the store. */
static void an_entry_that_comes_again_is_told_once(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf both = {0};
    ok(store_get(store, "ledger/00000003", LEDGER_SEGMENT_BYTES, &both, &err));
    ok(store_get(store, "ledger/00000004", LEDGER_SEGMENT_BYTES, &both, &err));
    ok(store_guard_replace(store, "ledger/00000004", both.data, both.size, &err));
    for (int newest = 0; newest < 2; newest++) {
        struct ledger_query query = {.doc = LEDGER_DOC_ANY, .newest_first = newest};
        uint64_t numbers[ENTRIES];
        assert_int_equal(all(&query, ENTRIES, numbers), ENTRIES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_any_size_tell_each_entry_once),
        cmocka_unit_test(what_is_asked_for_is_found),
        cmocka_unit_test(a_search_begins_at_a_number),
        cmocka_unit_test(a_search_is_within_its_times),
        cmocka_unit_test(a_proof_leads_to_the_root),
        cmocka_unit_test(an_entry_that_comes_again_is_told_once),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
