/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/csv.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/json.h"

enum { COLUMNS_MAX = 256 };

enum cell_end { END_CELL, END_ROW, END_FILE };

struct csv {
    const char *at, *end;
    uint64_t line_no;     /* of *at */
    uint64_t row_line_no; /* where the row began */
    unsigned column;      /* 1-based, of the cell being read */
    struct buf cell;
};

static void csv_destroy(struct csv *csv)
{
    buf_destroy(&csv->cell);
}

/* Behind a cell: what ends it is taken. */
static int cell_close(struct csv *csv, enum cell_end *ret_end, struct err *err)
{
    if (csv->at == csv->end) {
        *ret_end = END_FILE;
        return 0;
    }
    char c = *csv->at++;
    *ret_end = END_CELL;
    if (c == ',')
        return 0;
    if (c == '\r' && csv->at < csv->end && *csv->at == '\n')
        c = *csv->at++;
    if (c != '\n')
        return err_set(err, E_MANIFEST,
                       c == '\r' ? "line %" PRIu64 ", column %u: a carriage return without a newline"
                                 : "line %" PRIu64 ", column %u: text after the closing quote",
                       csv->line_no, csv->column);
    csv->line_no++;
    *ret_end = END_ROW;
    return 0;
}

static int quoted_cell(struct csv *csv, struct err *err)
{
    uint64_t opened = csv->line_no;
    for (csv->at++; csv->at < csv->end; csv->at++) {
        if (*csv->at == '"' && (++csv->at == csv->end || *csv->at != '"'))
            return 0;
        csv->line_no += *csv->at == '\n';
        buf_append(&csv->cell, csv->at, 1);
    }
    return err_set(err, E_MANIFEST, "line %" PRIu64 ", column %u: the quote is never closed", opened, csv->column);
}

static int plain_cell(struct csv *csv, struct err *err)
{
    const char *from = csv->at;
    while (csv->at < csv->end && !strchr(",\r\n\"", *csv->at))
        csv->at++;
    if (csv->at < csv->end && (*csv->at == '"' || !*csv->at))
        return err_set(err, E_MANIFEST, "line %" PRIu64 ", column %u: a %s inside a cell that is not quoted",
                       csv->line_no, csv->column, *csv->at ? "quote" : "zero byte");
    buf_append(&csv->cell, from, (size_t)(csv->at - from));
    return 0;
}

static int cell_read(struct csv *csv, enum cell_end *ret_end, struct err *err)
{
    buf_clear(&csv->cell);
    int rc = csv->at < csv->end && *csv->at == '"' ? quoted_cell(csv, err) : plain_cell(csv, err);
    return rc ? rc : cell_close(csv, ret_end, err);
}

/* Reads a row into an array of texts. */
static int cells_read(struct csv *csv, json_t *cells, struct err *err)
{
    json_array_clear(cells);
    csv->row_line_no = csv->line_no;
    csv->column = 1;
    for (enum cell_end end = END_CELL; end == END_CELL; csv->column++) {
        if (csv->column > COLUMNS_MAX)
            return err_set(err, E_MANIFEST, "line %" PRIu64 ": more than %d columns", csv->line_no, COLUMNS_MAX);
        int rc = cell_read(csv, &end, err);
        if (rc)
            return rc;
        json_t *text = json_stringn(buf_text(&csv->cell), csv->cell.size);
        if (json_array_append_new(cells, text))
            return err_set(err, E_MANIFEST, "line %" PRIu64 ", column %u: not UTF-8; save the file as UTF-8",
                           csv->row_line_no, csv->column);
    }
    return 0;
}

static bool cells_blank(const json_t *cells)
{
    return json_array_size(cells) == 1 && json_string_length(json_array_get(cells, 0)) == 0;
}

static int head_check(const json_t *head, const char *needed, struct err *err)
{
    AUTO(json_drop) json_t *seen = json_object();
    for (size_t i = 0; i < json_array_size(head); i++) {
        const char *name = json_string_value(json_array_get(head, i));
        if (!*name)
            return err_set(err, E_MANIFEST, "line 1: column %zu has no name", i + 1);
        if (json_object_get(seen, name))
            return err_set(err, E_MANIFEST, "line 1: column '%.60s' is there twice", name);
        json_object_set_new(seen, name, json_true());
    }
    if (!json_object_get(seen, needed))
        return err_set(err, E_MANIFEST,
                       "line 1: there is no column '%s'; the first line names the columns, with commas between them",
                       needed);
    return 0;
}

static int row_tell(const struct csv *csv, const json_t *head, json_t *cells,
                    int (*each)(json_t *row, uint64_t line_no, void *user, struct err *err), void *user,
                    struct err *err)
{
    if (json_array_size(cells) != json_array_size(head))
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": %zu columns, but the first line names %zu", csv->row_line_no,
                       json_array_size(cells), json_array_size(head));
    AUTO(json_drop) json_t *object = json_object();
    for (size_t i = 0; i < json_array_size(head); i++)
        if (json_string_length(json_array_get(cells, i)) > 0)
            json_object_set(object, json_string_value(json_array_get(head, i)), json_array_get(cells, i));
    return each(object, csv->row_line_no, user, err);
}

int csv_read(const char *text, size_t bytes, const char *needed,
             int (*each)(json_t *row, uint64_t line_no, void *user, struct err *err), void *user, struct err *err)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    size_t skip = bytes >= 3 && !memcmp(text, byte_order_mark, 3) ? 3 : 0;
    AUTO(csv_destroy) struct csv csv = {.at = text + skip, .end = text + bytes, .line_no = 1};
    AUTO(json_drop) json_t *head = json_array();
    AUTO(json_drop) json_t *cells = json_array();
    int rc = cells_read(&csv, head, err);
    if (!rc)
        rc = head_check(head, needed, err);
    while (!rc && csv.at < csv.end) {
        rc = cells_read(&csv, cells, err);
        if (!rc && !cells_blank(cells))
            rc = row_tell(&csv, head, cells, each, user, err);
    }
    return rc;
}

int csv_file(const char *path, size_t most_bytes, struct buf *into, struct err *err)
{
    AUTO(file_destroy) FILE *file = fopen(path, "re");
    if (!file)
        return err_errno(err, E_ABSENT, "%s", path);
    buf_clear(into);
    into->size = fread(buf_reserve(into, most_bytes), 1, most_bytes, file);
    into->data[into->size] = '\0';
    return into->size < most_bytes ? 0 : err_set(err, E_LIMIT, "%s is larger than %zu bytes", path, most_bytes);
}
