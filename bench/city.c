/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "bench/city.h"

#include <math.h>
#include <stdlib.h>

#include "bench/chance.h"

static const double priority_share[CITY_PRIORITIES] = {0.10, 0.20, 0.30, 0.25, 0.15};

enum {
    MEAN_PAGES = 7,
    MOST_PAGES = 400,
    PAGE_MS = 800,
    DAYS = 180, /* due dates are days of such a campaign */
};

/* The stream of a document or the like. */
static struct chance draws(const struct city *city, uint32_t what, uint32_t which, uint32_t nth)
{
    return chance_branch(city->seed * 1000 + what, (uint64_t)which << 32 | nth);
}

static double draw(const struct city *city, uint32_t what, uint32_t which, uint32_t nth)
{
    struct chance chance = draws(city, what, which, nth);
    return chance_real(&chance, 0, 1);
}

/* A standard normal number (Box and Muller). */
static double normal(const struct city *city, uint32_t what, uint32_t which, uint32_t nth)
{
    struct chance chance = draws(city, what, which, nth);
    double radius = sqrt(-2 * log(1 - chance_real(&chance, 0, 1)));
    return radius * cos(2 * M_PI * chance_real(&chance, 0, 1));
}

enum { DRAW_DISTRICT, DRAW_COMMUNE, DRAW_LOT, DRAW_HOME, DRAW_DUE, DRAW_DAY, DRAW_COST, DRAW_PAGES, DRAW_PAGE };

uint32_t city_doc_pages(const struct city *city, uint32_t lot, uint32_t doc)
{
    double pages = ceil(-log(1 - draw(city, DRAW_PAGES, lot, doc)) * (MEAN_PAGES - 0.5)); /* geometric */
    return pages < 1 ? 1 : pages > MOST_PAGES ? MOST_PAGES : (uint32_t)pages;
}

double city_doc_ms(const struct city *city, uint32_t lot, uint32_t doc)
{
    const double spread = 0.4;
    return city->lot[lot].page_ms * exp(spread * normal(city, DRAW_PAGE, lot, doc) - spread * spread / 2);
}

static void lots_weigh(struct city *city, double weight[CITY_LOTS])
{
    double sum = 0;
    for (uint32_t i = 0; i < CITY_LOTS; i++) {
        struct city_lot *lot = &city->lot[i];
        uint32_t commune = i / CITY_PRIORITIES;
        uint32_t district = (uint32_t)(draw(city, DRAW_HOME, commune, 0) * CITY_DISTRICTS);
        lot->commune = commune;
        lot->priority = 1 + i % CITY_PRIORITIES;
        weight[i] = priority_share[lot->priority - 1] * exp(0.6 * normal(city, DRAW_DISTRICT, district, 0)) *
                    exp(0.5 * normal(city, DRAW_COMMUNE, commune, 0)) * exp(0.3 * normal(city, DRAW_LOT, i, 0));
        sum += weight[i];
        /* A district has its month; within it what matters more is due sooner; communes have their days. */
        double day = 0.15 + 0.75 * draw(city, DRAW_DUE, district, 0) + 0.02 * lot->priority +
                     0.03 * (draw(city, DRAW_DAY, commune, 0) - 0.5);
        lot->due = ceil(day * DAYS) / DAYS;
        lot->page_ms = PAGE_MS * exp(0.25 * normal(city, DRAW_COST, commune, 0));
    }
    for (uint32_t i = 0; i < CITY_LOTS; i++)
        weight[i] /= sum;
}

static void lot_count(struct city *city, uint32_t lot)
{
    for (uint32_t doc = 0; doc < city->lot[lot].docs; doc++) {
        uint32_t pages = city_doc_pages(city, lot, doc);
        city->lot[lot].pages += pages;
        city->lot[lot].core_ms += pages * city_doc_ms(city, lot, doc);
    }
    city->pages += city->lot[lot].pages;
    city->core_ms += city->lot[lot].core_ms;
}

void city_make(struct city *city, uint64_t seed, uint64_t pages)
{
    double weight[CITY_LOTS];
    *city = (struct city){.seed = seed};
    lots_weigh(city, weight);
    for (uint32_t i = 0; i < CITY_LOTS; i++) {
        city->lot[i].docs = 1 + (uint32_t)(weight[i] * (double)pages / MEAN_PAGES);
        lot_count(city, i);
    }
}

static int sooner(const void *a, const void *b)
{
    const struct city_lot *x = *(const struct city_lot *const *)a, *y = *(const struct city_lot *const *)b;
    return x->due < y->due ? -1 : x->due > y->due;
}

double city_load(const struct city *city, double horizon_ms, double cores)
{
    const struct city_lot *order[CITY_LOTS];
    double work = 0, most = 0;
    for (uint32_t i = 0; i < CITY_LOTS; i++)
        order[i] = &city->lot[i];
    qsort(order, CITY_LOTS, sizeof order[0], sooner);
    for (uint32_t i = 0; i < CITY_LOTS; i++) {
        work += order[i]->core_ms;
        if (i + 1 == CITY_LOTS || order[i + 1]->due > order[i]->due)
            most = fmax(most, work / (cores * horizon_ms * order[i]->due));
    }
    return most;
}
