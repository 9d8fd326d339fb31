/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is known of a finished document, as JSON. `done` depends on source and pipeline alone, so that whoever makes it
 * makes the same bytes; a record is `done` with what belongs to one document of one batch added: where it came from,
 * who made it, when, how long it took, and in a re-run what its pages were before (past.h). Of the document's
 * text only the fields that describe it are in them. */
#ifndef SOHOA_RECORD_H
#define SOHOA_RECORD_H

#include <stdbool.h>

#include "proto/sketch.h"
#include "proto/sohoa.pb-c.h"
#include "worker/page.h"

enum {
    RECORD_DONE_BYTES = 32 << 20, /* most a done is read of: DOC_MAX_PAGES pages, each dead with a full text, fit */
    RECORD_BYTES = 256 << 20,     /* likewise of a record, each page with its readings */
};

enum record_part { RECORD_PDF, RECORD_ALTO, RECORD_TEXT, RECORD_WORDS, RECORD_PARTS };
const char *record_part_name(enum record_part part); /* "pdf", "alto", ...: as in name_out() */

/* What is said of one page. */
struct record_page {
    uint32_t page_no; /* 1-based */
    bool dead;        /* then err says why, and the figures are those of an image-only page */
    struct err err;
    Sohoa__PageKind kind;
    struct page_figures figures;
    uint32_t width_px, height_px, dpi_scan, bits, rotation_deg;
    int32_t skew_mdeg;
    uint32_t a4;            /* page_a4() */
    bool measured;          /* has the three below */
    Sohoa__Quality quality; /* a copy that owns nothing */
    Sohoa__Grade grade;
    uint32_t error_cpct;
    uint32_t notes; /* bit 1 << note for each */
};

/* Fills all but dead and err. */
void record_page_fill(const Sohoa__Page *page, struct record_page *to);

struct record_doc {
    const uint8_t *sha256, *pipeline;
    const char *lang;
    const char *pdfa, *pdfa_why; /* level that the PDF claims ("2b"), and why not the one wanted; "": none */
    uint32_t layers_left;        /* pages whose older text layer could not be taken out of the PDF */
    const uint8_t *sketch;       /* packed, proto/sketch.h */
    size_t sketch_bytes;
    const Sohoa__Probe *probe; /* kind and signatures */
    const Sohoa__Description *description;
    const struct record_page *pages; /* in order, count of them */
    uint32_t count;
    struct {
        uint64_t bytes;
        uint8_t sha256[SHA256_BYTES];
    } output[RECORD_PARTS];
};

/* Appends done. */
void record_done(const struct record_doc *doc, struct buf *out);

struct record; /* a done that was read back */

/* Errors: E_CORRUPT: not a done. */
int record_parse(const void *done, size_t bytes, struct record **ret_record, struct err *err);
void record_destroy(struct record **record);

/* to is initialised by the caller, and owns its grades and sketch afterwards. */
void record_assembled(const struct record *record, Sohoa__Assembled *to);

/* Whether page_no is dead there, and then why. */
bool record_page_dead(const struct record *record, uint32_t page_no, struct err *why);

uint32_t record_pages(const struct record *record);

/* What a record adds. Texts are borrowed for the call. */
struct record_entry {
    const Sohoa__Subscriber *subscriber; /* batch, document, manifest row */
    uint32_t generation;
    uint64_t source_bytes;
    const char *worker, *simd, *build;
    uint64_t created_ms; /* since 1970 */
    uint32_t wall_ms, cpu_ms;
    const uint32_t *pages_ms; /* pages_count of them: what each page took here */
    uint32_t pages_count;
    const struct buf *before; /* the record before, of a re-run; NULL: there is none */
    const bool *kept;         /* of a re-run, a page: it was not read again */
};

/* Appends rec. Errors: E_MANIFEST: the subscriber's row is not a JSON object. */
int record_write(const struct record *record, const struct record_entry *entry, struct buf *out, struct err *err);

#endif
