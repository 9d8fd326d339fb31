/* SPDX-License-Identifier: AGPL-3.0-or-later
 * From runs of set pixels to strokes that are almost level, from pairs of strokes to rectangles whose four sides are
 * there. Lying frames are those of the mask with rows and columns exchanged. A stroke that goes on beyond a stamp's
 * length is a table's or a rule. */
#include "worker/frame.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"

enum {
    STROKES_MOST = 200, /* the longest ones */
    RUNS_MOST = 1 << 16,
    FOUND_MOST = 256,  /* rectangles before the best of each place is taken */
    SEEDS_MOST = 1500, /* runs that are tried, the longest ones */
    RUN_THICK_PX = 4,  /* of a side: a longer run of it is less steep */
};

static const double run_least_mm = 1.4;  /* of a run that may be part of a side, ... */
static const double stroke_least_mm = 5; /* of a stroke, before it is followed, to either side */
static const double near_covered = 0.6;  /* ... so much of it, at least */
static const double stroke_slope = 0.18; /* 10 degrees */
static const double slope_step = 0.015;
static const double gap_most_mm = 3.2;      /* over which a side is followed */
static const double width_mm[2] = {13, 62}; /* of frames, least and most */
static const double height_mm[2] = {5.2, 19};
static const double aspect_least = 1.5, aspect_most = 7.5;
static const double slope_differs = 0.05; /* of two sides of one frame */
static const double side_covered = 0.55;  /* each side, at least, ... */
static const double sides_covered = 0.74; /* ... and all four together */
static const double ends_differ_mm = 4;   /* by which the two long sides of a frame differ, unless one is cut short */
static const double second_mm[2] = {0.6, 2.6}; /* how far the second frame is from the first */

struct run {
    int32_t left, right, y; /* right inside */
};

struct stroke {
    double left, right; /* x of its ends */
    double y, slope;    /* y at x = 0 */
};

struct search {
    const struct mask *mask;
    struct mask thick; /* each pixel set also above and below */
    double px_mm;
    struct run *runs;
    size_t run_count;
    struct stroke stroke[STROKES_MOST];
    size_t strokes;
    struct frame found[FOUND_MOST];
    size_t founds;
};

bool mask_new(uint32_t width_px, uint32_t height_px, struct mask *ret_mask)
{
    struct mask mask = {.width_px = width_px, .height_px = height_px, .stride_words = (width_px + 63) / 64};
    mask.bits = calloc(height_px ? height_px : 1, (mask.stride_words + 1) * sizeof *mask.bits);
    *ret_mask = mask;
    return mask.bits != NULL;
}

void mask_clear(struct mask *mask)
{
    free(mask->bits);
    *mask = (struct mask){0};
}

static bool mask_exchange(const struct mask *mask, struct mask *ret_exchanged)
{
    if (!mask_new(mask->height_px, mask->width_px, ret_exchanged))
        return false;
    for (uint32_t y = 0; y < mask->height_px; y++)
        for (size_t i = 0; i < mask->stride_words; i++)
            for (uint64_t word = mask->bits[y * mask->stride_words + i]; word; word &= word - 1)
                mask_set(ret_exchanged, y, (uint32_t)(64 * i) + (uint32_t)__builtin_ctzll(word));
    return true;
}

static bool mask_thicken(const struct mask *mask, struct mask *ret_thick)
{
    if (!mask_new(mask->width_px, mask->height_px, ret_thick))
        return false;
    for (uint32_t y = 0; y < mask->height_px; y++)
        for (size_t i = 0; i < mask->stride_words; i++) {
            uint64_t word = mask->bits[y * mask->stride_words + i];
            word |= y ? mask->bits[(y - 1) * mask->stride_words + i] : 0;
            word |= y + 1 < mask->height_px ? mask->bits[(y + 1) * mask->stride_words + i] : 0;
            ret_thick->bits[y * mask->stride_words + i] = word;
        }
    return true;
}

/* ---- runs ---- */

/* The first pixel from x on that is set, or is not; width_px: none. */
static uint32_t row_next(const uint64_t *row, uint32_t x, uint32_t width_px, bool set)
{
    while (x < width_px) {
        uint64_t word = (set ? row[x / 64] : ~row[x / 64]) >> x % 64;
        if (word) {
            x += (uint32_t)__builtin_ctzll(word);
            return x < width_px ? x : width_px;
        }
        x += 64 - x % 64;
    }
    return width_px;
}

