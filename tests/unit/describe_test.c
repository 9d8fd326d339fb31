/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is told of documents whose words are set by hand: each kind of header, numbers with and without a colon, stamps that must not
 * be taken for the document's own number, types that contradict the notation, lying pages, and that nothing is made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "worker/describe.h"
#include "worker/metadata.h"
#include "worker/propose.h"

enum { WIDTH = 2480, HEIGHT = 3508, EM = 50, LETTER = 24, PAGES = 2 };

struct set_line {
    int x, y;
    const char *text;
    int cpct; /* 0: 9600 */
};

static Sohoa__Page *page_set(uint32_t page_no, const struct set_line *lines, size_t count)
{
    Sohoa__Page *page = page_new(page_no);
    page->width_px = WIDTH;
    page->height_px = HEIGHT;
    Sohoa__Block *block = page_add_block(page);
    for (size_t i = 0; i < count; i++) {
        Sohoa__Line *line = block_add_line(block);
        int x = lines[i].x;
        for (const char *at = lines[i].text; *at;) {
            size_t bytes = strcspn(at, " ");
            AUTO(mem_destroy) char *text = strndup(at, bytes);
            Sohoa__Word *word = line_add_word(line, text);
            word->x = x;
            word->y = lines[i].y;
            word->w = LETTER * letters_of(text);
            word->h = EM;
            word->confidence_cpct = (uint32_t)(lines[i].cpct ? lines[i].cpct : 9600);
            x += (int)word->w + LETTER;
            at += bytes + (at[bytes] == ' ');
        }
    }
    page_fit_bounds(page);
    return page;
}

#define COUNT(lines) (sizeof(lines) / sizeof *(lines))

static const struct set_line decision[] = {
    {250,  200,  "ỦY BAN NHÂN DÂN"                                                         },
    {1300, 200,  "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"                               },
    {300,  260,  "QUẬN BA ĐINH"                                                             },
    {1400, 260,  "Độc lập - Tự do - Hạnh phúc"                                       },
    {320,  380,  "Số: 51/QD-UBND"                                                            },
    {1350, 380,  "Ba Đình, ngày 17 tháng 01 năm 2025"                                     },
    {1060, 560,  "QUYẾT ĐỊNH"                                                             },
    {595,  640,  "Về việc phê duyệt Kế hoạch ứng phó sự cố tràn dầu"      },
    {1090, 700,  "năm 2025"                                                                   },
    {700,  840,  "ỦY BAN NHÂN DÂN QUẬN BA ĐÌNH"                                        },
    {400,  960,  "Căn cứ Luật Tổ chức chính quyền địa phương ngày 19/6/2015;"},
    {300,  1020, "Số: 12/TTr-TNMT ngày 02 tháng 01 năm 2025 của Phòng Tài nguyên"    },
};

static const struct set_line closing[] = {
    {300,  1500, "Nơi nhận:"           },
    {1500, 1500, "TM. ỦY BAN NHÂN DÂN"},
    {300,  1560, "- Như Điều 3;"      },
    {1600, 1560, "KT. CHỦ TỊCH"       },
    {300,  1620, "- Lưu: VT (05b)."      },
    {1550, 1620, "PHÓ CHỦ TỊCH"      },
    {1560, 1950, "Trân Phước Hiền"  },
};

static Sohoa__Description *described(const struct set_line *first, size_t first_count, const struct set_line *last,
                                     size_t last_count)
{
    Sohoa__Page *pages[PAGES] = {page_set(1, first, first_count), page_set(2, last, last_count)};
    Sohoa__Description *description = describe(pages, PAGES);
    for (int i = 0; i < PAGES; i++)
        page_destroy(&pages[i]);
    return description;
}

static void expect(const Sohoa__Description *description, Sohoa__FieldName name, const char *value)
{
    if (strcmp(field_value(description, name), value))
        fail_msg("%s is \"%s\", not \"%s\"", field_name(name), field_value(description, name), value);
}

static void propose_says(const Sohoa__Description *description, Sohoa__ProposalName name, const char *value)
{
    const Sohoa__Proposal *proposal = description->proposals[name];
    if (strcmp(proposal->value, value))
        fail_msg("%s is \"%s\" (%s), not \"%s\"", proposal_name(name), proposal->value, proposal->rule, value);
}

