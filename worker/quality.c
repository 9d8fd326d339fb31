/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Every share of words weighs a word by its letters. All figures are whole numbers from start to end, so that they are
 * the same wherever they are computed. */
#include "worker/quality.h"

#include <stdbool.h>
#include <stdlib.h>

#include "proto/auto.h"
#include "worker/token.h"

enum {
    QUALITY_ALL_CPCT = 10000,
    QUALITY_LOW_PCT = 10,
    QUALITY_MEDIAN_PCT = 50,

    /* Circular 05/2025/TT-BNV, art. 8: scans have at least 200 dpi and 24 bits of colour. */
    QUALITY_LEAST_DPI = 198, /* what 200 dpi can come out as when a sheet's size was rounded to pixels */
    QUALITY_LEAST_BITS = 24,

    /* One wrong letter in a line of a hundred is what a reader forgives; with one in twenty, most words are still
     * found by a search. */
    QUALITY_GRADE_A_CPCT = 100,
    QUALITY_GRADE_B_CPCT = 500,

    /* The predicted error, in 1/1000 of: the squared doubt of a letter (a word at 50 % is far more often wrong than two
     * at 75 %), what the 10th percentile lacks, and the share of words that can't be. All are positive, so a worse
     * figure never gives a better prediction. Fitted on synthetic truth. */
    QUALITY_PER_DOUBT = 900,
    QUALITY_PER_P10 = 60,
    QUALITY_PER_IMPOSSIBLE = 600,
    QUALITY_PER_GARBAGE = 600,
    QUALITY_PER_ALL = 1000,

    /* Divided by the root of the number of letters: on a page with few, a line lost under a seal or a signature is a
     * larger part, and no figure of what was read knows of it. */
    QUALITY_SHORT_CPCT = 1200,
    QUALITY_SHORT_LETTERS = 50, /* fewer count as so many */
    QUALITY_ROOT_SCALE = 100,
};

/* ---- figures ---- */

struct sample {
    uint32_t cpct, letters;
};

/* Of the words of a line or page. */
struct tally {
    struct sample *samples; /* borrowed */
    size_t count;
    uint64_t letters, impossible, garbage;
    uint64_t doubt_cpct; /* summed over the letters: the square of what confidence lacks */
};

static void tally_add(struct tally *tally, const Sohoa__Word *word)
{
    uint32_t letters = letters_of(word->text);
    uint64_t lacks_cpct = QUALITY_ALL_CPCT - word->confidence_cpct;
    enum token kind = token_look(word->text);
    tally->samples[tally->count++] = (struct sample){.cpct = word->confidence_cpct, .letters = letters};
    tally->letters += letters;
    tally->doubt_cpct += letters * (lacks_cpct * lacks_cpct / QUALITY_ALL_CPCT);
    tally->impossible += kind == TOKEN_IMPOSSIBLE ? letters : 0;
    tally->garbage += kind == TOKEN_GARBAGE ? letters : 0;
}

static void tally_join(struct tally *page, const struct tally *line)
{
    page->count += line->count;
    page->letters += line->letters;
    page->impossible += line->impossible;
    page->garbage += line->garbage;
    page->doubt_cpct += line->doubt_cpct;
}

static int sample_compare(const void *a, const void *b)
{
    const struct sample *one = a, *two = b;
    return (one->cpct > two->cpct) - (one->cpct < two->cpct);
}

/* The confidence that so many percent of the letters don't exceed; samples are sorted. */
static uint32_t percentile(const struct tally *tally, uint32_t pct)
{
    uint64_t letters = 0;
    for (size_t i = 0; i < tally->count; i++) {
        letters += tally->samples[i].letters;
        if (letters * 100 >= tally->letters * pct)
            return tally->samples[i].cpct;
    }
    return 0;
}

static uint32_t share_cpct(uint64_t part, uint64_t whole)
{
    return (uint32_t)((part * QUALITY_ALL_CPCT + whole / 2) / whole);
}

static void figures_drop(Sohoa__Quality **quality)
{
    if (*quality)
        sohoa__quality__free_unpacked(*quality, NULL);
    *quality = NULL;
}

