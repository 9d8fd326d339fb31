/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One row a metric, as in coordinator/meter.c. */
#include "worker/odometer.h"

#include "proto/self.h"

static const double stage_s[] = {0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 0};
static const char *const kind_name[ODOMETER_KINDS] = {"", "probe", "pages", "assemble", "view"};
static const char *const stage_name[STAGES] = {"", "fetch", "open", "page", "assemble", "store"};

/* The formatter would pad every column to the widest. */
/* clang-format off */
const struct metric node_metric[NODE_METRICS] = {
    [NM_BUILD] = {"sohoa_build_info", METRIC_GAUGE, 1, "1; which program and release this is.", {"program", "build"}, NULL},
    [NM_UPTIME] = {"sohoa_node_uptime_seconds", METRIC_GAUGE, 1, "Since this worker started.", {NULL}, NULL},
    [NM_JOINED] = {"sohoa_node_joined", METRIC_GAUGE, 1, "1: it has joined a coordinator; 0: it looks for one.", {NULL}, NULL},
    [NM_SLOTS] = {"sohoa_node_slots", METRIC_GAUGE, 1, "Pages that it reads at once.", {NULL}, NULL},
    [NM_SLOTS_BUSY] = {"sohoa_node_slots_busy", METRIC_GAUGE, 1, "Slots at work.", {NULL}, NULL},
    [NM_SLOTS_LOST] = {"sohoa_node_slots_lost_total", METRIC_COUNTER, 1, "Slots that crashed, hung, ballooned or answered nonsense, and were replaced.", {NULL}, NULL},
    [NM_JOBS] = {"sohoa_node_jobs", METRIC_GAUGE, 1, "Jobs that it has, views included.", {NULL}, NULL},
    [NM_JOBS_ENDED] = {"sohoa_node_jobs_total", METRIC_COUNTER, ODOMETER_KINDS, "Jobs that ended with a result, well or not; view: pictures and words of pages.", {"kind"}, NULL},
    [NM_JOBS_ABANDONED] = {"sohoa_node_jobs_abandoned_total", METRIC_COUNTER, 1, "Jobs whose lease ran out or was taken back.", {NULL}, NULL},
    [NM_PAGES_READ] = {"sohoa_node_pages_read_total", METRIC_COUNTER, 1, "Pages that it read.", {NULL}, NULL},
    [NM_FAILURES] = {"sohoa_node_failures_total", METRIC_COUNTER, TOLL_CODES, "Attempts that failed, of jobs and of pages.", {"code"}, NULL},
    [NM_STAGE] = {"sohoa_node_stage_seconds", METRIC_HISTOGRAM, STAGES, "How long it took to fetch a source, to open it, to read a page, to assemble a document, to store something.", {"stage"}, stage_s},
    [NM_CPU] = {"sohoa_node_cpu_seconds_total", METRIC_COUNTER, 2, "Processor time: of the worker itself, and of slots for what they were asked.", {"of"}, NULL},
    [NM_MEMORY] = {"sohoa_node_memory_bytes", METRIC_GAUGE, 1, "Resident memory of the worker without its slots'.", {NULL}, NULL},
};
/* clang-format on */

void odometer_job(struct odometer *odometer, Sohoa__JobKind kind, bool abandoned, int code)
{
    if (abandoned) {
        odometer->jobs_abandoned++;
        return;
    }
    odometer->jobs[(unsigned)kind < ODOMETER_KINDS ? kind : 0]++;
    if (code)
        toll_count(&odometer->failures, code, 1);
}

void odometer_page(struct odometer *odometer, int code)
{
    odometer->pages_read += !code;
    if (code)
        toll_count(&odometer->failures, code, 1);
}

void odometer_stage(struct odometer *odometer, enum stage stage, uint64_t ms)
{
    if (stage != STAGE_NONE)
        histogram_count(&odometer->stage[stage], &node_metric[NM_STAGE], (double)ms / 1000);
}

static void put(struct exposition *to, enum node_metric metric, double value)
{
    metric_put(to, &node_metric[metric], value);
}

static void jobs_tell(const struct odometer *odometer, const struct odometer_now *now, struct exposition *to)
{
    put(to, NM_JOBS, now->jobs);
    metric_begin(to, &node_metric[NM_JOBS_ENDED]);
    for (int k = 1; k < ODOMETER_KINDS; k++)
        metric_add(to, (double)odometer->jobs[k], kind_name[k], NULL);
    put(to, NM_JOBS_ABANDONED, (double)odometer->jobs_abandoned);
    put(to, NM_PAGES_READ, (double)odometer->pages_read);
    toll_put(to, &node_metric[NM_FAILURES], &odometer->failures);
    metric_begin(to, &node_metric[NM_STAGE]);
    for (int s = STAGE_NONE + 1; s < STAGES; s++)
        metric_add_histogram(to, &odometer->stage[s], stage_name[s]);
}

void odometer_tell(const struct odometer *odometer, const struct odometer_now *now, struct buf *text)
{
    struct exposition to = {.text = text};
    metric_begin(&to, &node_metric[NM_BUILD]);
    metric_add(&to, 1, "worker", now->build);
    put(&to, NM_UPTIME, (double)now->uptime_ms / 1000);
    put(&to, NM_JOINED, now->joined);
    put(&to, NM_SLOTS, now->slots);
    put(&to, NM_SLOTS_BUSY, now->busy_slots);
    put(&to, NM_SLOTS_LOST, (double)odometer->slots_lost);
    jobs_tell(odometer, now, &to);
    metric_begin(&to, &node_metric[NM_CPU]);
    metric_add(&to, self_cpu_s(), "worker", NULL);
    metric_add(&to, (double)odometer->slot_cpu_ms / 1000, "slots", NULL);
    put(&to, NM_MEMORY, (double)self_rss_bytes());
}
