/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The flow of the pass: a reduced picture, masks of red ink and of all ink, the frames in them, and what each frame says.
 * The frame's inside is cut out of the full picture, upright, in its own ink, and read as a line. */
#include "worker/secrecy.h"

#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "proto/auto.h"
#include "worker/clean_look.h"
#include "worker/frame.h"
#include "worker/marking.h"

enum {
    RED_HUE = 22,      /* of look.hue and look.violet: red or violet ink */
    RED_CONTRAST = 16, /* ... that stands out of its paper */
    INK_CONTRAST = 52,
    STAMP_SURE_CPCT = 10000,
    CUT_PX_MM = 8, /* 203 dpi: capitals of a stamp are about 35 pixels high */
    CUT_DPI = 203,
    CUT_BORDER_PX = 14,
    CUT_MAX_PX = 600,
    CUT_DARK = 128,
    LIKE_NEAR_CPCT = 5500, /* in a frame that is as a stamp's */
    LIKE_CPCT = 7500,      /* read as a marking: at least this much like it */
    LIKE_SURE_CPCT = 8000, /* no need to try another way of reading */
    HARMLESS_CPCT = 6000,  /* read as something else that is framed */
    SIDE_LEAST_PX = 40,    /* smaller pictures have no room for a stamp */
};

static const double page_least_mm = 120, page_most_mm = 1300; /* long side that a resolution may mean */
static const double page_usual_mm = 297;
static const double black_covered = 0.86,
                    black_doubled_covered = 0.8; /* sides of a black frame that is looked into, ... */
static const double black_sure_covered = 0.9;    /* ... of one that can't be read, or not surely */
static const double unread_height_mm[2] = {6.5, 9.5}, unread_width_mm[2] = {16, 47}; /* of frames that can't be read */
static const double unread_bottom = 0.55, place_right = 0.55, place_top = 0.08,
                    place_bottom = 0.45; /* shares of the page */
static const double near_covered = 0.75, unread_covered = 0.93;
static const double two_lines_mm = 9.8; /* a frame as high as that may have two lines */
static const double two_lines_aspect = 3.2;

/* A picture under work. */
struct scene {
    struct reader *reader;
    const struct raster *raster;
    struct look look;
    double px_mm; /* pixels of the look a millimetre */
    Sohoa__Page *page;
};

/* ---- masks ---- */

static bool pixel_is_red(const struct look *look, size_t at)
{
    return look->contrast[at] >= RED_CONTRAST && (look->hue[at] >= RED_HUE || look->violet[at] >= RED_HUE);
}

static bool mask_of(const struct look *look, bool red, struct mask *mask)
{
    if (!mask_new(look->width_px, look->height_px, mask))
        return false;
    for (uint32_t y = 0; y < look->height_px; y++) {
        size_t row = (size_t)y * look->width_px;
        for (uint32_t x = 0; x < look->width_px; x++)
            if (red ? pixel_is_red(look, row + x) : look->contrast[row + x] >= INK_CONTRAST)
                mask_set(mask, x, y);
    }
    return true;
}

static int no_memory(const struct raster *raster, struct err *err)
{
    return err_set(err, E_MEMORY, "no memory to look for stamps in a picture of %u x %u", raster->width_px,
                   raster->height_px);
}

/* ---- the inside of a frame ---- */

enum ink { INK_OWN, INK_ALL }; /* of a red frame: the red alone, or also what lies over it */

/* How dark a pixel is, 0 paper to 255, before it is stretched. */
static int pixel_ink(const struct raster *raster, int32_t x, int32_t y, enum ink ink)
{
    if (x < 0 || y < 0 || x >= (int32_t)raster->width_px || y >= (int32_t)raster->height_px)
        return 0;
    const uint8_t *row = raster->data + (size_t)y * raster->stride_bytes;
    if (!raster->channels)
        return row[x / 8] & 0x80 >> x % 8 ? 255 : 0;
    if (raster->channels == 1)
        return 255 - row[x];
    const uint8_t *rgb = row + 3 * (size_t)x;
    bool own = rgb[0] - rgb[1] >= RED_HUE;
    return ink == INK_OWN && !own ? 0 : 255 - rgb[1];
}

