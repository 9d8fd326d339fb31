/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Paths are made absolute by their letters alone: whether the sources are there is for whoever reads them to find out. */
#include "coordinator/ctl/rows.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "coordinator/ctl/api.h"
#include "coordinator/manifest.h"
#include "proto/array.h"
#include "proto/auto.h"

#define MANIFEST_MAX_BYTES ((off_t)4 << 30)

void rows_destroy(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        json_drop(&rows->item[i].json);
        free(rows->item[i].path);
        free(rows->item[i].name);
    }
    free(rows->item);
    *rows = (struct rows){0};
}

static bool ends_in(const char *path, const char *ending)
{
    size_t bytes = strlen(path), tail = strlen(ending);
    return bytes > tail && !strcasecmp(path + bytes - tail, ending);
}

bool rows_named(const char *path)
{
    return ends_in(path, ".csv") || ends_in(path, ".jsonl");
}

int file_load(const char *path, struct buf *into, struct err *err)
{
    AUTO(fd_destroy) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st))
        return err_errno(err, E_IO, "%s", path);
    if (st.st_size > MANIFEST_MAX_BYTES)
        return err_set(err, E_MANIFEST, "%s: larger than %lld bytes; split it", path, (long long)MANIFEST_MAX_BYTES);
    for (;;) {
        enum { STEP_BYTES = 1 << 20 };
        ssize_t n = read(fd, buf_reserve(into, STEP_BYTES), STEP_BYTES);
        if (n < 0 && errno != EINTR)
            return err_errno(err, E_IO, "%s", path);
        if (n == 0)
            return 0;
        into->size += n > 0 ? (size_t)n : 0;
        into->data[into->size] = 0;
    }
}

void rows_add(struct rows *rows, json_t *json)
{
    rows->item = array_room(rows->item, rows->count, sizeof *rows->item);
    rows->item[rows->count++] = (struct row){.json = json};
}

static int line_add(struct rows *rows, const char *line, size_t bytes, uint64_t line_no, struct err *err)
{
    struct manifest_row checked;
    int rc = manifest_row_parse(line, bytes, line_no, &checked, err);
    if (!rc)
        rows_add(rows, json_loadb(line, bytes, 0, NULL));
    return rc;
}

static int lines_add(struct rows *rows, const char *text, size_t bytes, struct err *err)
{
    uint64_t line_no = 1;
    int rc = 0;
    for (const char *end = text + bytes; text < end && !rc; line_no++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t line_bytes = (size_t)((newline ? newline : end) - text);
        size_t taken = line_bytes + 1;
        while (line_bytes > 0 && strchr(" \t\r", text[line_bytes - 1]))
            line_bytes--;
        if (line_bytes)
            rc = line_add(rows, text, line_bytes, line_no, err);
        text += taken;
    }
    return rc;
}

/* base/source without "." and ".." components and doubled slashes; base counts only for a relative source. */
static char *path_resolve(const char *base, const char *source)
{
    AUTO(buf_destroy) struct buf joined = {0};
    buf_printf(&joined, "%s/%s", *source == '/' ? "" : base, source);
    char *path = calloc(1, joined.size + 2);
    assert(path);
    size_t bytes = 0;
    char *rest = (char *)joined.data;
    for (char *part = strsep(&rest, "/"); part; part = strsep(&rest, "/")) {
        if (!strcmp(part, "..")) {
            while (bytes > 0 && path[--bytes] != '/')
                ;
        } else if (*part && strcmp(part, ".")) {
            path[bytes++] = '/';
            memcpy(path + bytes, part, strlen(part));
            bytes += strlen(part);
        }
        path[bytes] = 0;
    }
    return path;
}

static bool lies_in(const char *path, const char *folder)
{
    size_t bytes = strlen(folder);
    return !strncmp(path, folder, bytes) && path[bytes] == '/';
}

/* Shortens shared (a path, or a folder with its last slash) to the folder it has in common with path. */
static void share(char *shared, const char *path)
{
    size_t same = 0;
    while (shared[same] && shared[same] == path[same])
        same++;
    while (same > 0 && shared[same - 1] != '/')
        same--;
    shared[same] = 0;
}

/* A relative source that stays within the manifest's folder keeps its own path as name. */
static bool is_own(const struct row *row, const char *folder)
{
    return *json_string_value(json_object_get(row->json, "source")) != '/' && lies_in(row->path, folder);
}

static void rows_name(struct rows *rows, const char *folder)
{
    AUTO(mem_destroy) char *shared = NULL;
    for (size_t i = 0; i < rows->count; i++) {
        if (is_own(&rows->item[i], folder))
            continue;
        if (!shared)
            shared = strdup(rows->item[i].path);
        assert(shared);
        share(shared, rows->item[i].path);
    }
    if (shared)
        strrchr(shared, '/')[1] = 0;
    for (size_t i = 0; i < rows->count; i++) {
        struct row *row = &rows->item[i];
        row->name = strdup(row->path + (is_own(row, folder) ? strlen(folder) + 1 : strlen(shared)));
        assert(row->name);
    }
}

int rows_place(struct rows *rows, const char *folder, struct err *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        const char *source = json_string_value(json_object_get(rows->item[i].json, "source"));
        rows->item[i].path = path_resolve(folder, source);
        if (strlen(rows->item[i].path) >= SOURCE_PATH_BYTES || !rows->item[i].path[0])
            return err_set(err, E_MANIFEST, "row %zu: '%.80s' is not the path of a file", i + 1, source);
    }
    rows_name(rows, folder);
    return 0;
}

int rows_load(const char *path, struct rows *rows, struct err *err)
{
    AUTO(buf_destroy) struct buf text = {0};
    AUTO(buf_destroy) struct buf lines = {0};
    bool is_csv = ends_in(path, ".csv");
    int rc = file_load(path, &text, err);
    if (rc)
        return rc;
    struct err why = {0};
    if (is_csv)
        rc = manifest_from_csv(buf_text(&text), text.size, &lines, &why);
    if (!rc)
        rc = is_csv ? lines_add(rows, buf_text(&lines), lines.size, &why)
                    : lines_add(rows, buf_text(&text), text.size, &why);
    if (!rc && !rows->count)
        rc = err_set(&why, E_MANIFEST, "it has no rows");
    char folder[PATH_MAX];
    if (!rc && !realpath(path, folder))
        rc = err_errno(&why, E_IO, "its folder");
    if (!rc) {
        *strrchr(folder, '/') = 0; /* "" for the root */
        rc = rows_place(rows, folder, &why);
    }
    return rc ? err_set(err, rc, "%s: %s", path, why.text) : 0;
}

void rows_print(const json_t *row, struct buf *lines)
{
    size_t bytes = json_dumpb(row, NULL, 0, JSON_COMPACT);
    json_dumpb(row, (char *)buf_reserve(lines, bytes), bytes, JSON_COMPACT);
    lines->size += bytes;
    buf_puts(lines, "\n");
}
