/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The walk. Names that are not UTF-8 can't travel in JSON: such a file is listed, with its bytes escaped, and refused. */
#include "coordinator/ctl/inputs.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <utf8proc.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/names.h"
#include "proto/array.h"
#include "proto/auto.h"
#include "proto/sha256.h"

enum { FOLDER_MAX_DEPTH = 256 };

struct folder_id {
    dev_t device;
    ino_t inode;
};

struct walk {
    struct inputs *inputs;
    uint32_t group;
    struct folder_id out;                     /* inode 0: none */
    struct folder_id above[FOLDER_MAX_DEPTH]; /* the folders being walked, outermost first */
    unsigned depth;
    struct buf path; /* of the entry looked at */
    size_t root_bytes;
};

static void walk_destroy(struct walk *walk)
{
    buf_destroy(&walk->path);
}

static void input_destroy(struct input *input)
{
    free(input->path);
    free(input->name);
    json_drop(&input->row);
}

void inputs_destroy(struct inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++)
        input_destroy(&inputs->item[i]);
    free(inputs->item);
    *inputs = (struct inputs){0};
}

static struct input *inputs_add(struct inputs *inputs)
{
    inputs->item = array_room(inputs->item, inputs->count, sizeof *inputs->item);
    struct input *input = &inputs->item[inputs->count++];
    *input = (struct input){0};
    return input;
}

bool inputs_utf8(const char *bytes, char **ret_text)
{
    AUTO(buf_destroy) struct buf text = {0};
    bool clean = true;
    for (size_t left = strlen(bytes); left > 0;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)bytes, (utf8proc_ssize_t)left, &point);
        if (n > 0)
            buf_append(&text, bytes, (size_t)n);
        else
            buf_printf(&text, "\\x%02x", (unsigned char)*bytes);
        clean &= n > 0;
        n = n > 0 ? n : 1;
        bytes += n;
        left -= (size_t)n;
    }
    *ret_text = strdup(buf_text(&text));
    assert(*ret_text);
    return clean;
}

static void figures_take(struct input *input, const struct stat *st)
{
    input->bytes = (uint64_t)st->st_size;
    input->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static int file_add(struct walk *walk, const char *path, const char *name, const struct stat *st, struct err *err)
{
    if (walk->inputs->count == BATCH_MAX_DOCS)
        return err_set(err, E_LIMIT, "more than %u files: run their folders one by one", BATCH_MAX_DOCS);
    struct input *input = inputs_add(walk->inputs);
    input->path = strdup(path);
    assert(input->path);
    input->group = walk->group;
    figures_take(input, st);
    if (!inputs_utf8(name, &input->name))
        err_set(&input->refused, E_SOURCE_DENIED, "the file's name is not UTF-8: rename it");
    else if (strlen(path) >= SOURCE_PATH_BYTES)
        err_set(&input->refused, E_SOURCE_DENIED, "its path is longer than %d bytes", SOURCE_PATH_BYTES - 1);
    return 0;
}

static bool is_above(const struct walk *walk, const struct folder_id *id)
{
    for (unsigned i = 0; i < walk->depth; i++)
        if (walk->above[i].device == id->device && walk->above[i].inode == id->inode)
            return true;
    return walk->out.inode == id->inode && walk->out.device == id->device && id->inode;
}

static int folder_walk(struct walk *walk, const struct stat *st, struct err *err);

static int entry_visit(struct walk *walk, const char *name, struct err *err)
{
    size_t bytes = walk->path.size;
    buf_printf(&walk->path, "/%s", name);
    struct stat st;
    int rc = 0;
    if (stat(buf_text(&walk->path), &st) == 0) { /* else: a link to nothing, or gone meanwhile */
        if (S_ISDIR(st.st_mode))
            rc = folder_walk(walk, &st, err);
        else if (S_ISREG(st.st_mode))
            rc = file_add(walk, buf_text(&walk->path), buf_text(&walk->path) + walk->root_bytes + 1, &st, err);
    }
    walk->path.size = bytes;
    walk->path.data[bytes] = 0;
    return rc;
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The results of another run are no scans. */
static bool is_results(const char *folder)
{
    AUTO(buf_destroy) struct buf lock = {0};
    buf_printf(&lock, "%s/" RUN_FOLDER "/" RUN_LOCK, folder);
    return access(buf_text(&lock), F_OK) == 0;
}

static int folder_walk(struct walk *walk, const struct stat *st, struct err *err)
{
    struct folder_id id = {st->st_dev, st->st_ino};
    if (is_above(walk, &id) || (walk->depth > 0 && is_results(buf_text(&walk->path))))
        return 0;
    if (walk->depth == FOLDER_MAX_DEPTH)
        return err_set(err, E_LIMIT, "%s: more than %d folders deep", buf_text(&walk->path), FOLDER_MAX_DEPTH);
    walk->above[walk->depth++] = id;
    struct dirent **entry = NULL;
    int count = scandir(*buf_text(&walk->path) ? buf_text(&walk->path) : "/", &entry, is_shown, NULL);
    int rc = count < 0 ? err_errno(err, E_SOURCE_DENIED, "folder %s", buf_text(&walk->path)) : 0;
    for (int i = 0; i < count; i++) {
        if (!rc)
            rc = entry_visit(walk, entry[i]->d_name, err);
        free(entry[i]);
    }
    free(entry);
    walk->depth--;
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct input *)a)->name, ((const struct input *)b)->name);
}

