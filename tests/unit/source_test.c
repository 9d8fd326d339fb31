/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Sources: what is found and what is refused, that copies are what was hashed and can't be changed, fetching from a real
 * store in a folder, and the shelf. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "proto/sha256.h"
#include "storage/name.h"
#include "worker/source.h"

enum { SCAN_BYTES = 3 << 20, MAX_BYTES = 4 << 20 };

static char home[64], root[96];

static void at_home(char *path, size_t bytes, const char *name)
{
    snprintf(path, bytes, "%s/%s", home, name);
}

static void write_file(const char *name, const char *head, size_t bytes)
{
    char path[256];
    at_home(path, sizeof path, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(head, file);
    for (size_t i = strlen(head); i < bytes; i++)
        putc((int)(i * 2654435761u >> 24), file);
    fclose(file);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static int set_up(void **state)
{
    (void)state;
    char path[256];
    snprintf(home, sizeof home, "/tmp/sohoa-source-XXXXXX");
    if (!mkdtemp(home))
        return 1;
    snprintf(root, sizeof root, "%s/scans", home);
    mkdir(root, 0700);
    write_file("scans/a.pdf", "%PDF-1.7\n", SCAN_BYTES);
    write_file("scans/notes.txt", "some text\n", 10);
    write_file("scans/empty.pdf", "", 0);
    write_file("scans/large.pdf", "%PDF-1.7\n", MAX_BYTES + 1);
    write_file("secret.pdf", "%PDF-1.7\n", 100);
    at_home(path, sizeof path, "scans/out.pdf");
    assert_int_equal(symlink("../secret.pdf", path), 0);
    at_home(path, sizeof path, "scans/in.pdf");
    assert_int_equal(symlink("a.pdf", path), 0);
    at_home(path, sizeof path, "scans/pipe.pdf");
    assert_int_equal(mkfifo(path, 0600), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(home, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static int read_at(const char *folder, const char *path, struct source **source)
{
    struct err err = {0};
    int rc = source_read(folder, path, MAX_BYTES, source, &err);
    if (rc)
        assert_int_equal(err.code, rc);
    return rc;
}

static void copy_is_the_scan(void **state)
{
    (void)state;
    AUTO(source_destroy) struct source *source = NULL;
    AUTO(fd_destroy) int fd = -1;
    char path[256];
    uint8_t sha256[SHA256_BYTES];
    assert_int_equal(read_at(root, "a.pdf", &source), 0);
    assert_int_equal(source->bytes, SCAN_BYTES);
    at_home(path, sizeof path, "scans/a.pdf");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    void *theirs = mmap(NULL, SCAN_BYTES, PROT_READ, MAP_PRIVATE, fd, 0);
    void *ours = mmap(NULL, SCAN_BYTES, PROT_READ, MAP_PRIVATE, source->fd, 0);
    assert_memory_equal(ours, theirs, SCAN_BYTES);
    sha256_of(theirs, SCAN_BYTES, sha256);
    assert_memory_equal(source->sha256, sha256, sizeof sha256);
    munmap(theirs, SCAN_BYTES);
    munmap(ours, SCAN_BYTES);
}

static void copy_cant_be_changed(void **state)
{
    (void)state;
    AUTO(source_destroy) struct source *source = NULL;
    assert_int_equal(read_at(root, "a.pdf", &source), 0);
    assert_int_equal(write(source->fd, "x", 1), -1);
    assert_int_equal(ftruncate(source->fd, 10), -1);
    assert_true(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, source->fd, 0) == MAP_FAILED);
}

static void paths_beneath_are_found(void **state)
{
    (void)state;
    char path[256];
    at_home(path, sizeof path, "scans/a.pdf");
    const char *const good[] = {"a.pdf", "./a.pdf", "in.pdf", path};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        AUTO(source_destroy) struct source *source = NULL;
        assert_int_equal(read_at(root, good[i], &source), 0);
    }
    AUTO(source_destroy) struct source *anywhere = NULL;
    assert_int_equal(read_at("/", path, &anywhere), 0);
}

static void what_may_not_be_read_is_refused(void **state)
{
    (void)state;
    char outside[256];
    at_home(outside, sizeof outside, "secret.pdf");
    const struct {
        const char *path;
        int code;
    } bad[] = {
        {"../secret.pdf", E_SOURCE_DENIED },
        {"out.pdf",       E_SOURCE_DENIED },
        {outside,         E_SOURCE_DENIED },
        {"pipe.pdf",      E_SOURCE_DENIED },
        {".",             E_SOURCE_DENIED },
        {"none.pdf",      E_SOURCE_MISSING},
        {"a.pdf/b",       E_SOURCE_MISSING},
        {"empty.pdf",     E_SOURCE_EMPTY  },
        {"large.pdf",     E_SOURCE_SIZE   },
        {"notes.txt",     E_SOURCE_TYPE   },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct source *source = NULL;
        print_message("%s\n", bad[i].path);
        assert_int_equal(read_at(root, bad[i].path, &source), bad[i].code);
        assert_null(source);
    }
}

static void change_is_noticed(void **state)
{
    (void)state;
    AUTO(source_destroy) struct source *source = NULL;
    struct err err;
    write_file("scans/b.pdf", "%PDF-1.7\n", 5000);
    assert_int_equal(read_at(root, "b.pdf", &source), 0);
    assert_int_equal(source_confirm(root, "b.pdf", source, &err), 0);
    write_file("scans/b.pdf", "%PDF-1.6\n", 5000);
    assert_int_equal(source_confirm(root, "b.pdf", source, &err), E_SOURCE_CHANGED);
    write_file("scans/b.pdf", "%PDF-1.7\n", 5001);
    assert_int_equal(source_confirm(root, "b.pdf", source, &err), E_SOURCE_CHANGED);
}

static void stored_source_comes_back(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = NULL;
    AUTO(source_destroy) struct source *source = NULL;
    AUTO(source_destroy) struct source *fetched = NULL;
    struct err err = {0};
    struct name name;
    char url[128];
    snprintf(url, sizeof url, "dir:%s/store", home);
    assert_int_equal(store_open(url, &store, &err), 0);
    assert_int_equal(read_at(root, "a.pdf", &source), 0);
    assert_int_equal(source_fetch(store, source->sha256, MAX_BYTES, &fetched, &err), E_ABSENT);
    assert_int_equal(store_create_from(store, name_src(&name, source->sha256), source->fd, source->bytes, &err), 0);
    assert_int_equal(source_fetch(store, source->sha256, 1000, &fetched, &err), E_SOURCE_SIZE);
    assert_int_equal(source_fetch(store, source->sha256, MAX_BYTES, &fetched, &err), 0);
    assert_int_equal(fetched->bytes, SCAN_BYTES);
    assert_memory_equal(fetched->sha256, source->sha256, SHA256_BYTES);
}

static void large_source_goes_through_a_spool_file(void **state)
{
    (void)state;
    enum { LARGE_BYTES = STORE_PART_BYTES + 4096 };
    AUTO(store_destroy) struct store *store = NULL;
    AUTO(source_destroy) struct source *source = NULL;
    AUTO(source_destroy) struct source *fetched = NULL;
    struct err err = {0};
    struct name name;
    struct stat st;
    char path[256];
    write_file("scans/huge.pdf", "%PDF-1.7\n", 100);
    at_home(path, sizeof path, "scans/huge.pdf");
    assert_int_equal(truncate(path, LARGE_BYTES), 0);
    snprintf(path, sizeof path, "dir:%s/store", home);
    setenv("TMPDIR", home, 1);
    assert_int_equal(source_read(root, "huge.pdf", LARGE_BYTES, &source, &err), 0);
    assert_int_equal(source->bytes, LARGE_BYTES);
    assert_int_equal(fstat(source->fd, &st), 0);
    assert_int_equal(st.st_nlink, 0); /* nobody finds it, and it goes with us */
    assert_int_equal(store_open(path, &store, &err), 0);
    assert_int_equal(store_create_from(store, name_src(&name, source->sha256), source->fd, source->bytes, &err), 0);
    assert_int_equal(source_fetch(store, source->sha256, LARGE_BYTES, &fetched, &err), 0);
    assert_int_equal(fetched->bytes, LARGE_BYTES);
    setenv("TMPDIR", "/nowhere", 1);
    source_destroy(&fetched);
    assert_int_equal(source_fetch(store, source->sha256, LARGE_BYTES, &fetched, &err), E_IO);
    unsetenv("TMPDIR");
}

static void rotten_source_is_corrupt(void **state)
{
    (void)state;
    AUTO(store_destroy) struct store *store = NULL;
    uint8_t sha256[SHA256_BYTES] = {1};
    struct source *fetched = NULL;
    struct err err = {0};
    struct name name;
    char url[128];
    snprintf(url, sizeof url, "dir:%s/store", home);
    assert_int_equal(store_open(url, &store, &err), 0);
    assert_int_equal(store_create(store, name_src(&name, sha256), "%PDF-", 5, &err), 0);
    assert_int_equal(source_fetch(store, sha256, MAX_BYTES, &fetched, &err), E_CORRUPT);
    assert_null(fetched);
}

static struct source *small_source(uint8_t id, size_t bytes)
{
    struct source *source = NULL;
    char name[32];
    snprintf(name, sizeof name, "scans/s%u.pdf", id);
    write_file(name, "%PDF-1.7\n", bytes);
    assert_int_equal(read_at(root, name + strlen("scans/"), &source), 0);
    source->sha256[0] = id;
    return source;
}

static bool on_shelf(struct shelf *shelf, uint8_t id)
{
    uint8_t sha256[SHA256_BYTES];
    AUTO(source_destroy) struct source *source = small_source(id, 1000);
    memcpy(sha256, source->sha256, sizeof sha256);
    AUTO(source_destroy) struct source *found = shelf_find(shelf, sha256);
    return found != NULL;
}

static void shelf_keeps_the_latest_that_fit(void **state)
{
    (void)state;
    AUTO(shelf_destroy) struct shelf *shelf = shelf_new(2500, 8);
    for (uint8_t id = 1; id <= 2; id++) {
        AUTO(source_destroy) struct source *source = small_source(id, 1000);
        shelf_add(shelf, source);
        shelf_add(shelf, source); /* the same again takes no more room */
    }
    assert_true(on_shelf(shelf, 2));
    assert_true(on_shelf(shelf, 1)); /* now the latest used */
    AUTO(source_destroy) struct source *third = small_source(3, 1000);
    shelf_add(shelf, third);
    assert_true(on_shelf(shelf, 3));
    assert_true(on_shelf(shelf, 1));
    assert_false(on_shelf(shelf, 2));
    AUTO(source_destroy) struct source *giant = small_source(4, 2501);
    shelf_add(shelf, giant);
    assert_false(on_shelf(shelf, 4));
    assert_true(on_shelf(shelf, 3));
}

static void shelf_is_bounded_by_number_too(void **state)
{
    (void)state;
    AUTO(shelf_destroy) struct shelf *shelf = shelf_new(1 << 20, 2);
    for (uint8_t id = 1; id <= 3; id++) {
        AUTO(source_destroy) struct source *source = small_source(id, 1000);
        shelf_add(shelf, source);
    }
    assert_false(on_shelf(shelf, 1));
    assert_true(on_shelf(shelf, 2));
    assert_true(on_shelf(shelf, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copy_is_the_scan),
        cmocka_unit_test(copy_cant_be_changed),
        cmocka_unit_test(paths_beneath_are_found),
        cmocka_unit_test(what_may_not_be_read_is_refused),
        cmocka_unit_test(change_is_noticed),
        cmocka_unit_test(stored_source_comes_back),
        cmocka_unit_test(large_source_goes_through_a_spool_file),
        cmocka_unit_test(rotten_source_is_corrupt),
        cmocka_unit_test(shelf_keeps_the_latest_that_fit),
        cmocka_unit_test(shelf_is_bounded_by_number_too),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
