/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One row a metric. PROTOCOL.md lists them (bin/metrics-list, tests/deploy/rules.py). */
#include "coordinator/meter.h"

static const double commit_s[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 0};
static const double turn_s[] = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 0};

/* The formatter would pad every column to the widest. */
/* clang-format off */
const struct metric coordinator_metric[COORDINATOR_METRICS] = {
    [CM_BUILD] = {"sohoa_build_info", METRIC_GAUGE, 1, "1; which program and release this is.", {"program", "build"}, NULL},
    [CM_ACTIVE] = {"sohoa_active", METRIC_GAUGE, 1, "1: this coordinator holds the store's lock; 0: it stands by, and says nothing else.", {NULL}, NULL},
    [CM_EPOCH] = {"sohoa_epoch", METRIC_GAUGE, 1, "How often the store's lock has changed hands.", {NULL}, NULL},
    [CM_UPTIME] = {"sohoa_uptime_seconds", METRIC_GAUGE, 1, "Since this coordinator became active.", {NULL}, NULL},
    [CM_READY] = {"sohoa_ready", METRIC_GAUGE, 1, "1: jobs are granted; 0: known workers are still waited for.", {NULL}, NULL},
    [CM_REDIS_OK] = {"sohoa_redis_ok", METRIC_GAUGE, 1, "1: Redis holds what memory holds.", {NULL}, NULL},
    [CM_STORE_USED] = {"sohoa_store_used_bytes", METRIC_GAUGE, 1, "Of what lies under the store, used by anybody, copies included; absent until the store has said so.", {NULL}, NULL},
    [CM_STORE_TOTAL] = {"sohoa_store_total_bytes", METRIC_GAUGE, 1, "What lies under the store in all: of a Ceph, all of its OSDs that are in.", {NULL}, NULL},
    [CM_MEMORY] = {"sohoa_coordinator_memory_bytes", METRIC_GAUGE, 1, "Resident memory of the coordinator.", {NULL}, NULL},
    [CM_CPU] = {"sohoa_coordinator_cpu_seconds_total", METRIC_COUNTER, 1, "Processor time of the coordinator.", {NULL}, NULL},
    [CM_DOCUMENTS] = {"sohoa_documents", METRIC_GAUGE, 16, "Admitted documents, by state.", {"state"}, NULL},
    [CM_DOCUMENTS_FAILED] = {"sohoa_documents_failed", METRIC_GAUGE, TOLL_CODES, "Documents that are dead, refused or quarantined, by the error that says why.", {"code"}, NULL},
    [CM_PAGES] = {"sohoa_pages", METRIC_GAUGE, 16, "Pages of documents that were looked at, by state.", {"state"}, NULL},
    [CM_PAGES_READ] = {"sohoa_pages_read_total", METRIC_COUNTER, 1, "Pages that workers read, without those found in the store.", {NULL}, NULL},
    [CM_PAGES_DEAD] = {"sohoa_pages_dead_total", METRIC_COUNTER, 1, "Pages that were given up.", {NULL}, NULL},
    [CM_PAGES_PER_SECOND] = {"sohoa_pages_per_second", METRIC_GAUGE, 1, "Pages read a second over the last minute, as the dashboard shows it.", {NULL}, NULL},
    [CM_BATCHES] = {"sohoa_batches", METRIC_GAUGE, 4, "Batches, by state.", {"state"}, NULL},
    [CM_BATCHES_BROKEN] = {"sohoa_batches_broken", METRIC_GAUGE, 1, "Batches that the breaker paused: the same failure came again and again.", {NULL}, NULL},
    [CM_LEASES] = {"sohoa_leases", METRIC_GAUGE, 1, "Jobs that workers have.", {NULL}, NULL},
    [CM_GRANTS] = {"sohoa_grants_total", METRIC_COUNTER, METER_KINDS, "Jobs that were given to workers.", {"kind"}, NULL},
    [CM_FAILURES] = {"sohoa_failures_total", METRIC_COUNTER, TOLL_CODES, "Attempts that failed, as results tell: of jobs, and of pages.", {"code"}, NULL},
    [CM_COMMIT] = {"sohoa_commit_duration_seconds", METRIC_HISTOGRAM, 1, "From the end of a group's collection until it is durable and can be acknowledged.", {NULL}, commit_s},
    [CM_TURN] = {"sohoa_loop_turn_seconds", METRIC_HISTOGRAM, 1, "A turn of the loop: as long at most waits a worker that asks for a job there is.", {NULL}, turn_s},
    [CM_WORKERS_CONNECTED] = {"sohoa_workers_connected", METRIC_GAUGE, 1, "Workers that are connected.", {NULL}, NULL},
    [CM_WORKERS_LOST] = {"sohoa_workers_lost", METRIC_GAUGE, 1, "Known workers that are not connected.", {NULL}, NULL},
    [CM_WORKERS_DRAINED] = {"sohoa_workers_drained", METRIC_GAUGE, 1, "Workers that get nothing new, by an order.", {NULL}, NULL},
    [CM_SLOTS] = {"sohoa_slots", METRIC_GAUGE, 1, "Slots of connected workers.", {NULL}, NULL},
    [CM_SLOTS_BUSY] = {"sohoa_slots_busy", METRIC_GAUGE, 1, "Of them, those at work.", {NULL}, NULL},
    [CM_CORES] = {"sohoa_cores", METRIC_GAUGE, 1, "Cores that the plan reckons with now.", {NULL}, NULL},
    [CM_WORKER_CONNECTED] = {"sohoa_worker_connected", METRIC_GAUGE, METRIC_WORKERS_MAX, "1: it is connected.", {"worker"}, NULL},
    [CM_WORKER_DRAINED] = {"sohoa_worker_drained", METRIC_GAUGE, METRIC_WORKERS_MAX, "1: it gets nothing new, by an order.", {"worker"}, NULL},
    [CM_WORKER_SLOTS] = {"sohoa_worker_slots", METRIC_GAUGE, METRIC_WORKERS_MAX, "Its slots.", {"worker"}, NULL},
    [CM_WORKER_SLOTS_BUSY] = {"sohoa_worker_slots_busy", METRIC_GAUGE, METRIC_WORKERS_MAX, "Of them, those at work, by its last heartbeat.", {"worker"}, NULL},
    [CM_WORKER_LEASES] = {"sohoa_worker_leases", METRIC_GAUGE, METRIC_WORKERS_MAX, "Jobs that it has.", {"worker"}, NULL},
    [CM_WORKER_MEMORY] = {"sohoa_worker_memory_bytes", METRIC_GAUGE, METRIC_WORKERS_MAX, "Its resident memory without its slots', by its last heartbeat.", {"worker"}, NULL},
    [CM_WORKER_PACE] = {"sohoa_worker_pace_ratio", METRIC_GAUGE, METRIC_WORKERS_MAX, "Time from grant to result, as a multiple of what was expected.", {"worker"}, NULL},
    [CM_FEASIBLE] = {"sohoa_deadlines_feasible", METRIC_GAUGE, 1, "1: all deadlines can be met with the cores there are and will be.", {NULL}, NULL},
    [CM_UNITS] = {"sohoa_units", METRIC_GAUGE, 6, "Units with documents or targets, by verdict.", {"verdict"}, NULL},
    [CM_UNIT_DONE] = {"sohoa_unit_pages_done", METRIC_GAUGE, METRIC_UNITS_MAX, "Its pages that are stored, duplicates or dead.", {"unit"}, NULL},
    [CM_UNIT_DEAD] = {"sohoa_unit_pages_dead", METRIC_GAUGE, METRIC_UNITS_MAX, "Its pages that are dead.", {"unit"}, NULL},
    [CM_UNIT_LEFT] = {"sohoa_unit_pages_left", METRIC_GAUGE, METRIC_UNITS_MAX, "Its pages to be read, estimated where documents were not looked at, with those that targets still expect.", {"unit"}, NULL},
    [CM_UNIT_EXPECTED] = {"sohoa_unit_pages_expected", METRIC_GAUGE, METRIC_UNITS_MAX, "Its pages by its targets; absent where they don't say.", {"unit"}, NULL},
    [CM_UNIT_RATE] = {"sohoa_unit_pages_per_second", METRIC_GAUGE, METRIC_UNITS_MAX, "Its pages done a second over the last minute or two.", {"unit"}, NULL},
    [CM_UNIT_DEADLINE] = {"sohoa_unit_deadline_timestamp_seconds", METRIC_GAUGE, METRIC_UNITS_MAX, "Its first deadline that is not met, else its last; absent without one.", {"unit"}, NULL},
    [CM_UNIT_FINISH] = {"sohoa_unit_forecast_finish_timestamp_seconds", METRIC_GAUGE, 2 * METRIC_UNITS_MAX, "It ends by then with that probability (0.5, 0.9); +Inf: never; absent where nothing is left.", {"unit", "probability"}, NULL},
    [CM_UNIT_SLACK] = {"sohoa_unit_slack_seconds", METRIC_GAUGE, METRIC_UNITS_MAX, "From the forecast end (0.5) to the deadline; -Inf: it never ends; absent without a deadline.", {"unit"}, NULL},
    [CM_UNIT_CORES] = {"sohoa_unit_cores_needed", METRIC_GAUGE, METRIC_UNITS_MAX, "Cores more that would let it be on time; +Inf: none would.", {"unit"}, NULL},
    [CM_UNIT_VERDICT] = {"sohoa_unit_verdict", METRIC_GAUGE, METRIC_UNITS_MAX, "1; done, no deadline, on time, paused, at risk or late: only the one that holds is told.", {"unit", "verdict"}, NULL},
    [CM_OMITTED] = {"sohoa_metrics_omitted", METRIC_GAUGE, 2, "Units and workers that are not told one by one (METRIC_UNITS_MAX, METRIC_WORKERS_MAX).", {"label"}, NULL},
    [CM_HTTP] = {"sohoa_http_requests_total", METRIC_COUNTER, 5, "HTTP requests, by the class of their status.", {"class"}, NULL},
    [CM_FOLLOWERS] = {"sohoa_http_followers", METRIC_GAUGE, 1, "Who follows the events.", {NULL}, NULL},
};
/* clang-format on */
