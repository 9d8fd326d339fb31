/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A node in virtual time whose coordinator always has something to grant: how busy are its slots with as many jobs fetched ahead as
 * a worker asks for? */
#include "bench/sleepers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "worker/job.h"

enum { GRANT_US = 5000 }; /* from a job's end until the next one's grant: two turns of the coordinator's loop */

struct host {
    struct sleepers *sleepers;
    uint64_t now_us, look_us; /* when the coordinator grants what there is room for */
    uint32_t next_doc, pages; /* of each document */
};

static Sohoa__Job *job_new(uint32_t doc, uint32_t pages)
{
    Sohoa__Job *job = calloc(1, sizeof *job);
    assert_non_null(job);
    sohoa__job__init(job);
    job->lease = job->doc = doc;
    job->kind = SOHOA__JOB_KIND__JOB_PAGES;
    job->doc_pages = pages;
    return job;
}

static void host_grant(struct host *host)
{
    for (unsigned room = sleepers_room(host->sleepers, 0); room; room--) {
        host->next_doc++;
        sleepers_take(host->sleepers, 0, job_new(host->next_doc, host->pages), host->pages, host->now_us);
    }
    host->look_us = UINT64_MAX;
}

static void host_wake(struct host *host)
{
    unsigned worker;
    uint32_t cpu_ms;
    Sohoa__Job *job;
    while ((job = sleepers_wake(host->sleepers, host->now_us, &worker, &cpu_ms))) {
        sohoa__job__free_unpacked(job, NULL);
        if (host->look_us == UINT64_MAX)
            host->look_us = host->now_us + GRANT_US;
    }
}

static double efficiency(unsigned slots, unsigned ahead, uint32_t pages)
{
    struct sleepers_rules rules = {
        .workers = 1, .slots = slots, .ahead = ahead, .page_ms = 770, .fetch_ms = 100, .steady_s = 60, .seed = 1};
    struct host host = {.sleepers = sleepers_new(&rules), .now_us = 1, .pages = pages};
    double seen;
    while ((seen = sleepers_efficiency(host.sleepers, host.now_us)) <= 0) {
        if (host.look_us <= host.now_us)
            host_grant(&host);
        uint64_t due_us = sleepers_due_us(host.sleepers);
        host.now_us = due_us < host.look_us ? due_us : host.look_us;
        host_wake(&host);
    }
    sleepers_destroy(&host.sleepers);
    return seen;
}

static void slots_find_the_next_job_there(void **state)
{
    (void)state;
    static const unsigned slots[] = {1, 2, 4, 8, 16, 50, 96, 192};
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++)
        for (uint32_t pages = 1; pages <= 7; pages += 6)
            if (efficiency(slots[i], jobs_ahead(slots[i]), pages) < 0.99)
                fail_msg("%u slots, %u pages: %.4f", slots[i], pages,
                         efficiency(slots[i], jobs_ahead(slots[i]), pages));
}

static void few_jobs_ahead_are_not_enough_for_many_slots(void **state)
{
    (void)state;
    assert_true(efficiency(50, JOB_AHEAD_LEAST, 1) < 0.95);
}

static void dropped_job_leaves_its_slot(void **state)
{
    (void)state;
    struct sleepers_rules rules = {.workers = 1, .slots = 1, .ahead = 1, .page_ms = 770, .steady_s = 60, .seed = 1};
    struct sleepers *sleepers = sleepers_new(&rules);
    unsigned worker;
    uint32_t cpu_ms;
    for (uint32_t doc = 1; doc <= 2; doc++)
        sleepers_take(sleepers, 0, job_new(doc, 1), 1, 1);
    assert_null(sleepers_wake(sleepers, 1, &worker, &cpu_ms));
    assert_int_equal(sleepers_room(sleepers, 0), 0);
    sleepers_drop(sleepers, 0, 1, 1000);
    sleepers_drop(sleepers, 0, 1, 1000);
    assert_int_equal(sleepers_room(sleepers, 0), 1);
    Sohoa__Job *job = sleepers_wake(sleepers, 3600000000, &worker, &cpu_ms);
    assert_int_equal(job->doc, 2);
    sohoa__job__free_unpacked(job, NULL);
    assert_null(sleepers_wake(sleepers, 3600000000, &worker, &cpu_ms));
    assert_int_equal(sleepers_due_us(sleepers), UINT64_MAX);
    sleepers_destroy(&sleepers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_find_the_next_job_there),
        cmocka_unit_test(few_jobs_ahead_are_not_enough_for_many_slots),
        cmocka_unit_test(dropped_job_leaves_its_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
