/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/live.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/api_live.h"
#include "coordinator/gazetteer.h"
#include "coordinator/http.h"
#include "coordinator/shape.h"
#include "proto/auto.h"
#include "proto/clock.h"

enum {
    SAMPLE_MS = 1000, /* counters are looked at, and who follows events is told */
    BEAT_MS = 15000,  /* who follows hears something at least this often */
};

struct table {
    struct live_unit *unit;
    size_t units;
    uint64_t taken_ms;
};

struct live {
    struct io_task task;         /* putting a copy of the units in words */
    struct table copy;           /* empty: it does not run */
    struct gazetteer *gazetteer; /* its names, which another thread looks for */
    struct buf writing, text;
    uint64_t asked_ms;
    struct series *series;
    struct table now, before; /* before: of LIVE_RATE_MS ago or more, that rates are measured against */
    struct table between;     /* the next one to be that */
    uint64_t sampled_ms, told_ms;
    struct buf told; /* what who follows was told last */
};

static void table_destroy(struct table *table)
{
    free(table->unit);
    *table = (struct table){0};
}

struct live *live_new(uint64_t now_ms)
{
    struct live *live = calloc(1, sizeof *live);
    if (!live)
        abort();
    live->series = series_new(now_ms);
    return live;
}

static void on_rate(uint32_t step_ms, uint64_t number, uint64_t pages, void *user)
{
    series_restore(user, step_ms, number, pages);
}

void live_restore(struct live *live, struct committer *committer)
{
    committer_rates(committer, on_rate, live->series);
}

void live_destroy(struct live **live)
{
    if (!*live)
        return;
    series_destroy(&(*live)->series);
    table_destroy(&(*live)->now);
    table_destroy(&(*live)->before);
    table_destroy(&(*live)->between);
    table_destroy(&(*live)->copy);
    gazetteer_drop(&(*live)->gazetteer);
    buf_destroy(&(*live)->writing);
    buf_destroy(&(*live)->text);
    buf_destroy(&(*live)->told);
    free(*live);
    *live = NULL;
}

const struct live_unit *live_units(const struct live *live, size_t *ret_count)
{
    *ret_count = live->now.units;
    return live->now.unit;
}

uint64_t live_units_ms(const struct live *live)
{
    return live->now.taken_ms;
}

const struct series *live_series(const struct live *live)
{
    return live->series;
}

/* ---- units ---- */

static int name_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int unit_order(const void *a, const void *b)
{
    return strcmp(((const struct live_unit *)a)->unit, ((const struct live_unit *)b)->unit);
}

static struct live_unit *unit_in(const struct table *table, const char *name)
{
    struct live_unit wanted;
    snprintf(wanted.unit, sizeof wanted.unit, "%s", name);
    return table->units ? bsearch(&wanted, table->unit, table->units, sizeof wanted, unit_order) : NULL;
}

const struct live_unit *live_unit(const struct live *live, const char *name)
{
    return unit_in(&live->now, name);
}

/* Lots of one batch come one after another and are mostly of the same unit: names that repeat are left out early. */
static void names_add(const struct batch *batch, struct buf *names)
{
    const char *last = NULL;
    for (uint32_t i = 0; i < batch->lots; i++) {
        const char *name = batch->lot[i]->terms.unit;
        if (!last || strcmp(last, name))
            buf_append(names, &name, sizeof name);
        last = name;
    }
}

static void table_name(struct table *table, const struct coordinator *c)
{
    AUTO(buf_destroy) struct buf names = {0};
    for (uint32_t i = 0; i < c->backlog->batches; i++)
        if (c->backlog->batch[i] && !c->backlog->batch[i]->check_only)
            names_add(c->backlog->batch[i], &names);
    for (uint32_t i = 0; i < c->backlog->targets; i++) {
        const char *name = c->backlog->target[i].unit;
        buf_append(&names, &name, sizeof name);
    }
    const char **name = (const char **)(void *)names.data;
    size_t count = names.size / sizeof *name;
    if (count)
        qsort(name, count, sizeof *name, name_order);
    table->unit = calloc(count + 1, sizeof *table->unit);
    if (!table->unit)
        abort();
    for (size_t i = 0; i < count; i++)
        if (!i || strcmp(name[i], name[i - 1]))
            snprintf(table->unit[table->units++].unit, NAME_BYTES, "%s", name[i]);
}

static void lot_add(struct live_unit *unit, const struct lot *lot)
{
    unit->docs += lot->docs;
    unit->dead += lot->page_count[PAGE_DEAD];
    unit->pages_done += lot->page_count[PAGE_STORED] + lot->page_count[PAGE_DUPLICATE] + lot->page_count[PAGE_DEAD];
    for (int s = 0; s < PAGE_STATES; s++)
        unit->pages += lot->page_count[s];
}

static void batch_add_units(const struct table *table, const struct batch *batch)
{
    struct live_unit *unit = NULL;
    for (uint32_t i = 0; i < batch->lots; i++) {
        const struct lot *lot = batch->lot[i];
        if (!unit || strcmp(unit->unit, lot->terms.unit)) {
            unit = unit_in(table, lot->terms.unit);
            unit->batches++;
        }
        lot_add(unit, lot);
    }
}

