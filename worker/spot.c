/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What costs nothing is looked at first: how many letters, what kind of words, whether print stands outside their boxes. Only
 * then are lines cut out of the picture and read. Boxes of older layers are as high as somebody's font was, so strips are cut
 * with room around them, and trimmed to the print. */
#include "worker/spot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/auto.h"
#include "proto/buf.h"
#include "worker/clean.h"
#include "worker/lost.h"
#include "worker/token.h"

enum {
    SPOT_LEAST_LETTERS = 150, /* of a layer: a page with less is read in no time */
    SPOT_ODD_CPCT = 800,      /* from this share of letters in impossible words on it is no good reading */
    SPOT_LINE_LETTERS = 30,   /* of a line that tells something */
    SPOT_LINE_WORDS = 4,
    SPOT_LINE_LIKE_CPCT = 8500, /* each line at least */
    SPOT_MEAN_LIKE_CPCT = 9300,
    SPOT_SHIFT_PERCENT = 60, /* of a line's height, in either direction */
    SPOT_RUNES = 400,        /* of a line that are compared */

    SPOT_ROOM_PERCENT = 35,  /* of its height, above and below a line */
    SPOT_ASIDE_PERCENT = 50, /* ... and beside it */
    SPOT_PAINT_PERCENT = 40, /* ... that counts as its own when print without words is looked for */
    SPOT_CORE_PERCENT = 60,  /* ... that is surely the line's, in the middle */
    SPOT_LEAST_PX = 8,
    SPOT_DARK = 128,
    SPOT_SURE_CPCT = 6000,  /* confidence from which a word outside of the layer's is one */
    SPOT_BARE_CPCT = 2000,  /* share of the ink that may lie where the layer has no words: seals, signatures, rules */
    SPOT_LOST_LETTERS = 20, /* in such words: the layer left out a line */
    SPOT_ALL_CPCT = 10000,
};

/* ---- texts ---- */

static utf8proc_int32_t rune_plain(utf8proc_int32_t rune)
{
    switch (rune) {
    case 0x2010:
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014: return '-';
    case 0x2018:
    case 0x2019: return '\'';
    case 0x201c:
    case 0x201d: return '"';
    default: return rune;
    }
}

static size_t runes_take(const char *text, utf8proc_int32_t runes[SPOT_RUNES])
{
    size_t count = 0;
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    while (*at && count < SPOT_RUNES) {
        utf8proc_int32_t rune;
        utf8proc_ssize_t bytes = utf8proc_iterate(at, -1, &rune);
        at += bytes > 0 ? bytes : 1;
        bool blank = rune == ' ' || rune == '\t' || rune == 0xa0;
        if (bytes > 0 && !(blank && (!count || runes[count - 1] == ' ')))
            runes[count++] = blank ? ' ' : rune_plain(rune);
    }
    while (count && runes[count - 1] == ' ')
        count--;
    return count;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t spot_like_cpct(const char *a, const char *b)
{
    utf8proc_int32_t from[SPOT_RUNES], to[SPOT_RUNES];
    uint32_t row[SPOT_RUNES + 1];
    size_t n = runes_take(a, from), m = runes_take(b, to), most = n > m ? n : m;
    if (!most)
        return SPOT_ALL_CPCT;
    for (size_t j = 0; j <= m; j++)
        row[j] = (uint32_t)j;
    for (size_t i = 1; i <= n; i++) {
        uint32_t diagonal = row[0];
        row[0] = (uint32_t)i;
        for (size_t j = 1; j <= m; j++) {
            uint32_t changed = diagonal + (from[i - 1] != to[j - 1]);
            diagonal = row[j];
            row[j] = least(changed, least(row[j], row[j - 1]) + 1);
        }
    }
    return (uint32_t)((most - row[m]) * SPOT_ALL_CPCT / most);
}

static void line_text(const Sohoa__Line *line, struct buf *text)
{
    for (size_t i = 0; i < line->n_words; i++)
        buf_printf(text, text->size ? " %s" : "%s", line->words[i]->text);
}

static void page_line_text(const Sohoa__Page *page, struct buf *text)
{
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++)
            line_text(page->blocks[b]->lines[l], text);
}

