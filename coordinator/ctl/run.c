/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The way of a run is told in run_all(): find the files, start the nest, admit them as one batch, export each document as soon
 * as it is final, write the report. The batch's id follows from the files, so the same command goes on where one was ended. */
#include "coordinator/ctl/run.h"

#include <assert.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/args.h"
#include "coordinator/ctl/bar.h"
#include "coordinator/ctl/export.h"
#include "coordinator/ctl/interrupt.h"
#include "coordinator/ctl/names.h"
#include "coordinator/ctl/nest.h"
#include "coordinator/ctl/report.h"
#include "proto/auto.h"
#include "proto/clock.h"

enum {
    POLL_MS = 250,
    READY_POLL_MS = 50,
    NEWS_MS = 500,     /* after a failed call: the keeper's news of a dead coordinator may still be on its way */
    SWEEP_CALLS = 4,   /* calls for documents between two looks at the batch */
    SLOTS_MOST = 1024, /* as the worker's key says */
};

struct run {
    const struct ctl *ctl;
    const char *out, *lang, *pdfa;
    uint32_t slots;
    uint64_t began_ms; /* on the monotonic clock */
    struct inputs inputs;
    char batch[NAME_BYTES];
    struct nest *nest;
    struct api *api;
    struct export *export;
    struct outcomes outcomes; /* of the admitted inputs, in their order */
    size_t first_open;        /* all before it are exported */
    uint64_t final_seen;      /* final documents at the last sweep */
    uint64_t pages_read;      /* by this run: the coordinator is the run's own */
    double seconds;
    struct bar bar;
};

static void run_destroy(struct run *run)
{
    export_destroy(&run->export);
    api_destroy(&run->api);
    nest_destroy(&run->nest);
    outcomes_destroy(&run->outcomes);
    inputs_destroy(&run->inputs);
}

static int interrupted(struct err *err)
{
    return interrupt_seen() ? err_set(err, E_STATE, "interrupted; run the same command again to go on") : 0;
}

/* ---- the nest ---- */

static bool worker_connected(const json_t *status)
{
    size_t i;
    json_t *worker;
    json_array_foreach(json_object_get(status, "workers"), i, worker)
    {
        if (json_is_true(json_object_get(worker, "connected")))
            return true;
    }
    return false;
}

static bool is_ready(struct run *run)
{
    AUTO(json_drop) json_t *status = NULL;
    return api_get(run->api, "status", &status, NULL) == 0 && json_is_true(json_object_get(status, "ready")) &&
           worker_connected(status);
}

static int ready_await(struct run *run, struct err *err)
{
    uint64_t until_ms = clock_mono_ms() + NEST_READY_MS;
    int rc = 0;
    while (!rc && !is_ready(run)) {
        rc = interrupted(err);
        if (!rc)
            rc = nest_check(run->nest, err);
        if (!rc && clock_mono_ms() > until_ms)
            rc = err_set(err, E_TIME, "coordinator and worker were not ready within %d s", NEST_READY_MS / 1000);
        interrupt_sleep(READY_POLL_MS);
    }
    return rc;
}

/* A call failed: when that is because a process of the nest ended, that is the better reason. */
static int blame(struct run *run, int rc, struct err *err)
{
    struct err why = {0};
    if (!rc || interrupted(err))
        return rc;
    interrupt_sleep(NEWS_MS);
    if (!nest_check(run->nest, &why))
        return rc;
    *err = why;
    return why.code;
}

static int nest_start(struct run *run, struct err *err)
{
    struct nest_plan plan = {.out = run->out, .lang = run->lang, .pdfa = run->pdfa, .slots = run->slots};
    int rc = nest_open(&plan, &run->nest, err);
    if (!rc)
        rc = api_new(nest_api(run->nest), &run->api, err);
    return rc ? rc : ready_await(run, err);
}

/* ---- the batch ---- */

static int batch_get(struct run *run, json_t **ret_batch, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    return api_get(run->api, batch_path(&path, run->batch, ""), ret_batch, err);
}

static int admit(struct run *run, struct err *err)
{
    AUTO(buf_destroy) struct buf lines = {0};
    inputs_manifest(&run->inputs, &lines);
    return api_admit(run->api, run->batch, "", &lines, NULL, err);
}

