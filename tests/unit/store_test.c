/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One contract, every backend: `store_test dir`, `store_test rados` (on the Ceph of SOHOA_TEST_CEPH_CONF), or both.
 * As `store_test write URL NAME` and `store_test hold URL OWNER` it is the other process that gets killed. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/sha256.h"
#include "storage/store.h"

enum {
    EXIT_SKIP = 77,
    URL_BYTES = 512,
    PATH_BYTES = URL_BYTES + STORE_NAME_BYTES,
    BIG_BYTES = 70 << 20,     /* more than STORE_PART_BYTES */
    KILL_AT_BYTES = 80 << 20, /* a writer is killed when it has read that many */
    ENDLESS_BYTES = 1 << 30,
    TTL_MS = 1000,
    LONG_TTL_MS = 60000,
    WAIT_MS = 60000,
    STEP_US = 5000,
    WRITERS = 8,
    CONTESTS = 40,
    PAIRS = 2500,
    SMALL_DISK_BYTES = 4 << 20,
};

static char folder[] = "/tmp/sohoa-store-XXXXXX";
static char url[URL_BYTES];
static bool dir_backend;
static uint64_t run; /* in every name: a cluster may have served other runs */
static struct err why;

extern char **environ;

/* ---- tools ---- */

#define ok(call) assert_ok((call), #call, __LINE__)

static void assert_ok(int rc, const char *call, int line)
{
    if (rc)
        print_error("line %d: %s: %s %s\n", line, call, err_name(rc), why.text);
    assert_int_equal(rc, 0);
}

struct blob {
    char name[STORE_NAME_BYTES];
};

