/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A re-organisation is read with all that is wrong with it, ends and begins communes, and is taken back as if it had never been; what is filed
 * under a unit belongs to those of another time, surely or perhaps. */
#include "coordinator/reorganisation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/belonging.h"
#include "coordinator/day.h"
#include "proto/auto.h"

#define HEAD                                                                                                           \
    "old_commune_code,old_commune_name,old_district_code,old_district_name,new_commune_code,new_commune_name,coverage\n"

static struct reorganisations *all;
static struct err err;

static int set_up(void **state)
{
    (void)state;
    all = reorganisations_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    reorganisations_destroy(&all);
    return 0;
}

static int64_t day(const char *text)
{
    int64_t number = 0;
    assert_true(day_parse(text, &number));
    return number;
}

/* Ba Đình (00004) and Ngọc Hà (00008) become one that takes the code 00008 under another name; Giảng Võ (00025) is split: over that one, and
 * one that takes the code that Ba Đình had. */
static const char merger[] = HEAD "00004,Phường Ba Đình,,,00008,Phường Hoàng Thành,whole\n"
                                  "00008,,,,00008,Phường Hoàng Thành,whole\n"
                                  "00025,Phường Giảng Võ,,,00008,Phường Hoàng Thành,part\n"
                                  "00025,Phường Giảng Võ,,,00004,Phường Giảng Võ,part\n";

static uint32_t ordered(const char *csv, const char *first_day)
{
    AUTO(draft_clear) struct draft draft = {0};
    uint32_t number = 0;
    reorganisation_read(all, csv, strlen(csv), day(first_day), &draft);
    if (draft_check(&draft, &err))
        fail_msg("%s", err.text);
    assert_int_equal(reorganisations_add(all, &draft, 1000, &number, &err), 0);
    return number;
}

static const struct place *found(const char *unit)
{
    const struct place *place = place_find(unit);
    if (!place)
        fail_msg("%s is not known", unit);
    return place;
}

/* The lines and words of all that is wrong with a table. */
static const char *wrong(const char *csv, const char *first_day)
{
    static struct buf said;
    AUTO(draft_clear) struct draft draft = {0};
    reorganisation_read(all, csv, strlen(csv), day(first_day), &draft);
    const struct finding *finding = (const struct finding *)(const void *)draft.finding.data;
    buf_clear(&said);
    for (size_t i = 0; i < draft.finding.size / sizeof *finding; i++)
        buf_printf(&said, "%d: %s\n", (int)finding[i].line_no, finding[i].text);
    assert_int_equal(draft_check(&draft, &err), said.size ? E_MANIFEST : 0);
    return buf_text(&said);
}

static void said(const char *csv, const char *what)
{
    const char *text = wrong(csv, "2027-07-01");
    if (!strstr(text, what))
        fail_msg("'%s' is not in: %s", what, text);
}

static void communes_end_and_begin(void **state)
{
    (void)state;
    assert_int_equal(ordered(merger, "2027-07-01"), 1);
    assert_int_equal(reorganisations_at(all, 0)->ends, 3);
    assert_int_equal(reorganisations_at(all, 0)->begins, 2);
    assert_string_equal(found("new:00008")->name, "Phường Ngọc Hà");
    assert_int_equal(found("new:00008")->until_day, day("2027-06-30"));
    assert_string_equal(found("new:00008@2027-07-01")->name, "Phường Hoàng Thành");
    assert_int_equal(found("new:00008@2027-07-01")->from_day, day("2027-07-01"));
    assert_int_equal(found("new:00008@2027-07-01")->until_day, 0);
    assert_string_equal(found("new:00004@2027-07-01")->name, "Phường Giảng Võ");
    assert_int_equal(found("new:00008@2027-07-01")->predecessors, 3);
    assert_int_equal(found("new:00025")->successors, 2);
    assert_string_equal(found("old:00004")->successor[0].place->unit, "new:00004"); /* as it was */
    assert_ptr_equal(gazetteer_code(gazetteer_now(), "00004"), found("new:00004@2027-07-01"));
    assert_null(gazetteer_code(gazetteer_now(), "00025"));
}

static void one_is_put_on_top_of_another(void **state)
{
    (void)state;
    ordered(merger, "2027-07-01");
    assert_int_equal(ordered(HEAD "00008,Phường Hoàng Thành,,,00008,Phường Thăng Long,whole\n", "2028-01-01"), 2);
    assert_string_equal(found("new:00008@2028-01-01")->name, "Phường Thăng Long");
    assert_int_equal(found("new:00008@2027-07-01")->until_day, day("2027-12-31"));
    assert_int_equal(found("new:00008")->until_day, day("2027-06-30"));
}

