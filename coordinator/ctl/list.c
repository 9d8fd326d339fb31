/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A row of the table below for each list: where the API has it, what can be asked of it, how it is shown. */
#include "coordinator/ctl/list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "proto/auto.h"

enum { QUERIES_MOST = 4, COLUMNS_MOST = 12 };

/* ---- cells ---- */

static void put_number(const json_t *row, const char *key, struct buf *into)
{
    buf_printf(into, "%" JSON_INTEGER_FORMAT, cell_number(row, key));
}

static void put_share(json_int_t done, json_int_t whole, struct buf *into)
{
    buf_printf(into, "%.1f %%", whole > 0 ? 100.0 * (double)done / (double)whole : 100.0);
}

static void unit_name(const json_t *row, struct buf *into)
{
    const char *unit = cell_text(row, "unit");
    buf_puts(into, *unit ? unit : "(no unit)");
}

static void name(const json_t *row, struct buf *into)
{
    buf_puts(into, cell_text(row, "name"));
}

static void verdict(const json_t *row, struct buf *into)
{
    buf_puts(into, cell_text(row, "verdict"));
}

static void unit_done(const json_t *row, struct buf *into)
{
    json_int_t done = cell_number(row, "pages_done");
    put_share(done, done + cell_number(row, "pages_left"), into);
}

static void unit_left(const json_t *row, struct buf *into)
{
    put_number(row, "pages_left", into);
}

static void deadline(const json_t *row, struct buf *into)
{
    cell_day(row, "deadline_ms", into);
}

static void p50(const json_t *row, struct buf *into)
{
    cell_moment(row, "p50_ms", into);
}

static void p90(const json_t *row, struct buf *into)
{
    cell_moment(row, "p90_ms", into);
}

static void slack(const json_t *row, struct buf *into)
{
    const json_t *ms = json_object_get(row, "slack_ms");
    if (json_is_integer(ms))
        buf_printf(into, "%+.1f d", (double)json_integer_value(ms) / 86.4e6);
    else
        buf_puts(into, "-");
}

static void rates(const json_t *row, struct buf *into)
{
    const json_t *needed = json_object_get(row, "rate_needed");
    buf_printf(into, "%.2f", json_number_value(json_object_get(row, "rate_now")));
    if (json_is_number(needed))
        buf_printf(into, " of %.2f", json_number_value(needed));
}

static void cores(const json_t *row, struct buf *into)
{
    double needed = json_number_value(json_object_get(row, "cores_needed"));
    if (needed > 0)
        buf_printf(into, "+%.1f", needed);
}

static void unit_until(const json_t *row, struct buf *into)
{
    buf_puts(into, cell_text(row, "until"));
}

static void sure_documents(const json_t *row, struct buf *into)
{
    put_number(json_object_get(row, "sure"), "documents", into);
}

static void sure_pages(const json_t *row, struct buf *into)
{
    put_number(json_object_get(row, "sure"), "pages", into);
}

static void sure_done(const json_t *row, struct buf *into)
{
    put_number(json_object_get(row, "sure"), "pages_done", into);
}

static void sure_left(const json_t *row, struct buf *into)
{
    put_number(json_object_get(row, "sure"), "pages_left", into);
}

static void perhaps(const json_t *row, const char *key, struct buf *into)
{
    if (cell_number(json_object_get(row, "perhaps"), key))
        buf_printf(into, "+%" JSON_INTEGER_FORMAT, cell_number(json_object_get(row, "perhaps"), key));
}

static void perhaps_documents(const json_t *row, struct buf *into)
{
    perhaps(row, "documents", into);
}

static void perhaps_pages(const json_t *row, struct buf *into)
{
    perhaps(row, "pages", into);
}

static void perhaps_left(const json_t *row, struct buf *into)
{
    perhaps(row, "pages_left", into);
}

static void batch_id(const json_t *row, struct buf *into)
{
    buf_puts(into, cell_text(row, "id"));
}

static void batch_state(const json_t *row, struct buf *into)
{
    buf_puts(into, cell_text(row, "state"));
}

static void batch_unit(const json_t *row, struct buf *into)
{
    const char *unit = cell_text(row, "unit");
    buf_puts(into, *unit ? unit : "-");
    buf_puts(into, strcmp(cell_text(row, "belongs"), "perhaps") ? "" : " (perhaps)");
}

