/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/ctl/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/ctl/args.h"
#include "coordinator/ctl/outlook.h"
#include "coordinator/ctl/table.h"
#include "coordinator/ledger_json.h"
#include "proto/auto.h"

enum { SHOWN_PRESET = 100, SHOWN_MOST = 1000000, PAGE_ENTRIES = 1000 };

struct asked {
    struct ledger_verifying verifying;
    const char *from, *kind, *document, *actor, *limit, *out;
    bool last;
};

/* ---- verify ---- */

static void finding_print(const json_t *finding)
{
    printf("%s, byte %" JSON_INTEGER_FORMAT, cell_text(finding, "blob"), cell_number(finding, "offset"));
    if (cell_number(finding, "entry"))
        printf(", entry %" JSON_INTEGER_FORMAT, cell_number(finding, "entry"));
    printf(": %s\n", cell_text(finding, "text"));
}

static void verdict_print(const json_t *verdict)
{
    const json_t *findings = json_object_get(verdict, "findings"), *checked = json_object_get(verdict, "checkpoints");
    json_int_t total = cell_number(verdict, "findings_total"), from = cell_number(verdict, "chained_from");
    size_t i;
    json_t *finding;
    json_array_foreach(findings, i, finding)
    {
        finding_print(finding);
    }
    if ((json_int_t)i < total)
        printf("... and %" JSON_INTEGER_FORMAT " findings more\n", total - (json_int_t)i);
    printf("%" JSON_INTEGER_FORMAT " entries in %" JSON_INTEGER_FORMAT " segments, ", cell_number(verdict, "entries"),
           cell_number(verdict, "segments"));
    if (from)
        printf("chained from entry %" JSON_INTEGER_FORMAT, from);
    else
        printf("not chained");
    printf("; root %s\n", cell_text(verdict, "root"));
    printf("checkpoints: %" JSON_INTEGER_FORMAT " good, %" JSON_INTEGER_FORMAT " bad, %" JSON_INTEGER_FORMAT
           " of other keys, %" JSON_INTEGER_FORMAT " that can't be told%s\n",
           cell_number(checked, "good"), cell_number(checked, "bad"), cell_number(checked, "others"),
           cell_number(checked, "unchecked"),
           json_is_false(json_object_get(verdict, "signatures")) ? "; signatures were not looked at (--key)" : "");
    printf("%s\n", total ? "the ledger was ALTERED or damaged" : "the ledger is what it was");
}

static int verify_run(const struct asked *asked, const struct ctl *ctl, struct err *err)
{
    AUTO(json_drop) json_t *verdict = NULL;
    if (asked->verifying.key && !asked->verifying.store)
        return err_set(err, E_USAGE, "--key is for --store: a coordinator has its own");
    int rc = ledger_watched(ctl, &asked->verifying, &verdict, err);
    if (rc)
        return rc;
    if (ctl->json)
        json_print(verdict);
    else
        verdict_print(verdict);
    return json_is_true(json_object_get(verdict, "good")) ? EXIT_SUCCESS : EXIT_FINDINGS;
}

/* ---- checkpoint, key ---- */

static int checkpoint_run(const struct asked *asked, const struct ctl *ctl, struct err *err)
{
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    int rc = api_open(ctl, &api, err);
    if (!rc)
        rc = asked->last ? api_get(api, "ledger/checkpoints?limit=1", &answer, err)
                         : api_post(api, "ledger/checkpoints", NULL, 0, &answer, err);
    if (rc)
        return rc;
    const json_t *one = asked->last ? json_array_get(json_object_get(answer, "checkpoints"), 0) : answer;
    if (!one)
        return err_set(err, E_ABSENT, "there is no checkpoint yet");
    if (ctl->json)
        json_print(one);
    else
        fputs(cell_text(one, "note"), stdout);
    return EXIT_SUCCESS;
}

