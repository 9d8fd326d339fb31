/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A run is a row of lines, one below the other, around one corridor of white. A line of it lies left of the
 * corridor, right of it, or on both sides; at least RUN_LEAST_LINES lie on both, or it is no run. Distances are in
 * heights of a line, so that the resolution does not matter; between words of a justified line there is about a
 * third of one. */
#include "worker/columns.h"

#include <stdlib.h>

#include "proto/auto.h"

enum {
    RUN_LEAST_LINES = 2,
    RUN_NEAR_HEIGHTS = 3,  /* the next line on both sides begins at most this far below ... */
    RUN_CLOSE_HEIGHTS = 1, /* ... and one on a single side this far: a title in the middle is further away */
};

struct corridor {
    int32_t left, right;
};

enum side { SIDE_NONE, SIDE_LEFT, SIDE_RIGHT, SIDE_BOTH };

struct run {
    struct corridor corridor;
    size_t lines, both; /* lines of it, and those on both sides */
};

/* All lines of a page in reading order, and the number of the block that each came from. */
struct rows {
    Sohoa__Line **line;
    size_t *block;
    size_t count;
};

static void rows_clear(struct rows *rows)
{
    free(rows->line);
    free(rows->block);
}

static int32_t height_of(const Sohoa__Line *line)
{
    return (int32_t)(line->ascent_px + line->descent_px);
}

static int32_t right_of(const Sohoa__Line *line)
{
    return line->x + (int32_t)line->w;
}

static int32_t gap_after(const Sohoa__Line *line, size_t word, struct corridor *gap)
{
    gap->left = line->words[word]->x + (int32_t)line->words[word]->w;
    gap->right = line->words[word + 1]->x;
    return gap->right - gap->left;
}

/* Narrows the corridor by (left, right) when at least least_px of it stay. */
static bool corridor_narrow(struct corridor *corridor, int32_t left, int32_t right, int32_t least_px)
{
    left = left > corridor->left ? left : corridor->left;
    right = right < corridor->right ? right : corridor->right;
    if (right - left < least_px)
        return false;
    *corridor = (struct corridor){left, right};
    return true;
}

/* Where line lies when it keeps the corridor free, which it may narrow. */
static enum side corridor_pass(struct corridor *corridor, const Sohoa__Line *line)
{
    int32_t least_px = height_of(line);
    struct corridor gap;
    for (size_t i = 0; i + 1 < line->n_words; i++)
        if (gap_after(line, i, &gap) >= least_px && corridor_narrow(corridor, gap.left, gap.right, least_px))
            return SIDE_BOTH;
    if (right_of(line) <= corridor->right && corridor_narrow(corridor, right_of(line), INT32_MAX, least_px))
        return SIDE_LEFT;
    if (line->x >= corridor->left && corridor_narrow(corridor, INT32_MIN, line->x, least_px))
        return SIDE_RIGHT;
    return SIDE_NONE;
}

/* The run that begins with the first line and its gap after word; lines after the last on both sides may belong to
 * it. */
static struct run run_follow(const struct rows *rows, size_t first, size_t word)
{
    struct run run = {.lines = 1, .both = 1};
    gap_after(rows->line[first], word, &run.corridor);
    for (size_t i = first + 1; i < rows->count; i++) {
        const Sohoa__Line *above = rows->line[i - 1], *line = rows->line[i];
        struct corridor corridor = run.corridor;
        enum side side = corridor_pass(&corridor, line);
        int32_t below_px = line->y - (above->y + (int32_t)above->h);
        int32_t limit = (side == SIDE_BOTH ? RUN_NEAR_HEIGHTS : RUN_CLOSE_HEIGHTS) * height_of(line);
        if (side == SIDE_NONE || below_px > limit || line->y < rows->line[first]->y)
            break;
        run.corridor = corridor;
        run.lines++;
        run.both += side == SIDE_BOTH;
    }
    return run;
}

/* The best run that begins with the line first; lines is 0 when there is none. */
static struct run run_find(const struct rows *rows, size_t first)
{
    const Sohoa__Line *line = rows->line[first];
    struct run best = {0};
    struct corridor gap;
    for (size_t i = 0; i + 1 < line->n_words; i++) {
        if (gap_after(line, i, &gap) < height_of(line))
            continue;
        struct run run = run_follow(rows, first, i);
        if (run.both >= RUN_LEAST_LINES && run.both > best.both)
            best = run;
    }
    return best;
}

static int32_t baseline_at(const Sohoa__Line *line, int32_t x)
{
    if (line->x1 == line->x0)
        return line->y0;
    return line->y0 + (int32_t)((int64_t)(line->y1 - line->y0) * (x - line->x0) / (line->x1 - line->x0));
}

/* Moves the words of line that are right of the corridor to a line of their own in block. */
static void line_split(Sohoa__Line *line, const struct corridor *corridor, Sohoa__Block *block)
{
    size_t left = 0;
    while (left < line->n_words && line->words[left]->x < corridor->right)
        left++;
    Sohoa__Line *part = block_add_line(block);
    part->ascent_px = line->ascent_px;
    part->descent_px = line->descent_px;
    part->x1 = line->x1;
    part->y1 = line->y1;
    part->x0 = corridor->right;
    part->y0 = baseline_at(line, corridor->right);
    line->y1 = baseline_at(line, corridor->left);
    line->x1 = corridor->left;
    for (size_t i = left; i < line->n_words; i++)
        line_take_word(part, line->words[i]);
    line->n_words = left;
}

static void run_split(const struct rows *rows, size_t first, const struct run *run, Sohoa__Page *page)
{
    Sohoa__Block *left = page_add_block(page), *right = page_add_block(page);
    for (size_t i = first; i < first + run->lines; i++) {
        Sohoa__Line *line = rows->line[i];
        bool begins_left = line->x<run->corridor.right, ends_right = right_of(line)> run->corridor.left;
        block_take_line(begins_left ? left : right, line);
        if (begins_left && ends_right)
            line_split(line, &run->corridor, right);
    }
}

/* Takes all lines out of their blocks, and the blocks out of the page. */
static void rows_take(struct rows *rows, Sohoa__Page *page)
{
    size_t lines = 0;
    for (size_t b = 0; b < page->n_blocks; b++)
        lines += page->blocks[b]->n_lines;
    rows->line = calloc(lines + 1, sizeof *rows->line);
    rows->block = calloc(lines + 1, sizeof *rows->block);
    if (!rows->line || !rows->block)
        abort();
    for (size_t b = 0; b < page->n_blocks; b++) {
        Sohoa__Block *block = page->blocks[b];
        for (size_t i = 0; i < block->n_lines; i++, rows->count++) {
            rows->line[rows->count] = block->lines[i];
            rows->block[rows->count] = b;
        }
        block->n_lines = 0;
        sohoa__block__free_unpacked(block, NULL);
    }
    page->n_blocks = 0;
}

void columns_split(Sohoa__Page *page)
{
    AUTO(rows_clear) struct rows rows = {0};
    Sohoa__Block *block = NULL;
    page_fit_bounds(page);
    rows_take(&rows, page);
    for (size_t i = 0; i < rows.count;) {
        struct run run = run_find(&rows, i);
        if (run.lines) {
            run_split(&rows, i, &run, page);
            block = NULL;
            i += run.lines;
            continue;
        }
        if (!block || rows.block[i] != rows.block[i - 1])
            block = page_add_block(page);
        block_take_line(block, rows.line[i++]);
    }
    page_fit_bounds(page);
}