/* Gaps of one pixel don't part a run. */
static void row_runs(struct search *search, uint32_t y, int32_t least)
{
    const struct mask *mask = search->mask;
    const uint64_t *row = mask->bits + y * mask->stride_words;
    uint32_t x = row_next(row, 0, mask->width_px, true);
    while (x < mask->width_px && search->run_count < RUNS_MOST) {
        uint32_t end = row_next(row, x, mask->width_px, false), next = row_next(row, end, mask->width_px, true);
        while (next < mask->width_px && next == end + 1) {
            end = row_next(row, next, mask->width_px, false);
            next = row_next(row, end, mask->width_px, true);
        }
        if ((int32_t)(end - x) >= least)
            search->runs[search->run_count++] =
                (struct run){.left = (int32_t)x, .right = (int32_t)end - 1, .y = (int32_t)y};
        x = next;
    }
}

static void runs_find(struct search *search)
{
    int32_t least = (int32_t)fmax(4, run_least_mm * search->px_mm);
    for (uint32_t y = 0; y < search->mask->height_px; y++)
        row_runs(search, y, least);
}

/* The longest first, then from the top: sides come before letters. */
static int runs_compare(const void *one, const void *other)
{
    const struct run *a = one, *b = other;
    int32_t by = (b->right - b->left) - (a->right - a->left);
    by = by ? by : a->y - b->y;
    by = by ? by : a->left - b->left;
    return by;
}

/* ---- strokes ---- */

/* Whether something is set within a pixel above or below. */
static bool line_has(const struct search *search, double x, double y)
{
    return mask_has(&search->thick, (int32_t)lround(x), (int32_t)lround(y));
}

/* The share of points near x that the line has. */
static double stroke_near(const struct search *search, double slope, double x, double y)
{
    int32_t reach = (int32_t)(stroke_least_mm * search->px_mm), set = 0, points = 0;
    for (int32_t by = -reach; by <= reach; by += 2, points++)
        set += line_has(search, x + by, y + slope * by);
    return (double)set / points;
}

/* How well a stroke is there between its ends: points on it weigh more than those beside it. */
static double stroke_worth(const struct search *search, const struct stroke *stroke)
{
    double worth = 0;
    for (double x = stroke->left; x <= stroke->right; x++) {
        double y = stroke->y + stroke->slope * x;
        worth += mask_has(search->mask, (int32_t)lround(x), (int32_t)lround(y)) ? 1.5 : line_has(search, x, y) ? 1 : -1;
    }
    return worth;
}

/* Where the line ends that goes on from x in steps of step. */
static double stroke_follow(const struct search *search, const struct stroke *stroke, double x, int step)
{
    double end = x, gap = 0, most = gap_most_mm * search->px_mm;
    for (x += step; gap <= most && x >= 0 && x < search->mask->width_px; x += step) {
        if (line_has(search, x, stroke->y + stroke->slope * x)) {
            end = x;
            gap = 0;
        } else {
            gap++;
        }
    }
    return end;
}

static void stroke_add(struct search *search, struct stroke stroke)
{
    double length = stroke.right - stroke.left;
    size_t at = search->strokes;
    if (at == STROKES_MOST) {
        at = 0;
        for (size_t i = 1; i < STROKES_MOST; i++)
            if (search->stroke[i].right - search->stroke[i].left < search->stroke[at].right - search->stroke[at].left)
                at = i;
        if (search->stroke[at].right - search->stroke[at].left >= length)
            return;
    } else {
        search->strokes++;
    }
    search->stroke[at] = stroke;
}

/* Whether a run lies along a stroke that is known. */
static bool run_is_known(const struct search *search, const struct run *run)
{
    for (size_t i = 0; i < search->strokes; i++) {
        const struct stroke *stroke = &search->stroke[i];
        if (run->left >= stroke->left - 2 && run->right <= stroke->right + 2 &&
            fabs(stroke->y + stroke->slope * run->left - run->y) < 1.6 &&
            fabs(stroke->y + stroke->slope * run->right - run->y) < 1.6)
            return true;
    }
    return false;
}

/* Tries the slopes that a run may be part of. */
static void run_extend(struct search *search, const struct run *run)
{
    double x = (run->left + run->right) / 2.0, best_worth = 0;
    double steepest = fmin(stroke_slope, RUN_THICK_PX / (double)(run->right - run->left + 1));
    struct stroke best = {0};
    for (int step = (int)(-steepest / slope_step); step <= (int)(steepest / slope_step); step++) {
        double slope = step * slope_step;
        if (stroke_near(search, slope, x, run->y) < near_covered)
            continue;
        struct stroke stroke = {.slope = slope, .y = run->y - slope * x};
        stroke.left = stroke_follow(search, &stroke, x, -1);
        stroke.right = stroke_follow(search, &stroke, x, 1);
        double worth = stroke_worth(search, &stroke);
        if (worth > best_worth) {
            best_worth = worth;
            best = stroke;
        }
    }
    double length_mm = (best.right - best.left) / search->px_mm;
    if (length_mm >= width_mm[0] / 2 && length_mm <= width_mm[1])
        stroke_add(search, best);
}

