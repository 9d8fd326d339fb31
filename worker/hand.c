/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Each blank is cut out with what is near it; connected ink that is the print's beside it goes, and where writing and
 * print touch they are cut apart. */
#include "worker/hand.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "worker/blanks.h"
#include "worker/digits.h"
#include "worker/strokes.h"

enum {
    HAND_PARTS = 200, /* connected parts of ink around a blank */
    HAND_GRAY_INK = 0,
    HAND_GRAY_PAPER = 255,
    /* in 1/100 em: */
    HAND_BESIDE_PCT = 120,      /* what is looked at left and right of a blank, */
    HAND_ABOVE_PCT = 180,       /* above its baseline ... */
    HAND_BELOW_PCT = 80,        /* ... and below it */
    HAND_TOP_PCT = 115,         /* the middle of what is written is at most so high above the baseline ... */
    HAND_BOTTOM_PCT = 15,       /* ... and so far below it */
    HAND_MIDDLE_PCT = 35,       /* where writing surely has ink above the baseline */
    HAND_SWING_PCT = 45,        /* how far writing may reach over print, ... */
    HAND_FLAT_PCT = 45,         /* ... and how high what reaches over is then: a flag or bar, no letter */
    HAND_WITHIN_PCT = 12,       /* how far to each side the cut is looked for where print and writing touch */
    HAND_END_NEAR_PCT = 40,     /* how far a number's end may be from where it is expected, ... */
    HAND_END_BEFORE_PCT = 180,  /* ... or if it is not there, how far before ... */
    HAND_END_BEHIND_PCT = 80,   /* ... and behind */
    HAND_STROKE_TALL_PCT = 69,  /* how tall the slanted stroke of print is, ... */
    HAND_STROKE_WIDE_PCT = 29,  /* ... how wide, ... */
    HAND_STROKE_THICK_PCT = 16, /* ... how thick at most, ... */
    HAND_STROKE_SEEN_PCT = 50,  /* ... of which height so much is looked at; */
    HAND_HYPHEN_WIDE_PCT = 27,  /* how wide a hyphen is, ... */
    HAND_HYPHEN_HIGH_PCT = 14,  /* ... how thick at most, ... */
    HAND_HYPHEN_UP_PCT = 22,    /* ... how far its middle is above the baseline, ... */
    HAND_STROKE_OFF_PCT = 10,   /* ... and by how much all these may differ */
    /* in 1/100: */
    HAND_OUTSIDE_PCT = 25, /* a part with less of its ink outside a blank is writing, one with less inside print */
    HAND_DOUBT_PCT = 80, /* of its confidence has what may be a part: a number without an end, digits that are spoilt */
};

static const struct digits_want wants[] = {
    [SOHOA__HAND_KIND__HAND_NUMBER] = {5, 1,    99999, 2},
    [SOHOA__HAND_KIND__HAND_DAY] = {2, 1,    31,    2},
    [SOHOA__HAND_KIND__HAND_MONTH] = {2, 1,    12,    2},
    [SOHOA__HAND_KIND__HAND_YEAR] = {4, 1900, 2099,  0},
};

/* A blank and what is around it. */
struct crop {
    int32_t left, top, width, height; /* in the raster */
    int32_t from, to, base, em;       /* of the blank, in the crop */
    uint8_t *gray;                    /* owned */
    uint16_t *label;                  /* owned */
    bool spoilt;                      /* something runs through the blank that is not writing alone */
    struct part part[HAND_PARTS];
    unsigned parts;
};

static void crop_clear(struct crop *crop)
{
    free(crop->gray);
    free(crop->label);
    *crop = (struct crop){0};
}

static uint8_t raster_gray(const struct raster *raster, int32_t x, int32_t y)
{
    const uint8_t *row = raster->data + (size_t)y * raster->stride_bytes;
    if (raster->channels)
        return row[x * (int32_t)raster->channels];
    return row[x / 8] >> (7 - x % 8) & 1 ? HAND_GRAY_INK : HAND_GRAY_PAPER;
}

static int32_t clamp(int32_t value, int32_t least, int32_t most)
{
    return value < least ? least : value > most ? most : value;
}

static int32_t percent(int32_t em, int32_t pct)
{
    return em * pct / 100;
}

