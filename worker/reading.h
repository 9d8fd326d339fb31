/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The way of a page from its picture to its words. */
#ifndef SOHOA_READING_H
#define SOHOA_READING_H

#include <stdbool.h>

#include "worker/page.h"
#include "worker/raster.h"
#include "worker/read.h"

/* Cleans the picture, finds which way is up, and reads. page comes from render_page(), with the view's size and
 * perhaps words of its own, which stay as they are: what is read over them is dropped. layer: the older text layer that
 * render_page() found, or NULL. If it holds (spot.h) its words become the page's own, as sure as the few lines that are read are alike; page then
 * has NOTE_LAYER, else NOTE_LAYER_REFUSED. Otherwise page gets the read words (letters.h corrects some), rotation, skew, degraded, its quality (quality.h), its picture's hash (likeness.h), and kind PAGE_BLANK when there is
 * nothing to read. *raster is replaced by the cleaned picture. On failure page may hold a part of the words. Errors: as clean_page(), read_page(). */
int page_read(struct reader *reader, struct raster **raster, bool degraded, Sohoa__Page *layer, Sohoa__Page *page,
              struct err *err);

#endif
