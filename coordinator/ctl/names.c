/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Clashes show when names are sorted with '/' before all other letters: then whatever is equal to a name or lies within it
 * follows it directly. */
#include "coordinator/ctl/names.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/rows.h"
#include "proto/auto.h"

bool name_stays(const char *name)
{
    for (const char *part = name;; part++) {
        size_t bytes = strcspn(part, "/");
        if (bytes == 0 || (bytes == 1 && part[0] == '.') || (bytes == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        part += bytes;
        if (!*part)
            return true;
    }
}

static unsigned rank(char c)
{
    return c == '/' ? 1 : (unsigned char)c + 1u * (c != 0);
}

static int by_folder(const void *a, const void *b)
{
    const struct input *one = *(struct input *const *)a, *two = *(struct input *const *)b;
    const char *s = one->name, *t = two->name;
    while (*s && *s == *t)
        s++, t++;
    if (*s != *t)
        return rank(*s) < rank(*t) ? -1 : 1;
    return one < two ? -1 : one > two;
}

static struct input **sorted(struct inputs *inputs)
{
    struct input **item = calloc(inputs->count, sizeof *item);
    assert(item);
    for (size_t i = 0; i < inputs->count; i++)
        item[i] = &inputs->item[i];
    qsort(item, inputs->count, sizeof *item, by_folder);
    return item;
}

/* Is name equal to folder, or within it? */
static bool lies_in(const char *name, const char *folder)
{
    size_t bytes = strlen(folder);
    return !strncmp(name, folder, bytes) && (!name[bytes] || name[bytes] == '/');
}

static void first_part(const char *name, struct buf *part)
{
    buf_clear(part);
    buf_append(part, name, strcspn(name, "/"));
}

/* ---- between PATHs: the folder's name in front ---- */

static void groups_mark(struct inputs *inputs, bool *marked)
{
    AUTO(mem_destroy) struct input **item = sorted(inputs);
    const struct input *top = item[0];
    for (size_t i = 0; i < inputs->count; i++) {
        if (lies_in(item[i]->name, RUN_FOLDER) || lies_in(item[i]->name, REPORT))
            marked[item[i]->group] = true;
        if (!lies_in(item[i]->name, top->name))
            top = item[i];
        else if (item[i]->group != top->group)
            marked[item[i]->group] = marked[top->group] = true;
    }
}

/* The folder that stands for a PATH: its own, or the one a file lies in. A manifest stands for itself, since its names may
 * clash with those of its neighbours. */
static void group_folder(const char *path, char folder[PATH_MAX])
{
    struct stat st;
    bool own = rows_named(path) || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
    if (own ? !realpath(path, folder) : !inputs_folder(path, folder))
        snprintf(folder, PATH_MAX, "/");
}

/* A prefix that is not taken: base, or base and a number. Taken from then on. */
static void prefix_take(json_t *taken, const char *base, struct buf *prefix)
{
    buf_clear(prefix);
    buf_puts(prefix, base);
    for (unsigned number = 2; json_object_get(taken, buf_text(prefix)); number++) {
        buf_clear(prefix);
        buf_printf(prefix, "%s-%u", base, number);
    }
    json_object_set_new_nocheck(taken, buf_text(prefix), json_true());
}

static json_t *prefixes_taken(const struct inputs *inputs, const bool *marked)
{
    json_t *taken = json_pack("{s:b,s:b}", RUN_FOLDER, 1, REPORT, 1);
    AUTO(buf_destroy) struct buf part = {0};
    for (size_t i = 0; i < inputs->count; i++) {
        first_part(inputs->item[i].name, &part);
        if (!marked[inputs->item[i].group])
            json_object_set_new_nocheck(taken, buf_text(&part), json_true());
    }
    return taken;
}

static void name_prefix(struct input *input, const char *prefix)
{
    AUTO(buf_destroy) struct buf name = {0};
    buf_printf(&name, "%s/%s", prefix, input->name);
    free(input->name);
    input->name = strdup(buf_text(&name));
    assert(input->name);
}

/* prefix of each marked group, by index; groups of one folder share theirs */
static json_t *prefixes_choose(const struct texts *paths, const bool *marked, json_t *taken)
{
    AUTO(json_drop) json_t *of_folder = json_object();
    json_t *prefixes = json_array();
    for (size_t g = 0; g < paths->count; g++) {
        char folder[PATH_MAX];
        group_folder(paths->item[g], folder);
        AUTO(buf_destroy) struct buf prefix = {0};
        AUTO(mem_destroy) char *base = NULL;
        inputs_utf8(strrchr(folder, '/') + 1, &base);
        if (marked[g] && !json_object_get(of_folder, folder)) {
            prefix_take(taken, *base ? base : "root", &prefix);
            json_object_set_new_nocheck(of_folder, folder, json_string(buf_text(&prefix)));
        }
        json_array_append_new(prefixes, marked[g] ? json_incref(json_object_get(of_folder, folder)) : json_null());
    }
    return prefixes;
}

static void groups_part(struct inputs *inputs, const struct texts *paths)
{
    AUTO(mem_destroy) bool *marked = calloc(paths->count, sizeof *marked);
    assert(marked);
    groups_mark(inputs, marked);
    AUTO(json_drop) json_t *taken = prefixes_taken(inputs, marked);
    AUTO(json_drop) json_t *prefixes = prefixes_choose(paths, marked, taken);
    for (size_t i = 0; i < inputs->count; i++) {
        const char *prefix = json_string_value(json_array_get(prefixes, inputs->item[i].group));
        if (prefix)
            name_prefix(&inputs->item[i], prefix);
    }
}

/* ---- within a manifest: a number behind ---- */

static void name_number(struct input *input, unsigned number)
{
    AUTO(buf_destroy) struct buf name = {0};
    buf_printf(&name, "%s-%u", input->name, number);
    free(input->name);
    input->name = strdup(buf_text(&name));
    assert(input->name);
}

/* Numbers the second and later of the same name, and a name that others lie within. Returns whether there were any. */
static bool clashes_number(struct inputs *inputs)
{
    AUTO(mem_destroy) struct input **item = sorted(inputs);
    bool any = false;
    for (size_t i = 0, next; i < inputs->count; i = next) {
        unsigned same = 1;
        for (next = i + 1; next < inputs->count && !strcmp(item[next]->name, item[i]->name); next++)
            same++;
        bool parent = next < inputs->count && lies_in(item[next]->name, item[i]->name);
        for (unsigned k = parent ? 0 : 1; k < same; k++)
            name_number(item[i + k], k + 1 + parent);
        any |= parent || same > 1;
    }
    return any;
}

void names_give(struct inputs *inputs, const struct texts *paths)
{
    groups_part(inputs, paths);
    while (clashes_number(inputs))
        ;
}
