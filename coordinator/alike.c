/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Figures first, then the rule. The limits lie between what bench/duplicates measured of documents scanned twice and of others. */
#include "coordinator/alike.h"

#include <stddef.h>

enum {
    ALL_CPCT = 10000,
    PICTURE_BITS = 64,
    TEXT_LEAST = 12,         /* shingles from which there is a text to compare */
    TEXT_SAME_CPCT = 5000,   /* of the text agree: the same document, ... */
    TEXT_KEYED_CPCT = 2500,  /* ... where the keys are the same, ... */
    TEXT_NEARLY_CPCT = 8500, /* ... and nearly wholly */
    LENGTH_PERCENT = 60,     /* the shorter text has of the longer, at least */
    MARKS_LEAST = 4,         /* that agree */
    MARKS_MISREAD = 1,       /* contexts that may contradict where keys are the same */
    PICTURE_FAR = 14,        /* bits: up to here a picture agrees, ... */
    PICTURE_NEAR = 8,        /* ... nearly wholly, ... */
    PICTURE_ALONE = 3,       /* ... and where nothing else tells */
};

const char *alike_name(enum alike_kind kind)
{
    static const char *const name[] = {"", "bytes", "scan", "document"};
    return name[kind];
}

struct figures {
    uint32_t text_cpct;
    uint32_t marks_same, contexts_apart;
    uint32_t pictures, picture_far; /* compared; bits that differ at the most */
};

/* The values of one context: from at up to what is returned. */
static unsigned context_end(const struct sketch *sketch, unsigned at)
{
    unsigned end = at + 1;
    while (end < sketch->marks && sketch->context[end] == sketch->context[at])
        end++;
    return end;
}

static bool has_value(const struct sketch *sketch, unsigned at, unsigned end, uint8_t value)
{
    while (at < end && sketch->value[at] != value)
        at++;
    return at < end;
}

/* How many of a's values in the context b has, too. */
static unsigned values_in(const struct sketch *a, unsigned at, unsigned end, const struct sketch *b, unsigned b_at,
                          unsigned b_end)
{
    unsigned same = 0;
    for (; at < end; at++)
        same += has_value(b, b_at, b_end, a->value[at]);
    return same;
}

/* A context contradicts when each of the two has a value there that the other lacks. */
static void marks_compare(const struct sketch *a, const struct sketch *b, struct figures *figures)
{
    for (unsigned i = 0, k = 0; i < a->marks && k < b->marks;) {
        unsigned i_end = context_end(a, i), k_end = context_end(b, k);
        if (a->context[i] < b->context[k]) {
            i = i_end;
        } else if (a->context[i] > b->context[k]) {
            k = k_end;
        } else {
            unsigned same = values_in(a, i, i_end, b, k, k_end), back = values_in(b, k, k_end, a, i, i_end);
            figures->marks_same += same;
            figures->contexts_apart += same < i_end - i && back < k_end - k;
            i = i_end;
            k = k_end;
        }
    }
}

/* Samples that are the same by chance, one of 256, are taken off. */
static uint32_t text_compare(const struct sketch *a, const struct sketch *b)
{
    uint32_t same = 0;
    for (unsigned i = 0; i < SKETCH_TEXT; i++)
        same += a->text[i] == b->text[i];
    uint32_t chance = (SKETCH_TEXT * ALL_CPCT) / 256, all = same * ALL_CPCT;
    return all > chance ? (all - chance) / (SKETCH_TEXT - SKETCH_TEXT / 256) : 0;
}

static void pictures_compare(const struct sketch *a, const struct sketch *b, struct figures *figures)
{
    figures->pictures = a->pictures < b->pictures ? a->pictures : b->pictures;
    for (unsigned i = 0; i < figures->pictures; i++) {
        uint32_t far = (uint32_t)__builtin_popcountll(a->picture[i] ^ b->picture[i]);
        figures->picture_far = far > figures->picture_far ? far : figures->picture_far;
    }
}

static struct figures figures_of(const struct sketch *a, const struct sketch *b)
{
    struct figures figures = {0};
    if (a->shingles && b->shingles)
        figures.text_cpct = text_compare(a, b);
    marks_compare(a, b, &figures);
    pictures_compare(a, b, &figures);
    return figures;
}

static bool pictures_agree(const struct figures *figures, uint32_t most)
{
    return figures->pictures && figures->picture_far <= most;
}

static bool keys_differ(const struct sketch *a, const struct sketch *b)
{
    return a->key && b->key && a->key != b->key;
}

static bool lengths_agree(const struct sketch *a, const struct sketch *b)
{
    uint32_t less = a->shingles < b->shingles ? a->shingles : b->shingles, more = a->shingles ^ b->shingles ^ less;
    return less >= TEXT_LEAST && less * 100 >= more * LENGTH_PERCENT;
}

/* Nearly the same all over: what differs was misread. */
static bool nearly_same(const struct figures *figures)
{
    return figures->text_cpct >= TEXT_NEARLY_CPCT && !figures->contexts_apart && pictures_agree(figures, PICTURE_NEAR);
}

static bool texts_agree(const struct sketch *a, const struct sketch *b, const struct figures *figures)
{
    if (!lengths_agree(a, b))
        return false;
    if (keys_differ(a, b))
        return nearly_same(figures) && figures->marks_same >= MARKS_LEAST;
    if (a->key && a->key == b->key)
        return figures->text_cpct >= TEXT_KEYED_CPCT && figures->contexts_apart <= MARKS_MISREAD;
    if (figures->contexts_apart)
        return false;
    return figures->marks_same >= MARKS_LEAST
               ? figures->text_cpct >= TEXT_SAME_CPCT
               : nearly_same(figures) && a->marks < MARKS_LEAST && b->marks < MARKS_LEAST;
}

static bool wordless(const struct sketch *sketch)
{
    return !sketch->shingles && !sketch->marks;
}

static bool pictures_alone(const struct sketch *a, const struct sketch *b, const struct figures *figures)
{
    return wordless(a) && wordless(b) && !keys_differ(a, b) && a->pages == b->pages && a->pages == figures->pictures &&
           pictures_agree(figures, PICTURE_ALONE);
}

/* Most of those that are compared have hardly a word in common: no more is looked at. */
static bool texts_apart(const struct sketch *a, const struct sketch *b)
{
    return a->shingles && b->shingles && text_compare(a, b) < TEXT_KEYED_CPCT;
}

struct alike alike_of(const struct sketch *a, const struct sketch *b)
{
    if (texts_apart(a, b))
        return (struct alike){ALIKE_NOT, 0};
    struct figures figures = figures_of(a, b);
    if (pictures_alone(a, b, &figures))
        return (struct alike){ALIKE_SCAN, (PICTURE_BITS - figures.picture_far) * ALL_CPCT / PICTURE_BITS};
    if (!texts_agree(a, b, &figures))
        return (struct alike){ALIKE_NOT, 0};
    return (struct alike){pictures_agree(&figures, PICTURE_FAR) ? ALIKE_SCAN : ALIKE_DOCUMENT, figures.text_cpct};
}

bool alike_contradict(const struct sketch *a, const struct sketch *b)
{
    struct figures figures = {0};
    marks_compare(a, b, &figures);
    uint32_t misread = a->key && a->key == b->key ? MARKS_MISREAD : 0;
    return figures.contexts_apart > misread || (keys_differ(a, b) && alike_of(a, b).kind == ALIKE_NOT);
}