static void batch_documents(const json_t *row, struct buf *into)
{
    put_number(json_object_get(row, "documents"), "total", into);
}

static void batch_pages(const json_t *row, struct buf *into)
{
    put_number(json_object_get(row, "pages"), "total", into);
}

static void batch_done(const json_t *row, struct buf *into)
{
    const json_t *pages = json_object_get(row, "pages");
    const json_t *documents = json_object_get(row, "documents");
    json_int_t total = cell_number(pages, "total"), docs = cell_number(documents, "total");
    if (total)
        put_share(total - cell_number(pages, "queued") - cell_number(pages, "leased"), total, into);
    else
        put_share(docs - cell_number(documents, "open"), docs, into);
}

static void batch_bad(const json_t *row, struct buf *into)
{
    const json_t *documents = json_object_get(row, "documents");
    buf_printf(into, "%" JSON_INTEGER_FORMAT,
               cell_number(documents, "dead") + cell_number(documents, "refused") +
                   cell_number(documents, "quarantined"));
}

static void priority(const json_t *row, struct buf *into)
{
    put_number(row, "priority", into);
}

static void batch_why(const json_t *row, struct buf *into)
{
    const json_t *why = json_object_get(row, "paused_by");
    if (json_is_object(why))
        buf_printf(into, "%s: %s", cell_text(why, "code"), cell_text(why, "text"));
}

static void code(const json_t *row, struct buf *into)
{
    buf_puts(into, cell_text(row, "code"));
}

static void failed_documents(const json_t *row, struct buf *into)
{
    put_number(row, "documents", into);
}

static void failed_where(const json_t *row, struct buf *into)
{
    if (!strcmp(cell_text(row, "code"), "E_SECRET"))
        buf_puts(into, "sohoa quarantine list"); /* a person decides */
    else
        buf_printf(into, "sohoa rerun --where '%s'", cell_text(row, "where"));
}

static void failed_example(const json_t *row, struct buf *into)
{
    const char *text = cell_text(row, "text");
    buf_puts(into, *text ? text : cell_text(row, "meaning"));
}

static void worker_state(const json_t *row, struct buf *into)
{
    bool connected = json_is_true(json_object_get(row, "connected"));
    bool drained = json_is_true(json_object_get(row, "drained"));
    buf_puts(into, !connected ? "gone" : drained ? "drained" : "connected");
}

/* What its last heartbeat said is not so any more. */
static bool gone(const json_t *row, struct buf *into)
{
    bool connected = json_is_true(json_object_get(row, "connected"));
    if (!connected)
        buf_puts(into, "-");
    return !connected;
}

static void worker_busy(const json_t *row, struct buf *into)
{
    if (!gone(row, into))
        buf_printf(into, "%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT, cell_number(row, "busy"),
                   cell_number(row, "slots"));
}

static void worker_leases(const json_t *row, struct buf *into)
{
    put_number(row, "leases", into);
}

static void worker_pace(const json_t *row, struct buf *into)
{
    buf_printf(into, "%.2f", json_number_value(json_object_get(row, "pace")));
}

static void worker_memory(const json_t *row, struct buf *into)
{
    if (!gone(row, into))
        buf_printf(into, "%" JSON_INTEGER_FORMAT " MB", cell_number(row, "rss_bytes") >> 20);
}

static void worker_build(const json_t *row, struct buf *into)
{
    buf_printf(into, "%s %.12s", cell_text(row, "build"), cell_text(row, "pipeline"));
}

static void worker_tags(const json_t *row, struct buf *into)
{
    buf_puts(into, cell_text(row, "tags"));
}

/* ---- the lists ---- */

struct query {
    const char *name, *parameter, *meta, *doc;
};