static int key_run(const struct asked *asked, const struct ctl *ctl, struct err *err)
{
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    (void)asked;
    int rc = api_open(ctl, &api, err);
    if (!rc)
        rc = api_get(api, "ledger/key", &answer, err);
    if (rc)
        return rc;
    if (ctl->json)
        json_print(answer);
    else
        printf("%s\nfingerprint SHA-256 %s\nfor tools   %s\n", cell_text(answer, "key"),
               cell_text(answer, "fingerprint"), cell_text(answer, "vkey"));
    return EXIT_SUCCESS;
}

/* ---- show ---- */

static void body_print(const json_t *body)
{
    static const char *const told[] = {"batch", "doc",  "state", "generation", "sha256", "number",
                                       "name",  "unit", "round", "worker",     "reason", "where"};
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        const json_t *value = json_object_get(body, told[i]);
        if (json_is_string(value) && *json_string_value(value))
            printf(" %s=%s", told[i], json_string_value(value));
        else if (json_is_integer(value))
            printf(" %s=%" JSON_INTEGER_FORMAT, told[i], json_integer_value(value));
    }
}

static void entry_show(const json_t *entry, bool json)
{
    char when[DAY_MOMENT_BYTES];
    if (json) {
        json_print(entry);
        return;
    }
    const char *actor = cell_text(entry, "actor");
    printf("%8" JSON_INTEGER_FORMAT "  %s  %-10s %-12s", cell_number(entry, "number"),
           moment_text(json_object_get(entry, "time_ms"), when), *actor ? actor : "-", cell_text(entry, "kind"));
    body_print(json_object_get(entry, "body"));
    puts("");
}

static int document_split(const char *document, struct buf *batch, uint32_t *doc, bool *has_doc, struct err *err)
{
    const char *slash = strchr(document, '/');
    *has_doc = slash;
    buf_append(batch, document, slash ? (size_t)(slash - document) : strlen(document));
    int rc = args_batch(buf_text(batch), err);
    return rc || !slash ? rc : args_number("document", slash + 1, 0, UINT32_MAX - 1, doc, err);
}

static void query_put(struct buf *path, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(path, "&%s=", name);
    api_escape(path, value);
}

static int path_put(const struct asked *asked, const char *after, uint32_t limit, struct buf *path, struct err *err)
{
    AUTO(buf_destroy) struct buf batch = {0};
    uint32_t doc = 0;
    bool has_doc = false;
    int rc = asked->document ? document_split(asked->document, &batch, &doc, &has_doc, err) : 0;
    buf_printf(path, "ledger?limit=%" PRIu32, limit < PAGE_ENTRIES ? limit : PAGE_ENTRIES);
    query_put(path, "number", asked->from);
    query_put(path, "kind", asked->kind);
    query_put(path, "actor", asked->actor);
    query_put(path, "batch", asked->document ? buf_text(&batch) : NULL);
    if (has_doc)
        buf_printf(path, "&document=%" PRIu32, doc);
    query_put(path, "after", after);
    return rc;
}

static int show_run(const struct asked *asked, const struct ctl *ctl, struct err *err)
{
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    uint32_t limit = SHOWN_PRESET, shown = 0;
    const char *after = NULL;
    int rc = asked->limit ? args_number("--limit", asked->limit, 1, SHOWN_MOST, &limit, err) : 0;
    if (!rc)
        rc = api_open(ctl, &api, err);
    do {
        AUTO(buf_destroy) struct buf path = {0};
        json_t *entry;
        size_t i;
        if (!rc)
            rc = path_put(asked, after, limit - shown, &path, err);
        json_drop(&answer);
        if (!rc)
            rc = api_get(api, buf_text(&path), &answer, err);
        if (rc)
            return rc;
        json_array_foreach(json_object_get(answer, "entries"), i, entry)
        {
            entry_show(entry, ctl->json);
        }
        shown += (uint32_t)i;
        after = json_string_value(json_object_get(answer, "next"));
    } while (after && shown < limit);
    if (after && !ctl->json)
        puts("... there are more: --from N, --limit N");
    return EXIT_SUCCESS;
}

/* ---- the command ---- */

