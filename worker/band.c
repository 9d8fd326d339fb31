/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Each gap of a line, and the white between two lines in a row, may begin a band; it is followed downwards as long as
 * lines keep the corridor free, and the one with the most rows is taken. */
#include "worker/band.h"

#include <stdlib.h>
#include <utf8proc.h>

enum {
    BAND_LEAST_ROWS = 2,
    BAND_LONE_LEFT = 3,     /* at the end one row is enough beside a list of so many lines */
    BAND_MOST_ROWS = 7,     /* more is a table, or a page of two columns */
    BAND_MOST_LINES = 400,  /* no more are looked at: a hostile page must not take for ever */
    BAND_NEAR_HEIGHTS = 3,  /* a line of a row begins at most this far below the band so far ... */
    BAND_CLOSE_HEIGHTS = 1, /* ... one on a single side this far: a title in the middle is further away ... */
    BAND_NAME_HEIGHTS = 9,  /* ... and the name below a signature this far */
    BAND_ROW_LINES = 3,     /* what stands beside a line is at most so many lines away in the order by height */
    BAND_WIDE_PARTS = 5,    /* a line of the body takes so many of BAND_PARTS parts of what the page's lines span */
    BAND_PARTS = 8,
    BAND_TITLE_LETTERS = 4,  /* what stands right has a title of so many letters at least, ... */
    BAND_TITLE_CAPITALS = 3, /* ... of which all but one in so many are capitals */
    BAND_SPAN_WORDS = 3,     /* lines of fewer words may be anything at the edge */
    BAND_STRAY_WORDS = 2,    /* a stray line has at most this many words ... */
    BAND_STRAY_CPCT = 6000,  /* ... of less than this mean confidence: traces of a seal */
};

enum band_kind { BAND_HEAD, BAND_CLOSING };

static bool line_is_stray(const Sohoa__Line *line)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < line->n_words; i++)
        sum += line->words[i]->confidence_cpct;
    return line->n_words <= BAND_STRAY_WORDS && sum < (uint64_t)BAND_STRAY_CPCT * line->n_words;
}

/* What the lines of a page span from left to right; 0 when there are none that count. */
static int32_t lines_span(Sohoa__Line *const *lines, size_t count)
{
    int32_t left = INT32_MAX, right = INT32_MIN;
    for (size_t i = 0; i < count; i++) {
        if (lines[i]->n_words < BAND_SPAN_WORDS)
            continue;
        left = lines[i]->x < left ? lines[i]->x : left;
        right = line_right(lines[i]) > right ? line_right(lines[i]) : right;
    }
    return right > left ? right - left : 0;
}

static bool line_is_wide(const Sohoa__Line *line, int32_t span)
{
    return (int64_t)line->w * BAND_PARTS >= (int64_t)span * BAND_WIDE_PARTS && !line_gaps(line);
}

/* Whether something stands in a row with lines[at], on the other side of the corridor. */
static bool band_beside(Sohoa__Line *const *lines, size_t count, size_t at, enum side side,
                        const struct corridor *corridor)
{
    size_t from = at > BAND_ROW_LINES ? at - BAND_ROW_LINES : 0;
    for (size_t i = from; i < count && i <= at + BAND_ROW_LINES; i++) {
        bool across = side == SIDE_LEFT ? lines[i]->x >= corridor->left : line_right(lines[i]) <= corridor->right;
        if (i != at && across && line_beside(lines[i], lines[at]) && !line_is_stray(lines[i]))
            return true;
    }
    return false;
}

/* How many heights below the band so far a line may begin. */
static int32_t band_reach(enum band_kind kind, enum side side, bool row)
{
    if (row)
        return BAND_NEAR_HEIGHTS;
    return kind == BAND_CLOSING && side == SIDE_RIGHT ? BAND_NAME_HEIGHTS : BAND_CLOSE_HEIGHTS;
}

struct letters {
    unsigned all, capitals;
};

static void letters_count(struct letters *letters, const char *text)
{
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    utf8proc_int32_t rune;
    for (utf8proc_ssize_t bytes; *at && (bytes = utf8proc_iterate(at, -1, &rune)) > 0; at += bytes) {
        utf8proc_category_t category = utf8proc_category(rune);
        letters->all += category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL;
        letters->capitals += category == UTF8PROC_CATEGORY_LU;
    }
}

/* Nation, party and whoever signs are set in capitals; cells of a table seldom are. */
static bool band_has_title(const struct band *band, Sohoa__Line *const *lines)
{
    for (size_t i = band->first; i < band->end; i++) {
        struct letters letters = {0};
        for (size_t w = 0; w < lines[i]->n_words; w++)
            if (lines[i]->words[w]->x >= band->corridor.left)
                letters_count(&letters, lines[i]->words[w]->text);
        if (letters.all >= BAND_TITLE_LETTERS && (letters.all - letters.capitals) * BAND_TITLE_CAPITALS <= letters.all)
            return true;
    }
    return false;
}