static void what_is_taken_back_has_never_been(void **state)
{
    (void)state;
    ordered(merger, "2027-07-01");
    assert_int_equal(reorganisations_undo(all, 1, 2000, &err), 0);
    assert_int_equal(found("new:00008")->until_day, 0);
    assert_int_equal(found("new:00025")->successors, 0);
    assert_null(place_find("new:00008@2027-07-01"));
    assert_int_equal(reorganisations_at(all, 0)->undone_ms, 2000);
    assert_int_equal(reorganisations_undo(all, 1, 3000, &err), E_STATE);
    assert_int_equal(reorganisations_undo(all, 2, 3000, &err), E_ABSENT);
    assert_int_equal(reorganisations_undo(all, 0, 3000, &err), E_ABSENT);
    assert_int_equal(ordered(merger, "2027-07-01"), 2); /* a number is never used again */
}

static void what_others_stand_on_is_not_taken_back(void **state)
{
    (void)state;
    ordered(merger, "2027-07-01");
    ordered(HEAD "00008,,,,00008,Phường Thăng Long,whole\n", "2028-01-01");
    ordered(HEAD "00070,Phường Hoàn Kiếm,,,00070,Phường Hồ Gươm,whole\n", "2028-01-01"); /* of other communes */
    assert_int_equal(reorganisations_undo(all, 1, 1, &err), E_STATE);
    assert_non_null(strstr(err.text, "re-organisation 2 stands on 1"));
    assert_int_equal(found("new:00008@2027-07-01")->until_day, day("2027-12-31")); /* nothing changed */
    assert_int_equal(reorganisations_undo(all, 2, 1, &err), 0);
    assert_int_equal(reorganisations_undo(all, 1, 1, &err), 0);
    assert_string_equal(found("new:00070@2028-01-01")->name, "Phường Hồ Gươm"); /* the third stays */
    assert_int_equal(found("new:00008")->until_day, 0);
}

/* 00025 is free since the first, and taken by the second: without the first two communes would have it. */
static void a_code_that_was_given_again_stands_on_who_gave_it_up(void **state)
{
    (void)state;
    ordered(merger, "2027-07-01");
    ordered(HEAD "00070,Phường Hoàn Kiếm,,,00025,Phường Hồ Gươm,whole\n", "2028-01-01");
    assert_int_equal(reorganisations_undo(all, 1, 1, &err), E_STATE);
    assert_non_null(strstr(err.text, "re-organisation 2 stands on 1"));
}

static void all_that_is_wrong_is_told_by_line(void **state)
{
    (void)state;
    said(HEAD "99999,,,,00008,A,whole\n", "2: no commune in force has the code 99999");
    said(HEAD "4,,,,00008,A,whole\n", "2: old_commune_code '4' is not five digits");
    said(HEAD "00004,Phường Trúc Bạch,,,00004,A,whole\n",
         "2: the commune in force with the code 00004 is 'Phường Ba Đình'");
    said(HEAD "00004,,,,4,A,whole\n", "2: new_commune_code '4' is not five digits");
    said(HEAD "00004,,,,00004,,whole\n", "2: new_commune_name has 1 to 127 bytes");
    said(HEAD "00004,,,,00004,\"A\nB\",whole\n", "2: new_commune_name has 1 to 127 bytes on one line");
    said(HEAD "00004,,,,00004,A,most\n", "2: coverage 'most' is whole, part,");
    said(HEAD "00004,,001,Quận Ba Đình,00004,A,whole\n", "2: communes are in no district since 2025");
    said(HEAD "00004,,,,00004,A,part\n00004,,,,00004,A,part\n", "3: new:00004 and 00004 are together in line 2, too");
    said(HEAD "00004,,,,00004,A,whole\n00008,,,,00004,B,whole\n", "3: 00004 is 'B' here and 'A' in line 2");
    said(HEAD "00004,,,,00004,A,whole\n00004,,,,00008,B,part\n00008,,,,00008,B,whole\n",
         "2: new:00004 goes over whole, and has another row, too");
    said(HEAD "00004,,,,00004,A,part\n", "2: new:00004 goes over in part: a row is missing for where the rest goes");
    said(HEAD "00004,,,,00008,A,whole\n", "2: the code 00008 is that of 'Phường Ngọc Hà', which does not end");
    said(HEAD, "0: the table has no rows");
    said("old,new\n1,2\n", "0: line 1: there is no column 'old_commune_code'");
    said(HEAD "00004,,,,00004\n", "0: line 2: 5 columns, but the first line names 7");
    said(HEAD "x,,,,00004,A,whole\n00004,,,,y,A,whole\n",
         "3: new_commune_code 'y' is not five digits"); /* the second, too */
}

static void days_go_forward(void **state)
{
    (void)state;
    assert_non_null(strstr(wrong(merger, "2025-07-01"), "0: the day is after 2025-07-01"));
    ordered(merger, "2027-07-01");
    assert_non_null(strstr(wrong(HEAD "00070,,,,00070,A,whole\n", "2027-06-30"),
                           "re-organisation 1 is of a later day, 2027-07-01"));
    assert_string_equal(wrong(HEAD "00070,,,,00070,A,whole\n", "2027-07-01"), ""); /* another of the same day */
    assert_non_null(strstr(wrong(HEAD "00008,,,,00008,A,whole\n", "2027-07-01"),
                           "(new:00008@2027-07-01) does not begin before that day"));
}