/* The mean of four pixels around a place in the raster. */
static int place_ink(const struct raster *raster, double x, double y, enum ink ink)
{
    int32_t left = (int32_t)floor(x), top = (int32_t)floor(y);
    return (pixel_ink(raster, left, top, ink) + pixel_ink(raster, left + 1, top, ink) +
            pixel_ink(raster, left, top + 1, ink) + pixel_ink(raster, left + 1, top + 1, ink) + 2) /
           4;
}

/* Paper becomes white and ink black: what the lightest and darkest tenths are like. */
static void cut_stretch(struct raster *cut)
{
    uint32_t histogram[256] = {0}, count = cut->width_px * cut->height_px, seen = 0;
    int paper = 0, dark = 255;
    for (uint32_t i = 0; i < count; i++)
        histogram[cut->data[i]]++;
    while (paper < 255 && (seen += histogram[paper]) < count * 2 / 5)
        paper++;
    for (seen = 0; dark > 0 && (seen += histogram[dark]) < count / 16;)
        dark--;
    int range = dark - paper < 12 ? 12 : dark - paper;
    for (uint32_t i = 0; i < count; i++) {
        int level = 255 - (cut->data[i] - paper) * 255 / range;
        cut->data[i] = (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
    }
}

/* The frame's rectangle with its long side level, half a millimetre beyond its sides; turned: upside down. */
static struct raster *frame_cut(const struct scene *scene, const struct frame *frame, bool turned, enum ink ink)
{
    double factor = scene->look.factor, step = scene->px_mm * factor / CUT_PX_MM, sign = turned ? -1 : 1;
    uint32_t width = (uint32_t)fmin(CUT_MAX_PX, fmax(8, frame->width * factor / step + 4));
    uint32_t height = (uint32_t)fmin(CUT_MAX_PX, fmax(8, frame->height * factor / step + 4));
    struct raster *cut = raster_new(width, height, 1);
    if (!cut)
        return NULL;
    cut->dpi = CUT_DPI;
    double ux = sign * frame->ux * step, uy = sign * frame->uy * step;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            double a = x - (width - 1) / 2.0, b = y - (height - 1) / 2.0;
            double from_x = (frame->x + 0.5) * factor - 0.5 + ux * a - uy * b;
            double from_y = (frame->y + 0.5) * factor - 0.5 + uy * a + ux * b;
            cut->data[y * cut->stride_bytes + x] = (uint8_t)place_ink(scene->raster, from_x - 0.5, from_y - 0.5, ink);
        }
    cut_stretch(cut);
    return cut;
}

struct inside {
    uint32_t left, top, right, bottom; /* right and bottom outside */
};

static uint32_t row_dark(const struct raster *cut, uint32_t y)
{
    uint32_t dark = 0;
    for (uint32_t x = 0; x < cut->width_px; x++)
        dark += cut->data[y * cut->stride_bytes + x] < CUT_DARK;
    return dark;
}

static uint32_t column_dark(const struct raster *cut, uint32_t x, uint32_t top, uint32_t bottom)
{
    uint32_t dark = 0;
    for (uint32_t y = top; y < bottom; y++)
        dark += cut->data[y * cut->stride_bytes + x] < CUT_DARK;
    return dark;
}

/* Within the frame's lines: behind the last row, and column, near each side that is dark for the most part. */
static struct inside cut_inside(const struct raster *cut)
{
    uint32_t width = cut->width_px, height = cut->height_px, edge = CUT_PX_MM;
    struct inside in = {edge, edge, width - edge, height - edge};
    for (uint32_t y = 0; y < height / 3; y++) {
        if (row_dark(cut, y) * 5 > width * 2)
            in.top = y + 2 > in.top ? y + 2 : in.top;
        if (row_dark(cut, height - 1 - y) * 5 > width * 2)
            in.bottom = height - 2 - y < in.bottom ? height - 2 - y : in.bottom;
    }
    for (uint32_t x = 0; x < 5 * CUT_PX_MM / 2 && in.top < in.bottom; x++) {
        if (column_dark(cut, x, in.top, in.bottom) * 5 > (in.bottom - in.top) * 4)
            in.left = x + 2 > in.left ? x + 2 : in.left;
        if (column_dark(cut, width - 1 - x, in.top, in.bottom) * 5 > (in.bottom - in.top) * 4)
            in.right = width - 2 - x < in.right ? width - 2 - x : in.right;
    }
    return in;
}

