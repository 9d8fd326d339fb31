/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The ledger in Ceph (SOHOA_TEST_CEPH_CONF): who opens it shuts the holder before out of what was read, writes that are
 * still under way included. The test looks at objects with a librados of its own, as client.admin. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <rados/librados.h>

#include "proto/auto.h"
#include "storage/ledger.h"
#include "storage/ledger_verify.h"

enum { EXIT_SKIP = 77, TTL_MS = 600000, TEXT_BYTES = 64, EPOCH_CHARS = 20, URL_BYTES = 512 };

static const char *conf;
static rados_t admin;
static rados_ioctx_t ledger_io, lock_io;
static struct err err;
static struct ledger_verdict verdict;
static char key_path[TEXT_BYTES];
static uint64_t heard; /* number of the last entry heard */

static void assert_ok(int rc, const char *what, int line)
{
    if (rc)
        print_error("line %d: %s: %s %s\n", line, what, err_name(rc), err.text);
    assert_int_equal(rc, 0);
}
#define ok(call) assert_ok((call), #call, __LINE__)

static int hear(const Sohoa__LedgerEntry *entry, void *user, struct err *why)
{
    (void)user;
    (void)why;
    assert_int_equal(entry->number, heard + 1);
    heard++;
    return 0;
}

static uint64_t reread(struct store *store)
{
    heard = 0;
    ok(ledger_read(store, hear, NULL, &err));
    return heard;
}

/* client.silent may not blocklist: what keeps the holder before out are the epochs alone. */
static struct store *opened(void)
{
    char url[URL_BYTES];
    struct store *store = NULL;
    snprintf(url, sizeof url, "rados:%s?user=client.silent", conf);
    ok(store_open(url, &store, &err));
    return store;
}

/* The lock is broken without its holder's knowing, long before it would run out. */
static void lock_break(void)
{
    char tag[TEXT_BYTES], client[TEXT_BYTES], cookie[TEXT_BYTES], address[TEXT_BYTES];
    size_t tag_n = TEXT_BYTES, client_n = TEXT_BYTES, cookie_n = TEXT_BYTES, address_n = TEXT_BYTES;
    int exclusive;
    if (rados_list_lockers(lock_io, "lock", "writer", &exclusive, tag, &tag_n, client, &client_n, cookie, &cookie_n,
                           address, &address_n) == 1)
        assert_int_equal(rados_break_lock(lock_io, "lock", "writer", client, cookie), 0);
}

static struct store *locked(const char *owner)
{
    struct store *store = opened();
    ok(store_lock(store, owner, TTL_MS, &err));
    return store;
}

static struct ledger *ledger_of(struct store *store)
{
    struct ledger *ledger = NULL;
    heard = 0;
    ok(ledger_open(store, NULL, hear, NULL, &ledger, &err));
    return ledger;
}

static void add(struct ledger *ledger, unsigned count)
{
    Sohoa__BatchWithdrawn withdrawn = SOHOA__BATCH_WITHDRAWN__INIT;
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    withdrawn.batch = (char *)"b1";
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_WITHDRAWN;
    entry.withdrawn = &withdrawn;
    for (unsigned i = 0; i < count; i++)
        ledger_add(ledger, &entry);
}

/* What store_guard_append() of the holder of epoch does at last, when it was long under way. */
static int late_append(const char *id, uint64_t epoch)
{
    char text[EPOCH_CHARS + 1];
    rados_write_op_t op = rados_create_write_op();
    snprintf(text, sizeof text, "%020" PRIu64, epoch);
    rados_write_op_cmpxattr(op, "epoch", LIBRADOS_CMPXATTR_OP_EQ, text, EPOCH_CHARS);
    rados_write_op_append(op, "late", 4);
    int rc = rados_write_op_operate(op, ledger_io, id, NULL, 0);
    rados_release_write_op(op);
    return rc;
}

static unsigned segments(void)
{
    char id[TEXT_BYTES];
    unsigned count = 0;
    do
        snprintf(id, sizeof id, "%08u", count + 1);
    while (!rados_stat(ledger_io, id, NULL, NULL) && ++count);
    return count;
}

static int clean(void **state)
{
    (void)state;
    char id[TEXT_BYTES];
    for (unsigned segment = segments(); segment; segment--) {
        snprintf(id, sizeof id, "%08u", segment);
        assert_int_equal(rados_remove(ledger_io, id), 0);
    }
    lock_break();
    return 0;
}

static void entries_come_back_once_and_in_order(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = locked("one");
    AUTO(ledger_destroy) struct ledger *ledger = ledger_of(store);
    add(ledger, 3);
    ok(ledger_commit(ledger, &err));
    add(ledger, 4);
    ok(ledger_commit(ledger, &err));
    ledger_destroy(&ledger);
    ledger = ledger_of(store);
    assert_int_equal(heard, 7);
    assert_int_equal(ledger_next(ledger), 8);
    assert_int_equal(reread(store), 7);
}

