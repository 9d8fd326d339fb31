/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Writes a source, as scanners do: PDF, multi-page TIFF, or a JPEG or PNG of one page. Same pages and form, same bytes:
 * no dates, no random ids. */
#ifndef SOHOA_BENCH_SOURCE_H
#define SOHOA_BENCH_SOURCE_H

#include <leptonica/allheaders.h>
#include <stdbool.h>

#include "proto/err.h"

enum source_format { SOURCE_PDF, SOURCE_TIFF, SOURCE_JPEG, SOURCE_PNG, SOURCE_FORMAT_NR };
enum source_colour { SOURCE_COLOUR, SOURCE_GRAY, SOURCE_BILEVEL };
enum source_coding { CODING_JPEG, CODING_G4, CODING_FLATE, CODING_LZW };

enum source_dpi { DPI_200, DPI_300, SOURCE_DPI_NR };

struct source_form {
    enum source_format format;
    enum source_colour colour;
    enum source_coding coding; /* JPEG: gray and colour; G4: bilevel; LZW: TIFF; Flate: PDF and PNG */
    uint32_t dpi;
    int quality; /* of JPEG, 1-100 */
};

const char *source_format_name(enum source_format format); /* "pdf" */
const char *source_colour_name(enum source_colour colour); /* "colour" */
uint32_t source_dpi(enum source_dpi dpi);                  /* 200 */
const char *source_dpi_name(enum source_dpi dpi);          /* "200" */
bool source_holds_pages(enum source_format format);        /* more than one */

struct source;

/* path is borrowed until the source is destroyed. */
void source_new(const char *path, const struct source_form *form, struct source **ret_source);
void source_destroy(struct source **source);

/* Adds a page: 32-bit, 8-bit or 1-bit as form.colour wants. Errors: E_IO. */
int source_add(struct source *source, PIX *page, struct err *err);

/* Completes the file. Errors: E_IO. */
int source_close(struct source *source, struct err *err);

/* pdf.c: a PDF of page images. Images come as Leptonica compressed them (JPEG, G4 or Flate). */
struct pdf;
void pdf_new(struct pdf **ret_pdf);
void pdf_destroy(struct pdf **pdf);
void pdf_add(struct pdf *pdf, const L_COMP_DATA *image, uint32_t dpi);
int pdf_write(struct pdf *pdf, const char *path, struct err *err);

#endif
