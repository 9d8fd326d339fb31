/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The flow of the pass: a reduced picture, its planes of ink and red ink, the places where one network seeks out what may be
 * a marking, and what another judges it to be, there and around. */
#include "worker/secrecy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "worker/clean_look.h"
#include "worker/convnet.h"
#include "worker/marking.h"
#include "worker/planes.h"

enum {                       /* scores are of CONVNET_SCORE_ONE */
       LIKELY = -512,        /* of a cell that is looked into, at least */
       NEAR = 256,           /* below it: cells that it is the middle of */
       REACH_CELLS = 4,      /* one place within so many */
       PLACES_MOST = 24,     /* that are judged */
       AROUND_LEAST = -1536, /* of a frame that others around it are judged for */
       AROUND_ROWS = 5,
       AROUND_ROW_PX = 4,
       AROUND_COLUMNS = 13,
       AROUND_COLUMN_PX = 5,
       MEAN_ROWS = 1, /* on each side: the mean of so many counts */
       MEAN_COLUMNS = 2,
       STAMP_LEAST = 192, /* of a frame that is some stamp of secrecy */
       GIAI_SURE = 512,   /* above all else: of one that is declassified */
       STAMP_SURE_CPCT = 10000,
       BESIDE_MM = 2,      /* a stamp's box goes so far beyond what the rules say, on both sides together */
       SIDE_LEAST_PX = 40, /* smaller pictures have no room for a stamp */
};

/* A picture under work. */
struct scene {
    const struct raster *raster;
    struct look look;
    struct planes planes;
    struct cells cells;
    Sohoa__Page *page;
};

/* Where the cells are likely some marking. */
struct place {
    int32_t score; /* of its likeliest cell */
    int32_t x, y;  /* the middle of what is about as likely, pixels of the planes */
};

/* ---- places ---- */

/* By how much it is likelier some marking than none. */
static int32_t marked(const int32_t score[CONVNET_CLASSES])
{
    int32_t most = score[CONVNET_NONE + 1];
    for (int class = CONVNET_NONE + 2; class < CONVNET_CLASSES; class ++)
        most = score[class] > most ? score[class] : most;
    return most - score[CONVNET_NONE];
}

static int32_t *scores_new(const struct cells *cells)
{
    size_t count = (size_t)cells->width * cells->height;
    int32_t *scores = malloc(count * sizeof *scores);
    for (size_t at = 0; scores && at < count; at++)
        scores[at] = marked(cells->score + at * CONVNET_CLASSES);
    return scores;
}

struct window {
    uint32_t left, top, right, bottom; /* cells; right and bottom outside */
};

static struct window window_around(const struct cells *cells, uint32_t x, uint32_t y)
{
    return (struct window){.left = x > REACH_CELLS ? x - REACH_CELLS : 0,
                           .top = y > REACH_CELLS ? y - REACH_CELLS : 0,
                           .right = x + REACH_CELLS + 1 < cells->width ? x + REACH_CELLS + 1 : cells->width,
                           .bottom = y + REACH_CELLS + 1 < cells->height ? y + REACH_CELLS + 1 : cells->height};
}

/* None around it is likelier; of those that are as likely, the first counts. */
static bool cell_is_peak(const struct cells *cells, const int32_t *scores, uint32_t x, uint32_t y)
{
    struct window in = window_around(cells, x, y);
    int32_t own = scores[(size_t)y * cells->width + x];
    for (uint32_t row = in.top; row < in.bottom; row++)
        for (uint32_t column = in.left; column < in.right; column++) {
            int32_t other = scores[(size_t)row * cells->width + column];
            bool before = row < y || (row == y && column < x);
            if (other > own || (before && other == own))
                return false;
        }
    return true;
}

static struct place place_at(const struct cells *cells, const int32_t *scores, uint32_t x, uint32_t y)
{
    struct window in = window_around(cells, x, y);
    int32_t own = scores[(size_t)y * cells->width + x];
    uint32_t count = 0, sum_x = 0, sum_y = 0;
    for (uint32_t row = in.top; row < in.bottom; row++)
        for (uint32_t column = in.left; column < in.right; column++) {
            if (scores[(size_t)row * cells->width + column] < own - NEAR)
                continue;
            count++;
            sum_x += column * CONVNET_CELL_PX;
            sum_y += row * CONVNET_CELL_PX;
        }
    return (struct place){.score = own, .x = (int32_t)(sum_x / count), .y = (int32_t)(sum_y / count)};
}

