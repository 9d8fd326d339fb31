/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Where a word's box can't be trusted, the width of its letters in Times, which the rules for documents ask for, tells
 * where it ends. */
#include "worker/blanks.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/auto.h"

enum {
    BLANKS_CHARS = 40,       /* of a word that is looked at */
    BLANKS_WORDS = 400,      /* of the page's upper half */
    BLANKS_SAMPLES = 16,     /* words that tell the size of print */
    BLANKS_SURE_CPCT = 5000, /* confidence of such a word */
    BLANKS_OFF_PCT = 9,      /* a box that differs by more from the width of its letters is wrong */
    BLANKS_ALONE_EMS = 2,    /* around a number and its notation are free of other words */
    BLANKS_REACH_EMS = 14,   /* from "Số" to the notation */
    BLANKS_EM = 1000,        /* units of the table below, ... */
    BLANKS_BEARING = 80,     /* of which the paper before and behind a word's ink takes so many */
    BLANKS_EM_LEAST_PX = 12, /* smaller print is not read, ... */
    BLANKS_EM_MOST_PX = 120, /* ... and larger is no head's: 14 points at 600 dpi */
    BLANKS_LEAST_PCT = 40,   /* of an em: print that leaves less for a number was not found right */
    BLANKS_SEEN = 64,        /* of a page, */
    BLANKS_OF_KIND = 2,      /* of which the uppermost of each kind are kept */
    BLANKS_OF_DATE = 3,
    BLANKS_LEFT_PCT = 45,  /* of the width: a number's line begins before this */
    BLANKS_RIGHT_PCT = 30, /* of the width: a date's line begins behind this, a sentence's before */
    BLANKS_YEAR_EMS = 3,   /* what a year may take */
};

/* Advances of Times Roman, U+0020 to U+007E, in 1/1000 em (Adobe Core 14 AFM). */
static const uint16_t advances[] = {
    250, 333, 408, 500, 500, 833, 778, 180, 333, 333, 500, 564, 250, 333, 250, 278, 500, 500, 500,
    500, 500, 500, 500, 500, 500, 500, 278, 278, 564, 564, 564, 444, 921, 722, 667, 667, 722, 611,
    556, 722, 722, 333, 389, 722, 611, 889, 722, 722, 556, 722, 667, 556, 611, 722, 722, 944, 722,
    722, 611, 333, 278, 333, 469, 500, 333, 444, 500, 444, 500, 444, 333, 500, 500, 278, 278, 500,
    278, 778, 500, 500, 500, 500, 333, 389, 278, 500, 500, 722, 500, 500, 444, 480, 200, 480, 541,
};

/* A word in the raster, and its bare letters: one for each character, '?' for what is none of ASCII. */
struct spot {
    char text[BLANKS_CHARS + 1];
    int32_t left, top, right, bottom;
    int32_t baseline; /* of its line, below its middle */
    uint32_t confidence_cpct;
};

struct spots {
    struct spot spot[BLANKS_WORDS];
    unsigned count;
    int32_t width;
};

static char rune_bare(utf8proc_int32_t rune)
{
    utf8proc_int32_t part[8];
    if (rune == 0x110 || rune == 0x111) /* Đ đ */
        return rune == 0x110 ? 'D' : 'd';
    utf8proc_ssize_t count = utf8proc_decompose_char(rune, part, 8, UTF8PROC_DECOMPOSE, NULL);
    return count > 0 && part[0] > ' ' && part[0] < 0x7f ? (char)part[0] : '?';
}

static void text_bare(const char *text, char bare[BLANKS_CHARS + 1])
{
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    utf8proc_int32_t rune;
    size_t count = 0;
    for (utf8proc_ssize_t bytes; *at && count < BLANKS_CHARS && (bytes = utf8proc_iterate(at, -1, &rune)) > 0;
         at += bytes)
        if (utf8proc_category(rune) != UTF8PROC_CATEGORY_ZS)
            bare[count++] = rune_bare(rune);
    bare[count] = '\0';
}

/* ---- from view to raster ---- */

static bool point_invert(const double m[6], double x, double y, double *ret_x, double *ret_y)
{
    double area = m[0] * m[3] - m[1] * m[2];
    if (fabs(area) < 1e-9)
        return false;
    *ret_x = (m[3] * (x - m[4]) - m[2] * (y - m[5])) / area;
    *ret_y = (m[0] * (y - m[5]) - m[1] * (x - m[4])) / area;
    return true;
}

/* The size of what, turned a little, has a box of w x h in the view. */
static void size_invert(const double m[6], double w, double h, double *ret_w, double *ret_h)
{
    double a = fabs(m[0]), b = fabs(m[1]), c = fabs(m[2]), d = fabs(m[3]), area = a * d - b * c;
    *ret_w = (w * d - h * c) / area;
    *ret_h = (h * a - w * b) / area;
}

