/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a run is to read: every regular file under the folders given, files given directly, and the rows of manifests given
 * directly (.csv, .jsonl). The same files come in the same order every time. */
#ifndef SOHOA_INPUTS_H
#define SOHOA_INPUTS_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coordinator/ctl/args.h"
#include "coordinator/ctl/rows.h"
#include "proto/buf.h"
#include "proto/err.h"
#include "proto/limits.h"

struct input {
    char *path;     /* absolute; the bytes of the file system */
    char *name;     /* UTF-8, relative to its PATH; see names.h */
    json_t *row;    /* its row of a manifest; NULL: a file by itself */
    uint32_t group; /* which PATH it came from */
    uint64_t bytes;
    int64_t mtime_ns;
    struct err refused; /* code not 0: it can't be admitted at all */
};

struct inputs {
    struct input *item; /* in the order of the PATHs, then of names, bytewise; rows as in their manifest */
    size_t count;
};

void inputs_destroy(struct inputs *inputs);

/* Walks paths. Files and folders whose name starts with '.' are left out, and so is the folder out ("" for none). Symbolic
 * links are followed, but never back into a folder that is being walked. A file found twice counts once; manifest rows all count.
 * Errors: E_ABSENT (no such path, nothing found), E_SOURCE_DENIED (a folder that can't be read), E_MANIFEST, E_LIMIT, E_USAGE (a path is out). */
int inputs_find(const struct texts *paths, const char *out, struct inputs *inputs, struct err *err);

/* Adds the rows of a manifest, whose texts it takes over. */
void inputs_take(struct inputs *inputs, struct rows *rows, uint32_t group);

/* bytes of the file system as UTF-8: those that are not become \xNN. Returns whether all were. *ret_text is the caller's. */
bool inputs_utf8(const char *bytes, char **ret_text);

/* The real path of the folder that the last component of path lies in. Returns folder; NULL: errno says why. */
char *inputs_folder(const char *path, char folder[PATH_MAX]);

/* The manifest as JSON lines (refused inputs left out): source is the absolute path, "name" the name. */
void inputs_manifest(const struct inputs *inputs, struct buf *lines);

/* "run-" and 16 digits that follow from the list, lang and pdfa: the same files read the same way are the same batch. */
void inputs_batch(const struct inputs *inputs, const char *lang, const char *pdfa, char id[NAME_BYTES]);

#endif
