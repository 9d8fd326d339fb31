/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The boxes around the body: who issues, number, date, title; who receives, who signs. Numbers of boxes as in Appendix I
 * of Decree 30/2020/ND-CP. */
#include <stdio.h>
#include <string.h>

#include "bench/letter.h"
#include "proto/auto.h"

static const char *const nation = "<b>CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM</b>\n"
                                  "<span size=\"14pt\"><b>Độc lập - Tự do - Hạnh phúc</b></span>";
static const char *const party = "<span size=\"15pt\"><b>ĐẢNG CỘNG SẢN VIỆT NAM</b></span>";
static const char *const youth = "<span size=\"14pt\"><b>ĐOÀN TNCS HỒ CHÍ MINH</b></span>";

static char *letterhead_issuer(const struct organ *organ)
{
    AUTO(mem_destroy) char *parent = organ_capitals(organ->parent);
    AUTO(mem_destroy) char *issuer = organ_capitals(organ->issuer);
    AUTO(buf_destroy) struct buf markup = {0};
    if (*parent)
        buf_printf(&markup, "%s\n", parent);
    buf_printf(&markup, "<b>%s</b>", issuer);
    if (organ->kind == ORGAN_PARTY)
        buf_puts(&markup, "\n*");
    else if (organ->kind == ORGAN_YOUTH)
        buf_puts(&markup, "\n***");
    return strdup(buf_text(&markup));
}

/* Boxes 1 and 2. */
static void letterhead_bodies(struct letter *letter)
{
    struct block *block = letter_block(letter, BLOCK_PAIR, 0);
    block->text = letterhead_issuer(&letter->organ);
    switch (letter->organ.kind) {
    case ORGAN_PARTY: block->right = strdup(party); break;
    case ORGAN_YOUTH: block->right = strdup(youth); break;
    default: block->right = strdup(nation); block->rule_left = 0.4;
    }
    block->rule_right = 1;
}

/* Boxes 3, 4 and 5b. The Party writes no colon after "Số" and a hyphen after the number. */
static void letterhead_number(struct letter *letter)
{
    const struct letter_fields *f = &letter->fields;
    AUTO(buf_destroy) struct buf number = {0}, date = {0};
    buf_puts(&number, letter->organ.kind == ORGAN_PARTY ? "Số " : "Số: ");
    letter_by_hand(letter, &number, f->number);
    buf_printf(&number, "%s%s", letter->organ.kind == ORGAN_STATE ? "/" : "-", f->notation);
    if (!strcmp(f->type_code, "CV"))
        buf_printf(&number, "\n<span size=\"12pt\">%s</span>", f->subject);
    char day[4];
    snprintf(day, sizeof day, "%02d", f->day);
    buf_printf(&date, "<i>%s, ngày ", organ_place(&letter->organ));
    letter_by_hand(letter, &date, day);
    buf_printf(&date, f->month < 3 ? " tháng %02d năm %d</i>" : " tháng %d năm %d</i>", f->month, f->year);
    struct block *block = letter_block(letter, BLOCK_PAIR, 2.5);
    block->text = strdup(buf_text(&number));
    block->right = strdup(buf_text(&date));
}

/* Box 5a; official letters have none. */
static void letterhead_title(struct letter *letter)
{
    const struct letter_fields *f = &letter->fields;
    if (!strcmp(f->type_code, "CV"))
        return;
    AUTO(mem_destroy) char *title = organ_capitals(f->type_name);
    AUTO(buf_destroy) struct buf markup = {0};
    buf_printf(&markup, "<span size=\"15pt\"><b>%s</b></span>\n<b>%s</b>", title, f->subject);
    struct block *block = letter_block(letter, BLOCK_CENTRE, 7);
    block->text = strdup(buf_text(&markup));
    block->rule_right = letter->organ.kind == ORGAN_PARTY ? 0 : 0.35;
}

void letterhead_write(struct letter *letter)
{
    letterhead_bodies(letter);
    letterhead_number(letter);
    letterhead_title(letter);
}

