/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Two small convolutional networks over a page's planes. One seeks: what may stand in each cell of 2 mm, one of the markings
 * of secrecy or none; one judges what stands upright in the middle of a frame. Their weights are worker/stamps/seek.bin and judge.bin.
 * Whole numbers: the same planes give the same scores on every machine. */
#ifndef SOHOA_CONVNET_H
#define SOHOA_CONVNET_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/planes.h"

enum { CONVNET_NONE, CONVNET_MAT, CONVNET_TOI_MAT, CONVNET_TUYET_MAT, CONVNET_GIAI_MAT, CONVNET_CLASSES };
enum { CONVNET_CELL_PX = 8, CONVNET_FRAME_WIDTH_PX = 192, CONVNET_FRAME_HEIGHT_PX = 96, CONVNET_SCORE_ONE = 256 };

struct cells {
    uint32_t width, height; /* cell (x, y) is about pixel (x, y) * CONVNET_CELL_PX of the planes */
    int32_t *score;         /* [height][width][CONVNET_CLASSES], logits in parts of CONVNET_SCORE_ONE */
};

/* False without memory; *ret_cells is then untouched. */
bool convnet_seek(const struct planes *planes, struct cells *ret_cells);
void cells_clear(struct cells *cells);

/* Of the frame around a pixel of the planes, which may lie partly beyond them; turned: by so many right angles clockwise is
 * what stands upright in it turned on the page. Scores as above. False without memory. */
bool convnet_judge(const struct planes *planes, int32_t x, int32_t y, unsigned turned, int32_t score[CONVNET_CLASSES]);

#endif
