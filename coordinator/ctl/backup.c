/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The work is done in a thread of its own; this one shows how far it is and looks whether somebody wants it to end. */
#include "coordinator/ctl/backup.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "coordinator/ctl/interrupt.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "storage/backup.h"

enum { THREADS_PRESET = 8, THREADS_MOST = 64, LOOK_MS = 200, LINE_MS = 5000 };

enum act { ACT_BACK_UP, ACT_CHECK, ACT_RESTORE };

struct errand {
    enum act act;
    struct backup_order order;
    struct stock_watch watch;
    struct backup_report report;
    int rc;
    struct err err;
};

/* ---- how far it is ---- */

struct showing {
    uint64_t began_ms, shown_ms;
    bool terminal;
};

static void far_show(struct showing *showing, const struct stock_watch *watch)
{
    uint64_t now_ms = clock_mono_ms(), took_ms = now_ms - showing->began_ms;
    if (took_ms < LOOK_MS ||
        (showing->shown_ms && now_ms - showing->shown_ms < (showing->terminal ? LOOK_MS : LINE_MS)))
        return;
    showing->shown_ms = now_ms;
    double mb = (double)atomic_load(&watch->bytes) / 1e6;
    fprintf(stderr, showing->terminal ? "\r\033[K" : "sohoa: ");
    fprintf(stderr, "%" PRIu64 " of %" PRIu64 " blobs, %.1f MB, %.1f MB/s%s", atomic_load(&watch->blobs),
            atomic_load(&watch->blobs_all), mb, mb * 1000 / (double)took_ms, showing->terminal ? "" : "\n");
}

static void far_end(const struct showing *showing)
{
    if (showing->terminal && showing->shown_ms)
        fputs("\r\033[K", stderr);
}

static void *errand_run(void *arg)
{
    struct errand *errand = arg;
    struct backup_order *order = &errand->order;
    switch (errand->act) {
    case ACT_BACK_UP: errand->rc = backup_run(order, &errand->report, &errand->err); break;
    case ACT_RESTORE: errand->rc = backup_restore(order, &errand->report, &errand->err); break;
    case ACT_CHECK:
        errand->rc = backup_check(order->to, order->threads, &errand->watch, &errand->report, &errand->err);
        break;
    }
    return NULL;
}

static int errand_watched(struct errand *errand, struct err *err)
{
    struct showing showing = {.began_ms = clock_mono_ms(), .terminal = isatty(STDERR_FILENO)};
    pthread_t thread;
    interrupt_watch();
    if (pthread_create(&thread, NULL, errand_run, errand))
        return err_errno(err, E_NOMEM, "a thread to copy with");
    while (!interrupt_join(thread, LOOK_MS)) {
        far_show(&showing, &errand->watch);
        if (interrupt_seen())
            atomic_store(&errand->watch.stop, true);
    }
    far_end(&showing);
    if (errand->rc)
        *err = errand->err;
    return errand->rc;
}

/* ---- what came of it ---- */

static json_t *report_json(const struct backup_report *report)
{
    json_t *findings = json_array();
    for (uint64_t i = 0; i < report->findings && i < BACKUP_FINDINGS_MAX; i++) {
        const struct backup_finding *found = &report->finding[i];
        json_array_append_new(findings, json_pack("{s:s,s:s,s:s}", "kind", backup_wrong_name(found->wrong), "blob",
                                                  found->blob, "text", found->text));
    }
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "copied", (json_int_t)report->copied, "copied_bytes",
                     (json_int_t)report->copied_bytes, "same", (json_int_t)report->same, "removed",
                     (json_int_t)report->removed, "entries", (json_int_t)report->entries, "findings_total",
                     (json_int_t)report->findings, "findings", findings);
}

static void report_print(enum act act, const struct backup_report *report)
{
    for (uint64_t i = 0; i < report->findings && i < BACKUP_FINDINGS_MAX; i++)
        printf("%s: %s: %s\n", backup_wrong_name(report->finding[i].wrong), report->finding[i].blob,
               report->finding[i].text);
    if (report->findings > BACKUP_FINDINGS_MAX)
        printf("... and %" PRIu64 " findings more\n", report->findings - BACKUP_FINDINGS_MAX);
    if (act == ACT_CHECK) {
        printf("%" PRIu64 " blobs are what they were, %" PRIu64 " findings; %" PRIu64 " ledger entries\n", report->same,
               report->findings, report->entries);
        if (report->findings)
            puts("sohoa backup FROM TO --repair copies again what is missing or damaged");
        return;
    }
    printf("%" PRIu64 " blobs copied (%.1f MB), %" PRIu64 " were there, %" PRIu64 " removed, %" PRIu64
           " findings; %" PRIu64 " ledger entries\n",
           report->copied, (double)report->copied_bytes / 1e6, report->same, report->removed, report->findings,
           report->entries);
}

