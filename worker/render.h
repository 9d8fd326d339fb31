/* SPDX-License-Identifier: AGPL-3.0-or-later
 * MuPDF, reading: opens PDF, TIFF, JPEG and PNG, says what is in them, and gives a page's picture or its own text.
 * Only the files under mupdf.h know MuPDF; all run only in slots. What MuPDF complains about is not printed, but
 * libjpeg inside it prints a line on stderr for a damaged JPEG. */
#ifndef SOHOA_RENDER_H
#define SOHOA_RENDER_H

#include <stdbool.h>

#include "proto/sohoa.pb-c.h"
#include "worker/raster.h"
#include "proto/buf.h"
#include "proto/err.h"

struct render; /* the MuPDF context and at most one open document */

/* max_pixels: pages above are rendered or scaled down to it. tessdata: folder with Tesseract's pdf.ttf, the font of
 * the text layer; no file is read later. Called once in the warm process; slots inherit it. Errors: E_MODEL, E_NOMEM. */
int render_new(uint64_t max_pixels, const char *tessdata, struct render **ret_render, struct err *err);
void render_destroy(struct render **render);

/* fd is borrowed until render_close(): a seekable file of bytes bytes. Errors: E_SOURCE_EMPTY, E_SOURCE_TYPE,
 * E_SOURCE_BROKEN, E_SOURCE_ENCRYPTED (needs a password to open), E_SOURCE_PAGES. */
int render_open(struct render *render, int fd, uint64_t bytes, struct err *err);
void render_close(struct render *render); /* also empties MuPDF's store */

/* Fills all but sha256 and bytes. *ret_probe is freed by sohoa__probe__free_unpacked(). Errors: E_STATE (no document is
 * open), E_MEMORY. */
int render_probe(struct render *render, Sohoa__Probe **ret_probe, struct err *err);

/* Looks at a page (1-based). page gets kind (PAGE_SCAN or PAGE_TEXT), the view's size and dpi, dpi_scan and bits (0
 * where no image makes the page), and the visible text that the source carries as own words (own = true, confidence
 * 10000): the whole text of a PAGE_TEXT, what little lies over a scan, and always that of annotations such as
 * signature stamps. Invisible text, and text under the scan, is an older recogniser's: it goes to layer, if that is not
 * NULL, as words that lie in the same view, and says nothing about the page before it was checked (spot.h).
 * *ret_raster: the picture to read, NULL for PAGE_TEXT. Where the page is one image it is that image's own pixels,
 * turned as displayed, else a rendering (at the images' dpi where they tile the page, at 300 dpi without images) of
 * the contents without annotations and without the own words, so that nothing is read twice. degraded: a rendering in
 * gray at 150 dpi at most, in the same view. On failure page may hold a part. Errors: E_PAGE_BROKEN, E_PAGE_SIZE,
 * E_MEMORY, E_LIMIT (PAGE_MAX_WORDS). */
int render_page(struct render *render, uint32_t page_no, bool degraded, Sohoa__Page *page, Sohoa__Page *layer,
                struct raster **ret_raster, struct err *err);

/* The page as it is seen, annotations and own text included, in colour at about 100 dpi. only_noted: of a page without
 * annotations *ret_raster stays as it is. A page without a size yet gets kind, size and dpi as from render_page().
 * Errors: E_PAGE_BROKEN, E_PAGE_SIZE, E_MEMORY. */
int render_seen(struct render *render, uint32_t page_no, bool only_noted, Sohoa__Page *page, struct raster **ret_raster,
                struct err *err);

/* Appends the page as people are to see it, annotations included, turned clockwise by rotation_deg (0, 90,
 * 180, 270), then width_px wide. Scans in gray or colour become a JPEG, whose size stays bounded whatever the paper looks like;
 * bilevel scans and born digital pages a PNG, which keeps letters sharp. Errors: E_PAGE_BROKEN, E_PAGE_SIZE, E_MEMORY. */
int render_show(struct render *render, uint32_t page_no, uint32_t rotation_deg, uint32_t width_px, struct buf *picture,
                struct err *err);

#endif