static bool spot_take(const struct raster *raster, const Sohoa__Line *line, const Sohoa__Word *word, struct spot *spot)
{
    const double *m = raster->to_view;
    double x, y, w, h, x0, y0, x1, y1;
    if (!point_invert(m, word->x + word->w / 2.0, word->y + word->h / 2.0, &x, &y) ||
        !point_invert(m, line->x0, line->y0, &x0, &y0) || !point_invert(m, line->x1, line->y1, &x1, &y1))
        return false;
    size_invert(m, word->w, word->h, &w, &h);
    double along = fabs(x1 - x0) < 1 ? 0 : (x - x0) / (x1 - x0);
    double baseline = y0 + along * (y1 - y0);
    if (!(fabs(x) + fabs(y) + fabs(w) + fabs(h) + fabs(baseline) < 1e6))
        return false;
    text_bare(word->text, spot->text);
    spot->left = (int32_t)lround(x - w / 2);
    spot->right = (int32_t)lround(x + w / 2);
    spot->top = (int32_t)lround(y - h / 2);
    spot->bottom = (int32_t)lround(y + h / 2);
    spot->baseline = (int32_t)lround(baseline);
    spot->confidence_cpct = word->confidence_cpct;
    return w > 0 && h > 0;
}

static int spot_order(const void *a, const void *b)
{
    const struct spot *one = a, *other = b;
    if (one->left != other->left)
        return one->left < other->left ? -1 : 1;
    return (one->top > other->top) - (one->top < other->top);
}

static void spots_take(const Sohoa__Page *page, const struct raster *raster, struct spots *spots)
{
    spots->count = 0;
    spots->width = (int32_t)raster->width_px;
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++) {
            const Sohoa__Line *line = page->blocks[b]->lines[l];
            for (size_t i = 0; i < line->n_words && spots->count < BLANKS_WORDS; i++) {
                struct spot *spot = &spots->spot[spots->count];
                if (!line->words[i]->own && spot_take(raster, line, line->words[i], spot) &&
                    spot->bottom < (int32_t)(raster->height_px / 2))
                    spots->count++;
            }
        }
    qsort(spots->spot, spots->count, sizeof *spots->spot, spot_order);
}

/* ---- widths ---- */

static int32_t text_advance(const char *text, size_t chars)
{
    int32_t sum = 0;
    for (size_t i = 0; i < chars && text[i]; i++)
        sum += advances[text[i] - ' '];
    return sum;
}

/* How wide the ink of so many characters is. */
static int32_t ink_px(const char *text, size_t chars, int32_t em)
{
    return (text_advance(text, chars) - BLANKS_BEARING) * em / BLANKS_EM;
}

static bool same_line(const struct spot *one, const struct spot *other)
{
    int32_t high = one->bottom - one->top;
    return abs(one->baseline - other->baseline) < high / 2;
}

static bool near_line(const struct spot *one, const struct spot *other)
{
    return abs(one->baseline - other->baseline) < one->bottom - one->top;
}

static int size_order(const void *a, const void *b)
{
    int32_t one = *(const int32_t *)a, other = *(const int32_t *)b;
    return (one > other) - (one < other);
}

/* The size of print on a spot's line and those that stand about as high: the median over words that are letters and were
 * read well; 0 without any. */
static int32_t line_em(const struct spots *spots, const struct spot *of)
{
    int32_t size[BLANKS_SAMPLES];
    size_t count = 0;
    for (unsigned i = 0; i < spots->count && count < BLANKS_SAMPLES; i++) {
        const struct spot *spot = &spots->spot[i];
        size_t chars = strlen(spot->text);
        bool plain = chars > 2 && !strpbrk(spot->text, "?0123456789+#\"'");
        if (plain && spot->confidence_cpct >= BLANKS_SURE_CPCT && near_line(of, spot))
            size[count++] = BLANKS_EM * (spot->right - spot->left) / (text_advance(spot->text, chars) - BLANKS_BEARING);
    }
    qsort(size, count, sizeof *size, size_order);
    int32_t em = count ? size[count / 2] : 0;
    return em >= BLANKS_EM_LEAST_PX && em <= BLANKS_EM_MOST_PX ? em : 0;
}

static bool box_fits(const struct spot *spot, int32_t em)
{
    int32_t wide = ink_px(spot->text, BLANKS_CHARS, em);
    return 100 * abs(spot->right - spot->left - wide) <= BLANKS_OFF_PCT * wide;
}

