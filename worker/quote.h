/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A page's words as JSON, for the dashboard: where they lie in its picture. */
#ifndef SOHOA_QUOTE_H
#define SOHOA_QUOTE_H

#include "proto/buf.h"
#include "proto/err.h"
#include "proto/sohoa.pb-c.h"

/* Appends {"page", "width", "height", "rotation", "words": [{"text", "conf", "x", "y", "w", "h"}]} in reading order:
 * positions in pixels of the view turned upright, which is width x height; conf in percent; rotation: how it was turned,
 * clockwise, in degrees. Errors: E_NOMEM. */
int quote_words(const Sohoa__Page *page, struct buf *json, struct err *err);

#endif
