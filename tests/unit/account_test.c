/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Role by right by unit; that an administrator stays; what the ledger says is what there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/account.h"
#include "proto/auto.h"

static struct err err;

static struct account made(const char *name, Sohoa__Role role, const char *unit)
{
    struct account account = {.role = role};
    snprintf(account.name, sizeof account.name, "%s", name);
    if (unit)
        assert_int_equal(account_add_unit(&account, unit, &err), 0);
    return account;
}

/* read, operate, archive, prove, audit, administer */
static void roles_have_their_rights_and_no_other(void **state)
{
    static const struct {
        const char *role, *rights;
    } row[] = {
        {"viewer",        "x-----"},
        {"operator",      "xx----"},
        {"archivist",     "x-xx--"},
        {"auditor",       "x--xx-"},
        {"administrator", "xxxxxx"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct account account = made("lan", SOHOA__ROLE__ROLE_NONE, NULL);
        assert_int_equal(role_named(row[i].role, &account.role, &err), 0);
        assert_string_equal(role_name((int)account.role), row[i].role);
        assert_int_equal(account_may(&account, RIGHT_NONE, REACH_NO_UNIT, &err), 0);
        for (int right = RIGHT_READ; right <= RIGHT_ADMINISTER; right++)
            assert_int_equal(account_may(&account, (enum right)right, REACH_ALL, &err),
                             row[i].rights[right - RIGHT_READ] == 'x' ? 0 : E_DENIED);
        account_clear(&account);
    }
    struct account nobody = made("lan", SOHOA__ROLE__ROLE_NONE, NULL);
    assert_int_equal(account_may(&nobody, RIGHT_READ, REACH_NO_UNIT, &err), E_DENIED);
    account_clear(&nobody);
    assert_int_equal(role_named("boss", &nobody.role, &err), E_USAGE);
    assert_int_equal(role_named("", &nobody.role, &err), E_USAGE);
}

static void units_bound_what_reaches_beyond(void **state)
{
    AUTO(account_clear) struct account bound = made("lan", SOHOA__ROLE__ROLE_ADMINISTRATOR, "district:001");
    AUTO(account_clear) struct account free_of = made("an", SOHOA__ROLE__ROLE_OPERATOR, NULL);
    (void)state;
    assert_int_equal(account_may(&bound, RIGHT_OPERATE, REACH_ALL, &err), E_DENIED);
    assert_non_null(strstr(err.text, "'lan' is bound to units"));
    assert_int_equal(account_may(&bound, RIGHT_OPERATE, REACH_SUBJECT, &err), 0);
    assert_int_equal(account_may(&bound, RIGHT_OPERATE, REACH_OWN, &err), 0);
    assert_int_equal(account_may(&free_of, RIGHT_OPERATE, REACH_ALL, &err), 0);
    assert_int_equal(account_may(&free_of, RIGHT_ADMINISTER, REACH_ALL, &err), E_DENIED);
    assert_non_null(strstr(err.text, "'an' is operator and may not administer"));
    assert_int_equal(account_may_unit(&bound, "district:001", &err), 0);
    assert_int_equal(account_may_unit(&bound, "district:002", &err), E_DENIED);
    assert_int_equal(account_may_unit(&bound, "", &err), E_DENIED);
    assert_int_equal(account_may_unit(&free_of, "", &err), 0);
    assert_true(account_covers(&bound, "old:00004"));  /* a commune of the district */
    assert_false(account_covers(&bound, "old:00037")); /* of another */
    assert_false(account_covers(&bound, "new:00004"));
    assert_int_equal(account_add_unit(&bound, "", &err), E_MANIFEST);
    assert_int_equal(account_add_unit(&bound, "district:1", &err), E_MANIFEST);
}

static void unit_count(const char *unit, void *user)
{
    (void)unit;
    ++*(int *)user;
}

static void the_units_that_it_covers_are_told(void **state)
{
    AUTO(account_clear) struct account lan = made("lan", SOHOA__ROLE__ROLE_OPERATOR, "district:001");
    AUTO(account_clear) struct account all = made("an", SOHOA__ROLE__ROLE_OPERATOR, NULL);
    int count = 0;
    (void)state;
    assert_int_equal(account_add_unit(&lan, "old:00004", &err), 0);
    assert_int_equal(account_add_unit(&lan, "old:99999", &err), 0); /* nobody knows it */
    account_each_unit(&lan, unit_count, &count);
    assert_int_equal(count, 1 + 13 + 1); /* Ba Đình, its 13 communes, and that one */
    count = 0;
    account_each_unit(&all, unit_count, &count);
    assert_int_equal(count, 0);
}

static void a_batch_is_whole_or_document_by_document(void **state)
{
    AUTO(backlog_destroy) struct backlog *backlog = backlog_new();
    AUTO(account_clear) struct account lan = made("lan", SOHOA__ROLE__ROLE_OPERATOR, "district:001");
    AUTO(account_clear) struct account both = made("an", SOHOA__ROLE__ROLE_OPERATOR, "district:001");
    struct batch *mixed = batch_add(backlog, "mixed", 0, NONE), *own = batch_add(backlog, "own", 0, NONE);
    struct terms one = {.unit = "district:001"}, two = {.unit = "district:002"};
    (void)state;
    batch_add_lot(mixed, &one, 3, 0);
    batch_add_lot(mixed, &two, 2, 0);
    batch_add_lot(own, &one, 1, 0);
    assert_int_equal(account_add_unit(&both, "district:002", &err), 0);
    assert_int_equal(account_may_touch(&lan, own, NONE, &err), 0);
    assert_int_equal(account_may_touch(&lan, mixed, NONE, &err), E_DENIED);
    assert_non_null(strstr(err.text, "batch mixed"));
    assert_int_equal(account_may_touch(&lan, mixed, 2, &err), 0);
    assert_int_equal(account_may_touch(&lan, mixed, 3, &err), E_DENIED);
    assert_int_equal(account_may_touch(&both, mixed, NONE, &err), 0);
    assert_int_equal(account_may_see(&lan, mixed, &err), 0);
    assert_true(account_covers_doc(&lan, mixed, 0));
    assert_false(account_covers_doc(&lan, mixed, 4));
    AUTO(account_clear) struct account other = made("other", SOHOA__ROLE__ROLE_OPERATOR, "district:003");
    assert_int_equal(account_may_see(&other, mixed, &err), E_DENIED);
    assert_true(account_covers_some(&both, own));
    mixed->check_only = true;
    assert_int_equal(account_may_touch(&lan, mixed, NONE, &err), 0);
}

static void names_are_what_fits_an_address(void **state)
{
    char longest[NAME_BYTES + 1];
    (void)state;
    assert_int_equal(account_name_check("lan.nguyen@hanoi-1_x", &err), 0);
    static const char *const wrong[] = {"", "a b", "a/b", "Lành", "local", "open", "a\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(account_name_check(wrong[i], &err), E_USAGE);
    memset(longest, 'a', NAME_BYTES);
    longest[NAME_BYTES] = '\0';
    assert_int_equal(account_name_check(longest, &err), E_USAGE);
    assert_int_equal(account_name_check(longest + 1, &err), 0);
}

static void set(struct accounts *accounts, const struct account *account)
{
    assert_int_equal(accounts_set(accounts, account, &err), 0);
}

static void an_account_stays_where_it_is(void **state)
{
    AUTO(accounts_destroy) struct accounts *accounts = accounts_new();
    AUTO(account_clear) struct account lan = made("lan", SOHOA__ROLE__ROLE_OPERATOR, "district:001");
    (void)state;
    assert_null(accounts_at(accounts, 0));
    snprintf(lan.token_id, sizeof lan.token_id, "%s", "ab");
    set(accounts, &lan);
    const struct account *there = accounts_find(accounts, "lan");
    assert_ptr_equal(accounts_at(accounts, 0), there);
    assert_ptr_equal(accounts_of_token(accounts, "ab"), there);
    lan.role = SOHOA__ROLE__ROLE_VIEWER;
    lan.token_id[0] = '\0';
    lan.disabled = true;
    assert_int_equal(account_add_unit(&lan, "district:002", &err), 0);
    set(accounts, &lan);
    assert_ptr_equal(accounts_find(accounts, "lan"), there);
    assert_null(accounts_at(accounts, 1));
    assert_int_equal(there->role, SOHOA__ROLE__ROLE_VIEWER);
    assert_int_equal(there->units, 2);
    assert_true(there->disabled);
    assert_null(accounts_of_token(accounts, "ab"));
    assert_null(accounts_of_token(accounts, "")); /* not the one that has none */
    assert_null(accounts_find(accounts, "Lan"));
}

static void there_are_so_many(void **state)
{
    AUTO(accounts_destroy) struct accounts *accounts = accounts_new();
    struct account account = {.role = SOHOA__ROLE__ROLE_VIEWER};
    (void)state;
    for (int i = 0; i < ACCOUNTS_MAX; i++) {
        snprintf(account.name, sizeof account.name, "n%d", i);
        set(accounts, &account);
    }
    set(accounts, &account);
    snprintf(account.name, sizeof account.name, "%s", "more");
    assert_int_equal(accounts_set(accounts, &account, &err), E_LIMIT);
    assert_non_null(strstr(err.text, "ACCOUNTS_MAX"));
    assert_null(accounts_find(accounts, "more"));
}

static void an_administrator_who_can_come_in_stays(void **state)
{
    AUTO(accounts_destroy) struct accounts *accounts = accounts_new();
    AUTO(account_clear) struct account root = made("root", SOHOA__ROLE__ROLE_ADMINISTRATOR, NULL);
    AUTO(account_clear) struct account bound = made("bound", SOHOA__ROLE__ROLE_ADMINISTRATOR, "district:001");
    AUTO(account_clear) struct account viewer = made("vi", SOHOA__ROLE__ROLE_VIEWER, NULL);
    (void)state;
    snprintf(bound.password_hash, sizeof bound.password_hash, "%s", "h");
    snprintf(viewer.password_hash, sizeof viewer.password_hash, "%s", "h");
    assert_false(accounts_keep_administrator(accounts, &root)); /* nobody could come in by it */
    assert_false(accounts_keep_administrator(accounts, &bound));
    assert_false(accounts_keep_administrator(accounts, &viewer));
    snprintf(root.token_hash, sizeof root.token_hash, "%s", "h");
    assert_true(accounts_keep_administrator(accounts, &root));
    set(accounts, &root);
    assert_true(accounts_keep_administrator(accounts, &viewer));
    root.disabled = true;
    assert_false(accounts_keep_administrator(accounts, &root));
    root.disabled = false;
    root.role = SOHOA__ROLE__ROLE_OPERATOR;
    assert_false(accounts_keep_administrator(accounts, &root));
    AUTO(account_clear) struct account second = made("second", SOHOA__ROLE__ROLE_ADMINISTRATOR, NULL);
    snprintf(second.password_hash, sizeof second.password_hash, "%s", "h");
    set(accounts, &second);
    assert_true(accounts_keep_administrator(accounts, &root));
}

static void the_ledger_says_all_of_it(void **state)
{
    AUTO(accounts_destroy) struct accounts *accounts = accounts_new();
    AUTO(account_clear) struct account lan = made("lan", SOHOA__ROLE__ROLE_ARCHIVIST, "district:001");
    const struct succession succession = {
        .unit = "new:00008", .of = "district:001", .since = "2025-07-01", .decided_ms = 7};
    char wrong[] = "district:1";
    (void)state;
    assert_int_equal(account_add_unit(&lan, "new:00004", &err), 0);
    snprintf(lan.password_hash, sizeof lan.password_hash, "%s", "p");
    snprintf(lan.token_id, sizeof lan.token_id, "%s", "i");
    snprintf(lan.token_hash, sizeof lan.token_hash, "%s", "t");
    lan.disabled = true;
    assert_int_equal(account_add_succession(&lan, &succession, &err), 0);
    AUTO(account_said_destroy) struct account_said *said = account_say(&lan);
    assert_int_equal(accounts_restore(accounts, &said->account, &err), 0);
    const struct account *there = accounts_find(accounts, "lan");
    assert_int_equal(there->role, SOHOA__ROLE__ROLE_ARCHIVIST);
    assert_int_equal(there->units, 2);
    assert_string_equal(there->unit[1], "new:00004");
    assert_string_equal(there->password_hash, "p");
    assert_string_equal(there->token_id, "i");
    assert_string_equal(there->token_hash, "t");
    assert_true(there->disabled);
    assert_int_equal(there->successions, 1);
    assert_memory_equal(there->succession, &succession, sizeof succession);
    said->succession[0].of = wrong;
    assert_int_equal(accounts_restore(accounts, &said->account, &err), E_CORRUPT);
    said->succession[0].of = said->unit[0];
    said->unit[0] = wrong;
    assert_int_equal(accounts_restore(accounts, &said->account, &err), E_CORRUPT);
    said->unit[0] = said->unit[1];
    said->account.role = SOHOA__ROLE__ROLE_NONE; /* or one of a later version: nobody gets rights by mistake */
    assert_int_equal(accounts_restore(accounts, &said->account, &err), E_CORRUPT);
    said->account.role = (Sohoa__Role)99;
    assert_int_equal(accounts_restore(accounts, &said->account, &err), E_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_have_their_rights_and_no_other),
        cmocka_unit_test(units_bound_what_reaches_beyond),
        cmocka_unit_test(the_units_that_it_covers_are_told),
        cmocka_unit_test(a_batch_is_whole_or_document_by_document),
        cmocka_unit_test(names_are_what_fits_an_address),
        cmocka_unit_test(an_account_stays_where_it_is),
        cmocka_unit_test(there_are_so_many),
        cmocka_unit_test(an_administrator_who_can_come_in_stays),
        cmocka_unit_test(the_ledger_says_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