static const struct {
    const char *name;
    int (*run)(const struct asked *asked, const struct ctl *ctl, struct err *err);
} verb_row[] = {
    {"verify",     verify_run    },
    {"checkpoint", checkpoint_run},
    {"key",        key_run       },
    {"show",       show_run      },
};

int ledger_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    struct asked asked = {0};
    /* clang-format off */
    const struct flag flags[] = {
        {.name = "store", .meta = "URL", .text = &asked.verifying.store, .doc = "verify: read this store (dir:PATH, rados:CONF?...) here, without the coordinator"},
        {.name = "checkpoint", .meta = "FILE", .text = &asked.verifying.checkpoint, .doc = "verify: the ledger must fit this checkpoint, which was kept elsewhere, too"},
        {.name = "key", .meta = "KEY|FILE", .text = &asked.verifying.key, .doc = "verify --store: the public key of its checkpoints"},
        {.name = "last", .on = &asked.last, .doc = "checkpoint: print the last one; without, one is made if entries came"},
        {.name = "from", .meta = "N", .text = &asked.from, .doc = "show: from this entry on"},
        {.name = "kind", .meta = "K", .text = &asked.kind, .doc = "show: only these: outcome, admitted, rerun, account, ..."},
        {.name = "document", .meta = "BATCH[/N]", .text = &asked.document, .doc = "show: only of this document, or batch"},
        {.name = "actor", .meta = "A", .text = &asked.actor, .doc = "show: only what this account did"},
        {.name = "limit", .meta = "N", .text = &asked.limit, .doc = "show: so many; preset 100"},
    };
    /* clang-format on */
    int rc = args_parse(command, ctl, flags, sizeof flags / sizeof flags[0], argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    for (size_t i = 0; operands.count == 1 && i < sizeof verb_row / sizeof verb_row[0]; i++)
        if (!strcmp(verb_row[i].name, operands.item[0]))
            return verb_row[i].run(&asked, ctl, err);
    return err_set(err, E_USAGE, "what is to be done: verify, checkpoint, key or show");
}

/* ---- prove ---- */

static int text_write(const char *path, const char *text, struct err *err)
{
    FILE *file = path ? fopen(path, "w") : stdout;
    if (!file)
        return err_errno(err, E_IO, "%s", path);
    bool done = fprintf(file, "%s\n", text) > 0;
    if (path)
        done = !fclose(file) && done;
    return done ? 0 : err_errno(err, E_IO, "writing %s", path ? path : "the proof");
}

int prove_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *proof = NULL;
    AUTO(buf_destroy) struct buf batch = {0}, path = {0};
    const char *out = NULL;
    uint32_t doc = 0;
    bool has_doc = false;
    const struct flag flags[] = {
        {.name = "out", .meta = "FILE", .text = &out, .doc = "the proof goes there; to stdout without"}
    };
    int rc = args_parse(command, ctl, flags, 1, argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count != 1)
        return err_set(err, E_USAGE, "one document, as BATCH/N, not %zu", operands.count);
    rc = document_split(operands.item[0], &batch, &doc, &has_doc, err);
    if (!rc && !has_doc)
        rc = err_set(err, E_USAGE, "'%.80s' is not BATCH/N", operands.item[0]);
    if (!rc)
        rc = api_open(ctl, &api, err);
    buf_puts(&path, "batches/");
    api_escape(&path, buf_text(&batch));
    buf_printf(&path, "/documents/%" PRIu32 "/proof", doc);
    if (!rc)
        rc = api_get(api, buf_text(&path), &proof, err);
    if (rc)
        return rc;
    AUTO(mem_destroy) char *text = json_dumps(proof, ctl->json ? JSON_COMPACT : JSON_INDENT(1));
    if (!text)
        return err_set(err, E_NOMEM, "no memory for the proof");
    rc = text_write(out, text, err);
    if (!rc && out && !ctl->json)
        printf("%s proves what became of %s: tests/verify_proof.mjs %s KEY\n", out, operands.item[0], out);
    return rc ? rc : EXIT_SUCCESS;
}