static void layer_weigh(const Sohoa__Page *layer, struct spot *spot)
{
    uint64_t odd = 0, letters = 0;
    for (size_t b = 0; b < layer->n_blocks; b++)
        for (size_t l = 0; l < layer->blocks[b]->n_lines; l++)
            for (size_t w = 0; w < layer->blocks[b]->lines[l]->n_words; w++) {
                const char *text = layer->blocks[b]->lines[l]->words[w]->text;
                uint32_t size = letters_of(text);
                letters += size;
                odd += token_look(text) >= TOKEN_IMPOSSIBLE ? size : 0;
            }
    spot->letters = (uint32_t)letters;
    spot->odd_cpct = letters ? (uint32_t)(odd * SPOT_ALL_CPCT / letters) : 0;
}

/* ---- which lines ---- */

static int by_place(const void *a, const void *b)
{
    const Sohoa__Line *x = *(const Sohoa__Line *const *)a, *y = *(const Sohoa__Line *const *)b;
    int64_t one = 2 * (int64_t)x->y + x->h, two = 2 * (int64_t)y->y + y->h;
    if (one != two)
        return one < two ? -1 : 1;
    return (x->x > y->x) - (x->x < y->x);
}

static bool line_tells(const Sohoa__Line *line)
{
    uint32_t letters = 0;
    for (size_t i = 0; i < line->n_words; i++)
        letters += letters_of(line->words[i]->text);
    return letters >= SPOT_LINE_LETTERS && line->n_words >= SPOT_LINE_WORDS;
}

size_t spot_choose(const Sohoa__Page *layer, const Sohoa__Line *lines[SPOT_LINES])
{
    size_t room = 0, count = 0, chosen = 0;
    for (size_t b = 0; b < layer->n_blocks; b++)
        room += layer->blocks[b]->n_lines;
    AUTO(mem_destroy) const Sohoa__Line **all = calloc(room + 1, sizeof *all);
    if (!all)
        abort();
    for (size_t b = 0; b < layer->n_blocks; b++)
        for (size_t l = 0; l < layer->blocks[b]->n_lines; l++)
            if (line_tells(layer->blocks[b]->lines[l]))
                all[count++] = layer->blocks[b]->lines[l];
    qsort(all, count, sizeof *all, by_place);
    for (; chosen < SPOT_LINES && chosen < count; chosen++)
        lines[chosen] = all[count <= SPOT_LINES ? chosen : (2 * chosen + 1) * count / (2 * SPOT_LINES)];
    return chosen;
}

/* ---- where they are ---- */

/* View pixels -> raster pixels: the other way round than raster->to_view. */
struct from_view {
    double m[6], scale;
};

static struct from_view view_inverse(const struct raster *raster)
{
    const double *v = raster->to_view;
    double det = v[0] * v[3] - v[1] * v[2];
    struct from_view inverse = {.scale = sqrt(fabs(1 / det))};
    inverse.m[0] = v[3] / det;
    inverse.m[1] = -v[1] / det;
    inverse.m[2] = -v[2] / det;
    inverse.m[3] = v[0] / det;
    inverse.m[4] = -(inverse.m[0] * v[4] + inverse.m[2] * v[5]);
    inverse.m[5] = -(inverse.m[1] * v[4] + inverse.m[3] * v[5]);
    return inverse;
}

struct box {
    double left, top, right, bottom;
};

static struct box word_box(const struct from_view *from, const Sohoa__Word *word)
{
    double x = word->x + word->w / 2.0, y = word->y + word->h / 2.0;
    double at_x = from->m[0] * x + from->m[2] * y + from->m[4], at_y = from->m[1] * x + from->m[3] * y + from->m[5];
    double half_w = word->w * from->scale / 2, half_h = word->h * from->scale / 2;
    return (struct box){at_x - half_w, at_y - half_h, at_x + half_w, at_y + half_h};
}

/* Clockwise, what makes the line upright. */
static uint32_t line_turn_deg(const Sohoa__Line *line)
{
    double x = line->x1 - line->x0, y = line->y1 - line->y0;
    if (fabs(x) >= fabs(y))
        return x < 0 ? 180 : 0;
    return y < 0 ? 90 : 270;
}

