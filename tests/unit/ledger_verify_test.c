/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Each way to alter a ledger unseen, tried on a real one in a folder: it is found, and what is said of it names the place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "storage/chain.h"
#include "storage/ledger_record.h"
#include "storage/ledger_verify.h"
#include "tests/lib/folder.h"

enum { ENTRIES = 40, HALF = ENTRIES / 2, STEP = 10 };

static char folder[FOLDER_BYTES];
static struct store *store;
static struct ledger *ledger;
static struct signing_key key;
static struct ledger_verdict verdict;
static struct checkpoints ours;
static struct err err;

static int reopen(void)
{
    ledger_destroy(&ledger);
    checkpoints_destroy(&ours);
    ok(checkpoints_load(store, key.public, ENTRIES, &ours, &err));
    return ledger_open(store, &ours, entry_ignore, NULL, &ledger, &err);
}

static void entry_add(uint32_t doc)
{
    Sohoa__DocOutcome outcome = SOHOA__DOC_OUTCOME__INIT;
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    outcome.batch = (char *)"b1";
    outcome.doc = doc;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_OUTCOME;
    entry.outcome = &outcome;
    ledger_add(ledger, &entry);
}

static void checkpoint(uint64_t after)
{
    uint8_t root[SHA256_BYTES];
    uint64_t size;
    ok(ledger_commit(ledger, &err));
    assert_true(ledger_root(ledger, &size, root));
    ok(checkpoint_put(store, &key, size, root, after, &err));
}

/* ENTRIES in two segments, a checkpoint every STEP. */
static int start(void **state)
{
    char shelf[80], path[80];
    (void)state;
    folder_make("verify", folder);
    snprintf(shelf, sizeof shelf, "%s/store", folder);
    snprintf(path, sizeof path, "%s/key", folder);
    ok(signing_key_load(path, &key, &err));
    folder_store(shelf, &store);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (i % HALF == 0)
            ok(reopen());
        entry_add(i);
        if (i % STEP == STEP - 1)
            checkpoint(i < STEP ? 0 : i + 1 - STEP);
    }
    ledger_destroy(&ledger);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    ledger_destroy(&ledger);
    checkpoints_destroy(&ours);
    store_destroy(&store);
    return folder_remove(folder);
}

static void verify(void)
{
    struct ledger_watch watch = {0};
    ok(ledger_verify(store, key.public, NULL, &watch, &verdict, &err));
}

static void assert_found(const char *blob, uint64_t entry, const char *text)
{
    for (uint64_t i = 0; i < verdict.findings; i++)
        if (!strcmp(verdict.finding[i].blob, blob) && verdict.finding[i].entry == entry &&
            strstr(verdict.finding[i].text, text))
            return;
    for (uint64_t i = 0; i < verdict.findings; i++)
        print_error("%s, byte %llu, entry %llu: %s\n", verdict.finding[i].blob,
                    (unsigned long long)verdict.finding[i].offset, (unsigned long long)verdict.finding[i].entry,
                    verdict.finding[i].text);
    fail_msg("'%s', entry %llu: '%s' was not found", blob, (unsigned long long)entry, text);
}

/* ---- a segment, taken apart ---- */

struct segment {
    struct buf data;
    size_t at[ENTRIES + 1];
    unsigned count;
};

static void segment_destroy(struct segment *segment)
{
    buf_destroy(&segment->data);
}

static void segment_take(struct segment *segment, uint32_t number)
{
    struct segment_name name;
    *segment = (struct segment){0};
    ok(store_get(store, segment_name(&name, number), LEDGER_SEGMENT_BYTES, &segment->data, &err));
    for (size_t at = 0; at < segment->data.size; segment->count++) {
        struct record record;
        record_header(segment->data.data + at, &record);
        segment->at[segment->count] = at;
        at += HEADER_BYTES + record.bytes;
    }
    segment->at[segment->count] = segment->data.size;
}

static void segment_put(const struct buf *data, uint32_t number)
{
    struct segment_name name;
    ok(store_guard_replace(store, segment_name(&name, number), data->data, data->size, &err));
}

static void part_append(struct buf *data, const struct segment *segment, unsigned first, unsigned end)
{
    buf_append(data, segment->data.data + segment->at[first], segment->at[end] - segment->at[first]);
}

static Sohoa__LedgerEntry *entry_of(const struct segment *segment, unsigned nth)
{
    struct record record;
    record_header(segment->data.data + segment->at[nth], &record);
    Sohoa__LedgerEntry *entry = sohoa__ledger_entry__unpack(NULL, record.bytes, record.body);
    assert_non_null(entry);
    return entry;
}

/* The segment's entries from first on, the nth of them another document, each with a right CRC; a right chain, too, when asked for, and
 * numbers so much lower. */