/* The likeliest first; of too many the least likely goes. */
static void place_keep(struct place places[PLACES_MOST], size_t *count, const struct place *place)
{
    size_t at = *count;
    for (; at && places[at - 1].score < place->score; at--)
        if (at < PLACES_MOST)
            places[at] = places[at - 1];
    if (at < PLACES_MOST) {
        places[at] = *place;
        *count += *count < PLACES_MOST;
    }
}

static bool places_find(const struct cells *cells, struct place places[PLACES_MOST], size_t *count)
{
    AUTO(mem_destroy) int32_t *scores = scores_new(cells);
    *count = 0;
    for (uint32_t y = 0; scores && y < cells->height; y++)
        for (uint32_t x = 0; x < cells->width; x++)
            if (scores[(size_t)y * cells->width + x] >= LIKELY && cell_is_peak(cells, scores, x, y)) {
                struct place place = place_at(cells, scores, x, y);
                place_keep(places, count, &place);
            }
    return scores != NULL;
}

/* ---- stamps ---- */

static const struct {
    Sohoa__StampKind kind;
    double width_mm, height_mm;
} form[CONVNET_CLASSES] = {
    [CONVNET_NONE] = {SOHOA__STAMP_KIND__STAMP_UNREAD,    30, 8 },
    [CONVNET_MAT] = {SOHOA__STAMP_KIND__STAMP_MAT,       20, 8 },
    [CONVNET_TOI_MAT] = {SOHOA__STAMP_KIND__STAMP_TOI_MAT,   30, 8 },
    [CONVNET_TUYET_MAT] = {SOHOA__STAMP_KIND__STAMP_TUYET_MAT, 40, 8 },
    [CONVNET_GIAI_MAT] = {SOHOA__STAMP_KIND__STAMP_GIAI_MAT,  30, 13},
};

/* What a judged frame says: a class to note, or CONVNET_CLASSES; *ret_sure: by how much, of CONVNET_SCORE_ONE. A page is not
 * cleared by what may be a secret, but for a secret little is enough. */
static int verdict(const int32_t score[CONVNET_CLASSES], int32_t *ret_sure)
{
    int level = CONVNET_MAT;
    for (int class = CONVNET_TOI_MAT; class <= CONVNET_TUYET_MAT; class ++)
        level = score[class] > score[level] ? class : level;
    int32_t giai = score[CONVNET_GIAI_MAT], none = score[CONVNET_NONE];
    int32_t above = giai - (none > score[level] ? none : score[level]);
    int32_t most = giai > score[level] ? giai : score[level];
    *ret_sure = most - none;
    if (above >= GIAI_SURE) {
        *ret_sure = above;
        return CONVNET_GIAI_MAT;
    }
    return *ret_sure < STAMP_LEAST ? CONVNET_CLASSES : above > 0 ? CONVNET_NONE : level;
}

static int32_t within(double position, uint32_t limit_px)
{
    double high = limit_px ? limit_px : INT32_MAX;
    return (int32_t)lround(position < 0 ? 0 : position > high ? high : position);
}

