/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A standby's Redis, a real one, is told whom to copy. That it does is tests/cluster/hosts.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "storage/replica.h"
#include "tests/lib/redis.h"

static struct redis_server server;
static struct err err;

/* Its master as "host:port"; "" none. */
static void check_follows(const char *wanted)
{
    redisContext *link = redisConnectUnix(server.socket);
    redisReply *reply = redisCommand(link, "ROLE");
    char is[64] = "";
    if (!strcmp(reply->element[0]->str, "slave"))
        snprintf(is, sizeof is, "%s:%lld", reply->element[1]->str, reply->element[2]->integer);
    assert_string_equal(is, wanted);
    freeReplyObject(reply);
    redisFree(link);
}

static int start(void **state)
{
    (void)state;
    redis_server_start(&server);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    redis_server_stop(&server);
    return 0;
}

static void it_copies_that_of_who_is_active(void **state)
{
    (void)state;
    struct replica replica;
    assert_int_equal(replica_init(&replica, "a=127.0.0.1:1,b=[::1]:2,c=127.0.0.1:3", "a", server.socket, &err), 0);
    replica_keep(&replica, "a", 1); /* who began anew, and waits for the time of its own lock */
    check_follows("");
    replica_keep(&replica, "nobody knows it", 1);
    check_follows("");
    replica_keep(&replica, "b", 1);
    check_follows("::1:2");
    replica_keep(&replica, "c", 2);
    check_follows("127.0.0.1:3");
}

static void a_server_that_was_restarted_is_told_again(void **state)
{
    (void)state;
    struct replica replica;
    assert_int_equal(replica_init(&replica, "c=127.0.0.1:3", "a", server.socket, &err), 0);
    replica_keep(&replica, "c", 1);
    redis_server_kill(&server);
    replica_keep(&replica, "c", 2 + REPLICA_ASK_MS); /* it is told in the log */
    redis_server_again(&server);
    check_follows("");
    replica_keep(&replica, "c", 3 + REPLICA_ASK_MS);
    check_follows("");
    replica_keep(&replica, "c", 3 + 2 * REPLICA_ASK_MS);
    check_follows("127.0.0.1:3");
}

static void a_setting_that_makes_no_sense_is_told(void **state)
{
    static const char *const wrong[] = {"a", "a=", "a=b", "a=b:", "a=:1", "=b:1", "a=b:x", "a=b:1,c", "a=b:1234567"};
    struct replica replica;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        memset(&err, 0, sizeof err);
        assert_int_equal(replica_init(&replica, wrong[i], "a", server.socket, &err), E_CONFIG);
        assert_non_null(strstr(err.text, wrong[i]));
    }
    assert_int_equal(replica_init(&replica, "", "a", server.socket, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_copies_that_of_who_is_active, start, stop),
        cmocka_unit_test_setup_teardown(a_server_that_was_restarted_is_told_again, start, stop),
        cmocka_unit_test_setup_teardown(a_setting_that_makes_no_sense_is_told, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
