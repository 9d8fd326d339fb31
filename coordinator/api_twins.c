/* SPDX-License-Identifier: AGPL-3.0-or-later
 * An account sees of a group what it may see of its documents, and no group of which it sees less than two. */
#include "coordinator/api_twins.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/api_body.h"
#include "coordinator/twins.h"
#include "proto/auto.h"

enum {
    GROUPS_PRESET = 100,
    GROUPS_MOST = 500,
    GROUPS_LOOKED_AT = 20000, /* in one request: a filter that hardly any passes is asked for in several */
    ALL_CPCT = 10000,
};

struct twins_query {
    const struct account *account;
    const struct batch *batch; /* NULL: any; else some document is of it */
    const char *unit;          /* NULL: likewise */
    enum alike_kind kind;      /* ALIKE_NOT: any */
    uint32_t after, limit;
};

/* ---- a group ---- */

static const char *worst_grade(const struct batch *batch, const struct doc *doc)
{
    if (doc->state != SOHOA__DOC_STATE__DOC_STORED && doc->state != SOHOA__DOC_STATE__DOC_DEAD)
        return NULL;
    uint8_t seen = grades_seen(&batch->grades, doc->first_ordinal, doc->pages);
    return seen >> SOHOA__GRADE__GRADE_C & 1   ? "C"
           : seen >> SOHOA__GRADE__GRADE_B & 1 ? "B"
           : seen >> SOHOA__GRADE__GRADE_A & 1 ? "A"
                                               : NULL;
}

static int member_json(struct coordinator *c, const struct twin *twin, bool master, json_t **ret_member,
                       struct err *err)
{
    AUTO(mem_destroy) char *source = NULL;
    const struct batch *batch = c->backlog->batch[twin->ref.batch];
    const struct doc *doc = doc_look(batch, twin->ref.doc);
    struct row row;
    int rc = coordinator_row(c, twin->ref, &row, &source, err);
    if (rc)
        return rc;
    bool alike = twin->alike.kind != ALIKE_NOT;
    *ret_member =
        json_pack("{s:s, s:I, s:s, s:s, s:s, s:I, s:s?, s:b, s:s?, s:o}", "batch", batch->id, "document",
                  (json_int_t)twin->ref.doc, "source", source, "unit", lot_of(batch, twin->ref.doc)->terms.unit,
                  "state", doc_state_name(doc->state), "pages", (json_int_t)doc->pages, "grade",
                  worst_grade(batch, doc), "master", master, "kind", alike ? alike_name(twin->alike.kind) : NULL,
                  "similarity", alike ? json_real(twin->alike.similarity_cpct / (double)ALL_CPCT) : json_null());
    return 0;
}

/* What holds the group together at the least; a document that is like others of it, but not like the master, is so by its text. */
static struct alike group_alike(const struct twin *member, size_t count)
{
    struct alike least = {ALIKE_BYTES, ALL_CPCT};
    for (size_t i = 1; i < count; i++) {
        enum alike_kind kind = member[i].alike.kind ? member[i].alike.kind : ALIKE_DOCUMENT;
        least.kind = kind > least.kind ? kind : least.kind;
        if (member[i].alike.kind && member[i].alike.similarity_cpct < least.similarity_cpct)
            least.similarity_cpct = member[i].alike.similarity_cpct;
    }
    return least;
}

static bool covers(const struct coordinator *c, const struct account *account, const struct twin *twin)
{
    return account_covers_doc(account, c->backlog->batch[twin->ref.batch], twin->ref.doc);
}

static int group_json(struct coordinator *c, const struct account *account, uint32_t number, const struct twin *member,
                      size_t count, json_t **ret_group, struct err *err)
{
    AUTO(json_drop) json_t *members = json_array();
    struct alike alike = group_alike(member, count);
    for (size_t i = 0; i < count; i++) {
        json_t *one = NULL;
        int rc = covers(c, account, &member[i]) ? member_json(c, &member[i], i == 0, &one, err) : 0;
        if (rc)
            return rc;
        if (one)
            json_array_append_new(members, one);
    }
    *ret_group = json_pack("{s:I, s:s, s:f, s:O}", "group", (json_int_t)number, "kind", alike_name(alike.kind),
                           "similarity", alike.similarity_cpct / (double)ALL_CPCT, "members", members);
    return 0;
}

/* ---- the list ---- */

static bool group_wanted(const struct coordinator *c, const struct twins_query *query, const struct twin *member,
                         size_t count)
{
    size_t seen = 0;
    bool of_batch = !query->batch, of_unit = !query->unit;
    if (query->kind && group_alike(member, count).kind != query->kind)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct batch *batch = c->backlog->batch[member[i].ref.batch];
        if (!covers(c, query->account, &member[i]))
            continue;
        seen++;
        of_batch = of_batch || batch == query->batch;
        of_unit = of_unit || !strcmp(lot_of(batch, member[i].ref.doc)->terms.unit, query->unit);
    }
    return seen > 1 && of_batch && of_unit;
}

