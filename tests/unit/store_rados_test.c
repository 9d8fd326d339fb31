/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What only the store in Ceph can show: each of the fences by itself, parts and their claims, pools and rights. The
 * test looks at objects with a librados of its own, as client.admin. */
#include "tests/unit/store_test.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <rados/librados.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "proto/clock.h"
#include "storage/renewal.h"

enum { KILL_AT_BYTES = 80 << 20, TEXT_BYTES = 64, PATIENCE_MS = 30000 };

static const char *conf;
static rados_t admin;

static rados_ioctx_t in_pool(const char *pool, const char *namespace)
{
    rados_ioctx_t io;
    assert_int_equal(rados_ioctx_create(admin, pool, &io), 0);
    rados_ioctx_set_namespace(io, namespace);
    return io;
}

/* The object's name in its namespace. */
static const char *id_of(const struct blob *b)
{
    return strchr(b->name, '/') + 1;
}

static struct store *opened_as(const char *user, const char *more)
{
    char as[URL_BYTES];
    struct store *store = NULL;
    snprintf(as, sizeof as, "rados:%s?user=%s%s", conf, user, more);
    ok(store_open(as, &store, &why));
    return store;
}

/* How many objects of the namespace have the prefix in their name. */
static unsigned objects(const char *pool, const char *namespace, const char *prefix)
{
    rados_ioctx_t io = in_pool(pool, namespace);
    rados_list_ctx_t list;
    const char *id;
    unsigned count = 0;
    assert_int_equal(rados_nobjects_list_open(io, &list), 0);
    while (!rados_nobjects_list_next(list, &id, NULL, NULL))
        count += !strncmp(id, prefix, strlen(prefix));
    rados_nobjects_list_close(list);
    rados_ioctx_destroy(io);
    return count;
}

static void xattr(rados_ioctx_t io, const char *id, const char *key, char text[TEXT_BYTES])
{
    int n = rados_getxattr(io, id, key, text, TEXT_BYTES - 1);
    text[n < 0 ? 0 : n] = '\0';
}

/* ---- the fences ---- */

/* The lock is broken without its holder's knowing, long before it would run out. */
static void lock_break(void)
{
    char tag[TEXT_BYTES], client[TEXT_BYTES], cookie[TEXT_BYTES], address[TEXT_BYTES];
    size_t tag_n = TEXT_BYTES, client_n = TEXT_BYTES, cookie_n = TEXT_BYTES, address_n = TEXT_BYTES;
    int exclusive;
    rados_ioctx_t io = in_pool("sohoa-meta", "lock");
    assert_int_equal(rados_list_lockers(io, "lock", "writer", &exclusive, tag, &tag_n, client, &client_n, cookie,
                                        &cookie_n, address, &address_n),
                     1);
    assert_int_equal(rados_break_lock(io, "lock", "writer", client, cookie), 0);
    rados_ioctx_destroy(io);
}

/* client.silent may not blocklist, and the old holder's time is not up: what refuses is the lock's epoch. */
static void the_epoch_of_the_lock_fences(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *old = opened_as("client.silent", "");
    AUTO(store_destroy) struct store *new = opened_as("client.silent", "");
    struct blob append = blob("batch", "lock-epoch/append");
    struct blob later = blob("out", "after-fence");
    lock_when_free(old, "old", LONG_TTL_MS);
    guarded_calls_return(old, "lock-epoch", 0);
    lock_break();
    ok(store_lock(new, "new", LONG_TTL_MS, &why));
    guarded_calls_return(old, "lock-epoch", E_FENCED);
    assert_int_equal(store_renew(old, &why), E_FENCED);
    holds(new, append.name, "a", 1);
    ok(store_create(old, later.name, "x", 1, &why)); /* not blocklisted, content is anyone's */
    guarded_calls_return(new, "lock-epoch-new", 0);
}

/* The object is as a newer holder, of whom the old one can't know yet, left it. */
static int guarded_call_on(struct store *store, const char *name, int which)
{
    struct store_pair pair = {"key", "late", 4};
    switch (which) {
    case 0: return store_guard_replace(store, name, "late", 4, &why);
    case 1: return store_guard_append(store, name, "late", 4, NULL, &why);
    case 2: return store_guard_map_set(store, name, &pair, 1, &why);
    default: return store_guard_remove(store, name, &why);
    }
}

