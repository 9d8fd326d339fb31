/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A page's own text as words, lines and blocks: what is visible, and apart from it what is hidden, an older recogniser's
 * invisible layer or text under the scan. Text of annotations counts as visible, since numbers and dates of issue are often
 * put on as signature stamps. */
#include "worker/mupdf.h"

#include <math.h>
#include <utf8proc.h>

enum {
    WORD_MAX_BYTES = 1024,
    OWN_CPCT = 10000,
};

enum words_part { PART_VISIBLE, PART_HIDDEN, PART_NOTES };

struct words_device {
    fz_device super;
    fz_device *to;
    unsigned under; /* text operations that still lie under the cover */
    bool hidden;    /* those are wanted, and the invisible ones, not the others */
};

static bool words_wanted(fz_device *dev)
{
    struct words_device *words = (struct words_device *)dev;
    if (!words->under)
        return !words->hidden;
    words->under--;
    return words->hidden;
}

static void words_fill_text(fz_context *ctx, fz_device *dev, const fz_text *text, fz_matrix ctm, fz_colorspace *space,
                            const float *color, float alpha, fz_color_params params)
{
    if (words_wanted(dev))
        fz_fill_text(ctx, ((struct words_device *)dev)->to, text, ctm, space, color, alpha, params);
}

static void words_stroke_text(fz_context *ctx, fz_device *dev, const fz_text *text, const fz_stroke_state *stroke,
                              fz_matrix ctm, fz_colorspace *space, const float *color, float alpha,
                              fz_color_params params)
{
    if (words_wanted(dev))
        fz_stroke_text(ctx, ((struct words_device *)dev)->to, text, stroke, ctm, space, color, alpha, params);
}

static void words_ignore_text(fz_context *ctx, fz_device *dev, const fz_text *text, fz_matrix ctm)
{
    fz_ignore_text(ctx, ((struct words_device *)dev)->to, text, ctm);
}

static fz_device *words_device_new(fz_context *ctx, fz_device *to, unsigned under, bool hidden)
{
    struct words_device *dev = fz_new_derived_device(ctx, struct words_device);
    dev->to = to;
    dev->under = under;
    dev->hidden = hidden;
    dev->super.fill_text = words_fill_text;
    dev->super.stroke_text = words_stroke_text;
    if (hidden)
        dev->super.ignore_text = words_ignore_text;
    return &dev->super;
}

static void words_run(fz_context *ctx, const struct leaf *leaf, fz_device *dev, enum words_part part)
{
    if (part != PART_NOTES) {
        leaf_paint(ctx, leaf, dev, fz_identity, NULL);
    } else {
        fz_run_page_annots(ctx, leaf->page, dev, fz_identity, NULL);
        fz_run_page_widgets(ctx, leaf->page, dev, fz_identity, NULL);
    }
    fz_close_device(ctx, dev);
}

static fz_stext_page *words_extract(fz_context *ctx, const struct leaf *leaf, unsigned under, enum words_part part)
{
    const fz_stext_options options = {.flags = FZ_STEXT_MEDIABOX_CLIP, .scale = 1};
    fz_device *text = NULL, *dev = NULL;
    fz_var(text);
    fz_var(dev);
    fz_stext_page *page = fz_new_stext_page(ctx, leaf->box);
    fz_try(ctx)
    {
        text = fz_new_stext_device(ctx, page, &options);
        dev = words_device_new(ctx, text, under, part == PART_HIDDEN);
        words_run(ctx, leaf, dev, part);
        fz_close_device(ctx, text);
    }
    fz_always(ctx)
    {
        fz_drop_device(ctx, dev);
        fz_drop_device(ctx, text);
    }
    fz_catch(ctx)
    {
        fz_drop_stext_page(ctx, page);
        fz_rethrow(ctx);
    }
    return page;
}

void words_load(fz_context *ctx, const struct leaf *leaf, unsigned under, bool contents, struct words *words)
{
    if (!leaf->page)
        return;
    if (contents)
        words->contents = words_extract(ctx, leaf, under, PART_VISIBLE);
    words->notes = words_extract(ctx, leaf, 0, PART_NOTES);
}

void words_load_hidden(fz_context *ctx, const struct leaf *leaf, unsigned under, struct words *words)
{
    if (leaf->page)
        words->hidden = words_extract(ctx, leaf, under, PART_HIDDEN);
}

void words_drop(fz_context *ctx, struct words *words)
{
    fz_drop_stext_page(ctx, words->contents);
    fz_drop_stext_page(ctx, words->notes);
    fz_drop_stext_page(ctx, words->hidden);
    *words = (struct words){0};
}

