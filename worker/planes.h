/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a classifier sees of a page: how much ink and how much red ink there is, at one scale whatever the scan's. */
#ifndef SOHOA_PLANES_H
#define SOHOA_PLANES_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/clean_look.h"

enum { PLANE_INK, PLANE_RED, PLANE_NR, PLANES_PX_10MM = 40 };

struct planes {
    uint32_t width_px, height_px;
    double px_look; /* its pixels a pixel of the look, about 1 */
    uint8_t
        *density; /* [height_px][width_px][PLANE_NR]: contrast with the paper; twice the redness, 0 without colour */
};

/* Of a look with so many pixels a millimetre. False without memory; *ret_planes is then untouched. */
bool planes_new(const struct look *look, double look_px_mm, struct planes *ret_planes);
void planes_clear(struct planes *planes);

/* Pixels a millimetre of a look. A file may say any resolution: one that makes a page of no sheet's size is not believed. */
double planes_look_px_mm(const struct look *look);

#endif