static void limits_are_named(void **state)
{
    AUTO(buf_destroy) struct buf csv = {0};
    (void)state;
    buf_puts(&csv, HEAD);
    for (int i = 0; i <= REORGANISATION_ROWS_MAX; i++)
        buf_puts(&csv, "00004,,,,00004,A,whole\n");
    said(buf_text(&csv), "REORGANISATION_ROWS_MAX");
    buf_clear(&csv);
    buf_printf(&csv, HEAD "%*s", REORGANISATION_CSV_BYTES, "");
    said(buf_text(&csv), "REORGANISATION_CSV_BYTES");
}

/* ---- belonging ---- */

static const char *belongs(const char *unit, enum place_kind kind, const char *on_day)
{
    static struct buf text;
    AUTO(belonging_destroy) struct belonging belonging = {0};
    belonging_of(found(unit), kind, day(on_day), &belonging);
    buf_clear(&text);
    buf_puts(&text, belonging.sure ? "sure" : "perhaps");
    for (size_t i = 0; i < belonging_count(&belonging); i++)
        buf_printf(&text, " %s", belonging_at(&belonging, i)->unit);
    return buf_text(&text);
}

static void whole_ones_are_sure_and_split_ones_are_not(void **state)
{
    (void)state;
    assert_string_equal(belongs("old:00004", PLACE_NEW, "2026-01-01"), "sure new:00004");
    assert_string_equal(belongs("old:00007", PLACE_NEW, "2026-01-01"), "perhaps new:00008 new:00025");
    assert_string_equal(belongs("old:00556", PLACE_NEW, "2026-01-01"), "perhaps new:00541"); /* a part of it */
    assert_string_equal(belongs("new:00004", PLACE_NEW, "2026-01-01"), "sure new:00004");
    assert_string_equal(belongs("old:00004", PLACE_DISTRICT, "2026-01-01"), "sure district:001");
    assert_string_equal(belongs("old:00004", PLACE_OLD, "2026-01-01"), "sure old:00004");
    assert_string_equal(belongs("district:001", PLACE_DISTRICT, "2026-01-01"), "sure district:001");
    assert_true(strstr(belongs("district:001", PLACE_OLD, "2026-01-01"), "perhaps old:00001 old:00004 old:00006") !=
                NULL);
    assert_true(strstr(belongs("new:00008", PLACE_OLD, "2026-01-01"), "perhaps old:00006 old:00007") != NULL);
}

/* After the merger all of Ba Đình, Ngọc Hà and perhaps Giảng Võ is in one commune. */
static void split_and_merged_again_is_sure(void **state)
{
    (void)state;
    ordered(merger, "2027-07-01");
    assert_string_equal(belongs("old:00016", PLACE_NEW, "2026-01-01"), "perhaps new:00004 new:00008");
    assert_string_equal(belongs("old:00016", PLACE_NEW, "2027-07-01"), "sure new:00008@2027-07-01");
    assert_string_equal(belongs("old:00007", PLACE_NEW, "2027-07-01"),
                        "perhaps new:00008@2027-07-01 new:00004@2027-07-01");
    assert_string_equal(belongs("new:00008@2027-07-01", PLACE_NEW, "2027-06-30"),
                        "perhaps new:00004 new:00008 new:00025");
    assert_string_equal(belongs("new:00004@2027-07-01", PLACE_NEW, "2027-06-30"), "sure new:00025");
}

static void of_one_unit_and_another(void **state)
{
    (void)state;
    ordered(merger, "2027-07-01");
    assert_int_equal(belonging_to(found("old:00004"), found("new:00004")), RELATION_SURE);
    assert_int_equal(belonging_to(found("old:00004"), found("new:00008@2027-07-01")), RELATION_SURE);
    assert_int_equal(belonging_to(found("old:00007"), found("new:00025")), RELATION_PERHAPS);
    assert_int_equal(belonging_to(found("old:00004"), found("new:00025")), RELATION_NONE);
    assert_int_equal(belonging_to(found("old:00004"), found("new:00004@2027-07-01")),
                     RELATION_NONE); /* the same code */
    assert_int_equal(belonging_to(found("new:00004"), found("district:001")), RELATION_PERHAPS);
    assert_int_equal(belonging_to(found("district:001"), found("old:00004")), RELATION_PERHAPS);
    assert_int_equal(belonging_to(found("old:00004"), found("district:001")), RELATION_SURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(communes_end_and_begin, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_is_put_on_top_of_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_taken_back_has_never_been, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_others_stand_on_is_not_taken_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_code_that_was_given_again_stands_on_who_gave_it_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_that_is_wrong_is_told_by_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(days_go_forward, set_up, tear_down),
        cmocka_unit_test_setup_teardown(limits_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whole_ones_are_sure_and_split_ones_are_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(split_and_merged_again_is_sure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_one_unit_and_another, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
