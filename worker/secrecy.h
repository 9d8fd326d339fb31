/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The secrecy pass: whether a page carries a stamp of state secrecy, MẬT, TỐI MẬT or TUYỆT MẬT (GIẢI MẬT: declassified), in
 * red or black, however it lies. In doubt it does, since a false alarm costs less than a secret. */
#ifndef SOHOA_SECRECY_H
#define SOHOA_SECRECY_H

#include <stdbool.h>

#include "proto/err.h"
#include "worker/page.h"
#include "worker/raster.h"

/* Fills page->stamps, at most STAMPS_MOST, by the picture: raster as render_page() gave it, before it is cleaned, in colour if
 * the scan is. Its to_view says where the stamps are in the page's view. Errors: E_MEMORY. */
int secrecy_look(const struct raster *raster, Sohoa__Page *page, struct err *err);

/* ... and by the page's words, after they were read: a line of its own in the upper half that says a level. */
void secrecy_words(Sohoa__Page *page);

/* A stamp that is no declassification, with none of that kind on the page. STAMP_UNSEEN counts. Pure: for who does not trust
 * the slot. */
bool secrecy_suspects(const Sohoa__Page *page);

#endif
