/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Tesseract: a cleaned picture in, words with boxes and confidence out, in one pass of the result iterator. */
#ifndef SOHOA_READ_H
#define SOHOA_READ_H

#include <stdbool.h>

#include "proto/err.h"
#include "proto/limits.h"
#include "worker/page.h"
#include "worker/raster.h"

struct reader;

/* Loads the models; in the warm process. OMP_THREAD_LIMIT=1 must be in the environment since exec. model gets the
 * digest over the traineddata files in the order of lang (pipeline.h). Errors: E_MODEL, which names the file. */
int reader_new(const char *tessdata, const char *lang, uint8_t model[SHA256_BYTES], struct reader **ret_reader,
               struct err *err);
void reader_destroy(struct reader **reader);

/* Adds blocks, lines and words to page, mapped into the view by raster->to_view; text is NFC. Errors: E_PAGE_BROKEN,
 * E_LIMIT (PAGE_MAX_WORDS). */
int read_page(struct reader *reader, const struct raster *raster, Sohoa__Page *page, struct err *err);

/* As read_page(), of a part of a page that is all text: a single line, or a block of lines. */
int read_strip(struct reader *reader, const struct raster *raster, bool line, Sohoa__Page *page, struct err *err);

/* Which way up: the clockwise turn in degrees (0, 90, 180, 270) that makes raster upright, 0 when it can't tell.
 * Uses the osd model. */
int read_orientation(struct reader *reader, const struct raster *raster, uint32_t *ret_turn_deg, struct err *err);

#endif
