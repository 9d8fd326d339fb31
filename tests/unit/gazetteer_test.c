/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Units have the names that the table gives them, old and new apart. */
#include "coordinator/gazetteer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct place *found(const char *unit)
{
    const struct place *place = place_find(unit);
    assert_non_null(place);
    return place;
}

static void a_code_means_another_commune_since(void **state)
{
    (void)state;
    assert_string_equal(found("old:00004")->name, "Phường Trúc Bạch");
    assert_string_equal(found("new:00004")->name, "Phường Ba Đình");
    assert_string_equal(found("district:001")->name, "Quận Ba Đình");
    assert_string_equal(found("old:00004")->parent, "district:001");
    assert_string_equal(found("new:00004")->parent, "");
}

static void split_communes_have_several_successors(void **state)
{
    (void)state;
    assert_int_equal(found("old:00004")->successors, 1);
    assert_string_equal(found("old:00004")->successor[0], "new:00004");
    assert_true(found("old:00007")->successors > 1); /* Cống Vị */
    assert_int_equal(found("new:00004")->successors, 0);
    assert_int_equal(found("district:020")->successors, 13); /* Thanh Trì's communes', each once */
}

static void others_are_unknown(void **state)
{
    (void)state;
    assert_null(place_find(""));
    assert_null(place_find("old:99999"));
    assert_null(place_find("district:001 and more than fits"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_means_another_commune_since),
        cmocka_unit_test(split_communes_have_several_successors),
        cmocka_unit_test(others_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
