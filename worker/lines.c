/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "worker/lines.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/auto.h"
#include "worker/bare.h"

enum {
    LINES_EM_LEAST = 8,    /* pixels: no page is taken for smaller print */
    LINES_GAP_TENTHS = 22, /* of an em between two words: they are of boxes side by side */
    LINES_CAPITAL_PERCENT = 80,
    TURN_LEFT = 90,
    TURN_OVER = 180,
    TURN_RIGHT = 270,
};

#define RADIANS_A_MDEG (3.14159265358979323846 / 180000)

static void *lines_alloc(size_t count, size_t bytes)
{
    void *memory = calloc(count + 1, bytes);
    if (!memory)
        abort();
    return memory;
}

/* ---- upright ---- */

struct box {
    int32_t x, y, right, bottom;
};

/* The page was turned clockwise by rotation_deg to be upright, and by -skew afterwards; small angles: sin a = a, cos a = 1. */
static struct box word_upright(const Sohoa__Page *page, const Sohoa__Word *word)
{
    int32_t w = (int32_t)page->width_px, h = (int32_t)page->height_px;
    struct box at = {word->x, word->y, word->x + (int32_t)word->w, word->y + (int32_t)word->h}, to = at;
    switch (page->rotation_deg) {
    case TURN_LEFT: to = (struct box){h - at.bottom, at.x, h - at.y, at.right}; break;
    case TURN_OVER: to = (struct box){w - at.right, h - at.bottom, w - at.x, h - at.y}; break;
    case TURN_RIGHT: to = (struct box){at.y, w - at.right, at.bottom, w - at.x}; break;
    default: break;
    }
    double slope = page->skew_mdeg * RADIANS_A_MDEG;
    int32_t up = (int32_t)(slope * (to.x + to.right) / 2), left = (int32_t)(slope * (to.y + to.bottom) / 2);
    return (struct box){to.x + left, to.y - up, to.right + left, to.bottom - up};
}

/* ---- a line ---- */

struct piece {
    const Sohoa__Word **word;
    struct box *box;
    size_t words;
};

static bool is_rule(const Sohoa__Word *word)
{
    return !strcmp(word->text, "|") || !strcmp(word->text, "||");
}

/* What stands behind "Số:" may be far: the number was left out to be written by hand. */
static bool waits_for_number(const Sohoa__Word *word)
{
    return !strcmp(word->text, "Số:") || !strcmp(word->text, "Số") || !strcmp(word->text, "Só:") ||
           !strcmp(word->text, "Sô:");
}

static void line_measure(struct line *line)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < line->words; i++) {
        uint32_t letters = letters_of(line->word[i]->text);
        sum += (uint64_t)letters * line->word[i]->confidence_cpct;
        line->letters += letters;
    }
    line->confidence_cpct = line->letters ? (uint32_t)(sum / line->letters) : 0;
    line->letters = 0;
    for (size_t at = 0, bytes = strlen(line->text); at < bytes;) {
        utf8proc_int32_t rune;
        utf8proc_ssize_t size =
            utf8proc_iterate((const utf8proc_uint8_t *)line->text + at, (utf8proc_ssize_t)(bytes - at), &rune);
        at += size > 0 ? (size_t)size : 1;
        if (size <= 0 || bare_rune(rune) < 'a' || bare_rune(rune) > 'z')
            continue;
        line->letters++;
        line->capitals += utf8proc_tolower(rune) != rune;
    }
}

static void line_write(struct line *line)
{
    AUTO(buf_destroy) struct buf text = {0};
    for (size_t i = 0; i < line->words; i++)
        buf_printf(&text, i ? " %s" : "%s", line->word[i]->text);
    line->text = strdup(buf_text(&text));
    if (!line->text)
        abort();
    size_t room = bare_room(line->text);
    line->bare = lines_alloc(room, 1);
    line->at = lines_alloc(room, sizeof *line->at);
    line->owner = lines_alloc(room, sizeof *line->owner);
    line->length = bare_text(line->text, line->bare, line->at);
    size_t word = 0, ends = line->words ? strlen(line->word[0]->text) : 0;
    for (size_t i = 0; i < line->length; i++) {
        if (line->at[i] > ends && word + 1 < line->words)
            ends += 1 + strlen(line->word[++word]->text);
        line->owner[i] = (uint16_t)word;
    }
}

static void line_make(struct line *line, const struct piece *piece)
{
    *line = (struct line){.x = INT32_MAX, .y = INT32_MAX, .right = INT32_MIN, .bottom = INT32_MIN};
    line->word = lines_alloc(piece->words, sizeof(Sohoa__Word *));
    memcpy(line->word, piece->word, piece->words * sizeof(Sohoa__Word *));
    line->words = piece->words;
    for (size_t i = 0; i < piece->words; i++) {
        const struct box *box = &piece->box[i];
        line->x = box->x < line->x ? box->x : line->x;
        line->y = box->y < line->y ? box->y : line->y;
        line->right = box->right > line->right ? box->right : line->right;
        line->bottom = box->bottom > line->bottom ? box->bottom : line->bottom;
    }
    line_write(line);
    line_measure(line);
}

