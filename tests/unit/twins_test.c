/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The rule over sketches, and groups as documents come, change and go. */
#include "coordinator/twins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "proto/grades.h"

static struct twins *twins;

static int start(void **state)
{
    (void)state;
    twins = twins_new(1000);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    twins_destroy(&twins);
    return 0;
}

/* Of a text of its own by seed: 20 marks, one picture. */
static struct sketch text_of(uint32_t seed)
{
    struct sketch sketch = {.pages = 1, .shingles = 200, .marks = 20, .pictures = 1, .dpi = 300, .bits = 8};
    uint32_t state = seed * 2654435761u + 1;
    for (unsigned i = 0; i < SKETCH_TEXT; i++)
        sketch.text[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
    for (unsigned i = 0; i < 20; i++) {
        sketch.context[i] = (uint16_t)(i * 3000 + seed % 977);
        sketch.value[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
    }
    for (int i = 0; i < 2; i++)
        sketch.picture[0] = sketch.picture[0] << 32 | (state = state * 1664525 + 1013904223);
    return sketch;
}

/* As it would be read again: some samples and marks are others or not there, none contradicts. */
static struct sketch again(struct sketch sketch)
{
    for (unsigned i = 0; i < 8; i++)
        sketch.text[5 * i % SKETCH_TEXT]++;
    sketch.marks -= 2;
    sketch.picture[0] ^= 0x0101;
    return sketch;
}

static void came_as(uint32_t doc, const struct sketch *sketch, uint32_t source, Sohoa__DocState as, uint32_t dead,
                    uint8_t grade)
{
    Sohoa__DocOutcome outcome = SOHOA__DOC_OUTCOME__INIT;
    AUTO(buf_destroy) struct buf packed = {0};
    uint8_t sha256[SHA256_BYTES] = {1}, grades[1] = {grade};
    memcpy(sha256 + 1, &source, sizeof source);
    if (sketch)
        sketch_pack(sketch, &packed);
    outcome.state = as;
    outcome.pages = 1;
    outcome.pages_dead = dead;
    outcome.sha256 = (ProtobufCBinaryData){sizeof sha256, sha256};
    outcome.grades = (ProtobufCBinaryData){1, grades};
    outcome.sketch = (ProtobufCBinaryData){packed.size, packed.data};
    twins_add(twins, (struct doc_ref){doc / 100, doc % 100}, &outcome);
    assert_false(twins_compare(twins, 2));
}

static void came(uint32_t doc, struct sketch sketch)
{
    came_as(doc, &sketch, doc, SOHOA__DOC_STATE__DOC_STORED, 0, SOHOA__GRADE__GRADE_A);
}

static uint32_t group_of(uint32_t doc)
{
    return twins_group(twins, (struct doc_ref){doc / 100, doc % 100});
}

static uint32_t groups(void)
{
    struct twins_counts counts;
    uint32_t count = 0;
    for (uint32_t at = twins_next(twins, 0); at != NONE; at = twins_next(twins, at + 1))
        count++;
    twins_count(twins, &counts);
    assert_int_equal(counts.groups, count);
    return count;
}

static size_t members(uint32_t doc, struct twin member[TWINS_GROUP_MOST])
{
    assert_int_not_equal(group_of(doc), NONE);
    return twins_members(twins, group_of(doc), member);
}

static uint32_t number(const struct twin *twin)
{
    return twin->ref.batch * 100 + twin->ref.doc;
}

static void what_is_alike_is_a_group(void **state)
{
    (void)state;
    struct twin member[TWINS_GROUP_MOST];
    for (uint32_t i = 0; i < 50; i++)
        came(i, text_of(i));
    assert_int_equal(groups(), 0);
    came(150, again(text_of(7)));
    came(151, again(text_of(30)));
    assert_int_equal(groups(), 2);
    assert_int_equal(group_of(7), group_of(150));
    assert_int_equal(group_of(8), NONE);
    assert_int_equal(group_of(999), NONE);
    assert_int_equal(members(150, member), 2);
    assert_int_equal(number(&member[0]), 7);
    assert_int_equal(member[1].alike.kind, ALIKE_SCAN);
    assert_in_range(member[1].alike.similarity_cpct, 7500, 8500);
}

static void sketch_came(uint32_t doc, struct sketch sketch)
{
    AUTO(buf_destroy) struct buf packed = {0};
    sketch_pack(&sketch, &packed);
    twins_sketch(twins, (struct doc_ref){doc / 100, doc % 100}, &(ProtobufCBinaryData){packed.size, packed.data});
}

/* As at a start: the ledger's outcomes first, before anything is compared. What is gone meanwhile gets none. */
static void sketches_may_come_later(void **state)
{
    (void)state;
    for (uint32_t doc = 1; doc <= 4; doc++) {
        Sohoa__DocOutcome outcome = SOHOA__DOC_OUTCOME__INIT;
        uint8_t sha256[SHA256_BYTES] = {(uint8_t)doc};
        outcome.state = SOHOA__DOC_STATE__DOC_STORED;
        outcome.pages = 1;
        outcome.sha256 = (ProtobufCBinaryData){sizeof sha256, sha256};
        twins_add(twins, (struct doc_ref){0, doc}, &outcome);
        outcome.state = SOHOA__DOC_STATE__DOC_QUARANTINED;
        if (doc == 4)
            twins_add(twins, (struct doc_ref){0, doc}, &outcome);
    }
    sketch_came(1, text_of(1));
    sketch_came(2, again(text_of(1)));
    sketch_came(2, text_of(9)); /* it has one */
    sketch_came(3, text_of(3));
    sketch_came(4, text_of(1));
    sketch_came(5, text_of(1)); /* nobody knows it */
    assert_false(twins_compare(twins, 10));
    assert_int_equal(groups(), 1);
    assert_int_equal(group_of(1), group_of(2));
    assert_int_equal(group_of(3), NONE);
    assert_int_equal(group_of(4), NONE);
}

static void the_same_bytes_need_no_sketch(void **state)
{
    (void)state;
    struct twin member[TWINS_GROUP_MOST];
    struct sketch sketch = text_of(1);
    came_as(1, NULL, 9, SOHOA__DOC_STATE__DOC_DUPLICATE, 0, 0);
    came_as(2, &sketch, 9, SOHOA__DOC_STATE__DOC_STORED, 0, SOHOA__GRADE__GRADE_C);
    assert_int_equal(members(1, member), 2);
    assert_int_equal(number(&member[0]), 2); /* which has the result */
    assert_int_equal(member[1].alike.kind, ALIKE_BYTES);
    assert_int_equal(member[1].alike.similarity_cpct, 10000);
    came(3, again(text_of(1)));
    assert_int_equal(members(3, member), 3);
    assert_int_equal(number(&member[0]), 3); /* of a better grade */
    assert_int_equal(member[1].alike.kind, ALIKE_NOT);
    assert_int_equal(member[2].alike.kind, ALIKE_SCAN);
}

static void the_master_is_the_best(void **state)
{
    (void)state;
    struct twin member[TWINS_GROUP_MOST];
    struct sketch fine = text_of(1), coarse = text_of(1), wrong = text_of(1);
    coarse.dpi = 200;
    wrong.error_cpct = 10;
    came_as(1, &fine, 1, SOHOA__DOC_STATE__DOC_DEAD, 1, SOHOA__GRADE__GRADE_A);
    came_as(2, &fine, 2, SOHOA__DOC_STATE__DOC_STORED, 0, SOHOA__GRADE__GRADE_C);
    assert_int_equal(members(1, member), 2);
    assert_int_equal(number(&member[0]), 2);
    came_as(3, &coarse, 3, SOHOA__DOC_STATE__DOC_STORED, 0, SOHOA__GRADE__GRADE_B);
    members(1, member);
    assert_int_equal(number(&member[0]), 3);
    came_as(4, &wrong, 4, SOHOA__DOC_STATE__DOC_STORED, 0, SOHOA__GRADE__GRADE_B);
    members(1, member);
    assert_int_equal(number(&member[0]), 4);
    came_as(5, &fine, 5, SOHOA__DOC_STATE__DOC_STORED, 0, SOHOA__GRADE__GRADE_B);
    came_as(6, &fine, 6, SOHOA__DOC_STATE__DOC_STORED, 0, SOHOA__GRADE__GRADE_B);
    assert_int_equal(members(1, member), 6);
    assert_int_equal(number(&member[0]), 5); /* the earlier of two that are as good */
}

static void a_mark_that_contradicts_keeps_apart(void **state)
{
    (void)state;
    struct sketch one = text_of(1), other = text_of(1), poor = text_of(1);
    other.value[3]++;
    poor.context[3] -= 50; /* that mark was not read: it would be like both */
    came(1, one);
    came(2, other);
    assert_int_equal(groups(), 0);
    came(3, poor);
    assert_int_equal(groups(), 1);
    assert_true(group_of(1) == NONE || group_of(2) == NONE);
}

static void keys_decide(void **state)
{
    (void)state;
    struct sketch one = text_of(1), two = again(text_of(1)), misread = text_of(1);
    one.key = 11;
    two.key = misread.key = 12;
    assert_int_equal(alike_of(&one, &two).kind, ALIKE_NOT);      /* another number, and a text that is much alike */
    assert_int_equal(alike_of(&one, &misread).kind, ALIKE_SCAN); /* all is the same: a digit was misread */
    misread.picture[0] ^= 0xffff;
    assert_int_equal(alike_of(&one, &misread).kind, ALIKE_NOT);
    misread = one;
    misread.key = 12;
    misread.value[0]++;
    assert_int_equal(alike_of(&one, &misread).kind, ALIKE_NOT);
    two.key = 11;
    two.value[0]++;
    assert_int_equal(alike_of(&one, &two).kind, ALIKE_SCAN); /* the same number: a mark was misread */
    two.value[1]++;
    assert_int_equal(alike_of(&one, &two).kind, ALIKE_NOT);
    two.key = 0;
    assert_int_equal(alike_of(&one, &two).kind, ALIKE_NOT);
}

/* A third document that has no key is like both of two that have different ones: the second stays out. */
static void no_group_has_two_keys(void **state)
{
    (void)state;
    struct sketch one = text_of(1), none = again(text_of(1)), two = again(again(text_of(1)));
    one.key = 11;
    two.key = 12;
    came(1, one);
    came(2, none);
    came(3, two);
    assert_int_equal(group_of(1), group_of(2));
    assert_int_equal(group_of(3), NONE);
}

static void without_words_pictures_tell(void **state)
{
    (void)state;
    struct sketch one = {.pages = 1, .pictures = 1, .picture = {0x123456789abcdef0}}, two = one, other = one;
    two.picture[0] ^= 0x8000000000000003;
    other.picture[0] ^= 0x0f0f0;
    came(1, one);
    came(2, two);
    came(3, other);
    assert_int_equal(groups(), 1);
    assert_int_equal(group_of(1), group_of(2));
    two.pages = other.pages = 3; /* of which one is known */
    other.picture[0] = two.picture[0];
    assert_int_equal(alike_of(&two, &other).kind, ALIKE_NOT);
}

static void what_is_gone_is_in_no_group(void **state)
{
    (void)state;
    struct twins_counts counts;
    came(1, text_of(1));
    came(2, again(text_of(1)));
    came(3, again(again(text_of(1))));
    came_as(2, NULL, 2, SOHOA__DOC_STATE__DOC_QUARANTINED, 0, 0);
    assert_int_equal(group_of(2), NONE);
    assert_int_not_equal(group_of(1), NONE);
    assert_int_equal(group_of(1), group_of(3));
    came_as(1, NULL, 1, SOHOA__DOC_STATE__DOC_WITHDRAWN, 0, 0);
    assert_int_equal(groups(), 0);
    twins_count(twins, &counts);
    assert_int_equal(counts.documents, 1);
    came(2, again(text_of(1))); /* released and read again */
    assert_int_equal(groups(), 1);
    assert_int_equal(group_of(2), group_of(3));
}

static void another_result_takes_the_place(void **state)
{
    (void)state;
    came(1, text_of(1));
    came(2, text_of(2));
    came(3, text_of(2));
    assert_int_equal(group_of(2), group_of(3));
    came(3, again(text_of(1)));
    assert_int_equal(group_of(1), group_of(3));
    assert_int_equal(group_of(2), NONE);
    came(3, again(text_of(1)));
    assert_int_equal(groups(), 1);
}

static void what_is_too_many_is_told(void **state)
{
    (void)state;
    struct twins_counts counts;
    struct twins *few = twins_new(2), *all = twins;
    twins = few;
    came(1, text_of(1));
    came(2, text_of(2));
    came(3, text_of(1));
    assert_int_equal(groups(), 0);
    twins_count(few, &counts);
    assert_int_equal(counts.documents, 2);
    assert_int_equal(counts.left_out, 1);
    came(2, text_of(1)); /* one that has its place keeps it */
    assert_int_equal(groups(), 1);
    twins = all;
    twins_destroy(&few);
}

static void a_group_has_an_end(void **state)
{
    (void)state;
    struct twin member[TWINS_GROUP_MOST];
    struct twins_counts counts;
    for (uint32_t i = 0; i < TWINS_GROUP_MOST + 3; i++)
        came(i, text_of(1));
    twins_count(twins, &counts);
    assert_true(counts.full_groups > 0);
    assert_int_equal(members(0, member), TWINS_GROUP_MOST);
    assert_int_equal(counts.documents, TWINS_GROUP_MOST + 3);
}

static void the_index_grows(void **state)
{
    (void)state;
    struct twins *many = twins_new(TWINS_MOST), *all = twins;
    twins = many;
    for (uint32_t i = 0; i < 30000; i++)
        came(i, text_of(i));
    assert_int_equal(groups(), 0);
    for (uint32_t i = 0; i < 30000; i += 1000) {
        came(40000 + i, again(text_of(i)));
        assert_int_equal(group_of(i), group_of(40000 + i));
    }
    assert_int_equal(groups(), 30);
    twins = all;
    twins_destroy(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_alike_is_a_group, start, stop),
        cmocka_unit_test_setup_teardown(sketches_may_come_later, start, stop),
        cmocka_unit_test_setup_teardown(the_same_bytes_need_no_sketch, start, stop),
        cmocka_unit_test_setup_teardown(the_master_is_the_best, start, stop),
        cmocka_unit_test_setup_teardown(a_mark_that_contradicts_keeps_apart, start, stop),
        cmocka_unit_test_setup_teardown(keys_decide, start, stop),
        cmocka_unit_test_setup_teardown(no_group_has_two_keys, start, stop),
        cmocka_unit_test_setup_teardown(without_words_pictures_tell, start, stop),
        cmocka_unit_test_setup_teardown(what_is_gone_is_in_no_group, start, stop),
        cmocka_unit_test_setup_teardown(another_result_takes_the_place, start, stop),
        cmocka_unit_test_setup_teardown(what_is_too_many_is_told, start, stop),
        cmocka_unit_test_setup_teardown(a_group_has_an_end, start, stop),
        cmocka_unit_test_setup_teardown(the_index_grows, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
