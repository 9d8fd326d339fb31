/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The content half of the store's contract: create-if-absent, reading, big blobs, killed and competing writers. */
#include "tests/unit/store_test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { KILL_AT_BYTES = 80 << 20 }; /* a writer is killed when it has read that many */

static void create_is_exclusive_and_read_back(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    struct blob b = blob("out", "pipeline/text"), empty = blob("out", "pipeline/empty");
    absent(store, b.name);
    ok(store_create(store, b.name, "first", 5, &why));
    holds(store, b.name, "first", 5);
    assert_int_equal(store_create(store, b.name, "second", 6, &why), E_EXISTS);
    assert_non_null(strstr(why.text, b.name));
    holds(store, b.name, "first", 5);
    ok(store_create(store, empty.name, NULL, 0, &why));
    holds(store, empty.name, "", 0);
    assert_int_equal(store_create(store, empty.name, "x", 1, &why), E_EXISTS);
}

static void get_keeps_what_the_buffer_had(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    AUTO(buf_destroy) struct buf into = {0};
    struct blob b = blob("rec", "00000001"), none = blob("rec", "00000002");
    ok(store_create(store, b.name, "12345", 5, &why));
    buf_puts(&into, "kept");
    assert_int_equal(store_get(store, b.name, 4, &into, &why), E_LIMIT);
    assert_int_equal(store_get(store, none.name, 4, &into, &why), E_ABSENT);
    assert_int_equal(store_read(store, none.name, 0, 4, &into, &why), E_ABSENT);
    assert_string_equal(buf_text(&into), "kept");
    assert_int_equal(into.size, 4);
    ok(store_get(store, b.name, 5, &into, &why));
    assert_string_equal(buf_text(&into), "kept12345");
}

static void get_takes_any_length(void **state)
{
    (void)state;
    static const size_t length[] = {1, 100, (4 << 20) - 2, (4 << 20) - 1, 4 << 20, (4 << 20) + 1, 9 << 20};
    AUTO(store_destroy) struct store *store = opened();
    for (size_t i = 0; i < sizeof length / sizeof *length; i++) {
        AUTO(buf_destroy) struct buf got = {0};
        uint8_t digest[SHA256_BYTES];
        AUTO(fd_destroy) int fd = pattern_file(length[i], digest);
        struct blob b = blob("out", "length-%zu/pdf", length[i]);
        ok(store_create_from(store, b.name, fd, length[i], &why));
        whole_equals(store, b.name, length[i], digest);
        assert_int_equal(store_get(store, b.name, length[i] - 1, &got, &why), E_LIMIT);
        assert_string_equal(buf_text(&got), "");
        ok(store_get(store, b.name, length[i], &got, &why));
        assert_int_equal(got.size, length[i]);
    }
}

static void read_stops_at_the_end(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    AUTO(buf_destroy) struct buf into = {0};
    struct blob b = blob("src", "digits");
    ok(store_create(store, b.name, "0123456789", 10, &why));
    ok(store_read(store, b.name, 0, 3, &into, &why));
    ok(store_read(store, b.name, 7, 3, &into, &why));
    ok(store_read(store, b.name, 8, 100, &into, &why));
    ok(store_read(store, b.name, 10, 5, &into, &why));
    ok(store_read(store, b.name, UINT64_C(1) << 40, 5, &into, &why));
    ok(store_read(store, b.name, 4, 0, &into, &why));
    assert_string_equal(buf_text(&into), "01278989"
                                         "");
    assert_int_equal(into.size, 8);
}

static void replace_changes_all(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    struct blob b = blob("rec", "replaced");
    ok(store_replace(store, b.name, "a long first one", 16, &why));
    ok(store_replace(store, b.name, "short", 5, &why));
    holds(store, b.name, "short", 5);
}

static void removed_is_absent_and_may_come_back(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    struct blob b = blob("bundle", "p/1-4"), sibling = blob("bundle", "p/5-4");
    ok(store_create(store, b.name, "x", 1, &why));
    ok(store_create(store, sibling.name, "y", 1, &why));
    ok(store_remove(store, b.name, &why));
    absent(store, b.name);
    holds(store, sibling.name, "y", 1);
    ok(store_remove(store, b.name, &why));
    ok(store_remove(store, sibling.name, &why));
    ok(store_create(store, b.name, "z", 1, &why));
    holds(store, b.name, "z", 1);
}

