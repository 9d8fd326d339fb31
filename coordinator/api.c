/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One table of routes; a handler each. Handlers run on the loop and see the backlog as it is between two events. */
#include "coordinator/api.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/api_auth.h"
#include "coordinator/api_body.h"
#include "coordinator/api_forecast.h"
#include "coordinator/api_handover.h"
#include "coordinator/api_history.h"
#include "coordinator/api_ledger.h"
#include "coordinator/api_live.h"
#include "coordinator/api_notify.h"
#include "coordinator/api_metrics.h"
#include "coordinator/api_order.h"
#include "coordinator/api_package.h"
#include "coordinator/api_plan.h"
#include "coordinator/api_quarantine.h"
#include "coordinator/api_reorganise.h"
#include "coordinator/api_report.h"
#include "coordinator/api_rerun.h"
#include "coordinator/api_review.h"
#include "coordinator/api_round.h"
#include "coordinator/api_twins.h"
#include "coordinator/api_units.h"
#include "coordinator/api_view.h"
#include "coordinator/api_why.h"
#include "coordinator/auth.h"
#include "coordinator/shape.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "storage/name.h"

enum { DOCUMENTS_PRESET = 100, DOCUMENTS_MOST = 1000, SEGMENTS_MOST = 8 };

/* ---- status ---- */

static void get_status(struct coordinator *c, struct request *request, const struct route_args *args)
{
    struct totals totals = {0};
    (void)args;
    totals_of(c->backlog, request_account(request), &totals);
    request_answer(request, 200,
                   json_pack("{s:s, s:I, s:b, s:I, s:i, s:o, s:o, s:o, s:b}", "name", c->name, "epoch",
                             (json_int_t)store_epoch(c->store), "ready", clock_mono_ms() >= c->granting_ms, "uptime_s",
                             (json_int_t)((clock_mono_ms() - c->started_ms) / 1000), "batches", (int)totals.batches,
                             "documents", documents_json(totals.docs), "pages", pages_json(totals.pages), "workers",
                             workers_json(c), "redis", committer_redis_ok(c->committer)));
}

/* ---- batches ---- */

static void get_batch(struct coordinator *c, struct request *request, const struct route_args *args)
{
    request_answer(request, 200, batch_json(c, request_account(request), args->batch));
}

/* Documents of the same file have the same; null: it belongs to none. */
static json_t *file_json(uint64_t file_key)
{
    char hex[17];
    snprintf(hex, sizeof hex, "%016" PRIx64, file_key);
    return file_key ? json_string(hex) : json_null();
}

static json_t *document_json(struct coordinator *c, struct doc_ref ref, const char *source, uint64_t file_key)
{
    const struct doc *doc = doc_look(c->backlog->batch[ref.batch], ref.doc);
    char sha256[SHA256_HEX_CHARS + 1] = "";
    uint64_t pages[PAGE_STATES];
    doc_pages(c->backlog, ref, pages);
    if (doc->work != NONE)
        sha256_hex(c->backlog->work[doc->work].sha256, sha256);
    uint32_t fault = doc->state == SOHOA__DOC_STATE__DOC_OPEN ? NONE : doc->fault;
    return json_pack("{s:I, s:s, s:s, s:o, s:s, s:I, s:I, s:I, s:o, s:I, s:o}", "document", (json_int_t)ref.doc,
                     "source", source, "state", doc_state_name(doc->state), "error", err_json(c, fault), "sha256",
                     sha256, "pages", (json_int_t)doc->pages, "pages_stored", (json_int_t)pages[PAGE_STORED],
                     "pages_dead", (json_int_t)pages[PAGE_DEAD], "duplicate_of",
                     doc->state == SOHOA__DOC_STATE__DOC_DUPLICATE ? json_integer(doc->duplicate_of) : json_null(),
                     "generation", (json_int_t)doc->generation, "file", file_json(file_key));
}

/* Up to limit documents that account may see from first on, in state (NULL: any); *ret_next: where the next listing goes on, or docs. */
static int documents_list(struct coordinator *c, const struct account *account, const struct batch *batch,
                          uint32_t first, uint32_t limit, const char *state, json_t *list, uint32_t *ret_next,
                          struct err *err)
{
    uint32_t doc = first;
    for (; doc < batch->docs && json_array_size(list) < limit; doc++) {
        if (!account_covers_doc(account, batch, doc) ||
            (state && strcmp(state, doc_state_name(doc_look(batch, doc)->state))))
            continue;
        AUTO(mem_destroy) char *source = NULL;
        struct doc_ref ref = {batch->index, doc};
        struct row row;
        int rc = coordinator_row(c, ref, &row, &source, err);
        if (rc)
            return rc;
        json_array_append_new(list, document_json(c, ref, source, row.file_key));
    }
    *ret_next = doc;
    return 0;
}

