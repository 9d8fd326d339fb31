/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What was ordered, in words, and that only the last of it is kept. */
#include "coordinator/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "coordinator/terms.h"
#include "proto/auto.h"

#define DAY_END_MS UINT64_C(1769878799999) /* 2026-01-31, in Hanoi */

static void expect(const struct history *history, size_t index, const char *kind, const char *subject, const char *text)
{
    const struct event *event = history_at(history, index);
    assert_non_null(event);
    assert_string_equal(event->kind, kind);
    assert_string_equal(event->subject, subject);
    assert_string_equal(event->text, text);
}

static void standing_add(struct history *history, Sohoa__Standing *standing)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    standing->batch = (char *)"b";
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_STANDING;
    entry.standing = standing;
    history_add(history, &entry, 5);
}

static void standings_are_said_in_words(void **state)
{
    AUTO(history_destroy) struct history *history = history_new();
    Sohoa__Err why = SOHOA__ERR__INIT;
    Sohoa__Standing all = SOHOA__STANDING__INIT, none = all, breaker = all;
    (void)state;
    all.priority = 2;
    all.deadline_ms = DAY_END_MS;
    all.paused = true;
    breaker.paused = true;
    breaker.why = &why;
    why.text = (char *)"no such font";
    breaker.deadline_ms = DEADLINE_NONE;
    standing_add(history, &all);
    standing_add(history, &none);
    standing_add(history, &breaker);
    expect(history, 0, "standing", "b", "priority 2, deadline 2026-01-31, paused");
    expect(history, 1, "standing", "b", "as the manifest says");
    expect(history, 2, "standing", "b", "deadline none, paused by the breaker: no such font");
    assert_null(history_at(history, 3));
}

static void rounds_of_a_review_are_events(void **state)
{
    AUTO(history_destroy) struct history *history = history_new();
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__ReviewRound round = SOHOA__REVIEW_ROUND__INIT;
    Sohoa__ReviewClosed closed = SOHOA__REVIEW_CLOSED__INIT;
    uint32_t docs[3] = {1, 2, 3};
    (void)state;
    round.batch = closed.batch = (char *)"b";
    round.round = closed.round = 2;
    round.percent = 30;
    round.seed = 42;
    round.docs = docs;
    round.n_docs = 3;
    closed.verdict = SOHOA__ROUND_VERDICT__ROUND_FAILED;
    closed.reason = (char *)"signer 7.5 % (limit 2 %)";
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_REVIEW_ROUND;
    entry.review_round = &round;
    history_add(history, &entry, 5);
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_REVIEW_CLOSED;
    entry.review_closed = &closed;
    history_add(history, &entry, 6);
    expect(history, 0, "review", "b", "round 2: 30 %, documents 3, seed 42");
    expect(history, 1, "review", "b", "round 2 failed: signer 7.5 % (limit 2 %)");
}

static void a_reorganisation_and_its_end_are_said_without_its_table(void **state)
{
    AUTO(history_destroy) struct history *history = history_new();
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Reorganised reorganised = SOHOA__REORGANISED__INIT;
    Sohoa__ReorganisationUndone undone = SOHOA__REORGANISATION_UNDONE__INIT;
    (void)state;
    reorganised.number = undone.number = 3;
    reorganised.day = (char *)"2027-07-01";
    reorganised.ends = 2;
    reorganised.begins = 1;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_REORGANISED;
    entry.reorganised = &reorganised;
    history_add(history, &entry, 7);
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_REORGANISATION_UNDONE;
    entry.reorganisation_undone = &undone;
    history_add(history, &entry, 8);
    expect(history, 0, "reorganised", "", "re-organisation 3 from 2027-07-01: communes that end 2, that begin 1");
    expect(history, 1, "reorganisation_undone", "", "re-organisation 3 is taken back");
}

