/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The limits were set on scans of bench/scans: three in ten of the words that are nowhere in the truth go, and of those
 * that are there one in 7,000. */
#include "worker/specks.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "proto/auto.h"

enum {
    SPECKS_WORD_CHARS = 3,    /* words of at least so many characters tell a page's usual height */
    SPECKS_FLAT_PARTS = 3,    /* lower than this part of it are only dashes and the like, */
    SPECKS_FLAT_CPCT = 8000,  /* unless they are read with this confidence; */
    SPECKS_LINE_CPCT = 3000,  /* dashes and the like are believed from this one on */
    SPECKS_SMALL_PARTS = 2,   /* lower than this part of it ... */
    SPECKS_SMALL_LETTERS = 2, /* ... are words of so few letters specks */
    SPECKS_SMALL_CPCT = 2000, /* below this confidence */
};

struct shape {
    unsigned chars, letters, digits;
    bool low; /* only characters that are low in print, too */
};

static bool rune_is_low(utf8proc_int32_t rune)
{
    switch (rune) {
    case '-':
    case '.':
    case ',':
    case '*':
    case '+':
    case '~':    /* what a dash is misread for */
    case 0x2013: /* dashes */
    case 0x2014:
    case 0x2026: return true; /* ... */
    default: return false;
    }
}

static struct shape word_shape(const Sohoa__Word *word)
{
    struct shape shape = {.low = true};
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)word->text;
    utf8proc_int32_t rune;
    for (utf8proc_ssize_t bytes; *at && (bytes = utf8proc_iterate(at, -1, &rune)) > 0; at += bytes) {
        utf8proc_category_t category = utf8proc_category(rune);
        shape.chars++;
        shape.letters += category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
        shape.digits += category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
        shape.low = shape.low && rune_is_low(rune);
    }
    return shape;
}

static bool word_is_word(const Sohoa__Word *word, const void *user)
{
    const uint32_t usual_px = *(const uint32_t *)user, cpct = word->confidence_cpct;
    struct shape shape = word_shape(word);
    if (word->own || shape.digits)
        return true;
    bool flat = SPECKS_FLAT_PARTS * word->h < usual_px, small = SPECKS_SMALL_PARTS * word->h < usual_px;
    if (flat && cpct < (shape.low ? SPECKS_LINE_CPCT : SPECKS_FLAT_CPCT))
        return false;
    return !small || shape.letters > SPECKS_SMALL_LETTERS || cpct >= SPECKS_SMALL_CPCT;
}

static int height_order(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    return (one > other) - (one < other);
}

static size_t heights_take(const Sohoa__Page *page, uint32_t *heights_px)
{
    size_t count = 0;
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++)
            for (size_t i = 0; i < page->blocks[b]->lines[l]->n_words; i++) {
                const Sohoa__Word *word = page->blocks[b]->lines[l]->words[i];
                if (word_shape(word).chars >= SPECKS_WORD_CHARS)
                    heights_px[count++] = word->h;
            }
    return count;
}

int specks_drop(Sohoa__Page *page, struct err *err)
{
    struct page_figures figures;
    page_measure(page, &figures);
    AUTO(mem_destroy) uint32_t *heights_px = calloc(figures.words + 1, sizeof *heights_px);
    if (!heights_px)
        return err_set(err, E_MEMORY, "no memory for %u words", figures.words);
    size_t count = heights_take(page, heights_px);
    qsort(heights_px, count, sizeof *heights_px, height_order);
    if (count)
        page_prune(page, word_is_word, &heights_px[count / 2]);
    return 0;
}
