/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What must hold (design, section 2), seen from outside: from the frames that pass, the writes that end and what restarts
 * bring back. Each function is told of something that happens; a broken invariant ends the run. */
#ifndef SOHOA_SIM_CHECK_H
#define SOHOA_SIM_CHECK_H

#include "proto/wire.h"

void check_reset(void);

void check_heard(uint32_t worker, const Sohoa__Frame *frame); /* the coordinator is about to read it */
void check_said(uint32_t worker, const Sohoa__Frame *frame);  /* the coordinator sends it */

void check_submitted(void); /* a write begins that has all that was decided so far */
void check_committed(void); /* it has ended, and its coordinator is about to hear of that */
void check_recovered(void); /* a new coordinator has started */

struct sight;
/* A re-run of a document is undone that was as it was, and is as it is. */
void check_undone(uint32_t batch, uint32_t doc, const struct sight *was, const struct sight *is);

void check_missing(uint32_t worker, uint64_t lease, const char *blob); /* an assembly does not find it */

void check_step(void); /* after each step */
void check_end(void);  /* all is done, nothing is under way */

#endif
