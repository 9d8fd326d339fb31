/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The readings of a page: in the record of a re-run each page says which `reading` it is of (generation, when, by whom), and its
 * `history`: the readings before, the oldest first, with what came of them. A record of generation 0 has neither: all its pages were
 * read in it. */
#ifndef SOHOA_PAST_H
#define SOHOA_PAST_H

#include <jansson.h>
#include <stdbool.h>

enum { PAST_READINGS_MOST = 20 }; /* of a page: the latest */

/* Puts both into rec's pages, after the document's record before (NULL: it is not there). kept, an element a page: those that are as
 * they were before. A record before of rec's own generation or a later one is a try that was cut short: it is no reading. */
void past_put(json_t *rec, const json_t *before, const bool *kept);

#endif
