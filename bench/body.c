/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The body of each type of document: its usual skeleton, filled with phrases until it has about as many paragraphs as
 * asked for. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "bench/letter.h"
#include "bench/phrase.h"
#include "proto/auto.h"

enum { LIST_MAX = 64 };

static const double paragraph_space_mm = 1.6;

struct body {
    struct letter *letter;
    struct chance *chance;
    const struct phrase_context *context;
    unsigned paragraphs; /* to come */
};

/* Adds one paragraph: lead-in (markup, may be ""), then pattern. */
static void body_add(struct body *body, const char *lead, const char *pattern)
{
    AUTO(buf_destroy) struct buf markup = {0};
    buf_puts(&markup, lead);
    phrase_write(&markup, body->chance, body->context, pattern);
    letter_block(body->letter, BLOCK_BODY, paragraph_space_mm)->text = strdup(buf_text(&markup));
    if (body->paragraphs > 0)
        body->paragraphs--;
}

static void body_centre(struct body *body, const char *pattern)
{
    AUTO(buf_destroy) struct buf markup = {0};
    buf_puts(&markup, "<b>");
    phrase_write(&markup, body->chance, body->context, pattern);
    buf_puts(&markup, "</b>");
    letter_block(body->letter, BLOCK_CENTRE, 4)->text = strdup(buf_text(&markup));
}

static void body_heading(struct body *body, const char *text)
{
    AUTO(buf_destroy) struct buf markup = {0};
    buf_printf(&markup, "<b>%s</b>", text);
    body_add(body, buf_text(&markup), "");
}

enum body_style { STYLE_DASH, STYLE_NUMBER, STYLE_LETTER };

static void body_mark(char *lead, size_t bytes, enum body_style style, unsigned index)
{
    static const char *const letters[] = {"a", "b", "c", "d", "đ", "e", "g", "h", "i", "k", "l", "m"};
    switch (style) {
    case STYLE_DASH: snprintf(lead, bytes, "- "); break;
    case STYLE_NUMBER: snprintf(lead, bytes, "%u. ", index + 1); break;
    case STYLE_LETTER: snprintf(lead, bytes, "%s) ", letters[index % (sizeof letters / sizeof letters[0])]); break;
    }
}

static void body_shuffle(struct chance *chance, uint32_t *order, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t k = chance_below(chance, i + 1);
        order[i] = order[k];
        order[k] = i;
    }
}

/* Adds count paragraphs from the list named; none of its patterns comes again before all have been there. */
static void body_items(struct body *body, enum body_style style, const char *list, unsigned count)
{
    uint32_t order[LIST_MAX], there;
    char lead[16];
    const char *const *items = phrase_items(list, &there);
    assert(there <= LIST_MAX);
    for (unsigned i = 0; i < count; i++) {
        if (i % there == 0)
            body_shuffle(body->chance, order, there);
        body_mark(lead, sizeof lead, style, i);
        body_add(body, lead, items[order[i % there]]);
    }
}

static unsigned body_share(const struct body *body, double part)
{
    unsigned share = (unsigned)(body->paragraphs * part + 0.5);
    return share > 0 ? share : 1;
}

/* "Kính gửi: ..." */
static void body_address(struct body *body, bool upwards)
{
    AUTO(buf_destroy) struct buf markup = {0};
    buf_puts(&markup, "Kính gửi: ");
    if (upwards)
        phrase_write(&markup, body->chance, body->context, "{above}");
    else if (chance_percent(body->chance, 50))
        phrase_write(&markup, body->chance, body->context, "{department}");
    else
        phrase_write(&markup, body->chance, body->context, "\n- {department};\n- {department};\n- {^partner}.");
    letter_block(body->letter, BLOCK_ADDRESS, 6)->text = strdup(buf_text(&markup));
}

static const char *body_basis_list(const struct body *body)
{
    switch (body->letter->organ.kind) {
    case ORGAN_PARTY: return "party_basis";
    case ORGAN_YOUTH: return "youth_basis";
    default: return "basis";
    }
}

/* The legal bases, in italics. */
static void body_bases(struct body *body, unsigned count)
{
    if (body->letter->organ.kind == ORGAN_STATE)
        body_add(body, "<i>", "Căn cứ {law};</i>");
    uint32_t order[LIST_MAX], there;
    const char *const *items = phrase_items(body_basis_list(body), &there);
    assert(there <= LIST_MAX && count <= there);
    body_shuffle(body->chance, order, there);
    for (unsigned i = 0; i < count; i++) {
        AUTO(buf_destroy) struct buf pattern = {0};
        buf_printf(&pattern, "%s</i>", items[order[i]]);
        body_add(body, "<i>", buf_text(&pattern));
    }
    body_add(body, "<i>", "Xét đề nghị của {lead} tại Tờ trình số {10-390}/TTr ngày {day} về {topic},</i>");
}