/* Width 0 where the blank is not in the raster, or much too wide. */
static int crop_take(const struct raster *raster, const struct blank *blank, struct crop *crop)
{
    int32_t wide = (int32_t)raster->width_px, high = (int32_t)raster->height_px, em = blank->em;
    int32_t right = clamp(blank->right + percent(em, HAND_BESIDE_PCT), 0, wide);
    int32_t bottom = clamp(blank->baseline + percent(em, HAND_BELOW_PCT), 0, high);
    crop->left = clamp(blank->left - percent(em, HAND_BESIDE_PCT), 0, wide);
    crop->top = clamp(blank->baseline - percent(em, HAND_ABOVE_PCT), 0, high);
    crop->width = right - crop->left;
    crop->height = bottom - crop->top;
    crop->from = blank->left - crop->left;
    crop->to = blank->right - crop->left;
    crop->base = blank->baseline - crop->top;
    crop->em = em;
    size_t pixels = crop->width > 0 && crop->height > 0 ? (size_t)crop->width * (size_t)crop->height : 0;
    if (!pixels || pixels > STROKES_MAX_PIXELS) {
        crop->width = 0;
        return 0;
    }
    crop->gray = malloc(pixels);
    crop->label = malloc(pixels * sizeof *crop->label);
    if (!crop->gray || !crop->label)
        return -1;
    for (int32_t y = 0; y < crop->height; y++)
        for (int32_t x = 0; x < crop->width; x++)
            crop->gray[y * crop->width + x] = raster_gray(raster, crop->left + x, crop->top + y);
    return 0;
}

static int crop_number(struct crop *crop)
{
    const struct gray gray = {crop->gray, (uint32_t)crop->width, (uint32_t)crop->height, (size_t)crop->width};
    int threshold = ink_threshold(&gray);
    for (int32_t at = 0; at < crop->width * crop->height; at++)
        crop->label[at] = crop->gray[at] <= threshold;
    int parts = ink_number(crop->label, crop->width, crop->height, crop->part, HAND_PARTS);
    crop->parts = parts < 0 ? 0 : (unsigned)parts;
    return parts < 0 ? -1 : 0;
}

static uint32_t column_ink(const struct crop *crop, unsigned part, int32_t x)
{
    uint32_t ink = 0;
    for (int32_t y = crop->part[part].top; y < crop->part[part].bottom; y++)
        ink += crop->label[y * crop->width + x] == part + 1;
    return ink;
}

/* The column near x where the part is thinnest, the nearest of them. */
static int32_t cut_near(const struct crop *crop, unsigned part, int32_t x)
{
    int32_t far = percent(crop->em, HAND_WITHIN_PCT), best = x;
    uint32_t least = UINT32_MAX;
    for (int32_t off = 0; off <= far; off++)
        for (int32_t side = -1; side <= 1; side += 2) {
            int32_t at = x + side * off;
            if (at < 0 || at >= crop->width)
                continue;
            uint32_t ink = column_ink(crop, part, at);
            if (ink < least) {
                least = ink;
                best = at;
            }
        }
    return best;
}

/* What of a part lies in columns [from, to). */
static struct part part_within(const struct crop *crop, unsigned part, int32_t from, int32_t to)
{
    const struct part *at = &crop->part[part];
    struct part within = {to, at->bottom, from, at->top, 0};
    for (int32_t y = at->top; y < at->bottom; y++)
        for (int32_t x = at->left > from ? at->left : from; x < at->right && x < to; x++)
            if (crop->label[y * crop->width + x] == part + 1) {
                within.left = x < within.left ? x : within.left;
                within.right = x >= within.right ? x + 1 : within.right;
                within.top = y < within.top ? y : within.top;
                within.bottom = y + 1;
                within.ink++;
            }
    return within;
}

/* Whether what of a part lies outside is writing, too: a flag or a bar that swings over. */
static bool swings_over(const struct crop *crop, const struct part *outside, uint32_t whole)
{
    return !outside->ink || (100 * outside->ink <= HAND_OUTSIDE_PCT * whole &&
                             outside->right - outside->left <= percent(crop->em, HAND_SWING_PCT) &&
                             outside->bottom - outside->top <= percent(crop->em, HAND_FLAT_PCT));
}

/* Whether a part stands as high as writing does, rather than being of another line or running through this one. */
static bool part_in_line(const struct crop *crop, unsigned part)
{
    const struct part *at = &crop->part[part];
    int32_t up = crop->base - (at->top + at->bottom) / 2;
    return at->top && up <= percent(crop->em, HAND_TOP_PCT) && -up <= percent(crop->em, HAND_BOTTOM_PCT);
}

/* Whether a part of another line reaches well into the blank. */
static bool part_spoils(const struct crop *crop, unsigned part)
{
    const struct part *at = &crop->part[part];
    int32_t middle = crop->base - percent(crop->em, HAND_MIDDLE_PCT);
    return at->top < middle && at->bottom > middle && at->left < crop->to && at->right > crop->from;
}

