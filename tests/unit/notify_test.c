/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is told, once, when it has stood and when it is over; again after repeat_ms; together; and over failures and restarts. */
#include "coordinator/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "proto/buf.h"

enum { HOLD_MS = 60000, GATHER_MS = 15000, REPEAT_MS = 3600000, TOLD_MS = HOLD_MS + GATHER_MS };
#define BEGIN_MS UINT64_C(1800000000000)

static struct {
    uint64_t now_ms;
    struct notify *notify;
    struct alert alert[NOTIFY_ALERTS_MAX + 10];
    size_t alerts;
    struct notify_message message;
    struct buf field, value; /* what is saved: texts, each ended by a 0 */
} it;

static void save(const char *field, const char *value, void *user)
{
    assert_ptr_equal(user, &it);
    if (!field) {
        buf_clear(&it.field);
        buf_clear(&it.value);
        return;
    }
    buf_append(&it.field, field, strlen(field) + 1);
    buf_append(&it.value, value, strlen(value) + 1);
}

static struct notify *notify_of(void)
{
    return notify_new(&(struct notify_rules){.hold_ms = HOLD_MS, .repeat_ms = REPEAT_MS, .save = save, .user = &it});
}

/* What is kept of it. */
static const char *kept(const char *field)
{
    const char *at = buf_text(&it.field), *end = at + it.field.size, *value = buf_text(&it.value), *last = "";
    for (; at < end; at += strlen(at) + 1, value += strlen(value) + 1)
        if (!strcmp(at, field))
            last = value;
    return last;
}

static int start(void **state)
{
    (void)state;
    memset(&it, 0, sizeof it);
    it.now_ms = BEGIN_MS;
    it.notify = notify_of();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    notify_destroy(&it.notify);
    buf_destroy(&it.field);
    buf_destroy(&it.value);
    return 0;
}

/* From now on it stands. */
static void begins(enum alert_kind kind, const char *subject, uint32_t count)
{
    struct alert *alert = &it.alert[it.alerts++];
    *alert = (struct alert){.kind = kind, .count = count};
    snprintf(alert->subject, sizeof alert->subject, "%s", subject);
}

static void ends(const char *subject)
{
    size_t kept = 0;
    for (size_t i = 0; i < it.alerts; i++)
        if (strcmp(it.alert[i].subject, subject))
            it.alert[kept++] = it.alert[i];
    it.alerts = kept;
}

static size_t look(void)
{
    static struct alert shown[NOTIFY_ALERTS_MAX + 10];
    memcpy(shown, it.alert, it.alerts * sizeof *shown);
    return notify_look(it.notify, shown, it.alerts, it.now_ms);
}

/* Looks, and lets time pass. */
static void passes(uint64_t ms)
{
    look();
    it.now_ms += ms;
    look();
}

static void expect_silence(void)
{
    if (notify_next(it.notify, it.now_ms, &it.message))
        fail_msg("told of %s (%s)", alert_rule(it.message.kind)->name, it.message.subject[0]);
}

static void expect_due(enum alert_kind kind, bool over, const char *subject)
{
    assert_true(notify_next(it.notify, it.now_ms, &it.message));
    assert_string_equal(alert_rule(it.message.kind)->name, alert_rule(kind)->name);
    assert_int_equal(it.message.over, over);
    assert_string_equal(it.message.subject[0], subject);
}

/* Exactly this is told. */
static void expect_told(enum alert_kind kind, bool over, const char *subject)
{
    expect_due(kind, over, subject);
    assert_int_equal(notify_sent(it.notify, true, it.now_ms), 0);
    look();
    expect_silence();
}

static void it_is_told_once_when_it_has_stood(void **state)
{
    (void)state;
    begins(ALERT_WORKER_LOST, "a", 1);
    passes(HOLD_MS - 1);
    expect_silence();
    passes(GATHER_MS);
    expect_silence();
    passes(1);
    expect_told(ALERT_WORKER_LOST, false, "a");
    assert_int_equal(it.message.since_ms, BEGIN_MS);
    assert_int_equal(it.message.subjects, 1);
    passes(REPEAT_MS / 2);
    expect_silence();
}

