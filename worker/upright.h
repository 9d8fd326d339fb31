/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Which way is up, by trial where it is in doubt. */
#ifndef SOHOA_UPRIGHT_H
#define SOHOA_UPRIGHT_H

#include <stdbool.h>

#include "worker/raster.h"
#include "worker/read.h"

/* Gives the clockwise turn in degrees (0, 90, 180, 270) that makes raster, a cleaned picture, upright; 0 when it can't
 * tell. lying: its lines seem to run from top to bottom. Reads the densest part of the picture until it reads well.
 * Errors: as read_orientation(), read_page(), clean_turn(). */
int upright_find(struct reader *reader, const struct raster *raster, bool lying, uint32_t *ret_turn_deg,
                 struct err *err);

#endif
