/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Which units somebody means by what was typed: a unit as it is written (proto/unit.h), a bare code, or a name, with or without its accents
 * and its kind ("Phường", "Xã", ...). Pure. */
#ifndef SOHOA_NAMING_H
#define SOHOA_NAMING_H

#include "coordinator/gazetteer.h"
#include "proto/buf.h"

/* Appends to places (const struct place *) all that are or ever were called so, in the order of units. Where none is called
 * so by its name, those with the text in theirs. */
void naming_find(const struct gazetteer *gazetteer, const char *text, struct buf *places);

#endif