/* A part of it on a sheet of its own; NULL without memory. */
static struct raster *cut_inner(const struct raster *cut, const struct inside *in)
{
    uint32_t width = in->right - in->left, height = in->bottom - in->top;
    struct raster *inner = raster_new(width + 2 * CUT_BORDER_PX, height + 2 * CUT_BORDER_PX, 1);
    if (!inner)
        return NULL;
    inner->dpi = CUT_DPI;
    memset(inner->data, 255, inner->height_px * inner->stride_bytes);
    for (uint32_t y = 0; y < height; y++)
        memcpy(inner->data + (y + CUT_BORDER_PX) * inner->stride_bytes + CUT_BORDER_PX,
               cut->data + (in->top + y) * cut->stride_bytes + in->left, width);
    return inner;
}

/* Whether what is inside may be large letters: neither empty nor full, and not small print. */
static bool inside_may_say(const struct raster *cut, const struct inside *in)
{
    if (in->right < in->left + CUT_PX_MM || in->bottom < in->top + CUT_PX_MM)
        return false;
    uint32_t width = in->right - in->left, height = in->bottom - in->top, dark = 0, rows = 0;
    for (uint32_t y = in->top; y < in->bottom; y++) {
        uint32_t here = 0;
        for (uint32_t x = in->left; x < in->right; x++)
            here += cut->data[y * cut->stride_bytes + x] < CUT_DARK;
        dark += here;
        rows += here * 20 > width;
    }
    uint32_t percent = dark * 100 / (width * height);
    return percent >= 5 && percent <= 75 && rows * 100 >= height * 30;
}

struct said {
    struct marking marking;
    uint32_t confidence_cpct;
};

static void words_join(const Sohoa__Page *words, char *text, size_t room)
{
    size_t at = 0;
    for (size_t b = 0; b < words->n_blocks; b++)
        for (size_t l = 0; l < words->blocks[b]->n_lines; l++)
            for (size_t w = 0; w < words->blocks[b]->lines[l]->n_words; w++) {
                const char *word = words->blocks[b]->lines[l]->words[w]->text;
                size_t bytes = strlen(word);
                if (at + bytes + 2 > room)
                    return;
                memcpy(text + at, word, bytes);
                at += bytes;
                text[at++] = ' ';
                text[at] = 0;
            }
}

/* Adds what a part says, read as one line, to text. */
static int part_read(const struct scene *scene, const struct raster *cut, const struct inside *in, Sohoa__Page *words,
                     struct err *err)
{
    AUTO(raster_destroy) struct raster *inner = cut_inner(cut, in);
    return inner ? read_strip(scene->reader, inner, true, words, err) : no_memory(scene->raster, err);
}

/* The row with the least ink about the middle: between two lines. */
static uint32_t inside_split(const struct raster *cut, const struct inside *in)
{
    uint32_t height = in->bottom - in->top, least = UINT32_MAX, split = in->top + height / 2;
    for (uint32_t y = in->top + height * 2 / 5; y < in->top + height * 3 / 5; y++)
        if (row_dark(cut, y) < least) {
            least = row_dark(cut, y);
            split = y;
        }
    return split;
}

static int inside_read(const struct scene *scene, const struct raster *cut, const struct inside *in, bool two_lines,
                       struct said *said, struct err *err)
{
    char text[256] = "";
    struct page_figures figures;
    AUTO(page_destroy) Sohoa__Page *words = page_new(1);
    struct inside upper = *in, lower = *in;
    upper.bottom = lower.top = inside_split(cut, in);
    int rc = part_read(scene, cut, two_lines ? &upper : in, words, err);
    if (!rc && two_lines)
        rc = part_read(scene, cut, &lower, words, err);
    if (rc)
        return rc;
    words_join(words, text, sizeof text);
    page_measure(words, &figures);
    said->marking = marking_within(text);
    said->confidence_cpct = figures.confidence_cpct;
    return 0;
}

