/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A manifest file as a command reads it: its rows, where their sources lie seen from here, and what to call their results. */
#ifndef SOHOA_CTL_ROWS_H
#define SOHOA_CTL_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "proto/buf.h"
#include "proto/err.h"

struct row {
    json_t *json; /* as in the manifest */
    char *path;   /* of the source: absolute; a relative one starts at the manifest's folder */
    char *
        name; /* a relative source's own path; absolute ones (and those with too many ..): relative to the folder they share */
};

struct rows {
    struct row *item;
    size_t count;
};

void rows_destroy(struct rows *rows);

/* The whole file, appended. Errors: E_IO, E_LIMIT. */
int file_load(const char *path, struct buf *into, struct err *err);

/* Is path called like a manifest: .csv or .jsonl? */
bool rows_named(const char *path);

/* Reads the manifest at path, CSV when it ends in .csv, else JSON lines. Every row is checked. Errors: E_IO, E_MANIFEST, both name the file. */
int rows_load(const char *path, struct rows *rows, struct err *err);

/* Adds a row, whose JSON it takes over; rows_place() is to follow. */
void rows_add(struct rows *rows, json_t *json);

/* Gives each row its path and name; relative sources start at folder ("" for the root). Errors: E_MANIFEST. */
int rows_place(struct rows *rows, const char *folder, struct err *err);

/* Appends row to lines as one JSON line. */
void rows_print(const json_t *row, struct buf *lines);

#endif
