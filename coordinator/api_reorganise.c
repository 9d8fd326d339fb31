/* SPDX-License-Identifier: AGPL-3.0-or-later
 * An order and its preview say the same: both are made of the gazetteer as it would be. */
#include "coordinator/api_reorganise.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/api_body.h"
#include "coordinator/gazetteer.h"
#include "coordinator/reorganisation.h"
#include "coordinator/shape.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"
#include "storage/ledger.h"

_Static_assert(REORGANISATION_CSV_BYTES + 1024 <= LEDGER_ENTRY_BYTES, "a table fits in a ledger entry");

/* ---- what is filed under units that end ---- */

struct filed {
    json_int_t docs, pages, batches, targets, accounts;
};

static void filed_add(struct filed *sum, const struct filed *more)
{
    sum->docs += more->docs;
    sum->pages += more->pages;
    sum->batches += more->batches;
    sum->targets += more->targets;
    sum->accounts += more->accounts;
}

static void filed_add_batch(struct filed *filed, const struct batch *batch, const char *unit)
{
    json_int_t before = filed->docs;
    for (uint32_t i = 0; i < batch->lots; i++) {
        const struct lot *lot = batch->lot[i];
        if (strcmp(lot->terms.unit, unit))
            continue;
        filed->docs += lot->docs;
        for (int s = 0; s < PAGE_STATES; s++)
            filed->pages += (json_int_t)lot->page_count[s];
    }
    filed->batches += filed->docs > before;
}

static bool is_bound(const struct account *account, const char *unit)
{
    for (uint32_t i = 0; i < account->units; i++)
        if (!strcmp(account->unit[i], unit))
            return true;
    for (uint32_t i = 0; i < account->successions; i++)
        if (!account->succession[i].declined && !strcmp(account->succession[i].unit, unit))
            return true;
    return false;
}

static struct filed filed_under(const struct coordinator *c, const char *unit)
{
    struct filed filed = {0};
    const struct account *account;
    for (uint32_t i = 0; i < c->backlog->batches; i++)
        if (c->backlog->batch[i] && !c->backlog->batch[i]->check_only)
            filed_add_batch(&filed, c->backlog->batch[i], unit);
    for (uint32_t i = 0; i < c->backlog->targets; i++)
        filed.targets += !strcmp(c->backlog->target[i].unit, unit);
    for (uint32_t i = 0; (account = accounts_at(c->accounts, i)); i++)
        filed.accounts += is_bound(account, unit);
    return filed;
}

static void filed_put(json_t *json, const struct filed *filed)
{
    json_object_set_new(json, "documents", json_integer(filed->docs));
    json_object_set_new(json, "pages", json_integer(filed->pages));
    json_object_set_new(json, "batches", json_integer(filed->batches));
    json_object_set_new(json, "targets", json_integer(filed->targets));
    json_object_set_new(json, "accounts", json_integer(filed->accounts));
}

/* ---- what would change ---- */

struct preview {
    json_t *ends, *begins, *renamed;
    struct filed filed;
};

static void preview_end(struct preview *preview, const struct coordinator *c, const struct place *place)
{
    struct filed filed = filed_under(c, place->unit);
    json_t *json = json_pack("{s:s, s:s, s:b, s:o}", "unit", place->unit, "name", place->name, "split",
                             place->successors > 1, "became", kin_json(place->successor, place->successors));
    filed_put(json, &filed);
    filed_add(&preview->filed, &filed);
    json_array_append_new(preview->ends, json);
}

/* The commune that had the code last, before that day. */
static const struct place *holder_before(const struct gazetteer *gazetteer, const struct place *place)
{
    const struct place *other, *holder = NULL;
    char code[CODE_BYTES], own[CODE_BYTES];
    place_code(place, own);
    for (size_t i = 0; (other = gazetteer_at(gazetteer, i)); i++)
        if (place_kind(other) != PLACE_DISTRICT && other->from_day < place->from_day &&
            !strcmp(place_code(other, code), own) && (!holder || other->from_day > holder->from_day))
            holder = other;
    return holder;
}

static json_t *called(const struct place *place)
{
    return json_pack("{s:s, s:s}", "unit", place->unit, "name", place->name);
}

static void preview_begin(struct preview *preview, const struct gazetteer *then, const struct place *place)
{
    const struct place *before = holder_before(then, place);
    char code[CODE_BYTES];
    json_array_append_new(preview->begins, json_pack("{s:s, s:s, s:o}", "unit", place->unit, "name", place->name,
                                                     "came_from", kin_json(place->predecessor, place->predecessors)));
    if (before && strcmp(before->name, place->name))
        json_array_append_new(preview->renamed, json_pack("{s:s, s:o, s:o}", "code", place_code(place, code), "was",
                                                          called(before), "is", called(place)));
}

static void preview_compare(struct preview *preview, const struct coordinator *c, const struct gazetteer *then)
{
    const struct place *place;
    for (size_t i = 0; (place = gazetteer_at(then, i)); i++) {
        const struct place *now = place_find(place->unit);
        if (!now)
            preview_begin(preview, then, place);
        else if (place->until_day && !now->until_day)
            preview_end(preview, c, place);
    }
}

static json_t *findings_json(const struct draft *draft)
{
    const struct finding *finding = (const struct finding *)(const void *)draft->finding.data;
    json_t *list = json_array();
    for (size_t i = 0; i < draft->finding.size / sizeof *finding; i++)
        json_array_append_new(list,
                              json_pack("{s:o, s:s}", "line",
                                        finding[i].line_no ? json_integer((json_int_t)finding[i].line_no) : json_null(),
                                        "text", finding[i].text));
    return list;
}