/* The better of two readings: the one that is more like anything known. */
static bool said_is_better(const struct said *a, const struct said *b)
{
    uint32_t one = a->marking.like_cpct > a->marking.harmless_cpct ? a->marking.like_cpct : a->marking.harmless_cpct;
    uint32_t other = b->marking.like_cpct > b->marking.harmless_cpct ? b->marking.like_cpct : b->marking.harmless_cpct;
    return one != other ? one > other : a->confidence_cpct > b->confidence_cpct;
}

static bool said_is_sure(const struct said *said)
{
    return said->marking.like_cpct >= LIKE_SURE_CPCT || said->marking.harmless_cpct >= LIKE_SURE_CPCT;
}

/* Reads one view of a frame, as a line and, if it is high enough, as two. *may_say stays when there is nothing to be read. */
static int frame_read_view(const struct scene *scene, const struct frame *frame, bool turned, enum ink ink,
                           bool *may_say, struct said *best, struct err *err)
{
    AUTO(raster_destroy) struct raster *cut = frame_cut(scene, frame, turned, ink);
    if (!cut)
        return no_memory(scene->raster, err);
    struct inside in = cut_inside(cut);
    if (!inside_may_say(cut, &in))
        return 0;
    *may_say = true;
    bool high = frame->height >= two_lines_mm * scene->px_mm && frame->width <= two_lines_aspect * frame->height;
    int rc = 0;
    for (int two_lines = high; two_lines >= 0 && !rc && !said_is_sure(best); two_lines--) {
        struct said said;
        rc = inside_read(scene, cut, &in, two_lines, &said, err);
        if (!rc && said_is_better(&said, best))
            *best = said;
    }
    return rc;
}

static int frame_read(const struct scene *scene, const struct frame *frame, bool red, bool *may_say, struct said *best,
                      struct err *err)
{
    *best = (struct said){0};
    *may_say = false;
    int rc = 0;
    for (enum ink ink = red ? INK_OWN : INK_ALL; ink <= INK_ALL && !rc; ink++)
        for (int turned = 0; turned < 2 && !rc && !said_is_sure(best); turned++)
            rc = frame_read_view(scene, frame, turned, ink, may_say, best, err);
    return rc;
}

/* ---- verdicts ---- */

/* The level that a frame of that shape stands for where only MẬT was read of it: 20, 30 and 40 mm by 8. */
static Sohoa__StampKind kind_of(const struct frame *frame, Sohoa__StampKind said)
{
    double aspect = frame->width / frame->height;
    if (said != SOHOA__STAMP_KIND__STAMP_MAT || aspect < 3.2)
        return said;
    return aspect < 4.4 ? SOHOA__STAMP_KIND__STAMP_TOI_MAT : SOHOA__STAMP_KIND__STAMP_TUYET_MAT;
}

static int32_t within(double position, uint32_t limit_px)
{
    double high = limit_px ? limit_px : INT32_MAX;
    return (int32_t)lround(position < 0 ? 0 : position > high ? high : position);
}

static void stamp_place(const struct scene *scene, const struct frame *frame, Sohoa__Stamp *stamp)
{
    const double *m = scene->raster->to_view, factor = scene->look.factor;
    double a = frame->width / 2, b = frame->height / 2;
    double left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
    for (int corner = 0; corner < 4; corner++) {
        double along = corner & 1 ? a : -a, across = corner & 2 ? b : -b;
        double x = (frame->x + frame->ux * along - frame->uy * across) * factor;
        double y = (frame->y + frame->uy * along + frame->ux * across) * factor;
        double view_x = m[0] * x + m[2] * y + m[4], view_y = m[1] * x + m[3] * y + m[5];
        left = fmin(left, view_x);
        right = fmax(right, view_x);
        top = fmin(top, view_y);
        bottom = fmax(bottom, view_y);
    }
    stamp->x = within(left, scene->page->width_px);
    stamp->y = within(top, scene->page->height_px);
    stamp->w = (uint32_t)(within(right, scene->page->width_px) - stamp->x);
    stamp->h = (uint32_t)(within(bottom, scene->page->height_px) - stamp->y);
    stamp->picture = true;
}