static void the_epoch_of_the_object_fences(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    rados_ioctx_t io = in_pool("sohoa-meta", "batch");
    for (int which = 0; which < 4; which++) {
        struct blob b = blob("batch", "object-epoch/%d", which);
        char newer[TEXT_BYTES], found[TEXT_BYTES];
        bool more = true;
        lock_when_free(store, "old", LONG_TTL_MS);
        ok(store_guard_replace(store, b.name, "was", 3, &why));
        snprintf(newer, sizeof newer, "%020" PRIu64, store_epoch(store) + 1);
        assert_int_equal(rados_setxattr(io, id_of(&b), "epoch", newer, strlen(newer)), 0);
        assert_int_equal(guarded_call_on(store, b.name, which), E_FENCED);
        assert_non_null(strstr(why.text, b.name));
        assert_int_equal(store_epoch(store), 0);
        holds(store, b.name, "was", 3);
        assert_int_equal(page_of(store, b.name, "", 5, &more).count, 0);
        xattr(io, id_of(&b), "epoch", found);
        assert_string_equal(found, newer);
        lock_break();
    }
    rados_ioctx_destroy(io);
}

static void a_new_holder_raises_the_epoch_of_what_it_writes(void **state)
{
    (void)state;
    rados_ioctx_t io = in_pool("sohoa-meta", "batch");
    struct blob b = blob("batch", "raised"), bare = blob("batch", "bare");
    char before[TEXT_BYTES], after[TEXT_BYTES], want[TEXT_BYTES];
    AUTO(store_destroy) struct store *store = opened();
    lock_when_free(store, "first", LONG_TTL_MS);
    ok(store_guard_append(store, b.name, "1", 1, NULL, &why));
    xattr(io, id_of(&b), "epoch", before);
    snprintf(want, sizeof want, "%020" PRIu64, store_epoch(store));
    assert_string_equal(before, want);
    store_destroy(&store);

    store = opened();
    ok(store_lock(store, "second", LONG_TTL_MS, &why));
    ok(store_guard_append(store, b.name, "2", 1, NULL, &why));
    xattr(io, id_of(&b), "epoch", after);
    snprintf(want, sizeof want, "%020" PRIu64, store_epoch(store));
    assert_string_equal(after, want);
    holds(store, b.name, "12", 2);

    assert_int_equal(rados_write_full(io, id_of(&bare), "x", 1), 0); /* an object without any epoch */
    ok(store_guard_append(store, bare.name, "y", 1, NULL, &why));
    holds(store, bare.name, "xy", 2);
    rados_ioctx_destroy(io);
}

static void a_vanished_holder_is_blocklisted_and_a_leaving_one_is_not(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *old = opened();
    AUTO(store_destroy) struct store *new = opened();
    lock_when_free(old, "vanishing", TTL_MS);
    lock_when_free(new, "leaving", LONG_TTL_MS);
    struct blob b = blob("out", "blocklisted");
    uint64_t end = clock_mono_ms() + WAIT_MS;
    int rc; /* each OSD hears of it in its own time */
    while ((rc = store_replace(old, b.name, "x", 1, &why)) != E_FENCED && clock_mono_ms() < end)
        usleep(STEP_US);
    assert_int_equal(rc, E_FENCED);
    assert_int_equal(store_create(old, b.name, "x", 1, &why), E_FENCED);

    char address[TEXT_BYTES];
    rados_ioctx_t io = in_pool("sohoa-meta", "lock");
    xattr(io, "lock", "address", address);
    assert_string_not_equal(address, "");
    store_destroy(&new);
    xattr(io, "lock", "address", address);
    assert_string_equal(address, "");
    rados_ioctx_destroy(io);
}

