/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Writes down what is in the scans: DIR/truth/truth.tsv (fields), pages.tsv (pages), <file>.txt (text) and
 * DIR/manifest.csv. bench/README.md tells the columns. Only DIR/scans holds scans. */
#ifndef SOHOA_BENCH_TRUTH_H
#define SOHOA_BENCH_TRUTH_H

#include "bench/letter.h"
#include "bench/source.h"
#include "proto/err.h"

enum { TRUTH_FILE_BYTES = 512, TRUTH_CODE_BYTES = 64, TRUTH_DAMAGE_BYTES = 160 };

struct truth_page {
    char damage[TRUTH_DAMAGE_BYTES];
    uint32_t rotation_deg;
    double skew_deg;
    bool blank;
};

/* One file of scans. */
struct truth_document {
    char file[TRUTH_FILE_BYTES]; /* relative to DIR/scans */
    struct letter_fields fields;
    char organ_name[ORGAN_TEXT_BYTES];
    struct source_form form;
    struct truth_page *pages;
    size_t page_count, page_capacity;
    struct buf text;          /* of all pages, a form feed between them */
    struct buf parts;         /* likewise, the part of each line */
    const char *duplicate_of; /* the file it is a copy of, borrowed; NULL: none */
};

/* What the manifest says of a document besides its file and pages. */
struct truth_place {
    char unit[TRUTH_CODE_BYTES], fonds[TRUTH_CODE_BYTES], file_code[2 * TRUTH_CODE_BYTES];
    const char *bloc, *retention, *deadline;
    unsigned priority, ordinal;
};

/* Lends a page of the document to be filled in; text is what is printed on it, parts what each line of it is. */
struct truth_page *truth_document_add(struct truth_document *document, const char *text, const char *parts);
void truth_document_clear(struct truth_document *document);

struct truth;

/* Makes DIR/scans and DIR/truth. Errors: E_IO; E_EXISTS when one of them is there already. */
int truth_new(const char *dir, struct truth **ret_truth, struct err *err);
void truth_destroy(struct truth **truth);

/* Makes folder in DIR/scans and DIR/truth unless it is there. Errors: E_IO. */
int truth_folder(const struct truth *truth, const char *folder, struct err *err);

/* Errors: E_IO. */
int truth_write(struct truth *truth, const struct truth_document *document, const struct truth_place *place,
                struct err *err);

#endif
