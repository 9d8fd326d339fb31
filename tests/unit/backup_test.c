/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Back-ups of a store in a folder that is held by somebody at work: what is copied, what goes, what is told, and the way back. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "storage/backup.h"
#include "storage/checkpoint.h"
#include "storage/layout.h"
#include "tests/lib/folder.h"

enum { DOCS = 400, MANY = 3000, ROUNDS = 6, LONG_BYTES = 5 << 20, PATH_BYTES = FOLDER_BYTES + 256, THREADS = 4 };

static char folder[FOLDER_BYTES];
static struct store *live;    /* held by the coordinator that the tests play */
static struct store *from;    /* the same, as the back-up opens it */
static struct ledger *ledger; /* of live */
static struct signing_key key;
static struct backup_report report;
static _Thread_local struct err err;
static uint8_t sha[DOCS][SHA256_BYTES];
static char hex[DOCS][SHA256_HEX_CHARS + 1];

/* ---- a store with what a coordinator and workers leave there ---- */

static const char *text_of(char text[64], uint32_t doc, const char *what)
{
    snprintf(text, 64, "the %s of document %u", what, doc);
    return text;
}

static void blob_make(const char *name, const char *text)
{
    ok(store_create(live, name, text, strlen(text), &err));
}

static void entry_add(Sohoa__LedgerEntry__BodyCase kind, void *body)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    entry.body_case = kind;
    entry.admitted = body; /* all are in the same place */
    ledger_add(ledger, &entry);
    ok(ledger_commit(ledger, &err));
}

static void outcome_add(uint32_t doc, uint32_t generation, Sohoa__DocState state)
{
    Sohoa__DocOutcome outcome = SOHOA__DOC_OUTCOME__INIT;
    uint8_t packed[256];
    outcome.batch = (char *)"b1";
    outcome.doc = doc;
    outcome.generation = generation;
    outcome.state = state;
    outcome.sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha[doc]};
    entry_add(SOHOA__LEDGER_ENTRY__BODY_OUTCOME, &outcome);
    if (state != SOHOA__DOC_STATE__DOC_QUARANTINED)
        outcome.sketch = (ProtobufCBinaryData){6, (uint8_t *)(uintptr_t) "sketch"};
    struct index_entry entry = {doc, (uint32_t)sohoa__doc_outcome__pack(&outcome, packed), packed,
                                state == SOHOA__DOC_STATE__DOC_QUARANTINED};
    ok(index_put(live, "b1", &entry, 1, &err));
}

static void record_make(uint32_t doc, const char *text)
{
    struct name name;
    ok(store_replace(live, name_rec(&name, "b1", doc), text, strlen(text), &err));
}

static const char *out_name(struct name *name, uint32_t doc)
{
    return name_out(name, sha[doc], sha[0], 0, "text");
}

static void doc_store(uint32_t doc)
{
    struct name name;
    char text[64];
    struct layout_entry placed = {.doc = doc, .pages = 1, .range_pages = 1};
    memcpy(placed.sha256, sha[doc], SHA256_BYTES);
    blob_make(name_src(&name, sha[doc]), text_of(text, doc, "source"));
    ok(layout_append(live, "b1", 0, &placed, 1, &err));
    blob_make(out_name(&name, doc), text_of(text, doc, "text"));
    record_make(doc, text_of(text, doc, "record"));
    outcome_add(doc, 0, SOHOA__DOC_STATE__DOC_STORED);
}

static void doc_stop(uint32_t doc)
{
    struct name name;
    ok(store_guard_create(live, name_stop(&name, sha[doc]), "", 0, &err));
    outcome_add(doc, 0, SOHOA__DOC_STATE__DOC_QUARANTINED);
    ok(store_remove(live, out_name(&name, doc), &err));
    ok(store_remove(live, name_rec(&name, "b1", doc), &err));
}

static void checkpoint_make(void)
{
    uint8_t root[SHA256_BYTES];
    uint64_t size;
    assert_true(ledger_root(ledger, &size, root));
    ok(checkpoint_put(live, &key, size, root, 0, &err));
}

