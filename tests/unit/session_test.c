/* SPDX-License-Identifier: AGPL-3.0-or-later
 * When a session ends, and when a try has to wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/session.h"
#include "coordinator/tries.h"
#include "proto/auto.h"

static struct account lan = {.name = "lan", .role = SOHOA__ROLE__ROLE_VIEWER}, an = {.name = "an"};

static void digest_of(uint32_t number, uint8_t digest[SESSION_DIGEST_BYTES])
{
    memset(digest, 0, SESSION_DIGEST_BYTES);
    memcpy(digest + 1, &number, sizeof number);
}

static void begin(struct sessions *sessions, const struct account *account, uint32_t number, uint64_t now_ms)
{
    struct session session = {.account = account, .since_ms = now_ms};
    digest_of(number, session.digest);
    snprintf(session.csrf, sizeof session.csrf, "csrf-%u", number);
    assert_string_equal(sessions_add(sessions, &session)->csrf, session.csrf);
}

static const struct session *look(struct sessions *sessions, uint32_t number, uint64_t now_ms)
{
    uint8_t digest[SESSION_DIGEST_BYTES];
    digest_of(number, digest);
    return sessions_find(sessions, digest, now_ms);
}

static void each_session_is_somebodys(void **state)
{
    AUTO(sessions_destroy) struct sessions *sessions = sessions_new();
    uint8_t digest[SESSION_DIGEST_BYTES];
    (void)state;
    assert_null(look(sessions, 0, 5)); /* what is free is nobody's */
    begin(sessions, &lan, 1, 5);
    begin(sessions, &an, 2, 5);
    begin(sessions, &lan, 3, 5);
    assert_ptr_equal(look(sessions, 1, 6)->account, &lan);
    assert_ptr_equal(look(sessions, 2, 6)->account, &an);
    assert_string_equal(look(sessions, 2, 6)->csrf, "csrf-2");
    assert_null(look(sessions, 4, 6));
    digest_of(1, digest);
    sessions_end(sessions, digest);
    assert_null(look(sessions, 1, 6));
    assert_non_null(look(sessions, 3, 6));
    sessions_end_of(sessions, &lan);
    assert_null(look(sessions, 3, 6));
    assert_non_null(look(sessions, 2, 6));
}

static void a_session_ends_by_itself(void **state)
{
    AUTO(sessions_destroy) struct sessions *sessions = sessions_new();
    uint64_t now_ms = 1000;
    (void)state;
    begin(sessions, &lan, 1, now_ms);
    begin(sessions, &lan, 2, now_ms);
    assert_non_null(look(sessions, 1, now_ms + SESSION_IDLE_MS - 1));
    assert_null(look(sessions, 2, now_ms + SESSION_IDLE_MS));
    begin(sessions, &lan, 3, now_ms);
    for (uint64_t at = 0; at < SESSION_MOST_MS; at += SESSION_IDLE_MS / 2)
        assert_non_null(look(sessions, 3, now_ms + at));
    assert_null(look(sessions, 3, now_ms + SESSION_MOST_MS));
    uint8_t digest[SESSION_DIGEST_BYTES];
    begin(sessions, &lan, 4, now_ms);
    digest_of(4, digest);
    assert_non_null(sessions_look(sessions, digest, now_ms + SESSION_IDLE_MS - 1)); /* is no request */
    assert_null(sessions_look(sessions, digest, now_ms + SESSION_IDLE_MS));
}

static void who_is_disabled_is_out(void **state)
{
    AUTO(sessions_destroy) struct sessions *sessions = sessions_new();
    struct account gone = lan;
    (void)state;
    begin(sessions, &gone, 1, 0);
    gone.disabled = true;
    assert_null(look(sessions, 1, 1));
    gone.disabled = false; /* that does not bring it back */
    assert_null(look(sessions, 1, 1));
}

static void the_quiet_one_goes_first(void **state)
{
    AUTO(sessions_destroy) struct sessions *sessions = sessions_new();
    (void)state;
    for (uint32_t i = 0; i < SESSIONS_MAX; i++)
        begin(sessions, &lan, i, i);
    assert_non_null(look(sessions, 0, SESSIONS_MAX));
    begin(sessions, &an, SESSIONS_MAX, SESSIONS_MAX);
    assert_non_null(look(sessions, 0, SESSIONS_MAX));
    assert_null(look(sessions, 1, SESSIONS_MAX));
    assert_non_null(look(sessions, 2, SESSIONS_MAX));
}

static void tries_wait_when_there_were_enough(void **state)
{
    AUTO(tries_destroy) struct tries *tries = tries_new();
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(tries_take(tries, "lan", 3, 100), 0);
    assert_int_equal(tries_take(tries, "lan", 3, 200), TRIES_WINDOW_MS - 100);
    assert_int_equal(tries_take(tries, "an", 3, 200), 0);
    assert_int_equal(tries_take(tries, "lan", 3, 100 + TRIES_WINDOW_MS - 1), 1);
    assert_int_equal(tries_take(tries, "lan", 3, 100 + TRIES_WINDOW_MS), 0);
    tries_forget(tries, "lan");
    for (int i = 0; i < 3; i++)
        assert_int_equal(tries_take(tries, "lan", 3, 300), 0);
    tries_give_back(tries, "lan");
    assert_int_equal(tries_take(tries, "lan", 3, 300), 0);
    assert_int_not_equal(tries_take(tries, "lan", 3, 300), 0);
    tries_give_back(tries, "nobody");
    tries_forget(tries, "nobody");
}

/* Many names don't make one forgotten that is newer. */
static void the_oldest_name_is_forgotten(void **state)
{
    AUTO(tries_destroy) struct tries *tries = tries_new();
    char key[16];
    (void)state;
    assert_int_equal(tries_take(tries, "old", 1, 1), 0);
    assert_int_equal(tries_take(tries, "new", 1, 2), 0);
    for (int i = 0; i < TRIES_KEYS - 1; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_int_equal(tries_take(tries, key, 1, 3), 0);
    }
    assert_int_not_equal(tries_take(tries, "new", 1, 4), 0);
    assert_int_equal(tries_take(tries, "old", 1, 4), 0);
}

static void long_names_are_cut_alike(void **state)
{
    AUTO(tries_destroy) struct tries *tries = tries_new();
    char key[2 * TRIES_KEY_BYTES];
    (void)state;
    memset(key, 'a', sizeof key);
    key[sizeof key - 1] = '\0';
    assert_int_equal(tries_take(tries, key, 1, 1), 0);
    assert_int_not_equal(tries_take(tries, key, 1, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_session_is_somebodys),
        cmocka_unit_test(a_session_ends_by_itself),
        cmocka_unit_test(who_is_disabled_is_out),
        cmocka_unit_test(the_quiet_one_goes_first),
        cmocka_unit_test(tries_wait_when_there_were_enough),
        cmocka_unit_test(the_oldest_name_is_forgotten),
        cmocka_unit_test(long_names_are_cut_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
