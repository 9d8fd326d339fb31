/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Forecasts of units, as people read them: Hanoi time; what is worst comes first, units without a deadline last. */
#ifndef SOHOA_CTL_OUTLOOK_H
#define SOHOA_CTL_OUTLOOK_H

#include <jansson.h>

#include "coordinator/day.h"

/* Milliseconds since 1970, or null: never. Returns text. */
const char *moment_text(const json_t *ms, char text[DAY_MOMENT_BYTES]);

/* A table of forecasts as the API tells them; one that has a forecast "before" tells what it was. */
void units_print(const json_t *units);

#endif