/* The band from the line first on that keeps the corridor free. */
static struct band band_follow(Sohoa__Line *const *lines, size_t count, size_t first, struct corridor corridor,
                               enum band_kind kind)
{
    struct band band = {.corridor = corridor, .first = first, .end = first};
    int32_t bottom = line_bottom(lines[first]), height = line_height(lines[first]);
    size_t gaps = 0;
    for (size_t i = first; i < count && i - first < BAND_MOST_LINES; i++) {
        const Sohoa__Line *line = lines[i];
        struct corridor narrow = band.corridor;
        enum side side = corridor_pass(&narrow, line);
        if (line_is_stray(line) && i > first)
            continue;
        bool row = side == SIDE_BOTH || (side != SIDE_NONE && band_beside(lines, count, i, side, &narrow));
        height = line_height(line) > height ? line_height(line) : height;
        if (side == SIDE_NONE || line->y - bottom > band_reach(kind, side, row) * height)
            break;
        height = line_height(line);
        band.corridor = narrow;
        band.end = i + 1;
        band.rows += side == SIDE_BOTH || (row && side == SIDE_RIGHT);
        band.left += side != SIDE_RIGHT;
        gaps += side == SIDE_BOTH && line_gaps(line) > 1;
        bottom = line_bottom(line) > bottom ? line_bottom(line) : bottom;
    }
    bool enough = band.rows >= BAND_LEAST_ROWS || (kind == BAND_CLOSING && band.rows && band.left >= BAND_LONE_LEFT);
    if (!enough || 2 * gaps > band.rows || !band_has_title(&band, lines))
        band.rows = 0;
    return band;
}

static void band_try(struct band *best, Sohoa__Line *const *lines, size_t count, size_t first, struct corridor corridor,
                     enum band_kind kind)
{
    if (corridor_width(&corridor) < corridor_least(lines[first]))
        return;
    struct band band = band_follow(lines, count, first, corridor, kind);
    if (band.rows > best->rows || (band.rows && band.rows == best->rows && band.end > best->end))
        *best = band;
}

/* The best that begins with the line first. */
static struct band band_from(Sohoa__Line *const *lines, size_t count, size_t first, enum band_kind kind)
{
    const Sohoa__Line *line = lines[first];
    struct band best = {0};
    for (size_t i = 0; i + 1 < line->n_words; i++)
        band_try(&best, lines, count, first, line_gap(line, i), kind);
    int32_t reach = line_bottom(line) + line_height(line);
    for (size_t i = first + 1; i < count && i <= first + BAND_ROW_LINES; i++) {
        const Sohoa__Line *other = lines[i];
        if (other->y >= reach || line_is_stray(other))
            continue;
        const Sohoa__Line *left = line->x < other->x ? line : other, *right = left == line ? other : line;
        band_try(&best, lines, count, first, (struct corridor){line_right(left), right->x}, kind);
    }
    return best;
}

/* The first band from the line from on; but one of a single row may be the line above the boxes, which then begin
 * within it. */
static struct band band_first(Sohoa__Line *const *lines, size_t count, size_t from, size_t end, enum band_kind kind)
{
    struct band best = {0};
    for (size_t i = from; i < (best.rows ? best.end : end) && best.rows < BAND_LEAST_ROWS; i++) {
        if (line_is_stray(lines[i]))
            continue;
        struct band band = band_from(lines, count, i, kind);
        if (band.rows > BAND_MOST_ROWS)
            i = band.end - 1;
        else if (band.rows > best.rows)
            best = band;
    }
    return best;
}

struct band band_head(Sohoa__Line *const *lines, size_t count, size_t from)
{
    int32_t span = lines_span(lines, count);
    size_t end = from;
    while (end < count && !line_is_wide(lines[end], span))
        end++;
    return band_first(lines, count, from, end, BAND_HEAD);
}

struct band band_closing(Sohoa__Line *const *lines, size_t count, size_t from)
{
    int32_t span = lines_span(lines, count);
    for (size_t i = from; i < count; i++)
        from = line_is_wide(lines[i], span) ? i + 1 : from;
    return band_first(lines, count, from, count, BAND_CLOSING);
}

enum side band_side(const struct band *band, const Sohoa__Line *line)
{
    bool begins_left = line->x<band->corridor.right, ends_right = line_right(line)> band->corridor.left;
    if (begins_left && ends_right && line->n_words > 1)
        return SIDE_BOTH;
    if (begins_left && ends_right)
        return line->x + (int32_t)line->w / 2 <= (band->corridor.left + band->corridor.right) / 2 ? SIDE_LEFT
                                                                                                  : SIDE_RIGHT;
    return begins_left ? SIDE_LEFT : SIDE_RIGHT;
}