static void rewrite(struct buf *data, const struct segment *segment, unsigned first, unsigned nth, bool chain,
                    unsigned lower)
{
    uint8_t last[SHA256_BYTES];
    for (unsigned i = first; i < segment->count; i++) {
        Sohoa__LedgerEntry *entry = entry_of(segment, i);
        struct record record;
        size_t at = data->size;
        entry->number -= lower;
        entry->outcome->doc += i == nth ? 1000 : 0;
        if (chain && i > nth)
            memcpy(entry->before.data, last, sizeof last);
        record_pack(entry, NULL, 0, data);
        record_header(data->data + at, &record);
        sha256_of(record.body, record.bytes, last);
        sohoa__ledger_entry__free_unpacked(entry, NULL);
    }
}

/* ---- tests ---- */

static void a_ledger_that_nobody_touched_is_good(void **state)
{
    (void)state;
    verify();
    assert_int_equal(verdict.findings, 0);
    assert_int_equal(verdict.entries, ENTRIES);
    assert_int_equal(verdict.segments, 2);
    assert_int_equal(verdict.chained_from, 1);
    assert_int_equal(verdict.checkpoints.good, ENTRIES / STEP);
    ok(reopen());
    assert_int_equal(ours.count, ENTRIES / STEP);
    assert_memory_equal(verdict.root, ours.at[ours.count - 1].root, SHA256_BYTES);
    verify();
    assert_int_equal(verdict.findings, 0);
}

static void a_flipped_bit_is_found(void **state)
{
    (void)state;
    AUTO(segment_destroy) struct segment one;
    segment_take(&one, 1);
    one.data.data[one.at[5] + HEADER_BYTES + 12] ^= 4;
    one.data.data[one.at[9] + 5] ^= 1;
    segment_put(&one.data, 1);
    verify();
    assert_int_equal(verdict.findings, 2);
    assert_found("ledger/00000001", 6, "CRC");
    assert_found("ledger/00000001", 10, "CRC");
    assert_int_equal(verdict.finding[0].offset, one.at[5]);
    assert_int_equal(verdict.entries, ENTRIES);
    assert_int_equal(verdict.checkpoints.unchecked, ENTRIES / STEP);
    assert_int_equal(reopen(), E_CORRUPT);
}

static void a_damaged_length_hides_nothing_else(void **state)
{
    (void)state;
    AUTO(segment_destroy) struct segment one;
    segment_take(&one, 1);
    one.data.data[one.at[5] + 1] ^= 0x40;
    segment_put(&one.data, 1);
    verify();
    assert_found("ledger/00000001", 6, "damaged");
    assert_found("ledger/00000001", 6, "entry 6 is missing: entry 7 stands here");
    assert_int_equal(verdict.entries, ENTRIES - 1);
}

static void a_replaced_record_is_found(void **state)
{
    (void)state;
    AUTO(segment_destroy) struct segment one;
    AUTO(buf_destroy) struct buf data = {0};
    segment_take(&one, 1);
    rewrite(&data, &one, 0, 5, false, 0);
    segment_put(&data, 1);
    verify();
    assert_found("ledger/00000001", 7, "entry 7 follows another entry");
    assert_found("ledger/checkpoint-000000000010", 10, "rewritten");
    assert_int_equal(verdict.checkpoints.bad, 1);
    assert_int_equal(reopen(), E_CORRUPT);
    assert_non_null(strstr(err.text, "entry 7 follows another entry"));
}

static void a_deleted_record_is_found(void **state)
{
    (void)state;
    AUTO(segment_destroy) struct segment one;
    AUTO(buf_destroy) struct buf data = {0};
    segment_take(&one, 1);
    part_append(&data, &one, 0, 5);
    part_append(&data, &one, 6, one.count);
    segment_put(&data, 1);
    verify();
    assert_int_equal(verdict.findings, 1);
    assert_found("ledger/00000001", 6, "entry 6 is missing: entry 7 stands here");
}

/* All behind it with a number less and a right CRC. */
static void a_deleted_record_is_found_when_others_take_its_number(void **state)
{
    (void)state;
    AUTO(segment_destroy) struct segment one, two;
    AUTO(buf_destroy) struct buf data = {0}, behind = {0};
    segment_take(&one, 1);
    segment_take(&two, 2);
    part_append(&data, &one, 0, 5);
    rewrite(&data, &one, 6, ENTRIES, false, 1);
    rewrite(&behind, &two, 0, ENTRIES, false, 1);
    segment_put(&data, 1);
    segment_put(&behind, 2);
    verify();
    assert_found("ledger/00000001", 6, "entry 6 follows another entry");
    assert_found("ledger/checkpoint-000000000010", 10, "rewritten");
    assert_found("ledger/checkpoint-000000000040", 40, "ends with entry 39");
}

