/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The state half of the store's contract: guarded writes, maps, the lock and who is fenced off. */
#include "tests/unit/store_test.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { PAIRS = 2500 };

static void without_the_lock_nothing_guarded_is_written(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    struct blob append = blob("batch", "unlocked/append");
    assert_int_equal(store_epoch(store), 0);
    guarded_calls_return(store, "unlocked", E_FENCED);
    assert_int_equal(store_renew(store, &why), E_FENCED);
    absent(store, append.name);
}

static void guarded_writes_do_what_they_say(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    struct blob seg = blob("ledger", "00000001"), man = blob("batch", "b1/manifest"), lay = blob("batch", "b1/layout");
    uint64_t offset = 99;
    lock_when_free(store, "me", TTL_MS);
    ok(store_guard_create(store, seg.name, "seg", 3, &why));
    assert_int_equal(store_guard_create(store, seg.name, "other", 5, &why), E_EXISTS);
    ok(store_guard_append(store, seg.name, "ment", 4, &offset, &why));
    assert_int_equal(offset, 3);
    holds(store, seg.name, "segment", 7);
    ok(store_guard_replace(store, man.name, "manifest", 8, &why));
    ok(store_guard_replace(store, man.name, "mani", 4, &why));
    holds(store, man.name, "mani", 4);
    ok(store_guard_append(store, lay.name, "one", 3, &offset, &why));
    assert_int_equal(offset, 0);
    ok(store_guard_append(store, lay.name, "three", 5, &offset, &why));
    assert_int_equal(offset, 3);
    ok(store_guard_append(store, lay.name, "", 0, &offset, &why));
    assert_int_equal(offset, 8);
    holds(store, lay.name, "onethree", 8);
    ok(store_guard_remove(store, lay.name, &why));
    absent(store, lay.name);
    ok(store_guard_remove(store, lay.name, &why));
    assert_int_equal(times_listed(store, man.name, man.name, NULL), 1);
}

struct appender {
    struct store *store;
    const char *name;
    uint8_t byte;
    uint64_t offset[CONTESTS];
    int rc;
};

static void *appender_run(void *user)
{
    struct appender *a = user;
    for (int i = 0; i < CONTESTS && !a->rc; i++)
        a->rc = store_guard_append(a->store, a->name, &a->byte, 1, &a->offset[i], NULL);
    return NULL;
}

