/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The picture's strokes are a row of pieces; each group of a few is judged once. A reading goes through the row from
 * left to right and takes groups as digits, or leaves single pieces out as none. The likeliest ones are kept at each
 * place (a beam), readings of the same text as one. */
#include "worker/digits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "worker/glyph.h"

enum {
    DIGITS_BEAM = 32,
    DIGITS_WIDE_PARTS = 27,    /* a digit is at most so many 1/16 of the height wide */
    DIGITS_PADDED = -1024,     /* what a zero costs that pads a string too far, in 1/256 of a logarithm */
    DIGITS_LEFT_OUT = -64,     /* what leaving a piece out costs besides not being a digit, ... */
    DIGITS_LEFT_TALL = -704,   /* ... more if it is as tall as the digits, ... */
    DIGITS_LEFT_INSIDE = -768, /* ... and more between them */
};

enum { BEFORE, AMID, BEHIND }; /* of the digits */

struct reading {
    char text[DIGITS_MOST + 1];
    uint32_t value;
    int32_t likely;
    unsigned char digits, place;
};

struct beam {
    struct reading reading[DIGITS_BEAM];
    unsigned count;
};

struct row {
    const struct strokes *strokes;
    const struct digits_want *want;
    int32_t likely[STROKES_MOST][GLYPH_PIECES_MOST][GLYPH_CLASSES];
    bool fits[STROKES_MOST][GLYPH_PIECES_MOST]; /* narrow enough for a digit */
    struct beam beam[STROKES_MOST + 1];
};

static void row_judge(struct row *row)
{
    const struct strokes *strokes = row->strokes;
    for (unsigned first = 0; first < strokes->count; first++) {
        int32_t left = strokes->width, right = 0;
        for (unsigned n = 0; n < GLYPH_PIECES_MOST && first + n < strokes->count; n++) {
            const struct part *at = &strokes->piece[first + n].at;
            uint8_t feature[GLYPH_FEATURES];
            left = at->left < left ? at->left : left;
            right = at->right > right ? at->right : right;
            row->fits[first][n] = !n || 16 * (right - left) <= DIGITS_WIDE_PARTS * strokes->tall;
            if (!row->fits[first][n])
                break;
            glyph_measure(strokes, first, n + 1, feature);
            glyph_judge(feature, row->likely[first][n]);
        }
    }
}

static int32_t likely_either(int32_t a, int32_t b)
{
    int32_t more = a > b ? a : b, less = a > b ? b : a;
    return more - less > 2048 ? more : more + glyph_log(65536 + (uint64_t)glyph_exp(less - more));
}

/* The same text in the same place is there once; of too many the least likely goes. */
static void beam_add(struct beam *beam, const struct reading *reading)
{
    unsigned least = 0;
    for (unsigned i = 0; i < beam->count; i++) {
        struct reading *other = &beam->reading[i];
        if (other->place == reading->place && !strcmp(other->text, reading->text)) {
            other->likely = likely_either(other->likely, reading->likely);
            return;
        }
        least = other->likely < beam->reading[least].likely ? i : least;
    }
    if (beam->count < DIGITS_BEAM)
        beam->reading[beam->count++] = *reading;
    else if (reading->likely > beam->reading[least].likely)
        beam->reading[least] = *reading;
}

static void reading_take(struct row *row, const struct reading *from, unsigned first, unsigned n)
{
    for (unsigned digit = 0; digit < GLYPH_DIGITS; digit++) {
        struct reading to = *from;
        to.likely += row->likely[first][n][digit];
        to.value = 10 * from->value + digit;
        if (to.value > row->want->to)
            break;
        to.text[to.digits++] = (char)('0' + digit);
        if (to.text[0] == '0' && to.digits > row->want->padded_digits)
            to.likely += DIGITS_PADDED;
        to.place = AMID;
        beam_add(&row->beam[first + n + 1], &to);
    }
}

static void reading_leave_out(struct row *row, const struct reading *from, unsigned first)
{
    const struct part *at = &row->strokes->piece[first].at;
    struct reading to = *from;
    int32_t high = 256 * (at->bottom - at->top) / (row->strokes->tall ? row->strokes->tall : 1);
    high = high > 256 ? 256 : high;
    to.likely += row->likely[first][0][GLYPH_DIGITS] + DIGITS_LEFT_OUT + DIGITS_LEFT_TALL * high / 256;
    to.place = from->place == BEFORE ? BEFORE : BEHIND;
    beam_add(&row->beam[first + 1], &to);
    if (from->place != AMID)
        return;
    to.likely += DIGITS_LEFT_INSIDE * high / 256;
    to.place = AMID;
    beam_add(&row->beam[first + 1], &to);
}

static void row_read(struct row *row)
{
    row->beam[0] = (struct beam){.reading = {{.place = BEFORE}}, .count = 1};
    for (unsigned first = 0; first < row->strokes->count; first++)
        for (unsigned i = 0; i < row->beam[first].count; i++) {
            const struct reading *from = &row->beam[first].reading[i];
            reading_leave_out(row, from, first);
            if (from->place == BEHIND || from->digits == row->want->most_digits)
                continue;
            for (unsigned n = 0; n < GLYPH_PIECES_MOST && row->fits[first][n]; n++)
                reading_take(row, from, first, n);
        }
}

static int reading_order(const void *a, const void *b)
{
    const struct reading *one = a, *other = b;
    if (one->likely != other->likely)
        return one->likely > other->likely ? -1 : 1;
    return strcmp(one->text, other->text);
}

/* Texts that may stand there, best first, and the empty one: that there are no digits. */
static void row_settle(const struct row *row, struct beam *ends)
{
    const struct beam *last = &row->beam[row->strokes->count];
    ends->count = 0;
    for (unsigned i = 0; i < last->count; i++) {
        struct reading end = last->reading[i];
        end.place = BEHIND;
        if (!end.digits || (end.value >= row->want->from && end.value <= row->want->to))
            beam_add(ends, &end);
    }
    qsort(ends->reading, ends->count, sizeof *ends->reading, reading_order);
}

static void guesses_take(const struct beam *ends, struct digits *found)
{
    uint64_t all = 0;
    for (unsigned i = 0; i < ends->count; i++)
        all += glyph_exp(ends->reading[i].likely - ends->reading[0].likely);
    for (unsigned i = 0; i < ends->count && found->count < DIGITS_GUESSES && ends->reading[i].digits; i++) {
        struct digits_guess *guess = &found->guess[found->count++];
        memcpy(guess->text, ends->reading[i].text, sizeof guess->text);
        guess->confidence_cpct =
            (uint32_t)(DIGITS_SURE_CPCT * (uint64_t)glyph_exp(ends->reading[i].likely - ends->reading[0].likely) / all);
    }
}

int digits_read(const struct gray *gray, const struct digits_want *want, struct digits *found)
{
    struct strokes strokes;
    assert(want->most_digits >= 1 && want->most_digits <= DIGITS_MOST);
    if (strokes_find(gray, &strokes))
        return -1;
    *found = (struct digits){.empty = !strokes.count};
    struct row *row = strokes.count ? calloc(1, sizeof *row) : NULL;
    int rc = strokes.count && !row ? -1 : 0;
    if (row) {
        struct beam ends;
        row->strokes = &strokes;
        row->want = want;
        row_judge(row);
        row_read(row);
        row_settle(row, &ends);
        guesses_take(&ends, found);
    }
    free(row);
    strokes_clear(&strokes);
    return rc;
}