/* ---- the commands ---- */

/* A folder that is to be read would be made. */
static int store_find(const char *url, struct store **ret_store, struct err *err)
{
    if (!strncmp(url, "dir:", 4) && access(url + 4, F_OK))
        return err_errno(err, E_ABSENT, "%s", url + 4);
    return store_open(url, ret_store, err);
}

static int errand_main(enum act act, const char *from_url, const char *to_url, const struct backup_order *asked,
                       const struct ctl *ctl, struct err *err)
{
    AUTO(store_destroy) struct store *from = NULL;
    AUTO(store_destroy) struct store *to = NULL;
    AUTO(mem_destroy) struct errand *errand = calloc(1, sizeof *errand);
    if (!errand)
        return err_set(err, E_NOMEM, "no memory for a back-up");
    int rc = from_url ? store_find(from_url, &from, err) : 0;
    if (!rc)
        rc = act == ACT_CHECK ? store_find(to_url, &to, err) : store_open(to_url, &to, err);
    if (rc)
        return rc;
    errand->act = act;
    errand->order = *asked;
    errand->order.from = from;
    errand->order.to = to;
    errand->order.watch = &errand->watch;
    rc = errand_watched(errand, err);
    if (rc)
        return rc;
    AUTO(json_drop) json_t *report = ctl->json ? report_json(&errand->report) : NULL;
    if (report)
        json_print(report);
    else
        report_print(act, &errand->report);
    return errand->report.findings ? EXIT_FINDINGS : EXIT_SUCCESS;
}

static int threads_read(const char *text, struct backup_order *order, struct err *err)
{
    uint32_t threads = THREADS_PRESET;
    int rc = text ? args_number("--threads", text, 1, THREADS_MOST, &threads, err) : 0;
    order->threads = threads;
    return rc;
}

int backup_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    struct backup_order order = {0};
    const char *threads = NULL;
    bool check = false;
    /* clang-format off */
    const struct flag flags[] = {
        {.name = "records", .on = &order.records, .doc = "batches, ledger, records and tombstones only: small, for every hour; what was read is not in it"},
        {.name = "read-back", .on = &order.read_back, .doc = "read again at once what was written"},
        {.name = "repair", .on = &order.repair, .doc = "compare also what is there, and copy again what is damaged"},
        {.name = "check", .on = &check, .doc = "of TO alone: read all of it and compare it with its inventory"},
        {.name = "threads", .meta = "N", .text = &threads, .doc = "copy so many blobs at once; preset 8"},
    };
    /* clang-format on */
    int rc = args_parse(command, ctl, flags, sizeof flags / sizeof flags[0], argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count != (check ? 1 : 2))
        return err_set(err, E_USAGE, check ? "--check is of one store" : "which store is to be copied where: FROM TO");
    if (check && (order.records || order.read_back || order.repair))
        return err_set(err, E_USAGE, "--check only reads: no --records, --read-back or --repair with it");
    rc = threads_read(threads, &order, err);
    if (rc)
        return rc;
    return check ? errand_main(ACT_CHECK, NULL, operands.item[0], &order, ctl, err)
                 : errand_main(ACT_BACK_UP, operands.item[0], operands.item[1], &order, ctl, err);
}

int restore_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    struct backup_order order = {0};
    const char *threads = NULL;
    const struct flag flags[] = {
        {.name = "read-back", .on = &order.read_back, .doc = "read again at once what was written" },
        { .name = "threads",        .meta = "N",       .text = &threads, .doc = "copy so many blobs at once; preset 8"},
    };
    int rc = args_parse(command, ctl, flags, sizeof flags / sizeof flags[0], argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count != 2)
        return err_set(err, E_USAGE, "which back-up is to be restored to which empty store: FROM TO");
    rc = threads_read(threads, &order, err);
    return rc ? rc : errand_main(ACT_RESTORE, operands.item[0], operands.item[1], &order, ctl, err);
}