static void a_decision_is_told_field_by_field(void **state)
{
    (void)state;
    AUTO(description_destroy)
    Sohoa__Description *d = described(decision, COUNT(decision), closing, COUNT(closing));
    expect(d, SOHOA__FIELD_NAME__FIELD_HEADER, "state");
    expect(d, SOHOA__FIELD_NAME__FIELD_ORGAN, "Ủy ban nhân dân quận Ba Đình");
    expect(d, SOHOA__FIELD_NAME__FIELD_PARENT_ORGAN, "");
    expect(d, SOHOA__FIELD_NAME__FIELD_NUMBER, "51");
    expect(d, SOHOA__FIELD_NAME__FIELD_NOTATION, "QĐ-UBND");
    expect(d, SOHOA__FIELD_NAME__FIELD_PLACE, "Ba Đình");
    expect(d, SOHOA__FIELD_NAME__FIELD_DATE, "2025-01-17");
    expect(d, SOHOA__FIELD_NAME__FIELD_TYPE, "Quyết định");
    expect(d, SOHOA__FIELD_NAME__FIELD_TYPE_CODE, "02");
    expect(d, SOHOA__FIELD_NAME__FIELD_SUBJECT, "Về việc phê duyệt Kế hoạch ứng phó sự cố tràn dầu năm 2025");
    expect(d, SOHOA__FIELD_NAME__FIELD_SIGNER_PREFIX, "TM. KT.");
    expect(d, SOHOA__FIELD_NAME__FIELD_SIGNER_TITLE, "Phó Chủ tịch");
    expect(d, SOHOA__FIELD_NAME__FIELD_SIGNER, "Trần Phước Hiền");
    expect(d, SOHOA__FIELD_NAME__FIELD_RECIPIENTS, "- Như Điều 3; - Lưu: VT (05b).");
    expect(d, SOHOA__FIELD_NAME__FIELD_COPIES, "05");
    expect(d, SOHOA__FIELD_NAME__FIELD_LANGUAGE, "Tiếng Việt");
    const Sohoa__Field *notation = d->fields[SOHOA__FIELD_NAME__FIELD_NOTATION];
    assert_string_equal(notation->raw, "51/QD-UBND");
    assert_int_equal(notation->page_no, 1);
    assert_in_range(notation->x, 320, 320 + 4 * LETTER);
    assert_int_equal(notation->y, 380);
    assert_int_equal(d->fields[SOHOA__FIELD_NAME__FIELD_SIGNER]->page_no, 2);
}

/* It needs all four, surely read, and differs where one does. */
static void a_key_tells_documents_apart(void **state)
{
    (void)state;
    AUTO(description_destroy) Sohoa__Description *d = described(decision, COUNT(decision), closing, COUNT(closing));
    static const Sohoa__FieldName parts[] = {SOHOA__FIELD_NAME__FIELD_ORGAN, SOHOA__FIELD_NAME__FIELD_NUMBER,
                                             SOHOA__FIELD_NAME__FIELD_NOTATION, SOHOA__FIELD_NAME__FIELD_DATE};
    for (size_t i = 0; i < COUNT(parts); i++)
        field_set(d, parts[i], field_value(d, parts[i]), FIELD_SURE_CPCT, NULL);
    uint32_t key = describe_key(d);
    assert_int_not_equal(key, 0);
    assert_int_equal(describe_key(d), key);
    for (size_t i = 0; i < COUNT(parts); i++) {
        AUTO(mem_destroy) char *value = strdup(field_value(d, parts[i]));
        field_set(d, parts[i], "khác", FIELD_SURE_CPCT, NULL);
        assert_int_not_equal(describe_key(d), key);
        assert_int_not_equal(describe_key(d), 0);
        field_set(d, parts[i], value, FIELD_SURE_CPCT - 1, NULL);
        assert_int_equal(describe_key(d), 0);
        field_set(d, parts[i], value, FIELD_SURE_CPCT, NULL);
    }
    assert_int_equal(describe_key(d), key);
    field_set(d, SOHOA__FIELD_NAME__FIELD_ORGAN, "Ủy ban nhân dân quận Ba.đình", FIELD_SURE_CPCT, NULL);
    assert_int_equal(describe_key(d), key);
}