static void ledger_reopen(void)
{
    ledger_destroy(&ledger);
    ok(ledger_open(live, NULL, entry_ignore, NULL, &ledger, &err));
}

static struct store *store_at(const char *name)
{
    struct store *store = NULL;
    char url[PATH_BYTES];
    snprintf(url, sizeof url, "dir:%s/%s", folder, name);
    ok(store_open(url, &store, &err));
    return store;
}

static int start(void **state)
{
    char path[PATH_BYTES], text[64];
    (void)state;
    folder_make("backup", folder);
    snprintf(path, sizeof path, "%s/key", folder);
    ok(signing_key_load(path, &key, &err));
    snprintf(path, sizeof path, "%s/live", folder);
    folder_store(path, &live);
    from = store_at("live");
    ledger_reopen();
    for (uint32_t doc = 0; doc < DOCS; doc++) {
        text_of(text, doc, "source");
        sha256_of(text, strlen(text), sha[doc]);
        sha256_hex(sha[doc], hex[doc]);
    }
    Sohoa__BatchAdmitted admitted = SOHOA__BATCH_ADMITTED__INIT;
    admitted.batch = (char *)"b1";
    admitted.docs = DOCS;
    ok(store_guard_replace(live, "batch/b1/manifest/0", "rows", 4, &err));
    entry_add(SOHOA__LEDGER_ENTRY__BODY_ADMITTED, &admitted);
    for (uint32_t doc = 0; doc < 3; doc++)
        doc_store(doc);
    ok(store_create(live, "view/x/1", "cache", 5, &err));
    checkpoint_make();
    return 0;
}

static pthread_t writer;
static bool writing;
static atomic_bool enough;

static void writer_end(void)
{
    atomic_store(&enough, true);
    if (writing)
        pthread_join(writer, NULL);
    writing = false;
}

static int stop(void **state)
{
    (void)state;
    writer_end();
    ledger_destroy(&ledger);
    store_destroy(&from);
    store_destroy(&live);
    return folder_remove(folder);
}

/* ---- tools ---- */

static int back_up_as(const char *to_name, struct backup_order order)
{
    AUTO(store_destroy) struct store *to = store_at(to_name);
    struct stock_watch watch = {0};
    order.from = order.from ? order.from : from;
    order.to = to;
    order.threads = THREADS;
    order.watch = &watch;
    return backup_run(&order, &report, &err);
}

static void back_up(void)
{
    ok(back_up_as("copy", (struct backup_order){.read_back = true}));
}

static void check(void)
{
    AUTO(store_destroy) struct store *to = store_at("copy");
    struct stock_watch watch = {0};
    ok(backup_check(to, THREADS, &watch, &report, &err));
}

static int restore_to(const char *name)
{
    AUTO(store_destroy) struct store *copy = store_at("copy");
    AUTO(store_destroy) struct store *to = store_at(name);
    struct stock_watch watch = {0};
    struct backup_order order = {.from = copy, .to = to, .threads = THREADS, .watch = &watch};
    return backup_restore(&order, &report, &err);
}

static void assert_found(enum backup_wrong wrong, const char *blob)
{
    for (uint64_t i = 0; i < report.findings; i++)
        if (report.finding[i].wrong == wrong && !strcmp(report.finding[i].blob, blob))
            return;
    fail_msg("%s is not told to be %s; %u findings, the first is %s %s", blob, backup_wrong_name(wrong),
             (unsigned)report.findings, report.findings ? backup_wrong_name(report.finding[0].wrong) : "",
             report.findings ? report.finding[0].blob : "");
}

static bool has(const char *store_name, const char *blob)
{
    AUTO(store_destroy) struct store *store = store_at(store_name);
    int rc = store_stat(store, blob, NULL, &err);
    assert_true(rc == 0 || rc == E_ABSENT);
    return !rc;
}