static int folder_add(struct walk *walk, const char *path, const struct stat *st, struct err *err)
{
    char root[PATH_MAX];
    if (!realpath(path, root))
        return err_errno(err, E_SOURCE_DENIED, "%s", path);
    struct folder_id id = {st->st_dev, st->st_ino};
    if (is_above(walk, &id))
        return err_set(err, E_USAGE, "%s is the folder for the results; its scans must lie elsewhere", path);
    buf_clear(&walk->path);
    buf_puts(&walk->path, strcmp(root, "/") ? root : "");
    walk->root_bytes = walk->path.size;
    size_t first = walk->inputs->count;
    int rc = folder_walk(walk, st, err);
    if (walk->inputs->count > first)
        qsort(walk->inputs->item + first, walk->inputs->count - first, sizeof *walk->inputs->item, by_name);
    return rc;
}

char *inputs_folder(const char *path, char folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    AUTO(buf_destroy) struct buf typed = {0};
    buf_append(&typed, path, slash ? (size_t)(slash - path) + 1 : 0);
    return realpath(slash ? buf_text(&typed) : ".", folder);
}

/* A file keeps the name it was given by, even when that is a symbolic link. */
static int lone_file_add(struct walk *walk, const char *path, const struct stat *st, struct err *err)
{
    char folder[PATH_MAX];
    if (!inputs_folder(path, folder))
        return err_errno(err, E_SOURCE_DENIED, "%s", path);
    const char *slash = strrchr(path, '/');
    buf_clear(&walk->path);
    buf_printf(&walk->path, "%s/%s", strcmp(folder, "/") ? folder : "", slash ? slash + 1 : path);
    return file_add(walk, buf_text(&walk->path), slash ? slash + 1 : path, st, err);
}

void inputs_take(struct inputs *inputs, struct rows *rows, uint32_t group)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct input *input = inputs_add(inputs);
        *input = (struct input){
            .path = rows->item[i].path, .name = rows->item[i].name, .row = rows->item[i].json, .group = group};
        rows->item[i] = (struct row){0};
    }
}

