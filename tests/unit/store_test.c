/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One contract, every backend: `store_test dir`, `store_test rados` (on the Ceph of SOHOA_TEST_CEPH_CONF), or both.
 * As `store_test write URL NAME` and `store_test hold URL OWNER` it is the other process that gets killed. */
#include "tests/unit/store_test.h"

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>

#include "proto/clock.h"

enum { EXIT_SKIP = 77 };

#define ENDLESS_BYTES (UINT64_C(60) << 30)

char folder[] = "/tmp/sohoa-store-XXXXXX";
char url[URL_BYTES];
bool dir_backend;
uint64_t run_id;
struct err why;

void assert_ok(int rc, const char *call, int line)
{
    if (rc)
        print_error("line %d: %s: %s %s\n", line, call, err_name(rc), why.text);
    assert_int_equal(rc, 0);
}

struct blob blob(const char *area, const char *format, ...)
{
    struct blob b;
    int n = snprintf(b.name, sizeof b.name, "%s/%016" PRIx64 "/", area, run_id);
    va_list ap;
    va_start(ap, format);
    vsnprintf(b.name + n, sizeof b.name - (size_t)n, format, ap);
    va_end(ap);
    return b;
}

struct store *opened(void)
{
    struct store *store = NULL;
    ok(store_open(url, &store, &why));
    return store;
}

void holds(struct store *store, const char *name, const void *data, size_t bytes)
{
    AUTO(buf_destroy) struct buf got = {0};
    uint64_t size = 0;
    ok(store_get(store, name, STORE_PART_BYTES, &got, &why));
    assert_int_equal(got.size, bytes);
    assert_memory_equal(got.data ? got.data : (const uint8_t *)"", data, bytes);
    ok(store_stat(store, name, &size, &why));
    assert_int_equal(size, bytes);
}

void absent(struct store *store, const char *name)
{
    assert_int_equal(store_stat(store, name, NULL, &why), E_ABSENT);
    assert_non_null(strstr(why.text, name));
}

int pattern_file(uint64_t bytes, uint8_t digest[SHA256_BYTES])
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

unsigned times_listed(struct store *store, const char *prefix, const char *name, unsigned *ret_all)
{
    struct listed l = {name, 0, 0};
    ok(store_list(store, prefix, listed_each, &l, &why));
    if (ret_all)
        *ret_all = l.all;
    return l.seen;
}

pid_t spawned(const char *mode, const char *argument, int *ret_out)
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

void killed(pid_t pid)
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

void wait_bytes_read(pid_t pid, uint64_t bytes)
{
    siginfo_t ended = {0};
    uint64_t end = clock_mono_ms() + WAIT_MS;
    while (bytes_read_by(pid) < bytes && !ended.si_pid && clock_mono_ms() < end) {
        assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT), 0);
        usleep(STEP_US);
    }
    assert_true(bytes_read_by(pid) >= bytes);
}

void lock_when_free(struct store *store, const char *owner, uint32_t ttl_ms)
{
    uint64_t end = clock_mono_ms() + WAIT_MS;
    int rc;
    while ((rc = store_lock(store, owner, ttl_ms, &why)) == E_LOCKED && clock_mono_ms() < end)
        usleep(STEP_US);
    ok(rc);
}

void whole_equals(struct store *store, const char *name, uint64_t bytes, const uint8_t digest[SHA256_BYTES])
{
    AUTO(buf_destroy) struct buf got = {0};
    uint8_t found[SHA256_BYTES];
    ok(store_get(store, name, (size_t)bytes, &got, &why));
    assert_int_equal(got.size, bytes);
    sha256_of(got.data, got.size, found);
    assert_memory_equal(found, digest, SHA256_BYTES);
}

void guarded_calls_return(struct store *store, const char *tail, int want)
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

void page_each(const struct store_pair *pair, void *user)
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

struct page page_of(struct store *store, const char *name, const char *after, size_t limit, bool *ret_more)
{
    struct page p = {0};
    *ret_more = !*ret_more;
    ok(store_map_read(store, name, after, limit, page_each, &p, ret_more, &why));
    return p;
}

/* ---- the other process ---- */

static int write_for_ever(const char *name)
{
    struct store *store = opened();
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    return store_create_from(store, name, fd, ENDLESS_BYTES, &why);
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

static int sweep_each(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static int run_dir(void)
{
    if (!mkdtemp(folder))
        return EXIT_FAILURE;
    snprintf(url, sizeof url, "dir:%s/made/on/opening/", folder);
    dir_backend = true;
    int failed = content_tests() + state_tests() + dir_tests();
    nftw(folder, sweep_each, 16, FTW_DEPTH | FTW_PHYS);
    return failed;
}

static int run_rados(const char *conf)
{
    snprintf(url, sizeof url, "rados:%s?user=client.coordinator", conf);
    dir_backend = false;
    return content_tests() + state_tests() + rados_tests(conf);
}

int main(int argc, char **argv)
{
    if (argc == 4) {
        snprintf(url, sizeof url, "%s", argv[2]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        return !strcmp(argv[1], "write") ? write_for_ever(argv[3]) : hold_for_ever(argv[3]);
    }
    if (getrandom(&run_id, sizeof run_id, 0) != sizeof run_id)
        return EXIT_FAILURE;
    const char *conf = getenv("SOHOA_TEST_CEPH_CONF"), *only = argc == 2 ? argv[1] : "";
    int failed = strcmp(only, "rados") ? run_dir() : 0;
    if (!strcmp(only, "dir"))
        return failed;
    if (conf)
        return run_rados(conf) + failed;
    printf("SKIPPED rados: SOHOA_TEST_CEPH_CONF does not name the ceph.conf of a cluster for tests\n");
    return failed || strcmp(only, "rados") ? failed : EXIT_SKIP;
}
