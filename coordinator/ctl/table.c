/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/ctl/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "coordinator/day.h"
#include "proto/auto.h"

enum { GAP = 2 };

/* ---- widths ---- */

/* Bytes of the first character of text, and the columns that it takes. */
static size_t letter(const char *text, size_t *ret_columns)
{
    utf8proc_int32_t point;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &point);
    if (n <= 0) {
        *ret_columns = 1;
        return 1;
    }
    *ret_columns = (size_t)utf8proc_charwidth(point);
    return (size_t)n;
}

size_t table_width(const char *text)
{
    size_t width = 0, columns;
    for (const char *at = text; *at; at += letter(at, &columns), width += columns)
        ;
    return width;
}

void table_line(const char *line, size_t columns_most, struct buf *into)
{
    size_t width = 0, columns = 0;
    for (const char *at = line; *at;) {
        size_t bytes = letter(at, &columns);
        if (columns_most && (width += columns) > columns_most)
            break;
        buf_append(into, at, bytes);
        at += bytes;
    }
    buf_puts(into, "\n");
}

/* ---- rows ---- */

struct cells {
    struct buf text; /* one behind the other, each with its 0 */
    size_t *width;   /* of the columns */
    size_t rows, columns;
};

static void cells_destroy(struct cells *cells)
{
    buf_destroy(&cells->text);
    free(cells->width);
}

static void cell_end(struct cells *cells, size_t begin, size_t column)
{
    buf_append(&cells->text, "", 1);
    size_t width = table_width((const char *)cells->text.data + begin);
    if (width > cells->width[column])
        cells->width[column] = width;
}

static void cells_fill(struct cells *cells, const struct column *columns, const json_t *rows)
{
    for (size_t i = 0; i < cells->columns; i++) {
        size_t begin = cells->text.size;
        buf_puts(&cells->text, columns[i].title);
        cell_end(cells, begin, i);
    }
    for (size_t r = 0; r < cells->rows; r++)
        for (size_t i = 0; i < cells->columns; i++) {
            size_t begin = cells->text.size;
            columns[i].cell(json_array_get(rows, r), &cells->text);
            cell_end(cells, begin, i);
        }
}

static void pad(struct buf *line, size_t columns)
{
    while (columns--)
        buf_puts(line, " ");
}

void table_write(const struct column *columns, size_t count, const json_t *rows, size_t rows_most, size_t columns_most,
                 struct buf *into)
{
    size_t all = json_array_size(rows);
    AUTO(cells_destroy) struct cells cells = {.columns = count, .rows = rows_most && all > rows_most ? rows_most : all};
    AUTO(buf_destroy) struct buf line = {0};
    cells.width = calloc(count + 1, sizeof *cells.width);
    if (!cells.width)
        abort();
    cells_fill(&cells, columns, rows);
    const char *cell = buf_text(&cells.text);
    for (size_t r = 0; r <= cells.rows; r++) {
        buf_clear(&line);
        for (size_t i = 0; i < count; i++, cell += strlen(cell) + 1) {
            size_t space = cells.width[i] - table_width(cell);
            pad(&line, columns[i].right ? space : 0);
            buf_puts(&line, cell);
            pad(&line, i + 1 == count ? 0 : GAP + (columns[i].right ? 0 : space));
        }
        while (line.size && line.data[line.size - 1] == ' ')
            line.data[--line.size] = '\0';
        table_line(buf_text(&line), columns_most, into);
    }
    if (all > cells.rows)
        buf_printf(into, "... and %zu more\n", all - cells.rows);
}

/* ---- cells ---- */

const char *cell_text(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text ? text : "";
}

json_int_t cell_number(const json_t *row, const char *key)
{
    return json_integer_value(json_object_get(row, key));
}

void cell_moment(const json_t *row, const char *key, struct buf *into)
{
    char text[DAY_MOMENT_BYTES];
    uint64_t ms = (uint64_t)cell_number(row, key);
    buf_puts(into, ms ? day_moment(ms, text) : "-");
}

void cell_day(const json_t *row, const char *key, struct buf *into)
{
    char text[DAY_CHARS + 1];
    uint64_t ms = (uint64_t)cell_number(row, key);
    buf_puts(into, ms ? day_date(ms, text) : "-");
}