static void lines_add(struct lines *lines, const struct piece *piece)
{
    if (!piece->words)
        return;
    if (!(lines->count & (lines->count + 1))) {
        lines->at = realloc(lines->at, (2 * lines->count + 2) * sizeof *lines->at);
        if (!lines->at)
            abort();
    }
    line_make(&lines->at[lines->count++], piece);
}

static void lines_part(struct lines *lines, const Sohoa__Page *page, const Sohoa__Line *line)
{
    AUTO(mem_destroy) struct box *box = lines_alloc(line->n_words, sizeof *box);
    size_t from = 0;
    for (size_t i = 0; i < line->n_words; i++)
        box[i] = word_upright(page, line->words[i]);
    for (size_t i = 0; i <= line->n_words; i++) {
        bool rule = i < line->n_words && is_rule(line->words[i]);
        bool gap = i < line->n_words && i > from && box[i].x - box[i - 1].right > lines->em * LINES_GAP_TENTHS / 10 &&
                   !waits_for_number(line->words[i - 1]);
        if (i < line->n_words && !rule && !gap)
            continue;
        lines_add(lines, &(struct piece){(const Sohoa__Word **)&line->words[from], &box[from], i - from});
        from = rule ? i + 1 : i;
    }
}

/* ---- all of them ---- */

static int by_number(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static int32_t em_of(const Sohoa__Page *page)
{
    size_t count = 0, room = 0;
    for (size_t b = 0; b < page->n_blocks; b++)
        room += page->blocks[b]->n_lines;
    AUTO(mem_destroy) int32_t *height = lines_alloc(room, sizeof *height);
    bool lying = page->rotation_deg == TURN_LEFT || page->rotation_deg == TURN_RIGHT;
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++) {
            const Sohoa__Line *line = page->blocks[b]->lines[l];
            int32_t most = 0;
            for (size_t i = 0; i < line->n_words; i++) {
                int32_t here = (int32_t)(lying ? line->words[i]->w : line->words[i]->h);
                most = here > most ? here : most;
            }
            height[count++] = most;
        }
    qsort(height, count, sizeof *height, by_number);
    int32_t em = count ? height[count / 2] : 0;
    return em > LINES_EM_LEAST ? em : LINES_EM_LEAST;
}

static int by_place(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int32_t mx = x->y + x->bottom, my = y->y + y->bottom;
    if (mx != my)
        return mx < my ? -1 : 1;
    return x->x != y->x ? (x->x < y->x ? -1 : 1) : 0;
}

void lines_take(const Sohoa__Page *page, struct lines *lines)
{
    bool lying = page->rotation_deg == TURN_LEFT || page->rotation_deg == TURN_RIGHT;
    *lines = (struct lines){.page = page,
                            .page_no = page->page_no,
                            .width = (int32_t)(lying ? page->height_px : page->width_px),
                            .height = (int32_t)(lying ? page->width_px : page->height_px),
                            .em = em_of(page)};
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++)
            lines_part(lines, page, page->blocks[b]->lines[l]);
    if (lines->count)
        qsort(lines->at, lines->count, sizeof *lines->at, by_place);
}

void lines_clear(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        free(lines->at[i].word);
        free(lines->at[i].text);
        free(lines->at[i].bare);
        free(lines->at[i].at);
        free(lines->at[i].owner);
    }
    free(lines->at);
    *lines = (struct lines){0};
}

int32_t line_centre(const struct line *line)
{
    return (line->x + line->right) / 2;
}

bool line_in_capitals(const struct line *line)
{
    return line->letters && line->capitals * 100 >= line->letters * LINES_CAPITAL_PERCENT;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

void line_core(const struct line *line, size_t *ret_from, size_t *ret_to)
{
    size_t from = 0, to = line->length;
    while (from < to && !is_letter(line->bare[from]))
        from++;
    while (to > from && !is_letter(line->bare[to - 1]))
        to--;
    *ret_from = from;
    *ret_to = to;
}

size_t line_find(const struct line *line, size_t from, const char *what)
{
    for (const char *at = line->bare + (from < line->length ? from : line->length); (at = strstr(at, what)); at++)
        if (at == line->bare || !is_letter(at[-1]))
            return (size_t)(at - line->bare);
    return SIZE_MAX;
}

bool line_begins(const struct line *line, const char *what)
{
    size_t from = 0, size = strlen(what);
    while (from < line->length && !is_letter(line->bare[from]))
        from++;
    return !strncmp(line->bare + from, what, size) && !is_letter(line->bare[from + size]);
}
