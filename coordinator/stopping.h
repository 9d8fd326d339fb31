/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Stops files. A document that is suspected, or that a person stops, stops at once; the others of its file may lie in any batch: their
 * manifests are looked through on a back thread, for all files at once that wait for it. What a restart finds raised and not released is
 * looked for again, so a stop that was cut short becomes whole; what is admitted later is looked through for files that are stopped. */
#ifndef SOHOA_STOPPING_H
#define SOHOA_STOPPING_H

#include "coordinator/coordinator.h"

struct request;
struct stopping;

struct stopping *stopping_new(struct coordinator *c);
void stopping_destroy(struct stopping **stopping);

/* The worker's result suspects the document that the last act (ACT_SECRET) names. */
void stopping_suspected(struct coordinator *c, const Sohoa__Result *result);

/* A person stops the document and its file: the request is answered when all of it is. Errors: E_STATE (withdrawn), E_STORE. */
void stopping_order(struct coordinator *c, struct request *request, struct doc_ref ref, const char *reason);

enum stopping_end { STOPPING_RELEASE, STOPPING_PURGE };
/* A person releases the document, or purges it for good; file: and those of its file that are quarantined. The request is answered when it
 * is done. Errors: E_STATE: it is not quarantined, or was purged. */
void stopping_end(struct coordinator *c, struct request *request, struct doc_ref ref, enum stopping_end end, bool file,
                  const char *reason);

void stopping_admitted(struct coordinator *c); /* there is a new piece of a manifest */
void stopping_tick(struct coordinator *c, uint64_t now_ms);
int stopping_recover(struct coordinator *c, struct err *err); /* after recover(). Errors: E_STORE */

#endif