static const struct list {
    const char *path, *key; /* where the API has it, and where its answer has the rows */
    bool paged;
    struct query query[QUERIES_MOST];
    struct column column[COLUMNS_MOST];
} list_rule[LISTS] = {
    [LIST_UNITS] = {"units",
                    "units",   false,
                    {{"filter", "q", "TEXT", "whose name or code has it"},
                     {"kind", "kind", "KIND", "district, old or new"},
                     {"verdict", "verdict", "VERDICT", "late, 'at risk', 'on time', paused, 'no deadline' or done"},
                     {"by", "by", "KIND",
                      "progress by district, old or new units: what surely is theirs, and what perhaps is"}},
                    {{"UNIT", false, unit_name},
                     {"NAME", false, name},
                     {"VERDICT", false, verdict},
                     {"DONE", true, unit_done},
                     {"LEFT", true, unit_left},
                     {"DEADLINE", false, deadline},
                     {"P50", false, p50},
                     {"P90", false, p90},
                     {"SLACK", true, slack},
                     {"PAGES/S", true, rates},
                     {"CORES", true, cores}}                   },
    [LIST_PROGRESS] = {"units",
                    "units",   false,
                    {{0}},
                    {{"UNIT", false, unit_name},
                        {"NAME", false, name},
                        {"UNTIL", false, unit_until},
                        {"DOCUMENTS", true, sure_documents},
                        {"PAGES", true, sure_pages},
                        {"DONE", true, sure_done},
                        {"LEFT", true, sure_left},
                        {"PERHAPS", true, perhaps_documents},
                        {"PAGES", true, perhaps_pages},
                        {"LEFT", true, perhaps_left}}          },
    [LIST_BATCHES] = {"batches",
                    "batches", true,
                    {{"filter", "q", "TEXT", "whose id has it"},
                       {"state", "state", "STATE", "running, paused, finished or withdrawn"},
                       {"unit", "unit", "UNIT", "that have documents of it, or may have; of any time"}},
                    {{"BATCH", false, batch_id},
                       {"STATE", false, batch_state},
                       {"UNIT", false, batch_unit},
                       {"PRIORITY", true, priority},
                       {"DEADLINE", false, deadline},
                       {"DOCUMENTS", true, batch_documents},
                       {"PAGES", true, batch_pages},
                       {"DONE", true, batch_done},
                       {"FAILED", true, batch_bad},
                       {"WHY", false, batch_why}}              },
    [LIST_FAILURES] = {"failures",
                    "groups",  false,
                    {{"unit", "unit", "UNIT", "of its documents"}, {"batch", "batch", "BATCH", "of its documents"}},
                    {{"CODE", false, code},
                        {"DOCUMENTS", true, failed_documents},
                        {"AGAIN", false, failed_where},
                        {"FOR EXAMPLE", false, failed_example}}},
    [LIST_WORKERS] = {"workers",
                    "workers", false,
                    {{0}},
                    {{"WORKER", false, name},
                       {"STATE", false, worker_state},
                       {"BUSY", true, worker_busy},
                       {"LEASES", true, worker_leases},
                       {"PACE", true, worker_pace},
                       {"MEMORY", true, worker_memory},
                       {"BUILD", false, worker_build},
                       {"TAGS", false, worker_tags}}           },
};

static size_t queries_of(const struct list *list)
{
    size_t count = 0;
    while (count < QUERIES_MOST && list->query[count].name)
        count++;
    return count;
}

static size_t columns_of(const struct list *list)
{
    size_t count = 0;
    while (count < COLUMNS_MOST && list->column[count].cell)
        count++;
    return count;
}

/* Who is late first, then by what is left of time; what has no deadline last. */
static double urgency(const json_t *row)
{
    const json_t *slack_ms = json_object_get(row, "slack_ms");
    if (!strcmp(cell_text(row, "verdict"), "done"))
        return 2e300;
    return json_is_integer(slack_ms) ? (double)json_integer_value(slack_ms) : 1e300;
}

static int row_order(const void *a, const void *b)
{
    double x = urgency(*(json_t *const *)a), y = urgency(*(json_t *const *)b);
    return x < y ? -1 : x > y;
}

static json_t *sorted(const json_t *rows)
{
    size_t count = json_array_size(rows);
    AUTO(mem_destroy) json_t **row = calloc(count + 1, sizeof *row);
    json_t *list = json_array();
    if (!row)
        abort();
    for (size_t i = 0; i < count; i++)
        row[i] = json_array_get(rows, i);
    qsort(row, count, sizeof *row, row_order);
    for (size_t i = 0; i < count; i++)
        json_array_append(list, row[i]);
    return list;
}

