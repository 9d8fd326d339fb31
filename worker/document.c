/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The steps that make a document of pages: gather them, assemble, store the outputs, then `done`, then the records.
 * `done` says what is stored under the outputs' names, whoever stored it; as long as there is no `done`, outputs that
 * differ are what a killed attempt left behind, and are replaced. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/wire.h"
#include "storage/name.h"
#include "worker/bundle.h"
#include "worker/step.h"

enum {
    COMPARE_BYTES = 8 << 20,    /* read at once to compare an output with what is stored */
    OUT_EXTRA_BYTES = 16 << 20, /* of an assembled document, beyond what its source and words explain */
    OUT_WORDS_FACTOR = 16,      /* ALTO and text are at most this many times the pages row */
    OUT_SOURCE_FACTOR = 2,      /* the PDF is at most this many times the source */
};

static const char *out_name(const struct job *job, struct name *name, uint32_t generation, const char *part)
{
    return name_out(name, job->order->sha256.data, job->node->pipeline, generation, part);
}

/* ---- records ---- */

/* In the place of the one before, whose readings it goes on with. */
static int record_renew(struct job *job, struct record_entry *entry, const char *name, struct err *err)
{
    AUTO(buf_destroy) struct buf before = {0};
    AUTO(buf_destroy) struct buf text = {0};
    int rc = store_get(job->node->store, name, RECORD_BYTES, &before, err);
    if (rc && rc != E_ABSENT)
        return rc;
    entry->before = rc ? NULL : &before;
    rc = record_write(job->record, entry, &text, err);
    return rc ? rc : store_replace(job->node->store, name, text.data, text.size, err);
}

static int record_put(struct job *job, struct record_entry *entry, struct err *err)
{
    AUTO(buf_destroy) struct buf text = {0};
    struct name name;
    name_rec(&name, entry->subscriber->batch, entry->subscriber->doc);
    if (entry->generation)
        return record_renew(job, entry, name.text, err);
    int rc = record_write(job->record, entry, &text, err);
    if (!rc)
        rc = store_create(job->node->store, name.text, text.data, text.size, err);
    return rc == E_EXISTS ? 0 : rc;
}

/* Those of a re-run that are as they were: neither read again nor dead by now. */
static bool is_kept(const Sohoa__Job *order, uint32_t page_no)
{
    bool kept = order->keep_words;
    for (size_t i = 0; i < order->n_bundles && kept; i++)
        kept = page_no - order->bundles[i]->first >= order->bundles[i]->count;
    for (size_t i = 0; i < order->n_dead && kept; i++)
        kept = order->dead[i]->page_no != page_no;
    return kept;
}

/* A record for every subscriber, after job->record. */
static int records_put(struct job *job, uint64_t source_bytes, struct err *err)
{
    AUTO(mem_destroy) uint32_t *pages_ms = calloc(job->count, sizeof *pages_ms);
    if (!pages_ms)
        abort();
    AUTO(mem_destroy) bool *kept = calloc(job->count + 1, sizeof *kept);
    if (!kept)
        abort();
    for (uint32_t i = 0; i < job->count; i++) {
        kept[i] = is_kept(job->order, i + 1);
        pages_ms[i] = job->pages[i].wall_ms;
    }
    struct record_entry entry = {
        .generation = job->order->generation,
        .source_bytes = source_bytes,
        .worker = job->node->name,
        .simd = job->node->simd,
        .build = job->node->build,
        .created_ms = clock_wall_ms(),
        .wall_ms = (uint32_t)(clock_mono_ms() - job->began_ms),
        .cpu_ms = job->cpu_ms,
        .pages_ms = pages_ms,
        .pages_count = job->plan == PLAN_DOCUMENT && !job->found ? job->count : 0,
        .kept = kept,
    };
    int rc = 0;
    for (size_t i = 0; i < job->order->n_subscribers && !rc; i++) {
        entry.subscriber = job->order->subscribers[i];
        rc = record_put(job, &entry, err);
    }
    return rc;
}

/* ---- LOOK ---- */