static int stop_at_second(const char *name, void *user)
{
    (void)name;
    return ++*(int *)user == 2 ? 42 : 0;
}

static void list_names_by_prefix(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    struct blob a = blob("out", "list/one"), b = blob("out", "list/once"), c = blob("src", "list-two");
    struct blob under = blob("out", "list/"), part = blob("out", "list/on"), none = blob("out", "list/nothing");
    ok(store_create(store, a.name, "1", 1, &why));
    ok(store_create(store, b.name, "2", 1, &why));
    ok(store_create(store, c.name, "3", 1, &why));
    unsigned all;
    assert_int_equal(times_listed(store, under.name, a.name, &all), 1);
    assert_int_equal(all, 2);
    assert_int_equal(times_listed(store, part.name, b.name, &all), 1);
    assert_int_equal(all, 2);
    assert_int_equal(times_listed(store, a.name, a.name, &all), 1);
    assert_int_equal(all, 1);
    assert_int_equal(times_listed(store, none.name, a.name, &all), 0);
    assert_int_equal(all, 0);
    assert_int_equal(times_listed(store, "", a.name, NULL), 1);
    assert_int_equal(times_listed(store, "", c.name, NULL), 1);
    assert_int_equal(times_listed(store, "s", c.name, NULL), 1);
    assert_int_equal(times_listed(store, "src", c.name, NULL), 1);
    assert_int_equal(times_listed(store, "src/", a.name, NULL), 0);
    int calls = 0;
    assert_int_equal(store_list(store, under.name, stop_at_second, &calls, &why), 42);
    assert_int_equal(calls, 2);
}

static void names_are_checked(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    char name_long[STORE_NAME_BYTES + 1], component_long[STORE_COMPONENT_CHARS + 6];
    memset(name_long, 'a', sizeof name_long - 1);
    for (size_t i = 3; i < sizeof name_long - 1; i += 100)
        name_long[i] = '/';
    memcpy(name_long, "src", 3);
    name_long[STORE_NAME_BYTES] = '\0';
    snprintf(component_long, sizeof component_long, "src/%0*d", STORE_COMPONENT_CHARS + 1, 1);
    const char *const bad[] = {
        "",        "src",     "src/",    "/src/a",  "src//a",       "src/../a", "src/.",
        "src/..",  "src/a b", "src/a~",  "src/a\n", "src/\xc3\xa1", "lock",     "lock/a",
        "other/a", name_long, "src/a:b", "srca/b",  component_long,
    };
    AUTO(buf_destroy) struct buf into = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(store_create(store, bad[i], "x", 1, &why), E_USAGE);
        assert_int_equal(store_get(store, bad[i], 1, &into, &why), E_USAGE);
        assert_int_equal(store_remove(store, bad[i], &why), E_USAGE);
    }
    name_long[STORE_NAME_BYTES - 1] = '\0';
    component_long[strlen(component_long) - 1] = '\0';
    struct blob dots = blob("src", "...x/..y/.z/a_B-9.");
    const char *const good[] = {name_long, component_long, dots.name};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ok(store_remove(store, good[i], &why));
        ok(store_create(store, good[i], "x", 1, &why));
        holds(store, good[i], "x", 1);
        ok(store_remove(store, good[i], &why));
    }
}

static void one_write_has_a_limit(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    AUTO(mem_destroy) uint8_t *data = calloc(1, STORE_PART_BYTES + 1);
    struct blob b = blob("out", "limit");
    assert_non_null(data);
    data[STORE_PART_BYTES - 1] = 1;
    assert_int_equal(store_create(store, b.name, data, STORE_PART_BYTES + 1, &why), E_LIMIT);
    absent(store, b.name);
    ok(store_create(store, b.name, data, STORE_PART_BYTES, &why));
    holds(store, b.name, data, STORE_PART_BYTES);
    ok(store_remove(store, b.name, &why));
}

