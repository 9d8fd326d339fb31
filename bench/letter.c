/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Makes up a document: draws type, number, date and subject, then has head, body and closing written. */
#include "bench/letter.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/phrase.h"
#include "proto/auto.h"

enum { NUMBER_FEW = 45, NUMBER_HALF = 199, NUMBER_MOST = 2400, WORD_BYTES = 160 };

struct letter_type {
    const char *code, *name;
    const char *subject; /* pattern, by kind of body: state, then party and youth */
    const char *party_subject;
    const char *intent; /* verb phrase for openings */
};

static const struct letter_type letter_types[] = {
    {"NQ",  "Nghị quyết",  "Về {topic} năm {year}",                                                                         "Về tăng cường sự lãnh đạo của Đảng đối với {topic}", "quyết nghị"                     },
    {"QĐ", "Quyết định", "Về việc phê duyệt Kế hoạch thực hiện {topic} trên địa bàn {area} năm {year}",
     "Về việc thành lập Tổ công tác kiểm tra {topic} năm {year}",                                                                                                                                "quyết định"                    },
    {"CT",  "Chỉ thị",     "Về việc tăng cường {topic} trên địa bàn {area}",                                      "Về tăng cường {topic}",                                              "chỉ thị"                        },
    {"KH",  "Kế hoạch",    "Thực hiện {topic} trên địa bàn {area} năm {year}",                                       "Thực hiện {topic} năm {year}",
     "xây dựng kế hoạch thực hiện"                                                                                                                                                                                                       },
    {"BC",  "Báo cáo",       "Kết quả thực hiện {topic} năm {year} và phương hướng, nhiệm vụ năm {next}",
     "Kết quả thực hiện {topic} năm {year}",                                                                                                                                                          "báo cáo kết quả thực hiện"},
    {"TTr", "Tờ trình",     "Về việc đề nghị bổ sung kinh phí thực hiện {topic} năm {year}",
     "Về việc đề nghị cho ý kiến về {topic}",                                                                                                                                                    "kính trình {above} xem xét"      },
    {"CV",  "Công văn",      "V/v thực hiện {topic} năm {year}",                                                            "V/v báo cáo kết quả thực hiện {topic}",
     "đề nghị các đơn vị thực hiện"                                                                                                                                                                                                   },
    {"TB",  "Thông báo",     "Kết luận của đồng chí {head} tại cuộc họp về {topic}",
     "Về việc phân công nhiệm vụ thực hiện {topic}",                                                                                                                                             "thông báo"                        },
    {"BB",  "Biên bản",     "Họp triển khai {topic} năm {year}",                                                           "Họp triển khai {topic}",                                               "lập biên bản"                  },
    {"KL",  "Kết luận",    "",                                                                                                 "Về {topic} năm {year} và nhiệm vụ trọng tâm năm {next}",       "kết luận"                       },
};

static const struct letter_type *letter_type_draw(struct chance *chance, const char *types)
{
    unsigned count = 1;
    for (const char *p = types; *p; p++)
        count += *p == ' ';
    const char *code = types;
    for (uint32_t skip = chance_below(chance, count); skip > 0; skip--)
        code = strchr(code, ' ') + 1;
    size_t bytes = strcspn(code, " ");
    for (size_t i = 0; i < sizeof letter_types / sizeof letter_types[0]; i++)
        if (strlen(letter_types[i].code) == bytes && !strncmp(letter_types[i].code, code, bytes))
            return &letter_types[i];
    assert(!"a body issues a type that there is not");
    return NULL;
}

/* Half of the numbers are below 200; a body issues few resolutions, directives and conclusions a year. */
static int letter_number(struct chance *chance, const char *type_code)
{
    if (!strcmp(type_code, "NQ") || !strcmp(type_code, "CT") || !strcmp(type_code, "KL"))
        return chance_between(chance, 1, NUMBER_FEW);
    return chance_between(chance, 1, chance_percent(chance, 50) ? NUMBER_HALF : NUMBER_MOST);
}

/* State: "QĐ-UBND", letters "UBND-NV"; the other kinds write "QĐ/QU", "CV/QU". */
static void letter_notation(struct letter *letter, const struct theme *theme)
{
    struct letter_fields *f = &letter->fields;
    const char *code = letter->organ.code;
    bool official_letter = !strcmp(f->type_code, "CV");
    if (letter->organ.kind != ORGAN_STATE)
        snprintf(f->notation, sizeof f->notation, "%s/%s", f->type_code, code);
    else if (!official_letter)
        snprintf(f->notation, sizeof f->notation, "%s-%s", f->type_code, code);
    else if (strcmp(code, theme->desk) != 0)
        snprintf(f->notation, sizeof f->notation, "%s-%s", code, theme->desk);
    else
        snprintf(f->notation, sizeof f->notation, "%s", code);
}