static void the_party_writes_otherwise(void **state)
{
    (void)state;
    static const struct set_line first[] = {
        {300,  200, "ĐẢNG BỘ QUẬN ĐỐNG ĐA"              },
        {1500, 200, "ĐẢNG CỘNG SẢN VIỆT NAM"              },
        {250,  260, "ĐẢNG ỦY PHƯỜNG Ô CHỢ DỪA"        },
        {520,  320, "*"                                            },
        {350,  380, "Số 36-QĐ/ĐU"                              },
        {1350, 380, "Ô Chợ Dừa, ngày 05 tháng 3 năm 2019"  },
        {1060, 560, "QUY ĐỊNH"                                  },
        {800,  640, "về chế độ làm việc của cấp ủy"},
        {400,  840, "Căn cứ Điều lệ Đảng;"              },
    };
    static const struct set_line last[] = {
        {300,  1500, "Nơi nhận:"    },
        {1500, 1500, "T/M ĐẢNG ỦY"},
        {1550, 1560, "BÍ THƯ"        },
        {1560, 1900, "Nguyễn Văn An"}
    };
    AUTO(description_destroy) Sohoa__Description *d = described(first, COUNT(first), last, COUNT(last));
    expect(d, SOHOA__FIELD_NAME__FIELD_HEADER, "party");
    expect(d, SOHOA__FIELD_NAME__FIELD_ORGAN, "Đảng ủy phường Ô Chợ Dừa");
    expect(d, SOHOA__FIELD_NAME__FIELD_PARENT_ORGAN, "Đảng bộ quận Đống Đa");
    expect(d, SOHOA__FIELD_NAME__FIELD_NUMBER, "36");
    expect(d, SOHOA__FIELD_NAME__FIELD_NOTATION, "QĐ/ĐU");
    expect(d, SOHOA__FIELD_NAME__FIELD_TYPE, "Quy định"); /* the printed title decides */
    expect(d, SOHOA__FIELD_NAME__FIELD_TYPE_CODE, "05");
    expect(d, SOHOA__FIELD_NAME__FIELD_SIGNER_PREFIX, "T/M");
    expect(d, SOHOA__FIELD_NAME__FIELD_SIGNER, "Nguyễn Văn An");
}

/* Under a seal a surname loses its marks or a letter, and a word of the name may be hardly read; in minutes two names stand side by side. */
static void names_under_a_seal_are_mended(void **state)
{
    (void)state;
    static const struct {
        const char *read, *meant;
        int cpct;
    } names[] = {
        {"Đã Hồng Sơn", "Đỗ Hồng Sơn", 9600},
        {"Trân Thị Lan",  "Trần Thị Lan",  9600},
        {"Xyz Thị Lan",    "",                  9600}
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        const struct set_line last[] = {
            {300,  1500, "Nơi nhận:"},
            {1560, 1500, "CHỦ TỊCH"},
            {1560, 1950, names[i].read }
        };
        AUTO(description_destroy) Sohoa__Description *d = described(decision, COUNT(decision), last, COUNT(last));
        expect(d, SOHOA__FIELD_NAME__FIELD_SIGNER, *names[i].meant ? names[i].meant : "Thị Lan");
        assert_in_range(field_cpct(d, SOHOA__FIELD_NAME__FIELD_SIGNER), 1, FIELD_SURE_CPCT - 1);
    }
    static const struct set_line minutes[] = {
        {300,  1500, "THƯ KÝ"                               },
        {1560, 1500, "CHỦ TRÌ"                             },
        {800,  1900, "Phạm Bá Quỳnh Đỉnh Tiến Dũng"}
    };
    AUTO(description_destroy) Sohoa__Description *d = described(decision, COUNT(decision), minutes, COUNT(minutes));
    expect(d, SOHOA__FIELD_NAME__FIELD_SIGNER, "Đinh Tiến Dũng");
}