static void exchanged_records_are_found(void **state)
{
    (void)state;
    AUTO(segment_destroy) struct segment one;
    AUTO(buf_destroy) struct buf data = {0};
    segment_take(&one, 1);
    part_append(&data, &one, 0, 5);
    part_append(&data, &one, 6, 7);
    part_append(&data, &one, 5, 6);
    part_append(&data, &one, 7, one.count);
    segment_put(&data, 1);
    verify();
    assert_int_equal(verdict.findings, 2);
    assert_found("ledger/00000001", 6, "entry 6 is missing: entry 7 stands here");
    assert_found("ledger/00000001", 6, "entry 6 is out of order");
}

static void a_cut_end_is_found(void **state)
{
    (void)state;
    AUTO(segment_destroy) struct segment two;
    AUTO(buf_destroy) struct buf data = {0};
    segment_take(&two, 2);
    part_append(&data, &two, 0, two.count - 3);
    segment_put(&data, 2);
    verify();
    assert_int_equal(verdict.findings, 1);
    assert_found("ledger/checkpoint-000000000040", 40, "ends with entry 37");
    assert_int_equal(reopen(), E_CORRUPT);
    assert_non_null(strstr(err.text, "ledger/checkpoint-000000000040"));
    assert_non_null(strstr(err.text, "ends with entry 37"));
}

static void a_rewritten_end_with_a_right_chain_is_found(void **state)
{
    (void)state;
    AUTO(segment_destroy) struct segment two;
    AUTO(buf_destroy) struct buf data = {0};
    segment_take(&two, 2);
    rewrite(&data, &two, 0, 5, true, 0);
    segment_put(&data, 2);
    verify();
    assert_int_equal(verdict.findings, 1);
    assert_found("ledger/checkpoint-000000000030", 30, "rewritten");
    assert_int_equal(verdict.checkpoints.good, 2);
    assert_int_equal(reopen(), E_CORRUPT);
    assert_non_null(strstr(err.text, "ledger/checkpoint-000000000030"));
}

static void a_rewritten_segment_is_found_by_the_next(void **state)
{
    (void)state;
    AUTO(segment_destroy) struct segment one;
    AUTO(buf_destroy) struct buf data = {0};
    segment_take(&one, 1);
    rewrite(&data, &one, 0, 5, true, 0);
    segment_put(&data, 1);
    verify();
    assert_found("ledger/00000002", 21, "entry 21 follows another entry");
    assert_found("ledger/checkpoint-000000000010", 10, "rewritten");
}

static void a_missing_segment_is_found(void **state)
{
    (void)state;
    struct segment_name name;
    ok(store_guard_remove(store, segment_name(&name, 1), &err));
    verify();
    assert_found("ledger/00000001", 1, "missing");
    assert_found("ledger/00000002", 1, "entries 1 to 20 are missing");
    assert_int_equal(verdict.entries, ENTRIES - HALF);
}

static void a_deleted_checkpoint_is_found(void **state)
{
    (void)state;
    struct name name;
    ok(store_guard_remove(store, checkpoint_name(&name, 20), &err));
    verify();
    assert_int_equal(verdict.findings, 1);
    assert_found("ledger/checkpoint-000000000020", 20,
                 "it is missing: ledger/checkpoint-000000000030 was written after it");
}

static void a_changed_checkpoint_is_found(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf note = {0};
    struct name name;
    ok(store_get(store, checkpoint_name(&name, 20), CHECKPOINT_BYTES, &note, &err));
    char *time = strstr((char *)note.data, "time 2");
    assert_non_null(time);
    time[5] = '1';
    ok(store_guard_replace(store, name.text, note.data, note.size, &err));
    verify();
    assert_int_equal(verdict.findings, 1);
    assert_found("ledger/checkpoint-000000000020", 20, "its signature is false");
}

/* Everything is made anew, checkpoints and all: one that was kept elsewhere tells. */
static void a_ledger_of_another_hand_is_found_by_a_checkpoint_kept_elsewhere(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf kept = {0};
    AUTO(segment_destroy) struct segment two;
    AUTO(buf_destroy) struct buf data = {0};
    struct ledger_watch watch = {0};
    struct name name;
    ok(store_get(store, checkpoint_name(&name, 40), CHECKPOINT_BYTES, &kept, &err));
    segment_take(&two, 2);
    rewrite(&data, &two, 0, 5, true, 0);
    segment_put(&data, 2);
    ok(store_guard_remove(store, checkpoint_name(&name, 40), &err));
    ok(store_guard_remove(store, checkpoint_name(&name, 30), &err));
    verify();
    assert_int_equal(verdict.findings, 0);
    ok(ledger_verify(store, key.public, &kept, &watch, &verdict, &err));
    assert_int_equal(verdict.findings, 1);
    assert_found("the checkpoint given", 40, "rewritten");
}