struct adding {
    const struct view *view;
    double scale; /* pt -> view pixels */
    Sohoa__Page *page;
    uint32_t words;
    bool full; /* PAGE_MAX_WORDS met */
};

static double along(fz_point p, fz_point q, fz_point direction)
{
    return (double)(q.x - p.x) * direction.x + (double)(q.y - p.y) * direction.y;
}

/* UTF-8 in NFC of the characters from first up to end; "" when nothing printable is left. */
static void word_text(const fz_stext_char *first, const fz_stext_char *end, char text[WORD_MAX_BYTES])
{
    char raw[WORD_MAX_BYTES] = "";
    size_t n = 0;
    for (const fz_stext_char *c = first; c != end && n + 5 < sizeof raw; c = c->next)
        if (c->c > ' ' && c->c != FZ_REPLACEMENT_CHARACTER)
            n += (size_t)fz_runetochar(raw + n, c->c);
    raw[n] = '\0';
    text[0] = '\0';
    utf8proc_uint8_t *nfc = NULL;
    utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_STRIPCC;
    utf8proc_ssize_t bytes = utf8proc_map((const utf8proc_uint8_t *)raw, (utf8proc_ssize_t)n, &nfc, options);
    if (bytes > 0 && bytes < WORD_MAX_BYTES) {
        fz_strlcpy(text, (const char *)nfc, WORD_MAX_BYTES);
    }
    free(nfc);
}

static void word_add(struct adding *adding, Sohoa__Line *line, const fz_stext_char *first, const fz_stext_char *end)
{
    char text[WORD_MAX_BYTES];
    word_text(first, end, text);
    if (!*text)
        return;
    fz_rect box = fz_empty_rect;
    for (const fz_stext_char *c = first; c != end; c = c->next)
        box = fz_union_rect(box, fz_rect_from_quad(c->quad));
    float scale = (float)adding->scale;
    box = fz_transform_rect(box, fz_scale(scale, scale));
    fz_rect page = {0, 0, (float)adding->view->width_px, (float)adding->view->height_px};
    fz_irect at = fz_round_rect(fz_intersect_rect(box, page));
    if (fz_is_empty_irect(at))
        return;
    if (adding->words++ >= PAGE_MAX_WORDS) {
        adding->full = true;
        return;
    }
    Sohoa__Word *word = line_add_word(line, text);
    word->x = at.x0;
    word->y = at.y0;
    word->w = (uint32_t)(at.x1 - at.x0);
    word->h = (uint32_t)(at.y1 - at.y0);
    word->confidence_cpct = OWN_CPCT;
    word->own = true;
}

/* From the first letter to the last, without spaces around. */
static void line_set_baseline(const struct adding *adding, Sohoa__Line *line, const fz_stext_line *from)
{
    const fz_stext_char *first = from->first_char;
    while (first->next && first->c == ' ')
        first = first->next;
    fz_point origin = first->origin, up = {from->dir.y, -from->dir.x};
    double length = 0, ascent = 0, descent = 0;
    for (const fz_stext_char *c = first; c; c = c->next) {
        if (c->c == ' ')
            continue;
        length = fmax(length, along(origin, c->quad.lr, from->dir));
        ascent = fmax(ascent, along(origin, c->quad.ul, up));
        descent = fmax(descent, -along(origin, c->quad.ll, up));
    }
    line->x0 = (int32_t)lround(origin.x * adding->scale);
    line->y0 = (int32_t)lround(origin.y * adding->scale);
    line->x1 = (int32_t)lround((origin.x + length * from->dir.x) * adding->scale);
    line->y1 = (int32_t)lround((origin.y + length * from->dir.y) * adding->scale);
    line->ascent_px = (uint32_t)lround(ascent * adding->scale);
    line->descent_px = (uint32_t)lround(descent * adding->scale);
}

static void line_fill(struct adding *adding, Sohoa__Line *line, const fz_stext_line *from)
{
    const fz_stext_char *c = from->first_char;
    while (c && !adding->full) {
        while (c && c->c == ' ')
            c = c->next;
        const fz_stext_char *first = c;
        while (c && c->c != ' ')
            c = c->next;
        if (first)
            word_add(adding, line, first, c);
    }
    if (from->first_char)
        line_set_baseline(adding, line, from);
}

static void line_drop_last(Sohoa__Block *block)
{
    sohoa__line__free_unpacked(block->lines[--block->n_lines], NULL);
}

static void block_drop_last(Sohoa__Page *page)
{
    sohoa__block__free_unpacked(page->blocks[--page->n_blocks], NULL);
}

