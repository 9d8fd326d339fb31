/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Is there writing? Judged from the look alone, spot by spot. A mark is what may be a letter, a signature or a stamp;
 * dust, holes, folds, shadows and what shines through the paper are none. In doubt a spot is a mark: a blank page that
 * is read costs a second, a written one that is not read is lost. */
#include "worker/clean_look.h"

#include "proto/auto.h"

enum {
    MARK_LEAST_UM = 1300,     /* its longer side: a full stop has 500, an x at 8 points 1400 */
    DARK_LEAST_UM = 1100,     /* of its dark part, which is smaller by the soft edge */
    FRAME_PARTS = 50,         /* what lies within one part of so many from an edge is the scanner's */
    LINE_HAIR_UM = 260,       /* no print and no pen is so thin: a scrap of a fold */
    LINE_LEAST_UM = 8000,     /* a fold or streak, or a piece of one, ... */
    LINE_THICK_UM = 900,      /* ... is no thicker on average, ... */
    LINE_PARTS = 10,          /* ... and leaves its direction by one part of so many */
    LINE_LONG_PARTS = 3,      /* a line as long as one part of so many of the page ... */
    LINE_LONG_LEAN_PARTS = 3, /* ... may lean so much */
    BLOT_SOLID_PERCENT = 68,  /* of its dark part's box is dark: a disc has 78, letters less */
    BLOT_LONG_PERCENT = 160,  /* its longer side in parts of the shorter */
    HOLE_LEAST_UM = 3000,     /* larger solid spots are holes ... */
    HOLE_MOST_UM = 9000,      /* ... up to here: stamps and pictures are larger */
    HOLE_EDGE_UM = 26000,     /* how far from an edge holes are punched */
    FAINT_MOST = 72,          /* contrast of 28 %: nothing shines through more strongly */
    DARK_LEAST = 102,         /* contrast of 40 %: what is paler may shine through after all */
    SCANT_MARKS = 20,         /* fewer dark ones are scant */
    BLEED_LEAST = 30,         /* faint spots that are no accident */
    VIVID_LEAST_PX = 40,      /* so much red or blue ink on an edge's spot is writing: a fold ties it to the edge */
    RED_FULL_PERCENT = 35,    /* a seal pressed on this side has more of its red at full strength */
    SPREAD_PERCENT = 120,     /* of a spread's height is its least width; of an A4 pair it is 141 */
    SPREAD_MARKS = 60,        /* at least, on each of its pages */
    GUTTER_PERCENT = 3,       /* of its width is empty between the pages ... */
    GUTTER_FROM_PERCENT = 40, /* ... somewhere from here ... */
    GUTTER_TO_PERCENT = 60,   /* ... to here */
    UM_AN_INCH = 25400,
};

static int spot_um(const struct look *look, int pixels)
{
    return (int)((int64_t)pixels * UM_AN_INCH / (look->dpi ? look->dpi : 1));
}

struct spot_size {
    int w_px, h_px, longer_px, shorter_px, longer_um, shorter_um;
};

static struct spot_size box_size(const struct look *look, int left, int top, int right, int bottom)
{
    struct spot_size s = {.w_px = right - left + 1, .h_px = bottom - top + 1};
    s.longer_px = s.w_px > s.h_px ? s.w_px : s.h_px;
    s.shorter_px = s.w_px > s.h_px ? s.h_px : s.w_px;
    s.longer_um = spot_um(look, s.longer_px);
    s.shorter_um = spot_um(look, s.shorter_px);
    return s;
}

static struct spot_size spot_size(const struct look *look, const struct look_spot *s)
{
    return box_size(look, s->left, s->top, s->right, s->bottom);
}

/* Without its soft edge, or what is paler around it. */
static struct spot_size dark_size(const struct look *look, const struct look_spot *s)
{
    return box_size(look, s->dark_left, s->dark_top, s->dark_right, s->dark_bottom);
}

/* Touches the frame's outside, or lies in the frame altogether. */
static bool spot_is_edge(const struct look *look, const struct look_spot *s)
{
    int w = (int)look->width_px, h = (int)look->height_px, x = w / FRAME_PARTS, y = h / FRAME_PARTS;
    return look_touches_edge(look, s) || s->right < x || s->left >= w - x || s->bottom < y || s->top >= h - y;
}

static bool spot_is_line(const struct look *look, const struct look_spot *spot, const struct spot_size *s)
{
    int page = s->w_px > s->h_px ? (int)look->width_px : (int)look->height_px;
    if (s->shorter_um <= LINE_HAIR_UM)
        return true;
    if (s->longer_um < LINE_LEAST_UM || spot_um(look, (int)spot->area_px / s->longer_px) > LINE_THICK_UM)
        return false;
    return s->shorter_px * LINE_PARTS <= s->longer_px ||
           (s->longer_px * LINE_LONG_PARTS >= page && s->shorter_px * LINE_LONG_LEAN_PARTS <= s->longer_px);
}

