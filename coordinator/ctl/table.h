/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Rows of a list as text for people: columns as wide as their widest cell, counted as a terminal counts Vietnamese letters; numbers to
 * the right. */
#ifndef SOHOA_CTL_TABLE_H
#define SOHOA_CTL_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "proto/buf.h"

struct column {
    const char *title;
    bool right;
    void (*cell)(const json_t *row, struct buf *into); /* appends the cell's text */
};

/* Appends the titles and the rows (a JSON array), a line each. columns_most: lines are cut there; 0: never. rows_most: so many rows, and how
 * many more there are; 0: all. */
void table_write(const struct column *columns, size_t count, const json_t *rows, size_t rows_most, size_t columns_most,
                 struct buf *into);

/* Columns that a terminal needs for the text. */
size_t table_width(const char *text);

/* Appends the line, cut to columns_most, and a newline. */
void table_line(const char *line, size_t columns_most, struct buf *into);

/* ---- what cells are often made of: the value at key ---- */

const char *cell_text(const json_t *row, const char *key);              /* "" where there is none */
json_int_t cell_number(const json_t *row, const char *key);             /* 0 */
void cell_moment(const json_t *row, const char *key, struct buf *into); /* "-" for null and 0 */
void cell_day(const json_t *row, const char *key, struct buf *into);

#endif