static void letter_draw_fields(struct letter *letter, struct chance *chance, const struct letter_type *type)
{
    struct letter_fields *f = &letter->fields;
    snprintf(f->number, sizeof f->number, "%02d", letter_number(chance, type->code));
    f->month = chance_between(chance, 1, 12);
    f->day = chance_between(chance, 1, 28);
    f->type_code = type->code;
    f->type_name = type->name;
    place_person(chance, f->signer, sizeof f->signer);
}

static void letter_draw_subject(struct letter *letter, struct chance *chance, const struct letter_type *type,
                                const struct phrase_context *context)
{
    AUTO(buf_destroy) struct buf subject = {0};
    phrase_write(&subject, chance, context, letter->organ.kind == ORGAN_STATE ? type->subject : type->party_subject);
    snprintf(letter->fields.subject, sizeof letter->fields.subject, "%s", buf_text(&subject));
}

/* What the phrases may speak of; owns the texts that exist nowhere else. */
struct letter_words {
    struct phrase_context context;
    char year[16], last[16], next[16], lead[WORD_BYTES];
};

static void letter_define(struct letter_words *words, const struct letter *letter, const struct letter_type *type,
                          const struct theme *theme)
{
    const struct organ *organ = &letter->organ;
    int year = letter->fields.year;
    *words = (struct letter_words){.context.year = year};
    snprintf(words->year, sizeof words->year, "%d", year);
    snprintf(words->last, sizeof words->last, "%d", year - 1);
    snprintf(words->next, sizeof words->next, "%d", year + 1);
    snprintf(words->lead, sizeof words->lead, "%s", theme->lead);
    phrase_define(&words->context, "topic", theme->topic);
    phrase_define(&words->context, "lead", words->lead);
    phrase_define(&words->context, "law", theme->law);
    phrase_define(&words->context, "organ", organ->brief);
    phrase_define(&words->context, "area", organ->area);
    phrase_define(&words->context, "above", organ->above);
    phrase_define(&words->context, "head", organ->head);
    phrase_define(&words->context, "deputy", organ->deputy);
    phrase_define(&words->context, "intent", type->intent);
    phrase_define(&words->context, "year", words->year);
    phrase_define(&words->context, "last", words->last);
    phrase_define(&words->context, "next", words->next);
}

void letter_new(struct chance *chance, const struct organ *organ, const struct letter_plan *plan,
                struct letter **ret_letter)
{
    struct letter *letter = calloc(1, sizeof *letter);
    assert(letter);
    letter->organ = *organ;
    letter->handwritten = plan->handwritten;
    letter->number_at_foot = chance_percent(chance, 20);
    letter->size_pt = chance_percent(chance, 70) ? 14 : 13;
    const struct letter_type *type = letter_type_draw(chance, organ->types);
    const struct theme *theme = theme_draw(chance, organ->kind);
    letter->fields.year = plan->year;
    letter_draw_fields(letter, chance, type);
    letter_notation(letter, theme);
    struct letter_words words;
    letter_define(&words, letter, type, theme);
    letter_draw_subject(letter, chance, type, &words.context);
    letterhead_write(letter);
    body_write(letter, chance, &words.context, plan->paragraphs);
    letterhead_close(letter, chance);
    *ret_letter = letter;
}

static void block_clear(struct block *block)
{
    free(block->text);
    free(block->right);
    free(block->name_left);
    free(block->name_right);
}

void letter_destroy(struct letter **slot)
{
    struct letter *letter = *slot;
    if (!letter)
        return;
    for (size_t i = 0; i < letter->block_count; i++)
        block_clear(&letter->blocks[i]);
    free(letter->blocks);
    free(letter);
    *slot = NULL;
}

struct block *letter_block(struct letter *letter, enum block_form form, double space_mm)
{
    if (letter->block_count == letter->block_capacity) {
        letter->block_capacity = letter->block_capacity ? 2 * letter->block_capacity : 64;
        letter->blocks = realloc(letter->blocks, letter->block_capacity * sizeof *letter->blocks);
        assert(letter->blocks);
    }
    struct block *block = &letter->blocks[letter->block_count++];
    *block = (struct block){.form = form, .space_mm = space_mm};
    return block;
}

void letter_by_hand(const struct letter *letter, struct buf *markup, const char *digits)
{
    if (letter->handwritten)
        buf_printf(markup, "<span alpha=\"1\" letter_spacing=\"3072\">%s</span>", digits);
    else
        buf_puts(markup, digits);
}