/* "Điều 1." ... until paragraphs are used up, the last one says who carries it out. */
static void body_articles(struct body *body, const char *carried_out)
{
    char lead[64];
    unsigned n = 1;
    do {
        snprintf(lead, sizeof lead, "<b>Điều %u.</b> ", n++);
        body_add(body, lead, "{article}");
        if (body->paragraphs > 1)
            body_items(body, n % 2 ? STYLE_NUMBER : STYLE_LETTER, "clause",
                       (unsigned)chance_between(body->chance, 1, body->paragraphs > 5 ? 5 : (int)body->paragraphs));
    } while (body->paragraphs > 1);
    snprintf(lead, sizeof lead, "<b>Điều %u.</b> ", n);
    body_add(body, lead, carried_out);
}

static const char *body_opening(const struct body *body)
{
    switch (body->letter->organ.kind) {
    case ORGAN_PARTY: return "{party_opening}";
    case ORGAN_YOUTH: return "{youth_opening}";
    default: return "{opening}";
    }
}

static void body_decision(struct body *body)
{
    AUTO(mem_destroy) char *issuer = organ_capitals(body->letter->organ.name);
    body_centre(body, issuer);
    body_bases(body, body->paragraphs > 6 ? (unsigned)chance_between(body->chance, 2, 4) : 1);
    body_centre(body, "QUYẾT ĐỊNH:");
    body_articles(body,
                  "Quyết định này có hiệu lực kể từ ngày ký. Chánh Văn phòng, {lead}, {partner} và các tổ chức, cá "
                  "nhân có liên quan chịu trách nhiệm thi hành Quyết định này./.");
}

static void body_resolution(struct body *body)
{
    if (body->letter->organ.kind == ORGAN_PARTY) {
        body_add(body, "", body_opening(body));
        body_items(body, STYLE_NUMBER, "resolve", body_share(body, 0.9));
        body_add(body, "", "Nghị quyết này được phổ biến đến chi bộ để quán triệt, thực hiện./.");
        return;
    }
    AUTO(mem_destroy) char *issuer = organ_capitals(body->letter->organ.name);
    body_centre(body, issuer);
    body_bases(body, body->paragraphs > 6 ? (unsigned)chance_between(body->chance, 2, 4) : 1);
    body_centre(body, "QUYẾT NGHỊ:");
    body_articles(body,
                  "Nghị quyết này đã được {organ} thông qua tại kỳ họp thứ {2-19} ngày {day} và có hiệu lực kể từ "
                  "ngày thông qua./.");
}

static void body_directive(struct body *body)
{
    body_add(body, "", body_opening(body));
    body_items(body, STYLE_NUMBER, "assignment", body_share(body, 0.9));
    body_add(body, "", "Yêu cầu Thủ trưởng các cơ quan, đơn vị nghiêm túc triển khai thực hiện Chỉ thị này./.");
}

static const char *body_task_list(const struct body *body)
{
    switch (body->letter->organ.kind) {
    case ORGAN_PARTY: return "resolve";
    case ORGAN_YOUTH: return "youth_task";
    default: return "assignment";
    }
}

static void body_plan(struct body *body)
{
    unsigned all = body->paragraphs;
    body_add(body, "", body_opening(body));
    if (all < 6) {
        body_items(body, STYLE_NUMBER, body_task_list(body), all - 1);
        return;
    }
    body_heading(body, "I. MỤC ĐÍCH, YÊU CẦU");
    body_items(body, STYLE_NUMBER, "aim", body_share(body, 0.2));
    body_heading(body, "II. CHỈ TIÊU");
    body_items(body, STYLE_DASH, "figure", body_share(body, 0.2));
    body_heading(body, "III. NHIỆM VỤ, GIẢI PHÁP");
    body_items(body, STYLE_NUMBER, body_task_list(body), body_share(body, 0.6));
    body_heading(body, "IV. TỔ CHỨC THỰC HIỆN");
    body_items(body, STYLE_NUMBER, "assignment", body_share(body, 0.8));
    body_add(
        body, "",
        "Trên đây là Kế hoạch thực hiện {topic} năm {year} của {organ}; yêu cầu các đơn vị nghiêm túc thực hiện./.");
}