static void strokes_find(struct search *search)
{
    qsort(search->runs, search->run_count, sizeof *search->runs, runs_compare);
    for (size_t i = 0, tried = 0; i < search->run_count && tried < SEEDS_MOST; i++)
        if (!run_is_known(search, &search->runs[i])) {
            run_extend(search, &search->runs[i]);
            tried++;
        }
}

/* ---- rectangles ---- */

/* The share of a straight line's points that are set, or have a neighbour across it that is. */
static double line_covered(const struct mask *mask, double x, double y, double to_x, double to_y)
{
    double length = hypot(to_x - x, to_y - y);
    int steps = (int)length + 1, set = 0;
    bool level = fabs(to_x - x) > fabs(to_y - y);
    for (int i = 0; i <= steps; i++) {
        int32_t column = (int32_t)lround(x + (to_x - x) * i / steps), row = (int32_t)lround(y + (to_y - y) * i / steps);
        for (int32_t off = -1; off <= 1; off++)
            if (mask_has(mask, column + (level ? 0 : off), row + (level ? off : 0))) {
                set++;
                break;
            }
    }
    return (double)set / (steps + 1);
}

/* How much of each side of a frame, grown by so many pixels on each side, is there: above, below, left, right. */
static void frame_sides(const struct mask *mask, const struct frame *frame, double grow, double side[4])
{
    double a = frame->width / 2 + grow, b = frame->height / 2 + grow;
    double ux = frame->ux * a, uy = frame->uy * a, vx = -frame->uy * b, vy = frame->ux * b;
    side[0] = line_covered(mask, frame->x - ux - vx, frame->y - uy - vy, frame->x + ux - vx, frame->y + uy - vy);
    side[1] = line_covered(mask, frame->x - ux + vx, frame->y - uy + vy, frame->x + ux + vx, frame->y + uy + vy);
    side[2] = line_covered(mask, frame->x - ux - vx, frame->y - uy - vy, frame->x - ux + vx, frame->y - uy + vy);
    side[3] = line_covered(mask, frame->x + ux - vx, frame->y + uy - vy, frame->x + ux + vx, frame->y + uy + vy);
}

static double sides_sum(const struct frame *frame, const double side[4])
{
    double around = 2 * (frame->width + frame->height);
    return ((side[0] + side[1]) * frame->width + (side[2] + side[3]) * frame->height) / around;
}

/* Moves the ends of the long sides to where the short sides are best. */
static void frame_settle(const struct mask *mask, double reach, struct frame *frame)
{
    for (int end = -1; end <= 1; end += 2) {
        double best = 0, best_by = 0, b = frame->height / 2, vx = -frame->uy * b, vy = frame->ux * b;
        for (double by = -reach; by <= reach; by++) {
            double x = frame->x + end * frame->ux * (frame->width / 2 + by);
            double y = frame->y + end * frame->uy * (frame->width / 2 + by);
            double covered = line_covered(mask, x - vx, y - vy, x + vx, y + vy) - 0.01 * fabs(by);
            if (covered > best) {
                best = covered;
                best_by = by;
            }
        }
        frame->x += end * frame->ux * best_by / 2;
        frame->y += end * frame->uy * best_by / 2;
        frame->width += best_by;
    }
}

static bool frame_fits(const struct frame *frame, double px_mm)
{
    double width = frame->width / px_mm, height = frame->height / px_mm;
    return width >= width_mm[0] && width <= width_mm[1] && height >= height_mm[0] && height <= height_mm[1] &&
           width >= aspect_least * height && width <= aspect_most * height;
}

static bool frame_is_doubled(const struct mask *mask, const struct frame *frame, double px_mm)
{
    for (double by = second_mm[0] * px_mm; by <= second_mm[1] * px_mm; by++)
        for (int sign = -1; sign <= 1; sign += 2) {
            double side[4];
            frame_sides(mask, frame, sign * by, side);
            if (sides_sum(frame, side) >= sides_covered)
                return true;
        }
    return false;
}

static void frame_try(struct search *search, const struct stroke *upper, const struct stroke *lower, double left,
                      double right)
{
    double slope = (upper->slope + lower->slope) / 2, middle = (left + right) / 2, side[4];
    double above = upper->y + upper->slope * middle, below = lower->y + lower->slope * middle;
    double length = sqrt(1 + slope * slope);
    struct frame frame = {.x = middle,
                          .y = (above + below) / 2,
                          .ux = 1 / length,
                          .uy = slope / length,
                          .width = (right - left) * length,
                          .height = (below - above) / length};
    /* the ends of the sides lie on the sheared box, the frame is a rectangle: settled by what is there */
    frame_settle(search->mask, 2.2 * search->px_mm, &frame);
    if (search->founds == FOUND_MOST || !frame_fits(&frame, search->px_mm))
        return;
    frame_sides(search->mask, &frame, 0, side);
    for (int i = 0; i < 4; i++)
        if (side[i] < side_covered)
            return;
    frame.covered = sides_sum(&frame, side);
    if (frame.covered >= sides_covered)
        search->found[search->founds++] = frame;
}