static json_t *preview_json(const struct coordinator *c, const struct draft *draft)
{
    struct preview preview = {.ends = json_array(), .begins = json_array(), .renamed = json_array()};
    struct gazetteer *then = draft->finding.size ? NULL : draft_gazetteer(draft);
    if (then)
        preview_compare(&preview, c, then);
    gazetteer_drop(&then);
    json_t *json = json_pack("{s:o, s:o, s:o, s:o, s:o}", "day", day_json(draft->day), "errors", findings_json(draft),
                             "ends", preview.ends, "begins", preview.begins, "renamed", preview.renamed);
    json_t *filed = json_object();
    filed_put(filed, &preview.filed);
    json_object_set_new(json, "filed", filed);
    return json;
}

/* ---- ordering ---- */

static int day_argument(const struct request *request, int64_t *ret_day, struct err *err)
{
    const char *day = request_argument(request, "day");
    if (day && strlen(day) == DAY_CHARS && day_parse(day, ret_day) && *ret_day > 0)
        return 0;
    return err_set(err, E_USAGE, "day=%.20s: the first day of the communes that begin, YYYY-MM-DD", day ? day : "");
}

static void reorganised_say(struct coordinator *c, const struct buf *csv, const struct reorganisation *one)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Reorganised said = SOHOA__REORGANISED__INIT;
    char date[DAY_CHARS + 1];
    said.number = one->number;
    said.day = day_date(day_start_ms(one->day), date);
    said.csv = (ProtobufCBinaryData){csv->size, csv->data};
    said.ends = one->ends;
    said.begins = one->begins;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_REORGANISED;
    entry.reorganised = &said;
    group_add_entry(c->group, &entry);
    trace(TRACE_INFO, "reorganised", "number=%" PRIu32 " day=%s ends=%" PRIu32 " begins=%" PRIu32, one->number, date,
          one->ends, one->begins);
}

/* The table is the body; ?dry_run=1 only tells what it would do, and what is wrong with it. */
void post_reorganised(struct coordinator *c, struct request *request, const struct route_args *args)
{
    const struct buf *csv = request_body(request);
    AUTO(draft_clear) struct draft draft = {0};
    AUTO(json_drop) json_t *answer = NULL;
    uint32_t dry = 0, number = 0;
    struct err err;
    int64_t day;
    (void)args;
    int rc = day_argument(request, &day, &err);
    if (!rc)
        rc = number_argument(request, "dry_run", 1, &dry, &err);
    if (!rc) {
        reorganisation_read(c->reorganisations, buf_text(csv), csv->size, day, &draft);
        answer = preview_json(c, &draft);
        rc = dry ? 0 : draft_check(&draft, &err);
    }
    if (!rc && !dry)
        rc = reorganisations_add(c->reorganisations, &draft, clock_wall_ms(), &number, &err);
    if (rc) {
        request_answer_err(request, &err);
        return;
    }
    json_object_set_new(answer, "number", dry ? json_null() : json_integer(number));
    if (dry) {
        request_answer(request, 200, json_incref(answer));
        return;
    }
    reorganised_say(c, csv, reorganisations_at(c->reorganisations, number - 1));
    answer_then(c, request, json_incref(answer));
}

/* ---- what was ordered ---- */

void get_reorganised(struct coordinator *c, struct request *request, const struct route_args *args)
{
    const struct reorganisation *one;
    json_t *list = json_array();
    (void)args;
    for (uint32_t i = 0; (one = reorganisations_at(c->reorganisations, i)); i++)
        json_array_append_new(list, json_pack("{s:I, s:o, s:I, s:I, s:I, s:o}", "number", (json_int_t)one->number,
                                              "day", day_json(one->day), "time_ms", (json_int_t)one->time_ms, "ends",
                                              (json_int_t)one->ends, "begins", (json_int_t)one->begins, "undone_ms",
                                              one->undone_ms ? json_integer((json_int_t)one->undone_ms) : json_null()));
    request_answer(request, 200, json_pack("{s:o}", "reorganisations", list));
}

/* What stays filed under units that were known before, and are no more. */
static json_t *lost_json(const struct coordinator *c, const struct gazetteer *before)
{
    const struct place *place;
    struct filed filed = {0};
    json_t *json = json_object();
    for (size_t i = 0; (place = gazetteer_at(before, i)); i++) {
        if (place_find(place->unit))
            continue;
        struct filed more = filed_under(c, place->unit);
        filed_add(&filed, &more);
    }
    filed_put(json, &filed);
    return json;
}

static void undone_say(struct coordinator *c, uint32_t number)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__ReorganisationUndone said = SOHOA__REORGANISATION_UNDONE__INIT;
    said.number = number;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_REORGANISATION_UNDONE;
    entry.reorganisation_undone = &said;
    group_add_entry(c->group, &entry);
    trace(TRACE_INFO, "reorganisation_undone", "number=%" PRIu32, number);
}

void delete_reorganised(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(gazetteer_drop) struct gazetteer *before = gazetteer_keep(gazetteer_now());
    struct err err;
    uint32_t number = 0;
    int rc = number_parse(args->word, UINT32_MAX, &number)
                 ? reorganisations_undo(c->reorganisations, number, clock_wall_ms(), &err)
                 : err_set(&err, E_USAGE, "'%.20s' is no re-organisation's number", args->word);
    if (rc) {
        request_answer_err(request, &err);
        return;
    }
    undone_say(c, number);
    answer_then(c, request, json_pack("{s:I, s:o}", "number", (json_int_t)number, "filed", lost_json(c, before)));
}