static void body_report(struct body *body)
{
    unsigned all = body->paragraphs;
    body_add(body, "", body_opening(body));
    if (all < 7) {
        body_items(body, STYLE_NUMBER, "finding", all - 1);
        return;
    }
    body_heading(body, "I. KẾT QUẢ THỰC HIỆN");
    body_items(body, STYLE_NUMBER, "finding", body_share(body, 0.45));
    body_heading(body, "II. TỒN TẠI, HẠN CHẾ VÀ NGUYÊN NHÂN");
    body_items(body, STYLE_DASH, "shortcoming", body_share(body, 0.3));
    body_items(body, STYLE_DASH, "cause", body_share(body, 0.2));
    body_heading(body, "III. PHƯƠNG HƯỚNG, NHIỆM VỤ NĂM TỚI");
    body_items(body, STYLE_NUMBER, body_task_list(body), body_share(body, 0.8));
    body_add(body, "", "Trên đây là báo cáo kết quả thực hiện {topic} năm {year}, {organ} trân trọng báo cáo./.");
}

static void body_submission(struct body *body)
{
    body_address(body, true);
    body_add(body, "", body_opening(body));
    body_items(body, STYLE_NUMBER, "finding", body_share(body, 0.5));
    body_items(body, STYLE_DASH, "clause", body_share(body, 0.8));
    body_add(body, "", "{^organ} kính trình {above} xem xét, quyết định./.");
}

static void body_official_letter(struct body *body)
{
    body_address(body, chance_percent(body->chance, 40));
    body_add(body, "", body_opening(body));
    body_items(body, STYLE_NUMBER, body_task_list(body), body_share(body, 0.9));
    body_add(body, "", "{^organ} đề nghị các cơ quan, đơn vị quan tâm, phối hợp thực hiện./.");
}

static void body_notice(struct body *body)
{
    body_add(
        body, "",
        "Ngày {day}, đồng chí {person}, {head}, chủ trì cuộc họp về {topic}. Tham dự có đại diện {department} và {partner}. Sau khi nghe báo cáo và ý kiến của các đại biểu, đồng chí {head} kết luận:");
    body_items(body, STYLE_NUMBER, body_task_list(body), body_share(body, 0.9));
    body_add(body, "", "{^organ} thông báo để các đơn vị biết, thực hiện./.");
}

static void body_conclusion(struct body *body)
{
    body_add(
        body, "",
        "Tại hội nghị ngày {day}, sau khi nghe {lead} báo cáo về {topic}, {organ} thảo luận, thống nhất kết luận như sau:");
    body_items(body, STYLE_NUMBER, "finding", body_share(body, 0.4));
    body_items(body, STYLE_DASH, "resolve", body_share(body, 0.9));
    body_add(body, "", "Giao {lead} theo dõi, đôn đốc việc thực hiện Kết luận này và báo cáo {organ}.");
}

static void body_minutes(struct body *body)
{
    body_add(body, "",
             "Hôm nay, vào hồi {8-10} giờ {10-55} phút, ngày {day}, tại trụ sở {organ}, tiến hành họp về {topic}.");
    body_heading(body, "I. THÀNH PHẦN THAM DỰ");
    body_items(body, STYLE_DASH, "attendant", body_share(body, 0.25));
    body_heading(body, "II. NỘI DUNG");
    body_items(body, STYLE_NUMBER, "hearing", body_share(body, 0.9));
    body_add(
        body, "",
        "Cuộc họp kết thúc vào hồi {11-16} giờ {10-55} phút cùng ngày. Biên bản đã được đọc lại cho mọi người cùng nghe và nhất trí thông qua./.");
}

static const struct {
    const char *type;
    void (*write)(struct body *body);
} body_rule[] = {
    {"NQ",  body_resolution     },
    {"QĐ", body_decision       },
    {"CT",  body_directive      },
    {"KH",  body_plan           },
    {"BC",  body_report         },
    {"TTr", body_submission     },
    {"CV",  body_official_letter},
    {"TB",  body_notice         },
    {"KL",  body_conclusion     },
    {"BB",  body_minutes        },
};

void body_write(struct letter *letter, struct chance *chance, const struct phrase_context *context, unsigned paragraphs)
{
    struct body body = {letter, chance, context, paragraphs < 3 ? 3 : paragraphs};
    for (size_t i = 0; i < sizeof body_rule / sizeof body_rule[0]; i++)
        if (!strcmp(body_rule[i].type, letter->fields.type_code)) {
            body_rule[i].write(&body);
            return;
        }
    assert(!"a type without a body");
}