static struct blob blob(const char *area, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* <area>/<run>/<tail> */
static struct blob blob(const char *area, const char *format, ...)
{
    struct blob b;
    int n = snprintf(b.name, sizeof b.name, "%s/%016" PRIx64 "/", area, run);
    va_list ap;
    va_start(ap, format);
    vsnprintf(b.name + n, sizeof b.name - (size_t)n, format, ap);
    va_end(ap);
    return b;
}

static struct store *opened(void)
{
    struct store *store = NULL;
    ok(store_open(url, &store, &why));
    return store;
}

static void holds(struct store *store, const char *name, const void *data, size_t bytes)
{
    AUTO(buf_destroy) struct buf got = {0};
    uint64_t size = 0;
    ok(store_get(store, name, STORE_PART_BYTES, &got, &why));
    assert_int_equal(got.size, bytes);
    assert_memory_equal(got.data ? got.data : (const uint8_t *)"", data, bytes);
    ok(store_stat(store, name, &size, &why));
    assert_int_equal(size, bytes);
}

static void absent(struct store *store, const char *name)
{
    assert_int_equal(store_stat(store, name, NULL, &why), E_ABSENT);
    assert_non_null(strstr(why.text, name));
}

/* A file of bytes that never repeat at a part's distance; the digest of it. */
static int pattern_file(uint64_t bytes, uint8_t digest[SHA256_BYTES])
{
    int fd = memfd_create("pattern", MFD_CLOEXEC);
    assert_true(fd >= 0);
    AUTO(sha256_destroy) struct sha256 *hash = sha256_new();
    uint64_t word = 88172645463325252u, step[8192];
    for (uint64_t at = 0; at < bytes; at += sizeof step) {
        for (size_t i = 0; i < sizeof step / sizeof step[0]; i++) {
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            step[i] = word;
        }
        size_t n = bytes - at < sizeof step ? (size_t)(bytes - at) : sizeof step;
        assert_int_equal(write(fd, step, n), n);
        sha256_update(hash, step, n);
    }
    sha256_final(hash, digest);
    return fd;
}

struct listed {
    const char *name;
    unsigned seen, all;
};

static int listed_each(const char *name, void *user)
{
    struct listed *l = user;
    l->all++;
    l->seen += !strcmp(name, l->name);
    return 0;
}

/* How often name is named under prefix. */
static unsigned times_listed(struct store *store, const char *prefix, const char *name, unsigned *ret_all)
{
    struct listed l = {name, 0, 0};
    ok(store_list(store, prefix, listed_each, &l, &why));
    if (ret_all)
        *ret_all = l.all;
    return l.seen;
}

/* Runs this program again as "mode", url, argument; its stdout is read through *ret_out. */
static pid_t spawned(const char *mode, const char *argument, int *ret_out)
{
    int out[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    char *const argv[] = {(char *)"store_test", (char *)mode, url, (char *)argument, NULL};
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    *ret_out = out[0];
    return pid;
}

static void killed(pid_t pid)
{
    int status;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

/* What the process has read so far, from any file. */
static uint64_t bytes_read_by(pid_t pid)
{
    char path[64];
    unsigned long long bytes = 0;
    snprintf(path, sizeof path, "/proc/%d/io", (int)pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "rchar: %llu", &bytes), 1);
    fclose(file);
    return bytes;
}

/* Takes the lock as soon as its holder is gone. */
static void lock_when_free(struct store *store, const char *owner, uint32_t ttl_ms)
{
    uint64_t end = clock_mono_ms() + WAIT_MS;
    int rc;
    while ((rc = store_lock(store, owner, ttl_ms, &why)) == E_LOCKED && clock_mono_ms() < end)
        usleep(STEP_US);
    ok(rc);
}

/* ---- content ---- */

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

static void whole_equals(struct store *store, const char *name, uint64_t bytes, const uint8_t digest[SHA256_BYTES])
{
    AUTO(buf_destroy) struct buf got = {0};
    uint8_t found[SHA256_BYTES];
    ok(store_get(store, name, (size_t)bytes, &got, &why));
    assert_int_equal(got.size, bytes);
    sha256_of(got.data, got.size, found);
    assert_memory_equal(found, digest, SHA256_BYTES);
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

static int no_temps(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)at;
    if (kind == FTW_F && strstr(path, "~temp/"))
        print_error("left over: %s\n", path);
    return kind == FTW_F && strstr(path, "~temp/");
}

static void a_killed_writer_leaves_nothing(void **state)
{
    (void)state;
    struct blob b = blob("src", "killed");
    AUTO(fd_destroy) int out = -1;
    pid_t pid = spawned("write", b.name, &out);
    uint64_t end = clock_mono_ms() + WAIT_MS;
    while (bytes_read_by(pid) < KILL_AT_BYTES && clock_mono_ms() < end)
        usleep(STEP_US);
    assert_true(bytes_read_by(pid) >= KILL_AT_BYTES);
    killed(pid);

    AUTO(store_destroy) struct store *store = opened();
    uint8_t digest[SHA256_BYTES];
    AUTO(fd_destroy) int fd = pattern_file(BIG_BYTES, digest);
    absent(store, b.name);
    assert_int_equal(times_listed(store, b.name, b.name, NULL), 0);
    ok(store_create_from(store, b.name, fd, BIG_BYTES, &why));
    whole_equals(store, b.name, BIG_BYTES, digest);
    ok(store_remove(store, b.name, &why));
    lock_when_free(store, "sweeper", TTL_MS);
    if (dir_backend)
        assert_int_equal(nftw(folder, no_temps, 16, FTW_PHYS), 0);
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

/* ---- state ---- */

/* Every guarded call in turn, on blobs of their own; all must return want. */
static void guarded_calls_return(struct store *store, const char *tail, int want)
{
    struct store_pair pair = {"key", "value", 5};
    struct blob create = blob("ledger", "%s-create", tail), replace = blob("batch", "%s/replace", tail);
    struct blob append = blob("batch", "%s/append", tail), map = blob("batch", "%s/map", tail);
    struct blob gone = blob("stop", "%s-gone", tail);
    assert_int_equal(store_guard_create(store, create.name, "c", 1, &why), want);
    assert_int_equal(store_guard_replace(store, replace.name, "r", 1, &why), want);
    assert_int_equal(store_guard_append(store, append.name, "a", 1, NULL, &why), want);
    assert_int_equal(store_guard_map_set(store, map.name, &pair, 1, &why), want);
    assert_int_equal(store_guard_remove(store, gone.name, &why), want);
}

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

struct page {
    unsigned count;
    char first[STORE_KEY_BYTES + 1], last[STORE_KEY_BYTES + 1];
    char value[STORE_VALUE_BYTES + 1];
    size_t bytes;
    bool ordered;
};

static void page_each(const struct store_pair *pair, void *user)
{
    struct page *p = user;
    if (!p->count++) {
        snprintf(p->first, sizeof p->first, "%s", pair->key);
        p->ordered = true;
    } else if (strcmp(pair->key, p->last) <= 0) {
        p->ordered = false;
    }
    snprintf(p->last, sizeof p->last, "%s", pair->key);
    p->bytes = pair->bytes;
    memcpy(p->value, pair->value, pair->bytes);
    p->value[pair->bytes] = '\0';
}

static struct page page_of(struct store *store, const char *name, const char *after, size_t limit, bool *ret_more)
{
    struct page p = {0};
    *ret_more = !*ret_more;
    ok(store_map_read(store, name, after, limit, page_each, &p, ret_more, &why));
    return p;
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

/* ---- only in a folder ---- */

static void blob_path(const struct blob *b, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%s", url + strlen("dir:"), b->name);
}

/* The blob as a crash in the middle of its last write would have left it. */
static void torn(const struct blob *b, off_t bytes_lost)
{
    char path[PATH_BYTES];
    struct stat st;
    blob_path(b, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size - bytes_lost), 0);
}

static void a_torn_append_counts_nothing(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    struct blob b = blob("batch", "torn/layout"), map = blob("batch", "torn/map");
    uint64_t offset;
    bool more = true;
    ok(store_lock(store, "first", TTL_MS, &why));
    ok(store_guard_append(store, b.name, "whole", 5, NULL, &why));
    ok(store_guard_append(store, b.name, "torn", 4, NULL, &why));
    store_destroy(&store);
    torn(&b, 2);

    store = opened();
    ok(store_lock(store, "second", TTL_MS, &why));
    holds(store, b.name, "whole", 5);
    ok(store_guard_append(store, b.name, "next", 4, &offset, &why));
    assert_int_equal(offset, 5);
    ok(store_guard_map_set(store, map.name, &(struct store_pair){"k", "kept", 4}, 1, &why));
    ok(store_guard_map_set(store, map.name, &(struct store_pair){"k", "torn", 4}, 1, &why));
    store_destroy(&store);
    torn(&map, 1);

    store = opened();
    struct page p = page_of(store, map.name, "", 5, &more);
    assert_string_equal(p.value, "kept");
    ok(store_lock(store, "third", TTL_MS, &why));
    holds(store, b.name, "wholenext", 9);
    ok(store_guard_map_set(store, map.name, &(struct store_pair){"l", "new", 3}, 1, &why));
    p = page_of(store, map.name, "", 5, &more);
    assert_int_equal(p.count, 2);
    assert_string_equal(p.last, "l");
}

static void a_damaged_map_is_found_out(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    struct blob map = blob("batch", "damaged/map");
    char path[PATH_BYTES];
    struct page p = {0};
    bool more;
    ok(store_lock(store, "me", TTL_MS, &why));
    ok(store_guard_map_set(store, map.name, &(struct store_pair){"k", "value", 5}, 1, &why));
    ok(store_guard_map_set(store, map.name, &(struct store_pair){"l", "value", 5}, 1, &why));
    blob_path(&map, path);
    AUTO(fd_destroy) int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "x", 1, 17), 1);
    assert_int_equal(store_map_read(store, map.name, "", 5, page_each, &p, &more, &why), E_CORRUPT);
    assert_non_null(strstr(why.text, map.name));
}

static void content_can_not_be_written_over(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    struct blob b = blob("src", "readonly");
    char path[PATH_BYTES];
    struct stat st;
    ok(store_create(store, b.name, "x", 1, &why));
    blob_path(&b, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0222, 0);
}

/* Leaves live writers alone: their temporary file is older than the lock, but held. */
static void the_sweep_spares_who_still_writes(void **state)
{
    (void)state;
    struct blob b = blob("src", "spared");
    AUTO(fd_destroy) int out = -1;
    pid_t pid = spawned("write", b.name, &out);
    uint64_t end = clock_mono_ms() + WAIT_MS;
    while (bytes_read_by(pid) < 1 << 20 && clock_mono_ms() < end)
        usleep(STEP_US);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    AUTO(store_destroy) struct store *store = opened();
    ok(store_lock(store, "one", TTL_MS, &why));
    assert_int_equal(nftw(folder, no_temps, 16, FTW_PHYS), 1);
    killed(pid);
    store_destroy(&store);
    store = opened();
    ok(store_lock(store, "two", TTL_MS, &why));
    assert_int_equal(nftw(folder, no_temps, 16, FTW_PHYS), 0);
}

static void full_disk_steps(struct store *store)
{
    uint8_t digest[SHA256_BYTES];
    AUTO(fd_destroy) int fd = pattern_file(SMALL_DISK_BYTES * 2, digest);
    AUTO(mem_destroy) uint8_t *data = calloc(1, SMALL_DISK_BYTES);
    struct blob big = blob("src", "big"), small = blob("src", "small"), lay = blob("batch", "layout");
    uint64_t size = 0;
    assert_non_null(data);
    ok(store_lock(store, "me", TTL_MS, &why));
    ok(store_guard_append(store, lay.name, "begin", 5, NULL, &why));
    assert_int_equal(store_create_from(store, big.name, fd, SMALL_DISK_BYTES * 2, &why), E_STORE);
    assert_non_null(strstr(why.text, strerror(ENOSPC)));
    absent(store, big.name);
    assert_int_equal(store_create(store, big.name, data, SMALL_DISK_BYTES, &why), E_STORE);
    assert_non_null(strstr(why.text, strerror(ENOSPC)));
    absent(store, big.name);
    assert_int_equal(store_guard_append(store, lay.name, data, SMALL_DISK_BYTES, NULL, &why), E_STORE);
    assert_non_null(strstr(why.text, strerror(ENOSPC)));
    holds(store, lay.name, "begin", 5);
    ok(store_guard_append(store, lay.name, "end", 3, &size, &why));
    assert_int_equal(size, 5);
    ok(store_create(store, small.name, data, SMALL_DISK_BYTES / 2, &why));
}

static void a_full_disk_leaves_no_half_blob(void **state)
{
    (void)state;
    char path[PATH_BYTES], options[64], small_url[PATH_BYTES + 8];
    snprintf(path, sizeof path, "%s-small", folder);
    snprintf(options, sizeof options, "size=%d", SMALL_DISK_BYTES);
    assert_int_equal(mkdir(path, 0755), 0);
    if (mount("tmpfs", path, "tmpfs", 0, options)) {
        print_message("SKIPPED a_full_disk_leaves_no_half_blob: no tmpfs can be mounted: %s\n", strerror(errno));
        assert_int_equal(rmdir(path), 0);
        skip();
    }
    snprintf(small_url, sizeof small_url, "dir:%s", path);
    struct store *store = NULL;
    int rc = store_open(small_url, &store, &why);
    if (!rc)
        full_disk_steps(store);
    store_destroy(&store);
    assert_int_equal(umount(path), 0);
    assert_int_equal(rmdir(path), 0);
    ok(rc);
}

static void urls_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "dir", "dir:", "s3:bucket", "/tmp", "rados:"};
    struct store *store = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(store_open(bad[i], &store, &why), E_CONFIG);
    assert_int_equal(store_open("dir:/proc/no/such", &store, &why), E_STORE);
    assert_null(store);
    store_destroy(&store);
}