static void figures_set(Sohoa__Quality **quality, struct tally *tally)
{
    figures_drop(quality);
    if (!tally->letters)
        return;
    Sohoa__Quality *figures = malloc(sizeof *figures);
    if (!figures)
        abort();
    sohoa__quality__init(figures);
    qsort(tally->samples, tally->count, sizeof *tally->samples, sample_compare);
    figures->confidence_p10_cpct = percentile(tally, QUALITY_LOW_PCT);
    figures->confidence_p50_cpct = percentile(tally, QUALITY_MEDIAN_PCT);
    figures->impossible_cpct = share_cpct(tally->impossible, tally->letters);
    figures->garbage_cpct = share_cpct(tally->garbage, tally->letters);
    *quality = figures;
}

/* ---- what they say ---- */

static uint64_t root_of(uint64_t square)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
        if ((root | bit) * (root | bit) <= square)
            root |= bit;
    return root;
}

static uint64_t short_cpct(uint64_t letters)
{
    uint64_t counted = letters > QUALITY_SHORT_LETTERS ? letters : QUALITY_SHORT_LETTERS;
    return (uint64_t)QUALITY_SHORT_CPCT * QUALITY_ROOT_SCALE /
           root_of(counted * QUALITY_ROOT_SCALE * QUALITY_ROOT_SCALE);
}

static uint32_t predict_cpct(const struct tally *tally, const Sohoa__Quality *figures)
{
    uint64_t error = QUALITY_PER_DOUBT * tally->doubt_cpct / tally->letters +
                     (uint64_t)QUALITY_PER_P10 * (QUALITY_ALL_CPCT - figures->confidence_p10_cpct) +
                     (uint64_t)QUALITY_PER_IMPOSSIBLE * figures->impossible_cpct +
                     (uint64_t)QUALITY_PER_GARBAGE * figures->garbage_cpct;
    error = error / QUALITY_PER_ALL + short_cpct(tally->letters);
    return error < QUALITY_ALL_CPCT ? (uint32_t)error : QUALITY_ALL_CPCT;
}

static Sohoa__Grade grade_of(uint32_t error_cpct)
{
    if (error_cpct < QUALITY_GRADE_A_CPCT)
        return SOHOA__GRADE__GRADE_A;
    return error_cpct < QUALITY_GRADE_B_CPCT ? SOHOA__GRADE__GRADE_B : SOHOA__GRADE__GRADE_C;
}

const char *grade_name(Sohoa__Grade grade)
{
    switch (grade) {
    case SOHOA__GRADE__GRADE_A: return "A";
    case SOHOA__GRADE__GRADE_B: return "B";
    case SOHOA__GRADE__GRADE_C: return "C";
    default: return NULL;
    }
}

static void scan_note(Sohoa__Page *page)
{
    if (page->dpi_scan && page->dpi_scan < QUALITY_LEAST_DPI)
        page_note(page, SOHOA__PAGE_NOTE__NOTE_LOW_DPI);
    if (page->dpi_scan && page->bits < QUALITY_LEAST_BITS)
        page_note(page, SOHOA__PAGE_NOTE__NOTE_LOW_COLOUR);
}

/* Puts the line's samples behind the page's. */
static void line_measure(Sohoa__Line *line, struct tally *page)
{
    struct tally tally = {.samples = page->samples + page->count};
    for (size_t i = 0; i < line->n_words; i++)
        if (!line->words[i]->own)
            tally_add(&tally, line->words[i]);
    figures_set(&line->quality, &tally);
    tally_join(page, &tally);
}

/* Whatever was read: there should have been something, or there should have been more. */
static bool page_is_suspect(const Sohoa__Page *page, uint32_t words)
{
    return page->kind == SOHOA__PAGE_KIND__PAGE_SCAN && (!words || page_has_note(page, SOHOA__PAGE_NOTE__NOTE_DAMAGED));
}

void quality_measure(Sohoa__Page *page)
{
    struct page_figures figures;
    page_measure(page, &figures);
    AUTO(mem_destroy) struct sample *samples = calloc(figures.words + 1, sizeof *samples);
    if (!samples)
        abort();
    struct tally tally = {.samples = samples};
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t i = 0; i < page->blocks[b]->n_lines; i++)
            line_measure(page->blocks[b]->lines[i], &tally);
    figures_set(&page->quality, &tally);
    page->error_cpct = page->quality ? predict_cpct(&tally, page->quality) : 0;
    page->grade = page->quality ? grade_of(page->error_cpct) : SOHOA__GRADE__GRADE_NONE;
    if (page_is_suspect(page, figures.words))
        page->grade = SOHOA__GRADE__GRADE_C;
    scan_note(page);
}
