/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What only the store in a folder can show: torn writes, temporary files, a full disk. */
#include "tests/unit/store_test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum { SMALL_DISK_BYTES = 4 << 20 };

static int no_temps(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)at;
    if (kind == FTW_F && strstr(path, "~temp/"))
        print_error("left over: %s\n", path);
    return kind == FTW_F && strstr(path, "~temp/");
}

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

static void what_replaced_an_appended_blob_stays_whole(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = opened();
    struct blob replaced = blob("batch", "again/manifest"), again = blob("batch", "again/layout");
    ok(store_lock(store, "first", TTL_MS, &why));
    ok(store_guard_append(store, replaced.name, "old", 3, NULL, &why));
    ok(store_guard_replace(store, replaced.name, "replaced", 8, &why));
    store_destroy(&store);

    store = opened();
    ok(store_lock(store, "second", TTL_MS, &why));
    holds(store, replaced.name, "replaced", 8);
    ok(store_guard_append(store, again.name, "old", 3, NULL, &why));
    ok(store_guard_remove(store, again.name, &why));
    ok(store_guard_create(store, again.name, "created again", 13, &why));
    store_destroy(&store);

    store = opened();
    ok(store_lock(store, "third", TTL_MS, &why));
    holds(store, again.name, "created again", 13);
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
    wait_bytes_read(pid, 1 << 20);
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

int dir_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_torn_append_counts_nothing),
        cmocka_unit_test(what_replaced_an_appended_blob_stays_whole),
        cmocka_unit_test(a_damaged_map_is_found_out),
        cmocka_unit_test(content_can_not_be_written_over),
        cmocka_unit_test(the_sweep_spares_who_still_writes),
        cmocka_unit_test(a_full_disk_leaves_no_half_blob),
        cmocka_unit_test(urls_are_checked),
    };
    return cmocka_run_group_tests_name("store: only in a folder", tests, NULL, NULL);
}