static int state_argument(const struct request *request, const char **ret_state, struct err *err)
{
    const char *state = request_argument(request, "state");
    *ret_state = NULL;
    if (!state || !*state)
        return 0;
    for (int s = 0; s < DOC_STATES; s++)
        if (!strcmp(state, doc_state_name(s)))
            *ret_state = state;
    return *ret_state ? 0 : err_set(err, E_USAGE, "state=%.20s: no document is ever in that state", state);
}

static void get_documents(struct coordinator *c, struct request *request, const struct route_args *args)
{
    const struct batch *batch = args->batch;
    json_t *list = json_array();
    const char *state;
    struct err err;
    uint32_t next = 0, limit = DOCUMENTS_PRESET, after = NONE; /* after NONE the first is 0 */
    int rc = number_argument(request, "limit", DOCUMENTS_MOST, &limit, &err);
    if (!rc)
        rc = number_argument(request, "after", batch->docs, &after, &err);
    if (!rc)
        rc = state_argument(request, &state, &err);
    if (!rc)
        rc = documents_list(c, request_account(request), batch, after + 1, limit ? limit : 1, state, list, &next, &err);
    if (rc) {
        json_decref(list);
        request_answer_err(request, &err);
        return;
    }
    request_answer(request, 200,
                   json_pack("{s:o, s:o}", "documents", list, "next",
                             next < batch->docs ? json_integer((json_int_t)next - 1) : json_null()));
}

static void get_document(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(mem_destroy) char *source = NULL;
    struct doc_ref ref = {args->batch->index, args->doc};
    struct row row;
    struct err err;
    if (coordinator_row(c, ref, &row, &source, &err))
        request_answer_err(request, &err);
    else
        request_answer(request, 200, document_json(c, ref, source, row.file_key));
}

/* ---- files of a document ---- */

static const struct {
    const char *name, *content_type, *file_name;
} file_rule[] = {
    {"pdf",    "application/pdf",           "document.pdf"},
    {"alto",   "application/xml",           "alto.xml"    },
    {"text",   "text/plain; charset=utf-8", "text.txt"    },
    {"record", "application/json",          "record.json" },
    {"source", "application/octet-stream",  "source"      },
};

bool document_in_force(const struct doc *doc, uint32_t *ret_generation)
{
    bool rerunning = doc->state == SOHOA__DOC_STATE__DOC_OPEN && doc->generation > 0;
    *ret_generation = doc->generation - rerunning;
    return doc->work != NONE &&
           (rerunning || doc->state == SOHOA__DOC_STATE__DOC_STORED || doc->state == SOHOA__DOC_STATE__DOC_DEAD);
}

static void get_file(struct coordinator *c, struct request *request, const struct route_args *args)
{
    struct doc_ref ref = {args->batch->index, args->doc};
    const struct doc *doc = doc_look(args->batch, ref.doc);
    struct name name;
    struct err err;
    size_t i = 0;
    while (i < sizeof file_rule / sizeof file_rule[0] && strcmp(file_rule[i].name, args->word))
        i++;
    if (i == sizeof file_rule / sizeof file_rule[0]) {
        err_set(&err, E_ABSENT, "a document has no '%.40s': pdf, alto, text, record or source", args->word);
        request_answer_err(request, &err);
        return;
    }
    uint32_t generation;
    if (!document_in_force(doc, &generation)) {
        err_set(&err, E_STATE, "document %u of batch %s is %s", ref.doc, args->batch->id, doc_state_name(doc->state));
        request_answer_err(request, &err);
        return;
    }
    const struct work *work = &c->backlog->work[doc->work];
    if (!strcmp(args->word, "record")) {
        get_record(c, request, ref);
        return;
    }
    if (!strcmp(args->word, "source"))
        name_src(&name, work->sha256);
    else
        name_out(&name, work->sha256, c->backlog->pipeline[work->pipeline], generation, args->word);
    request_answer_blob(request, name.text, file_rule[i].content_type, file_rule[i].file_name);
}

/* ---- routes ---- */

