/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Lines are taken out of Tesseract's blocks and given to new ones: those of a band to the blocks of its boxes, where
 * the first of them stood, all others as they were. */
#include "worker/columns.h"

#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "worker/band.h"

enum {
    PAIR_PITCH_PERCENT = 125, /* of the least distance from line to line in the boxes: below it are lines of one box */
    PAIR_MOST_HEADS = 4,      /* bands above the body; electronic signatures side by side look like one, too */
};

/* All lines of a page. */
struct rows {
    Sohoa__Line **line;   /* in Tesseract's order */
    size_t *block;        /* the number of the block that each came from */
    Sohoa__Line **sorted; /* by the height of their middles */
    size_t count;
};

static void rows_clear(struct rows *rows)
{
    free(rows->line);
    free(rows->block);
    free(rows->sorted);
}

static int line_order(const void *a, const void *b)
{
    const Sohoa__Line *one = *(Sohoa__Line *const *)a, *other = *(Sohoa__Line *const *)b;
    int32_t middle = line_middle(one), other_middle = line_middle(other);
    if (middle != other_middle)
        return middle < other_middle ? -1 : 1;
    return (one->x > other->x) - (one->x < other->x);
}

static void rows_new(struct rows *rows, const Sohoa__Page *page)
{
    size_t lines = 0;
    for (size_t b = 0; b < page->n_blocks; b++)
        lines += page->blocks[b]->n_lines;
    rows->line = calloc(lines + 1, sizeof(Sohoa__Line *));
    rows->sorted = calloc(lines + 1, sizeof(Sohoa__Line *));
    rows->block = calloc(lines + 1, sizeof *rows->block);
    if (!rows->line || !rows->block || !rows->sorted)
        abort();
}

/* Takes all lines out of their blocks, and the blocks out of the page. */
static void rows_take(struct rows *rows, Sohoa__Page *page)
{
    rows_new(rows, page);
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
    memcpy(rows->sorted, rows->line, rows->count * sizeof *rows->sorted);
    qsort(rows->sorted, rows->count, sizeof *rows->sorted, line_order);
}

/* Lines of one row from left to right, rows from top to bottom. */
static void box_sort(Sohoa__Block *box)
{
    qsort(box->lines, box->n_lines, sizeof(Sohoa__Line *), line_order);
    for (size_t i = 1; i < box->n_lines; i++)
        for (size_t k = i;
             k > 0 && box->lines[k]->x < box->lines[k - 1]->x && line_beside(box->lines[k], box->lines[k - 1]); k--) {
            Sohoa__Line *line = box->lines[k];
            box->lines[k] = box->lines[k - 1];
            box->lines[k - 1] = line;
        }
}