/* Where the first chars of a word end. */
static int32_t head_end(const struct spot *spot, size_t chars, int32_t em)
{
    if (strlen(spot->text) == chars && box_fits(spot, em))
        return spot->right;
    return spot->left + ink_px(spot->text, chars, em);
}

/* Where a word's characters from at on begin. */
static int32_t tail_begin(const struct spot *spot, size_t at, int32_t em)
{
    if (!at && box_fits(spot, em))
        return spot->left;
    return spot->right - ink_px(spot->text + at, BLANKS_CHARS, em);
}

/* ---- the number ---- */

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_small(char c)
{
    return c >= 'a' && c <= 'z';
}

/* Chars of "Số:" or "Số" at a word's beginning, if no other word goes on there. Its capital is misread at times. */
static size_t number_key(const char *text)
{
    if ((text[0] != 'S' && text[0] != 's') || (text[1] != 'o' && text[1] != 'O'))
        return 0;
    if (is_small(text[2]) || is_capital(text[2]))
        return 0;
    return text[2] == ':' || text[2] == '.' || text[2] == ';' ? 3 : 2;
}

/* The line of a number holds nothing else: no words just before its key or just behind its notation. */
static bool stands_alone(const struct spots *spots, const struct spot *key, const struct spot *notation, int32_t em)
{
    for (unsigned i = 0; i < spots->count; i++) {
        const struct spot *spot = &spots->spot[i];
        bool letters = (is_small(spot->text[0]) || is_capital(spot->text[0])) && is_small(spot->text[1]);
        bool before = spot->right <= key->left && spot->right > key->left - BLANKS_ALONE_EMS * em;
        bool behind = spot->left >= notation->right && spot->left < notation->right + BLANKS_ALONE_EMS * em;
        if (letters && (before || behind) && same_line(key, spot))
            return false;
    }
    return true;
}

/* Whether text ends as a notation does, and where that begins: "/QĐ-UBND", "/2025/QĐ-UBND", "-QĐ/TW" (a hyphen is misread
 * as a line beneath), and if the stroke was misread, the capitals before a hyphen. */
static bool notation_find(const char *text, size_t *ret_at)
{
    for (const char *at = text; *at; at++) {
        bool letter = is_capital(at[1]) || is_small(at[1]);
        size_t digits = strspn(at + 1, "0123456789");
        bool year = digits == 4 && at[5] == '/', slip = digits == 1 && is_capital(at[2]); /* "/8C-UBND" */
        size_t capitals = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if ((strchr("/-_", *at) && letter) || (*at == '/' && (year || slip)) || (capitals > 1 && at[capitals] == '-')) {
            *ret_at = (size_t)(at - text);
            return true;
        }
    }
    return false;
}

static const struct spot *notation_behind(const struct spots *spots, const struct spot *key, size_t chars, int32_t em,
                                          size_t *ret_at)
{
    if (notation_find(key->text + chars, ret_at)) {
        *ret_at += chars;
        return key;
    }
    for (unsigned i = 0; i < spots->count; i++) {
        const struct spot *spot = &spots->spot[i];
        if (spot->left > key->left && spot->left < key->left + BLANKS_REACH_EMS * em && same_line(key, spot) &&
            notation_find(spot->text, ret_at))
            return spot;
    }
    return NULL;
}

/* "Số:" stands on its line, whose slope the recogniser takes from few words. */
static int32_t number_baseline(const struct spot *key, size_t chars, int32_t em)
{
    return strlen(key->text) == chars && 2 * abs(key->bottom - key->baseline) < em ? key->bottom : key->baseline;
}

static bool number_find(const struct spots *spots, const struct spot *key, struct blank *blank)
{
    size_t chars = number_key(key->text), at;
    int32_t em = chars ? line_em(spots, key) : 0;
    if (!em || 100 * key->left > BLANKS_LEFT_PCT * spots->width)
        return false;
    const struct spot *notation = notation_behind(spots, key, chars, em, &at);
    if (!notation || !stands_alone(spots, key, notation, em))
        return false;
    *blank = (struct blank){SOHOA__HAND_KIND__HAND_NUMBER, head_end(key, chars, em), tail_begin(notation, at, em),
                            number_baseline(key, chars, em), em};
    if (is_capital(notation->text[at]))
        blank->right -= ink_px("/", 1, em);
    return 100 * (blank->right - blank->left) >= BLANKS_LEAST_PCT * em;
}

/* ---- the date ---- */

/* Where key is in text, with one of its letters misread if it is not a short one; NULL if it is not. */
static const char *key_in(const char *text, const char *key)
{
    size_t chars = strlen(key), slips = chars > 3;
    for (const char *at = text; strlen(at) >= chars; at++) {
        size_t wrong = 0;
        for (size_t i = 0; i < chars; i++)
            wrong += at[i] != key[i];
        if (wrong <= slips && is_small(at[0]))
            return at;
    }
    return NULL;
}