/* What is sure and what is not are all together; what a unit perhaps has is in no sum. */
static void sums_write(const json_t *answer, struct buf *into)
{
    static const char *const sum[] = {"all", "sure", "undecided"};
    for (size_t i = 0; i < sizeof sum / sizeof sum[0]; i++) {
        const json_t *of = json_object_get(answer, sum[i]);
        buf_printf(into,
                   "%s%s: documents %" JSON_INTEGER_FORMAT ", pages %" JSON_INTEGER_FORMAT
                   ", done %" JSON_INTEGER_FORMAT ", left %" JSON_INTEGER_FORMAT "\n",
                   i ? "" : "\n", sum[i], cell_number(of, "documents"), cell_number(of, "pages"),
                   cell_number(of, "pages_done"), cell_number(of, "pages_left"));
    }
}

void list_write(enum list_kind kind, json_t *answer, size_t rows_most, size_t columns_most, struct buf *into)
{
    const struct list *list = &list_rule[kind];
    json_t *rows = json_object_get(answer, list->key);
    AUTO(json_drop) json_t *shown = kind == LIST_UNITS ? sorted(rows) : json_incref(rows);
    table_write(list->column, columns_of(list), shown, rows_most, columns_most, into);
    if (kind == LIST_PROGRESS)
        sums_write(answer, into);
}

/* ---- the commands ---- */

static void path_put(const struct list *list, const char *const *said, struct buf *path)
{
    const char *before = "?";
    buf_puts(path, list->path);
    for (size_t i = 0; i < queries_of(list); i++) {
        if (!said[i])
            continue;
        buf_printf(path, "%s%s=", before, list->query[i].parameter);
        api_escape(path, said[i]);
        before = "&";
    }
}

/* Units by those of another time are another table. */
static enum list_kind shown_as(enum list_kind kind, const char *const *said)
{
    for (size_t i = 0; i < queries_of(&list_rule[kind]); i++)
        if (said[i] && !strcmp(list_rule[kind].query[i].name, "by"))
            return LIST_PROGRESS;
    return kind;
}

/* What is paged is got to its end. */
static int list_get(struct api *api, const struct list *list, const char *path, json_t **ret_answer, struct err *err)
{
    AUTO(json_drop) json_t *answer = NULL;
    int rc = api_get(api, path, &answer, err);
    while (!rc && list->paged && json_is_string(json_object_get(answer, "next"))) {
        AUTO(json_drop) json_t *more = NULL;
        AUTO(buf_destroy) struct buf next = {0};
        buf_printf(&next, "%s%cafter=", path, strchr(path, '?') ? '&' : '?');
        api_escape(&next, cell_text(answer, "next"));
        rc = api_get(api, buf_text(&next), &more, err);
        if (rc)
            break;
        json_array_extend(json_object_get(answer, list->key), json_object_get(more, list->key));
        json_object_set(answer, "next", json_object_get(more, "next"));
    }
    if (!rc)
        *ret_answer = json_incref(answer);
    return rc;
}

static int list_main(enum list_kind kind, const struct command *command, struct ctl *ctl, int argc, char **argv,
                     struct err *err)
{
    const struct list *list = &list_rule[kind];
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    AUTO(buf_destroy) struct buf path = {0};
    AUTO(buf_destroy) struct buf text = {0};
    const char *said[QUERIES_MOST] = {0};
    struct flag flags[QUERIES_MOST];
    for (size_t i = 0; i < queries_of(list); i++)
        flags[i] = (struct flag){
            .name = list->query[i].name, .meta = list->query[i].meta, .doc = list->query[i].doc, .text = &said[i]};
    int rc = args_parse(command, ctl, flags, queries_of(list), argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count)
        return err_set(err, E_USAGE, "'%.60s': %s takes no operand", operands.item[0], command->name);
    path_put(list, said, &path);
    rc = api_open(ctl, &api, err);
    if (!rc)
        rc = list_get(api, list, buf_text(&path), &answer, err);
    if (rc)
        return rc;
    if (ctl->json) {
        json_print(answer);
        return EXIT_SUCCESS;
    }
    list_write(shown_as(kind, said), answer, 0, 0, &text);
    fputs(buf_text(&text), stdout);
    return EXIT_SUCCESS;
}

int units_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    return list_main(LIST_UNITS, command, ctl, argc, argv, err);
}

int batches_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    return list_main(LIST_BATCHES, command, ctl, argc, argv, err);
}

int failures_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    return list_main(LIST_FAILURES, command, ctl, argc, argv, err);
}

int workers_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    return list_main(LIST_WORKERS, command, ctl, argc, argv, err);
}