static int edge_distance_um(const struct look *look, const struct look_spot *s)
{
    int x = s->left < (int)look->width_px - s->right ? s->left : (int)look->width_px - s->right;
    int y = s->top < (int)look->height_px - s->bottom ? s->top : (int)look->height_px - s->bottom;
    return spot_um(look, x < y ? x : y);
}

/* A disc or a clod: dark all over, about as wide as high. */
static bool spot_is_blot(const struct look *look, const struct look_spot *spot, const struct spot_size *s)
{
    struct spot_size dark = dark_size(look, spot);
    bool solid = (int64_t)spot->dark_px * 100 >= (int64_t)dark.w_px * dark.h_px * BLOT_SOLID_PERCENT;
    if (!solid || dark.longer_px * 100 > dark.shorter_px * BLOT_LONG_PERCENT)
        return false;
    return dark.longer_um >= HOLE_LEAST_UM && s->longer_um <= HOLE_MOST_UM &&
           edge_distance_um(look, spot) < HOLE_EDGE_UM;
}

/* A speck on something pale, such as a letter that shines through: dark in too small a place. */
static bool spot_is_dirt(const struct look *look, const struct look_spot *spot)
{
    return dark_size(look, spot).longer_um < DARK_LEAST_UM;
}

static enum look_kind spot_kind(const struct look *look, const struct look_spot *spot)
{
    struct spot_size size = spot_size(look, spot);
    if (spot_is_edge(look, spot))
        return spot->vivid_px < VIVID_LEAST_PX ? LOOK_EDGE : LOOK_MARK;
    if (size.longer_um < MARK_LEAST_UM)
        return LOOK_SPECK;
    if (spot_is_line(look, spot, &size))
        return LOOK_LINE;
    if (spot_is_blot(look, spot, &size))
        return LOOK_BLOT;
    return spot->peak < FAINT_MOST || spot_is_dirt(look, spot) ? LOOK_FAINT : LOOK_MARK;
}

static void mark_count(const struct look_spot *spot, struct look_ink *ink, uint32_t peaks[256])
{
    ink->marks++;
    peaks[spot->peak]++;
    if (spot->red_px * 2 >= spot->dark_px) {
        ink->red_marks++;
        ink->red_px += spot->red_px;
        ink->red_full_px += spot->red_full_px;
    } else
        ink->dark_marks += spot->peak >= DARK_LEAST;
}

static int peaks_level(const uint32_t peaks[256], int count, int percent)
{
    int seen = 0, level = 0;
    for (; level < 255; level++)
        if ((seen += (int)peaks[level]) * 100 > count * percent)
            break;
    return count ? level : 0;
}

void look_count(struct look *look, struct look_ink *ret_ink)
{
    struct look_ink ink = {0};
    uint32_t peaks[256] = {0}, faints[256] = {0};
    for (size_t i = 0; i < look->spot_count; i++) {
        struct look_spot *spot = &look->spots[i];
        spot->kind = spot_kind(look, spot);
        switch (spot->kind) {
        case LOOK_MARK: mark_count(spot, &ink, peaks); break;
        case LOOK_FAINT: ink.faint++, faints[spot->peak]++; break;
        case LOOK_SPECK: ink.specks++; break;
        case LOOK_BLOT: ink.blots++; break;
        case LOOK_LINE: ink.lines++; break;
        case LOOK_EDGE: ink.edges++, ink.edge_px += spot->area_px; break;
        }
    }
    ink.ink_level = peaks_level(peaks, ink.marks, 50);
    ink.bleed_level = ink.faint >= BLEED_LEAST ? peaks_level(faints, ink.faint, 95) : 0;
    *ret_ink = ink;
}

enum clean_ink look_judge(const struct look_ink *ink)
{
    bool seal_behind = ink->marks == ink->red_marks && ink->red_full_px * 100 < ink->red_px * RED_FULL_PERCENT;
    if (!ink->marks || seal_behind)
        return CLEAN_BLANK;
    return ink->dark_marks < SCANT_MARKS ? CLEAN_SCANT : CLEAN_WRITTEN;
}

/* Nothing is in the columns between, and enough on both sides of them. */
static bool gutter_is_empty(const struct look *look, int from, int to)
{
    int before = 0, behind = 0;
    for (size_t i = 0; i < look->spot_count; i++) {
        const struct look_spot *spot = &look->spots[i];
        if (spot->kind != LOOK_MARK)
            continue;
        if (spot->right >= from && spot->left <= to)
            return false;
        before += spot->right < from;
        behind += spot->left > to;
    }
    return before >= SPREAD_MARKS && behind >= SPREAD_MARKS;
}

bool look_is_spread(const struct look *look)
{
    int width = (int)look->width_px, gutter = width * GUTTER_PERCENT / 100, step = gutter / 4 + 1;
    if (width * 100 < (int)look->height_px * SPREAD_PERCENT)
        return false;
    for (int from = width * GUTTER_FROM_PERCENT / 100; from + gutter < width * GUTTER_TO_PERCENT / 100; from += step)
        if (gutter_is_empty(look, from, from + gutter))
            return true;
    return false;
}
