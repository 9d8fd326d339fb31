/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Between words of a justified line there is about a third of a line's height; a corridor is much wider. */
#include "worker/corridor.h"

enum {
    CORRIDOR_LEAST_PERCENT = 80, /* of the height of a line beside it */
    CORRIDOR_SPECK_PARTS = 4,    /* a word lower than this part of its line's height ... */
    CORRIDOR_SPECK_CPCT = 8000,  /* ... and below this confidence leaves a gap white */
};

int32_t corridor_width(const struct corridor *corridor)
{
    return corridor->right - corridor->left;
}

int32_t line_height(const Sohoa__Line *line)
{
    int32_t height = (int32_t)(line->ascent_px + line->descent_px);
    return height > 0 ? height : 1;
}

int32_t line_right(const Sohoa__Line *line)
{
    return line->x + (int32_t)line->w;
}

int32_t line_bottom(const Sohoa__Line *line)
{
    return line->y + (int32_t)line->h;
}

int32_t line_middle(const Sohoa__Line *line)
{
    return line->y + (int32_t)line->h / 2;
}

bool line_beside(const Sohoa__Line *a, const Sohoa__Line *b)
{
    int32_t top = a->y > b->y ? a->y : b->y;
    int32_t bottom = line_bottom(a) < line_bottom(b) ? line_bottom(a) : line_bottom(b);
    int32_t least = (int32_t)(a->h < b->h ? a->h : b->h);
    return 2 * (bottom - top) >= least;
}

int32_t corridor_least(const Sohoa__Line *line)
{
    return line_height(line) * CORRIDOR_LEAST_PERCENT / 100 + 1;
}

static bool word_is_speck(const Sohoa__Line *line, const Sohoa__Word *word)
{
    return (int32_t)word->h * CORRIDOR_SPECK_PARTS < line_height(line) && word->confidence_cpct < CORRIDOR_SPECK_CPCT;
}

struct corridor line_gap(const Sohoa__Line *line, size_t word)
{
    const Sohoa__Word *before = line->words[word];
    int32_t right = before->x + (int32_t)before->w;
    if (word_is_speck(line, before))
        return (struct corridor){right, right};
    while (word + 2 < line->n_words && word_is_speck(line, line->words[word + 1]))
        word++;
    return (struct corridor){right, line->words[word + 1]->x};
}

size_t line_gaps(const Sohoa__Line *line)
{
    size_t gaps = 0;
    for (size_t i = 0; i + 1 < line->n_words; i++) {
        struct corridor gap = line_gap(line, i);
        gaps += corridor_width(&gap) >= corridor_least(line);
    }
    return gaps;
}

static bool corridor_narrow(struct corridor *corridor, int32_t left, int32_t right, int32_t least_px)
{
    left = left > corridor->left ? left : corridor->left;
    right = right < corridor->right ? right : corridor->right;
    if (right - left < least_px)
        return false;
    *corridor = (struct corridor){left, right};
    return true;
}

enum side corridor_pass(struct corridor *corridor, const Sohoa__Line *line)
{
    int32_t least_px = corridor_least(line);
    struct corridor widest = {0};
    for (size_t i = 0; i + 1 < line->n_words; i++) {
        struct corridor gap = line_gap(line, i), narrow = *corridor;
        if (corridor_narrow(&narrow, gap.left, gap.right, least_px) &&
            corridor_width(&narrow) > corridor_width(&widest))
            widest = narrow;
    }
    if (corridor_width(&widest)) {
        *corridor = widest;
        return SIDE_BOTH;
    }
    if (line_right(line) <= corridor->right && corridor_narrow(corridor, line_right(line), INT32_MAX, least_px))
        return SIDE_LEFT;
    if (line->x >= corridor->left && corridor_narrow(corridor, INT32_MIN, line->x, least_px))
        return SIDE_RIGHT;
    return SIDE_NONE;
}

static int32_t baseline_at(const Sohoa__Line *line, int32_t x)
{
    if (line->x1 == line->x0)
        return line->y0;
    return line->y0 + (int32_t)((int64_t)(line->y1 - line->y0) * (x - line->x0) / (line->x1 - line->x0));
}

Sohoa__Line *corridor_split(const struct corridor *corridor, Sohoa__Line *line, Sohoa__Block *block)
{
    size_t left = 1;
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
    return part;
}
