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

static bool word_is_new(const Sohoa__Word *word, const void *user)
{
    const struct own *own = user;
    for (size_t i = 0; i < own->count && !word->own; i++)
        if (lies_on(word, own->words[i]))
            return false;
    return true;
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

static int page_run(struct reader *reader, struct raster **raster, bool degraded, Sohoa__Page *page, struct err *err)
{
    struct clean_report report;
    int rc = clean_page(raster, degraded, &report, err);
    if (rc)
        return rc;
    page->degraded = degraded;
    page->skew_mdeg = report.skew_mdeg;
    for (uint32_t note = 1; report.notes >> note; note++)
        if (report.notes >> note & 1)
            page_note(page, (Sohoa__PageNote)note);
    if (report.tilted)
        rc = page_set_upright(reader, raster, report.lying, page, err);
    if (!rc && !report.blank)
        rc = read_page(reader, *raster, page, err);
    return rc ? rc : page_settle(page, report.scant, err);
}

int page_read(struct reader *reader, struct raster **raster, bool degraded, Sohoa__Page *page, struct err *err)
{
    int rc = page_run(reader, raster, degraded, page, err);
    if (!rc)
        rc = hand_read(*raster, page, err);
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