static void entries_from_before_there_was_a_chain_are_taken(void **state)
{
    (void)state;
    AUTO(segment_destroy) struct segment one, two;
    AUTO(buf_destroy) struct buf data = {0};
    struct name name;
    segment_take(&one, 1);
    for (unsigned i = 0; i < one.count; i++) {
        Sohoa__LedgerEntry *entry = entry_of(&one, i);
        entry->before.len = 0;
        record_pack(entry, NULL, 0, &data);
        sohoa__ledger_entry__free_unpacked(entry, NULL);
    }
    segment_put(&data, 1);
    ok(store_guard_replace(store, "ledger/00000002", "", 0, &err));
    for (uint64_t size = STEP; size <= ENTRIES; size += STEP)
        ok(store_guard_remove(store, checkpoint_name(&name, size), &err));
    ok(reopen());
    assert_int_equal(ledger_next(ledger), HALF + 1);
    entry_add(1);
    ok(ledger_commit(ledger, &err));
    verify();
    assert_int_equal(verdict.findings, 0);
    assert_int_equal(verdict.chained_from, HALF);
    /* and none of them behind one that has it */
    segment_take(&two, 3);
    Sohoa__LedgerEntry *entry = entry_of(&two, 0);
    entry->number++;
    entry->before.len = 0;
    record_pack(entry, NULL, 0, &two.data);
    sohoa__ledger_entry__free_unpacked(entry, NULL);
    segment_put(&two.data, 3);
    verify();
    assert_found("ledger/00000003", HALF + 2, "does not say which entry it follows");
    assert_int_equal(reopen(), E_CORRUPT);
}

static void file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void a_key_is_made_once_and_is_its_owners_alone(void **state)
{
    (void)state;
    char path[80];
    struct signing_key again, other;
    struct stat st;
    snprintf(path, sizeof path, "%s/key", folder);
    ok(signing_key_load(path, &again, &err));
    assert_memory_equal(again.public, key.public, sizeof key.public);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(signing_key_load(path, &other, &err), E_CONFIG);
    assert_non_null(strstr(err.text, "chmod 600"));
    assert_int_equal(chmod(path, 0600), 0);
    file_write(path, "no key\n");
    assert_int_equal(signing_key_load(path, &other, &err), E_CONFIG);
    assert_int_equal(signing_key_load("/nowhere/key", &other, &err), E_IO);
}

/* RFC 8032, 7.1, TEST 1: its seed, public key and the signature of nothing. */
static void signatures_are_those_of_the_rfc(void **state)
{
    (void)state;
    char path[80];
    struct signing_key known;
    uint8_t signature[SIGNATURE_BYTES], public[SIGNING_PUBLIC_BYTES];
    AUTO(buf_destroy) struct buf text = {0};
    snprintf(path, sizeof path, "%s/known", folder);
    file_write(path, "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n");
    assert_int_equal(chmod(path, 0600), 0);
    ok(signing_key_load(path, &known, &err));
    base64_put(&text, known.public, sizeof known.public);
    assert_string_equal(buf_text(&text), "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    signing_sign(&known, "", 0, signature);
    buf_clear(&text);
    base64_put(&text, signature, sizeof signature);
    assert_string_equal(buf_text(&text),
                        "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw==");
    assert_true(signing_fits(known.public, "", 0, signature));
    assert_false(signing_fits(known.public, "x", 1, signature));
    assert_int_equal(signing_public_read("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", public, &err), 0);
    assert_memory_equal(public, known.public, sizeof public);
    assert_int_equal(signing_public_read("nonsense", public, &err), E_USAGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_ledger_that_nobody_touched_is_good),
        TEST(a_flipped_bit_is_found),
        TEST(a_damaged_length_hides_nothing_else),
        TEST(a_replaced_record_is_found),
        TEST(a_deleted_record_is_found),
        TEST(a_deleted_record_is_found_when_others_take_its_number),
        TEST(exchanged_records_are_found),
        TEST(a_cut_end_is_found),
        TEST(a_rewritten_end_with_a_right_chain_is_found),
        TEST(a_rewritten_segment_is_found_by_the_next),
        TEST(a_missing_segment_is_found),
        TEST(a_deleted_checkpoint_is_found),
        TEST(a_changed_checkpoint_is_found),
        TEST(a_ledger_of_another_hand_is_found_by_a_checkpoint_kept_elsewhere),
        TEST(entries_from_before_there_was_a_chain_are_taken),
        TEST(a_key_is_made_once_and_is_its_owners_alone),
        TEST(signatures_are_those_of_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