/* Columns [*from, *to) of a part that are writing: all, none, or what is between the cuts. */
static void part_claim(const struct crop *crop, unsigned part, int32_t *from, int32_t *to)
{
    const struct part *at = &crop->part[part];
    struct part left = part_within(crop, part, 0, crop->from), right = part_within(crop, part, crop->to, crop->width);
    *from = at->left;
    *to = at->right;
    if (!part_in_line(crop, part) || 100 * (at->ink - left.ink - right.ink) <= HAND_OUTSIDE_PCT * at->ink) {
        *to = *from;
        return;
    }
    if (!swings_over(crop, &left, at->ink))
        *from = cut_near(crop, part, crop->from);
    if (!swings_over(crop, &right, at->ink))
        *to = cut_near(crop, part, crop->to);
}

/* Columns [*from, *to) of a row's first run of a part's ink; false where it has none. */
static bool run_first(const struct crop *crop, unsigned part, int32_t y, int32_t *from, int32_t *to)
{
    const uint16_t *row = &crop->label[y * crop->width];
    const struct part *at = &crop->part[part];
    *from = at->left;
    while (*from < at->right && row[*from] != part + 1)
        ++*from;
    *to = *from;
    while (*to < at->right && row[*to] == part + 1)
        ++*to;
    return *to > *from;
}

/* Whether a part begins with the slanted stroke of print: from the baseline up as steep, as tall, and thin. The letter
 * behind may hang on it further up. */
static bool part_is_stroke(const struct crop *crop, unsigned part)
{
    const struct part *at = &crop->part[part];
    int32_t off = percent(crop->em, HAND_STROKE_OFF_PCT), from, to;
    if (abs(at->bottom - crop->base) > off || at->right - at->left < percent(crop->em, HAND_STROKE_WIDE_PCT) - off ||
        abs(at->bottom - at->top - percent(crop->em, HAND_STROKE_TALL_PCT)) > off)
        return false;
    for (int32_t y = at->bottom - percent(crop->em, HAND_STROKE_SEEN_PCT); y < at->bottom; y++) {
        int32_t middle = at->left + (at->bottom - y) * HAND_STROKE_WIDE_PCT / HAND_STROKE_TALL_PCT;
        if (y < 0 || !run_first(crop, part, y, &from, &to) || abs((from + to) / 2 - middle) > off ||
            to - from > percent(crop->em, HAND_STROKE_THICK_PCT))
            return false;
    }
    return true;
}

/* Whether a part is a hyphen of print: flat, and as high above the baseline. */
static bool part_is_hyphen(const struct crop *crop, unsigned part)
{
    const struct part *at = &crop->part[part];
    int32_t wide = at->right - at->left, high = at->bottom - at->top, middle = crop->base - (at->top + at->bottom) / 2;
    return abs(wide - percent(crop->em, HAND_HYPHEN_WIDE_PCT)) <= percent(crop->em, HAND_STROKE_OFF_PCT) &&
           high <= percent(crop->em, HAND_HYPHEN_HIGH_PCT) &&
           abs(middle - percent(crop->em, HAND_HYPHEN_UP_PCT)) <= percent(crop->em, HAND_STROKE_OFF_PCT);
}

/* Where the first, or the nearest, part begins that is so so far around where a number's end is expected;
 * INT32_MAX for none. */
static int32_t end_find(const struct crop *crop, bool (*is)(const struct crop *, unsigned), int32_t before,
                        int32_t behind, bool nearest)
{
    int32_t found = INT32_MAX;
    for (unsigned i = 0; i < crop->parts; i++) {
        int32_t left = crop->part[i].left;
        if (left <= crop->from || left < crop->to - before || left > crop->to + behind || !is(crop, i))
            continue;
        if (nearest && found < INT32_MAX ? abs(left - crop->to) < abs(found - crop->to) : left < found)
            found = left;
    }
    return found;
}

/* Moves a number's end to the stroke of print before the notation: the nearest where it is expected, or else, if the
 * recogniser was wrong, the first. A hyphen before that is the notation's beginning: the stroke is within it then. False
 * where the picture shows neither. */
static bool crop_end(struct crop *crop)
{
    int32_t near = percent(crop->em, HAND_END_NEAR_PCT), before = percent(crop->em, HAND_END_BEFORE_PCT);
    int32_t behind = percent(crop->em, HAND_END_BEHIND_PCT);
    int32_t stroke = end_find(crop, part_is_stroke, near, near, true);
    int32_t hyphen = end_find(crop, part_is_hyphen, before, stroke < INT32_MAX ? near : behind, false);
    if (stroke == INT32_MAX && hyphen == INT32_MAX)
        stroke = end_find(crop, part_is_stroke, before, behind, false);
    int32_t end = hyphen < stroke ? hyphen : stroke;
    if (end < INT32_MAX)
        crop->to = end;
    return end < INT32_MAX;
}