static void text_add(struct adding *adding, const fz_stext_page *text)
{
    for (const fz_stext_block *from = text->first_block; from && !adding->full; from = from->next) {
        if (from->type != FZ_STEXT_BLOCK_TEXT)
            continue;
        Sohoa__Block *block = page_add_block(adding->page);
        for (const fz_stext_line *line = from->u.t.first_line; line && !adding->full; line = line->next) {
            Sohoa__Line *to = block_add_line(block);
            line_fill(adding, to, line);
            if (!to->n_words)
                line_drop_last(block);
        }
        if (!block->n_lines)
            block_drop_last(adding->page);
    }
}

/* "Số:   /TB-UBND" with the number stamped into it: is word in the height of the line, and in a gap or close to an end? */
static bool word_fits_line(const Sohoa__Word *word, const Sohoa__Line *line)
{
    if (line->y0 != line->y1 || line->x1 <= line->x0)
        return false;
    int64_t top = word->y > line->y ? word->y : line->y;
    int64_t bottom = fz_mini(word->y + (int)word->h, line->y + (int)line->h);
    if (2 * (bottom - top) < (int64_t)(word->h < line->h ? word->h : line->h))
        return false;
    int64_t near = 2 * (int64_t)line->h, middle = word->x + (int64_t)word->w / 2;
    if (word->x + (int64_t)word->w < line->x - near || word->x > line->x + (int64_t)line->w + near)
        return false;
    for (size_t i = 0; i < line->n_words; i++)
        if (middle >= line->words[i]->x && middle <= line->words[i]->x + (int64_t)line->words[i]->w)
            return false;
    return true;
}

static Sohoa__Line *word_find_line(const Sohoa__Word *word, const Sohoa__Page *page, size_t blocks)
{
    for (size_t b = 0; b < blocks; b++)
        for (size_t i = 0; i < page->blocks[b]->n_lines; i++)
            if (word_fits_line(word, page->blocks[b]->lines[i]))
                return page->blocks[b]->lines[i];
    return NULL;
}

static void line_insert_word(Sohoa__Line *line, const Sohoa__Word *word)
{
    Sohoa__Word *added = line_add_word(line, word->text);
    added->x = word->x;
    added->y = word->y;
    added->w = word->w;
    added->h = word->h;
    added->confidence_cpct = word->confidence_cpct;
    added->own = word->own;
    for (size_t i = line->n_words - 1; i > 0 && line->words[i - 1]->x > added->x; i--) {
        line->words[i] = line->words[i - 1];
        line->words[i - 1] = added;
    }
}

/* Moves line's words into the gap of a line of the first blocks; false when they do not all fit in one. */
static bool line_weave(const Sohoa__Line *line, const Sohoa__Page *page, size_t blocks)
{
    Sohoa__Line *into = word_find_line(line->words[0], page, blocks);
    for (size_t i = 0; into && i < line->n_words; i++)
        if (!word_fits_line(line->words[i], into))
            into = NULL;
    for (size_t i = 0; into && i < line->n_words; i++)
        line_insert_word(into, line->words[i]);
    return into != NULL;
}

/* The lines of the blocks from number blocks on that fit in a gap of a line before them. */
static void stamps_weave(Sohoa__Page *page, size_t blocks)
{
    size_t kept_blocks = blocks;
    for (size_t b = blocks; b < page->n_blocks; b++) {
        Sohoa__Block *block = page->blocks[b];
        size_t kept = 0;
        for (size_t i = 0; i < block->n_lines; i++) {
            if (line_weave(block->lines[i], page, blocks))
                sohoa__line__free_unpacked(block->lines[i], NULL);
            else
                block->lines[kept++] = block->lines[i];
        }
        block->n_lines = kept;
        if (kept)
            page->blocks[kept_blocks++] = block;
        else
            sohoa__block__free_unpacked(block, NULL);
    }
    page->n_blocks = kept_blocks;
}

static int adding_end(const struct adding *adding, struct err *err)
{
    return adding->full ? err_set(err, E_LIMIT, "more than %d words on the page", PAGE_MAX_WORDS) : 0;
}

int words_add_hidden(const struct words *words, const struct view *view, Sohoa__Page *layer, struct err *err)
{
    struct adding adding = {.view = view, .scale = view->dpi / 72.0, .page = layer};
    if (words->hidden)
        text_add(&adding, words->hidden);
    page_fit_bounds(layer);
    return adding_end(&adding, err);
}

int words_add(const struct words *words, const struct view *view, Sohoa__Page *page, struct err *err)
{
    struct adding adding = {.view = view, .scale = view->dpi / 72.0, .page = page};
    if (words->contents)
        text_add(&adding, words->contents);
    page_fit_bounds(page);
    size_t blocks = page->n_blocks;
    if (words->notes)
        text_add(&adding, words->notes);
    page_fit_bounds(page);
    stamps_weave(page, blocks);
    page_fit_bounds(page);
    return adding_end(&adding, err);
}
