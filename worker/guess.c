/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Weights are multiplied and never summed over an order that could vary: the same pages give the same doubles. */
#include "worker/guess.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is not listed shares its weight among so many. */
#define GUESS_OTHERS 30.0
/* What a reading is worth, by the confidence that it has at least: text that the source itself carries, clear print, and so on down. The
 * recogniser says a wrong number of handwriting at 95 %, too. */
static const struct {
    uint32_t confidence_cpct;
    double ratio;
} worth[] = {
    {10000, 5000},
    {9300,  200 },
    {8000,  60  },
    {6000,  8   },
    {0,     2.5 }
};

enum { GUESS_MOST_CPCT = 9800, GUESS_SURE_CPCT = 10000 };

const Sohoa__Hand *guess_hand(const struct lines *page, const struct line *line, Sohoa__HandKind kind)
{
    int64_t top = INT32_MAX, bottom = INT32_MIN;
    for (size_t i = 0; i < line->words; i++) {
        int64_t end = (int64_t)line->word[i]->y + line->word[i]->h;
        top = line->word[i]->y < top ? line->word[i]->y : top;
        bottom = end > bottom ? end : bottom;
    }
    for (size_t i = 0; i < page->page->n_hands; i++) {
        const Sohoa__Hand *hand = page->page->hands[i];
        int64_t middle = hand->y + (int64_t)hand->h / 2;
        if (hand->kind == kind && middle > top && middle < bottom)
            return hand;
    }
    return NULL;
}

void guesses_begin(struct guesses *guesses, const Sohoa__Hand *hand)
{
    *guesses = (struct guesses){.other = 1};
    for (size_t i = 0; hand && i < hand->n_guesses && guesses->count < GUESSES; i++) {
        struct guess *guess = &guesses->at[guesses->count++];
        snprintf(guess->text, sizeof guess->text, "%s", hand->guesses[i]->text);
        guess->weight = hand->guesses[i]->confidence_cpct / (double)GUESS_SURE_CPCT;
        guesses->other -= guess->weight;
    }
    guesses->other = guesses->other > 0.005 ? guesses->other : 0.005;
}

static struct guess *guess_find(struct guesses *guesses, const char *text)
{
    for (size_t i = 0; i < guesses->count; i++)
        if (!strcmp(guesses->at[i].text, text))
            return &guesses->at[i];
    return NULL;
}

double guesses_weight(const struct guesses *guesses, const char *text)
{
    for (size_t i = 0; i < guesses->count; i++)
        if (!strcmp(guesses->at[i].text, text))
            return guesses->at[i].weight;
    return 0;
}

void guesses_support(struct guesses *guesses, const char *text, double ratio)
{
    struct guess *guess = guess_find(guesses, text);
    if (!guess && guesses->count < GUESSES) {
        guess = &guesses->at[guesses->count++];
        snprintf(guess->text, sizeof guess->text, "%s", text);
        guess->weight = guesses->other / GUESS_OTHERS;
        guesses->other -= guess->weight;
    }
    if (guess)
        guess->weight *= ratio;
}

static int by_weight(const void *a, const void *b)
{
    const struct guess *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return strcmp(x->text, y->text);
}

void guesses_sort(struct guesses *guesses)
{
    if (guesses->count)
        qsort(guesses->at, guesses->count, sizeof *guesses->at, by_weight);
}

uint32_t guesses_cpct(const struct guesses *guesses, size_t i)
{
    double sum = guesses->other;
    for (size_t k = 0; k < guesses->count; k++)
        sum += guesses->at[k].weight;
    if (i >= guesses->count || sum <= 0)
        return 0;
    uint32_t cpct = (uint32_t)(guesses->at[i].weight / sum * GUESS_SURE_CPCT);
    return cpct < GUESS_MOST_CPCT ? cpct : GUESS_MOST_CPCT;
}

double guess_reading_ratio(uint32_t confidence_cpct)
{
    size_t i = 0;
    while (confidence_cpct < worth[i].confidence_cpct)
        i++;
    return worth[i].ratio;
}