/* ---- the other process ---- */

static int write_for_ever(const char *name)
{
    struct store *store = opened();
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    return store_create_from(store, name, fd, (uint64_t)ENDLESS_BYTES << 10, &why);
}

static int hold_for_ever(const char *owner)
{
    struct store *store = opened();
    lock_when_free(store, owner, TTL_MS);
    printf("%" PRIu64 "\n", store_epoch(store));
    fflush(stdout);
    while (!store_renew(store, &why))
        usleep(TTL_MS * 1000 / 4);
    return EXIT_FAILURE;
}

/* ---- running ---- */

#define CONTRACT                                                                                                       \
    cmocka_unit_test(create_is_exclusive_and_read_back), cmocka_unit_test(get_keeps_what_the_buffer_had),              \
        cmocka_unit_test(read_stops_at_the_end), cmocka_unit_test(replace_changes_all),                                \
        cmocka_unit_test(removed_is_absent_and_may_come_back), cmocka_unit_test(list_names_by_prefix),                 \
        cmocka_unit_test(names_are_checked), cmocka_unit_test(one_write_has_a_limit),                                  \
        cmocka_unit_test(a_big_blob_is_one_blob), cmocka_unit_test(create_from_takes_exactly_the_bytes),               \
        cmocka_unit_test(a_killed_writer_leaves_nothing), cmocka_unit_test(of_many_writers_one_wins),                  \
        cmocka_unit_test(folders_may_come_and_go), cmocka_unit_test(space_is_told),                                    \
        cmocka_unit_test(without_the_lock_nothing_guarded_is_written),                                                 \
        cmocka_unit_test(guarded_writes_do_what_they_say), cmocka_unit_test(appends_of_threads_get_their_own_offsets), \
        cmocka_unit_test(a_map_is_read_in_pages), cmocka_unit_test(the_last_value_of_a_key_counts),                    \
        cmocka_unit_test(the_lock_has_one_holder), cmocka_unit_test(a_killed_holder_loses_the_lock),                   \
        cmocka_unit_test(a_fenced_holder_writes_nothing_more)

static int sweep_each(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static int run_dir(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT,
        cmocka_unit_test(a_torn_append_counts_nothing),
        cmocka_unit_test(a_damaged_map_is_found_out),
        cmocka_unit_test(content_can_not_be_written_over),
        cmocka_unit_test(the_sweep_spares_who_still_writes),
        cmocka_unit_test(a_full_disk_leaves_no_half_blob),
        cmocka_unit_test(urls_are_checked),
    };
    if (!mkdtemp(folder))
        return EXIT_FAILURE;
    snprintf(url, sizeof url, "dir:%s/made/on/opening/", folder);
    dir_backend = true;
    int failed = cmocka_run_group_tests_name("store dir", tests, NULL, NULL);
    nftw(folder, sweep_each, 16, FTW_DEPTH | FTW_PHYS);
    return failed;
}

int main(int argc, char **argv)
{
    if (argc == 4) {
        snprintf(url, sizeof url, "%s", argv[2]);
        return !strcmp(argv[1], "write") ? write_for_ever(argv[3]) : hold_for_ever(argv[3]);
    }
    if (getrandom(&run, sizeof run, 0) != sizeof run)
        return EXIT_FAILURE;
    return run_dir();
}