static void a_missed_renewal_ends_the_holding(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    lock_when_free(store, "late", TTL_MS);
    ok(store_renew(store, &why));
    usleep((TTL_MS + 50) * 1000); /* the time to live itself is what is looked at */
    struct blob b = blob("batch", "late");
    assert_int_equal(store_guard_append(store, b.name, "x", 1, NULL, &why), E_FENCED);
    assert_int_equal(store_renew(store, &why), E_FENCED);
    assert_int_equal(store_epoch(store), 0);
    lock_when_free(store, "again", TTL_MS);
    ok(store_guard_append(store, b.name, "x", 1, NULL, &why));
}

static void a_lock_is_kept_while_its_holder_is_busy(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    AUTO(renewal_stop) struct renewal *renewal = NULL;
    struct blob b = blob("batch", "busy");
    lock_when_free(store, "busy", TTL_MS);
    ok(renewal_start(store, TTL_MS, &renewal, &why));
    usleep(3 * TTL_MS * 1000);
    ok(store_guard_append(store, b.name, "x", 1, NULL, &why));
    ok(renewal_look(renewal, &why));
    lock_break();
    struct pollfd lost = {renewal_fd(renewal), POLLIN, 0};
    assert_int_equal(poll(&lost, 1, 10000), 1);
    assert_int_equal(renewal_look(renewal, &why), E_FENCED);
}

/* ---- parts ---- */

static void a_removed_blob_leaves_no_parts(void **state)
{
    (void)state;
    struct blob b = blob("src", "parted");
    AUTO(fd_destroy) int out = -1;
    pid_t pid = spawned("write", b.name, &out);
    wait_bytes_read(pid, KILL_AT_BYTES);
    killed(pid);
    AUTO(store_destroy) struct store *store = opened();
    uint8_t digest[SHA256_BYTES];
    AUTO(fd_destroy) int fd = pattern_file(BIG_BYTES, digest);
    assert_true(objects("sohoa-data", "src", id_of(&b)) > 3);
    ok(store_remove(store, b.name, &why));
    assert_int_equal(objects("sohoa-data", "src", id_of(&b)), 0);
    ok(store_create_from(store, b.name, fd, BIG_BYTES, &why));
    assert_int_equal(objects("sohoa-data", "src", id_of(&b)), 1 + 1 + (BIG_BYTES + (16 << 20) - 1) / (16 << 20));
    lock_when_free(store, "purger", LONG_TTL_MS);
    ok(store_guard_remove(store, b.name, &why));
    assert_int_equal(objects("sohoa-data", "src", id_of(&b)), 0);
    absent(store, b.name);
}

/* Some object that is a part of b. */
static void part_of(rados_ioctx_t io, const struct blob *b, char part[STORE_NAME_BYTES])
{
    rados_list_ctx_t list;
    const char *id;
    part[0] = '\0';
    assert_int_equal(rados_nobjects_list_open(io, &list), 0);
    while (!rados_nobjects_list_next(list, &id, NULL, NULL))
        if (!strncmp(id, id_of(b), strlen(id_of(b))) && strlen(id) == strlen(id_of(b)) + 1 + SHA256_HEX_CHARS)
            snprintf(part, STORE_NAME_BYTES, "%s", id);
    rados_nobjects_list_close(list);
    assert_string_not_equal(part, "");
}

static void parts_are_reused_if_they_fit(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    AUTO(buf_destroy) struct buf got = {0};
    uint8_t digest[SHA256_BYTES];
    AUTO(fd_destroy) int fd = pattern_file(BIG_BYTES, digest);
    struct blob b = blob("src", "reused");
    char part[STORE_NAME_BYTES];
    rados_ioctx_t io = in_pool("sohoa-data", "src");
    buf_puts(&got, "kept");
    ok(store_create_from(store, b.name, fd, BIG_BYTES, &why));
    part_of(io, &b, part);
    assert_int_equal(rados_remove(io, id_of(&b)), 0); /* as if killed just before the head */
    absent(store, b.name);
    ok(store_create_from(store, b.name, fd, BIG_BYTES, &why));
    whole_equals(store, b.name, BIG_BYTES, digest);

    assert_int_equal(rados_trunc(io, part, 10), 0);
    assert_int_equal(store_get(store, b.name, BIG_BYTES, &got, &why), E_CORRUPT);
    assert_int_equal(rados_remove(io, id_of(&b)), 0);
    assert_int_equal(store_create_from(store, b.name, fd, BIG_BYTES, &why), E_CORRUPT);
    absent(store, b.name);
    assert_int_equal(rados_remove(io, part), 0);
    ok(store_create_from(store, b.name, fd, BIG_BYTES, &why));
    assert_int_equal(rados_remove(io, part), 0);
    assert_int_equal(store_read(store, b.name, 0, BIG_BYTES, &got, &why), E_CORRUPT);
    assert_string_equal(buf_text(&got), "kept");
    ok(store_remove(store, b.name, &why));
    rados_ioctx_destroy(io);
}

