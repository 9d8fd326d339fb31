/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The table of page states against the drawing in page_state.h, move by move. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/page_state.h"

/* from (row) to (column), in the order of enum page_state */
static const char *const drawing[PAGE_STATES] = {
    [PAGE_QUEUED] = ".L..DQW",    [PAGE_LEASED] = "Q.SD.QW",      [PAGE_STORED] = ".....Q.",    [PAGE_DEAD] = "Q....Q.",
    [PAGE_DUPLICATE] = "Q....Q.", [PAGE_QUARANTINED] = "Q......", [PAGE_WITHDRAWN] = ".......",
};

static void moves_are_those_of_the_drawing(void **state)
{
    (void)state;
    for (enum page_state from = 0; from < PAGE_STATES; from++)
        for (enum page_state to = 0; to < PAGE_STATES; to++) {
            assert_int_equal(page_may_move(from, to), drawing[from][to] != '.');
            uint8_t page = (uint8_t)from;
            if (page_may_move(from, to))
                page_move(&page, to);
            assert_int_equal(page, page_may_move(from, to) ? to : from);
        }
}

static void outside_of_the_table_nothing_moves(void **state)
{
    (void)state;
    assert_false(page_may_move(PAGE_STATES, PAGE_QUEUED));
    assert_false(page_may_move(PAGE_QUEUED, PAGE_STATES));
    assert_false(page_may_move((enum page_state)255, (enum page_state)255));
    assert_string_equal(page_state_name(PAGE_STATES), "?");
}

static void every_state_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (enum page_state a = 0; a < PAGE_STATES; a++)
        for (enum page_state b = 0; b < a; b++)
            assert_string_not_equal(page_state_name(a), page_state_name(b));
    assert_string_equal(page_state_name(PAGE_STORED), "stored");
}

static void a_move_that_is_not_allowed_ends_the_process(void **state)
{
    (void)state;
    int how;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        const struct rlimit none = {0, 0};
        uint8_t page = PAGE_STORED;
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        page_move(&page, PAGE_QUEUED);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_are_those_of_the_drawing),
        cmocka_unit_test(outside_of_the_table_nothing_moves),
        cmocka_unit_test(every_state_has_a_name_of_its_own),
        cmocka_unit_test(a_move_that_is_not_allowed_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
