/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Successors are proposed, cover nothing until they are confirmed, and go with the unit that they are of. */
#include "coordinator/succession.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/reorganisation.h"
#include "proto/auto.h"

static struct err err;
static struct succession proposed[ACCOUNT_SUCCESSIONS_MAX];

static void bind(struct account *account, const char *unit)
{
    assert_int_equal(account_add_unit(account, unit, &err), 0);
}

static void what_is_proposed_covers_nothing(void **state)
{
    AUTO(account_clear) struct account lan = {.name = "lan"};
    (void)state;
    bind(&lan, "old:00004");
    assert_int_equal(successions_proposed(&lan, proposed), 1);
    assert_string_equal(proposed[0].unit, "new:00004");
    assert_string_equal(proposed[0].of, "old:00004");
    assert_string_equal(proposed[0].since, "2025-07-01");
    assert_int_equal(proposed[0].decided_ms, 0);
    assert_false(account_covers(&lan, "new:00004"));
}

static void what_is_confirmed_covers_and_is_proposed_no_more(void **state)
{
    AUTO(account_clear) struct account lan = {.name = "lan"};
    (void)state;
    bind(&lan, "old:00004");
    assert_int_equal(succession_decide(&lan, "new:00004", false, 1234, &err), 0);
    assert_true(account_covers(&lan, "new:00004"));
    assert_false(account_covers(&lan, "old:00006")); /* another part of the new one */
    assert_int_equal(successions_proposed(&lan, proposed), 0);
    assert_int_equal(lan.successions, 1);
    assert_int_equal(lan.succession[0].decided_ms, 1234);
    assert_string_equal(lan.succession[0].since, "2025-07-01");
}

static void a_decision_may_be_taken_back(void **state)
{
    AUTO(account_clear) struct account lan = {.name = "lan"};
    (void)state;
    bind(&lan, "old:00007"); /* was split */
    assert_int_equal(successions_proposed(&lan, proposed), 2);
    assert_int_equal(succession_decide(&lan, proposed[0].unit, false, 1, &err), 0);
    assert_int_equal(successions_proposed(&lan, proposed), 1);
    assert_int_equal(succession_decide(&lan, lan.succession[0].unit, true, 2, &err), 0);
    assert_int_equal(lan.successions, 1);
    assert_false(account_covers(&lan, lan.succession[0].unit));
    assert_int_equal(successions_proposed(&lan, proposed), 1); /* it is decided */
}

static void each_unit_that_merged_into_it_counts(void **state)
{
    AUTO(account_clear) struct account lan = {.name = "lan"};
    (void)state;
    bind(&lan, "old:00004");
    bind(&lan, "district:001");
    size_t before = successions_proposed(&lan, proposed);
    assert_int_equal(before, 1 + 8);
    assert_int_equal(succession_decide(&lan, "new:00004", false, 1, &err), 0);
    assert_int_equal(lan.successions, 2); /* of the commune, and of the district */
    assert_int_equal(successions_proposed(&lan, proposed), before - 2);
}

static void others_can_not_be_decided(void **state)
{
    AUTO(account_clear) struct account lan = {.name = "lan"};
    (void)state;
    assert_int_equal(succession_decide(&lan, "new:00004", false, 1, &err), E_USAGE); /* it is bound to nothing */
    bind(&lan, "old:00004");
    assert_int_equal(succession_decide(&lan, "new:00008", false, 1, &err), E_USAGE);
    assert_non_null(strstr(err.text, "new:00008 took over nothing of the units that 'lan'"));
    assert_int_equal(succession_decide(&lan, "old:00004", false, 1, &err), E_USAGE);
    assert_int_equal(lan.successions, 0);
}

static void it_goes_with_the_unit_that_it_is_of(void **state)
{
    AUTO(account_clear) struct account lan = {.name = "lan"};
    (void)state;
    bind(&lan, "old:00004");
    bind(&lan, "old:00006");
    assert_int_equal(succession_decide(&lan, "new:00004", false, 1, &err), 0);
    assert_int_equal(succession_decide(&lan, "new:00008", false, 1, &err), 0);
    lan.units = 0;
    bind(&lan, "old:00006");
    successions_prune(&lan);
    assert_int_equal(lan.successions, 1);
    assert_true(account_covers(&lan, "new:00008"));
    assert_false(account_covers(&lan, "new:00004"));
}

/* An imported re-organisation: successors of successors are proposed, from its day on, to whom the rights went before. */
static void it_goes_on_through_later_mergers(void **state)
{
    static const char csv[] = "old_commune_code,new_commune_code,new_commune_name,coverage\n"
                              "00004,00004,Phường Hoàng Thành,whole\n";
    AUTO(account_clear) struct account lan = {.name = "lan"};
    AUTO(account_clear) struct account mai = {.name = "mai"};
    AUTO(draft_clear) struct draft draft = {0};
    struct reorganisations *all = reorganisations_new();
    uint32_t number;
    int64_t day;
    (void)state;
    bind(&lan, "old:00004");
    bind(&mai, "new:00004");
    assert_int_equal(succession_decide(&lan, "new:00004", false, 1, &err), 0);
    assert_true(day_parse("2027-07-01", &day));
    reorganisation_read(all, csv, strlen(csv), day, &draft);
    assert_int_equal(reorganisations_add(all, &draft, 1, &number, &err), 0);
    assert_int_equal(successions_proposed(&mai, proposed), 1);
    assert_int_equal(successions_proposed(&lan, proposed), 1);
    assert_string_equal(proposed[0].unit, "new:00004@2027-07-01");
    assert_string_equal(proposed[0].of, "new:00004");
    assert_string_equal(proposed[0].since, "2027-07-01");
    assert_false(account_covers(&lan, "new:00004@2027-07-01"));
    assert_int_equal(succession_decide(&lan, "new:00004@2027-07-01", false, 2, &err), 0);
    assert_true(account_covers(&lan, "new:00004@2027-07-01"));
    assert_int_equal(succession_decide(&lan, "new:00004", true, 3, &err), 0); /* what it led to goes with it */
    assert_false(account_covers(&lan, "new:00004@2027-07-01"));
    assert_int_equal(lan.successions, 1);
    reorganisations_destroy(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_proposed_covers_nothing),
        cmocka_unit_test(what_is_confirmed_covers_and_is_proposed_no_more),
        cmocka_unit_test(a_decision_may_be_taken_back),
        cmocka_unit_test(each_unit_that_merged_into_it_counts),
        cmocka_unit_test(others_can_not_be_decided),
        cmocka_unit_test(it_goes_with_the_unit_that_it_is_of),
        cmocka_unit_test(it_goes_on_through_later_mergers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
