/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Backlogs of synthetic scans: reproducible, counted right, and nothing without its truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "bench/backlog.h"
#include "bench/print.h"
#include "proto/auto.h"
#include "proto/buf.h"
#include "proto/unit.h"

enum { PATH_BYTES = 1024, COLUMNS_MAX = 12, TREE_FDS = 16, ROWS_MAX = 256, TEXT_BYTES = 1 << 14 };

static char root[] = "/tmp/scans_test.XXXXXX";

/* A backlog that several tests look at. */
static char sample[PATH_BYTES];
static struct backlog_plan sample_plan;
static struct backlog_count sample_count;

static struct backlog_plan plan_for(const char *out)
{
    return (struct backlog_plan){
        .out = out,
        .documents = 5,
        .seed = 12,
        .damage = DAMAGE_MIXED,
        .kinds = BACKLOG_ALL(ORGAN_KIND_NR),
        .formats = BACKLOG_ALL(SOURCE_FORMAT_NR),
        .dpi = 1u << DPI_200,
        .duplicates = 25,
        .blank = 20,
        .rotated = 20,
        .pages_mean = 1.5,
    };
}

static void write_backlog(const struct backlog_plan *plan, struct backlog_count *count)
{
    struct err err = {0};
    if (backlog_write(plan, count, &err))
        fail_msg("%s", err.text);
}

static const char *out_dir(char *path, const char *name)
{
    snprintf(path, PATH_BYTES, "%s/%s", root, name);
    return path;
}

static void read_file(const char *dir, const char *name, const char *suffix, struct buf *bytes)
{
    char path[2 * PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s%s", dir, name, suffix);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s is missing", path);
    size_t n;
    while ((n = fread(buf_reserve(bytes, 1 << 16), 1, 1 << 16, file)) > 0)
        bytes->size += n;
    buf_append(bytes, "", 0);
    fclose(file);
}

/* A table's rows without its header, cut into columns. */
struct table {
    struct buf bytes;
    char *cells[ROWS_MAX][COLUMNS_MAX];
    size_t rows;
};

static void read_table(const char *dir, const char *name, char separator, struct table *table)
{
    memset(table, 0, sizeof *table);
    read_file(dir, name, "", &table->bytes);
    const char separators[] = {separator, '\0'};
    char *rest = strchr((char *)table->bytes.data, '\n') + 1, *line;
    while ((line = strsep(&rest, "\n")) && *line) {
        assert_true(table->rows < ROWS_MAX);
        size_t column = 0;
        char *cell;
        while ((cell = strsep(&line, separators)) && column < COLUMNS_MAX)
            table->cells[table->rows][column++] = cell;
        table->rows++;
    }
}

static void table_clear(struct table *table)
{
    buf_destroy(&table->bytes);
}

/* nftw has no argument for its function. */
static struct {
    size_t prefix, files;
    uint64_t bytes;
    struct buf *paths;
} walk;

static int walk_file(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)at;
    if (type != FTW_F)
        return 0;
    walk.files++;
    walk.bytes += (uint64_t)info->st_size;
    if (walk.paths)
        buf_printf(walk.paths, "%s\n", path + walk.prefix);
    return 0;
}

static void walk_tree(const char *dir, const char *below, struct buf *paths)
{
    char path[2 * PATH_BYTES];
    snprintf(path, sizeof path, "%s%s", dir, below);
    walk.prefix = strlen(path) + 1;
    walk.files = 0;
    walk.bytes = 0;
    walk.paths = paths;
    int rc = nftw(path, walk_file, TREE_FDS, FTW_PHYS);
    walk.paths = NULL;
    assert_int_equal(rc, 0);
}

static bool same_file(const char *dir_a, const char *name_a, const char *dir_b, const char *name_b)
{
    AUTO(buf_destroy) struct buf a = {0}, b = {0};
    read_file(dir_a, name_a, "", &a);
    read_file(dir_b, name_b, "", &b);
    return a.size == b.size && !memcmp(a.data, b.data, a.size);
}

static void same_seed_same_bytes(void **state)
{
    (void)state;
    char again[PATH_BYTES], other[PATH_BYTES];
    struct backlog_count count;
    struct backlog_plan plan = plan_for(out_dir(again, "again"));
    write_backlog(&plan, &count);
    plan.out = out_dir(other, "other");
    plan.seed++;
    plan.documents = 1;
    write_backlog(&plan, &count);

    AUTO(buf_destroy) struct buf names = {0};
    walk_tree(again, "", &names);
    size_t files = walk.files;
    walk_tree(sample, "", NULL);
    assert_int_equal(walk.files, files);
    char *rest = (char *)names.data, *name;
    while ((name = strsep(&rest, "\n")) && *name)
        if (!same_file(sample, name, again, name))
            fail_msg("%s differs", name);
    assert_false(same_file(sample, "truth/truth.tsv", other, "truth/truth.tsv"));
}