static void a_replaced_head_is_one_no_more(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    uint8_t digest[SHA256_BYTES];
    AUTO(fd_destroy) int fd = pattern_file(BIG_BYTES, digest);
    struct blob b = blob("rec", "big");
    ok(store_create_from(store, b.name, fd, BIG_BYTES, &why));
    ok(store_replace(store, b.name, "small", 5, &why));
    holds(store, b.name, "small", 5);
    ok(store_remove(store, b.name, &why));
    assert_int_equal(objects("sohoa-meta", "rec", id_of(&b)), 0);
}

static void a_blob_may_look_like_a_head(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    AUTO(buf_destroy) struct buf got = {0};
    static const char looks[] = "SOHOAPT1 and whatever anyone may write into a scan";
    struct blob b = blob("src", "looks"), tiny = blob("src", "looks-tiny");
    ok(store_create(store, b.name, looks, sizeof looks, &why));
    ok(store_create(store, tiny.name, looks, 8, &why));
    holds(store, b.name, looks, sizeof looks);
    holds(store, tiny.name, looks, 8);
    assert_int_equal(store_get(store, b.name, sizeof looks - 1, &got, &why), E_LIMIT);
    assert_int_equal(got.size, 0);
}

/* ---- pools, rights, reach ---- */

static void mon(const char *command)
{
    char *out = NULL, *text = NULL;
    size_t out_n, text_n;
    int rc = rados_mon_command(admin, &command, 1, "", 0, &out, &out_n, &text, &text_n);
    if (rc)
        print_error("%s: %.*s\n", command, (int)text_n, text);
    rados_buffer_free(out);
    rados_buffer_free(text);
    assert_int_equal(rc, 0);
}

/* Data in a pool as it comes: neither omap nor overwriting can be used there. */
static void content_may_be_erasure_coded(void **state)
{
    (void)state;
    mon("{\"prefix\": \"osd erasure-code-profile set\", \"name\": \"test\", \"force\": true,"
        " \"profile\": [\"k=2\", \"m=1\", \"crush-failure-domain=osd\"]}");
    mon("{\"prefix\": \"osd pool create\", \"pool\": \"sohoa-ec\", \"pg_num\": 4, \"pgp_num\": 4,"
        " \"pool_type\": \"erasure\", \"erasure_code_profile\": \"test\"}");
    AUTO(store_destroy) struct store *store = opened_as("client.admin", "&data=sohoa-ec");
    AUTO(buf_destroy) struct buf got = {0};
    uint8_t digest[SHA256_BYTES];
    AUTO(fd_destroy) int fd = pattern_file(BIG_BYTES, digest);
    struct blob small = blob("out", "ec/text"), big = blob("src", "ec-big"), whole = blob("src", "ec-whole");
    struct blob prefix = blob("src", "ec-");
    ok(store_create(store, small.name, "text", 4, &why));
    assert_int_equal(store_create(store, small.name, "other", 5, &why), E_EXISTS);
    holds(store, small.name, "text", 4);
    ok(store_create_from(store, big.name, fd, BIG_BYTES, &why));
    whole_equals(store, big.name, BIG_BYTES, digest);
    ok(store_create_from(store, whole.name, fd, (20 << 20) + 1, &why));
    ok(store_get(store, whole.name, STORE_PART_BYTES, &got, &why));
    assert_int_equal(got.size, (20 << 20) + 1);
    lock_when_free(store, "me", LONG_TTL_MS);
    ok(store_guard_remove(store, big.name, &why));
    ok(store_remove(store, whole.name, &why));
    assert_int_equal(objects("sohoa-ec", "src", id_of(&prefix)), 0);
    assert_int_equal(objects("sohoa-ec", "out", id_of(&small)), 1);
    store_destroy(&store);
    mon("{\"prefix\": \"osd pool delete\", \"pool\": \"sohoa-ec\", \"pool2\": \"sohoa-ec\","
        " \"yes_i_really_really_mean_it\": true}");
}