static void pair_try(struct search *search, const struct stroke *upper, const struct stroke *lower)
{
    double px_mm = search->px_mm, least = height_mm[0] * px_mm, most = height_mm[1] * px_mm;
    double middle = (fmax(upper->left, lower->left) + fmin(upper->right, lower->right)) / 2;
    double apart = lower->y + lower->slope * middle - upper->y - upper->slope * middle;
    double common = fmin(upper->right, lower->right) - fmax(upper->left, lower->left);
    if (apart < least * 0.95 || apart > most * 1.05 || fabs(upper->slope - lower->slope) > slope_differs ||
        common < stroke_least_mm * px_mm)
        return;
    double ends = ends_differ_mm * px_mm, shift = (upper->slope + lower->slope) / 2 * apart / 2;
    double outer_left = fmin(upper->left - shift, lower->left + shift);
    double outer_right = fmax(upper->right - shift, lower->right + shift);
    double inner_left = fmax(upper->left - shift, lower->left + shift);
    double inner_right = fmin(upper->right - shift, lower->right + shift);
    frame_try(search, upper, lower, outer_left, outer_right);
    if (inner_left - outer_left > ends || outer_right - inner_right > ends)
        frame_try(search, upper, lower, inner_left, inner_right);
}

static void pairs_try(struct search *search)
{
    for (size_t a = 0; a < search->strokes; a++)
        for (size_t b = 0; b < search->strokes; b++)
            if (a != b)
                pair_try(search, &search->stroke[a], &search->stroke[b]);
}

/* The larger one of two that cover about the same is the outer of the two frames. */
static double frame_worth(const struct frame *frame, double px_mm)
{
    return frame->covered + 0.004 * (frame->width + frame->height) / px_mm;
}

static bool frames_meet(const struct frame *a, const struct frame *b)
{
    double near = (a->height < b->height ? b->height : a->height) / 2;
    return hypot(a->x - b->x, a->y - b->y) < near + fabs(a->width - b->width) / 2;
}

static void frame_keep(struct frame frames[FRAMES_MOST], size_t *count, const struct frame *frame, double px_mm)
{
    size_t at = *count;
    for (size_t i = 0; i < *count; i++)
        if (frames_meet(&frames[i], frame)) {
            if (frame_worth(&frames[i], px_mm) < frame_worth(frame, px_mm))
                frames[i] = *frame;
            return;
        }
    while (at && frame_worth(&frames[at - 1], px_mm) < frame_worth(frame, px_mm)) {
        if (at < FRAMES_MOST)
            frames[at] = frames[at - 1];
        at--;
    }
    if (at < FRAMES_MOST) {
        frames[at] = *frame;
        *count += *count < FRAMES_MOST;
    }
}

static void search_clear(struct search **search)
{
    if (*search) {
        free((*search)->runs);
        mask_clear(&(*search)->thick);
    }
    free(*search);
    *search = NULL;
}

static bool level_find(const struct mask *mask, double px_mm, bool lying, struct frame frames[FRAMES_MOST],
                       size_t *count)
{
    AUTO(search_clear) struct search *search = calloc(1, sizeof *search);
    if (!search || !(search->runs = malloc(RUNS_MOST * sizeof *search->runs)) || !mask_thicken(mask, &search->thick))
        return false;
    search->mask = mask;
    search->px_mm = px_mm;
    runs_find(search);
    strokes_find(search);
    pairs_try(search);
    for (size_t i = 0; i < search->founds; i++) {
        struct frame frame = search->found[i];
        frame.doubled = frame_is_doubled(mask, &frame, px_mm);
        if (lying) {
            struct frame turned = frame;
            turned.x = frame.y;
            turned.y = frame.x;
            turned.ux = frame.uy;
            turned.uy = frame.ux;
            frame = turned;
        }
        frame_keep(frames, count, &frame, px_mm);
    }
    return true;
}

size_t frames_find(const struct mask *mask, double px_mm, struct frame frames[FRAMES_MOST])
{
    AUTO(mask_clear) struct mask exchanged = {0};
    size_t count = 0;
    bool fine = level_find(mask, px_mm, false, frames, &count) && mask_exchange(mask, &exchanged) &&
                level_find(&exchanged, px_mm, true, frames, &count);
    return fine ? count : SIZE_MAX;
}