static void counts_hold(void **state)
{
    (void)state;
    AUTO(table_clear) struct table fields, pages, manifest;
    read_table(sample, "truth/truth.tsv", '\t', &fields);
    read_table(sample, "truth/pages.tsv", '\t', &pages);
    read_table(sample, "manifest.csv", ',', &manifest);
    assert_int_equal(sample_count.documents, sample_plan.documents);
    assert_int_equal(fields.rows, sample_count.documents);
    assert_int_equal(manifest.rows, sample_count.documents);
    assert_int_equal(pages.rows, sample_count.pages);
    walk_tree(sample, "/scans", NULL);
    assert_int_equal(walk.files, sample_count.documents);
    assert_int_equal(walk.bytes, sample_count.bytes);
    uint64_t in_manifest = 0;
    for (size_t i = 0; i < manifest.rows; i++)
        in_manifest += strtoull(manifest.cells[i][9], NULL, 10);
    assert_int_equal(in_manifest, sample_count.pages);
}

/* The page's part of a document's text. */
static void page_text(const char *out, const char *file, unsigned page_no, char *text)
{
    AUTO(buf_destroy) struct buf all = {0};
    char dir[2 * PATH_BYTES];
    snprintf(dir, sizeof dir, "%s/truth", out);
    read_file(dir, file, ".txt", &all);
    const char *page = buf_text(&all);
    for (unsigned i = 1; i < page_no; i++) {
        page = strchr(page, '\f');
        assert_non_null(page);
        page++;
    }
    snprintf(text, TEXT_BYTES, "%.*s", (int)strcspn(page, "\f"), page);
}

static void printed_pages_have_text_and_blank_ones_none(void **state)
{
    (void)state;
    char out[PATH_BYTES], text[TEXT_BYTES];
    struct backlog_count count;
    struct backlog_plan plan = plan_for(out_dir(out, "blank"));
    plan.formats = 1u << SOURCE_PDF | 1u << SOURCE_TIFF;
    plan.blank = 100;
    plan.documents = 3;
    write_backlog(&plan, &count);
    AUTO(table_clear) struct table pages;
    read_table(out, "truth/pages.tsv", '\t', &pages);
    for (size_t i = 0; i < pages.rows; i++) {
        char **row = pages.cells[i];
        unsigned page_no = (unsigned)strtoul(row[1], NULL, 10);
        page_text(out, row[0], page_no, text);
        assert_int_equal(*row[7] == '1', page_no % 2 == 0); /* each sheet, then its back */
        assert_int_equal(*text == '\0', *row[7] == '1');
    }
}

static void nothing_is_without_truth(void **state)
{
    (void)state;
    char truth[PATH_BYTES + 8], line[2 * PATH_BYTES];
    snprintf(truth, sizeof truth, "%s/truth", sample);
    AUTO(table_clear) struct table fields, manifest;
    read_table(sample, "truth/truth.tsv", '\t', &fields);
    read_table(sample, "manifest.csv", ',', &manifest);
    AUTO(buf_destroy) struct buf paths = {0};
    walk_tree(sample, "/scans", &paths);
    assert_int_equal(walk.files, fields.rows);
    for (size_t i = 0; i < fields.rows; i++) {
        char **row = fields.cells[i];
        snprintf(line, sizeof line, "%s\n", row[0]);
        if (!strstr(buf_text(&paths), line))
            fail_msg("no scan %s", row[0]);
        AUTO(buf_destroy) struct buf text = {0};
        read_file(truth, row[0], ".txt", &text);
        snprintf(line, sizeof line, "%s%s%s\n", row[1], strchr(row[2], '/') ? "-" : "/", row[2]);
        assert_non_null(strstr(buf_text(&text), line));   /* the number as printed */
        assert_non_null(strstr(buf_text(&text), row[7])); /* who signs */
        assert_true(strlen(row[3]) == 10 && *row[4] && *row[5] && *row[6]);
        snprintf(line, sizeof line, "\"scans/%s\"", row[0]);
        assert_string_equal(manifest.cells[i][0], line);
        assert_int_equal(unit_check(manifest.cells[i][1], NULL), 0);
    }
}

