/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Predicates over pages: `grade=C and unit=district:001`, `(state=dead or confidence<80) and not error in (E_TIME, E_SLOT)`.
 *
 *   terms   KEY OP VALUE, OP one of = != < <= > >=; KEY in (VALUE, VALUE); KEY not in (VALUE, VALUE)
 *   joined  not, and, or (binding in this order), and parentheses
 *   values  as they are, or in "quotes" where a space, a comma or a parenthesis is in them
 *
 *   batch, unit, bloc           text
 *   pipeline                    the first digits of its digest
 *   state, error                as the API names them; without an error no document has one that is equal or in a list
 *   confidence                  in percent, mean of the document; where no word was read, no comparison of it holds
 *   pages, dead                 how many pages the document has, and how many are dead
 *   document, priority, generation  numbers
 *   grade                       of a page: A, B, C or none
 *
 * All but grade is said of a document, so what is true of it is a set of grades: those whose pages the predicate
 * chooses. Each term is such a set, all or none of them where it is the document's, and `and`, `or`, `not` are those of
 * bits. Evaluation allocates nothing. Pure. */
#ifndef SOHOA_WHERE_H
#define SOHOA_WHERE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/err.h"

enum {
    WHERE_BYTES = 64 << 10, /* of a predicate, with the 0 */
    WHERE_OPS = 1000,       /* terms and what joins them */
    WHERE_NEST = 40,        /* parentheses and `not`s within each other */
    WHERE_DEPTH = 2 * WHERE_NEST + 4,
    WHERE_ALL = 0xf, /* grades: bit 1 << Grade */
};
#define WHERE_NOTHING UINT32_MAX /* a number that there is not */

enum where_key {
    WHERE_BATCH,
    WHERE_UNIT,
    WHERE_BLOC,
    WHERE_PIPELINE,
    WHERE_TEXTS,
    WHERE_STATE = WHERE_TEXTS, /* Sohoa__DocState */
    WHERE_ERROR,               /* -E_CODE */
    WHERE_CONFIDENCE,          /* in 1/100 % */
    WHERE_PAGES,
    WHERE_DEAD,
    WHERE_DOCUMENT,
    WHERE_PRIORITY,
    WHERE_GENERATION,
    WHERE_GRADE,
    WHERE_KEYS
};

/* What all documents of a lot have. */
struct where_lot {
    const char *text[WHERE_TEXTS]; /* by key */
    uint32_t priority;
    uint32_t states; /* bit 1 << state of those that documents in question are in */
};

/* What a document has, by key, from WHERE_STATE on; WHERE_NOTHING: it has none. */
struct where_facts {
    uint32_t number[WHERE_GRADE];
};

struct where_op {
    uint8_t kind, key;
    uint8_t grades;        /* a set that is known */
    bool negate;           /* the opposite of: */
    uint8_t decides;       /* of an operand that comes first: if it is this, so is ... */
    uint16_t join;         /* ... what joins it with the second; 0: it does not come first */
    uint32_t first, count; /* values */
};

struct where;

/* Errors: E_WHERE, which says where, and what is allowed there. */
int where_parse(const char *text, struct where **ret_where, struct err *err);
void where_destroy(struct where **where);

bool where_of_pages(const struct where *where); /* it has a term that is said of pages */
/* The nth value that the key, one of a text, is compared with; NULL: there are not so many. */
const char *where_value(const struct where *where, enum where_key key, uint32_t nth);

/* The predicate for the documents of a lot: op has room for WHERE_OPS of them, and gets as many as are returned. What the lot
 * knows is decided; see where_never(). */
uint32_t where_bind(const struct where *where, const struct where_lot *lot, struct where_op *op);
bool where_never(const struct where_op *op, uint32_t ops); /* it is true of none of them */
bool where_asks(const struct where_op *op, uint32_t ops);  /* it depends on more than grades */

/* The grades whose pages are chosen: 0: none of the document; WHERE_ALL: all. op: as bound for its lot. */
uint8_t where_grades(const struct where *where, const struct where_op *op, uint32_t ops,
                     const struct where_facts *facts);

#endif
