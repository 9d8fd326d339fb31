/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is in force of each document that has a result, one after another: a row of CSV (RFC 4180), or a line of JSON. Nothing is kept in memory. */
#include "coordinator/ctl/records.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "coordinator/ctl/interrupt.h"
#include "coordinator/ctl/outcome.h"
#include "coordinator/ctl/table.h"
#include "proto/auto.h"

enum { RECORD_BYTES = 256 << 20, OUT_BYTES = 1 << 16 };

static const char *const manifest_column[] = {"unit", "fonds", "file_code", "ordinal"};
static const char *const field[] = {
    "header",      "organName", "parentOrganName", "codeNumber", "codeNotation", "place",       "issuedDate",
    "typeName",    "typeCode",  "subject",         "addressee",  "signerPrefix", "signerTitle", "signer",
    "recipients",  "urgency",   "copies",          "language",   "docCode",      "keyword",     "mode",
    "maintenance", "title",     "inforSign",       "autograph",  "format",       "description",
};

enum { MANIFEST_COLUMNS = sizeof manifest_column / sizeof *manifest_column, FIELDS = sizeof field / sizeof *field };

struct records {
    const char *batch, *out;
    bool csv;
    struct api *api;
    FILE *to;
    size_t count;
};

static const char *in_force(const json_t *record, const char *name)
{
    const json_t *it = json_object_get(json_object_get(record, "metadata"), name);
    const json_t *corrected = json_object_get(it, "corrected");
    const char *value = json_string_value(json_object_get(json_is_object(corrected) ? corrected : it, "value"));
    return value ? value : "";
}

/* Quoted where it must be. What a spreadsheet would take for a formula gets a ' before it. */
static void cell_write(FILE *to, const char *text, bool last)
{
    bool formula = *text && strchr("=+-@\t\r", *text), quoted = formula || strpbrk(text, ",\"\r\n");
    if (quoted)
        putc('"', to);
    if (formula)
        putc('\'', to);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', to);
        putc(*text, to);
    }
    if (quoted)
        putc('"', to);
    fputs(last ? "\r\n" : ",", to);
}

static void head_write(const struct records *r)
{
    cell_write(r->to, "batch", false);
    cell_write(r->to, "document", false);
    for (size_t i = 0; i < MANIFEST_COLUMNS; i++)
        cell_write(r->to, manifest_column[i], false);
    for (size_t i = 0; i < FIELDS; i++)
        cell_write(r->to, field[i], i + 1 == FIELDS);
}

static void csv_write(const struct records *r, uint32_t doc, const json_t *record)
{
    char number[16];
    snprintf(number, sizeof number, "%" PRIu32, doc);
    cell_write(r->to, r->batch, false);
    cell_write(r->to, number, false);
    for (size_t i = 0; i < MANIFEST_COLUMNS; i++)
        cell_write(r->to, cell_text(json_object_get(record, "manifest"), manifest_column[i]), false);
    for (size_t i = 0; i < FIELDS; i++)
        cell_write(r->to, in_force(record, field[i]), i + 1 == FIELDS);
}

static void line_write(const struct records *r, uint32_t doc, const json_t *record)
{
    AUTO(json_drop) json_t *row = json_pack("{s:s, s:I}", "batch", r->batch, "document", (json_int_t)doc);
    for (size_t i = 0; i < MANIFEST_COLUMNS; i++)
        json_object_set_new(row, manifest_column[i],
                            json_string(cell_text(json_object_get(record, "manifest"), manifest_column[i])));
    for (size_t i = 0; i < FIELDS; i++)
        json_object_set_new(row, field[i], json_string(in_force(record, field[i])));
    json_dumpf(row, r->to, JSON_COMPACT | JSON_PRESERVE_ORDER);
    putc('\n', r->to);
}

static int document_write(struct records *r, uint32_t doc, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    AUTO(buf_destroy) struct buf text = {0};
    char rest[64];
    snprintf(rest, sizeof rest, "/documents/%" PRIu32 "/record", doc);
    int rc = api_load(r->api, batch_path(&path, r->batch, rest), RECORD_BYTES, &text, err);
    if (rc == E_ABSENT || rc == E_STATE) /* it was taken away, or could not be put together */
        return 0;
    AUTO(json_drop) json_t *record = rc ? NULL : json_loadb(buf_text(&text), text.size, 0, NULL);
    if (rc || !record)
        return rc ? rc : err_set(err, E_VERSION, "document %" PRIu32 ": its record is no JSON", doc);
    if (r->csv)
        csv_write(r, doc, record);
    else
        line_write(r, doc, record);
    r->count++;
    return 0;
}

static int page_write(struct records *r, json_int_t *after, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    AUTO(json_drop) json_t *answer = NULL;
    size_t i;
    json_t *row;
    batch_path(&path, r->batch, "/documents?limit=1000");
    if (*after >= 0)
        buf_printf(&path, "&after=%" JSON_INTEGER_FORMAT, *after);
    int rc = api_get(r->api, buf_text(&path), &answer, err);
    if (rc)
        return rc;
    json_array_foreach(json_object_get(answer, "documents"), i, row)
    {
        const char *state = cell_text(row, "state");
        if (!strcmp(state, "stored") || !strcmp(state, "dead"))
            rc = document_write(r, (uint32_t)cell_number(row, "document"), err);
        if (!rc && interrupt_seen())
            rc = err_set(err, E_STATE, "interrupted");
        if (rc)
            return rc;
    }
    const json_t *next = json_object_get(answer, "next");
    *after = json_is_integer(next) ? json_integer_value(next) : -1;
    return 0;
}

static int records_write(struct records *r, struct err *err)
{
    json_int_t after = -1;
    int rc = 0;
    interrupt_watch();
    if (r->csv)
        head_write(r);
    do
        rc = page_write(r, &after, err);
    while (!rc && after >= 0);
    if (!rc && (fflush(r->to) || ferror(r->to)))
        rc = err_errno(err, E_IO, "%s", r->out ? r->out : "stdout");
    return rc;
}

int records_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(api_destroy) struct api *api = NULL;
    struct records r = {.to = stdout};
    bool lines = false;
    const struct flag flags[] = {
        {.name = "csv",   .on = &r.csv,                                    .doc = "a row each, for spreadsheets"},
        {             .name = "jsonl",   .on = &lines, .doc = "a line of JSON each: what it does else"                                     },
        { .name = "out", .meta = "FILE",            .text = &r.out,                                      .doc = "there, instead of to stdout"},
    };
    int rc = args_parse(command, ctl, flags, sizeof flags / sizeof flags[0], argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count != 1 || (r.csv && (lines || ctl->json)))
        return err_set(err, E_USAGE, "one batch, as --csv or as --jsonl");
    r.batch = operands.item[0];
    rc = args_batch(r.batch, err);
    if (!rc)
        rc = api_open(ctl, &api, err);
    r.api = api;
    if (!rc && r.out && !(r.to = fopen(r.out, "we")))
        rc = err_errno(err, E_IO, "%s", r.out);
    if (!rc)
        rc = records_write(&r, err);
    if (r.out && r.to && fclose(r.to) && !rc)
        rc = err_errno(err, E_IO, "%s", r.out);
    if (!rc && r.out)
        fprintf(stderr, "%zu records are in %s\n", r.count, r.out);
    return rc ? rc : EXIT_SUCCESS;
}
