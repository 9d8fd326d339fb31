/* SPDX-License-Identifier: AGPL-3.0-or-later
 * MuPDF, writing: the document that people get, the untouched scan under an invisible text layer. */
#ifndef SOHOA_PDF_H
#define SOHOA_PDF_H

#include "proto/buf.h"
#include "worker/page.h"
#include "worker/render.h"

/* The open document of render with pages[i]'s read words (own ones are in the page already) as invisible text (render mode 3) on page i+1.
 * A PDF source keeps its image streams byte for byte and its appearances (a live signature is taken out, its stamp's
 * appearance stays); a TIFF, JPEG or PNG becomes one page a picture of its true size, JPEG and G4 data taken over
 * as they are where possible, else losslessly. pages without words (kind PAGE_IMAGE, PAGE_BLANK, PAGE_TEXT) get no layer.
 * sha256 and pipeline give the document's /ID and nothing else depends on time or place: same input, same bytes.
 * Errors: E_ASSEMBLE, E_MEMORY. */
int pdf_assemble(struct render *render, Sohoa__Page *const *pages, uint32_t count, const uint8_t sha256[SHA256_BYTES],
                 const uint8_t pipeline[SHA256_BYTES], struct buf *out, struct err *err);

#endif
