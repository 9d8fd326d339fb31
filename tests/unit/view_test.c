/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"

static unsigned dropped;

static void view_dropped(const struct view *view, void *user)
{
    (void)view;
    (void)user;
    dropped++;
}

static struct views *fresh(void)
{
    dropped = 0;
    return views_new(1, view_dropped, NULL);
}

struct answer {
    int told, code;
    uint64_t id;
};

static void told(const struct view *view, const struct err *why, void *user)
{
    struct answer *answer = user;
    answer->told++;
    answer->code = why ? why->code : 0;
    answer->id = view ? view->id : 0;
}

static int ask(struct views *views, uint8_t source, uint32_t page_no, uint64_t now_ms, struct answer *answer)
{
    struct view_key key = {.sha256 = {source}, .page_no = page_no, .width_px = 240, .doc_pages = 1000};
    struct err err;
    *answer = (struct answer){0};
    return views_ask(views, &key, now_ms, told, answer, &err);
}

static const struct err good = {0};

static void make(struct views *views, uint32_t worker, uint64_t bytes)
{
    const struct view *view = views_next(views, worker, 0);
    assert_non_null(view);
    assert_true(views_made(views, worker, view->id, bytes, false, &good));
}

static void one_job_serves_all_who_ask_and_who_ask_later(void **state)
{
    AUTO(views_destroy) struct views *views = fresh();
    struct answer first, second, later;
    (void)state;
    ask(views, 1, 1, 0, &first);
    ask(views, 1, 1, 0, &second);
    const struct view *view = views_next(views, 0, 0);
    assert_non_null(view);
    assert_true(view->id & VIEW_LEASE);
    assert_null(views_next(views, 1, 0));
    assert_true(views_made(views, 0, view->id, 10, false, &good));
    ask(views, 1, 1, 0, &later);
    assert_int_equal(first.told + second.told + later.told, 3);
    assert_true(first.id && first.id == second.id && first.id == later.id);
    assert_null(views_next(views, 0, 0));
}

static void a_worker_has_one_at_once(void **state)
{
    AUTO(views_destroy) struct views *views = fresh();
    struct answer answer[2];
    (void)state;
    ask(views, 1, 1, 0, &answer[0]);
    ask(views, 1, 2, 0, &answer[1]);
    assert_non_null(views_next(views, 0, 0));
    assert_null(views_next(views, 0, 0));
    assert_non_null(views_next(views, 1, 0));
}

static void all_workers_have_a_bound(void **state)
{
    AUTO(views_destroy) struct views *views = fresh();
    struct answer answer;
    struct err err;
    (void)state;
    for (uint32_t i = 0; i < VIEW_WAITERS_MAX; i++)
        assert_int_equal(ask(views, 1, i + 1, 0, &answer), 0);
    struct view_key key = {.page_no = 999};
    assert_int_equal(views_ask(views, &key, 0, told, &answer, &err), E_TIME);
    for (uint32_t i = 0; i < VIEW_RUNNING_MAX; i++)
        assert_non_null(views_next(views, i, 0));
    views_expire(views, VIEW_WAIT_MS);
    ask(views, 2, 1, VIEW_WAIT_MS, &answer);
    assert_null(views_next(views, VIEW_RUNNING_MAX, VIEW_WAIT_MS));
}

static void what_a_lost_worker_had_goes_to_another_but_not_for_ever(void **state)
{
    AUTO(views_destroy) struct views *views = fresh();
    struct answer answer;
    (void)state;
    ask(views, 1, 1, 0, &answer);
    for (uint32_t worker = 0; worker < VIEW_TRIES_MAX; worker++) {
        assert_int_equal(answer.told, 0);
        assert_non_null(views_next(views, worker, 0));
        views_lost(views, worker);
    }
    assert_int_equal(answer.code, E_NET);
    assert_int_equal(dropped, 1);
    assert_null(views_next(views, 9, 0));
}

static void an_error_that_another_may_not_have_is_tried_again(void **state)
{
    AUTO(views_destroy) struct views *views = fresh();
    struct answer answer;
    struct err slot = {.code = E_SLOT}, broken = {.code = E_PAGE_BROKEN};
    (void)state;
    ask(views, 1, 1, 0, &answer);
    uint64_t id = views_next(views, 0, 0)->id;
    assert_true(views_made(views, 0, id, 0, false, &slot));
    assert_int_equal(answer.told, 0);
    assert_int_equal(views_next(views, 1, 0)->id, id);
    assert_true(views_made(views, 0, id, 10, false, &good)); /* late: it is worker 1's */
    assert_int_equal(answer.told, 0);
    assert_true(views_made(views, 1, id, 0, false, &broken));
    assert_int_equal(answer.code, E_PAGE_BROKEN);
    assert_false(views_made(views, 0, id, 10, false, &good));
}