static void table_take(struct table *table, const struct coordinator *c, uint64_t now_ms)
{
    AUTO(mem_destroy) struct plan_unit *left = NULL;
    size_t units = plan_units(&c->plan, &left);
    table->taken_ms = now_ms;
    table_name(table, c);
    for (uint32_t i = 0; i < c->backlog->batches; i++)
        if (c->backlog->batch[i] && !c->backlog->batch[i]->check_only)
            batch_add_units(table, c->backlog->batch[i]);
    for (uint32_t i = 0; i < c->backlog->targets; i++)
        unit_in(table, c->backlog->target[i].unit)->expected += c->backlog->target[i].pages;
    for (size_t i = 0; i < units; i++) {
        struct live_unit *unit = unit_in(table, left[i].unit);
        if (unit) /* a batch that came and went since the plan */
            unit->total = left[i].total;
    }
}

static void rates_take(const struct table *now, const struct table *before)
{
    double s = (double)(now->taken_ms - before->taken_ms) / 1000;
    for (size_t i = 0; i < now->units && s > 0; i++) {
        const struct live_unit *was = unit_in(before, now->unit[i].unit);
        if (was && now->unit[i].pages_done > was->pages_done)
            now->unit[i].rate = (double)(now->unit[i].pages_done - was->pages_done) / s;
    }
}

static void units_take(struct live *live, const struct coordinator *c, uint64_t now_ms)
{
    struct table fresh = {0};
    table_take(&fresh, c, now_ms);
    rates_take(&fresh, live->before.units ? &live->before : &live->between);
    if (now_ms >= live->between.taken_ms + LIVE_RATE_MS) {
        table_destroy(&live->before);
        live->before = live->between;
        live->between = live->now;
    } else {
        table_destroy(&live->now);
    }
    live->now = fresh;
}

/* ---- in words ---- */

const struct buf *live_units_text(struct live *live)
{
    live->asked_ms = live->sampled_ms;
    return live->text.size ? &live->text : NULL;
}

static void text_work(struct io_task *task)
{
    struct live *live = (struct live *)task;
    buf_clear(&live->writing);
    units_write(live->gazetteer, live->copy.unit, live->copy.units, live->copy.taken_ms, &live->writing);
}

static void text_done(struct io_task *task)
{
    struct live *live = (struct live *)task;
    struct buf before = live->text;
    live->text = live->writing;
    live->writing = before;
    table_destroy(&live->copy);
    gazetteer_drop(&live->gazetteer);
}

/* Of what was just taken; what nobody has asked for lately is too old for who asks next. */
static void text_start(struct live *live, struct coordinator *c)
{
    if (live->sampled_ms > live->asked_ms + LIVE_ASKED_MS)
        buf_clear(&live->text);
    if (live->copy.unit || live->sampled_ms > live->asked_ms + LIVE_ASKED_MS)
        return;
    live->copy = live->now;
    live->copy.unit = malloc((live->now.units + 1) * sizeof *live->copy.unit);
    if (!live->copy.unit)
        abort();
    memcpy(live->copy.unit, live->now.unit, live->now.units * sizeof *live->copy.unit);
    live->gazetteer = gazetteer_keep(gazetteer_now());
    live->task = (struct io_task){.work = text_work, .done = text_done};
    io_submit(c->back_io, &live->task);
}

/* ---- every second ---- */

static void sample(struct live *live, const struct coordinator *c, uint64_t now_ms)
{
    uint64_t pages = 0, dead = 0;
    struct worker_totals workers;
    for (uint32_t i = 0; i < c->backlog->batches; i++)
        if (c->backlog->batch[i]) {
            pages += c->backlog->batch[i]->pages_read;
            dead += c->backlog->batch[i]->page_count[PAGE_DEAD];
        }
    worker_totals_of(c, &workers);
    series_add(live->series, now_ms, pages, dead, workers.busy_slots, workers.slots);
}

/* Who follows is told what changed, or that we are there still. */
static void followers_tell(struct live *live, struct coordinator *c, uint64_t now_ms)
{
    if (!http_followed(c->http))
        return;
    static const struct account whole; /* of all units */
    AUTO(json_drop) json_t *overview = overview_json(c, &whole, now_ms);
    AUTO(mem_destroy) char *text = json_dumps(overview, JSON_COMPACT | JSON_SORT_KEYS);
    if (strcmp(text, buf_text(&live->told))) {
        buf_clear(&live->told);
        buf_puts(&live->told, text);
        http_tell(c->http, "overview", text);
        live->told_ms = now_ms;
    } else if (now_ms >= live->told_ms + BEAT_MS) {
        http_tell(c->http, NULL, NULL);
        live->told_ms = now_ms;
    }
}

void live_tick(struct coordinator *c, uint64_t now_ms)
{
    struct live *live = c->live;
    if (now_ms < live->sampled_ms + SAMPLE_MS && now_ms >= live->sampled_ms)
        return;
    live->sampled_ms = now_ms;
    sample(live, c, now_ms);
    if (now_ms >= live->now.taken_ms + LIVE_UNITS_MS || now_ms < live->now.taken_ms) {
        units_take(live, c, now_ms);
        text_start(live, c);
    }
    followers_tell(live, c, now_ms);
}