static void holds(const char *store_name, const char *blob, const char *want)
{
    AUTO(store_destroy) struct store *store = store_at(store_name);
    AUTO(buf_destroy) struct buf data = {0};
    ok(store_get(store, blob, STORE_PART_BYTES, &data, &err));
    assert_string_equal(buf_text(&data), want);
}

static void file_path(const char *store_name, const char *blob, char path[PATH_BYTES])
{
    int n = snprintf(path, PATH_BYTES, "%s/%s/%s", folder, store_name, blob);
    assert_in_range(n, 1, PATH_BYTES - 1);
}

/* One bit of the file's byte at that place, from the end if it is negative. */
static void flip(const char *store_name, const char *blob, long at)
{
    char path[PATH_BYTES];
    file_path(store_name, blob, path);
    chmod(path, 0644);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, -1, SEEK_CUR), 0);
    fputc(byte ^ 1, file);
    fclose(file);
}

static bool file_contains(const char *store_name, const char *blob, const char *word)
{
    AUTO(store_destroy) struct store *store = store_at(store_name);
    AUTO(buf_destroy) struct buf data = {0};
    ok(store_get(store, blob, STORE_PART_BYTES, &data, &err));
    return memmem(data.data, data.size, word, strlen(word));
}

static int entry_count(const Sohoa__LedgerEntry *entry, void *user, struct err *why)
{
    (void)entry;
    (void)why;
    ++*(uint64_t *)user;
    return 0;
}

static uint64_t entries_in(const char *store_name)
{
    AUTO(store_destroy) struct store *store = store_at(store_name);
    uint64_t count = 0;
    ok(ledger_read(store, entry_count, &count, &err));
    return count;
}

/* ---- what is copied ---- */

static void test_all_then_only_what_is_new(void **state)
{
    struct name name;
    char text[64];
    (void)state;
    back_up();
    assert_int_equal(report.findings, 0);
    assert_int_equal(report.entries, 4);
    assert_int_equal(report.copied,
                     3 * 3 + 2 + 1 + 1 + 1); /* src, out, rec; manifest, layout; index; segment; checkpoint */
    assert_false(has("copy", "view/x/1"));
    holds("copy", name_rec(&name, "b1", 1), text_of(text, 1, "record"));
    assert_int_equal(entries_in("copy"), 4);

    back_up();
    assert_int_equal(report.copied, 0);
    assert_int_equal(report.same, 14);

    doc_store(3);
    back_up();
    assert_int_equal(report.copied, 3 + 1 + 1 + 1); /* it; layout, index, segment */
    assert_int_equal(report.entries, 5);
    check();
    assert_int_equal(report.findings, 0);
    assert_int_equal(report.same, 17);
}

static void test_a_record_of_the_same_length_changes_with_its_outcome(void **state)
{
    struct name name;
    (void)state;
    record_make(0, "first");
    back_up();
    record_make(0, "again");
    outcome_add(0, 1, SOHOA__DOC_STATE__DOC_STORED);
    back_up();
    holds("copy", name_rec(&name, "b1", 0), "again");
    check();
    assert_int_equal(report.findings, 0);
}

static void test_a_long_blob_and_a_long_map(void **state)
{
    AUTO(mem_destroy) char *bytes = malloc(LONG_BYTES);
    AUTO(mem_destroy) struct index_entry *entries = calloc(MANY, sizeof *entries);
    uint8_t long_sha[SHA256_BYTES];
    struct name name;
    (void)state;
    memset(bytes, 'x', LONG_BYTES);
    for (size_t i = 0; i < LONG_BYTES; i += 4096)
        memcpy(bytes + i, &i, sizeof i);
    sha256_of(bytes, LONG_BYTES, long_sha);
    ok(store_create(live, name_src(&name, long_sha), bytes, LONG_BYTES, &err));
    ok(store_guard_append(live, "batch/b1/remarks/1", bytes, LONG_BYTES, NULL, &err));
    for (uint32_t i = 0; i < MANY; i++)
        entries[i] = (struct index_entry){.doc = i, .bytes = 5, .outcome = "value"};
    ok(index_put(live, "b2", entries, MANY, &err));
    back_up();
    assert_int_equal(report.findings, 0);
    check();
    assert_int_equal(report.findings, 0);
    ok(restore_to("again"));
    AUTO(store_destroy) struct store *again = store_at("again");
    AUTO(buf_destroy) struct buf got = {0};
    ok(store_get(again, "batch/b1/remarks/1", STORE_PART_BYTES, &got, &err));
    assert_int_equal(got.size, LONG_BYTES);
    assert_memory_equal(got.data, bytes, LONG_BYTES);
    flip("copy", name.text, LONG_BYTES / 2);
    check();
    assert_int_equal(report.findings, 1);
    assert_found(BACKUP_DAMAGED, name.text);
}