static bool boxes_meet(const Sohoa__Stamp *stamp, int64_t x, int64_t y, int64_t w, int64_t h)
{
    return stamp->x < x + w && x < stamp->x + (int64_t)stamp->w && stamp->y < y + h && y < stamp->y + (int64_t)stamp->h;
}

/* A page may be looked at twice, as a scan and with its annotations: the same stamp counts once, as it was read. */
static void stamp_note(const struct scene *scene, const struct frame *frame, Sohoa__StampKind kind, double sure)
{
    Sohoa__Stamp found = SOHOA__STAMP__INIT;
    Sohoa__Page *page = scene->page;
    found.kind = kind;
    found.confidence_cpct = (uint32_t)lround(fmin(1, fmax(0, sure)) * STAMP_SURE_CPCT);
    stamp_place(scene, frame, &found);
    for (size_t i = 0; i < page->n_stamps; i++)
        if (boxes_meet(page->stamps[i], found.x, found.y, found.w, found.h)) {
            if (page->stamps[i]->kind == SOHOA__STAMP_KIND__STAMP_UNREAD)
                *page->stamps[i] = found;
            return;
        }
    Sohoa__Stamp *stamp = page_add_stamp(page);
    if (stamp)
        *stamp = found;
}

/* A stamp's shape, in the upper half. */
static bool frame_is_stamplike(const struct scene *scene, const struct frame *frame)
{
    double height = frame->height / scene->px_mm, width = frame->width / scene->px_mm;
    return height >= unread_height_mm[0] && height <= unread_height_mm[1] && width >= unread_width_mm[0] &&
           width <= unread_width_mm[1] && frame->y < scene->look.height_px * unread_bottom;
}

/* Upright in about the place of box 10a: under the number, in the left part of the upper half. */
static bool frame_is_in_place(const struct scene *scene, const struct frame *frame)
{
    double x = frame->x / scene->look.width_px, y = frame->y / scene->look.height_px;
    return fabs(frame->ux) > fabs(frame->uy) && x < place_right && y > place_top && y < place_bottom;
}

/* Lines of black print make frames that nobody drew. */
static bool frame_is_drawn(const struct frame *frame, bool red)
{
    return red || frame->covered >= (frame->doubled ? black_doubled_covered : black_covered);
}

static int frame_judge(const struct scene *scene, const struct frame *frame, bool red, struct err *err)
{
    struct said said;
    bool may_say;
    int rc = frame_read(scene, frame, red, &may_say, &said, err);
    if (rc || !may_say)
        return rc;
    const struct marking *marking = &said.marking;
    bool sure = red || frame->covered >= black_sure_covered;
    bool shaped = sure && frame_is_stamplike(scene, frame);
    uint32_t enough = !sure ? LIKE_SURE_CPCT : shaped && frame->covered >= near_covered ? LIKE_NEAR_CPCT : LIKE_CPCT;
    if (marking->like_cpct >= enough && marking->like_cpct >= marking->harmless_cpct)
        stamp_note(scene, frame, kind_of(frame, marking->kind), marking->like_cpct / (double)STAMP_SURE_CPCT);
    else if (shaped && marking->harmless_cpct < HARMLESS_CPCT && frame_is_in_place(scene, frame) &&
             (frame->doubled || (red && frame->covered >= unread_covered)))
        stamp_note(scene, frame, SOHOA__STAMP_KIND__STAMP_UNREAD, frame->covered / 2);
    return 0;
}

static bool frame_is_among(const struct frame *frame, const struct frame *others, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (hypot(frame->x - others[i].x, frame->y - others[i].y) < others[i].height)
            return true;
    return false;
}

/* Adds to the frames that were found before, which are not looked into again. */
static int scene_frames(const struct scene *scene, bool red, struct frame *before, size_t *befores, struct err *err)
{
    struct frame frame[FRAMES_MOST];
    AUTO(mask_clear) struct mask mask = {0};
    size_t count = mask_of(&scene->look, red, &mask) ? frames_find(&mask, scene->px_mm, frame) : SIZE_MAX;
    if (count == SIZE_MAX)
        return no_memory(scene->raster, err);
    size_t known = *befores;
    for (size_t i = 0; i < count; i++) {
        if (frame_is_among(&frame[i], before, known) || !frame_is_drawn(&frame[i], red))
            continue;
        int rc = frame_judge(scene, &frame[i], red, err);
        if (rc)
            return rc;
        before[(*befores)++] = frame[i];
    }
    return 0;
}