static void outcomes_name(struct run *run)
{
    size_t admitted = 0;
    for (size_t i = 0; i < run->inputs.count; i++)
        admitted += !run->inputs.item[i].refused.code;
    outcomes_init(&run->outcomes, admitted);
    for (size_t i = 0, doc = 0; i < run->inputs.count; i++) {
        if (run->inputs.item[i].refused.code)
            continue;
        char *name = strdup(run->inputs.item[i].name);
        assert(name);
        run->outcomes.item[doc++].name = name;
    }
}

static uint64_t docs_final(const json_t *batch)
{
    return batch_count(batch, "documents", "total") - batch_count(batch, "documents", "open");
}

static void progress_show(struct run *run, const json_t *batch)
{
    struct bar_state state = {
        .docs = batch_count(batch, "documents", "total"),
        .docs_done = docs_final(batch),
        .pages = batch_count(batch, "pages", "total"),
        .pages_done = batch_count(batch, "pages", "total") - batch_count(batch, "pages", "queued") -
                      batch_count(batch, "pages", "leased"),
        .failures = batch_count(batch, "pages", "dead") + batch_count(batch, "documents", "quarantined"),
        .refused = batch_count(batch, "documents", "refused"),
    };
    bar_show(&run->bar, &state, clock_mono_ms());
}

static int range_export(struct run *run, size_t from, size_t to, struct err *err)
{
    int rc = 0;
    for (size_t doc = from; doc < to && !rc; doc++) {
        rc = interrupted(err);
        if (!rc)
            rc = export_document(run->export, &run->outcomes, (uint32_t)doc, err);
    }
    return rc;
}

/* Exports what became final, from the first document that is open on; work goes roughly in their order. */
static int sweep(struct run *run, unsigned calls, struct err *err)
{
    size_t next = run->first_open;
    int rc = outcomes_read(run->api, run->batch, run->first_open, calls, &run->outcomes, &next, err);
    if (!rc)
        rc = range_export(run, run->first_open, next, err);
    while (run->first_open < run->outcomes.count && run->outcomes.item[run->first_open].exported)
        run->first_open++;
    return rc;
}

static int look(struct run *run, bool *ret_running, struct err *err)
{
    AUTO(json_drop) json_t *batch = NULL;
    int rc = batch_get(run, &batch, err);
    if (rc)
        return rc;
    progress_show(run, batch);
    run->pages_read = (uint64_t)json_integer_value(json_object_get(batch, "pages_read"));
    const char *state = json_string_value(json_object_get(batch, "state"));
    *ret_running = state && !strcmp(state, "running");
    if (docs_final(batch) == run->final_seen)
        return 0;
    run->final_seen = docs_final(batch);
    return sweep(run, SWEEP_CALLS, err);
}

static int watch(struct run *run, struct err *err)
{
    int rc = 0;
    for (bool running = true; running && !rc;) {
        rc = interrupted(err);
        if (!rc)
            rc = nest_check(run->nest, err);
        if (!rc)
            rc = look(run, &running, err);
        if (!rc && running)
            interrupt_sleep(POLL_MS);
    }
    run->first_open = 0; /* all once more: what a person did meanwhile counts, too */
    return rc ? rc : sweep(run, UINT32_MAX, err);
}

static int work(struct run *run, struct err *err)
{
    int rc = admit(run, err);
    if (!rc)
        rc = export_new(run->api, run->batch, run->out, &run->export, err);
    if (!rc)
        rc = watch(run, err);
    bar_clear(&run->bar);
    return blame(run, rc, err);
}

/* ---- the end ---- */

static double pages_per_core_hour(const struct run *run)
{
    return (double)run->pages_read / (run->seconds * run->slots) * 3600;
}

