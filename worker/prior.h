/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What was known of a document before it was read: columns of its manifest's row, as they come into its record. */
#ifndef SOHOA_PRIOR_H
#define SOHOA_PRIOR_H

#include <jansson.h>

/* Puts what row says (imported.h) into the metadata of rec, which shares them with nobody afterwards. Each such field is
 *     {"value": as imported, "origin": "imported", "imported": {"value"}, "read": the field as it was read or null, ...}
 * with place and text on the page as they were read. doubt, and the list doubts of rec, name it where what was surely read is
 * something else, and only then. A row that is no good import adds import_error, why, and changes nothing else.
 * Where row says that the document is digitised, rec gets synchronised: whether it was taken over as it is, no page read anew. */
void prior_put(json_t *rec, const json_t *row);

#endif