static void its_end_is_told_once(void **state)
{
    (void)state;
    begins(ALERT_WORKER_LOST, "a", 1);
    passes(TOLD_MS);
    expect_told(ALERT_WORKER_LOST, false, "a");
    ends("a");
    passes(TOLD_MS - 1);
    expect_silence();
    passes(1);
    assert_string_not_equal(kept("worker_lost a"), "");
    expect_told(ALERT_WORKER_LOST, true, "a");
    assert_string_equal(kept("worker_lost a"), "");
    passes(2 * REPEAT_MS);
    expect_silence();
    begins(ALERT_WORKER_LOST, "a", 1);
    passes(TOLD_MS);
    expect_told(ALERT_WORKER_LOST, false, "a");
}

static void what_flaps_is_not_told(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        begins(ALERT_WORKER_LOST, "a", 1);
        passes(HOLD_MS - 1);
        expect_silence();
        ends("a");
        passes(1);
    }
    passes(TOLD_MS);
    expect_silence();
    begins(ALERT_WORKER_LOST, "a", 1);
    passes(TOLD_MS);
    expect_told(ALERT_WORKER_LOST, false, "a");
    for (int i = 0; i < 10; i++) {
        ends("a");
        passes(HOLD_MS - 1);
        begins(ALERT_WORKER_LOST, "a", 1);
        passes(1);
        expect_silence();
    }
}

static void what_stands_is_told_again(void **state)
{
    (void)state;
    begins(ALERT_UNIT_LATE, "district:001", 1);
    passes(TOLD_MS);
    expect_told(ALERT_UNIT_LATE, false, "district:001");
    for (int i = 0; i < 3; i++) {
        passes(REPEAT_MS + GATHER_MS - 1);
        expect_silence();
        passes(1);
        expect_told(ALERT_UNIT_LATE, false, "district:001");
        assert_int_equal(it.message.since_ms, BEGIN_MS);
    }
}

static void many_of_a_kind_are_one_message(void **state)
{
    (void)state;
    char name[16];
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "w%02d", 29 - i);
        begins(ALERT_WORKER_LOST, name, 1);
    }
    begins(ALERT_REDIS_LOST, "", 1);
    passes(TOLD_MS);
    expect_due(ALERT_REDIS_LOST, false, "");
    notify_sent(it.notify, true, it.now_ms);
    expect_told(ALERT_WORKER_LOST, false, "w00");
    assert_int_equal(it.message.subjects, 30);
    assert_int_equal(it.message.count, 30);
    assert_int_equal(it.message.named, NOTIFY_SUBJECTS_MAX);
    assert_string_equal(it.message.subject[NOTIFY_SUBJECTS_MAX - 1], "w19");
    it.alerts = 0;
    passes(TOLD_MS);
    expect_due(ALERT_REDIS_LOST, true, "");
    notify_sent(it.notify, true, it.now_ms);
    expect_told(ALERT_WORKER_LOST, true, "w00");
    assert_int_equal(it.message.subjects, 30);
}

/* A rack dies over some seconds. */
static void what_begins_soon_after_is_waited_for(void **state)
{
    (void)state;
    begins(ALERT_WORKER_LOST, "b", 1);
    passes(GATHER_MS - 1);
    begins(ALERT_WORKER_LOST, "a", 1);
    passes(HOLD_MS);
    expect_silence();
    passes(1);
    expect_told(ALERT_WORKER_LOST, false, "a");
    assert_int_equal(it.message.subjects, 2);
    assert_int_equal(it.message.since_ms, BEGIN_MS);
}

