/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A class is a histogram of pages over cost, in bins a quarter of an octave wide: quantiles to 9 %, whatever the shape. */
#include "coordinator/cost.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum {
    BINS = 80, /* of 1 ms to 2^20 ms */
    BINS_AN_OCTAVE = 4,
    KEPT_PAGES = 4096,   /* what a class remembers: then all it has counts half */
    BORROWED_PAGES = 32, /* all pages together count as many of a class's own */
    PRESET_PAGES = 8,    /* likewise, what is assumed before anything was read */
    PRESET_MS = 1000,
    ALL = COST_UNKNOWN, /* the histogram of all pages */
};

struct class
{
    float pages[BINS];
    float total;
    double ms;             /* of all pages */
    struct cost_page page; /* as of so many learned: */
    uint64_t known;
};

struct cost {
    struct class class[COST_CLASSES];
    uint64_t learned;
};

struct cost *cost_new(void)
{
    struct cost *cost = calloc(1, sizeof *cost);
    if (!cost)
        abort();
    for (int i = 0; i < COST_CLASSES; i++)
        cost->class[i].known = UINT64_MAX;
    return cost;
}

void cost_destroy(struct cost **cost)
{
    free(*cost);
    *cost = NULL;
}

static unsigned bits_step(uint32_t bits)
{
    return !bits ? 0 : bits == 1 ? 1 : bits <= 8 ? 2 : 3;
}

static unsigned dpi_step(uint32_t dpi)
{
    return !dpi ? 0 : dpi <= 220 ? 1 : dpi <= 330 ? 2 : 3;
}

static unsigned bytes_step(uint64_t bytes, uint32_t pages)
{
    uint64_t a_page = bytes / (pages ? pages : 1);
    return a_page < 48 << 10 ? 0 : a_page < 192 << 10 ? 1 : a_page < 768 << 10 ? 2 : 3;
}

uint8_t cost_class(const Sohoa__Probe *probe)
{
    static const unsigned type[] = {0, 0, 1, 2, 2}; /* by SourceKind: unknown as PDF, PNG as JPEG */
    unsigned kind = (unsigned)probe->kind < sizeof type / sizeof type[0] ? type[probe->kind] : 0;
    return (uint8_t)(1 + ((kind * 4 + bits_step(probe->bits)) * 4 + dpi_step(probe->dpi)) * 4 +
                     bytes_step(probe->bytes, probe->pages));
}

static unsigned bin_of(double ms)
{
    double bin = ms <= 1 ? 0 : log2(ms) * BINS_AN_OCTAVE;
    return bin < BINS - 1 ? (unsigned)bin : BINS - 1;
}

/* Its middle. */
static double bin_ms(unsigned bin)
{
    return exp2((bin + 0.5) / BINS_AN_OCTAVE);
}

static void class_learn(struct class *class, uint32_t pages, uint64_t cpu_ms)
{
    if (class->total >= KEPT_PAGES) {
        for (int i = 0; i < BINS; i++)
            class->pages[i] /= 2;
        class->total /= 2;
        class->ms /= 2;
    }
    class->pages[bin_of((double)cpu_ms / pages)] += (float)pages;
    class->total += (float)pages;
    class->ms += (double)cpu_ms;
}

void cost_learn(struct cost *cost, uint8_t class, uint32_t pages, uint64_t cpu_ms)
{
    if (!pages)
        return;
    assert(class < COST_CLASSES);
    if (class != ALL)
        class_learn(&cost->class[class], pages, cpu_ms);
    class_learn(&cost->class[ALL], pages, cpu_ms);
    cost->learned++;
}

/* A mixture of the class's own pages, of all pages, and of the preset. */
struct mixture {
    const struct class *own, *all;
    double own_weight, all_weight, preset_weight; /* 1 in all */
};

static struct mixture mixture_of(const struct cost *cost, const struct class *class)
{
    const struct class *all = &cost->class[ALL];
    double own = class == all ? 0 : class->total, borrowed = class == all ? 1 : BORROWED_PAGES / (own + BORROWED_PAGES);
    double known = all->total / (all->total + PRESET_PAGES);
    return (struct mixture){class, all, 1 - borrowed, borrowed * known, borrowed * (1 - known)};
}

static double mixture_share(const struct mixture *mix, unsigned bin)
{
    double share = bin == bin_of(PRESET_MS) ? mix->preset_weight : 0;
    if (mix->own_weight > 0)
        share += mix->own_weight * mix->own->pages[bin] / mix->own->total;
    if (mix->all_weight > 0)
        share += mix->all_weight * mix->all->pages[bin] / mix->all->total;
    return share;
}

static double mixture_quantile(const struct mixture *mix, double quantile)
{
    double below = 0;
    unsigned bin = 0;
    while (bin < BINS - 1 && (below += mixture_share(mix, bin)) < quantile)
        bin++;
    return bin_ms(bin);
}

static double mixture_mean(const struct mixture *mix)
{
    double mean = mix->preset_weight * PRESET_MS;
    if (mix->own_weight > 0)
        mean += mix->own_weight * mix->own->ms / mix->own->total;
    if (mix->all_weight > 0)
        mean += mix->all_weight * mix->all->ms / mix->all->total;
    return mean;
}

/* Looked through again once a sixteenth more is known: a grant asks each time. */
static const struct cost_page *class_page(const struct cost *cost, struct class *class)
{
    if (class->known != UINT64_MAX && cost->learned - class->known <= class->known / 16)
        return &class->page;
    struct mixture mix = mixture_of(cost, class);
    class->page = (struct cost_page){mixture_mean(&mix), mixture_quantile(&mix, 0.5), mixture_quantile(&mix, 0.9)};
    class->known = cost->learned;
    return &class->page;
}

const struct cost_page *cost_of(struct cost *cost, uint8_t class)
{
    assert(class < COST_CLASSES);
    return class_page(cost, &cost->class[class]);
}
