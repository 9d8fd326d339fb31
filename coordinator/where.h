/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Which documents are meant: a predicate as people write it, such as
 *
 *     unit=district:001 and (state=dead or pages>=50) and not error in (E_TIME, E_SLOT)
 *
 * A term is KEY OP VALUE, with = != < <= > >=, or KEY in (VALUE, ...). Keys of text have = and != and in: batch, unit, bloc, pipeline (the
 * beginning of its digest), state, error; keys of numbers have all: document, pages, dead, generation, priority. Values with
 * blanks or brackets stand in double quotes. `not` binds most, then `and`, then `or`. Pure. */
#ifndef SOHOA_WHERE_H
#define SOHOA_WHERE_H

#include "coordinator/backlog.h"

enum { WHERE_BYTES = 4096, WHERE_STEPS = 256, WHERE_DEPTH = 32 };

struct where;

/* Errors: E_WHERE, which says where it is wrong and what is allowed. */
int where_parse(const char *text, struct where **ret_where, struct err *err);
void where_destroy(struct where **where);

/* Calls each for every document that is meant, in order; of lots that can't have any, none is looked at. */
void where_each(struct where *where, const struct backlog *backlog, void (*each)(struct doc_ref ref, void *user),
                void *user);

#endif