/* Whether the line begins as the number of a document does, or as what is read for it. */
static bool line_is_number(const Sohoa__Line *line)
{
    static const char *const marks[] = {"Số", "số", "SỐ", "Sổ", "Sô", "Só", "So:", "S6"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (!strncmp(line->words[0]->text, marks[i], strlen(marks[i])))
            return true;
    return false;
}

/* From the foot of the line above it in the box to its own; 0 for those of one row. */
static int32_t box_pitch(const Sohoa__Block *box, size_t line)
{
    const Sohoa__Line *below = box->lines[line], *above = box->lines[line - 1];
    return line_beside(above, below) ? 0 : line_bottom(below) - line_bottom(above);
}

/* The least that is one. */
static int32_t boxes_pitch(const Sohoa__Block *left, const Sohoa__Block *right)
{
    int32_t least = INT32_MAX;
    for (const Sohoa__Block *const *box = (const Sohoa__Block *const[]){left, right, NULL}; *box; box++)
        for (size_t i = 1; i < (*box)->n_lines; i++) {
            int32_t pitch = box_pitch(*box, i);
            least = pitch > 0 && pitch < least ? pitch : least;
        }
    return least;
}

struct cut {
    size_t left, right; /* the first lines of the lower pair; 0: the boxes are one pair */
};

/* Where the two boxes of a head fall into an upper and a lower pair: at the number, or else at the widest white that
 * is as high on both sides. */
static struct cut boxes_cut(const Sohoa__Block *left, const Sohoa__Block *right)
{
    struct cut best = {0};
    int64_t best_pitch = (int64_t)boxes_pitch(left, right) * PAIR_PITCH_PERCENT / 100;
    for (size_t l = 1; l < left->n_lines; l++)
        for (size_t r = 1; r < right->n_lines; r++) {
            if (!line_beside(left->lines[l], right->lines[r]))
                continue;
            if (line_is_number(left->lines[l]))
                return (struct cut){l, r};
            int32_t above = box_pitch(left, l), beside = box_pitch(right, r);
            int32_t pitch = above < beside ? above : beside;
            if (pitch > best_pitch) {
                best = (struct cut){l, r};
                best_pitch = pitch;
            }
        }
    return best;
}

/* Moves the lines of box from first on to another block. */
static void box_move(Sohoa__Block *box, size_t first, Sohoa__Block *to)
{
    for (size_t i = first; i < box->n_lines; i++)
        block_take_line(to, box->lines[i]);
    box->n_lines = first;
}

static void band_write(const struct band *band, const struct rows *rows, bool pairs, Sohoa__Page *page)
{
    Sohoa__Block *left = page_add_block(page), *right = page_add_block(page);
    for (size_t i = band->first; i < band->end; i++) {
        Sohoa__Line *line = rows->sorted[i];
        enum side side = band_side(band, line);
        block_take_line(side == SIDE_RIGHT ? right : left, line);
        if (side == SIDE_BOTH)
            corridor_split(&band->corridor, line, right);
    }
    page_fit_bounds(page);
    box_sort(left);
    box_sort(right);
    struct cut cut = pairs ? boxes_cut(left, right) : (struct cut){0};
    if (!cut.left)
        return;
    box_move(left, cut.left, page_add_block(page));
    box_move(right, cut.right, page_add_block(page));
}

/* The bands of a page. */
struct bands {
    struct band band[PAIR_MOST_HEADS + 1]; /* the closing is the last */
    bool written[PAIR_MOST_HEADS + 1];
    size_t count;
};

static void bands_find(struct bands *bands, const struct rows *rows)
{
    size_t from = 0;
    while (bands->count < PAIR_MOST_HEADS) {
        struct band head = band_head(rows->sorted, rows->count, from);
        if (!head.rows)
            break;
        bands->band[bands->count++] = head;
        from = head.end;
    }
    bands->band[bands->count++] = band_closing(rows->sorted, rows->count, from);
}

/* The number of the band that line is of; count when it is of none. */
static size_t bands_with(const struct bands *bands, const struct rows *rows, const Sohoa__Line *line)
{
    for (size_t b = 0; b < bands->count; b++)
        for (size_t i = bands->band[b].first; i < bands->band[b].end; i++)
            if (bands->band[b].rows && rows->sorted[i] == line)
                return b;
    return bands->count;
}

static void rows_write(const struct rows *rows, struct bands *bands, Sohoa__Page *page)
{
    Sohoa__Block *block = NULL;
    for (size_t i = 0; i < rows->count; i++) {
        size_t band = bands_with(bands, rows, rows->line[i]);
        if (band < bands->count) {
            if (!bands->written[band])
                band_write(&bands->band[band], rows, band + 1 < bands->count, page);
            bands->written[band] = true;
            block = NULL;
            continue;
        }
        if (!block || rows->block[i] != rows->block[i - 1])
            block = page_add_block(page);
        block_take_line(block, rows->line[i]);
    }
}

void columns_split(Sohoa__Page *page)
{
    AUTO(rows_clear) struct rows rows = {0};
    struct bands bands = {0};
    page_fit_bounds(page);
    rows_take(&rows, page);
    bands_find(&bands, &rows);
    rows_write(&rows, &bands, page);
    page_fit_bounds(page);
}