/* As it was before the decrees: no colon, no sign behind the number, days without a zero. */
static void older_forms_are_read(void **state)
{
    (void)state;
    static const struct set_line first[] = {
        {250,  200, "ỦY BAN NHÂN DÂN"                          },
        {1300, 200, "CỘNG HOÀ XÃ HỘI CHỦ NGHĨA VIỆT NAM"},
        {300,  260, "HUYỆN TỪ LIÊM"                           },
        {1400, 260, "Độc lập - Tự do - Hạnh phúc"        },
        {320,  380, "Số 45 QĐ/UB"                               },
        {1350, 380, "Từ Liêm ngày 3 tháng 5 năm 1989"        },
        {1060, 560, "QUYẾT ĐỊNH"                              },
        {800,  640, "V/v giao đất làm nhà ở"                },
        {400,  840, "Căn cứ Luật Đất đai;"                },
    };
    static const struct set_line last[] = {
        {1500, 1500, "T/M UBND HUYỆN"},
        {1560, 1560, "CHỦ TỊCH"    },
        {1560, 1900, "Lê Văn Sáu"   }
    };
    AUTO(description_destroy) Sohoa__Description *d = described(first, COUNT(first), last, COUNT(last));
    expect(d, SOHOA__FIELD_NAME__FIELD_ORGAN, "Ủy ban nhân dân huyện Từ Liêm");
    expect(d, SOHOA__FIELD_NAME__FIELD_NUMBER, "45");
    expect(d, SOHOA__FIELD_NAME__FIELD_NOTATION, "QĐ/UB");
    expect(d, SOHOA__FIELD_NAME__FIELD_PLACE, "Từ Liêm");
    expect(d, SOHOA__FIELD_NAME__FIELD_DATE, "1989-05-03");
    expect(d, SOHOA__FIELD_NAME__FIELD_SUBJECT, "V/v giao đất làm nhà ở");
    expect(d, SOHOA__FIELD_NAME__FIELD_SIGNER_PREFIX, "T/M");
    expect(d, SOHOA__FIELD_NAME__FIELD_SIGNER, "Lê Văn Sáu");
    propose_says(d, SOHOA__PROPOSAL_NAME__PROPOSAL_AREA, "land");
}

/* "QUẬN HOÀN KIẾM" is no "quận đoàn", and the "PHONG" of a name no office. */
static void names_of_places_are_no_bodies(void **state)
{
    (void)state;
    struct set_line first[COUNT(decision)];
    memcpy(first, decision, sizeof decision);
    first[2].text = "QUẬN HOÀN KIẾM";
    AUTO(description_destroy) Sohoa__Description *d = described(first, COUNT(first), closing, 0);
    expect(d, SOHOA__FIELD_NAME__FIELD_ORGAN, "Ủy ban nhân dân quận Hoàn Kiếm");
    first[2].text = "XÃ TIỀN PHONG";
    AUTO(description_destroy) Sohoa__Description *other = described(first, COUNT(first), closing, 0);
    expect(other, SOHOA__FIELD_NAME__FIELD_ORGAN, "Ủy ban nhân dân xã Tiền Phong");
}