static void test_records_only(void **state)
{
    struct name name;
    (void)state;
    ok(back_up_as("copy", (struct backup_order){.records = true}));
    assert_true(has("copy", name_rec(&name, "b1", 2)));
    assert_false(has("copy", name_src(&name, sha[2])));
    assert_int_equal(entries_in("copy"), 4);
    back_up();
    assert_int_equal(report.copied, 6);
    doc_store(3);
    ok(back_up_as("copy", (struct backup_order){.records = true}));
    assert_int_equal(report.copied, 4); /* record, layout, index, segment */
    check();
    assert_int_equal(report.findings, 0);
    back_up();
    assert_int_equal(report.copied, 2);
}

/* Bytes of an append under way are not taken, nor what comes behind them. */
static void test_a_torn_end_stays_behind(void **state)
{
    char path[PATH_BYTES];
    (void)state;
    file_path("live", "ledger/00000001", path);
    FILE *file = fopen(path, "a");
    fwrite("\x20\0\0\0half a record", 1, 17, file);
    fclose(file);
    back_up();
    assert_int_equal(report.findings, 0);
    assert_false(file_contains("copy", "ledger/00000001", "half"));
    assert_int_equal(entries_in("copy"), 4);
}

/* Copies that no row tells of come from a run that was cut short. */
static void test_what_was_cut_short_is_completed(void **state)
{
    char path[PATH_BYTES];
    struct name name;
    (void)state;
    back_up();
    file_path("copy", "inventory", path);
    assert_int_equal(folder_remove(path), 0);
    AUTO(store_destroy) struct store *to = store_at("copy");
    ok(store_lock(to, "a run that is cut short", 1000, &err));
    ok(store_guard_replace(to, "inventory/position", "", 0, &err));
    store_destroy(&to);
    assert_int_equal(back_up_as("copy", (struct backup_order){0}), E_CORRUPT);
    assert_non_null(strstr(err.text, "--repair"));
    flip("copy", out_name(&name, 2), 3);
    ok(back_up_as("copy", (struct backup_order){.repair = true}));
    assert_int_equal(report.findings, 0);
    check();
    assert_int_equal(report.findings, 0);
    assert_int_equal(report.same, 14);
}

static void test_it_ends_when_told(void **state)
{
    AUTO(store_destroy) struct store *to = store_at("copy");
    struct stock_watch watch = {.stop = true};
    struct backup_order order = {.from = from, .to = to, .threads = 1, .watch = &watch};
    (void)state;
    assert_int_equal(backup_run(&order, &report, &err), E_STATE);
    store_destroy(&to);
    back_up();
    check();
    assert_int_equal(report.same, 14);
}

static void *work_on(void *user)
{
    uint32_t *doc = user;
    for (; *doc < DOCS && !atomic_load(&enough); ++*doc) {
        doc_store(*doc);
        if (*doc % 4 == 3)
            checkpoint_make();
        if (*doc % 50 == 49)
            ledger_reopen();
    }
    return NULL;
}

struct found {
    struct store *store;
    uint32_t outcomes, entries;
    bool placed[DOCS];
};

static void on_placed(const struct layout_entry *entry, void *user)
{
    ((struct found *)user)->placed[entry->doc] = true;
}

