/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One row a verb: which operands it takes, what it asks the API, how the answer is shown. A subject is a batch, or its document N as
 * BATCH/N. */
#include "coordinator/ctl/review.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "coordinator/ctl/outcome.h"
#include "coordinator/ctl/verdict.h"
#include "proto/auto.h"
#include "proto/limits.h"

enum { SEED_DIGITS = 16 };

struct review {
    const char *batch, *unit, *field, *limit, *reason, *percent, *seed;
    bool decided, all, dry;
    struct texts machine;
    char *subject; /* the batch of the operand ... */
    bool named;    /* ... which names its document, too */
    uint32_t document;
    const char *const *assignment; /* FIELD=VALUE, as operands */
    size_t assignments;
    void (*print)(const json_t *answer);
};

static void review_destroy(struct review *review)
{
    texts_destroy(&review->machine);
    free(review->subject);
}

static int subject_take(struct review *review, const char *text, struct err *err)
{
    if (!(review->subject = strdup(text)))
        abort();
    char *slash = strchr(review->subject, '/');
    review->named = slash;
    if (slash)
        *slash = '\0';
    int rc = args_batch(review->subject, err);
    return rc || !slash ? rc : args_number("document", slash + 1, 0, BATCH_MAX_DOCS - 1, &review->document, err);
}

static const char *subject_path(const struct review *review, const char *rest, struct buf *path)
{
    batch_path(path, review->subject, "");
    if (review->named)
        buf_printf(path, "/documents/%u", review->document);
    buf_printf(path, "/review%s", rest);
    return buf_text(path);
}

static int body_post(struct api *api, const char *path, json_t *body, json_t **ret_answer, struct err *err)
{
    AUTO(mem_destroy) char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (!text)
        return err_set(err, E_USAGE, "what is said is not UTF-8");
    return api_post(api, path, text, strlen(text), ret_answer, err);
}

/* ---- verbs ---- */

static void query_put(struct buf *path, const char *key, const char *value)
{
    if (!value)
        return;
    buf_printf(path, "%c%s=", strchr(buf_text(path), '?') ? '&' : '?', key);
    api_escape(path, value);
}

static int list_ask(struct review *review, struct api *api, json_t **ret_answer, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    buf_puts(&path, "reviews");
    query_put(&path, "batch", review->batch);
    query_put(&path, "unit", review->unit);
    query_put(&path, "field", review->field);
    query_put(&path, "limit", review->limit);
    query_put(&path, "decided", review->decided ? "1" : NULL);
    review->print = queue_print;
    return api_get(api, buf_text(&path), ret_answer, err);
}

static int show_ask(struct review *review, struct api *api, json_t **ret_answer, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    review->print = review->named ? document_print : rounds_print;
    return api_get(api, subject_path(review, "", &path), ret_answer, err);
}

static int accept_ask(struct review *review, struct api *api, json_t **ret_answer, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    review->print = review->named ? decided_print : rounds_print;
    json_t *body = review->named ? json_pack("{s:s, s:s*}", "decision", "accept", "reason", review->reason)
                                 : json_pack("{s:b, s:s*}", "accept", 1, "reason", review->reason);
    return body_post(api, subject_path(review, review->named ? "" : "/close", &path), body, ret_answer, err);
}

static int corrections_make(const struct review *review, json_t *corrections, struct err *err)
{
    for (size_t i = 0; i < review->machine.count; i++)
        json_object_set_new(corrections, review->machine.item[i], json_null());
    for (size_t i = 0; i < review->assignments; i++) {
        const char *text = review->assignment[i], *sign = strchr(text, '=');
        if (!sign || sign == text)
            return err_set(err, E_USAGE, "'%.60s' is not FIELD=VALUE", text);
        AUTO(mem_destroy) char *field = strndup(text, (size_t)(sign - text));
        json_t *value = json_string(sign + 1);
        if (!field || json_object_set_new(corrections, field, value))
            return err_set(err, E_USAGE, "'%.60s' is not UTF-8", text);
    }
    return json_object_size(corrections) ? 0 : err_set(err, E_USAGE, "what is right: FIELD=VALUE, or --machine FIELD");
}

static int correct_ask(struct review *review, struct api *api, json_t **ret_answer, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    AUTO(json_drop) json_t *corrections = json_object();
    review->print = decided_print;
    int rc = review->named ? corrections_make(review, corrections, err)
                           : err_set(err, E_USAGE, "'%.60s' names no document: BATCH/N", review->subject);
    return rc ? rc
              : body_post(api, subject_path(review, "", &path),
                          json_pack("{s:s, s:O, s:s*}", "decision", "accept", "corrections", corrections, "reason",
                                    review->reason),
                          ret_answer, err);
}

static int reject_ask(struct review *review, struct api *api, json_t **ret_answer, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    if (!review->reason)
        return err_set(err, E_USAGE, "--reason TEXT is missing: why is it rejected?");
    if (review->named && review->all)
        return err_set(err, E_USAGE, "--all is for a whole batch");
    review->print = review->named ? decided_print : back_print;
    json_t *body = review->named ? json_pack("{s:s, s:s}", "decision", "reject", "reason", review->reason)
                                 : json_pack("{s:b, s:s}", "all", review->all, "reason", review->reason);
    return body_post(api, subject_path(review, review->named ? "" : "/reject", &path), body, ret_answer, err);
}