static int done_get(struct job *job, uint32_t generation, struct record **ret_record, struct err *err)
{
    AUTO(buf_destroy) struct buf done = {0};
    struct name name;
    int rc = store_get(job->node->store, out_name(job, &name, generation, "done"), RECORD_DONE_BYTES, &done, err);
    return rc ? rc : record_parse(done.data, done.size, ret_record, err);
}

int step_found(struct job *job, struct err *err)
{
    struct name src;
    uint64_t source_bytes = 0;
    record_destroy(&job->record);
    int rc = done_get(job, job->order->generation, &job->record, err);
    if (rc)
        return rc == E_ABSENT ? 0 : rc;
    job->found = true;
    rc = store_stat(job->node->store, name_src(&src, job->order->sha256.data), &source_bytes, err);
    if (!rc)
        rc = records_put(job, source_bytes, err);
    job->found = rc == 0;
    return rc;
}

/* ---- GATHER ---- */

static int gather_page(const void *packed, size_t bytes, void *user, struct err *err)
{
    struct job *job = user;
    AUTO(page_destroy) Sohoa__Page *page = NULL;
    int rc = page_unpack(packed, bytes, &page, err);
    if (rc)
        return rc;
    if (!page->page_no || page->page_no > job->count)
        return err_set(err, E_CORRUPT, "page %u of a document with %u", page->page_no, job->count);
    struct job_page *to = &job->pages[page->page_no - 1];
    if (!to->good)
        page_keep(to, page, packed, bytes);
    return 0;
}

static int gather_blob(struct job *job, const char *name, struct err *err)
{
    AUTO(buf_destroy) struct buf blob = {0};
    AUTO(buf_destroy) struct buf row = {0};
    int rc = store_get(job->node->store, name, WORDS_MAX_BYTES, &blob, err);
    if (!rc)
        rc = bundle_unpack(blob.data, blob.size, WORDS_MAX_BYTES, &row, err);
    return rc ? rc : pages_each(row.data, row.size, gather_page, job, err);
}

static int gather_bundles(struct job *job, struct err *err)
{
    const Sohoa__Job *order = job->order;
    struct name name;
    int rc = 0;
    for (size_t i = 0; i < order->n_bundles && !rc; i++) {
        name_bundle(&name, order->sha256.data, job->node->pipeline, order->generation, order->bundles[i]->first,
                    order->bundles[i]->count);
        rc = gather_blob(job, name.text, err);
    }
    return rc;
}

static void page_bury(struct job_page *to, uint32_t page_no, const struct err *why)
{
    AUTO(page_destroy) Sohoa__Page *page = page_new(page_no);
    AUTO(buf_destroy) struct buf packed = {0};
    page->kind = SOHOA__PAGE_KIND__PAGE_IMAGE;
    page_pack(page, &packed);
    page_keep(to, page, packed.data, packed.size);
    to->said.dead = true;
    to->said.err = *why;
}

static int gather_dead(struct job *job, struct err *err)
{
    for (size_t i = 0; i < job->order->n_dead; i++) {
        const Sohoa__PageFailure *dead = job->order->dead[i];
        struct err why;
        if (!dead->page_no || dead->page_no > job->count)
            return err_set(err, E_FRAME, "dead page %u of a document with %u", dead->page_no, job->count);
        err_from_wire(dead->err, &why);
        why.page_no = dead->page_no;
        page_bury(&job->pages[dead->page_no - 1], dead->page_no, &why);
    }
    return 0;
}

/* The pages that nothing new is known of, from the generation before; those that were dead stay it. */
static int gather_words(struct job *job, struct err *err)
{
    AUTO(record_destroy) struct record *before = NULL;
    struct name name;
    if (!job->order->keep_words || job_run(job, 0, true) == job->count)
        return 0;
    AUTO(mem_destroy) bool *fresh = calloc(job->count, sizeof *fresh);
    if (!fresh)
        abort();
    for (uint32_t i = 0; i < job->count; i++)
        fresh[i] = job->pages[i].good;
    int rc = done_get(job, job->order->words_generation, &before, err);
    if (!rc)
        rc = gather_blob(job, out_name(job, &name, job->order->words_generation, "words"), err);
    for (uint32_t i = 0; i < job->count && !rc; i++)
        if (!fresh[i])
            job->pages[i].said.dead = record_page_dead(before, i + 1, &job->pages[i].said.err);
    return rc;
}

