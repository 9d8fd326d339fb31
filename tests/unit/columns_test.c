/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Columns: a head's two boxes come one after the other, and nothing else is torn apart. */
#include "worker/columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the first three */
#include <cmocka.h>

#include "proto/auto.h"
#include "worker/alto.h"

enum { LETTER_PX = 20, LINE_PX = 40 };

/* A line of words; each '|' leaves a gap of two heights, '.' before the first word one of ten letters. */
static Sohoa__Line *add_line(Sohoa__Block *block, int32_t y, const char *text)
{
    char copy[200];
    int32_t x = 100;
    Sohoa__Line *line = block_add_line(block);
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        if (!strcmp(word, ".") || !strcmp(word, "|")) {
            x += *word == '.' ? 10 * LETTER_PX : 2 * LINE_PX;
            continue;
        }
        Sohoa__Word *to = line_add_word(line, word);
        to->x = x;
        to->y = y;
        to->w = (uint32_t)strlen(word) * LETTER_PX;
        to->h = LINE_PX;
        x += (int32_t)to->w + LETTER_PX / 2;
    }
    line->x0 = 100;
    line->x1 = x;
    line->y0 = line->y1 = y + LINE_PX - 10;
    line->ascent_px = LINE_PX - 10;
    line->descent_px = 10;
    return line;
}

static void expect_text(Sohoa__Page *page, const char *expected)
{
    AUTO(buf_destroy) struct buf text = {0};
    columns_split(page);
    text_write(&page, 1, &text);
    assert_string_equal(buf_text(&text), expected);
}

static void a_head_becomes_two_blocks(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    Sohoa__Block *block = page_add_block(page);
    add_line(block, 100, "PEOPLES COMMITTEE | | SOCIALIST REPUBLIC");
    block = page_add_block(page);
    add_line(block, 160, "DISTRICT ONE | | | | Freedom Happiness");
    add_line(block, 260, "No: 25 | | | | | | | | Hanoi 2019");
    add_line(block, 300, "re: schools");
    add_line(block, 500, ". . DIRECTIVE");
    add_line(block, 560, "The people of the district are asked to read this line");
    expect_text(page, "PEOPLES COMMITTEE\nDISTRICT ONE\nNo: 25\nre: schools\n\n"
                      "SOCIALIST REPUBLIC\nFreedom Happiness\nHanoi 2019\n\n"
                      "DIRECTIVE\nThe people of the district are asked to read this line\n");
}

static void split_lines_keep_bounds_and_baseline(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    Sohoa__Block *block = page_add_block(page);
    add_line(block, 100, "aaaaa | bbbbb")->y1 += 10;
    add_line(block, 150, "ccccc | ddddd");
    columns_split(page);
    assert_int_equal(page->n_blocks, 2);
    const Sohoa__Line *left = page->blocks[0]->lines[0], *right = page->blocks[1]->lines[0];
    assert_int_equal(left->x, 100);
    assert_int_equal(left->w, 100);
    assert_true(right->x > left->x1 && right->x >= right->x0);
    assert_int_equal(left->y0, 130);
    assert_int_equal(right->y1, 140);
    assert_in_range(left->y1, 131, right->y0);
    assert_int_equal(right->ascent_px, LINE_PX - 10);
    assert_int_equal(page->blocks[1]->x, right->x);
}

static void recipients_come_before_the_signature(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    Sohoa__Block *block = page_add_block(page);
    add_line(block, 100, "the last line of the body runs over the whole page");
    block = page_add_block(page);
    add_line(block, 200, "Recipients: | | | | ON BEHALF");
    add_line(block, 240, "- as above; | | | | CHAIRMAN");
    add_line(block, 280, "- files.");
    add_line(block, 500, ". . . . Nguyen Van A");
    expect_text(page, "the last line of the body runs over the whole page\n\n"
                      "Recipients:\n- as above;\n- files.\n\nON BEHALF\nCHAIRMAN\n\nNguyen Van A\n");
}

static void body_text_is_left_alone(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    Sohoa__Block *block = page_add_block(page);
    add_line(block, 100, "one wide | gap alone is no column");
    add_line(block, 150, "when the next line runs across it without");
    add_line(block, 200, "and this one has its | gap somewhere");
    block = page_add_block(page);
    add_line(block, 400, "another block");
    expect_text(page, "one wide gap alone is no column\nwhen the next line runs across it without\n"
                      "and this one has its gap somewhere\n\nanother block\n");
}

static void lines_far_apart_are_no_column(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    Sohoa__Block *block = page_add_block(page);
    add_line(block, 100, "aaaaa | bbbbb");
    add_line(block, 600, "ccccc | ddddd");
    expect_text(page, "aaaaa bbbbb\nccccc ddddd\n");
}

static void an_empty_page_stays_empty(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    expect_text(page, "");
    assert_int_equal(page->n_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_becomes_two_blocks),
        cmocka_unit_test(split_lines_keep_bounds_and_baseline),
        cmocka_unit_test(recipients_come_before_the_signature),
        cmocka_unit_test(body_text_is_left_alone),
        cmocka_unit_test(lines_far_apart_are_no_column),
        cmocka_unit_test(an_empty_page_stays_empty),
    };
    return cmocka_run_group_tests_name("columns", tests, NULL, NULL);
}
