/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/allow.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "proto/array.h"
#include "proto/auto.h"
#include "proto/buf.h"
#include "proto/curve.h"
#include "proto/trace.h"

struct allowed {
    char key[CURVE_KEY_BYTES];
    char name[NAME_BYTES];
};

struct allow {
    char *folder;
    uint64_t stamp;
    struct allowed *allowed; /* by key */
    size_t count;
};

static int allowed_compare(const void *a, const void *b)
{
    return strcmp(((const struct allowed *)a)->key, ((const struct allowed *)b)->key);
}

static int file_take(struct allow *allow, const char *file, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    struct curve curve;
    buf_printf(&path, "%s/%s", allow->folder, file);
    int rc = curve_load(buf_text(&path), &curve, err);
    if (rc)
        return rc;
    if (!*curve.name)
        return err_set(err, E_CONFIG, "%s does not say which worker's it is (metadata: name)", buf_text(&path));
    if (allow->count == ALLOW_KEYS_MOST)
        return err_set(err, E_LIMIT, "%s: %d keys are known already (ALLOW_KEYS_MOST)", buf_text(&path),
                       ALLOW_KEYS_MOST);
    allow->allowed = array_room(allow->allowed, allow->count, sizeof *allow->allowed);
    struct allowed *allowed = &allow->allowed[allow->count++];
    memcpy(allowed->key, curve.public_key, sizeof allowed->key);
    memcpy(allowed->name, curve.name, sizeof allowed->name);
    return 0;
}

static void folder_read(struct allow *allow)
{
    DIR *folder = opendir(allow->folder);
    struct err err;
    allow->count = 0;
    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        if (*entry->d_name != '.' && file_take(allow, entry->d_name, &err))
            trace_err(TRACE_WARN, "key_unread", &err, "file=%s", trace_value(entry->d_name));
    if (folder)
        closedir(folder);
    if (allow->count)
        qsort(allow->allowed, allow->count, sizeof *allow->allowed, allowed_compare);
    trace(TRACE_INFO, "keys_allowed", "keys=%zu", allow->count);
}

void allow_look(struct allow *allow)
{
    uint64_t stamp = curve_stamp(allow->folder);
    if (stamp == allow->stamp)
        return;
    allow->stamp = stamp;
    folder_read(allow);
}

int allow_new(const char *folder, struct allow **ret_allow, struct err *err)
{
    AUTO(allow_destroy) struct allow *allow = calloc(1, sizeof *allow);
    if (!allow || !(allow->folder = strdup(folder)))
        return err_set(err, E_NOMEM, "no memory for the allowed keys");
    allow_look(allow);
    if (!allow->stamp)
        return err_set(err, E_CONFIG, "curve_workers = %s: there is no such folder", folder);
    *ret_allow = allow;
    allow = NULL;
    return 0;
}

void allow_destroy(struct allow **allow)
{
    if (!*allow)
        return;
    free((*allow)->folder);
    free((*allow)->allowed);
    free(*allow);
    *allow = NULL;
}

const char *allow_name(const struct allow *allow, const char *key)
{
    struct allowed wanted;
    size_t bytes = strlen(key);
    if (bytes >= sizeof wanted.key || !allow->count)
        return NULL;
    memcpy(wanted.key, key, bytes + 1);
    const struct allowed *found = bsearch(&wanted, allow->allowed, allow->count, sizeof wanted, allowed_compare);
    return found ? found->name : NULL;
}