static int row_build(struct job *job, struct err *err)
{
    uint64_t bytes = 0;
    buf_clear(&job->row);
    for (uint32_t i = 0; i < job->count; i++)
        bytes += job->pages[i].packed.size;
    if (bytes > WORDS_MAX_BYTES)
        return err_set(err, E_LIMIT, "%u pages of %llu bytes, WORDS_MAX_BYTES is %d", job->count,
                       (unsigned long long)bytes, WORDS_MAX_BYTES);
    for (uint32_t i = 0; i < job->count; i++)
        pages_append(&job->row, job->pages[i].packed.data, job->pages[i].packed.size);
    return 0;
}

int step_gather(struct job *job, unsigned part, struct err *err)
{
    (void)part;
    int rc = gather_bundles(job, err);
    if (!rc)
        rc = gather_dead(job, err);
    if (!rc)
        rc = gather_words(job, err);
    if (rc)
        return rc;
    uint32_t there = job_run(job, 0, true);
    if (there < job->count)
        return err_set(err, E_ABSENT, "page %u is in no bundle, nor dead, nor kept", there + 1);
    return row_build(job, err);
}

/* ---- ASSEMBLE ---- */

/* What a slot puts out is the host's memory, too: at most as much as it may have itself. */
static uint64_t assemble_out_bytes(const struct job *job)
{
    uint64_t most = (uint64_t)config_int(job->node->config, CFG_SLOT_MAX_BYTES);
    uint64_t bytes =
        OUT_EXTRA_BYTES + job->source->bytes * OUT_SOURCE_FACTOR + (uint64_t)job->row.size * OUT_WORDS_FACTOR;
    return bytes < most ? bytes : most;
}

int step_assemble_ask(struct job *job, struct err *err)
{
    AUTO(fd_destroy) int fd = -1;
    if (!job->open)
        return step_open_ask(job, err);
    if (suspicion_ask(job))
        return 0;
    if (job->suspicions)
        return suspicion_fail(job, err);
    int rc = job->row.size ? 0 : row_build(job, err);
    if (!rc)
        rc = spool_bytes(job->row.data, job->row.size, &fd, err);
    if (rc)
        return rc;
    struct slot_request request = {
        .op = SLOT_ASSEMBLE,
        .degraded = job->order->degraded,
        .pdfa = strcmp(config_text(job->node->config, CFG_PDFA), pdfa_name(PDFA_1B)) ? PDFA_2B : PDFA_1B,
        .source_bytes = job->source->bytes,
    };
    memcpy(request.sha256, job->order->sha256.data, SHA256_BYTES);
    memcpy(request.pipeline, job->node->pipeline, SHA256_BYTES);
    job_send(job, &request, fd, assemble_out_bytes(job), (uint32_t)config_int(job->node->config, CFG_ASSEMBLE_MAX_MS));
    return 0;
}

static bool begins(const struct slot_answer *answer, unsigned section, const char *text)
{
    size_t n = strlen(text);
    return answer->section[section].bytes >= n && !memcmp(answer->section[section].data, text, n);
}

/* Up to the next newline, which is passed over; NULL: there is none, or more than most bytes before it. */
static const char *line_take(const char **text, size_t *bytes, size_t most)
{
    const char *line = *text, *end = memchr(line, '\n', *bytes);
    if (!end || (size_t)(end - line) > most)
        return NULL;
    *bytes -= (size_t)(end + 1 - line);
    *text = end + 1;
    return line;
}