static void a_failure_is_tried_again_ever_later(void **state)
{
    (void)state;
    uint64_t wait_ms = NOTIFY_RETRY_FIRST_MS;
    begins(ALERT_REDIS_LOST, "", 1);
    passes(TOLD_MS);
    for (int i = 0; i < 12; i++) {
        expect_due(ALERT_REDIS_LOST, false, "");
        assert_int_equal(notify_sent(it.notify, false, it.now_ms), wait_ms);
        assert_int_equal(it.field.size, 0);
        passes(wait_ms - 1);
        expect_silence();
        passes(1);
        wait_ms = wait_ms * 2 < NOTIFY_RETRY_LAST_MS ? wait_ms * 2 : NOTIFY_RETRY_LAST_MS;
    }
    assert_int_equal(wait_ms, NOTIFY_RETRY_LAST_MS);
    expect_told(ALERT_REDIS_LOST, false, "");
    ends("");
    passes(TOLD_MS);
    expect_told(ALERT_REDIS_LOST, true, ""); /* at once: the delay was of the failures before */
}

static void what_ended_before_it_could_be_told_is_never_told(void **state)
{
    (void)state;
    begins(ALERT_WORKER_LOST, "a", 1);
    passes(TOLD_MS);
    expect_due(ALERT_WORKER_LOST, false, "a");
    ends("a");
    begins(ALERT_WORKER_LOST, "b", 1);
    look();
    notify_sent(it.notify, false, it.now_ms);
    passes(TOLD_MS);
    expect_told(ALERT_WORKER_LOST, false, "b");
    passes(TOLD_MS);
    expect_silence();
}

static void what_ends_while_it_is_told_is_told_to_be_over(void **state)
{
    (void)state;
    begins(ALERT_WORKER_LOST, "a", 1);
    passes(TOLD_MS);
    expect_due(ALERT_WORKER_LOST, false, "a");
    ends("a");
    passes(5000);
    notify_sent(it.notify, true, it.now_ms);
    passes(TOLD_MS);
    expect_due(ALERT_WORKER_LOST, true, "a");
    begins(ALERT_WORKER_LOST, "a", 1);
    passes(5000);
    notify_sent(it.notify, true, it.now_ms);
    passes(TOLD_MS);
    expect_told(ALERT_WORKER_LOST, false, "a");
}

static void quarantines_are_told_when_there_are_more(void **state)
{
    (void)state;
    begins(ALERT_QUARANTINED, "b-17", 1);
    passes(TOLD_MS);
    expect_told(ALERT_QUARANTINED, false, "b-17");
    passes(10 * REPEAT_MS);
    expect_silence();
    it.alert[0].count = 3;
    passes(1);
    expect_told(ALERT_QUARANTINED, false, "b-17");
    assert_int_equal(it.message.count, 3);
    it.alert[0].count = 2;
    passes(TOLD_MS);
    expect_silence();
    ends("b-17");
    passes(TOLD_MS);
    expect_told(ALERT_QUARANTINED, true, "b-17");
}

/* Who hears that it is late is not told that it is no more at risk. */
static void the_worse_takes_the_place_of_the_other(void **state)
{
    (void)state;
    begins(ALERT_UNIT_AT_RISK, "district:001", 1);
    passes(TOLD_MS);
    expect_told(ALERT_UNIT_AT_RISK, false, "district:001");
    it.alert[0].kind = ALERT_UNIT_LATE;
    passes(TOLD_MS);
    expect_told(ALERT_UNIT_LATE, false, "district:001");
    passes(REPEAT_MS / 2);
    expect_silence();
    it.alerts = 0;
    passes(TOLD_MS);
    expect_told(ALERT_UNIT_LATE, true, "district:001");
    passes(2 * REPEAT_MS);
    expect_silence();
}

/* Not even before that is told, which takes longer when it flaps. */
static void the_worse_may_take_its_time(void **state)
{
    (void)state;
    begins(ALERT_UNIT_AT_RISK, "district:001", 1);
    passes(TOLD_MS);
    expect_told(ALERT_UNIT_AT_RISK, false, "district:001");
    it.alert[0].kind = ALERT_UNIT_LATE;
    passes(HOLD_MS - 10000);
    it.alerts = 0;
    passes(1000);
    begins(ALERT_UNIT_LATE, "district:001", 1);
    passes(TOLD_MS - 1);
    expect_silence();
    passes(1);
    expect_told(ALERT_UNIT_LATE, false, "district:001");
    assert_string_equal(kept("unit_at_risk district:001"), "");
    assert_string_not_equal(kept("unit_late district:001"), "");
}

