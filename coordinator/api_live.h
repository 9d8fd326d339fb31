/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handlers for what people watch: all at a glance, units, batches, failures, workers, and what changes. */
#ifndef SOHOA_API_LIVE_H
#define SOHOA_API_LIVE_H

#include "coordinator/api_order.h"
#include "coordinator/gazetteer.h"
#include "coordinator/live.h"

/* All of the account's units at a glance; it changes only when something did. */
json_t *overview_json(struct coordinator *c, const struct account *account, uint64_t now_ms);

/* The answer to `units` for who may see all of them. May run beside the loop. */
void units_write(const struct gazetteer *gazetteer, const struct live_unit *unit, size_t count, uint64_t taken_ms,
                 struct buf *text);

void get_overview(struct coordinator *c, struct request *request, const struct route_args *args);
void get_series(struct coordinator *c, struct request *request, const struct route_args *args);
void get_units(struct coordinator *c, struct request *request, const struct route_args *args);
void get_unit(struct coordinator *c, struct request *request, const struct route_args *args); /* {word} */
void get_batches(struct coordinator *c, struct request *request, const struct route_args *args);
void get_failures(struct coordinator *c, struct request *request, const struct route_args *args);
void get_workers(struct coordinator *c, struct request *request, const struct route_args *args);
void get_events(struct coordinator *c, struct request *request, const struct route_args *args);

#endif