/* "LEVEL\nLAYERS\nWHY", from a slot: only what is known or plain goes on into the record. */
static int pdf_said_take(struct job *job, const struct slot_answer *answer, struct err *err)
{
    enum { LEVEL_CHARS = 2, LAYERS_CHARS = 10 };
    const char *text = (const char *)answer->section[3].data;
    size_t bytes = answer->section[3].bytes;
    const char *level = line_take(&text, &bytes, LEVEL_CHARS), *layers = line_take(&text, &bytes, LAYERS_CHARS);
    if (!level || !layers || bytes >= PDFA_WHY_BYTES)
        return err_set(err, E_ASSEMBLE, "the slot does not tell the PDF/A level");
    snprintf(job->pdfa, sizeof job->pdfa, "%.*s", (int)strcspn(level, "\n"), level);
    if (strcmp(job->pdfa, pdfa_name(PDFA_1B)) && strcmp(job->pdfa, pdfa_name(PDFA_2B)) && *job->pdfa)
        return err_set(err, E_ASSEMBLE, "the slot tells a PDF/A level that is not known");
    job->layers_left = (uint32_t)strtoul(layers, NULL, 10);
    snprintf(job->pdfa_why, sizeof job->pdfa_why, "%.*s", (int)bytes, text);
    for (char *c = job->pdfa_why; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return 0;
}

/* From a slot: nobody gets what is no sketch. */
static int sketch_take(struct job *job, const struct slot_answer *answer, struct err *err)
{
    struct sketch sketch;
    struct err why;
    size_t bytes = answer->section[5].bytes;
    if (bytes > sizeof job->sketch || sketch_unpack(answer->section[5].data, bytes, &sketch, &why))
        return err_set(err, E_ASSEMBLE, "the slot does not tell the document's sketch");
    memcpy(job->sketch, answer->section[5].data, bytes);
    job->sketch_bytes = bytes;
    return 0;
}

int step_assemble_answer(struct job *job, const struct slot_answer *answer, struct err *err)
{
    static const enum record_part part_of[] = {RECORD_PDF, RECORD_ALTO, RECORD_TEXT};
    if (job->opening) {
        int rc = step_open_answer(job, answer, err);
        return rc ? rc : STEP_AGAIN;
    }
    if (job->looking) {
        suspicion_answer(job, answer);
        return STEP_AGAIN;
    }
    if (answer->rc)
        return slot_said(answer, err);
    if (!begins(answer, 0, "%PDF-") || !begins(answer, 1, "<?xml"))
        return err_set(err, E_ASSEMBLE, "what the slot made is no PDF with ALTO");
    for (size_t i = 0; i < sizeof part_of / sizeof *part_of; i++) {
        struct buf *to = &job->output[part_of[i]];
        buf_clear(to);
        buf_append(to, answer->section[i].data, answer->section[i].bytes);
    }
    if (job->description)
        description_destroy(&job->description);
    int rc = pdf_said_take(job, answer, err);
    if (!rc)
        rc = description_unpack(answer->section[4].data, answer->section[4].bytes, &job->description, err);
    return rc ? rc : sketch_take(job, answer, err);
}

/* ---- STORE ---- */

static int stored_hash(struct store *store, const char *name, uint64_t bytes, uint8_t sha256[SHA256_BYTES],
                       struct err *err)
{
    AUTO(buf_destroy) struct buf part = {0};
    AUTO(sha256_destroy) struct sha256 *hash = sha256_new();
    int rc = 0;
    for (uint64_t at = 0; at < bytes && !rc; at += part.size) {
        buf_clear(&part);
        rc = store_read(store, name, at, COMPARE_BYTES, &part, err);
        if (!rc && !part.size)
            rc = err_set(err, E_CORRUPT, "%s ends before its %llu bytes", name, (unsigned long long)bytes);
        if (!rc)
            sha256_update(hash, part.data, part.size);
    }
    if (!rc)
        sha256_final(hash, sha256);
    return rc;
}

/* Whether what is stored is what we would have stored. */
static int stored_same(struct store *store, const char *name, const struct buf *ours,
                       const uint8_t sha256[SHA256_BYTES], bool *ret_same, struct err *err)
{
    uint64_t bytes = 0;
    uint8_t theirs[SHA256_BYTES];
    int rc = store_stat(store, name, &bytes, err);
    *ret_same = false;
    if (rc || bytes != ours->size)
        return rc;
    rc = stored_hash(store, name, bytes, theirs, err);
    *ret_same = !rc && !memcmp(theirs, sha256, sizeof theirs);
    return rc;
}

/* The name was taken. Same bytes: fine. Others: left behind by an attempt that never came to its done, or done meanwhile;
 * then SEAL finds that out. */
static int output_settle(struct job *job, enum record_part part, const char *name, struct err *err)
{
    struct store *store = job->node->store;
    struct buf *ours = &job->output[part];
    struct name done;
    bool same;
    int rc = stored_same(store, name, ours, job->stored[part].sha256, &same, err);
    if (rc || same)
        return rc;
    rc = store_stat(store, out_name(job, &done, job->order->generation, "done"), NULL, err);
    if (rc != E_ABSENT)
        return rc;
    rc = store_remove(store, name, err);
    if (!rc)
        rc = blob_put(store, name, ours->data, ours->size, err);
    return rc == E_EXISTS ? err_set(err, E_CORRUPT, "%s: another attempt stores other bytes", name) : rc;
}

int step_store(struct job *job, unsigned number, struct err *err)
{
    enum record_part part = (enum record_part)number;
    struct buf *output = &job->output[part];
    struct name name;
    int rc = part == RECORD_WORDS && !output->size ? bundle_pack(job->row.data, job->row.size, output, err) : 0;
    if (rc)
        return rc;
    job->stored[part].bytes = output->size;
    sha256_of(output->data, output->size, job->stored[part].sha256);
    out_name(job, &name, job->order->generation, record_part_name(part));
    rc = blob_put(job->node->store, name.text, output->data, output->size, err);
    return rc == E_EXISTS ? output_settle(job, part, name.text, err) : rc;
}

/* ---- SEAL ---- */

static void done_write(const struct job *job, struct buf *out)
{
    AUTO(mem_destroy) struct record_page *pages = calloc(job->count, sizeof *pages);
    if (!pages)
        abort();
    for (uint32_t i = 0; i < job->count; i++)
        pages[i] = job->pages[i].said;
    struct record_doc doc = {
        .sha256 = job->order->sha256.data,
        .pipeline = job->node->pipeline,
        .lang = job->node->lang,
        .pdfa = job->pdfa,
        .pdfa_why = job->pdfa_why,
        .layers_left = job->layers_left,
        .sketch = job->sketch,
        .sketch_bytes = job->sketch_bytes,
        .description = job->description,
        .probe = job->probe,
        .pages = pages,
        .count = job->count,
    };
    for (int part = 0; part < RECORD_PARTS; part++) {
        doc.output[part].bytes = job->stored[part].bytes;
        memcpy(doc.output[part].sha256, job->stored[part].sha256, SHA256_BYTES);
    }
    record_done(&doc, out);
}

/* Ours, or the one that was there first: that is in force. */
static int done_put(struct job *job, struct err *err)
{
    AUTO(buf_destroy) struct buf done = {0};
    struct name name;
    done_write(job, &done);
    out_name(job, &name, job->order->generation, "done");
    record_destroy(&job->record);
    int rc = store_create(job->node->store, name.text, done.data, done.size, err);
    if (rc == E_EXISTS)
        return done_get(job, job->order->generation, &job->record, err);
    return rc ? rc : record_parse(done.data, done.size, &job->record, err);
}

int step_seal(struct job *job, unsigned part, struct err *err)
{
    (void)part;
    int rc = done_put(job, err);
    return rc ? rc : records_put(job, job->source->bytes, err);
}

/* ---- CHECK ---- */

int document_take_back(struct job *job, struct err *err)
{
    struct store *store = job->node->store;
    struct name name;
    int rc = store_remove(store, out_name(job, &name, job->order->generation, "done"), err);
    for (int part = 0; part < RECORD_PARTS && !rc; part++)
        rc = store_remove(store, out_name(job, &name, job->order->generation, record_part_name(part)), err);
    for (size_t i = 0; i < job->order->n_subscribers && !rc; i++)
        rc = store_remove(store, name_rec(&name, job->order->subscribers[i]->batch, job->order->subscribers[i]->doc),
                          err);
    return rc;
}