static void duplicates_are_copies(void **state)
{
    (void)state;
    char out[PATH_BYTES], scans[PATH_BYTES + 8];
    struct backlog_count count;
    struct backlog_plan plan = plan_for(out_dir(out, "copies"));
    plan.documents = 4;
    plan.duplicates = 50;
    plan.pages_mean = 1;
    plan.blank = 0;
    plan.formats = 1u << SOURCE_PDF;
    write_backlog(&plan, &count);
    snprintf(scans, sizeof scans, "%s/scans", out);
    AUTO(table_clear) struct table pages;
    read_table(out, "truth/pages.tsv", '\t', &pages);
    unsigned copies = 0;
    for (size_t i = 0; i < pages.rows; i++)
        if (*pages.cells[i][8]) {
            copies += !strcmp(pages.cells[i][1], "1");
            assert_string_not_equal(pages.cells[i][0], pages.cells[i][8]);
            assert_true(same_file(scans, pages.cells[i][0], scans, pages.cells[i][8]));
        }
    assert_int_equal(copies, 2);
}

/* Black on white, as many pages as said, turned as said, damaged by nothing else. */
static void tiffs_hold_what_is_said(void **state)
{
    (void)state;
    char out[PATH_BYTES], path[2 * PATH_BYTES];
    struct backlog_count count;
    struct backlog_plan plan = plan_for(out_dir(out, "tiffs"));
    plan.formats = 1u << SOURCE_TIFF;
    plan.damage = DAMAGE_NONE;
    plan.duplicates = plan.blank = 0;
    plan.rotated = 100;
    plan.documents = 3;
    write_backlog(&plan, &count);
    AUTO(table_clear) struct table pages;
    read_table(out, "truth/pages.tsv", '\t', &pages);
    for (size_t i = 0; i < pages.rows; i++) {
        char **row = pages.cells[i];
        snprintf(path, sizeof path, "%s/scans/%s", out, row[0]);
        AUTO(pix_destroy) PIX *page = pixReadTiff(path, (l_int32)strtol(row[1], NULL, 10) - 1);
        assert_non_null(page);
        bool lies = !strcmp(row[3], "90") || !strcmp(row[3], "270");
        assert_true(lies || !strcmp(row[3], "180"));
        assert_int_equal(pixGetWidth(page) > pixGetHeight(page), lies);
        assert_int_equal(pixGetXRes(page), strtol(row[5], NULL, 10));
        assert_string_equal(row[2], "rotation");
        AUTO(pix_destroy) PIX *bilevel = pixConvertTo1(page, 128);
        l_float32 black;
        pixForegroundFraction(bilevel, &black);
        assert_true(black > 0.002f && black < 0.2f);
    }
}

static void used_places_are_refused(void **state)
{
    (void)state;
    char out[PATH_BYTES];
    struct backlog_count count;
    struct err err = {0};
    struct backlog_plan plan = plan_for(out_dir(out, "used"));
    plan.documents = 1;
    plan.pages_mean = 1;
    write_backlog(&plan, &count);
    assert_int_equal(backlog_write(&plan, &count, &err), E_EXISTS);
}

static int exit_of(const char *arguments)
{
    const char *bin = getenv("SOHOA_BIN");
    assert_non_null(bin);
    char command[PATH_BYTES];
    snprintf(command, sizeof command, "'%s/bench-scans' %s >/dev/null 2>&1", bin, arguments);
    int status = system(command);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void wrong_use_exits_2(void **state)
{
    (void)state;
    assert_int_equal(exit_of("--help"), 0);
    assert_int_equal(exit_of(""), 2);
    assert_int_equal(exit_of("--out /proc/x --documents 0"), 2);
    assert_int_equal(exit_of("--out /proc/x --documents 1x"), 2);
    assert_int_equal(exit_of("--out /proc/x --kinds state,church"), 2);
    assert_int_equal(exit_of("--out /proc/x --formats ''"), 2);
    assert_int_equal(exit_of("--out /proc/x --damage awful"), 2);
    assert_int_equal(exit_of("--out /proc/x --blank 101"), 2);
    assert_int_equal(exit_of("--out /proc/x --pages-mean nan"), 2);
    assert_int_equal(exit_of("--out /proc/x --dpi 600"), 2);
    assert_int_equal(exit_of("--out /proc/x more"), 2);
    assert_int_equal(exit_of("--out /proc/x --colour"), 2);
    assert_int_equal(exit_of("--out /proc/x"), 1);
}

static int remove_path(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(root))
        return 1;
    sample_plan = plan_for(out_dir(sample, "sample"));
    write_backlog(&sample_plan, &sample_count);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    print_forget_fonts();
    return nftw(root, remove_path, TREE_FDS, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_bytes),
        cmocka_unit_test(counts_hold),
        cmocka_unit_test(printed_pages_have_text_and_blank_ones_none),
        cmocka_unit_test(nothing_is_without_truth),
        cmocka_unit_test(duplicates_are_copies),
        cmocka_unit_test(tiffs_hold_what_is_said),
        cmocka_unit_test(used_places_are_refused),
        cmocka_unit_test(wrong_use_exits_2),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