static int round_ask(struct review *review, struct api *api, json_t **ret_answer, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    AUTO(json_drop) json_t *body = json_object();
    uint32_t percent;
    size_t digits = review->seed ? strspn(review->seed, "0123456789") : 1;
    int rc = review->percent ? args_number("--percent", review->percent, 1, 100, &percent, err) : 0;
    if (!rc && (!digits || digits > SEED_DIGITS || (review->seed && review->seed[digits])))
        rc = err_set(err, E_USAGE, "--seed '%.40s' is not a number of at most %d digits", review->seed, SEED_DIGITS);
    if (rc)
        return rc;
    if (review->percent)
        json_object_set_new(body, "percent", json_integer(percent));
    if (review->seed)
        json_object_set_new(body, "seed", json_integer((json_int_t)strtoull(review->seed, NULL, 10)));
    review->print = round_print;
    return body_post(api, subject_path(review, review->dry ? "/round?dry_run=1" : "/round", &path), json_incref(body),
                     ret_answer, err);
}

static int close_ask(struct review *review, struct api *api, json_t **ret_answer, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    review->print = rounds_print;
    return body_post(api, subject_path(review, "/close", &path), json_pack("{s:s*}", "reason", review->reason),
                     ret_answer, err);
}

enum { TAKES_NOTHING, TAKES_BATCH, TAKES_EITHER, TAKES_FIELDS };

static const struct verb {
    const char *name;
    int takes;
    int (*ask)(struct review *review, struct api *api, json_t **ret_answer, struct err *err);
} verb_row[] = {
    {"list",    TAKES_NOTHING, list_ask   },
    {"show",    TAKES_EITHER,  show_ask   },
    {"accept",  TAKES_EITHER,  accept_ask },
    {"correct", TAKES_FIELDS,  correct_ask},
    {"reject",  TAKES_EITHER,  reject_ask },
    {"round",   TAKES_BATCH,   round_ask  },
    {"close",   TAKES_BATCH,   close_ask  },
};

static const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < sizeof verb_row / sizeof *verb_row; i++)
        if (!strcmp(verb_row[i].name, name))
            return &verb_row[i];
    return NULL;
}

static int operands_take(struct review *review, const struct verb *verb, const struct texts *operands, struct err *err)
{
    size_t subjects = operands->count - 1;
    bool fits = verb->takes == TAKES_NOTHING ? !subjects : verb->takes == TAKES_FIELDS ? subjects > 0 : subjects == 1;
    if (!fits)
        return err_set(err, E_USAGE, "%s takes %s, not %zu operands", verb->name,
                       verb->takes == TAKES_NOTHING  ? "options only"
                       : verb->takes == TAKES_BATCH  ? "one batch"
                       : verb->takes == TAKES_FIELDS ? "BATCH/N and FIELD=VALUE ..."
                                                     : "one batch or BATCH/N",
                       subjects);
    review->assignment = operands->item + 2;
    review->assignments = subjects ? subjects - 1 : 0;
    int rc = subjects ? subject_take(review, operands->item[1], err) : 0;
    if (!rc && verb->takes == TAKES_BATCH && review->named)
        rc = err_set(err, E_USAGE, "%s is of a whole batch, not of a document", verb->name);
    return rc;
}

static int review_run(struct review *review, const struct verb *verb, const struct ctl *ctl, struct err *err)
{
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    int rc = api_open(ctl, &api, err);
    if (!rc)
        rc = verb->ask(review, api, &answer, err);
    if (rc)
        return rc;
    if (ctl->json)
        json_print(answer);
    else
        review->print(answer);
    return EXIT_SUCCESS;
}

int review_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(review_destroy) struct review review = {0};
    const struct flag flags[] = {
        {.name = "batch",                                                     .meta = "B",                                        .text = &review.batch,                                               .doc = "list: documents of this batch"},
        {.name = "unit",                                                                   .meta = "U",                                                                                                        .text = &review.unit,                                                                                              .doc = "list: documents of this unit"},
        {.name = "field",                              .meta = "F",                                                                                .text = &review.field,                                        .doc = "list: those where this field is doubted"},
        {.name = "decided",                                              .on = &review.decided,.doc = "list: those that were decided on, instead"},
        {.name = "limit", .meta = "N",                                 .text = &review.limit,                                                                                                        .doc = "list: so many; preset 50"},
        {.name = "machine",                                                        .meta = "FIELD",                                                     .list = &review.machine,.doc = "correct: the machine was right there"},
        {.name = "reason",                                                   .meta = "TEXT",                               .text = &review.reason,                       .doc = "why; needed by reject"},
        {.name = "all",                                                                   .on = &review.all,                                                                                                      .doc = "reject: all of the batch, not only its rejected documents"                                                                                                        },
        {.name = "percent",                                     .meta = "N",                                                                                       .text = &review.percent,                                                                                                                        .doc = "round: so much of what passed, at random"},
        {.name = "seed",
         .meta = "N",
         .text = &review.seed,
         .doc = "round: what it is drawn by; random, and told, without"},
        {.name = "dry-run",                                            .on = &review.dry,.doc = "round: only tell what would be drawn"},
    };
    int rc = args_parse(command, ctl, flags, sizeof flags / sizeof flags[0], argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    const struct verb *verb = operands.count ? verb_find(operands.item[0]) : NULL;
    if (!verb)
        return err_set(err, E_USAGE, "what is to be done: list, show, accept, correct, reject, round or close");
    rc = operands_take(&review, verb, &operands, err);
    return rc ? rc : review_run(&review, verb, ctl, err);
}