static void appends_of_threads_get_their_own_offsets(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    AUTO(buf_destroy) struct buf got = {0};
    struct blob b = blob("ledger", "threads");
    struct appender appender[WRITERS];
    pthread_t thread[WRITERS];
    lock_when_free(store, "me", LONG_TTL_MS);
    for (int i = 0; i < WRITERS; i++) {
        appender[i] = (struct appender){.store = store, .name = b.name, .byte = (uint8_t)('a' + i)};
        assert_int_equal(pthread_create(&thread[i], NULL, appender_run, &appender[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(thread[i], NULL);
    ok(store_get(store, b.name, STORE_PART_BYTES, &got, &why));
    assert_int_equal(got.size, WRITERS * CONTESTS);
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(appender[i].rc, 0);
        for (int j = 0; j < CONTESTS; j++)
            assert_int_equal(got.data[appender[i].offset[j]], appender[i].byte);
    }
}

static void a_map_is_read_in_pages(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    struct blob map = blob("batch", "b2/index/0");
    static struct store_pair pair[PAIRS];
    static char key[PAIRS][16], value[PAIRS][16];
    for (int i = 0; i < PAIRS; i++) {
        snprintf(key[i], sizeof key[i], "%08d", (i * 7919) % PAIRS);
        snprintf(value[i], sizeof value[i], "v%d", (i * 7919) % PAIRS);
        pair[i] = (struct store_pair){key[i], value[i], strlen(value[i])};
    }
    lock_when_free(store, "me", LONG_TTL_MS);
    ok(store_guard_map_set(store, map.name, pair, PAIRS - 100, &why));
    ok(store_guard_map_set(store, map.name, pair + PAIRS - 200, 200, &why));
    ok(store_guard_map_set(store, map.name, pair, 0, &why));

    bool more = false;
    unsigned pages = 0, count = 0;
    char after[STORE_KEY_BYTES + 1] = "";
    do {
        struct page p = page_of(store, map.name, after, STORE_MAP_PAGE, &more);
        assert_true(p.ordered && p.count);
        count += p.count;
        pages++;
        snprintf(after, sizeof after, "%s", p.last);
    } while (more);
    assert_int_equal(count, PAIRS);
    assert_int_equal(pages, (PAIRS + STORE_MAP_PAGE - 1) / STORE_MAP_PAGE);
    assert_string_equal(after, "00002499");

    struct page p = page_of(store, map.name, "00000041", 1, &more);
    assert_int_equal(p.count, 1);
    assert_true(more);
    assert_string_equal(p.first, "00000042");
    assert_string_equal(p.value, "v42");
    p = page_of(store, map.name, "00002498", 1, &more);
    assert_int_equal(p.count, 1);
    assert_false(more);
    p = page_of(store, map.name, "00002499", 5, &more);
    assert_int_equal(p.count, 0);
    assert_false(more);
}

static void what_is_renewed_leaves_the_others(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    struct blob map = blob("batch", "b4/index/0");
    bool more = true;
    lock_when_free(store, "me", LONG_TTL_MS);
    ok(store_guard_map_renew(store, map.name, &(struct store_pair){"a", "first", 5}, 1, &why));
    ok(store_guard_map_set(store, map.name, &(struct store_pair){"b", "kept", 4}, 1, &why));
    ok(store_guard_map_renew(store, map.name, &(struct store_pair){"a", "it", 2}, 1, &why));
    ok(store_guard_map_set(store, map.name, &(struct store_pair){"c", "later", 5}, 1, &why));
    struct page p = page_of(store, map.name, "", 10, &more);
    assert_int_equal(p.count, 3);
    assert_string_equal(p.first, "a");
    assert_string_equal(p.last, "c");
    p = page_of(store, map.name, "", 1, &more);
    assert_int_equal(p.bytes, 2);
}

static void the_last_value_of_a_key_counts(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    struct blob map = blob("batch", "b3/index/0"), none = blob("batch", "b3/index/1");
    char key[STORE_KEY_BYTES + 2], value[STORE_VALUE_BYTES + 1];
    memset(key, 'k', sizeof key);
    key[STORE_KEY_BYTES] = '\0';
    memset(value, 'v', sizeof value);
    bool more = true;
    struct page p = page_of(store, none.name, "", 10, &more);
    assert_int_equal(p.count, 0);
    assert_false(more);
    lock_when_free(store, "me", LONG_TTL_MS);
    ok(store_guard_map_set(store, map.name, &(struct store_pair){key, "old", 3}, 1, &why));
    ok(store_guard_map_set(store, map.name, &(struct store_pair){key, value, STORE_VALUE_BYTES}, 1, &why));
    ok(store_guard_map_set(store, map.name, &(struct store_pair){"a", "", 0}, 1, &why));
    p = page_of(store, map.name, "", 10, &more);
    assert_int_equal(p.count, 2);
    assert_string_equal(p.first, "a");
    assert_string_equal(p.last, key);
    assert_int_equal(p.bytes, STORE_VALUE_BYTES);
    assert_int_equal(store_guard_map_set(store, map.name, &(struct store_pair){"", "", 0}, 1, &why), E_LIMIT);
    assert_int_equal(store_guard_map_set(store, map.name, &(struct store_pair){"a", value, sizeof value}, 1, &why),
                     E_LIMIT);
    key[STORE_KEY_BYTES] = 'k';
    key[STORE_KEY_BYTES + 1] = '\0';
    assert_int_equal(store_guard_map_set(store, map.name, &(struct store_pair){key, "", 0}, 1, &why), E_LIMIT);
    assert_int_equal(store_map_read(store, map.name, "", 0, page_each, &p, &more, &why), E_USAGE);
    assert_int_equal(store_map_read(store, map.name, "", STORE_MAP_PAGE + 1, page_each, &p, &more, &why), E_USAGE);
}

/* ---- the lock ---- */

static void the_lock_has_one_holder(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *a = opened();
    AUTO(store_destroy) struct store *b = opened();
    lock_when_free(a, "host-a coordinator", LONG_TTL_MS);
    uint64_t epoch = store_epoch(a);
    assert_true(epoch > 0);
    assert_int_equal(store_lock(b, "host-b", LONG_TTL_MS, &why), E_LOCKED);
    assert_non_null(strstr(why.text, "host-a coordinator"));
    assert_int_equal(store_epoch(b), 0);
    assert_int_equal(store_lock(a, "again", LONG_TTL_MS, &why), E_STATE);
    ok(store_renew(a, &why));
    store_destroy(&a);
    ok(store_lock(b, "host-b", LONG_TTL_MS, &why));
    assert_int_equal(store_epoch(b), epoch + 1);
    assert_int_equal(store_lock(a = opened(), "", LONG_TTL_MS, &why), E_USAGE);
}

static void a_killed_holder_loses_the_lock(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    AUTO(fd_destroy) int out = -1;
    pid_t pid = spawned("hold", "other process", &out);
    char text[32] = "";
    struct pollfd p = {.fd = out, .events = POLLIN};
    assert_int_equal(poll(&p, 1, WAIT_MS), 1);
    assert_true(read(out, text, sizeof text - 1) > 0);
    uint64_t epoch = strtoull(text, NULL, 10);
    assert_true(epoch > 0);
    assert_int_equal(store_lock(store, "me", LONG_TTL_MS, &why), E_LOCKED);
    assert_non_null(strstr(why.text, "other process"));
    killed(pid);
    lock_when_free(store, "me", LONG_TTL_MS);
    assert_int_equal(store_epoch(store), epoch + 1);
    guarded_calls_return(store, "after-kill", 0);
}

static void a_fenced_holder_writes_nothing_more(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *old = opened();
    AUTO(store_destroy) struct store *new = opened();
    struct blob append = blob("batch", "fence/append"), map = blob("batch", "fence/map");
    struct blob other = blob("batch", "other/append");
    lock_when_free(old, "old", TTL_MS);
    guarded_calls_return(old, "fence", 0);
    if (dir_backend) { /* a flock is lost in no other way */
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "%s/lock", url + strlen("dir:"));
        assert_int_equal(unlink(path), 0);
    }
    lock_when_free(new, "new", LONG_TTL_MS);
    ok(store_guard_append(new, append.name, "n", 1, NULL, &why));
    guarded_calls_return(old, "fence", E_FENCED);
    guarded_calls_return(old, "other", E_FENCED);
    assert_int_equal(store_renew(old, &why), E_FENCED);
    assert_int_equal(store_epoch(old), 0);
    holds(new, append.name, "an", 2);
    absent(new, other.name);
    bool more = true;
    struct page p = page_of(new, map.name, "", 10, &more);
    assert_int_equal(p.count, 1);
    guarded_calls_return(new, "new", 0);
    ok(store_renew(new, &why));
}

int state_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_the_lock_nothing_guarded_is_written),
        cmocka_unit_test(guarded_writes_do_what_they_say),
        cmocka_unit_test(appends_of_threads_get_their_own_offsets),
        cmocka_unit_test(a_map_is_read_in_pages),
        cmocka_unit_test(what_is_renewed_leaves_the_others),
        cmocka_unit_test(the_last_value_of_a_key_counts),
        cmocka_unit_test(the_lock_has_one_holder),
        cmocka_unit_test(a_killed_holder_loses_the_lock),
        cmocka_unit_test(a_fenced_holder_writes_nothing_more),
    };
    return cmocka_run_group_tests_name(dir_backend ? "store: state in a folder" : "store: state in Ceph", tests, NULL,
                                       NULL);
}
