/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A document's description as records have it:
 *   "metadata": {"codeNumber": {"value": "05" or null, "confidence": 0.97 or null, "page": 1 or null, "box": [x, y, width, height] or null,
 *                               "raw": "...", "candidates": [{"value", "confidence"}, ...], "doubt": "..." or null}, ...}
 * every field (field_name()) is there. Boxes are in pixels of the page's picture (its "width" and "height"). */
#ifndef SOHOA_METADATA_H
#define SOHOA_METADATA_H

#include <jansson.h>

#include "worker/field.h"

/* A text that may be no UTF-8: then what is not ASCII becomes '?'. */
json_t *metadata_text(const char *text);

/* Texts may be no UTF-8: what is not becomes '?'. Owned by the caller. */
json_t *metadata_json(const Sohoa__Description *description);

/* "proposals": {"area": {"value": "land" or null, "confidence": 0.92 or null, "rule": "..."}, ...}. Likewise. */
json_t *proposals_json(const Sohoa__Description *description);

/* The names of the fields that a person should look at, and bits 1 << FieldName of such a list. */
json_t *metadata_doubts_json(uint32_t doubts);
uint32_t metadata_doubts(const json_t *list);

#endif