static void ranges_equal(struct store *store, const char *name, int fd)
{
    static const struct {
        uint64_t offset;
        size_t bytes;
    } range[] = {
        {0,              1         },
        {(8 << 20) - 10, 20        },
        {(16 << 20) - 1, 2         },
        {(32 << 20) - 5, (17 << 20)},
        {(64 << 20) - 7, 14        },
        {BIG_BYTES - 3,  3         },
    };
    for (size_t i = 0; i < sizeof range / sizeof range[0]; i++) {
        AUTO(buf_destroy) struct buf got = {0};
        AUTO(mem_destroy) uint8_t *want = malloc(range[i].bytes);
        assert_non_null(want);
        assert_int_equal(pread(fd, want, range[i].bytes, (off_t)range[i].offset), range[i].bytes);
        ok(store_read(store, name, range[i].offset, range[i].bytes, &got, &why));
        assert_int_equal(got.size, range[i].bytes);
        assert_memory_equal(got.data, want, range[i].bytes);
    }
}

static void a_big_blob_is_one_blob(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    AUTO(buf_destroy) struct buf got = {0};
    uint8_t digest[SHA256_BYTES];
    AUTO(fd_destroy) int fd = pattern_file(BIG_BYTES, digest);
    struct blob b = blob("src", "big"), under = blob("src", "b");
    uint64_t size = 0;
    unsigned all;
    ok(store_create_from(store, b.name, fd, BIG_BYTES, &why));
    ok(store_stat(store, b.name, &size, &why));
    assert_int_equal(size, BIG_BYTES);
    assert_int_equal(times_listed(store, under.name, b.name, &all), 1);
    assert_int_equal(all, 1);
    whole_equals(store, b.name, BIG_BYTES, digest);
    ranges_equal(store, b.name, fd);
    ok(store_read(store, b.name, BIG_BYTES - 2, 100, &got, &why));
    assert_int_equal(got.size, 2);
    ok(store_read(store, b.name, BIG_BYTES, 100, &got, &why));
    assert_int_equal(got.size, 2);
    assert_int_equal(store_get(store, b.name, BIG_BYTES - 1, &got, &why), E_LIMIT);
    assert_int_equal(got.size, 2);
    assert_int_equal(store_create_from(store, b.name, fd, BIG_BYTES, &why), E_EXISTS);
    assert_int_equal(store_create(store, b.name, "x", 1, &why), E_EXISTS);
    ok(store_remove(store, b.name, &why));
    absent(store, b.name);
}

static void create_from_takes_exactly_the_bytes(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    uint8_t digest[SHA256_BYTES];
    AUTO(fd_destroy) int fd = pattern_file(100000, digest);
    struct blob whole = blob("src", "from"), part = blob("src", "from-part"), beyond = blob("src", "from-beyond");
    struct blob far = blob("src", "from-far"), none = blob("src", "from-none");
    lseek(fd, 5, SEEK_SET);
    ok(store_create_from(store, whole.name, fd, 100000, &why));
    whole_equals(store, whole.name, 100000, digest);
    uint8_t first[7];
    assert_int_equal(pread(fd, first, sizeof first, 0), sizeof first);
    ok(store_create_from(store, part.name, fd, sizeof first, &why));
    holds(store, part.name, first, sizeof first);
    ok(store_create_from(store, none.name, fd, 0, &why));
    holds(store, none.name, "", 0);
    assert_int_equal(store_create_from(store, beyond.name, fd, 100001, &why), E_IO);
    absent(store, beyond.name);
    assert_int_equal(store_create_from(store, far.name, fd, BIG_BYTES, &why), E_IO);
    absent(store, far.name);
    assert_int_equal(store_create_from(store, beyond.name, -1, 10, &why), E_IO);
    absent(store, beyond.name);
}