static void who_opens_shuts_the_holder_before_out(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *old_store = locked("old");
    AUTO(ledger_destroy) struct ledger *old = ledger_of(old_store);
    uint64_t old_epoch = store_epoch(old_store);
    add(old, 2);
    ok(ledger_commit(old, &err));
    assert_int_equal(late_append("00000001", old_epoch + 1), -ECANCELED);
    lock_break();
    AUTO(store_destroy) struct store *new_store = locked("new");
    AUTO(ledger_destroy) struct ledger *new = ledger_of(new_store);
    assert_int_equal(heard, 2);
    assert_int_equal(late_append("00000001", old_epoch), -ECANCELED);
    add(old, 1);
    assert_int_equal(ledger_commit(old, &err), E_FENCED);
    assert_int_equal(ledger_commit(old, &err), E_FENCED);
    add(new, 1);
    ok(ledger_commit(new, &err));
    assert_int_equal(segments(), 2);
    assert_int_equal(reread(new_store), 3);
}

/* The holder before had opened its next segment, and not written to it, when it was replaced. */
static void an_empty_segment_of_the_holder_before_is_shut(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *old_store = locked("old");
    AUTO(ledger_destroy) struct ledger *old = ledger_of(old_store);
    uint64_t old_epoch = store_epoch(old_store);
    lock_break();
    AUTO(store_destroy) struct store *new_store = locked("new");
    AUTO(ledger_destroy) struct ledger *new = ledger_of(new_store);
    assert_int_equal(late_append("00000001", old_epoch), -ECANCELED);
    assert_int_equal(segments(), 2);
    assert_int_equal(ledger_next(old), ledger_next(new));
}

/* A checkpoint is stored, found and held against the ledger; who was shut out writes none. */
static void checkpoints_are_kept(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *old_store = locked("old");
    AUTO(ledger_destroy) struct ledger *old = ledger_of(old_store);
    AUTO(checkpoints_destroy) struct checkpoints checkpoints = {0};
    struct ledger *again = NULL;
    struct signing_key key;
    struct ledger_watch watch = {0};
    struct name name;
    uint8_t root[SHA256_BYTES];
    uint64_t size;
    ok(signing_key_load(key_path, &key, &err));
    add(old, 3);
    ok(ledger_commit(old, &err));
    assert_true(ledger_root(old, &size, root));
    ok(checkpoint_put(old_store, &key, size, root, 0, &err));
    lock_break();
    AUTO(store_destroy) struct store *new_store = locked("new");
    ok(checkpoints_load(new_store, key.public, 10, &checkpoints, &err));
    assert_int_equal(checkpoints.count, 1);
    heard = 0;
    ok(ledger_open(new_store, &checkpoints, hear, NULL, &again, &err));
    ledger_destroy(&again);
    ok(ledger_verify(new_store, key.public, NULL, &watch, &verdict, &err));
    assert_int_equal(verdict.findings, 0);
    assert_int_equal(verdict.checkpoints.good, 1);
    assert_int_equal(checkpoint_put(old_store, &key, size + 1, root, size, &err), E_FENCED);
    checkpoints.at[0].root[0] ^= 1;
    heard = 0;
    assert_int_equal(ledger_open(new_store, &checkpoints, hear, NULL, &again, &err), E_CORRUPT);
    ok(store_guard_remove(new_store, checkpoint_name(&name, size), &err));
}

static int cluster_open(void)
{
    int rc = rados_create(&admin, "admin");
    rc = rc ? rc : rados_conf_read_file(admin, conf);
    rc = rc ? rc : rados_connect(admin);
    rc = rc ? rc : rados_ioctx_create(admin, "sohoa-meta", &ledger_io);
    rc = rc ? rc : rados_ioctx_create(admin, "sohoa-meta", &lock_io);
    if (rc)
        return rc;
    rados_ioctx_set_namespace(ledger_io, "ledger");
    rados_ioctx_set_namespace(lock_io, "lock");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_come_back_once_and_in_order, clean, clean),
        cmocka_unit_test_setup_teardown(who_opens_shuts_the_holder_before_out, clean, clean),
        cmocka_unit_test_setup_teardown(an_empty_segment_of_the_holder_before_is_shut, clean, clean),
        cmocka_unit_test_setup_teardown(checkpoints_are_kept, clean, clean),
    };
    conf = getenv("SOHOA_TEST_CEPH_CONF");
    if (!conf || !*conf || cluster_open()) {
        printf("SKIPPED: SOHOA_TEST_CEPH_CONF does not name the ceph.conf of a cluster for tests\n");
        return EXIT_SKIP;
    }
    snprintf(key_path, sizeof key_path, "/tmp/sohoa-rados-key-%ld", (long)getpid());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(key_path);
    rados_ioctx_destroy(ledger_io);
    rados_ioctx_destroy(lock_io);
    rados_shutdown(admin);
    return failed;
}
