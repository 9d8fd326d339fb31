/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Inputs and their names: every file once, the same every time, no two results in one place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/inputs.h"
#include "coordinator/ctl/names.h"
#include "proto/auto.h"

static char root[] = "/tmp/sohoa-inputs-XXXXXX";

static void folder(const char *path)
{
    assert_int_equal(mkdir(path, 0755), 0);
}

static void file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Every test has a folder of its own, and is in it. */
static int enter(void **state)
{
    static int number;
    char path[64];
    (void)state;
    snprintf(path, sizeof path, "%s/%d", root, number++);
    folder(path);
    return chdir(path);
}

static int root_make(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : 1;
}

static int root_remove(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", root);
    return chdir("/") || system(command);
}

enum { PATHS_MAX = 4 };

static int find(const char *const *path, const char *out, struct inputs *inputs, struct err *err)
{
    const char *item[PATHS_MAX];
    struct texts paths = {.item = item};
    while (path[paths.count]) {
        item[paths.count] = path[paths.count];
        paths.count++;
    }
    int rc = inputs_find(&paths, out, inputs, err);
    if (!rc)
        names_give(inputs, &paths);
    return rc;
}

#define PATHS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* names: one a line */
static void names_are(const char *const *path, const char *names)
{
    AUTO(inputs_destroy) struct inputs inputs = {0};
    AUTO(buf_destroy) struct buf found = {0};
    struct err err = {0};
    int rc = find(path, "out", &inputs, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, 0);
    for (size_t i = 0; i < inputs.count; i++)
        buf_printf(&found, "%s\n", inputs.item[i].name);
    assert_string_equal(buf_text(&found), names);
}

static void fails(const char *const *path, int code, const char *text)
{
    AUTO(inputs_destroy) struct inputs inputs = {0};
    struct err err = {0};
    assert_int_equal(find(path, "out", &inputs, &err), code);
    assert_non_null(strstr(err.text, text));
}

static void walk(void **state)
{
    (void)state;
    folder("s");
    folder("s/Hồ sơ 1");
    folder("s/.git");
    folder("s/a");
    file("s/Hồ sơ 1/Quyết định số 2.pdf", "1");
    file("s/a/z.pdf", "2");
    file("s/a.pdf", "3");
    file("s/B.pdf", "4");
    file("s/.hidden.pdf", "5");
    file("s/.git/x.pdf", "6");
    assert_int_equal(mkfifo("s/pipe", 0600), 0);
    names_are(PATHS("s"), "B.pdf\nHồ sơ 1/Quyết định số 2.pdf\na.pdf\na/z.pdf\n");
    names_are(PATHS("s/"), "B.pdf\nHồ sơ 1/Quyết định số 2.pdf\na.pdf\na/z.pdf\n");
    names_are(PATHS("s/a/z.pdf"), "z.pdf\n");
    names_are(PATHS("s/a/z.pdf", "s/a"), "z.pdf\n");
}

static void out_inside(void **state)
{
    (void)state;
    folder("s");
    folder("out");
    folder("other");
    folder("other/.sohoa");
    file("other/.sohoa/run.lock", "");
    file("other/document.pdf", "1");
    file("out/document.pdf", "2");
    file("s/a.pdf", "3");
    names_are(PATHS("."), "s/a.pdf\n");
    fails(PATHS("out"), E_USAGE, "is the folder for the results");
}

static void links(void **state)
{
    (void)state;
    folder("s");
    folder("elsewhere");
    file("elsewhere/a.pdf", "1");
    assert_int_equal(symlink("../elsewhere/a.pdf", "s/b.pdf"), 0);
    assert_int_equal(symlink("../elsewhere", "s/c"), 0);
    assert_int_equal(symlink("..", "s/loop"), 0);
    assert_int_equal(symlink("nothing", "s/dangling"), 0);
    names_are(PATHS("s"), "b.pdf\nc/a.pdf\nloop/elsewhere/a.pdf\n");
    names_are(PATHS("s/b.pdf"), "b.pdf\n");
}

static void clashes(void **state)
{
    (void)state;
    folder("2024");
    folder("2025");
    folder("x");
    folder("x/2024");
    file("2024/a.pdf", "1");
    file("2024/b.pdf", "2");
    file("2025/a.pdf", "3");
    file("2025/c.pdf", "4");
    file("x/2024/a.pdf", "5");
    names_are(PATHS("2024", "2025"), "2024/a.pdf\n2024/b.pdf\n2025/a.pdf\n2025/c.pdf\n");
    names_are(PATHS("2024", "x/2024"), "2024/a.pdf\n2024/b.pdf\n2024-2/a.pdf\n");
    names_are(PATHS("2024/b.pdf", "2025"), "b.pdf\na.pdf\nc.pdf\n");
    names_are(PATHS("2024/a.pdf", "2025/a.pdf", "2024/b.pdf"), "2024/a.pdf\n2025/a.pdf\nb.pdf\n");
    names_are(PATHS("2024", "2025", "x"), "2024-2/a.pdf\n2024-2/b.pdf\n2025/a.pdf\n2025/c.pdf\n2024/a.pdf\n");
}

static void within(void **state)
{
    (void)state;
    folder("one");
    folder("two");
    folder("two/a.pdf");
    file("one/a.pdf", "1");
    file("one/a.pdf-x", "1");
    file("two/a.pdf/document.pdf", "2");
    names_are(PATHS("one", "two"), "one/a.pdf\none/a.pdf-x\ntwo/a.pdf/document.pdf\n");
}

