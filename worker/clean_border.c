/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Black borders. */
#include "proto/auto.h"
#include "worker/clean_sheet.h"

enum {
    BORDER_SCALE = 8,  /* blocks of so many pixels a side, black all over: no text is */
    BORDER_PARTS = 12, /* black is taken off within one part of so many from each side */
};

static PIX *border_mask(PIX *ink)
{
    AUTO(pixDestroy) PIX *solid = pixReduceRankBinaryCascade(ink, 4, 4, 4, 0);
    AUTO(pixDestroy) PIX *border = solid ? pixExtractBorderConnComps(solid, 8) : NULL;
    if (!border)
        return NULL;
    int width = pixGetWidth(border), height = pixGetHeight(border);
    AUTO(boxDestroy)
    BOX *inside = boxCreate(width / BORDER_PARTS, height / BORDER_PARTS, width - 2 * (width / BORDER_PARTS),
                            height - 2 * (height / BORDER_PARTS));
    if (!inside || pixClearInRect(border, inside))
        return NULL;
    AUTO(pixDestroy) PIX *fringed = pixDilateBrick(NULL, border, 3, 3);
    return fringed ? pixScaleToSize(fringed, pixGetWidth(ink), pixGetHeight(ink)) : NULL;
}

bool border_whiten(struct sheet *sheet)
{
    if (pixGetWidth(sheet->pix) < BORDER_PARTS * BORDER_SCALE || pixGetHeight(sheet->pix) < BORDER_PARTS * BORDER_SCALE)
        return true;
    AUTO(pixDestroy) PIX *ink = ink_of(sheet->pix);
    AUTO(pixDestroy) PIX *mask = ink ? border_mask(ink) : NULL;
    return mask && !pixSetMasked(sheet->pix, mask, pixGetDepth(sheet->pix) == 1 ? 0 : 255);
}