static void an_official_letter_has_no_title(void **state)
{
    (void)state;
    static const struct set_line first[] = {
        {1700, 60,  "TRUNG TÂM CÔNG BÁO"                                },
        {1700, 110, "15.01.2025 17:10:17"                                  },
        {250,  200, "UBND QUẬN LONG BIÊN"                               },
        {1300, 200, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"        },
        {250,  260, "PHÒNG TÀI NGUYÊN VÀ MÔI"                         },
        {1400, 260, "Độc lập - Tự do - Hạnh phúc"                },
        {400,  320, "TRƯỜNG"                                            },
        {320,  400, "Số: /TNMT-ĐĐ"                                     },
        {1350, 400, "Long Biên, ngày tháng 01 năm 2025"                },
        {330,  470, "V/v cấp giấy chứng nhận"                      },
        {340,  530, "quyền sử dụng đất"                           },
        {900,  700, "Kính gửi: Ủy ban nhân dân phường Bồ Đề"},
        {400,  840, "Phòng nhận được đơn của ông A;"           },
        {60,   620, "CÔNG VĂN ĐẾN"                                    },
        {60,   680, "Số: 4411/UBND"                                      },
    };
    AUTO(description_destroy) Sohoa__Description *d = described(first, COUNT(first), closing, 0);
    expect(d, SOHOA__FIELD_NAME__FIELD_ORGAN, "Phòng Tài nguyên và Môi trường");
    expect(d, SOHOA__FIELD_NAME__FIELD_PARENT_ORGAN, "UBND quận Long Biên");
    expect(d, SOHOA__FIELD_NAME__FIELD_NUMBER, "");
    expect(d, SOHOA__FIELD_NAME__FIELD_NOTATION, "TNMT-ĐĐ");
    expect(d, SOHOA__FIELD_NAME__FIELD_DATE, "");
    expect(d, SOHOA__FIELD_NAME__FIELD_TYPE, "Công văn");
    expect(d, SOHOA__FIELD_NAME__FIELD_SUBJECT, "V/v cấp giấy chứng nhận quyền sử dụng đất");
    expect(d, SOHOA__FIELD_NAME__FIELD_ADDRESSEE, "Ủy ban nhân dân phường Bồ Đề");
    expect(d, SOHOA__FIELD_NAME__FIELD_SIGNER, "");
    uint32_t doubts = description_doubts(d);
    assert_true(doubts >> SOHOA__FIELD_NAME__FIELD_NUMBER & 1);
    assert_true(doubts >> SOHOA__FIELD_NAME__FIELD_DATE & 1);
    assert_true(doubts >> SOHOA__FIELD_NAME__FIELD_SIGNER & 1);
    assert_false(doubts >> SOHOA__FIELD_NAME__FIELD_TYPE & 1);
}

static void a_title_against_the_notation_is_doubted(void **state)
{
    (void)state;
    struct set_line first[COUNT(decision)];
    memcpy(first, decision, sizeof decision);
    first[6].text = "THÔNG BÁO";
    AUTO(description_destroy) Sohoa__Description *d = described(first, COUNT(first), closing, COUNT(closing));
    expect(d, SOHOA__FIELD_NAME__FIELD_TYPE, "Thông báo");
    assert_in_range(field_cpct(d, SOHOA__FIELD_NAME__FIELD_TYPE), 1, FIELD_SURE_CPCT - 1);
    assert_string_not_equal(d->fields[SOHOA__FIELD_NAME__FIELD_TYPE]->doubt, "");
    assert_string_equal(d->fields[SOHOA__FIELD_NAME__FIELD_TYPE]->candidates[0]->value, "Quyết định");
    assert_true(description_doubts(d) >> SOHOA__FIELD_NAME__FIELD_TYPE & 1);
}

static void fields_that_contradict_each_other_are_doubted(void **state)
{
    (void)state;
    struct set_line first[COUNT(decision)];
    memcpy(first, decision, sizeof decision);
    first[4].text = "Số: 85/2024/QĐ-UBND";
    first[5].text = "Long Biên, ngày 17 tháng 01 năm 2025";
    AUTO(description_destroy) Sohoa__Description *d = described(first, COUNT(first), closing, COUNT(closing));
    expect(d, SOHOA__FIELD_NAME__FIELD_NUMBER, "85");
    expect(d, SOHOA__FIELD_NAME__FIELD_NOTATION, "2024/QĐ-UBND");
    expect(d, SOHOA__FIELD_NAME__FIELD_TYPE, "Quyết định");
    expect(d, SOHOA__FIELD_NAME__FIELD_PLACE, "Long Biên");
    uint32_t doubts = description_doubts(d);
    assert_true(doubts >> SOHOA__FIELD_NAME__FIELD_NOTATION & 1);
    assert_true(doubts >> SOHOA__FIELD_NAME__FIELD_DATE & 1);
    assert_true(doubts >> SOHOA__FIELD_NAME__FIELD_PLACE & 1);
    assert_false(doubts >> SOHOA__FIELD_NAME__FIELD_TYPE & 1);
}

/* The same page as a scanner has it that lay on its side: the boxes are those of the lying page. */
static void a_lying_page_says_the_same(void **state)
{
    (void)state;
    Sohoa__Page *page = page_set(1, decision, COUNT(decision));
    for (size_t l = 0; l < page->blocks[0]->n_lines; l++)
        for (size_t i = 0; i < page->blocks[0]->lines[l]->n_words; i++) {
            Sohoa__Word *word = page->blocks[0]->lines[l]->words[i];
            int32_t x = word->x, y = word->y;
            uint32_t w = word->w;
            word->x = y; /* turned counter-clockwise by 90: clockwise makes it upright */
            word->y = WIDTH - x - (int32_t)w;
            word->w = word->h;
            word->h = w;
        }
    page->rotation_deg = 90;
    page->width_px = HEIGHT;
    page->height_px = WIDTH;
    page_fit_bounds(page);
    AUTO(description_destroy) Sohoa__Description *d = describe(&page, 1);
    page_destroy(&page);
    expect(d, SOHOA__FIELD_NAME__FIELD_NOTATION, "QĐ-UBND");
    expect(d, SOHOA__FIELD_NAME__FIELD_TYPE, "Quyết định");
    expect(d, SOHOA__FIELD_NAME__FIELD_ORGAN, "Ủy ban nhân dân quận Ba Đình");
    assert_int_equal(d->fields[SOHOA__FIELD_NAME__FIELD_TYPE]->x, 560);
}

static void hand_add(Sohoa__Page *page, Sohoa__HandKind kind, int x, int y, const char *text, uint32_t cpct)
{
    Sohoa__Hand *hand = calloc(1, sizeof *hand);
    Sohoa__HandGuess *guess = calloc(1, sizeof *guess);
    page->hands = realloc(page->hands, (page->n_hands + 1) * sizeof *page->hands);
    assert_non_null(page->hands);
    sohoa__hand__init(hand);
    sohoa__hand_guess__init(guess);
    hand->kind = kind;
    hand->x = x;
    hand->y = y;
    hand->w = EM;
    hand->h = EM;
    hand->guesses = malloc(sizeof *hand->guesses);
    assert_non_null(hand->guesses);
    hand->guesses[hand->n_guesses++] = guess;
    guess->text = strdup(text);
    guess->confidence_cpct = cpct;
    page->hands[page->n_hands++] = hand;
}

/* The head of decision, its number and day as a clerk wrote them and as the recogniser took them. */
static Sohoa__Description *written(const char *number_line, const char *date_line, int read_cpct, const char *stamp,
                                   const char *number, const char *day)
{
    struct set_line first[COUNT(decision) + 1];
    memcpy(first, decision, sizeof decision);
    first[4] = (struct set_line){320, 380, number_line, read_cpct};
    first[5] = (struct set_line){1350, 380, date_line, read_cpct};
    first[COUNT(decision)] = (struct set_line){1700, 40, stamp, 0};
    Sohoa__Page *page = page_set(1, first, COUNT(decision) + (*stamp != 0));
    if (number)
        hand_add(page, SOHOA__HAND_KIND__HAND_NUMBER, 420, 380, number, 9500);
    if (day)
        hand_add(page, SOHOA__HAND_KIND__HAND_DAY, 1600, 380, day, 7000);
    Sohoa__Description *description = describe(&page, 1);
    page_destroy(&page);
    return description;
}

/* The recogniser is sure of 23; who reads handwriting says 03, and so does the stamp: it was signed on the 4th. */
static void a_stamp_and_a_hand_outweigh_the_recogniser(void **state)
{
    (void)state;
    AUTO(description_destroy)
    Sohoa__Description *d =
        written("Số: #8 /CT-UBND", "Ba Đình, ngày 23 tháng 4 năm 2018", 9550, "04.04.2018 14:21:14", "08", "03");
    expect(d, SOHOA__FIELD_NAME__FIELD_NUMBER, "08");
    assert_in_range(field_cpct(d, SOHOA__FIELD_NAME__FIELD_NUMBER), FIELD_SURE_CPCT, 9800);
    expect(d, SOHOA__FIELD_NAME__FIELD_DATE, "2018-04-03");
    assert_in_range(field_cpct(d, SOHOA__FIELD_NAME__FIELD_DATE), FIELD_SURE_CPCT, 9800);
}

static void what_contradicts_itself_is_not_read(void **state)
{
    (void)state;
    AUTO(description_destroy)
    Sohoa__Description *d = written("Số: 44 /CT-UBND", "Ba Đình, ngày 23 tháng 4 năm 2018", 9550, "", "11", "03");
    assert_in_range(field_cpct(d, SOHOA__FIELD_NAME__FIELD_NUMBER), 0, FIELD_SURE_CPCT - 1);
    expect(d, SOHOA__FIELD_NAME__FIELD_DATE, "2018-04-23"); /* both likely: the surer one, but not for sure */
    assert_in_range(field_cpct(d, SOHOA__FIELD_NAME__FIELD_DATE), 0, FIELD_SURE_CPCT - 1);
    const Sohoa__Field *date = d->fields[SOHOA__FIELD_NAME__FIELD_DATE];
    assert_true(date->n_candidates > 0);
    assert_string_equal(date->candidates[0]->value, "2018-04-03");
}

/* Nobody read the day; the stamp alone is no reading. */
static void a_stamp_alone_gives_candidates(void **state)
{
    (void)state;
    AUTO(description_destroy)
    Sohoa__Description *d =
        written("Số: /CT-UBND", "Ba Đình, ngày tháng 4 năm 2018", 9550, "04.04.2018 14:21:14", NULL, NULL);
    expect(d, SOHOA__FIELD_NAME__FIELD_NUMBER, "");
    expect(d, SOHOA__FIELD_NAME__FIELD_DATE, "");
    const Sohoa__Field *date = d->fields[SOHOA__FIELD_NAME__FIELD_DATE];
    assert_in_range(date->n_candidates, 1, FIELD_CANDIDATES);
    assert_string_equal(date->candidates[0]->value, "2018-04-04");
}

static void nothing_is_made_up(void **state)
{
    (void)state;
    static const struct set_line noise[] = {
        {300, 300,  "%&/ (=) ,.-"      },
        {300, 2900, "Số"             },
        {300, 400,  "ngày tháng năm"}
    };
    AUTO(description_destroy) Sohoa__Description *d = described(noise, COUNT(noise), noise, 0);
    for (int name = 0; name < FIELDS; name++)
        if (name != SOHOA__FIELD_NAME__FIELD_HEADER)
            expect(d, (Sohoa__FieldName)name, "");
    expect(d, SOHOA__FIELD_NAME__FIELD_HEADER, "other");
    AUTO(description_destroy) Sohoa__Description *none = describe(NULL, 0);
    expect(none, SOHOA__FIELD_NAME__FIELD_ORGAN, "");
}

/* Pieces of heads and ends in any order, anywhere, turned and skewed: no harm, and what comes out is a description. */
static void any_words_anywhere_do_no_harm(void **state)
{
    (void)state;
    static const char *const piece[] = {"Số:",
                                        "Số",
                                        "/",
                                        "-",
                                        "51/QĐ-UBND",
                                        "36-HD/VPTW",
                                        "2025/QĐ-UBND",
                                        "ngày",
                                        "tháng",
                                        "năm",
                                        "05",
                                        "2025",
                                        "|",
                                        "Kính gửi:",
                                        "V/v",
                                        "QUYẾT ĐỊNH",
                                        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
                                        "Nơi nhận:",
                                        "TM.",
                                        "KT. CHỦ TỊCH",
                                        "ỦY BAN NHÂN DÂN",
                                        "PHƯỜNG",
                                        "Nguyễn",
                                        "\xcc\x81",
                                        "?",
                                        "",
                                        "ĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐĐ",
                                        "(05b)",
                                        "Lưu:",
                                        "04.04.2018 14:21:14",
                                        "SỐ",
                                        "HỎA TỐC",
                                        "sinh năm"};
    uint64_t chance = 1;
    for (int round = 0; round < 3000; round++) {
        struct set_line lines[12];
        for (size_t i = 0; i < COUNT(lines); i++) {
            chance = chance * 6364136223846793005ULL + 1442695040888963407ULL;
            lines[i] = (struct set_line){(int)(chance >> 40) % WIDTH - 100, (int)(chance >> 30) % 1200 - 50,
                                         piece[(chance >> 50) % COUNT(piece)], 0};
        }
        Sohoa__Page *page = page_set(1, lines, COUNT(lines));
        page->rotation_deg = (uint32_t)(chance >> 60) % 4 * 90;
        page->skew_mdeg = (int32_t)(chance >> 45) % 7000;
        if (chance >> 63)
            hand_add(page, (Sohoa__HandKind)(chance >> 58) % 5, lines[0].x, lines[0].y, "99999999", 10000);
        AUTO(buf_destroy) struct buf packed = {0};
        AUTO(description_destroy) Sohoa__Description *d = describe(&page, 1);
        Sohoa__Description *back = NULL;
        struct err err;
        page_destroy(&page);
        description_pack(d, &packed);
        assert_int_equal(description_unpack(packed.data, packed.size, &back, &err), 0);
        description_destroy(&back);
    }
}

static void what_a_slot_says_is_checked(void **state)
{
    (void)state;
    AUTO(description_destroy) Sohoa__Description *d = described(decision, COUNT(decision), closing, COUNT(closing));
    AUTO(buf_destroy) struct buf packed = {0};
    AUTO(buf_destroy) struct buf again = {0};
    Sohoa__Description *back = NULL;
    struct err err;
    description_pack(d, &packed);
    assert_int_equal(description_unpack(packed.data, packed.size, &back, &err), 0);
    description_pack(back, &again);
    assert_int_equal(again.size, packed.size);
    assert_memory_equal(again.data, packed.data, packed.size);
    description_destroy(&back);
    assert_int_equal(description_unpack(packed.data, packed.size / 2, &back, &err), E_FRAME);
    assert_int_equal(description_unpack("", 0, &back, &err), E_FRAME);
    d->fields[0]->name = SOHOA__FIELD_NAME__FIELD_DATE;
    buf_clear(&packed);
    description_pack(d, &packed);
    assert_int_equal(description_unpack(packed.data, packed.size, &back, &err), E_FRAME);
}

static void proposals_say_by_which_rule(void **state)
{
    (void)state;
    AUTO(description_destroy)
    Sohoa__Description *d = described(decision, COUNT(decision), closing, COUNT(closing));
    propose_says(d, SOHOA__PROPOSAL_NAME__PROPOSAL_BLOC, "government");
    propose_says(d, SOHOA__PROPOSAL_NAME__PROPOSAL_AREA, "environment");
    propose_says(d, SOHOA__PROPOSAL_NAME__PROPOSAL_KEYWORDS, "tràn dầu; tài nguyên");
    propose_says(d, SOHOA__PROPOSAL_NAME__PROPOSAL_RETENTION, ""); /* no rule is known: a person decides */
    assert_string_not_equal(d->proposals[SOHOA__PROPOSAL_NAME__PROPOSAL_RETENTION]->rule, "");
    propose_says(d, SOHOA__PROPOSAL_NAME__PROPOSAL_PERSONAL, "no");
    propose_says(d, SOHOA__PROPOSAL_NAME__PROPOSAL_FORMAT, "01");
    propose_says(d, SOHOA__PROPOSAL_NAME__PROPOSAL_RISK, "no");
}

static void reports_of_a_year_and_people_are_known(void **state)
{
    (void)state;
    struct set_line first[COUNT(decision)];
    memcpy(first, decision, sizeof decision);
    first[4].text = "Số: 51/BC-UBND";
    first[6].text = "BÁO CÁO";
    first[7].text = "Kết quả công tác y tế, khám bệnh, chữa bệnh";
    first[7].x = 680;
    first[11].text = "ông Nguyễn Văn An, sinh năm 1960, hộ khẩu thường trú tại";
    AUTO(description_destroy) Sohoa__Description *d = described(first, COUNT(first), closing, COUNT(closing));
    propose_says(d, SOHOA__PROPOSAL_NAME__PROPOSAL_AREA, "health");
    propose_says(d, SOHOA__PROPOSAL_NAME__PROPOSAL_RETENTION, "01");
    propose_says(d, SOHOA__PROPOSAL_NAME__PROPOSAL_PERSONAL, "yes");
}

/* One whose picture is incomplete is set apart. */
static void damaged_paper_is_told(void **state)
{
    (void)state;
    Sohoa__Page *page = page_set(1, decision, COUNT(decision));
    page_note(page, SOHOA__PAGE_NOTE__NOTE_DAMAGED);
    AUTO(description_destroy) Sohoa__Description *d = describe(&page, 1);
    page_destroy(&page);
    propose_says(d, SOHOA__PROPOSAL_NAME__PROPOSAL_FORMAT, "03");
    propose_says(d, SOHOA__PROPOSAL_NAME__PROPOSAL_RISK, "yes");
    assert_true(description_doubts(d) & DOUBT_DAMAGED);
    json_t *list = metadata_doubts_json(DOUBT_DAMAGED);
    assert_string_equal(json_string_value(json_array_get(list, 0)), "format");
    assert_int_equal(metadata_doubts(list), DOUBT_DAMAGED);
    json_decref(list);
}

static void doubts_are_named(void **state)
{
    (void)state;
    uint32_t doubts = 1U << SOHOA__FIELD_NAME__FIELD_DATE | 1U << SOHOA__FIELD_NAME__FIELD_SIGNER;
    json_t *list = metadata_doubts_json(doubts);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_array_get(list, 0)), "issuedDate");
    assert_int_equal(metadata_doubts(list), doubts);
    json_decref(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decision_is_told_field_by_field),
        cmocka_unit_test(a_key_tells_documents_apart),
        cmocka_unit_test(the_party_writes_otherwise),
        cmocka_unit_test(names_under_a_seal_are_mended),
        cmocka_unit_test(older_forms_are_read),
        cmocka_unit_test(names_of_places_are_no_bodies),
        cmocka_unit_test(an_official_letter_has_no_title),
        cmocka_unit_test(a_title_against_the_notation_is_doubted),
        cmocka_unit_test(fields_that_contradict_each_other_are_doubted),
        cmocka_unit_test(a_lying_page_says_the_same),
        cmocka_unit_test(a_stamp_and_a_hand_outweigh_the_recogniser),
        cmocka_unit_test(what_contradicts_itself_is_not_read),
        cmocka_unit_test(a_stamp_alone_gives_candidates),
        cmocka_unit_test(nothing_is_made_up),
        cmocka_unit_test(any_words_anywhere_do_no_harm),
        cmocka_unit_test(what_a_slot_says_is_checked),
        cmocka_unit_test(proposals_say_by_which_rule),
        cmocka_unit_test(reports_of_a_year_and_people_are_known),
        cmocka_unit_test(damaged_paper_is_told),
        cmocka_unit_test(doubts_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