/* What the entry speaks of is there. */
static int on_stored(const Sohoa__LedgerEntry *entry, void *user, struct err *why)
{
    struct found *found = user;
    struct name name;
    found->entries++;
    if (entry->body_case != SOHOA__LEDGER_ENTRY__BODY_OUTCOME)
        return 0;
    uint32_t doc = entry->outcome->doc;
    found->outcomes++;
    ok(store_stat(found->store, name_src(&name, sha[doc]), NULL, why));
    ok(store_stat(found->store, out_name(&name, doc), NULL, why));
    ok(store_stat(found->store, name_rec(&name, "b1", doc), NULL, why));
    assert_true(found->placed[doc]);
    return 0;
}

/* Returns how many documents the copy has. */
static uint32_t copy_look(void)
{
    AUTO(store_destroy) struct store *copy = store_at("copy");
    AUTO(buf_destroy) struct buf sizes = {0};
    struct found found = {.store = copy};
    ok(layout_read(copy, "b1", 0, on_placed, &found, &err));
    ok(ledger_read(copy, on_stored, &found, &err));
    ok(checkpoints_find(copy, &sizes, &err));
    const uint64_t *size = (const uint64_t *)(const void *)sizes.data;
    for (size_t i = 0; i < sizes.size / sizeof *size; i++)
        assert_true(size[i] <= found.entries);
    check();
    assert_int_equal(report.findings, 0);
    return found.outcomes;
}

/* The back-up is made again and again while somebody writes: each time all that its ledger says is true in it, and it can be opened. */
static void test_each_back_up_of_a_store_at_work_is_whole(void **state)
{
    AUTO(checkpoints_destroy) struct checkpoints ours = {0};
    AUTO(ledger_destroy) struct ledger *opened = NULL;
    static uint32_t doc; /* of the writer, which may outlive this call */
    uint32_t before = 0;
    (void)state;
    doc = 3;
    atomic_store(&enough, false);
    assert_int_equal(pthread_create(&writer, NULL, work_on, &doc), 0);
    writing = true;
    for (int round = 0; round < ROUNDS; round++) {
        back_up();
        assert_int_equal(report.findings, 0);
        uint32_t now = copy_look();
        assert_true(now >= before);
        before = now;
    }
    writer_end();
    ok(restore_to("again"));
    AUTO(store_destroy) struct store *taken = store_at("again");
    ok(store_lock(taken, "c9", 60000, &err));
    ok(checkpoints_load(taken, key.public, DOCS, &ours, &err));
    ok(ledger_open(taken, &ours, entry_ignore, NULL, &opened, &err));
    print_message("%u documents were stored meanwhile, of which the last back-up has %u\n", doc, before);
    assert_in_range(before, 4, doc);
}

/* ---- what goes ---- */

static void test_a_quarantine_and_a_purge_reach_the_back_up(void **state)
{
    struct name name;
    (void)state;
    back_up();
    assert_true(file_contains("copy", "batch/b1/index/0", "sketch"));
    doc_stop(0);
    doc_stop(1);
    doc_stop(2);
    back_up();
    assert_int_equal(report.findings, 0);
    assert_int_equal(report.removed, 6);
    assert_false(has("copy", out_name(&name, 1)));
    assert_false(has("copy", name_rec(&name, "b1", 1)));
    assert_true(has("copy", name_src(&name, sha[1])));
    assert_true(has("copy", name_stop(&name, sha[1])));
    assert_false(file_contains("copy", "batch/b1/index/0", "sketch"));

    Sohoa__Purged purged = SOHOA__PURGED__INIT;
    purged.batch = (char *)"b1";
    purged.doc = 1;
    purged.sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha[1]};
    entry_add(SOHOA__LEDGER_ENTRY__BODY_PURGED, &purged);
    back_up(); /* the source's own store has it still */
    assert_false(has("copy", name_src(&name, sha[1])));
    assert_true(has("copy", name_src(&name, sha[0])));
    back_up();
    assert_false(has("copy", name_src(&name, sha[1])));
    assert_int_equal(report.findings, 0);
    check();
    assert_int_equal(report.findings, 0);
}