static int manifest_add(struct walk *walk, const char *path, struct err *err)
{
    AUTO(rows_destroy) struct rows rows = {0};
    struct inputs *inputs = walk->inputs;
    int rc = rows_load(path, &rows, err);
    if (!rc && inputs->count + rows.count > BATCH_MAX_DOCS)
        rc = err_set(err, E_LIMIT, "%s: more than %u documents", path, BATCH_MAX_DOCS);
    if (rc)
        return rc;
    size_t first = inputs->count;
    inputs_take(inputs, &rows, walk->group);
    for (size_t i = first; i < inputs->count; i++) {
        struct stat st;
        if (stat(inputs->item[i].path, &st) == 0) /* a missing source is the worker's to tell */
            figures_take(&inputs->item[i], &st);
    }
    return 0;
}

static int path_add(struct walk *walk, const char *path, struct err *err)
{
    struct stat st;
    if (stat(path, &st))
        return err_errno(err, errno == ENOENT || errno == ENOTDIR ? E_ABSENT : E_SOURCE_DENIED, "%s", path);
    if (S_ISDIR(st.st_mode))
        return folder_add(walk, path, &st, err);
    if (!S_ISREG(st.st_mode))
        return err_set(err, E_USAGE, "%s is neither a file nor a folder", path);
    return rows_named(path) ? manifest_add(walk, path, err) : lone_file_add(walk, path, &st, err);
}

/* The first of those with the same path stays. */
static void twins_drop(struct inputs *inputs)
{
    AUTO(json_drop) json_t *seen = json_object();
    size_t kept = 0;
    for (size_t i = 0; i < inputs->count; i++) {
        struct input *input = &inputs->item[i];
        bool twin = !input->row && json_object_get(seen, input->path);
        if (twin)
            input_destroy(input);
        else
            inputs->item[kept++] = *input;
        if (!twin && !input->row)
            json_object_set_new_nocheck(seen, input->path, json_true());
    }
    inputs->count = kept;
}

int inputs_find(const struct texts *paths, const char *out, struct inputs *inputs, struct err *err)
{
    struct stat st;
    AUTO(walk_destroy) struct walk walk = {.inputs = inputs};
    if (*out && stat(out, &st) == 0)
        walk.out = (struct folder_id){st.st_dev, st.st_ino};
    int rc = 0;
    for (size_t i = 0; i < paths->count && !rc; i++) {
        walk.group = (uint32_t)i;
        rc = path_add(&walk, paths->item[i], err);
    }
    if (rc)
        return rc;
    twins_drop(inputs);
    if (!inputs->count)
        return err_set(err, E_ABSENT, "there are no files under %s (hidden ones don't count)", paths->item[0]);
    return 0;
}

void inputs_manifest(const struct inputs *inputs, struct buf *lines)
{
    for (size_t i = 0; i < inputs->count; i++) {
        const struct input *input = &inputs->item[i];
        if (input->refused.code)
            continue;
        AUTO(json_drop) json_t *row = input->row ? json_copy(input->row) : json_object();
        json_object_set_new(row, "source", json_string(input->path));
        json_object_set_new(row, "name", json_string(input->name));
        rows_print(row, lines);
    }
}

static void hash_text(struct sha256 *hash, const char *text)
{
    sha256_update(hash, text, strlen(text) + 1);
}

void inputs_batch(const struct inputs *inputs, const char *lang, const char *pdfa, char id[NAME_BYTES])
{
    AUTO(sha256_destroy) struct sha256 *hash = sha256_new();
    hash_text(hash, lang);
    hash_text(hash, pdfa);
    for (size_t i = 0; i < inputs->count; i++) {
        const struct input *input = &inputs->item[i];
        uint64_t figure[2] = {input->bytes, (uint64_t)input->mtime_ns};
        hash_text(hash, input->name);
        hash_text(hash, input->path);
        sha256_update(hash, figure, sizeof figure);
        AUTO(buf_destroy) struct buf row = {0};
        if (input->row)
            rows_print(input->row, &row);
        hash_text(hash, buf_text(&row));
    }
    uint8_t digest[SHA256_BYTES];
    char hex[SHA256_HEX_CHARS + 1];
    sha256_final(hash, digest);
    sha256_hex(digest, hex);
    snprintf(id, NAME_BYTES, "run-%.16s", hex);
}