static void kinds_for_the_dashboard_alone_are_not_told(void **state)
{
    (void)state;
    begins(ALERT_UNDATED, "", 7);
    passes(2 * REPEAT_MS);
    expect_silence();
}

/* What is saved goes to another process, as Redis keeps it: the last word on each. */
static void restart(void)
{
    const char *field = buf_text(&it.field), *value = buf_text(&it.value), *end = field + it.field.size;
    struct buf fields = it.field, values = it.value;
    struct notify *next = notify_of();
    for (; field < end; field += strlen(field) + 1, value += strlen(value) + 1) {
        const char *later = field + strlen(field) + 1;
        while (later < end && strcmp(later, field))
            later += strlen(later) + 1;
        if (later >= end && *value)
            notify_restore(next, field, value);
    }
    it.field = it.value = (struct buf){0};
    buf_destroy(&fields);
    buf_destroy(&values);
    notify_destroy(&it.notify);
    it.notify = next;
    notify_save(next);
}

static void a_restart_tells_nothing_again(void **state)
{
    (void)state;
    begins(ALERT_WORKER_LOST, "a b", 1);
    begins(ALERT_REDIS_LOST, "", 1);
    begins(ALERT_WORKER_LOST, "c", 1);
    passes(TOLD_MS);
    expect_due(ALERT_REDIS_LOST, false, "");
    notify_sent(it.notify, true, it.now_ms);
    expect_told(ALERT_WORKER_LOST, false, "a b");
    ends("c");
    passes(TOLD_MS);
    expect_told(ALERT_WORKER_LOST, true, "c");
    for (int i = 0; i < 2; i++) {
        restart();
        passes(TOLD_MS);
        expect_silence();
    }
    begins(ALERT_WORKER_LOST, "d", 1);
    look();
    notify_save(it.notify);
    assert_string_equal(kept("worker_lost d"), ""); /* it was not told yet */
    assert_string_not_equal(kept("worker_lost a b"), "");
    ends("d");
    ends("a b");
    passes(TOLD_MS);
    expect_told(ALERT_WORKER_LOST, true, "a b");
    assert_int_equal(it.message.since_ms, BEGIN_MS);
    passes(REPEAT_MS);
    expect_told(ALERT_REDIS_LOST, false, "");
}

static void count_up(const char *subject, void *user)
{
    assert_string_equal(subject, "a b");
    ++*(int *)user;
}

static void only_what_makes_sense_is_restored(void **state)
{
    (void)state;
    int count = 0;
    char longest[NAME_BYTES + 20] = "worker_lost ";
    memset(longest + 12, 'x', NAME_BYTES);
    notify_restore(it.notify, "worker_lost a b", "1800000000000 1800000000001 1 0");
    notify_restore(it.notify, "worker_lost a b", "1800000000000 1800000000001 1 0");
    notify_restore(it.notify, "worker_lost c", "1800000000000 1");
    notify_restore(it.notify, "worker_lost d", "");
    notify_restore(it.notify, "no_such_kind e", "1800000000000 1800000000001 1 0");
    notify_restore(it.notify, "worker_lost", "1800000000000 1800000000001 1 0");
    notify_restore(it.notify, longest, "1800000000000 1800000000001 1 0");
    notify_told(it.notify, ALERT_WORKER_LOST, count_up, &count);
    assert_int_equal(count, 1);
    passes(TOLD_MS);
    expect_told(ALERT_WORKER_LOST, true, "a b");
    notify_told(it.notify, ALERT_WORKER_LOST, count_up, &count);
    assert_int_equal(count, 1);
}

static void what_is_too_much_is_passed_over(void **state)
{
    (void)state;
    char name[16];
    for (int i = 0; i < NOTIFY_ALERTS_MAX + 10; i++) {
        snprintf(name, sizeof name, "w%05d", i);
        begins(ALERT_WORKER_LOST, name, 1);
    }
    assert_int_equal(look(), 10);
    passes(TOLD_MS);
    expect_told(ALERT_WORKER_LOST, false, "w00000");
    assert_int_equal(it.message.subjects, NOTIFY_ALERTS_MAX);
    ends("w00003");
    passes(TOLD_MS);
    expect_told(ALERT_WORKER_LOST, true, "w00003");
    assert_int_equal(look(), 9);
}