static bool line_is_lying(const Sohoa__Line *line)
{
    return line_turn_deg(line) % 180 == 90;
}

static double line_height(const struct from_view *from, const Sohoa__Line *line)
{
    double sum = 0;
    for (size_t i = 0; i < line->n_words; i++)
        sum += line_is_lying(line) ? line->words[i]->w : line->words[i]->h;
    return sum * from->scale / (double)line->n_words;
}

static struct box line_box(const struct from_view *from, const Sohoa__Line *line)
{
    struct box box = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (size_t i = 0; i < line->n_words; i++) {
        struct box word = word_box(from, line->words[i]);
        box.left = fmin(box.left, word.left);
        box.top = fmin(box.top, word.top);
        box.right = fmax(box.right, word.right);
        box.bottom = fmax(box.bottom, word.bottom);
    }
    bool lying = line_is_lying(line);
    double height = line_height(from, line), across = height * SPOT_ROOM_PERCENT / 100;
    double aside = height * SPOT_ASIDE_PERCENT / 100, x = lying ? across : aside, y = lying ? aside : across;
    return (struct box){box.left - x, box.top - y, box.right + x, box.bottom + y};
}

static uint32_t within(double at, uint32_t limit)
{
    return at <= 0 ? 0 : at >= limit ? limit : (uint32_t)at;
}

static uint32_t row_ink(const struct raster *raster, uint32_t y)
{
    const uint8_t *row = raster->data + y * raster->stride_bytes;
    uint32_t ink = 0;
    for (uint32_t x = 0; x < raster->width_px; x++)
        ink += raster->channels ? row[x] < SPOT_DARK : row[x / 8] >> (7 - x % 8) & 1;
    return ink;
}

static uint64_t raster_ink(const struct raster *raster)
{
    uint64_t ink = 0;
    for (uint32_t y = 0; y < raster->height_px; y++)
        ink += row_ink(raster, y);
    return ink;
}

/* The emptiest row on the way from one to another, both included, the last of several: an empty row may part a letter from
 * the mark above or below it, too. */
static uint32_t row_emptiest(const struct raster *strip, uint32_t from, uint32_t to)
{
    uint32_t best = from, least_ink = UINT32_MAX;
    for (uint32_t y = from;; y += y < to ? 1u : -1u) {
        uint32_t ink = row_ink(strip, y);
        if (ink <= least_ink) {
            least_ink = ink;
            best = y;
        }
        if (y == to)
            return best;
    }
}

/* Takes off what reaches in of the lines above and below; strip is upright. */
static int strip_trim(struct raster **strip, double height, struct err *err)
{
    uint32_t rows = (*strip)->height_px, core = (uint32_t)(height * SPOT_CORE_PERCENT / 100);
    if (core >= rows)
        return 0;
    uint32_t top = row_emptiest(*strip, (rows - core) / 2, 0),
             bottom = row_emptiest(*strip, (rows + core) / 2, rows - 1);
    if (bottom < top + SPOT_LEAST_PX)
        return 0;
    struct raster *trimmed = raster_cut(*strip, 0, top, (*strip)->width_px, bottom - top + 1);
    if (!trimmed)
        return err_set(err, E_MEMORY, "no memory for a strip of %u x %u", (*strip)->width_px, bottom - top);
    raster_destroy(strip);
    *strip = trimmed;
    return 0;
}

/* The line's part of the picture, upright; *ret_strip stays NULL where that is none. */
static int strip_cut(const struct raster *raster, const struct from_view *from, const Sohoa__Line *line,
                     struct raster **ret_strip, struct err *err)
{
    struct box box = line_box(from, line);
    uint32_t left = within(box.left, raster->width_px) & ~7u, top = within(box.top, raster->height_px);
    uint32_t right = within(ceil(box.right), raster->width_px), bottom = within(ceil(box.bottom), raster->height_px);
    if (right < left + SPOT_LEAST_PX || bottom < top + SPOT_LEAST_PX)
        return 0;
    *ret_strip = raster_cut(raster, left, top, right - left, bottom - top);
    if (!*ret_strip)
        return err_set(err, E_MEMORY, "no memory for a strip of %u x %u", right - left, bottom - top);
    int rc = clean_turn(ret_strip, line_turn_deg(line), err);
    return rc ? rc : strip_trim(ret_strip, line_height(from, line), err);
}

