/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the API says of reviews, for people. */
#ifndef SOHOA_CTL_VERDICT_H
#define SOHOA_CTL_VERDICT_H

#include <jansson.h>

void queue_print(const json_t *answer);    /* documents that wait */
void document_print(const json_t *answer); /* one, field by field */
void decided_print(const json_t *answer);  /* what was decided of one */
void rounds_print(const json_t *answer);   /* a batch's rounds, and what is over a limit */
void round_print(const json_t *answer);    /* one that begins, or would */
void back_print(const json_t *answer);     /* a batch that went back to work */

#endif
