/* SPDX-License-Identifier: AGPL-3.0-or-later
 * sohoa-worker: one a node. Its life, top to bottom: the settings; the warm process, before anything else exists in
 * here; the store, the io threads, the link; then one loop, until it is told to go:
 *
 *     frames from the coordinator (grants, drops)  -> jobs
 *     what io threads and slots have finished      -> jobs, which go on to their next step (job.c draws the way)
 *     jobs that ended                              -> results, kept by the link until they are acknowledged
 *     room for more                                -> credit
 *
 * It never looks into a scan: only slots do. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/config.h"
#include "proto/pipeline.h"
#include "proto/scrape.h"
#include "proto/self.h"
#include "proto/trace.h"
#include "storage/io.h"
#include "storage/store.h"
#include "worker/crew.h"
#include "worker/job.h"
#include "worker/link.h"

enum { SLEEP_MOST_MS = 60000 };

struct worker {
    struct config *config;
    char name[NAME_BYTES];
    unsigned slots, prefetch_jobs;
    struct node node;
    struct crew *crew;
    struct store *store;
    struct io *io;
    struct link *link;
    struct jobs *jobs;
    struct odometer odometer;
    struct scrape *scrape; /* NULL: nobody is told */
    uint64_t started_ms;
    int signal_fd;
    bool leaving;
};

/* Tesseract's OpenMP reads this when it is loaded, so it has to be there before exec. */
static int limit_threads(char **argv, struct err *err)
{
    const char *limit = getenv("OMP_THREAD_LIMIT");
    if (limit && !strcmp(limit, "1"))
        return 0;
    setenv("OMP_THREAD_LIMIT", "1", 1);
    execv("/proc/self/exe", argv);
    return err_errno(err, E_CONFIG, "can't start again with OMP_THREAD_LIMIT=1");
}

static int name_choose(struct worker *w, struct err *err)
{
    const char *name = config_text(w->config, CFG_NAME);
    char host[NAME_BYTES] = "";
    if (!*name && gethostname(host, sizeof host - 1))
        return err_errno(err, E_CONFIG, "the host has no name; set %s", config_key_name(CFG_NAME));
    int n = snprintf(w->name, sizeof w->name, "%s", *name ? name : host);
    if (n <= 0 || n >= NAME_BYTES)
        return err_set(err, E_CONFIG, "%s has %d characters, 1 to %d are allowed", config_key_name(CFG_NAME), n,
                       NAME_BYTES - 1);
    for (const char *c = w->name; *c; c++)
        if (*c <= ' ' || *c > '~')
            return err_set(err, E_CONFIG, "%s '%s' may have letters, digits and signs of ASCII only",
                           config_key_name(CFG_NAME), w->name);
    return 0;
}

static int settings_take(struct worker *w, struct err *err)
{
    unsigned slots = (unsigned)config_int(w->config, CFG_SLOTS);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    w->slots = slots ? slots : cores > 0 ? (unsigned)cores : 1;
    unsigned prefetch_jobs = (unsigned)config_int(w->config, CFG_PREFETCH_JOBS);
    w->prefetch_jobs = prefetch_jobs ? prefetch_jobs : jobs_ahead(w->slots);
    trace_init("worker", trace_level_named(config_text(w->config, CFG_LOG)));
    return name_choose(w, err);
}

/* Signals wait in a descriptor. From here on the slots have them blocked, too: only SIGKILL is for them. */
static int signals_catch(struct worker *w, struct err *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    w->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return w->signal_fd < 0 ? err_errno(err, E_CONFIG, "signalfd") : 0;
}