/* *ret_next: the number after which the next listing goes on; NONE: there are no more. */
static int groups_list(struct coordinator *c, const struct twins_query *query, json_t *list, uint32_t *ret_next,
                       struct err *err)
{
    static struct twin member[TWINS_GROUP_MOST];
    uint32_t looked = 0, number = twins_next(c->twins, query->after == NONE ? 0 : query->after + 1),
             last = query->after;
    for (; number != NONE && json_array_size(list) < query->limit && looked < GROUPS_LOOKED_AT; looked++) {
        size_t count = twins_members(c->twins, number, member);
        json_t *group = NULL;
        int rc = group_wanted(c, query, member, count)
                     ? group_json(c, query->account, number, member, count, &group, err)
                     : 0;
        if (rc)
            return rc;
        if (group)
            json_array_append_new(list, group);
        last = number;
        number = twins_next(c->twins, number + 1);
    }
    *ret_next = number == NONE ? NONE : last;
    return 0;
}

static int kind_take(const struct request *request, enum alike_kind *ret_kind, struct err *err)
{
    const char *said = request_argument(request, "kind");
    *ret_kind = ALIKE_NOT;
    if (!said || !*said)
        return 0;
    for (enum alike_kind kind = ALIKE_BYTES; kind <= ALIKE_DOCUMENT; kind++)
        if (!strcmp(said, alike_name(kind)))
            *ret_kind = kind;
    return *ret_kind ? 0 : err_set(err, E_USAGE, "kind=%.20s: documents are the same by bytes, scan or document", said);
}

static int batch_take(const struct coordinator *c, struct twins_query *query, const char *id, struct err *err)
{
    if (!id || !*id)
        return 0;
    query->batch = backlog_batch(c->backlog, id);
    if (!query->batch || query->batch->check_only)
        return err_set(err, E_ABSENT, "there is no batch '%.60s'", id);
    return account_may_see(query->account, query->batch, err);
}

static int query_take(const struct coordinator *c, struct request *request, struct twins_query *query, struct err *err)
{
    query->account = request_account(request);
    query->unit = request_argument(request, "unit");
    if (query->unit && !*query->unit)
        query->unit = NULL;
    int rc = kind_take(request, &query->kind, err);
    if (!rc)
        rc = batch_take(c, query, request_argument(request, "batch"), err);
    if (!rc && query->unit)
        rc = account_may_unit(query->account, query->unit, err);
    if (!rc)
        rc = number_argument(request, "limit", GROUPS_MOST, &query->limit, err);
    if (!rc)
        rc = number_argument(request, "after", TWINS_MOST, &query->after, err);
    query->limit += query->limit == 0;
    return rc;
}

static json_t *number_text(uint32_t number)
{
    char text[16];
    snprintf(text, sizeof text, "%" PRIu32, number);
    return number == NONE ? json_null() : json_string(text);
}

/* ?batch=&unit=&kind=&after=&limit=. What waits or was left out concerns all documents: who sees some is not told of it. */
void get_duplicates(struct coordinator *c, struct request *request, const struct route_args *args)
{
    struct twins_query query = {.after = NONE, .limit = GROUPS_PRESET};
    struct twins_counts counts;
    json_t *list = json_array();
    uint32_t next = NONE;
    struct err err;
    (void)args;
    int rc = query_take(c, request, &query, &err);
    if (!rc)
        rc = groups_list(c, &query, list, &next, &err);
    if (rc) {
        json_decref(list);
        request_answer_err(request, &err);
        return;
    }
    twins_count(c->twins, &counts);
    bool all = !query.account->units;
    request_answer(request, 200,
                   json_pack("{s:o, s:o, s:I, s:I, s:I}", "groups", list, "next", number_text(next), "waiting",
                             (json_int_t)(all ? counts.waiting : 0), "left_out",
                             (json_int_t)(all ? counts.left_out : 0), "full_groups",
                             (json_int_t)(all ? counts.full_groups : 0)));
}

void get_document_twins(struct coordinator *c, struct request *request, const struct route_args *args)
{
    static struct twin member[TWINS_GROUP_MOST];
    struct twins_query query = {.account = request_account(request)};
    uint32_t number = twins_group(c->twins, (struct doc_ref){args->batch->index, args->doc});
    size_t count = number == NONE ? 0 : twins_members(c->twins, number, member);
    json_t *group = NULL;
    struct err err;
    int rc = count && group_wanted(c, &query, member, count)
                 ? group_json(c, query.account, number, member, count, &group, &err)
                 : 0;
    if (rc)
        request_answer_err(request, &err);
    else
        request_answer(request, 200, json_pack("{s:o?}", "group", group));
}
