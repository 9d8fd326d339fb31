/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Findings are collected as JSON, so that both ways of printing show the same. */
#include "coordinator/ctl/check.h"

#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/ctl/ctl.h"
#include "coordinator/ctl/inputs.h"
#include "coordinator/ctl/interrupt.h"
#include "proto/auto.h"

enum { CHECK_POLL_MS = 300 };

static void finding_add(json_t *findings, const char *kind, const char *source, const char *text)
{
    json_array_append_new(findings, json_pack("{s:s,s:s,s:s}", "kind", kind, "source", source, "text", text));
}

/* ---- what the workers saw ---- */

static int rows_await(const struct check *check, const char *path, json_t **ret_answer, struct err *err)
{
    for (;;) {
        AUTO(json_drop) json_t *answer = NULL;
        int rc = interrupt_seen() ? err_set(err, E_STATE, "interrupted") : api_get(check->api, path, &answer, err);
        if (rc)
            return rc;
        if (json_is_true(json_object_get(answer, "done"))) {
            *ret_answer = json_incref(answer);
            return 0;
        }
        if (isatty(STDERR_FILENO))
            fprintf(stderr, "\r\033[Klooked at %" PRIu64 " of %" PRIu64 " sources",
                    (uint64_t)json_integer_value(json_object_get(answer, "probed")),
                    (uint64_t)json_integer_value(json_object_get(answer, "documents")));
        interrupt_sleep(CHECK_POLL_MS);
    }
}

static int sources_look(const struct check *check, json_t **ret_answer, struct err *err)
{
    AUTO(json_drop) json_t *posted = NULL;
    AUTO(buf_destroy) struct buf path = {0};
    int rc = api_post_lines(check->api, "checks", check->lines->data, check->lines->size, &posted, err);
    if (rc)
        return rc;
    const char *id = json_string_value(json_object_get(posted, "id"));
    if (!id)
        return err_set(err, E_VERSION, "the coordinator gave the check no id");
    buf_puts(&path, "checks/");
    api_escape(&path, id);
    rc = rows_await(check, buf_text(&path), ret_answer, err);
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    int deleted = api_delete(check->api, buf_text(&path), NULL, rc ? NULL : err);
    return rc ? rc : deleted;
}

static void row_judge(json_t *findings, const json_t *row)
{
    const char *source = json_string_value(json_object_get(row, "source"));
    const char *state = json_string_value(json_object_get(row, "state"));
    const json_t *error = json_object_get(row, "error");
    json_int_t pages = json_integer_value(json_object_get(row, "pages"));
    json_int_t said = json_integer_value(json_object_get(row, "pages_manifest"));
    AUTO(buf_destroy) struct buf text = {0};
    source = source ? source : "?";
    if (!state || strcmp(state, "ok")) {
        const char *code = json_string_value(json_object_get(error, "code"));
        const char *why = json_string_value(json_object_get(error, "text"));
        buf_printf(&text, "%s: %s", code ? code : "E_?", why ? why : "");
        finding_add(findings, code && !strcmp(code, "E_SOURCE_MISSING") ? "missing" : "unreadable", source,
                    buf_text(&text));
    } else if (said > 0 && pages != said) {
        buf_printf(&text, "%" JSON_INTEGER_FORMAT " pages, the manifest says %" JSON_INTEGER_FORMAT, pages, said);
        finding_add(findings, "pages", source, buf_text(&text));
    }
}

/* ---- what lies beside the sources ---- */

struct beside {
    json_t *known;   /* real paths of the sources and of the manifest */
    json_t *folders; /* that were looked at */
    json_t *unseen;  /* folders that are not there, seen from here */
};

static void beside_destroy(struct beside *beside)
{
    json_drop(&beside->known);
    json_drop(&beside->folders);
    json_drop(&beside->unseen);
}

static void known_add(struct beside *beside, const char *path)
{
    char real[PATH_MAX];
    json_object_set_new_nocheck(beside->known, realpath(path, real) ? real : path, json_true());
}

static void entry_judge(json_t *findings, const struct beside *beside, const char *folder, const char *name)
{
    struct stat st;
    char real[PATH_MAX];
    AUTO(buf_destroy) struct buf path = {0};
    buf_printf(&path, "%s/%s", folder, name);
    if (name[0] == '.' || stat(buf_text(&path), &st) || !S_ISREG(st.st_mode) || !realpath(buf_text(&path), real))
        return;
    AUTO(mem_destroy) char *shown = NULL;
    inputs_utf8(buf_text(&path), &shown);
    if (!json_object_get(beside->known, real))
        finding_add(findings, "extra", shown, "lies beside the sources, but the manifest does not name it");
}

static void folder_judge(json_t *findings, struct beside *beside, const char *folder)
{
    if (json_object_get(beside->folders, folder))
        return;
    json_object_set_new_nocheck(beside->folders, folder, json_true());
    struct dirent **entry = NULL;
    int count = scandir(folder, &entry, NULL, alphasort);
    if (count < 0)
        json_array_append_new(beside->unseen, json_string(folder));
    for (int i = 0; i < count; i++) {
        entry_judge(findings, beside, folder, entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
}

static void extras_find(const struct check *check, struct beside *beside, json_t *findings)
{
    known_add(beside, check->manifest);
    for (size_t i = 0; i < check->rows->count; i++)
        known_add(beside, check->rows->item[i].path);
    for (size_t i = 0; i < check->rows->count; i++) {
        AUTO(mem_destroy) char *folder = strdup(check->rows->item[i].path);
        assert(folder);
        char *slash = strrchr(folder, '/');
        slash[slash == folder] = 0;
        folder_judge(findings, beside, folder);
    }
}

/* ---- the answer ---- */

static void findings_print(const struct check *check, const json_t *findings, const json_t *unseen)
{
    size_t i;
    json_t *each;
    json_array_foreach(unseen, i, each)
    {
        printf("not seen from here, so extra files in it are not told: %s\n", json_string_value(each));
    }
    json_array_foreach(findings, i, each)
    {
        printf("%s: %s: %s\n", json_string_value(json_object_get(each, "kind")),
               json_string_value(json_object_get(each, "source")), json_string_value(json_object_get(each, "text")));
    }
    printf("%zu documents, %zu findings; nothing was admitted\n", check->rows->count, json_array_size(findings));
}

int check_run(const struct check *check, struct err *err)
{
    AUTO(json_drop) json_t *answer = NULL;
    AUTO(json_drop) json_t *findings = json_array();
    AUTO(beside_destroy) struct beside beside = {json_object(), json_object(), json_array()};
    interrupt_watch();
    int rc = sources_look(check, &answer, err);
    if (rc)
        return rc;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(answer, "rows"), i, row)
    {
        row_judge(findings, row);
    }
    if (check->manifest)
        extras_find(check, &beside, findings);
    if (check->json) {
        AUTO(json_drop)
        json_t *all = json_pack("{s:I,s:O,s:O}", "documents", (json_int_t)check->rows->count, "findings", findings,
                                "folders_not_seen", beside.unseen);
        json_print(all);
    } else {
        findings_print(check, findings, beside.unseen);
    }
    return json_array_size(findings) ? EXIT_FINDINGS : EXIT_SUCCESS;
}