struct route {
    const char *method, *path; /* {batch}, {doc}, {word}, {check} stand for a segment */
    void (*handle)(struct coordinator *c, struct request *request, const struct route_args *args);
    enum right right; /* that is needed ... */
    enum reach reach; /* ... and how far it reaches */
};

static const struct route route_rule[] = {
    {"GET",    "status",                                               get_status,         RIGHT_READ,       REACH_OWN    },
    {"GET",    "batches",                                              get_batches,        RIGHT_READ,       REACH_OWN    },
    {"POST",   "batches",                                              post_batch,         RIGHT_OPERATE,    REACH_OWN    },
    {"GET",    "batches/{batch}",                                      get_batch,          RIGHT_READ,       REACH_PART   },
    {"GET",    "batches/{batch}/documents",                            get_documents,      RIGHT_READ,       REACH_PART   },
    {"GET",    "batches/{batch}/documents/{doc}",                      get_document,       RIGHT_READ,       REACH_SUBJECT},
    {"GET",    "batches/{batch}/why",                                  get_batch_why,      RIGHT_READ,       REACH_PART   },
    {"GET",    "batches/{batch}/documents/{doc}/why",                  get_document_why,   RIGHT_READ,       REACH_SUBJECT},
    {"GET",    "batches/{batch}/documents/{doc}/trace",                get_document_trace, RIGHT_READ,       REACH_SUBJECT},
    {"GET",    "batches/{batch}/documents/{doc}/duplicates",           get_document_twins, RIGHT_READ,       REACH_SUBJECT},
    {"GET",    "units/{word}/why",                                     get_unit_why,       RIGHT_READ,       REACH_OWN    },
    {"GET",    "batches/{batch}/documents/{doc}/review",               get_doc_review,     RIGHT_READ,       REACH_SUBJECT},
    {"POST",   "batches/{batch}/documents/{doc}/review",               post_decision,      RIGHT_ARCHIVE,    REACH_SUBJECT},
    {"GET",    "batches/{batch}/documents/{doc}/proof",                get_proof,          RIGHT_PROVE,      REACH_SUBJECT},
    {"GET",    "batches/{batch}/documents/{doc}/{word}",               get_file,           RIGHT_READ,       REACH_SUBJECT},
    {"GET",    "batches/{batch}/documents/{doc}/pages/{word}/picture", get_picture,        RIGHT_READ,       REACH_SUBJECT},
    {"GET",    "batches/{batch}/documents/{doc}/pages/{word}/words",   get_words,          RIGHT_READ,       REACH_SUBJECT},
    {"GET",    "overview",                                             get_overview,       RIGHT_READ,       REACH_OWN    },
    {"GET",    "series",                                               get_series,         RIGHT_READ,       REACH_NO_UNIT},
    {"GET",    "units",                                                get_units,          RIGHT_READ,       REACH_OWN    },
    {"GET",    "units/{word}",                                         get_unit,           RIGHT_READ,       REACH_OWN    },
    {"GET",    "places",                                               get_places,         RIGHT_READ,       REACH_NO_UNIT},
    {"GET",    "reorganisations",                                      get_reorganised,    RIGHT_READ,       REACH_NO_UNIT},
    {"POST",   "reorganisations",                                      post_reorganised,   RIGHT_ADMINISTER, REACH_ALL    },
    {"DELETE", "reorganisations/{word}",                               delete_reorganised, RIGHT_ADMINISTER, REACH_ALL    },
    {"GET",    "failures",                                             get_failures,       RIGHT_READ,       REACH_OWN    },
    {"GET",    "duplicates",                                           get_duplicates,     RIGHT_READ,       REACH_OWN    },
    {"GET",    "quarantine",                                           get_quarantine,     RIGHT_READ,       REACH_OWN    },
    {"GET",    "workers",                                              get_workers,        RIGHT_READ,       REACH_NO_UNIT},
    {"GET",    "events",                                               get_events,         RIGHT_READ,       REACH_OWN    },
    {"GET",    "reports",                                              get_report,         RIGHT_READ,       REACH_OWN    },
    {"GET",    "reports/{word}",                                       get_report_as,      RIGHT_READ,       REACH_OWN    },
    {"GET",    "history",                                              get_history,        RIGHT_READ,       REACH_OWN    },
    {"GET",    "ledger",                                               get_ledger,         RIGHT_PROVE,      REACH_ALL    },
    {"GET",    "ledger/checkpoints",                                   get_checkpoints,    RIGHT_PROVE,      REACH_ALL    },
    {"POST",   "ledger/checkpoints",                                   post_checkpoint,    RIGHT_PROVE,      REACH_ALL    },
    {"GET",    "ledger/key",                                           get_ledger_key,     RIGHT_READ,       REACH_NO_UNIT},
    {"GET",    "ledger/verify",                                        get_verification,   RIGHT_PROVE,      REACH_ALL    },
    {"POST",   "ledger/verify",                                        post_verification,  RIGHT_PROVE,      REACH_ALL    },
    {"GET",    "reviews",                                              get_reviews,        RIGHT_READ,       REACH_OWN    },
    {"GET",    "batches/{batch}/review",                               get_batch_review,   RIGHT_READ,       REACH_SUBJECT},
    {"GET",    "batches/{batch}/handover",                             get_handover,       RIGHT_READ,       REACH_SUBJECT},
    {"POST",   "batches/{batch}/review/round",                         post_round,         RIGHT_ARCHIVE,    REACH_SUBJECT},
    {"POST",   "batches/{batch}/review/close",                         post_close,         RIGHT_ARCHIVE,    REACH_SUBJECT},
    {"POST",   "batches/{batch}/review/reject",                        post_reject,        RIGHT_ARCHIVE,    REACH_SUBJECT},
    {"GET",    "packages",                                             get_packages,       RIGHT_READ,       REACH_OWN    },
    {"POST",   "batches/{batch}/packages",                             post_package,       RIGHT_ARCHIVE,    REACH_SUBJECT},
    {"GET",    "reruns",                                               get_reruns,         RIGHT_READ,       REACH_OWN    },
    {"POST",   "reruns",                                               post_rerun,         RIGHT_OPERATE,    REACH_OWN    },
    {"DELETE", "reruns/{word}",                                        delete_rerun,       RIGHT_OPERATE,    REACH_OWN    },
    {"POST",   "batches/{batch}/rerun",                                post_rerun,         RIGHT_OPERATE,    REACH_PART   },
    {"POST",   "batches/{batch}/withdraw",                             post_withdraw,      RIGHT_OPERATE,    REACH_SUBJECT},
    {"POST",   "batches/{batch}/documents/{doc}/quarantine",           post_quarantine,    RIGHT_ARCHIVE,    REACH_SUBJECT},
    {"POST",   "batches/{batch}/documents/{doc}/release",              post_release,       RIGHT_ARCHIVE,    REACH_SUBJECT},
    {"POST",   "batches/{batch}/documents/{doc}/purge",                post_purge,         RIGHT_ARCHIVE,    REACH_SUBJECT},
    {"POST",   "batches/{batch}/standing",                             post_standing,      RIGHT_OPERATE,    REACH_SUBJECT},
    {"GET",    "targets",                                              get_targets,        RIGHT_READ,       REACH_OWN    },
    {"POST",   "targets",                                              post_targets,       RIGHT_OPERATE,    REACH_OWN    },
    {"GET",    "forecast",                                             get_forecast,       RIGHT_READ,       REACH_OWN    },
    {"POST",   "forecast",                                             post_forecast,      RIGHT_READ,       REACH_OWN    },
    {"GET",    "calendar",                                             get_calendar,       RIGHT_READ,       REACH_NO_UNIT},
    {"POST",   "calendar",                                             post_calendar,      RIGHT_OPERATE,    REACH_ALL    },
    {"POST",   "workers/{word}",                                       post_drain,         RIGHT_OPERATE,    REACH_ALL    },
    {"POST",   "checks",                                               post_check,         RIGHT_OPERATE,    REACH_NO_UNIT},
    {"GET",    "checks/{check}",                                       get_check,          RIGHT_OPERATE,    REACH_SUBJECT},
    {"DELETE", "checks/{check}",                                       delete_check,       RIGHT_OPERATE,    REACH_SUBJECT},
    {"POST",   "notify/test",                                          post_notify,        RIGHT_OPERATE,    REACH_ALL    },
    {"POST",   "rebuild",                                              post_rebuild,       RIGHT_ADMINISTER, REACH_ALL    },
    {"GET",    "session",                                              get_session,        RIGHT_READ,       REACH_NO_UNIT},
    {"POST",   "session",                                              post_session,       RIGHT_NONE,       REACH_NO_UNIT},
    {"DELETE", "session",                                              delete_session,     RIGHT_READ,       REACH_NO_UNIT},
    {"POST",   "session/password",                                     post_password,      RIGHT_READ,       REACH_NO_UNIT},
    {"GET",    "accounts",                                             get_accounts,       RIGHT_AUDIT,      REACH_ALL    },
    {"POST",   "accounts/{word}",                                      post_account,       RIGHT_ADMINISTER, REACH_ALL    },
    {"POST",   "accounts/{word}/token",                                post_token,         RIGHT_ADMINISTER, REACH_ALL    },
};

