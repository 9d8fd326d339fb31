/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "worker/reading.h"

#include <stdlib.h>

#include "proto/auto.h"
#include "worker/clean.h"
#include "worker/hand.h"
#include "worker/letters.h"
#include "worker/likeness.h"
#include "worker/phrases.h"
#include "worker/quality.h"
#include "worker/spot.h"
#include "worker/upright.h"

enum {
    READING_SURE_CPCT = 6000, /* mean confidence from which words of a scant page are believed, ... */
    READING_ODD_CPCT = 4000,  /* ... unless this share of them is impossible or garbage: mirrored print is read so */
    READING_DOUBLE_PARTS = 2, /* a read word of which one part of so many lies on an own word is that word */
};

/* How much of [a, a + a_size) lies in [b, b + b_size). */
static int64_t overlap(int64_t a, int64_t a_size, int64_t b, int64_t b_size)
{
    int64_t from = a > b ? a : b, to = a + a_size < b + b_size ? a + a_size : b + b_size;
    return to > from ? to - from : 0;
}

static bool lies_on(const Sohoa__Word *word, const Sohoa__Word *own)
{
    int64_t common = overlap(word->x, word->w, own->x, own->w) * overlap(word->y, word->h, own->y, own->h);
    return READING_DOUBLE_PARTS * common > (int64_t)word->w * word->h;
}

/* The words that page had before it was read; the page owns them and keeps them. */
struct own {
    const Sohoa__Word **words;
    size_t count;
};

static void own_clear(struct own *own)
{
    free(own->words);
    *own = (struct own){0};
}

static void own_add(struct own *own, const Sohoa__Line *line)
{
    for (size_t i = 0; i < line->n_words; i++)
        if (line->words[i]->own)
            own->words[own->count++] = line->words[i];
}

static int own_find(const Sohoa__Page *page, struct own *own, struct err *err)
{
    struct page_figures figures;
    page_measure(page, &figures);
    own->words = calloc(figures.words + 1, sizeof(Sohoa__Word *));
    if (!own->words)
        return err_set(err, E_MEMORY, "no memory for %u words", figures.words);
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++)
            own_add(own, page->blocks[b]->lines[l]);
    return 0;
}

static bool word_is_elsewhere(const Sohoa__Word *word, const void *user)
{
    const struct own *own = user;
    for (size_t i = 0; i < own->count; i++)
        if (lies_on(word, own->words[i]))
            return false;
    return true;
}

static bool word_is_new(const Sohoa__Word *word, const void *user)
{
    return word->own || word_is_elsewhere(word, user);
}

static bool word_is_own(const Sohoa__Word *word, const void *user)
{
    (void)user;
    return word->own;
}

static int page_set_upright(struct reader *reader, struct raster **raster, bool lying, Sohoa__Page *page,
                            struct err *err)
{
    int rc = upright_find(reader, *raster, lying, &page->rotation_deg, err);
    return rc ? rc : clean_turn(raster, page->rotation_deg, err);
}

static bool words_are_sure(Sohoa__Page *page)
{
    struct page_figures figures;
    page_measure(page, &figures);
    quality_measure(page);
    return figures.confidence_cpct >= READING_SURE_CPCT &&
           (!page->quality || page->quality->impossible_cpct + page->quality->garbage_cpct < READING_ODD_CPCT);
}

/* Read words that only seem to be there go: those over own words, and those of a seal's trace. */
static int page_settle(Sohoa__Page *page, bool scant, struct err *err)
{
    AUTO(own_clear) struct own own = {0};
    int rc = own_find(page, &own, err);
    if (rc)
        return rc;
    page_prune(page, word_is_new, &own);
    if (scant && !words_are_sure(page))
        page_prune(page, word_is_own, NULL);
    page_fit_bounds(page);
    if (scant && !page->n_blocks && !page_has_note(page, SOHOA__PAGE_NOTE__NOTE_DAMAGED))
        page->kind = SOHOA__PAGE_KIND__PAGE_BLANK;
    return 0;
}

/* Somebody else read them: they are as sure as the lines that were checked. */
static void page_take_layer(Sohoa__Page *page, Sohoa__Page *layer, uint32_t confidence_cpct)
{
    for (size_t b = 0; b < layer->n_blocks; b++) {
        for (size_t l = 0; l < layer->blocks[b]->n_lines; l++)
            for (size_t w = 0; w < layer->blocks[b]->lines[l]->n_words; w++)
                layer->blocks[b]->lines[l]->words[w]->confidence_cpct = confidence_cpct;
        page_take_block(page, layer->blocks[b]);
    }
    layer->n_blocks = 0;
}

/* The words of a layer that holds become the page's, but for those that say again what is visible. */
static int layer_settle(Sohoa__Page *layer, Sohoa__Page *page, uint32_t confidence_cpct, struct err *err)
{
    AUTO(own_clear) struct own own = {0};
    int rc = own_find(page, &own, err);
    if (rc)
        return rc;
    page_prune(layer, word_is_elsewhere, &own);
    page_take_layer(page, layer, confidence_cpct);
    page_fit_bounds(page);
    return 0;
}

/* A text layer that the page came with: trusted, or refused. */
static int page_check_layer(struct reader *reader, const struct raster *raster, const struct clean_report *report,
                            Sohoa__Page *layer, Sohoa__Page *page, bool *ret_trusted, struct err *err)
{
    struct spot spot = {.verdict = SPOT_SHORT};
    if (!layer || !layer->n_blocks)
        return 0;
    int rc = report->scant ? 0 : spot_check(reader, raster, layer, &spot, err);
    if (rc)
        return rc;
    *ret_trusted = spot.verdict == SPOT_HOLDS;
    page_note(page, *ret_trusted ? SOHOA__PAGE_NOTE__NOTE_LAYER : SOHOA__PAGE_NOTE__NOTE_LAYER_REFUSED);
    if (!*ret_trusted)
        return 0;
    page->rotation_deg = spot.turn_deg;
    return layer_settle(layer, page, spot.mean_like_cpct, err);
}

static int page_run(struct reader *reader, struct raster **raster, bool degraded, Sohoa__Page *layer, Sohoa__Page *page,
                    struct err *err)
{
    bool trusted = false;
    struct clean_report report;
    int rc = clean_page(raster, degraded, &report, err);
    if (rc)
        return rc;
    page->degraded = degraded;
    page->skew_mdeg = report.skew_mdeg;
    for (uint32_t note = 1; report.notes >> note; note++)
        if (report.notes >> note & 1)
            page_note(page, (Sohoa__PageNote)note);
    rc = page_check_layer(reader, *raster, &report, layer, page, &trusted, err);
    if (rc || trusted)
        return rc || page->rotation_deg ? rc : hand_read(*raster, page, err); /* a lying picture stays as it is */
    if (report.tilted)
        rc = page_set_upright(reader, raster, report.lying, page, err);
    if (!rc && !report.blank)
        rc = read_page(reader, *raster, page, err);
    if (!rc)
        rc = page_settle(page, report.scant, err);
    return rc ? rc : hand_read(*raster, page, err);
}

int page_read(struct reader *reader, struct raster **raster, bool degraded, Sohoa__Page *layer, Sohoa__Page *page,
              struct err *err)
{
    int rc = page_run(reader, raster, degraded, layer, page, err);
    if (!rc) {
        phrases_correct(page);
        letters_correct(page);
        quality_measure(page);
        likeness_set(*raster, page);
    }
    if (rc && err)
        err->page_no = page->page_no;
    return rc;
}
