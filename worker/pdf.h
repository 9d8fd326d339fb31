/* SPDX-License-Identifier: AGPL-3.0-or-later
 * MuPDF, writing: the document that people get, the untouched scan under an invisible text layer. */
#ifndef SOHOA_PDF_H
#define SOHOA_PDF_H

#include "proto/buf.h"
#include "worker/page.h"
#include "worker/render.h"

enum pdfa { PDFA_NONE, PDFA_1B, PDFA_2B };
enum { PDFA_WHY_BYTES = 200 };
const char *pdfa_name(enum pdfa level); /* "2b", "1b", "" */

struct pdf_said {
    enum pdfa level;          /* that the document claims */
    char why[PDFA_WHY_BYTES]; /* ASCII; the first rule against the level wanted, "" when that is reached */
    uint32_t layers_left;     /* pages that keep an older layer beside what was read, since it could not be taken out */
};

/* The open document of render, which stays as it is, with pages[i]'s read words (own ones are in the page already) as
 * invisible text (render mode 3) on page i+1, in place of an older invisible text; one that held (NOTE_LAYER) stays, and one
 * that was refused goes, too, where no word was read. Only a PAGE_SCAN with read words gets that layer.
 * A PDF source keeps its image streams byte for byte and its appearances: a live signature is taken out and what
 * people see of it becomes a stamp annotation. It becomes PDF/A of the level wanted, or 2b where 1b is wanted and not
 * possible, or none where what people see would have to change; said tells. What PDF/A forbids and nobody sees goes:
 * JavaScript, what runs on opening, encryption, attached files. A TIFF, JPEG or
 * PNG becomes one page a picture of its true size, its coded data taken over where a PDF can hold them, else coded
 * anew without loss; a PAGE_IMAGE whose picture can't be decoded becomes an empty page.
 * sha256 and pipeline give the document's /ID and nothing depends on time or place: same input, same bytes. out is
 * replaced, and like said untouched on failure. Errors: E_ASSEMBLE, E_MEMORY. */
int pdf_assemble(struct render *render, Sohoa__Page *const *pages, uint32_t count, const uint8_t sha256[SHA256_BYTES],
                 const uint8_t pipeline[SHA256_BYTES], enum pdfa wanted, struct buf *out, struct pdf_said *said,
                 struct err *err);

#endif