static void a_killed_writer_leaves_nothing(void **state)
{
    (void)state;
    struct blob b = blob("src", "killed");
    AUTO(fd_destroy) int out = -1;
    pid_t pid = spawned("write", b.name, &out);
    wait_bytes_read(pid, KILL_AT_BYTES);
    killed(pid);

    AUTO(store_destroy) struct store *store = opened();
    uint8_t digest[SHA256_BYTES];
    AUTO(fd_destroy) int fd = pattern_file(BIG_BYTES, digest);
    absent(store, b.name);
    assert_int_equal(times_listed(store, b.name, b.name, NULL), 0);
    ok(store_create_from(store, b.name, fd, BIG_BYTES, &why));
    whole_equals(store, b.name, BIG_BYTES, digest);
    ok(store_remove(store, b.name, &why));
}

struct writer {
    struct store *store;
    pthread_barrier_t *start;
    struct blob *names;
    uint8_t byte;
    int rc[CONTESTS];
};

static void *writer_run(void *user)
{
    struct writer *w = user;
    uint8_t data[3000];
    memset(data, w->byte, sizeof data);
    for (int i = 0; i < CONTESTS; i++) {
        pthread_barrier_wait(w->start);
        w->rc[i] = store_create(w->store, w->names[i].name, data, sizeof data, NULL);
    }
    return NULL;
}

static void of_many_writers_one_wins(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    struct writer writer[WRITERS];
    struct blob names[CONTESTS];
    pthread_t thread[WRITERS];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, WRITERS);
    for (int i = 0; i < CONTESTS; i++)
        names[i] = blob("out", "contest/%d/text", i);
    for (int i = 0; i < WRITERS; i++) {
        writer[i] = (struct writer){store, &start, names, (uint8_t)('a' + i), {0}};
        assert_int_equal(pthread_create(&thread[i], NULL, writer_run, &writer[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&start);
    for (int i = 0; i < CONTESTS; i++) {
        int winner = -1, winners = 0;
        for (int w = 0; w < WRITERS; w++) {
            assert_true(writer[w].rc[i] == 0 || writer[w].rc[i] == E_EXISTS);
            if (!writer[w].rc[i]) {
                winners++;
                winner = w;
            }
        }
        assert_int_equal(winners, 1);
        uint8_t data[3000];
        memset(data, 'a' + winner, sizeof data);
        holds(store, names[i].name, data, sizeof data);
    }
}

/* Creates and removes the only blob of a folder, so that folders come and go under the writers. */
static void *churn_run(void *user)
{
    struct writer *w = user;
    for (int i = 0; i < CONTESTS; i++) {
        struct blob b = blob("bundle", "churn/p/%c", w->byte);
        w->rc[i] = store_create(w->store, b.name, "x", 1, NULL);
        if (!w->rc[i])
            w->rc[i] = store_remove(w->store, b.name, NULL);
    }
    return NULL;
}

static void folders_may_come_and_go(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    struct writer writer[WRITERS];
    pthread_t thread[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        writer[i] = (struct writer){.store = store, .byte = (uint8_t)('a' + i)};
        assert_int_equal(pthread_create(&thread[i], NULL, churn_run, &writer[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < WRITERS; i++)
        for (int j = 0; j < CONTESTS; j++)
            assert_int_equal(writer[i].rc[j], 0);
}

static void space_is_told(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    uint64_t left = 0, total = 0;
    ok(store_space(store, &left, &total, &why));
    assert_true(left > 0 && left <= total);
}

int content_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_is_exclusive_and_read_back),
        cmocka_unit_test(get_keeps_what_the_buffer_had),
        cmocka_unit_test(get_takes_any_length),
        cmocka_unit_test(read_stops_at_the_end),
        cmocka_unit_test(replace_changes_all),
        cmocka_unit_test(removed_is_absent_and_may_come_back),
        cmocka_unit_test(list_names_by_prefix),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(one_write_has_a_limit),
        cmocka_unit_test(a_big_blob_is_one_blob),
        cmocka_unit_test(create_from_takes_exactly_the_bytes),
        cmocka_unit_test(a_killed_writer_leaves_nothing),
        cmocka_unit_test(of_many_writers_one_wins),
        cmocka_unit_test(folders_may_come_and_go),
        cmocka_unit_test(space_is_told),
    };
    return cmocka_run_group_tests_name(dir_backend ? "store: content in a folder" : "store: content in Ceph", tests,
                                       NULL, NULL);
}