/* A run that was cut short had copied it, and not told the inventory. */
static void test_what_nobody_knows_of_goes_too(void **state)
{
    struct name name;
    (void)state;
    doc_store(4);
    doc_store(5);
    doc_stop(4);
    AUTO(store_destroy) struct store *to = NULL;
    back_up();
    to = store_at("copy");
    ok(store_lock(to, "a run that is cut short", 1000, &err));
    ok(store_guard_create(to, "inventory/running", "", 0, &err));
    ok(store_create(to, out_name(&name, 4), "secret", 6, &err));
    store_destroy(&to);
    back_up();
    assert_false(has("copy", name.text));
    assert_true(has("copy", out_name(&name, 5)));
    assert_false(has("copy", "inventory/running"));
    check();
    assert_int_equal(report.findings, 0);
}

static void test_a_release_explains_what_went_before(void **state)
{
    struct name name;
    (void)state;
    back_up();
    doc_stop(1);
    Sohoa__Released released = SOHOA__RELEASED__INIT;
    released.batch = (char *)"b1";
    released.doc = 1;
    released.sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha[1]};
    ok(store_guard_remove(live, name_stop(&name, sha[1]), &err));
    entry_add(SOHOA__LEDGER_ENTRY__BODY_RELEASED, &released);
    back_up();
    assert_int_equal(report.findings, 0);
    assert_int_equal(report.removed, 2);
    assert_false(has("copy", out_name(&name, 1)));
}

static void test_what_is_lost_by_accident_is_kept_and_told(void **state)
{
    struct name name;
    (void)state;
    doc_stop(2);
    back_up();
    ok(store_remove(live, name_src(&name, sha[0]), &err));
    ok(store_remove(live, out_name(&name, 1), &err));
    ok(store_guard_remove(live, name_stop(&name, sha[2]), &err));
    back_up();
    assert_int_equal(report.findings, 3);
    assert_int_equal(report.removed, 0);
    assert_found(BACKUP_MISSING, name_src(&name, sha[0]));
    assert_found(BACKUP_MISSING, out_name(&name, 1));
    assert_found(BACKUP_MISSING, name_stop(&name, sha[2]));
    assert_true(has("copy", name_src(&name, sha[0])));
    assert_true(has("copy", out_name(&name, 1)));
    check();
    assert_int_equal(report.findings, 0);
}

static void test_a_folded_bundle_goes(void **state)
{
    struct name name;
    (void)state;
    name_bundle(&name, sha[4], sha[0], 0, 1, 1);
    blob_make(name.text, "words");
    back_up();
    holds("copy", name.text, "words");
    ok(store_remove(live, name.text, &err));
    back_up();
    assert_int_equal(report.findings, 0);
    assert_int_equal(report.removed, 1);
    assert_false(has("copy", name.text));
}

static void test_a_source_that_is_not_its_name_is_not_copied(void **state)
{
    struct name name;
    (void)state;
    flip("live", name_src(&name, sha[1]), 0);
    back_up();
    assert_int_equal(report.findings, 1);
    assert_found(BACKUP_DAMAGED, name.text);
    assert_false(has("copy", name.text));
}

/* ---- looking ---- */

