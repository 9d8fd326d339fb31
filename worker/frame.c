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
    STROKES_MOST = 400, /* the longest ones */
    RUNS_MOST = 1 << 16,
    FOUND_MOST = 256, /* rectangles before the best of each place is taken */
    LINK_PX = 2,      /* runs in neighbouring rows this far apart hang together */
};

static const double run_least_mm = 1.4;     /* of a run that may be part of a side, ... */
static const double stroke_least_mm = 5;    /* ... and of a stroke, before it is followed */
static const double stroke_slope = 0.18;    /* 10 degrees */
static const double stroke_bend_mm = 0.45;  /* mean distance of a stroke's runs from its line */
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
    int32_t owner;          /* another run of the same stroke; itself: the first one */
};

struct stroke {
    double left, right; /* x of its ends */
    double y, slope;    /* y at x = 0 */
};

struct search {
    const struct mask *mask;
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
        if ((int32_t)(end - x) >= least) {
            int32_t at = (int32_t)search->run_count;
            search->runs[search->run_count++] =
                (struct run){.left = (int32_t)x, .right = (int32_t)end - 1, .y = (int32_t)y, .owner = at};
        }
        x = next;
    }
}

static int32_t run_first(struct run *runs, int32_t at)
{
    while (runs[at].owner != at)
        at = runs[at].owner = runs[runs[at].owner].owner;
    return at;
}

/* Rows are linked with the row above; both lists go from left to right. */
static void rows_link(struct run *runs, size_t above, size_t here, size_t end)
{
    for (size_t a = above, b = here; a < here && b < end;) {
        if (runs[a].right + LINK_PX >= runs[b].left && runs[b].right + LINK_PX >= runs[a].left) {
            int32_t one = run_first(runs, (int32_t)a), other = run_first(runs, (int32_t)b);
            runs[one > other ? one : other].owner = one > other ? other : one;
        }
        if (runs[a].right < runs[b].right)
            a++;
        else
            b++;
    }
}

static void runs_find(struct search *search)
{
    int32_t least = (int32_t)fmax(4, run_least_mm * search->px_mm);
    size_t above = 0;
    for (uint32_t y = 0; y < search->mask->height_px; y++) {
        size_t here = search->run_count;
        row_runs(search, y, least);
        if (here && above < here && search->runs[above].y + 1 == (int32_t)y)
            rows_link(search->runs, above, here, search->run_count);
        above = here;
    }
}

/* ---- strokes ---- */

/* Sums over the pixels of a stroke, for its line. */
struct fit {
    double n, x, y, xx, xy, yy;
    int32_t left, right;
};

static void fit_add(struct fit *fit, const struct run *run)
{
    double n = run->right - run->left + 1, middle = (run->left + run->right) / 2.0;
    fit->left = fit->n == 0 || run->left < fit->left ? run->left : fit->left;
    fit->right = fit->n == 0 || run->right > fit->right ? run->right : fit->right;
    fit->n += n;
    fit->x += n * middle;
    fit->y += n * run->y;
    fit->xx += n * (middle * middle + n * n / 12);
    fit->xy += n * middle * run->y;
    fit->yy += n * (double)run->y * run->y;
}

/* Whether something is set within a pixel above or below. */
static bool line_has(const struct mask *mask, double x, double y)
{
    int32_t column = (int32_t)lround(x), row = (int32_t)lround(y);
    return mask_has(mask, column, row) || mask_has(mask, column, row - 1) || mask_has(mask, column, row + 1);
}

/* Where the line ends that goes on from x in steps of step. */
static double stroke_follow(const struct search *search, const struct stroke *stroke, double x, int step)
{
    double end = x, gap = 0, most = gap_most_mm * search->px_mm;
    for (x += step; gap <= most && x >= 0 && x < search->mask->width_px; x += step) {
        if (line_has(search->mask, x, stroke->y + stroke->slope * x)) {
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

/* Two fragments of one side, followed, are the same stroke. */
static bool stroke_is_new(const struct search *search, const struct stroke *stroke)
{
    double middle = (stroke->left + stroke->right) / 2;
    for (size_t i = 0; i < search->strokes; i++) {
        const struct stroke *other = &search->stroke[i];
        if (fabs(other->left - stroke->left) < 3 && fabs(other->right - stroke->right) < 3 &&
            fabs(other->y + other->slope * middle - stroke->y - stroke->slope * middle) < 1)
            return false;
    }
    return true;
}

static void stroke_take(struct search *search, const struct fit *fit)
{
    double spread = fit->xx - fit->x * fit->x / fit->n;
    if (fit->right - fit->left < stroke_least_mm * search->px_mm || spread <= 0)
        return;
    double slope = (fit->xy - fit->x * fit->y / fit->n) / spread;
    double rest = (fit->yy - fit->y * fit->y / fit->n - slope * slope * spread) / fit->n;
    if (fabs(slope) > stroke_slope || sqrt(fmax(0, rest)) > fmax(1.2, stroke_bend_mm * search->px_mm))
        return;
    struct stroke stroke = {.slope = slope, .y = (fit->y - slope * fit->x) / fit->n};
    stroke.left = stroke_follow(search, &stroke, fit->left, -1);
    stroke.right = stroke_follow(search, &stroke, fit->right, 1);
    double length_mm = (stroke.right - stroke.left) / search->px_mm;
    if (length_mm >= width_mm[0] / 2 && length_mm <= width_mm[1] && stroke_is_new(search, &stroke))
        stroke_add(search, stroke);
}

static bool strokes_find(struct search *search)
{
    struct fit *fits = calloc(search->run_count + 1, sizeof *fits);
    if (!fits)
        return false;
    for (size_t i = 0; i < search->run_count; i++)
        fit_add(&fits[run_first(search->runs, (int32_t)i)], &search->runs[i]);
    for (size_t i = 0; i < search->run_count; i++)
        if (fits[i].n > 0)
            stroke_take(search, &fits[i]);
    free(fits);
    return true;
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
    if (*search)
        free((*search)->runs);
    free(*search);
    *search = NULL;
}

static bool level_find(const struct mask *mask, double px_mm, bool lying, struct frame frames[FRAMES_MOST],
                       size_t *count)
{
    AUTO(search_clear) struct search *search = calloc(1, sizeof *search);
    if (!search || !(search->runs = malloc(RUNS_MOST * sizeof *search->runs)))
        return false;
    search->mask = mask;
    search->px_mm = px_mm;
    runs_find(search);
    if (!strokes_find(search))
        return false;
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