/* The next word on the line that has key in it and ends behind from. */
static const struct spot *key_behind(const struct spots *spots, const struct spot *of, int32_t from, const char *key)
{
    for (unsigned i = 0; i < spots->count; i++)
        if (spots->spot[i].right > from && same_line(of, &spots->spot[i]) && key_in(spots->spot[i].text, key) &&
            spots->spot[i].left >= of->left)
            return &spots->spot[i];
    return NULL;
}

/* Where the words begin that a word is in a line with, going left without a wide gap. */
static int32_t line_begin(const struct spots *spots, const struct spot *of, int32_t em)
{
    int32_t begin = of->left;
    for (unsigned i = spots->count; i-- > 0;) {
        const struct spot *spot = &spots->spot[i];
        if (spot->left < begin && spot->right > begin - BLANKS_ALONE_EMS * em && same_line(of, spot))
            begin = spot->left;
    }
    return begin;
}

/* Where key ends in a word, and begins. */
static int32_t key_end(const struct spot *spot, const char *key, int32_t em)
{
    size_t at = (size_t)(key_in(spot->text, key) - spot->text), chars = at + strlen(key);
    return at && !spot->text[chars] ? spot->right : head_end(spot, chars, em);
}

static int32_t key_begin(const struct spot *spot, const char *key, int32_t em)
{
    size_t at = (size_t)(key_in(spot->text, key) - spot->text);
    return !at && spot->text[strlen(key)] ? spot->left : tail_begin(spot, at, em);
}

static unsigned date_find(const struct spots *spots, const struct spot *day, struct blank *blank)
{
    int32_t em = key_in(day->text, "ngay") ? line_em(spots, day) : 0;
    if (!em)
        return 0;
    const struct spot *month = key_behind(spots, day, day->left, "thang");
    const struct spot *year = month ? key_behind(spots, day, month->left, "nam") : NULL;
    if (!year || month->left + month->right < spots->width ||
        100 * line_begin(spots, day, em) < BLANKS_RIGHT_PCT * spots->width)
        return 0;
    const struct blank base = {.baseline = day->baseline, .em = em};
    blank[0] = blank[1] = blank[2] = base;
    blank[0].kind = SOHOA__HAND_KIND__HAND_DAY;
    blank[0].left = key_end(day, "ngay", em);
    blank[0].right = key_begin(month, "thang", em);
    blank[1].kind = SOHOA__HAND_KIND__HAND_MONTH;
    blank[1].left = blank[0].right + ink_px("thang", 5, em);
    blank[1].right = key_begin(year, "nam", em);
    blank[2].kind = SOHOA__HAND_KIND__HAND_YEAR;
    blank[2].left = key_end(year, "nam", em);
    blank[2].right = blank[2].left + BLANKS_YEAR_EMS * em;
    return BLANKS_OF_DATE;
}

static int blank_order(const void *a, const void *b)
{
    const struct blank *one = a, *other = b;
    if (one->kind != other->kind)
        return one->kind < other->kind ? -1 : 1;
    if (one->baseline != other->baseline)
        return one->baseline < other->baseline ? -1 : 1;
    return (one->left > other->left) - (one->left < other->left);
}

/* Of blanks in order, the first few of each kind that the print leaves room for. */
static unsigned blanks_choose(const struct blank *found, unsigned count, struct blank blank[HANDS_MOST])
{
    unsigned chosen = 0, same = 0;
    for (unsigned i = 0; i < count; i++) {
        same = chosen && found[i].kind == blank[chosen - 1].kind ? same : 0;
        if (same < BLANKS_OF_KIND && found[i].right > found[i].left) {
            blank[chosen++] = found[i];
            same++;
        }
    }
    return chosen;
}

unsigned blanks_find(const Sohoa__Page *page, const struct raster *raster, struct blank blank[HANDS_MOST])
{
    AUTO(mem_destroy) struct spots *spots = malloc(sizeof *spots);
    struct blank found[BLANKS_SEEN];
    unsigned count = 0;
    if (!spots)
        abort();
    spots_take(page, raster, spots);
    for (unsigned i = 0; i < spots->count && count + BLANKS_OF_DATE <= BLANKS_SEEN; i++)
        if (number_find(spots, &spots->spot[i], &found[count]))
            count++;
        else
            count += date_find(spots, &spots->spot[i], &found[count]);
    qsort(found, count, sizeof *found, blank_order);
    return blanks_choose(found, count, blank);
}
