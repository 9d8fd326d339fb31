/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Units have the names and days that the table gives them, old and new apart, and their kin both ways. */
#include "coordinator/gazetteer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/day.h"
#include "coordinator/naming.h"
#include "proto/auto.h"

static const struct place *found(const char *unit)
{
    const struct place *place = place_find(unit);
    assert_non_null(place);
    return place;
}

static int64_t day(const char *text)
{
    int64_t number = 0;
    assert_true(day_parse(text, &number));
    return number;
}

static void a_code_means_another_commune_since(void **state)
{
    (void)state;
    assert_string_equal(found("old:00004")->name, "Phường Trúc Bạch");
    assert_string_equal(found("new:00004")->name, "Phường Ba Đình");
    assert_string_equal(found("district:001")->name, "Quận Ba Đình");
    assert_string_equal(found("old:00004")->parent->unit, "district:001");
    assert_null(found("new:00004")->parent);
}

static void each_was_in_force_from_one_day_until_another(void **state)
{
    (void)state;
    assert_int_equal(found("old:00004")->from_day, 0);
    assert_int_equal(found("old:00004")->until_day, day("2025-06-30"));
    assert_int_equal(found("district:001")->until_day, day("2025-06-30"));
    assert_int_equal(found("new:00004")->from_day, day("2025-07-01"));
    assert_int_equal(found("new:00004")->until_day, 0);
    assert_false(place_ended(found("old:00004"), day("2025-06-30")));
    assert_true(place_ended(found("old:00004"), day("2025-07-01")));
    assert_false(place_ended(found("new:00004"), day("2099-01-01")));
}

static void split_communes_have_several_successors(void **state)
{
    (void)state;
    assert_int_equal(found("old:00004")->successors, 1);
    assert_string_equal(found("old:00004")->successor[0].place->unit, "new:00004");
    assert_int_equal(found("old:00004")->successor[0].coverage, COVERAGE_WHOLE);
    assert_true(found("old:00007")->successors > 1); /* Cống Vị */
    assert_int_equal(found("old:00007")->successor[0].coverage, COVERAGE_PART);
    assert_int_equal(found("new:00004")->successors, 0);
    assert_int_equal(found("district:020")->successors, 13); /* Thanh Trì's communes', each once */
}

/* What is a successor of a commune has that as a predecessor, with the same coverage: 795 rows. */
static void kin_is_told_both_ways(void **state)
{
    const struct place *place;
    size_t rows = 0, back = 0, communes = 0, whole = 0;
    (void)state;
    for (size_t i = 0; (place = place_at(i)); i++) {
        rows += place_kind(place) == PLACE_OLD ? place->successors : 0;
        communes += place->communes;
        whole += place_kind(place) == PLACE_OLD && place->whole;
        for (size_t j = 0; j < place->predecessors; j++) {
            const struct place *old = place->predecessor[j].place;
            size_t k = 0;
            while (k < old->successors && old->successor[k].place != place)
                k++;
            assert_true(k < old->successors);
            assert_int_equal(old->successor[k].coverage, place->predecessor[j].coverage);
            back++;
        }
    }
    assert_int_equal(rows, 795);
    assert_int_equal(back, 795);
    assert_int_equal(communes, 526);
    assert_int_equal(whole, 525); /* of 00556 the table has a part only */
    assert_false(found("old:00556")->whole);
}

static void others_are_unknown(void **state)
{
    (void)state;
    assert_null(place_find(""));
    assert_null(place_find("old:99999"));
    assert_null(place_find("district:001 and more than fits"));
}

/* All that are found for text, with commas between. */
static const char *named(const char *text)
{
    static struct buf list;
    AUTO(buf_destroy) struct buf places = {0};
    naming_find(gazetteer_now(), text, &places);
    const struct place *const *place = (const struct place *const *)(const void *)places.data;
    buf_clear(&list);
    for (size_t i = 0; i < places.size / sizeof *place; i++)
        buf_printf(&list, "%s%s", i ? "," : "", place[i]->unit);
    return buf_text(&list);
}

static void a_code_or_a_name_finds_all_that_ever_had_it(void **state)
{
    (void)state;
    assert_string_equal(named("00004"), "new:00004,old:00004");
    assert_string_equal(named("old:00004"), "old:00004");
    assert_string_equal(named("001"), "district:001");
    assert_string_equal(named("Trúc Bạch"), "old:00004");
    assert_string_equal(named("truc bach"), "old:00004");
    assert_string_equal(named("PHUONG  TRUC BACH"), "old:00004");
    assert_string_equal(named("ba dinh"), "district:001,new:00004");
    assert_string_equal(named("Quận Ba Đình"), "district:001");
    assert_string_equal(named("truc ba"), "old:00004"); /* nobody is called so: who has it in the name */
    assert_string_equal(named("nowhere"), "");
    assert_string_equal(named(""), "");
    assert_string_equal(named("99999"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_means_another_commune_since),
        cmocka_unit_test(each_was_in_force_from_one_day_until_another),
        cmocka_unit_test(split_communes_have_several_successors),
        cmocka_unit_test(kin_is_told_both_ways),
        cmocka_unit_test(others_are_unknown),
        cmocka_unit_test(a_code_or_a_name_finds_all_that_ever_had_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