static void reserved(void **state)
{
    (void)state;
    folder("s");
    file("s/report.json", "1");
    file("s/a.pdf", "1");
    names_are(PATHS("s"), "s/a.pdf\ns/report.json\n");
}

static void not_utf8(void **state)
{
    (void)state;
    AUTO(inputs_destroy) struct inputs inputs = {0};
    AUTO(buf_destroy) struct buf lines = {0};
    struct err err = {0};
    folder("s");
    file("s/\xe1.pdf", "1");
    assert_int_equal(find(PATHS("s"), "out", &inputs, &err), 0);
    assert_string_equal(inputs.item[0].name, "\\xe1.pdf");
    assert_int_equal(inputs.item[0].refused.code, E_SOURCE_DENIED);
    inputs_manifest(&inputs, &lines);
    assert_int_equal(lines.size, 0);
}

static void nothing(void **state)
{
    (void)state;
    folder("s");
    fails(PATHS("s"), E_ABSENT, "there are no files under s");
    fails(PATHS("absent"), E_ABSENT, "absent: No such file");
    fails(PATHS("/dev/null"), E_USAGE, "neither a file nor a folder");
}

static void manifest(void **state)
{
    (void)state;
    folder("m");
    folder("far");
    file("m/list.csv", "source,unit\n./x/../a b.pdf,new:00004\nsub/c.pdf,\n../far/d.pdf,\n");
    names_are(PATHS("m/list.csv"), "a b.pdf\nsub/c.pdf\nd.pdf\n");
    file("m/absolute.jsonl", "{\"source\":\"/data/x/1/a.pdf\"}\n\n{\"source\":\"/data/x/2/b.pdf\"}\r\n");
    names_are(PATHS("m/absolute.jsonl"), "1/a.pdf\n2/b.pdf\n");
    file("m/twice.jsonl",
         "{\"source\":\"a.pdf\"}\n{\"source\":\"a.pdf\"}\n{\"source\":\"a.pdf-2\"}\n{\"source\":\"b\"}\n"
         "{\"source\":\"b/document.pdf\"}\n");
    names_are(PATHS("m/twice.jsonl"), "a.pdf\na.pdf-2\na.pdf-2-2\nb-2\nb/document.pdf\n");
    file("m/bad.csv", "source,unit\na.pdf,4\n");
    fails(PATHS("m/bad.csv"), E_MANIFEST, "m/bad.csv: line 2: unit '4'");
    file("m/empty.csv", "source\n");
    fails(PATHS("m/empty.csv"), E_MANIFEST, "m/empty.csv: it has no rows");
}

static void rows_kept(void **state)
{
    (void)state;
    AUTO(inputs_destroy) struct inputs inputs = {0};
    AUTO(buf_destroy) struct buf lines = {0};
    char expected[256], here[128];
    struct err err = {0};
    file("list.csv", "source,shelf\na.pdf,4 bis\n");
    assert_int_equal(find(PATHS("list.csv"), "out", &inputs, &err), 0);
    inputs_manifest(&inputs, &lines);
    assert_non_null(getcwd(here, sizeof here));
    snprintf(expected, sizeof expected, "{\"source\":\"%s/a.pdf\",\"shelf\":\"4 bis\",\"name\":\"a.pdf\"}\n", here);
    assert_string_equal(buf_text(&lines), expected);
}

static void batch_of(char id[NAME_BYTES], const char *lang, const char *pdfa)
{
    AUTO(inputs_destroy) struct inputs inputs = {0};
    assert_int_equal(find(PATHS("s"), "out", &inputs, NULL), 0);
    inputs_batch(&inputs, lang, pdfa, id);
}

static void batch(void **state)
{
    (void)state;
    char first[NAME_BYTES], second[NAME_BYTES];
    folder("s");
    file("s/a.pdf", "1");
    batch_of(first, "vie", "2b");
    batch_of(second, "vie", "2b");
    assert_string_equal(first, second);
    assert_int_equal(strlen(first), 20);
    batch_of(second, "eng", "2b");
    assert_string_not_equal(first, second);
    batch_of(second, "vie", "1b");
    assert_string_not_equal(first, second);
    struct timeval past[2] = {
        {1000, 0},
        {1000, 0}
    };
    assert_int_equal(utimes("s/a.pdf", past), 0);
    batch_of(second, "vie", "2b");
    assert_string_not_equal(first, second);
}

static void name_checks(void **state)
{
    (void)state;
    assert_true(name_stays("a/b.pdf"));
    assert_true(name_stays("..a/b..pdf/.c"));
    assert_false(name_stays(""));
    assert_false(name_stays("/a"));
    assert_false(name_stays("a//b"));
    assert_false(name_stays("a/../b"));
    assert_false(name_stays("a/."));
    assert_false(name_stays("a/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(walk, enter),     cmocka_unit_test_setup(out_inside, enter),
        cmocka_unit_test_setup(links, enter),    cmocka_unit_test_setup(clashes, enter),
        cmocka_unit_test_setup(within, enter),   cmocka_unit_test_setup(reserved, enter),
        cmocka_unit_test_setup(not_utf8, enter), cmocka_unit_test_setup(nothing, enter),
        cmocka_unit_test_setup(manifest, enter), cmocka_unit_test_setup(rows_kept, enter),
        cmocka_unit_test_setup(batch, enter),    cmocka_unit_test(name_checks),
    };
    return cmocka_run_group_tests(tests, root_make, root_remove);
}