/* What layer has words for, in raster's pixels, with room around it; the caller's. */
static Sohoa__Page *layer_place(const struct from_view *from, const Sohoa__Page *layer)
{
    Sohoa__Page *placed = page_new(layer->page_no);
    Sohoa__Line *to = block_add_line(page_add_block(placed));
    for (size_t b = 0; b < layer->n_blocks; b++)
        for (size_t l = 0; l < layer->blocks[b]->n_lines; l++) {
            const Sohoa__Line *line = layer->blocks[b]->lines[l];
            double around = line_height(from, line) * SPOT_PAINT_PERCENT / 100;
            for (size_t w = 0; w < line->n_words; w++) {
                struct box box = word_box(from, line->words[w]);
                Sohoa__Word *word = line_add_word(to, "");
                word->x = (int32_t)floor(box.left - around);
                word->y = (int32_t)floor(box.top - around);
                word->w = (uint32_t)ceil(box.right - box.left + 2 * around);
                word->h = (uint32_t)ceil(box.bottom - box.top + 2 * around);
            }
        }
    return placed;
}

static uint32_t sure_letters(const Sohoa__Page *page)
{
    uint32_t letters = 0;
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++)
            for (size_t w = 0; w < page->blocks[b]->lines[l]->n_words; w++) {
                const Sohoa__Word *word = page->blocks[b]->lines[l]->words[w];
                if (word->confidence_cpct >= SPOT_SURE_CPCT && token_look(word->text) < TOKEN_IMPOSSIBLE)
                    letters += letters_of(word->text);
            }
    return letters;
}

/* How many letters can be read where layer has no words: a seal looks like print, too, until it is read. */
static int zones_read(struct reader *reader, const struct raster *rest, uint32_t *letters, struct err *err)
{
    struct lost zones[LOST_ZONES];
    size_t count = lost_find(rest, zones);
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++) {
        AUTO(raster_destroy)
        struct raster *cut = raster_rows(rest, zones[i].top_px, zones[i].bottom_px - zones[i].top_px);
        AUTO(page_destroy) Sohoa__Page *read = page_new(1);
        rc = cut ? read_strip(reader, cut, false, read, err) : err_set(err, E_MEMORY, "no memory for a strip");
        *letters += sure_letters(read);
    }
    return rc;
}

/* Whether ink and print that layer has no words for are too much. */
static int layer_covers(struct reader *reader, const struct raster *raster, const struct from_view *from,
                        const Sohoa__Page *layer, struct spot *spot, bool *ret_covers, struct err *err)
{
    AUTO(page_destroy) Sohoa__Page *placed = layer_place(from, layer);
    AUTO(raster_destroy) struct raster *rest = lost_rest(raster, placed);
    uint32_t letters = 0;
    if (!rest)
        return err_set(err, E_MEMORY, "no memory for a picture of %u x %u", raster->width_px, raster->height_px);
    uint64_t ink = raster_ink(raster);
    spot->bare_cpct = ink ? (uint32_t)(raster_ink(rest) * SPOT_ALL_CPCT / ink) : 0;
    *ret_covers = spot->bare_cpct <= SPOT_BARE_CPCT;
    int rc = *ret_covers ? zones_read(reader, rest, &letters, err) : 0;
    *ret_covers = *ret_covers && letters < SPOT_LOST_LETTERS;
    return rc;
}

/* ---- the comparison ---- */

static double middle_x(const Sohoa__Word *word)
{
    return word->x + word->w / 2.0;
}

static double middle_y(const Sohoa__Word *word)
{
    return word->y + word->h / 2.0;
}