/* A second one, while we take our leave, ends us at once. */
static void signals_release(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Every slot and every source in hand is a few open files; the usual soft limit is for another age. */
static void files_allow(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void job_over(uint64_t lease, Sohoa__Result *result, void *user)
{
    struct worker *w = user;
    if (lease & VIEW_LEASE)
        link_viewed(w->link, result);
    else if (result)
        link_report(w->link, result);
    else
        link_forget(w->link, lease);
}

static void node_fill(struct worker *w)
{
    w->node.store = w->store;
    w->node.io = w->io;
    w->node.crew = w->crew;
    w->node.odometer = &w->odometer;
    w->node.config = w->config;
    w->node.name = w->name;
    w->node.build = SOHOA_BUILD;
    w->node.simd = pipeline_simd();
    w->node.lang = config_text(w->config, CFG_LANG);
}

static void metrics_tell(struct buf *text, void *user)
{
    const struct worker *w = user;
    struct odometer_now now = {.build = w->node.build,
                               .joined = link_joined(w->link),
                               .slots = w->slots,
                               .busy_slots = crew_busy(w->crew),
                               .jobs = jobs_count(w->jobs),
                               .uptime_ms = clock_mono_ms() - w->started_ms};
    odometer_tell(&w->odometer, &now, text);
}

static const char *unready(void *user)
{
    const struct worker *w = user;
    return link_joined(w->link) ? NULL : "no coordinator is joined";
}

static int metrics_start(struct worker *w, struct err *err)
{
    struct scrape_source source = {metrics_tell, unready, 0, w};
    const char *where = config_text(w->config, CFG_METRICS);
    return *where ? scrape_new(config_key_name(CFG_METRICS), where, NULL, &source, &w->scrape, err) : 0;
}

static int worker_start(struct worker *w, struct err *err)
{
    files_allow();
    int rc = signals_catch(w, err);
    if (!rc)
        rc = crew_new(w->config, w->slots, &w->crew, w->node.pipeline, err);
    if (!rc)
        rc = store_open(config_text(w->config, CFG_STORE), &w->store, err);
    if (!rc)
        rc = io_new((unsigned)config_int(w->config, CFG_IO_THREADS), &w->io, err);
    if (rc)
        return rc;
    trace_keep(); /* the slots have none of it */
    node_fill(w);
    struct link_self self = {.name = w->name,
                             .build = w->node.build,
                             .simd = w->node.simd,
                             .lang = w->node.lang,
                             .tags = config_text(w->config, CFG_TAGS),
                             .pipeline = w->node.pipeline,
                             .slots = w->slots};
    struct link_keys keys = {config_text(w->config, CFG_CURVE_FILE), config_text(w->config, CFG_CURVE_COORDINATORS)};
    rc = link_new(config_text(w->config, CFG_CONNECT), &keys, &self, &w->link, err);
    if (rc)
        return rc;
    w->jobs = jobs_new(&w->node, job_over, w);
    return metrics_start(w, err);
}

/* ---- the loop ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Sleeps until something is ready or due. */
static int worker_wait(struct worker *w, struct err *err)
{
    uint64_t now_ms = clock_mono_ms();
    uint64_t wait_ms = least(least(link_wait_ms(w->link, now_ms), jobs_wait_ms(w->jobs, now_ms)), SLEEP_MOST_MS);
    struct pollfd ready[] = {
        {link_fd(w->link),     POLLIN, 0},
        {io_fd(w->io),         POLLIN, 0},
        {crew_fd(w->crew),     POLLIN, 0},
        {w->signal_fd,         POLLIN, 0},
        {scrape_fd(w->scrape), POLLIN, 0}
    };
    if (poll(ready, sizeof ready / sizeof ready[0], scrape_wait_ms(w->scrape, (int)wait_ms)) < 0 && errno != EINTR)
        return err_errno(err, E_IO, "poll");
    return 0;
}

static void worker_signals(struct worker *w)
{
    struct signalfd_siginfo info;
    if (read(w->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    trace(TRACE_INFO, "leaving", "signal=%u jobs=%u", info.ssi_signo, jobs_count(w->jobs));
    w->leaving = true;
}

static void worker_drop(struct worker *w, const uint64_t *leases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        jobs_drop(w->jobs, leases[i]);
}

static void worker_grant(struct worker *w, Sohoa__Grant *grant)
{
    uint64_t now_ms = clock_mono_ms();
    for (size_t i = 0; i < grant->n_jobs; i++)
        jobs_start(w->jobs, grant->jobs[i], now_ms);
    grant->n_jobs = 0; /* the jobs are theirs now */
}

static void worker_view(struct worker *w, Sohoa__Frame *frame)
{
    jobs_start(w->jobs, frame->view, clock_mono_ms());
    frame->body_case = SOHOA__FRAME__BODY__NOT_SET; /* the job is theirs now */
}

static void worker_recall(struct worker *w, const Sohoa__Recall *recall)
{
    const struct trace_subject subject = {
        .page = recall->page, .page_no = recall->page_no, .source = recall->source, .document = recall->document};
    AUTO(buf_destroy) struct buf lines = {0};
    trace_recall(&subject, &lines);
    link_recalled(w->link, recall->number, buf_text(&lines));
}

/* Another version will never do; anything else may pass: the link asks again later. */
static int worker_refused(const Sohoa__Refuse *refuse, struct err *err)
{
    struct err why;
    err_from_wire(refuse->err, &why);
    trace_err(TRACE_ERROR, "refused", &why, "retry=%d", why.code != E_VERSION);
    if (why.code != E_VERSION)
        return 0;
    *err = why;
    return E_VERSION;
}

static int worker_frame(struct worker *w, Sohoa__Frame *frame, struct err *err)
{
    switch (frame->body_case) {
    case SOHOA__FRAME__BODY_WELCOME:
        worker_drop(w, frame->welcome->dropped, frame->welcome->n_dropped);
        if (frame->welcome->version != PROTOCOL_VERSION)
            return err_set(err, E_VERSION, "the coordinator speaks %u, we speak %d", frame->welcome->version,
                           PROTOCOL_VERSION);
        return 0;
    case SOHOA__FRAME__BODY_GRANT: worker_grant(w, frame->grant); return 0;
    case SOHOA__FRAME__BODY_DROP: worker_drop(w, frame->drop->leases, frame->drop->n_leases); return 0;
    case SOHOA__FRAME__BODY_VIEW: worker_view(w, frame); return 0;
    case SOHOA__FRAME__BODY_RECALL: worker_recall(w, frame->recall); return 0;
    case SOHOA__FRAME__BODY_REFUSE: return worker_refused(frame->refuse, err);
    default: return 0;
    }
}

static int worker_frames(struct worker *w, struct err *err)
{
    Sohoa__Frame *frame = NULL;
    int rc = 0;
    while (!rc && link_next(w->link, clock_mono_ms(), &frame)) {
        rc = worker_frame(w, frame, err);
        frame_destroy(&frame);
    }
    return rc;
}

static unsigned worker_room(const struct worker *w)
{
    return jobs_room(w->jobs, w->slots + w->prefetch_jobs);
}

static int worker_turn(struct worker *w, struct err *err)
{
    int rc = worker_wait(w, err);
    if (rc)
        return rc;
    worker_signals(w);
    io_dispatch(w->io);
    rc = crew_dispatch(w->crew, err);
    if (!rc)
        rc = worker_frames(w, err);
    if (rc)
        return rc;
    jobs_tick(w->jobs, clock_mono_ms());
    link_tick(w->link, worker_room(w), crew_busy(w->crew), clock_mono_ms());
    scrape_run(w->scrape);
    return 0;
}

/* What runs is given up: the coordinator gives it to others when it hears Bye. */
static void worker_end(struct worker *w)
{
    signals_release();
    if (w->link)
        link_bye(w->link);
    scrape_destroy(&w->scrape);
    crew_destroy(&w->crew);
    io_destroy(&w->io);
    jobs_destroy(&w->jobs);
    link_destroy(&w->link);
    store_destroy(&w->store);
    fd_destroy(&w->signal_fd);
}

int main(int argc, char **argv)
{
    AUTO(config_destroy) struct config *config = NULL;
    struct worker w = {.signal_fd = -1, .started_ms = clock_mono_ms()};
    struct err err = {0};
    trace_init("worker", TRACE_INFO);
    self_keep_in();
    int rc = config_load(FOR_WORKER, argc, argv, &config, &err);
    w.config = config;
    if (!rc)
        rc = settings_take(&w, &err);
    if (!rc)
        rc = limit_threads(argv, &err);
    if (!rc)
        rc = worker_start(&w, &err);
    if (!rc)
        trace(TRACE_INFO, "ready", "name=%s build=%s slots=%u", trace_value(w.name), SOHOA_BUILD, w.slots);
    while (!rc && !w.leaving)
        rc = worker_turn(&w, &err);
    worker_end(&w);
    if (rc)
        trace_err(TRACE_ERROR, "worker_failed", &err, "name=%s", trace_value(w.name));
    return rc ? 1 : 0;
}