static void scene_clear(struct scene *scene)
{
    look_clear(&scene->look);
}

/* A file may say any resolution: one that makes a page of no sheet's size is not believed. */
static double scene_px_mm(const struct look *look)
{
    uint32_t longest = look->width_px > look->height_px ? look->width_px : look->height_px;
    double px_mm = look->dpi / 25.4, long_mm = px_mm > 0 ? longest / px_mm : 0;
    return long_mm < page_least_mm || long_mm > page_most_mm ? longest / page_usual_mm : px_mm;
}

int secrecy_look(struct reader *reader, const struct raster *raster, Sohoa__Page *page, struct err *err)
{
    struct frame before[2 * FRAMES_MOST];
    size_t befores = 0;
    AUTO(scene_clear) struct scene scene = {.reader = reader, .raster = raster, .page = page};
    if (raster->width_px < SIDE_LEAST_PX || raster->height_px < SIDE_LEAST_PX)
        return 0;
    int rc = look_see(raster, &scene.look, err);
    if (rc)
        return rc;
    scene.px_mm = scene_px_mm(&scene.look);
    return scene_frames(&scene, scene.look.hue != NULL, before, &befores, err); /* in colour a stamp is red */
}

/* ---- words ---- */

static void line_text(const Sohoa__Line *line, char *text, size_t room)
{
    size_t at = 0;
    text[0] = 0;
    for (size_t i = 0; i < line->n_words; i++) {
        size_t bytes = strlen(line->words[i]->text);
        if (at + bytes + 2 > room) {
            text[0] = 0; /* too long for a marking */
            return;
        }
        if (at)
            text[at++] = ' ';
        memcpy(text + at, line->words[i]->text, bytes + 1);
        at += bytes;
    }
}

static uint32_t line_confidence(const Sohoa__Line *line)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < line->n_words; i++)
        sum += line->words[i]->confidence_cpct;
    return line->n_words ? (uint32_t)(sum / line->n_words) : 0;
}

static void line_note(Sohoa__Page *page, const Sohoa__Line *line, Sohoa__StampKind kind)
{
    for (size_t i = 0; i < page->n_stamps; i++)
        if (page->stamps[i]->picture && boxes_meet(page->stamps[i], line->x, line->y, line->w, line->h)) {
            if (page->stamps[i]->kind == SOHOA__STAMP_KIND__STAMP_UNREAD)
                page->stamps[i]->kind = kind;
            page->stamps[i]->words = true;
            return;
        }
    Sohoa__Stamp *stamp = page_add_stamp(page);
    if (!stamp)
        return;
    *stamp = (Sohoa__Stamp){.base = stamp->base,
                            .kind = kind,
                            .x = line->x,
                            .y = line->y,
                            .w = line->w,
                            .h = line->h,
                            .confidence_cpct = line_confidence(line),
                            .words = true};
}

/* How far down the page a line stands, 0 to 1, the page held upright. */
static double line_down(const Sohoa__Page *page, const Sohoa__Line *line)
{
    double x = (line->x + line->w / 2.0) / (page->width_px ? page->width_px : 1);
    double y = (line->y + line->h / 2.0) / (page->height_px ? page->height_px : 1);
    switch (page->rotation_deg) {
    case 90: return x;
    case 180: return 1 - y;
    case 270: return 1 - x;
    default: return y;
    }
}

void secrecy_words(Sohoa__Page *page)
{
    char text[256];
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++) {
            const Sohoa__Line *line = page->blocks[b]->lines[l];
            Sohoa__StampKind kind;
            if (line_down(page, line) > 0.5)
                continue;
            line_text(line, text, sizeof text);
            if (marking_of_line(text, &kind))
                line_note(page, line, kind);
        }
}

bool secrecy_suspects(const Sohoa__Page *page)
{
    bool suspect = false;
    for (size_t i = 0; i < page->n_stamps; i++) {
        if (page->stamps[i]->kind == SOHOA__STAMP_KIND__STAMP_GIAI_MAT)
            return false;
        suspect = true;
    }
    return suspect;
}