/* The nearest word of page that says the same; NULL: none does. */
static const Sohoa__Word *word_find(const Sohoa__Page *page, const Sohoa__Word *word)
{
    const Sohoa__Word *nearest = NULL;
    double least_away = INFINITY;
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++)
            for (size_t w = 0; w < page->blocks[b]->lines[l]->n_words; w++) {
                const Sohoa__Word *other = page->blocks[b]->lines[l]->words[w];
                double away = hypot(middle_x(other) - middle_x(word), middle_y(other) - middle_y(word));
                if (away >= least_away || strcmp(other->text, word->text) != 0)
                    continue;
                nearest = other;
                least_away = away;
            }
    return nearest;
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median way from where the layer has a word to where it stands, in percent of the line's height. */
static uint32_t line_shift_percent(const Sohoa__Line *line, const Sohoa__Page *read)
{
    AUTO(mem_destroy) double *away = calloc(line->n_words + 1, sizeof *away);
    double height = 0;
    size_t count = 0;
    if (!away)
        abort();
    for (size_t i = 0; i < line->n_words; i++) {
        const Sohoa__Word *word = line->words[i], *same = word_find(read, word);
        height += line_is_lying(line) ? word->w : word->h;
        if (same)
            away[count++] = fmax(fabs(middle_x(same) - middle_x(word)), fabs(middle_y(same) - middle_y(word)));
    }
    qsort(away, count, sizeof *away, by_number);
    return count && height > 0 ? (uint32_t)(100 * away[count / 2] * (double)line->n_words / height) : UINT32_MAX;
}

static int line_check(struct reader *reader, const struct raster *raster, const struct from_view *from,
                      const Sohoa__Page *layer, const Sohoa__Line *line, struct spot *spot, struct err *err)
{
    AUTO(raster_destroy) struct raster *strip = NULL;
    AUTO(page_destroy) Sohoa__Page *read = page_new(layer->page_no);
    AUTO(buf_destroy) struct buf wanted = {0};
    AUTO(buf_destroy) struct buf found = {0};
    int rc = strip_cut(raster, from, line, &strip, err);
    if (!rc && strip)
        rc = read_strip(reader, strip, true, read, err);
    if (rc)
        return rc;
    line_text(line, &wanted);
    page_line_text(read, &found);
    uint32_t shift_percent = line_shift_percent(line, read);
    spot->like_cpct[spot->lines++] = spot_like_cpct(buf_text(&wanted), buf_text(&found));
    spot->shift_percent = shift_percent > spot->shift_percent ? shift_percent : spot->shift_percent;
    return 0;
}

static void lines_judge(struct spot *spot)
{
    uint32_t sum = 0;
    bool alike = spot->lines == SPOT_LINES;
    for (uint32_t i = 0; i < spot->lines; i++) {
        alike = alike && spot->like_cpct[i] >= SPOT_LINE_LIKE_CPCT;
        sum += spot->like_cpct[i];
    }
    spot->mean_like_cpct = spot->lines ? sum / spot->lines : 0;
    spot->verdict = !alike || spot->mean_like_cpct < SPOT_MEAN_LIKE_CPCT ? SPOT_DIFFERS
                    : spot->shift_percent > SPOT_SHIFT_PERCENT           ? SPOT_MISPLACED
                                                                         : SPOT_HOLDS;
}

int spot_check(struct reader *reader, const struct raster *raster, const Sohoa__Page *layer, struct spot *spot,
               struct err *err)
{
    const Sohoa__Line *lines[SPOT_LINES];
    struct from_view from = view_inverse(raster);
    bool covers = true;
    *spot = (struct spot){.verdict = SPOT_SHORT};
    layer_weigh(layer, spot);
    size_t count = spot_choose(layer, lines);
    if (spot->letters < SPOT_LEAST_LETTERS || count < SPOT_LINES)
        return 0;
    spot->turn_deg = line_turn_deg(lines[0]);
    spot->verdict = SPOT_ODD;
    if (spot->odd_cpct > SPOT_ODD_CPCT)
        return 0;
    int rc = layer_covers(reader, raster, &from, layer, spot, &covers, err);
    spot->verdict = SPOT_PARTIAL;
    if (rc || !covers)
        return rc;
    for (size_t i = 0; i < count && !rc && (!i || spot->like_cpct[i - 1] >= SPOT_LINE_LIKE_CPCT); i++)
        rc = line_check(reader, raster, &from, layer, lines[i], spot, err);
    lines_judge(spot);
    return rc;
}
