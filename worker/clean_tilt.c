/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Which way lines of text run, from bilevel pictures, and setting them straight. */
#include <math.h>

#include "proto/auto.h"
#include "worker/clean_sheet.h"

enum {
    SKEW_RANGE_DEG = 15,
    TILT_FINE_DPI = 290, /* pictures from here on show their lines at half the size, too */
};

static const float skew_least_deg = 0.2F; /* below this straightening costs more than it gives */
static const float skew_sure =
    3.0F; /* Leptonica's confidence; pages of text have 4.5 and more, sideways ones below 2.5 */
static const float upright_sure = 4.0F; /* likewise, that letters are up: real pages have 4.4 and more */

/* The clockwise turn in degrees that sets lines of text straight, with Leptonica's confidence: 0 where there are
 * none. */
static void lines_measure(PIX *ink, float *ret_turn_deg, float *ret_sure)
{
    *ret_turn_deg = *ret_sure = 0;
    if (pixFindSkewSweepAndSearch(ink, ret_turn_deg, ret_sure, 4, 2, SKEW_RANGE_DEG, 1.0F, 0.01F))
        *ret_turn_deg = *ret_sure = 0;
}

int tilt_measure(PIX *ink, uint32_t dpi, struct tilt *ret_tilt)
{
    AUTO(pixDestroy) PIX *small = dpi < TILT_FINE_DPI ? pixClone(ink) : pixReduceRankBinary2(ink, 1, NULL);
    AUTO(pixDestroy) PIX *sideways = small ? pixRotateOrth(small, 1) : NULL;
    if (!sideways)
        return E_MEMORY;
    struct tilt tilt = {0};
    float sure, up = 0, sideways_turn_deg = 0, sideways_sure = 0;
    lines_measure(small, &tilt.turn_deg, &sure);
    lines_measure(sideways, &sideways_turn_deg, &sideways_sure);
    tilt.lying = sideways_sure > sure;
    if (!tilt.lying)
        pixUpDownDetect(ink, &up, 0, 0, 0);
    else
        tilt.turn_deg = sideways_turn_deg;
    tilt.doubtful = tilt.lying || up < upright_sure;
    if ((tilt.lying ? sideways_sure : sure) < skew_sure || fabsf(tilt.turn_deg) < skew_least_deg)
        tilt.turn_deg = 0;
    *ret_tilt = tilt;
    return 0;
}

bool sheet_straighten(struct sheet *sheet, float turn_deg)
{
    double radians = turn_deg * M_PI / 180;
    int longest =
        pixGetWidth(sheet->pix) > pixGetHeight(sheet->pix) ? pixGetWidth(sheet->pix) : pixGetHeight(sheet->pix);
    int margin = (int)ceil(fabs(sin(radians)) * longest / 2);
    AUTO(pixDestroy) PIX *gray = pixConvertTo8(sheet->pix, 0);
    AUTO(pixDestroy) PIX *wide = gray ? pixAddBorder(gray, margin, 255) : NULL;
    PIX *straight = wide ? pixRotateAMGray(wide, (float)radians, 255) : NULL;
    if (!straight)
        return false;
    double x = pixGetWidth(wide) / 2 + 0.5, y = pixGetHeight(wide) / 2 + 0.5, c = cos(radians), s = sin(radians);
    const double old[6] = {c, -s, s, c, x - c * x - s * y - margin, y + s * x - c * y - margin};
    sheet_reframe(sheet, straight, old);
    return true;
}