static void a_clock_set_back_counts_from_there(void **state)
{
    (void)state;
    begins(ALERT_REDIS_LOST, "", 1);
    passes(TOLD_MS);
    expect_due(ALERT_REDIS_LOST, false, "");
    notify_sent(it.notify, false, it.now_ms);
    it.now_ms -= 10 * REPEAT_MS;
    look();
    expect_silence();
    passes(TOLD_MS);
    expect_told(ALERT_REDIS_LOST, false, "");
    it.now_ms -= REPEAT_MS;
    passes(REPEAT_MS + GATHER_MS);
    expect_told(ALERT_REDIS_LOST, false, "");
    ends("");
    look();
    it.now_ms -= 10 * REPEAT_MS;
    passes(TOLD_MS);
    expect_told(ALERT_REDIS_LOST, true, "");
}

/* Whatever comes and goes, fails and restarts: by what was told it is always known what stands, and the end is quiet. */
static void what_was_told_adds_up(void **state)
{
    (void)state;
    char name[8];
    bool stands[40] = {false}, told[40] = {false};
    srand(7);
    for (int step = 0; step < 20000; step++) {
        int i = rand() % 40;
        snprintf(name, sizeof name, "w%02d", i);
        if (step < 19000 && stands[i])
            ends(name);
        else if (step < 19000)
            begins(ALERT_WORKER_LOST, name, 1);
        stands[i] = step < 19000 ? !stands[i] : stands[i];
        passes((uint64_t)(rand() % 40000));
        if (step < 19000 && rand() % 500 == 0)
            restart();
        if (!notify_next(it.notify, it.now_ms, &it.message))
            continue;
        bool taken = step >= 19000 || rand() % 3;
        for (size_t s = 0; s < it.message.named && taken; s++) {
            bool *was = &told[atoi(it.message.subject[s] + 1)];
            assert_true(!it.message.over || *was);
            *was = !it.message.over;
        }
        assert_true(it.message.subjects == it.message.named);
        notify_sent(it.notify, taken, it.now_ms);
    }
    for (int i = 0; i < 40; i++)
        assert_int_equal(stands[i], told[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_told_once_when_it_has_stood, start, stop),
        cmocka_unit_test_setup_teardown(its_end_is_told_once, start, stop),
        cmocka_unit_test_setup_teardown(what_flaps_is_not_told, start, stop),
        cmocka_unit_test_setup_teardown(what_stands_is_told_again, start, stop),
        cmocka_unit_test_setup_teardown(many_of_a_kind_are_one_message, start, stop),
        cmocka_unit_test_setup_teardown(what_begins_soon_after_is_waited_for, start, stop),
        cmocka_unit_test_setup_teardown(a_failure_is_tried_again_ever_later, start, stop),
        cmocka_unit_test_setup_teardown(what_ended_before_it_could_be_told_is_never_told, start, stop),
        cmocka_unit_test_setup_teardown(what_ends_while_it_is_told_is_told_to_be_over, start, stop),
        cmocka_unit_test_setup_teardown(quarantines_are_told_when_there_are_more, start, stop),
        cmocka_unit_test_setup_teardown(the_worse_takes_the_place_of_the_other, start, stop),
        cmocka_unit_test_setup_teardown(the_worse_may_take_its_time, start, stop),
        cmocka_unit_test_setup_teardown(kinds_for_the_dashboard_alone_are_not_told, start, stop),
        cmocka_unit_test_setup_teardown(a_restart_tells_nothing_again, start, stop),
        cmocka_unit_test_setup_teardown(only_what_makes_sense_is_restored, start, stop),
        cmocka_unit_test_setup_teardown(what_is_too_much_is_passed_over, start, stop),
        cmocka_unit_test_setup_teardown(a_clock_set_back_counts_from_there, start, stop),
        cmocka_unit_test_setup_teardown(what_was_told_adds_up, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