static void each_target_is_an_event(void **state)
{
    AUTO(history_destroy) struct history *history = history_new();
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Targets targets = SOHOA__TARGETS__INIT;
    Sohoa__Target one = SOHOA__TARGET__INIT, two = one, *list[] = {&one, &two};
    (void)state;
    one.unit = two.unit = (char *)"district:001";
    one.priority = 1;
    one.deadline_ms = DAY_END_MS;
    one.pages = 12000;
    targets.targets = list;
    targets.n_targets = 2;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_TARGETS;
    entry.targets = &targets;
    entry.actor = (char *)"lan";
    history_add(history, &entry, 7);
    expect(history, 0, "target", "district:001", "priority 1, deadline 2026-01-31, pages 12000");
    expect(history, 1, "target", "district:001", "nothing is planned");
    assert_string_equal(history_at(history, 0)->actor, "lan");
    assert_int_equal(history_at(history, 1)->time_ms, 7);
}

/* A re-run of many batches is as many entries. */
static void an_order_is_one_event(void **state)
{
    AUTO(history_destroy) struct history *history = history_new();
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Rerun rerun = SOHOA__RERUN__INIT;
    (void)state;
    rerun.where = (char *)"grade=C";
    rerun.pages = 30;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_RERUN;
    entry.rerun = &rerun;
    for (rerun.number = 1; rerun.number <= 2; rerun.number++)
        for (int batch = 0; batch < 3; batch++)
            history_add(history, &entry, 1);
    expect(history, 0, "rerun", "", "re-run 1: grade=C, pages 30");
    expect(history, 1, "rerun", "", "re-run 2: grade=C, pages 30");
    assert_null(history_at(history, 2));
}

static void outcomes_are_no_orders(void **state)
{
    AUTO(history_destroy) struct history *history = history_new();
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__DocOutcome outcome = SOHOA__DOC_OUTCOME__INIT;
    Sohoa__BatchAdmitted pinned = SOHOA__BATCH_ADMITTED__INIT;
    (void)state;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_OUTCOME;
    entry.outcome = &outcome;
    history_add(history, &entry, 1);
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_ADMITTED;
    entry.admitted = &pinned;
    history_add(history, &entry, 1);
    assert_null(history_at(history, 0));
}

/* Who may do what, and never what would let somebody guess. */
static void accounts_are_shown_without_hashes(void **state)
{
    AUTO(history_destroy) struct history *history = history_new();
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Account account = SOHOA__ACCOUNT__INIT;
    char *units[] = {(char *)"district:001", (char *)"old:00004"};
    (void)state;
    account.name = (char *)"lan";
    account.role = SOHOA__ROLE__ROLE_OPERATOR;
    account.units = units;
    account.n_units = 2;
    account.password_hash = (char *)"$argon2id$1";
    account.token_id = (char *)"ab12";
    account.token_hash = (char *)"$argon2id$2";
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_ACCOUNT;
    entry.account = &account;
    history_add(history, &entry, 1);
    account.n_units = 0;
    account.password_hash = account.token_id = account.token_hash = (char *)"";
    account.disabled = true;
    history_add(history, &entry, 2);
    expect(history, 0, "account", "lan", "operator of district:001 old:00004, with a password, with the token ab12");
    expect(history, 1, "account", "lan", "operator, disabled");
}

static void the_oldest_goes_first(void **state)
{
    AUTO(history_destroy) struct history *history = history_new();
    (void)state;
    for (unsigned i = 0; i < HISTORY_MOST + 3; i++) {
        Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
        Sohoa__Drained drained = SOHOA__DRAINED__INIT;
        char name[16];
        snprintf(name, sizeof name, "n%u", i);
        drained.worker = name;
        drained.drained = true;
        entry.body_case = SOHOA__LEDGER_ENTRY__BODY_DRAINED;
        entry.drained = &drained;
        history_add(history, &entry, i);
    }
    expect(history, 0, "drained", "n3", "gets nothing new");
    assert_int_equal(history_at(history, HISTORY_MOST - 1)->time_ms, HISTORY_MOST + 2);
    assert_null(history_at(history, HISTORY_MOST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standings_are_said_in_words),
        cmocka_unit_test(each_target_is_an_event),
        cmocka_unit_test(a_reorganisation_and_its_end_are_said_without_its_table),
        cmocka_unit_test(rounds_of_a_review_are_events),
        cmocka_unit_test(an_order_is_one_event),
        cmocka_unit_test(outcomes_are_no_orders),
        cmocka_unit_test(accounts_are_shown_without_hashes),
        cmocka_unit_test(the_oldest_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