static int segment_take(struct coordinator *c, const char *want, const char *got, struct route_args *args,
                        struct err *err)
{
    bool check = !strcmp(want, "{check}");
    if (!strcmp(want, "{batch}") || check) {
        args->batch = backlog_batch(c->backlog, got);
        if (!args->batch || args->batch->check_only != check)
            return err_set(err, E_ABSENT, "there is no %s '%.60s'", check ? "check" : "batch", got);
    } else if (!strcmp(want, "{doc}")) {
        if (!number_parse(got, args->batch->docs, &args->doc) || args->doc == args->batch->docs)
            return err_set(err, E_ABSENT, "batch %s has no document '%.20s': 0 to %u", args->batch->id, got,
                           args->batch->docs - 1);
    } else if (!strcmp(want, "{word}")) {
        args->word = got;
    }
    return 0;
}

static size_t split(char *path, char *segment[SEGMENTS_MOST])
{
    size_t n = 0;
    char *rest = path, *at;
    while ((at = strsep(&rest, "/")) && n < SEGMENTS_MOST)
        segment[n++] = at;
    return at ? 0 : n;
}

static bool route_fits(char **want, size_t n_want, char **got, size_t n_got)
{
    if (n_want != n_got)
        return false;
    for (size_t i = 0; i < n_got; i++)
        if (want[i][0] != '{' && strcmp(want[i], got[i]))
            return false;
    return true;
}

