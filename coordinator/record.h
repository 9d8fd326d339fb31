/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A document's record (rec/<batch>/<doc>), read whole on the back threads, and what people said beside it. */
#ifndef SOHOA_COORDINATOR_RECORD_H
#define SOHOA_COORDINATOR_RECORD_H

#include <jansson.h>

#include "coordinator/coordinator.h"
#include "coordinator/remarks.h"
#include "coordinator/review.h"

enum { RECORD_READ_BYTES = 256 << 20 }; /* the largest that is read */

struct request;

struct record_read {
    struct io_task task;
    struct coordinator *c;
    struct request *request;
    struct doc_ref ref;
    const char *batch;        /* its id */
    json_t *record;           /* NULL after an error */
    struct remarks_book book; /* what decisions said */
    bool again;               /* what was being written then is durable now */
    int rc;
    struct err err;
    void (*done)(struct record_read *read);
    void *user;
};

/* Calls done on the loop, then frees what was read. All that review_find() tells of the document then has its texts in the book. Errors there: E_STORE,
 * E_ABSENT, E_LIMIT, E_CORRUPT: also remarks that are not as the ledger's hash says. */
void record_read(struct coordinator *c, struct request *request, struct doc_ref ref,
                 void (*done)(struct record_read *read), void *user);

/* metadata.<field>, borrowed; NULL: the record has none. */
const json_t *record_field(const json_t *record, int field);
const char *record_value(const json_t *record, int field); /* what the machine says; "": nothing */

/* Bits 1 << FieldName of what it says that a person should look at: also what contradicts the manifest of this document. */
uint32_t record_doubts(const json_t *record);

/* What a person says in the place of the field; "": there is none. Borrowed. */
const char *record_correction(const struct record_read *read, const struct correction *correction);
/* What was said with the decision last; "": nothing. Borrowed. */
const char *record_reason(const struct record_read *read, const struct reviewed *reviewed);
/* {"value", "by", "at", "round"}: at as the record says moments. */
json_t *record_corrected(const struct record_read *read, const struct correction *correction);
/* Adds metadata.<field>.corrected for each correction of the document. */
void record_correct(struct record_read *read, const struct reviewed *reviewed);
void record_write(const json_t *record, struct buf *text); /* as workers write it */

/* Where a field stands on its page turned upright, which is how pictures are. False: nowhere. */
struct record_place {
    json_int_t page, page_width, page_height, x, y, w, h;
};
bool record_place(const json_t *record, int field, struct record_place *place);

#endif