static void stamp_place(const struct scene *scene, const struct place *place, int class, bool upended,
                        Sohoa__Stamp *stamp)
{
    const double *m = scene->raster->to_view, factor = scene->look.factor / scene->planes.px_look;
    double along = (form[class].width_mm + BESIDE_MM) * PLANES_PX_10MM / 20.0;
    double across = (form[class].height_mm + BESIDE_MM) * PLANES_PX_10MM / 20.0;
    double a = upended ? across : along, b = upended ? along : across;
    double left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
    for (int corner = 0; corner < 4; corner++) {
        double x = factor * (place->x + (corner & 1 ? a : -a)), y = factor * (place->y + (corner & 2 ? b : -b));
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

/* A page may be looked at twice, as a scan and with its annotations: the same stamp counts once, as it was seen best. */
static void stamp_note(const struct scene *scene, const struct place *place, int class, bool upended, int32_t sure)
{
    Sohoa__Stamp found = SOHOA__STAMP__INIT;
    Sohoa__Page *page = scene->page;
    found.kind = form[class].kind;
    found.confidence_cpct = (uint32_t)lround(STAMP_SURE_CPCT / (1 + exp(-sure / (double)CONVNET_SCORE_ONE)));
    stamp_place(scene, place, class, upended, &found);
    for (size_t i = 0; i < page->n_stamps; i++)
        if (boxes_meet(page->stamps[i], found.x, found.y, found.w, found.h)) {
            if (page->stamps[i]->confidence_cpct < found.confidence_cpct)
                *page->stamps[i] = found;
            return;
        }
    Sohoa__Stamp *stamp = page_add_stamp(page);
    if (stamp)
        *stamp = found;
}

/* What a place was judged to be. */
struct judged {
    unsigned turned; /* by so many right angles clockwise */
    int32_t score[CONVNET_CLASSES];
};

static const int32_t score_none[CONVNET_CLASSES] = {[CONVNET_NONE] = INT32_MAX / 2};

static void judged_better(struct judged *best, unsigned turned, const int32_t score[CONVNET_CLASSES])
{
    if (marked(score) <= marked(best->score))
        return;
    best->turned = turned;
    memcpy(best->score, score, sizeof best->score);
}

/* Frames around a place, a few pixels apart. */
struct around {
    int32_t score[AROUND_ROWS][AROUND_COLUMNS][CONVNET_CLASSES];
};

/* Within row and column by so many. */
static void around_mean(const struct around *around, int row, int column, int32_t score[CONVNET_CLASSES])
{
    int count = 0;
    memset(score, 0, CONVNET_CLASSES * sizeof *score);
    for (int y = row - MEAN_ROWS; y <= row + MEAN_ROWS; y++)
        for (int x = column - MEAN_COLUMNS; x <= column + MEAN_COLUMNS; x++) {
            if (y < 0 || y >= AROUND_ROWS || x < 0 || x >= AROUND_COLUMNS)
                continue;
            count++;
            for (int class = 0; class < CONVNET_CLASSES; class ++)
                score[class] += around->score[y][x][class];
        }
    for (int class = 0; class < CONVNET_CLASSES; class ++)
        score[class] /= count;
}

static bool around_look(const struct scene *scene, const struct place *place, unsigned turned, struct around *around)
{
    for (int row = 0; row < AROUND_ROWS; row++)
        for (int column = 0; column < AROUND_COLUMNS; column++) {
            int along = (column - AROUND_COLUMNS / 2) * AROUND_COLUMN_PX;
            int across = (row - AROUND_ROWS / 2) * AROUND_ROW_PX;
            int x = place->x + (turned % 2 ? across : along), y = place->y + (turned % 2 ? along : across);
            if (!convnet_judge(&scene->planes, x, y, turned, around->score[row][column]))
                return false;
        }
    return true;
}

/* What covers a stamp draws its place aside, and one frame may say much more or less than the next: the mean of some counts,
 * where it says most. */
static bool judge_around(const struct scene *scene, const struct place *place, struct judged *best)
{
    struct around around;
    if (!around_look(scene, place, best->turned, &around))
        return false;
    memcpy(best->score, score_none, sizeof score_none);
    for (int row = 0; row < AROUND_ROWS; row++)
        for (int column = 0; column < AROUND_COLUMNS; column++) {
            int32_t mean[CONVNET_CLASSES];
            around_mean(&around, row, column, mean);
            judged_better(best, best->turned, mean);
        }
    return true;
}

/* As it is likeliest a marking: upright, lying or upside down. */
static bool place_judge(const struct scene *scene, const struct place *place, struct judged *best)
{
    memcpy(best->score, score_none, sizeof score_none);
    for (unsigned turned = 0; turned < 4; turned++) {
        int32_t score[CONVNET_CLASSES];
        if (!convnet_judge(&scene->planes, place->x, place->y, turned, score))
            return false;
        judged_better(best, turned, score);
    }
    return marked(best->score) < AROUND_LEAST || judge_around(scene, place, best);
}

static bool scene_judge(const struct scene *scene)
{
    struct place places[PLACES_MOST];
    size_t count;
    if (!places_find(&scene->cells, places, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct judged best;
        int32_t sure;
        if (!place_judge(scene, &places[i], &best))
            return false;
        int class = verdict(best.score, &sure);
        if (class < CONVNET_CLASSES)
            stamp_note(scene, &places[i], class, best.turned % 2, sure);
    }
    return true;
}

static void scene_clear(struct scene *scene)
{
    look_clear(&scene->look);
    planes_clear(&scene->planes);
    cells_clear(&scene->cells);
}

int secrecy_look(const struct raster *raster, Sohoa__Page *page, struct err *err)
{
    AUTO(scene_clear) struct scene scene = {.raster = raster, .page = page};
    if (raster->width_px < SIDE_LEAST_PX || raster->height_px < SIDE_LEAST_PX)
        return 0;
    int rc = look_see(raster, &scene.look, err);
    if (rc)
        return rc;
    if (planes_new(&scene.look, planes_look_px_mm(&scene.look), &scene.planes) &&
        convnet_seek(&scene.planes, &scene.cells) && scene_judge(&scene))
        return 0;
    return err_set(err, E_MEMORY, "no memory to look for stamps in a picture of %u x %u", raster->width_px,
                   raster->height_px);
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