/* The batch or document that the path names is looked for only by who may do that at all. */
static int route_take(struct coordinator *c, struct request *request, const struct route *route, char **want,
                      char **got, size_t n, struct route_args *args, struct err *err)
{
    int rc = auth_check(c, request, route->right, route->reach, err);
    args->doc = NONE;
    for (size_t i = 0; i < n && !rc; i++)
        rc = segment_take(c, want[i], got[i], args, err);
    if (!rc && args->batch && route->reach == REACH_PART)
        rc = account_may_see(request_account(request), args->batch, err);
    else if (!rc && args->batch)
        rc = account_may_touch(request_account(request), args->batch, args->doc, err);
    return rc;
}

static bool route_try(struct coordinator *c, struct request *request, const struct route *route, char **got,
                      size_t n_got)
{
    AUTO(mem_destroy) char *pattern = strdup(route->path);
    char *want[SEGMENTS_MOST];
    struct route_args args = {0};
    struct err err;
    if (!pattern || strcmp(route->method, request_method(request)))
        return false;
    if (!route_fits(want, split(pattern, want), got, n_got))
        return false;
    if (route_take(c, request, route, want, got, n_got, &args, &err)) {
        request_answer_err(request, &err);
        return true;
    }
    if (request_caller(request)->account)
        group_set_actor(c->group, request_account(request)->name);
    route->handle(c, request, &args);
    group_set_actor(c->group, NULL);
    return true;
}

static void route_find(struct coordinator *c, struct request *request)
{
    static const char prefix[] = "/api/v1/";
    const char *path = request_path(request);
    const struct asset *asset = strcmp(request_method(request), "GET") || *path != '/' ? NULL : asset_find(path + 1);
    struct err err;
    if (asset) {
        request_answer_asset(request, asset);
        return;
    }
    if (metrics_handle(c, request))
        return;
    if (!strncmp(path, prefix, sizeof prefix - 1)) {
        AUTO(mem_destroy) char *copy = strdup(path + sizeof prefix - 1);
        char *segment[SEGMENTS_MOST];
        size_t n = copy ? split(copy, segment) : 0;
        for (size_t i = 0; i < sizeof route_rule / sizeof route_rule[0]; i++)
            if (route_try(c, request, &route_rule[i], segment, n))
                return;
    }
    err_set(&err, E_ABSENT, "there is no %s %.100s", request_method(request), path);
    request_answer_err(request, &err);
}

void api_handle(struct coordinator *c, struct request *request)
{
    auth_request(c, request, route_find);
}
