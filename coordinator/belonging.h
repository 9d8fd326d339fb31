/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Which units of another time a unit belongs to. Nothing is chosen: of a commune that was split all that have a part of it are
 * candidates. Pure. */
#ifndef SOHOA_BELONGING_H
#define SOHOA_BELONGING_H

#include "coordinator/gazetteer.h"
#include "proto/buf.h"

struct belonging {
    struct buf candidates; /* const struct place *, each once */
    bool sure;             /* there is one, and nothing of the unit is anywhere else */
};

/* For AUTO. */
void belonging_destroy(struct belonging *belonging);
size_t belonging_count(const struct belonging *belonging);
const struct place *belonging_at(const struct belonging *belonging, size_t index);

/* The units of that kind that may have what is filed under place: districts and communes until 2025, or communes in force on day. Taken
 * over whole, also by way of others, it belongs to one; a district's documents may be of each of its communes. belonging is made anew. */
void belonging_of(const struct place *place, enum place_kind kind, int64_t day, struct belonging *belonging);

enum relation { RELATION_NONE, RELATION_PERHAPS, RELATION_SURE };

/* Does what is filed under place belong to unit, whenever that was? */
enum relation belonging_to(const struct place *place, const struct place *unit);

#endif
