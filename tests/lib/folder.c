/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tests/lib/folder.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants those above */
#include <cmocka.h>

enum { TREE_FDS = 8, LOCK_MS = 60000 };

void folder_make(const char *name, char path[FOLDER_BYTES])
{
    snprintf(path, FOLDER_BYTES, "/tmp/sohoa-%s-XXXXXX", name);
    assert_non_null(mkdtemp(path));
}

static int path_remove(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st;
    (void)kind;
    (void)walk;
    return remove(path);
}

int folder_remove(const char *path)
{
    return nftw(path, path_remove, TREE_FDS, FTW_DEPTH | FTW_PHYS);
}

void folder_store(const char *path, struct store **ret_store)
{
    char url[FOLDER_BYTES + 32];
    struct err err;
    snprintf(url, sizeof url, "dir:%s", path);
    ok(store_open(url, ret_store, &err));
    ok(store_lock(*ret_store, "test", LOCK_MS, &err));
}

void assert_ok(int rc, const struct err *err, const char *what, int line)
{
    if (rc)
        print_error("line %d: %s: %s %s\n", line, what, err_name(rc), err->text);
    assert_int_equal(rc, 0);
}

int entry_ignore(const Sohoa__LedgerEntry *entry, void *user, struct err *err)
{
    (void)entry;
    (void)user;
    (void)err;
    return 0;
}
