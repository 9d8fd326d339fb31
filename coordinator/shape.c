/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/shape.h"

#include "proto/auto.h"
#include "proto/clock.h"

json_t *documents_json(const uint64_t count[DOC_STATES])
{
    json_t *json = json_object();
    json_int_t total = 0;
    for (int s = 0; s < DOC_STATES; s++) {
        json_object_set_new(json, doc_state_name(s), json_integer((json_int_t)count[s]));
        total += (json_int_t)count[s];
    }
    json_object_set_new(json, "total", json_integer(total));
    return json;
}

json_t *pages_json(const uint64_t count[PAGE_STATES])
{
    json_t *json = json_object();
    json_int_t total = 0;
    for (int s = 0; s < PAGE_STATES; s++) {
        json_object_set_new(json, page_state_name(s), json_integer((json_int_t)count[s]));
        total += (json_int_t)count[s];
    }
    json_object_set_new(json, "total", json_integer(total));
    return json;
}

static void counts_add(struct totals *totals, const uint32_t docs[DOC_STATES], const uint64_t pages[PAGE_STATES])
{
    for (int s = 0; s < DOC_STATES; s++)
        totals->docs[s] += docs[s];
    for (int s = 0; s < PAGE_STATES; s++)
        totals->pages[s] += pages[s];
}

void totals_add(struct totals *totals, const struct batch *batch, const struct account *account)
{
    if (!account_covers_some(account, batch))
        return;
    totals->batches++;
    if (!account->units)
        counts_add(totals, batch->doc_count, batch->page_count);
    for (uint32_t i = 0; account->units && i < batch->lots; i++)
        if (account_covers(account, batch->lot[i]->terms.unit))
            counts_add(totals, batch->lot[i]->doc_count, batch->lot[i]->page_count);
}

void totals_of(const struct backlog *backlog, const struct account *account, struct totals *totals)
{
    for (uint32_t i = 0; i < backlog->batches; i++)
        if (backlog->batch[i] && !backlog->batch[i]->check_only)
            totals_add(totals, backlog->batch[i], account);
}

json_t *day_json(int64_t day)
{
    char date[DAY_CHARS + 1];
    return day ? json_string(day_date(day_start_ms(day), date)) : json_null();
}

json_t *kin_json(const struct kin *kin, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "unit", kin[i].place->unit, "name", kin[i].place->name,
                                              "coverage", coverage_name(kin[i].coverage)));
    return list;
}

json_t *err_json(const struct coordinator *c, uint32_t fault)
{
    if (fault == NONE)
        return json_null();
    const struct fault *why = &c->backlog->fault[fault];
    return json_pack("{s:s, s:s, s:i}", "code", err_name(why->code), "text", why->text, "page", (int)why->page_no);
}

const char *batch_state(const struct batch *batch)
{
    bool open = batch->doc_count[SOHOA__DOC_STATE__DOC_OPEN] || batch->more;
    return batch->withdrawn ? "withdrawn" : !open ? "finished" : batch->standing.paused ? "paused" : "running";
}

json_t *batch_json(const struct coordinator *c, const struct account *account, const struct batch *batch)
{
    const struct place *unit = place_find(batch->unit);
    struct totals totals = {0};
    totals_add(&totals, batch, account);
    return json_pack("{s:s, s:s, s:o, s:b, s:I, s:i, s:I, s:s, s:b, s:o, s:o, s:o, s:I, s:I}", "id", batch->id, "state",
                     batch_state(batch), "paused_by", err_json(c, batch->standing.fault), "more", batch->more,
                     "manifest_bytes", (json_int_t)batch->manifest_bytes, "priority", (int)batch_priority(batch),
                     "deadline_ms", (json_int_t)batch_deadline_ms(batch), "unit", batch->unit, "unit_old",
                     unit && place_ended(unit, day_of(clock_wall_ms())), "became",
                     kin_json(unit ? unit->successor : NULL, unit ? unit->successors : 0), "documents",
                     documents_json(totals.docs), "pages", pages_json(totals.pages), "cpu_ms",
                     (json_int_t)batch->cpu_ms, "pages_read", (json_int_t)batch->pages_read);
}

static json_t *worker_json(const struct coordinator *c, uint32_t worker)
{
    const struct sched_worker *w = sched_worker(c->sched, worker);
    static const struct peer unheard; /* of which only an order is known */
    const struct peer *peer = worker < c->peers ? &c->peer[worker] : &unheard;
    char pipeline[SHA256_HEX_CHARS + 1] = "";
    if (peer->heard_ms)
        sha256_hex(c->backlog->pipeline[w->pipeline], pipeline);
    return json_pack("{s:s, s:i, s:i, s:i, s:b, s:b, s:s, s:f, s:I, s:s, s:s, s:s, s:I}", "name", w->name, "slots",
                     (int)w->slots, "busy", (int)peer->busy_slots, "leases", (int)w->leases, "connected", w->connected,
                     "drained", w->drained, "tags", w->tags, "pace", (double)w->pace, "copies", (json_int_t)w->copies,
                     "pipeline", pipeline, "lang", peer->lang, "build", peer->build, "rss_bytes",
                     (json_int_t)peer->rss_bytes);
}

json_t *workers_json(const struct coordinator *c)
{
    json_t *workers = json_array();
    for (uint32_t i = 0; i < sched_workers(c->sched); i++)
        json_array_append_new(workers, worker_json(c, i));
    return workers;
}

void worker_totals_of(const struct coordinator *c, struct worker_totals *totals)
{
    *totals = (struct worker_totals){0};
    for (uint32_t i = 0; i < sched_workers(c->sched); i++) {
        const struct sched_worker *worker = sched_worker(c->sched, i);
        totals->connected += worker->connected;
        totals->lost += !worker->connected;
        totals->drained += worker->drained;
        totals->slots += worker->connected ? worker->slots : 0;
        totals->busy_slots += worker->connected && i < c->peers ? c->peer[i].busy_slots : 0;
    }
}