/* Leaves nothing but the writing in the crop, in pure black and white, and returns its bounds, in the crop. */
static struct part crop_claim(struct crop *crop)
{
    struct part all = {crop->width, crop->height, 0, 0, 0};
    int32_t from[HAND_PARTS], to[HAND_PARTS];
    for (unsigned i = 0; i < crop->parts; i++) {
        part_claim(crop, i, &from[i], &to[i]);
        crop->spoilt = crop->spoilt || (!part_in_line(crop, i) && part_spoils(crop, i));
    }
    for (int32_t y = 0; y < crop->height; y++)
        for (int32_t x = 0; x < crop->width; x++) {
            uint16_t label = crop->label[y * crop->width + x];
            bool ink = label && x >= from[label - 1] && x < to[label - 1];
            crop->gray[y * crop->width + x] = ink ? HAND_GRAY_INK : HAND_GRAY_PAPER;
            if (!ink)
                continue;
            all.left = x < all.left ? x : all.left;
            all.right = x >= all.right ? x + 1 : all.right;
            all.top = y < all.top ? y : all.top;
            all.bottom = y + 1;
            all.ink++;
        }
    if (!all.ink)
        all = (struct part){clamp(crop->from, 0, crop->width), clamp(crop->base - crop->em, 0, crop->height),
                            clamp(crop->to, 0, crop->width), clamp(crop->base, 0, crop->height), 0};
    return all;
}

static int32_t within(double position, uint32_t limit_px)
{
    double high = limit_px ? limit_px : INT32_MAX;
    return (int32_t)lround(position < 0 ? 0 : position > high ? high : position);
}

static void hand_place(Sohoa__Hand *hand, const struct crop *crop, const struct part *at, const double to_view[6],
                       const Sohoa__Page *page)
{
    double left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
    for (int corner = 0; corner < 4; corner++) {
        double x = crop->left + (corner & 1 ? at->right : at->left);
        double y = crop->top + (corner & 2 ? at->bottom : at->top);
        double to_x = to_view[0] * x + to_view[2] * y + to_view[4], to_y = to_view[1] * x + to_view[3] * y + to_view[5];
        left = fmin(left, to_x);
        top = fmin(top, to_y);
        right = fmax(right, to_x);
        bottom = fmax(bottom, to_y);
    }
    hand->x = within(left, page->width_px);
    hand->y = within(top, page->height_px);
    hand->w = (uint32_t)(within(right, page->width_px) - hand->x);
    hand->h = (uint32_t)(within(bottom, page->height_px) - hand->y);
}

static void hand_fill(Sohoa__Hand *hand, const struct digits *digits, uint32_t sure_pct)
{
    hand->empty = digits->empty;
    for (unsigned i = 0; i < digits->count && i < HAND_MAX_GUESSES; i++)
        hand_add_guess(hand, digits->guess[i].text)->confidence_cpct =
            digits->guess[i].confidence_cpct * sure_pct / 100;
}

static int blank_read(const struct raster *raster, const struct blank *blank, Sohoa__Page *page, struct err *err)
{
    AUTO(crop_clear) struct crop crop = {0};
    struct digits digits = {.empty = true};
    if (crop_take(raster, blank, &crop))
        return err_set(err, E_MEMORY, "no memory for the digits in a head");
    if (!crop.width)
        return 0;
    if (crop_number(&crop))
        return err_set(err, E_MEMORY, "no memory for the digits in a head");
    bool ended = blank->kind != SOHOA__HAND_KIND__HAND_NUMBER || crop_end(&crop);
    struct part at = crop_claim(&crop);
    const struct gray gray = {crop.gray, (uint32_t)crop.width, (uint32_t)crop.height, (size_t)crop.width};
    if (at.ink && digits_read(&gray, &wants[blank->kind], &digits))
        return err_set(err, E_MEMORY, "no memory for the digits in a head");
    Sohoa__Hand *hand = page_add_hand(page);
    hand->kind = blank->kind;
    hand_place(hand, &crop, &at, raster->to_view, page);
    hand_fill(hand, &digits, ended && !crop.spoilt ? 100 : HAND_DOUBT_PCT);
    return 0;
}

int hand_read(const struct raster *raster, Sohoa__Page *page, struct err *err)
{
    struct blank blank[HANDS_MOST];
    unsigned count = blanks_find(page, raster, blank);
    int rc = 0;
    for (unsigned i = 0; i < count && !rc; i++)
        rc = blank_read(raster, &blank[i], page, err);
    return rc;
}