static void who_waits_too_long_hears_so_and_what_comes_late_is_kept(void **state)
{
    AUTO(views_destroy) struct views *views = fresh();
    struct answer answer, later;
    (void)state;
    ask(views, 1, 1, 0, &answer);
    const struct view *view = views_next(views, 0, 0);
    views_expire(views, VIEW_WAIT_MS - 1);
    assert_int_equal(answer.told, 0);
    views_expire(views, VIEW_WAIT_MS);
    assert_int_equal(answer.code, E_TIME);
    assert_true(views_made(views, 0, view->id, 10, false, &good));
    ask(views, 1, 1, VIEW_WAIT_MS, &later);
    assert_int_equal(later.told, 1);
    assert_int_equal(answer.told, 1);
}

static void what_nobody_waits_for_is_not_made(void **state)
{
    AUTO(views_destroy) struct views *views = fresh();
    struct answer answer, other;
    (void)state;
    ask(views, 1, 1, 0, &answer);
    ask(views, 1, 2, VIEW_WAIT_MS, &other);
    views_expire(views, VIEW_WAIT_MS);
    assert_int_equal(views_next(views, 0, VIEW_WAIT_MS)->key.page_no, 2);
    assert_int_equal(dropped, 0);
}

static void a_worker_that_never_answers_loses_it(void **state)
{
    AUTO(views_destroy) struct views *views = fresh();
    struct answer answer;
    (void)state;
    ask(views, 1, 1, 0, &answer);
    assert_non_null(views_next(views, 0, 0));
    views_expire(views, VIEW_LEASE_MS);
    assert_int_equal(dropped, 1);
    ask(views, 1, 1, VIEW_LEASE_MS, &answer);
    assert_non_null(views_next(views, 0, VIEW_LEASE_MS));
}

static void a_quarantine_wins_over_what_is_kept_and_what_is_made(void **state)
{
    AUTO(views_destroy) struct views *views = fresh();
    struct answer kept, made, other;
    const uint8_t stopped[SHA256_BYTES] = {1};
    (void)state;
    ask(views, 1, 1, 0, &kept);
    make(views, 0, 10);
    ask(views, 1, 2, 0, &made);
    uint64_t id = views_next(views, 0, 0)->id;
    ask(views, 2, 1, 0, &other);
    views_stop(views, stopped);
    assert_int_equal(made.code, E_STOPPED);
    assert_int_equal(dropped, 2);
    assert_false(views_made(views, 0, id, 10, false, &good));
    assert_int_equal(other.told, 0);
    ask(views, 1, 1, 0, &kept); /* released: under a new number */
    assert_int_equal(kept.told, 0);
}

static void the_longest_unused_go_first(void **state)
{
    AUTO(views_destroy) struct views *views = fresh();
    struct answer answer, again;
    (void)state;
    for (uint32_t i = 0; i < VIEW_KEPT_MAX; i++) {
        ask(views, 1, i + 1, 0, &answer);
        make(views, 0, 1);
    }
    ask(views, 1, 1, 0, &again);
    assert_int_equal(again.told, 1);
    ask(views, 2, 1, 0, &answer);
    make(views, 0, 1);
    assert_int_equal(dropped, 1);
    ask(views, 1, 1, 0, &again);
    assert_int_equal(again.told, 1);
    ask(views, 1, 2, 0, &again);
    assert_int_equal(again.told, 0);
}

static void bytes_are_bounded(void **state)
{
    AUTO(views_destroy) struct views *views = fresh();
    struct answer answer;
    uint64_t count = VIEW_KEPT_BYTES / VIEW_MAX_BYTES;
    (void)state;
    for (uint32_t i = 0; i < count + 3; i++) {
        ask(views, 1, i + 1, 0, &answer);
        make(views, 0, VIEW_MAX_BYTES);
        assert_int_equal(answer.told, 1);
    }
    assert_int_equal(dropped, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_job_serves_all_who_ask_and_who_ask_later),
        cmocka_unit_test(a_worker_has_one_at_once),
        cmocka_unit_test(all_workers_have_a_bound),
        cmocka_unit_test(what_a_lost_worker_had_goes_to_another_but_not_for_ever),
        cmocka_unit_test(an_error_that_another_may_not_have_is_tried_again),
        cmocka_unit_test(who_waits_too_long_hears_so_and_what_comes_late_is_kept),
        cmocka_unit_test(what_nobody_waits_for_is_not_made),
        cmocka_unit_test(a_worker_that_never_answers_loses_it),
        cmocka_unit_test(a_quarantine_wins_over_what_is_kept_and_what_is_made),
        cmocka_unit_test(the_longest_unused_go_first),
        cmocka_unit_test(bytes_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
