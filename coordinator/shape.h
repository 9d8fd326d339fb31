/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Shapes that several of the API's answers have. */
#ifndef SOHOA_SHAPE_H
#define SOHOA_SHAPE_H

#include <jansson.h>

#include "coordinator/account.h"
#include "coordinator/coordinator.h"
#include "coordinator/gazetteer.h"

struct totals {
    uint64_t docs[DOC_STATES], pages[PAGE_STATES];
    uint32_t batches;
};
/* What of it is of the account's units. */
void totals_add(struct totals *totals, const struct batch *batch, const struct account *account);
void totals_of(const struct backlog *backlog, const struct account *account, struct totals *totals);

json_t *documents_json(const uint64_t count[DOC_STATES]); /* by state, and in all */
json_t *pages_json(const uint64_t count[PAGE_STATES]);
json_t *day_json(int64_t day);                                 /* "2027-07-01"; 0: null */
json_t *kin_json(const struct kin *kin, size_t count);         /* [{"unit", "name", "coverage"}] */
json_t *err_json(const struct coordinator *c, uint32_t fault); /* NONE: null */

const char *batch_state(const struct batch *batch); /* "running", "paused", "finished", "withdrawn" */
json_t *batch_json(const struct coordinator *c, const struct account *account, const struct batch *batch);

struct worker_totals {
    uint32_t connected, lost, drained;
    uint32_t slots, busy_slots; /* of those that are connected */
};
void worker_totals_of(const struct coordinator *c, struct worker_totals *totals);
json_t *workers_json(const struct coordinator *c); /* each of them */

#endif