static void test_each_damage_is_named_and_repaired(void **state)
{
    struct name rec, src;
    char path[PATH_BYTES];
    (void)state;
    name_rec(&rec, "b1", 1);
    name_src(&src, sha[2]);
    const char *const blob[] = {
        rec.text,           src.text,          "batch/b1/manifest/0",           "batch/b1/layout/0",
        "batch/b1/index/0", "ledger/00000001", "ledger/checkpoint-000000000004"};
    enum { BLOBS = sizeof blob / sizeof *blob };
    back_up();
    for (size_t i = 0; i < BLOBS; i++) {
        flip("copy", blob[i], -1);
        check();
        assert_int_equal(report.findings, 1);
        assert_found(BACKUP_DAMAGED, blob[i]);
        flip("copy", blob[i], -1);
    }
    for (size_t i = 0; i < BLOBS; i++)
        flip("copy", blob[i], i % 2 ? 0 : -1);
    ok(back_up_as("copy", (struct backup_order){.repair = true}));
    assert_int_equal(report.findings, 0);
    check();
    assert_int_equal(report.findings, 0);
    file_path("copy", src.text, path);
    assert_int_equal(unlink(path), 0);
    check();
    assert_int_equal(report.findings, 1);
    assert_found(BACKUP_MISSING, src.text);
    flip("copy", "inventory/position", 20);
    flip("copy", "inventory/ledger/0000", 70);
    check();
    assert_found(BACKUP_DAMAGED, "inventory/position");
    assert_found(BACKUP_DAMAGED, "inventory/ledger/0000");
    assert_found(BACKUP_EXTRA, "ledger/00000001");
}

/* ---- what is refused ---- */

static void test_places_that_are_refused(void **state)
{
    struct name name;
    (void)state;
    AUTO(store_destroy) struct store *held = store_at("copy");
    ok(store_lock(held, "c1", 60000, &err));
    assert_int_equal(back_up_as("copy", (struct backup_order){0}), E_LOCKED);
    assert_non_null(strstr(err.text, "c1"));
    store_destroy(&held);

    AUTO(store_destroy) struct store *used = store_at("used");
    ok(store_create(used, name_src(&name, sha[0]), "x", 1, &err));
    store_destroy(&used);
    assert_int_equal(back_up_as("used", (struct backup_order){0}), E_STATE);
    AUTO(store_destroy) struct store *to = store_at("used");
    struct stock_watch watch = {0};
    assert_int_equal(backup_check(to, 1, &watch, &report, &err), E_STATE);
    store_destroy(&to);

    back_up();
    assert_int_equal(restore_to("used"), E_STATE);
    held = store_at("copy");
    AUTO(ledger_destroy) struct ledger *theirs = NULL;
    ok(store_lock(held, "c2", 60000, &err));
    ok(ledger_open(held, NULL, entry_ignore, NULL, &theirs, &err));
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Drained drained = SOHOA__DRAINED__INIT;
    drained.worker = (char *)"w";
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_DRAINED;
    entry.drained = &drained;
    ledger_add(theirs, &entry);
    ok(ledger_commit(theirs, &err));
    ledger_destroy(&theirs);
    store_destroy(&held);
    assert_int_equal(back_up_as("copy", (struct backup_order){0}), E_STATE);
    assert_non_null(strstr(err.text, "ledger/00000002"));
}

static void test_another_ledger_is_refused(void **state)
{
    char path[PATH_BYTES];
    (void)state;
    back_up();
    ledger_destroy(&ledger);
    file_path("live", "ledger", path);
    assert_int_equal(folder_remove(path), 0);
    ledger_reopen();
    assert_int_equal(back_up_as("copy", (struct backup_order){0}), E_CORRUPT);
    assert_non_null(strstr(err.text, "entry 4 is missing"));
    for (uint32_t i = 0; i < 6; i++)
        outcome_add(1, i, SOHOA__DOC_STATE__DOC_STORED);
    assert_int_equal(back_up_as("copy", (struct backup_order){0}), E_CORRUPT);
    assert_non_null(strstr(err.text, "entry 4 is another"));
    assert_int_equal(entries_in("copy"), 4);
}

/* ---- the way back ---- */

static void index_note(const Sohoa__DocOutcome *outcome, void *user)
{
    buf_printf(user, "%u:%u:%zu ", outcome->doc, outcome->state, outcome->sketch.len);
}