static void urls_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *tail;
        int want;
    } bad[] = {
        {"?user=",                    E_CONFIG},
        {"?pool=x",                   E_CONFIG},
        {"?meta=sohoa-meta&",         E_CONFIG},
        {"?meta=no-such-pool",        E_CONFIG},
        {"?data=no-such-pool",        E_CONFIG},
        {"?user=nobody",              E_CONFIG},
        {"?user=client.no-such-user", E_STORE },
        {".missing",                  E_CONFIG},
    };
    struct store *store = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char as[URL_BYTES];
        snprintf(as, sizeof as, "rados:%s%s", conf, bad[i].tail);
        assert_int_equal(store_open(as, &store, &why), bad[i].want);
        assert_null(store);
    }
    ok(store_open(strcpy((char[URL_BYTES]){0}, url), &store, &why));
    store_destroy(&store);
}

/* It takes its time to give up, so it runs beside all other tests. */
struct lost {
    pthread_t thread;
    char url[URL_BYTES];
    struct err err;
    int rc;
    uint64_t took_ms;
};

static struct lost lost;

static void *lost_run(void *user)
{
    struct lost *l = user;
    struct store *store = NULL;
    uint64_t start = clock_mono_ms();
    l->rc = store_open(l->url, &store, &l->err);
    l->took_ms = clock_mono_ms() - start;
    store_destroy(&store);
    return NULL;
}

static int lost_begin(void)
{
    char text[1024];
    int fd = memfd_create("lost.conf", 0);
    int n = snprintf(text, sizeof text, "[global]\nmon_host = v2:127.0.0.1:1\nlog_file =\nkeyring = %.*s/keyring\n",
                     (int)(strrchr(conf, '/') - conf), conf);
    if (fd < 0 || write(fd, text, (size_t)n) != n)
        return -1;
    snprintf(lost.url, sizeof lost.url, "rados:/proc/self/fd/%d", fd);
    return pthread_create(&lost.thread, NULL, lost_run, &lost);
}

static void a_cluster_out_of_reach_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(pthread_join(lost.thread, NULL), 0);
    assert_int_equal(lost.rc, E_STORE);
    assert_true(lost.took_ms < PATIENCE_MS);
}

static int begin(void **state)
{
    (void)state;
    if (rados_create2(&admin, "ceph", "client.admin", 0) || rados_conf_read_file(admin, conf))
        return -1;
    return rados_connect(admin) ? -1 : lost_begin();
}

static int end(void **state)
{
    (void)state;
    rados_shutdown(admin);
    return 0;
}

int rados_tests(const char *ceph_conf)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_epoch_of_the_lock_fences),
        cmocka_unit_test(the_epoch_of_the_object_fences),
        cmocka_unit_test(a_new_holder_raises_the_epoch_of_what_it_writes),
        cmocka_unit_test(a_vanished_holder_is_blocklisted_and_a_leaving_one_is_not),
        cmocka_unit_test(a_missed_renewal_ends_the_holding),
        cmocka_unit_test(a_lock_is_kept_while_its_holder_is_busy),
        cmocka_unit_test(a_removed_blob_leaves_no_parts),
        cmocka_unit_test(parts_are_reused_if_they_fit),
        cmocka_unit_test(a_replaced_head_is_one_no_more),
        cmocka_unit_test(a_blob_may_look_like_a_head),
        cmocka_unit_test(content_may_be_erasure_coded),
        cmocka_unit_test(urls_are_checked),
        cmocka_unit_test(a_cluster_out_of_reach_is_an_error),
    };
    conf = ceph_conf;
    return cmocka_run_group_tests_name("store: only in Ceph", tests, begin, end);
}