/* Box 9b. */
static char *letterhead_receivers(const struct letter *letter, struct chance *chance)
{
    static const char *const others[] = {
        "- Thường trực HĐND;", "- Các phòng, ban, ngành;",  "- Các đơn vị liên quan;", "- Chánh, Phó Văn phòng;",
        "- Đài Truyền thanh;", "- Cổng thông tin điện tử;", "- Ban Chỉ đạo;",          "- Như Điều 3;",
        "- Trung tâm Y tế;"};
    const struct organ *organ = &letter->organ;
    AUTO(buf_destroy) struct buf markup = {0};
    buf_puts(&markup, organ->kind == ORGAN_PARTY ? "<span size=\"12pt\"><u>Nơi nhận:</u></span>"
                                                 : "<span size=\"12pt\"><b><i>Nơi nhận:</i></b></span>");
    buf_puts(&markup, "<span size=\"11pt\">\n- Như trên;");
    buf_printf(&markup, "\n- %s (để báo cáo);", organ->above);
    unsigned first = chance_below(chance, sizeof others / sizeof others[0]);
    for (int i = 0, n = chance_between(chance, 0, 3); i < n; i++)
        buf_printf(&markup, "\n%s", others[(first + (unsigned)i) % (sizeof others / sizeof others[0])]);
    buf_printf(&markup, "\n- Lưu: %s.</span>", organ->kind == ORGAN_STATE ? "VT" : "VP");
    return strdup(buf_text(&markup));
}

/* Box 7a: the head, a deputy in his place (KT.), or the head of the office by his order (TL.). */
static char *letterhead_authority(const struct letter *letter, struct chance *chance)
{
    const struct organ *organ = &letter->organ;
    bool is_party = organ->kind == ORGAN_PARTY;
    AUTO(mem_destroy) char *head = organ_capitals(organ->head);
    AUTO(mem_destroy) char *deputy = organ_capitals(organ->deputy);
    AUTO(buf_destroy) struct buf markup = {0};
    const bool collective = *organ->on_behalf;
    const unsigned who = chance_weighed(chance, (const unsigned[]){45, 43, 12, 0});
    buf_puts(&markup, "<b>");
    if (collective && who < 2)
        buf_printf(&markup, "%s\n", organ->on_behalf);
    if (who == 0)
        buf_puts(&markup, head);
    else if (who == 2)
        buf_printf(&markup, "%s %s\nCHÁNH VĂN PHÒNG", is_party ? "T/L" : "TL.", head);
    else if (collective && organ->kind != ORGAN_STATE)
        buf_puts(&markup, deputy);
    else
        buf_printf(&markup, "%s %s\n%s", is_party ? "K/T" : "KT.", head, deputy);
    buf_puts(&markup, "</b>");
    return strdup(buf_text(&markup));
}

static char *letterhead_name(const char *name)
{
    AUTO(buf_destroy) struct buf markup = {0};
    buf_printf(&markup, "<b>%s</b>", name);
    return strdup(buf_text(&markup));
}

/* Minutes are signed by who kept them and who presided. */
static void letterhead_close_minutes(const struct letter *letter, struct chance *chance, struct block *block)
{
    char keeper[ORGAN_TEXT_BYTES];
    place_person(chance, keeper, sizeof keeper);
    block->text = strdup("<b>THƯ KÝ</b>\n<i>(Ký, ghi rõ họ tên)</i>");
    block->right = strdup("<b>CHỦ TRÌ</b>\n<i>(Ký, ghi rõ họ tên)</i>");
    block->name_left = letterhead_name(keeper);
    block->name_right = letterhead_name(letter->fields.signer);
}

void letterhead_close(struct letter *letter, struct chance *chance)
{
    struct block *block = letter_block(letter, BLOCK_CLOSING, 5);
    if (!strcmp(letter->fields.type_code, "BB")) {
        letterhead_close_minutes(letter, chance, block);
        return;
    }
    block->text = letterhead_receivers(letter, chance);
    block->right = letterhead_authority(letter, chance);
    block->name_right = letterhead_name(letter->fields.signer);
}