static void test_a_restored_store_is_the_same(void **state)
{
    struct name name;
    char text[64];
    AUTO(buf_destroy) struct buf index = {0};
    (void)state;
    doc_stop(2);
    ledger_reopen(); /* a second segment */
    doc_store(3);
    back_up();
    ok(restore_to("again"));
    assert_int_equal(report.findings, 0);
    assert_int_equal(report.entries, 6);
    assert_int_equal(entries_in("again"), 6);
    assert_false(has("again", "inventory/position"));
    assert_false(has("again", "inventory/restoring"));
    holds("again", name_src(&name, sha[3]), text_of(text, 3, "source"));
    holds("again", out_name(&name, 3), text_of(text, 3, "text"));
    holds("again", name_rec(&name, "b1", 0), text_of(text, 0, "record"));
    holds("again", name_stop(&name, sha[2]), "");
    AUTO(store_destroy) struct store *again = store_at("again");
    ok(index_read(again, "b1", 0, index_note, &index, &err));
    assert_string_equal(buf_text(&index), "0:1:6 1:1:6 2:4:0 3:1:6 ");
    /* It is a store that somebody works with: a back-up of it goes on where the one before was. */
    ok(store_lock(again, "c3", 60000, &err));
    ok(back_up_as("copy", (struct backup_order){.from = again}));
    assert_int_equal(report.copied, 0);
    assert_int_equal(restore_to("again"), E_LOCKED);
    store_destroy(&again);
    assert_int_equal(restore_to("again"), E_STATE);
}

static void test_a_restoring_goes_on_and_leaves_out_what_is_damaged(void **state)
{
    struct name name;
    (void)state;
    back_up();
    AUTO(store_destroy) struct store *to = store_at("again");
    ok(store_lock(to, "a run that is cut short", 1000, &err));
    ok(store_guard_create(to, "inventory/restoring", "", 0, &err));
    ok(store_create(to, name_src(&name, sha[0]), "the source of document 0", 24, &err));
    assert_int_equal(backup_whole(to, &err), E_STATE);
    store_destroy(&to);
    flip("copy", out_name(&name, 1), 2);
    ok(restore_to("again"));
    assert_int_equal(report.findings, 1);
    assert_found(BACKUP_DAMAGED, name.text);
    assert_false(has("again", name.text));
    assert_true(has("again", name_src(&name, sha[0])));
    assert_int_equal(report.same, 1);
    assert_int_equal(entries_in("again"), 4);
    to = store_at("again");
    ok(backup_whole(to, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_then_only_what_is_new, start, stop),
        cmocka_unit_test_setup_teardown(test_a_record_of_the_same_length_changes_with_its_outcome, start, stop),
        cmocka_unit_test_setup_teardown(test_a_long_blob_and_a_long_map, start, stop),
        cmocka_unit_test_setup_teardown(test_records_only, start, stop),
        cmocka_unit_test_setup_teardown(test_a_torn_end_stays_behind, start, stop),
        cmocka_unit_test_setup_teardown(test_what_was_cut_short_is_completed, start, stop),
        cmocka_unit_test_setup_teardown(test_it_ends_when_told, start, stop),
        cmocka_unit_test_setup_teardown(test_each_back_up_of_a_store_at_work_is_whole, start, stop),
        cmocka_unit_test_setup_teardown(test_a_quarantine_and_a_purge_reach_the_back_up, start, stop),
        cmocka_unit_test_setup_teardown(test_what_nobody_knows_of_goes_too, start, stop),
        cmocka_unit_test_setup_teardown(test_a_release_explains_what_went_before, start, stop),
        cmocka_unit_test_setup_teardown(test_what_is_lost_by_accident_is_kept_and_told, start, stop),
        cmocka_unit_test_setup_teardown(test_a_folded_bundle_goes, start, stop),
        cmocka_unit_test_setup_teardown(test_a_source_that_is_not_its_name_is_not_copied, start, stop),
        cmocka_unit_test_setup_teardown(test_each_damage_is_named_and_repaired, start, stop),
        cmocka_unit_test_setup_teardown(test_places_that_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(test_another_ledger_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(test_a_restored_store_is_the_same, start, stop),
        cmocka_unit_test_setup_teardown(test_a_restoring_goes_on_and_leaves_out_what_is_damaged, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