static void end_print_json(const struct run *run, const struct report *report)
{
    AUTO(buf_destroy) struct buf path = {0};
    buf_printf(&path, "%s/%s", run->out, REPORT);
    AUTO(json_drop) json_t *end = report_totals(report);
    json_object_set_new(end, "out", json_string(run->out));
    json_object_set_new(end, "report", json_string(buf_text(&path)));
    json_object_set_new(end, "batch", json_string(run->batch));
    json_object_set_new(end, "pages_new", json_integer((json_int_t)run->pages_read));
    json_object_set_new(end, "pages_per_core_hour",
                        run->pages_read ? json_real(pages_per_core_hour(run)) : json_null());
    json_object_set_new(end, "seconds", json_real(run->seconds));
    json_object_set_new(end, "slots", json_integer(run->slots));
    json_dumpf(end, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    puts("");
}

static void end_print(const struct run *run, const struct report *report)
{
    report_tell(report, stdout);
    if (run->pages_read)
        printf("speed:     %.0f pages per core-hour (%" PRIu64 " page%s in %.1f s with %" PRIu32 " slot%s)\n",
               pages_per_core_hour(run), run->pages_read, run->pages_read == 1 ? "" : "s", run->seconds, run->slots,
               run->slots == 1 ? "" : "s");
    else
        puts("speed:     nothing to do: no page was left to read");
    printf("results:   %s\nreport:    %s/%s\n", run->out, run->out, REPORT);
}

static int finish(struct run *run, int *ret_exit, struct err *err)
{
    AUTO(report_destroy) struct report report = {0};
    AUTO(buf_destroy) struct buf json = {0};
    run->seconds = (double)(clock_mono_ms() - run->began_ms) / 1000;
    report_init(&report, &run->inputs, &run->outcomes);
    report_grade(&report, run->out);
    report_print(&report, &json);
    int rc = export_file(run->export, REPORT, json.data, json.size, err);
    if (rc)
        return rc;
    nest_destroy(&run->nest);
    if (run->ctl->json)
        end_print_json(run, &report);
    else
        end_print(run, &report);
    *ret_exit = report_exit(&report);
    return 0;
}

static int run_all(struct run *run, const struct texts *paths, int *ret_exit, struct err *err)
{
    int rc = inputs_find(paths, run->out, &run->inputs, err);
    if (rc)
        return rc;
    names_give(&run->inputs, paths);
    inputs_batch(&run->inputs, run->lang, run->pdfa, run->batch);
    outcomes_name(run);
    if (!run->outcomes.count)
        return err_set(err, E_ABSENT, "%s: %s", run->inputs.item[0].name, run->inputs.item[0].refused.text);
    rc = export_folder(run->out, err);
    if (!rc)
        rc = nest_start(run, err);
    if (!rc)
        rc = work(run, err);
    if (rc && run->nest && (rc == E_STATE || rc == E_TIME) && !interrupt_seen())
        nest_explain(run->nest, stderr);
    return rc ? rc : finish(run, ret_exit, err);
}

static uint32_t cores(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (uint32_t)CPU_COUNT(&set) : 1;
}

int run_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    const char *slots = NULL;
    AUTO(texts_destroy) struct texts paths = {0};
    AUTO(run_destroy)
    struct run run = {.ctl = ctl, .lang = "vie", .pdfa = "2b", .began_ms = clock_mono_ms(), .slots = cores()};
    const struct flag flags[] = {
        {.name = "out",   .meta = "DIR",   .text = &run.out,  .doc = "folder for the results; DIR/.sohoa is the run's own"},
        {.name = "lang",  .meta = "L",     .text = &run.lang, .doc = "Tesseract languages, joined by + [vie]"             },
        {.name = "pdfa",  .meta = "LEVEL", .text = &run.pdfa, .doc = "2b, or 1b where a scan allows it [2b]"              },
        {.name = "slots", .meta = "N",     .text = &slots,    .doc = "pages read at once [one a core]"                    },
    };
    int exit_code = EXIT_SUCCESS;
    int rc = args_parse(command, ctl, flags, sizeof flags / sizeof flags[0], argc, argv, &paths, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (slots)
        rc = args_number("--slots", slots, 1, SLOTS_MOST, &run.slots, err);
    if (!rc && strcmp(run.pdfa, "2b") && strcmp(run.pdfa, "1b"))
        rc = err_set(err, E_USAGE, "--pdfa '%s' is neither 2b nor 1b", run.pdfa);
    if (!rc && !paths.count)
        rc = err_set(err, E_USAGE, "no PATH: name the folders or files to read");
    if (!rc && !run.out)
        rc = err_set(err, E_USAGE, "--out DIR is missing: where are the results to go?");
    if (rc)
        return rc;
    bar_init(&run.bar, stderr);
    interrupt_watch();
    rc = run_all(&run, &paths, &exit_code, err);
    return rc ? rc : exit_code;
}
