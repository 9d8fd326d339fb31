/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The bodies of districts and communes, as a table of patterns. In a pattern %D is the district ("quận Ba Đình"), %d its
 * name, %K its kind with a capital ("Quận"), %A the body's own area and %C the code letter of the district's kind. */
#include "bench/organ.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/buf.h"
#include "proto/auto.h"

enum organ_tier { TIER_DISTRICT, TIER_COMMUNE };

struct organ_rule {
    enum organ_kind kind;
    enum organ_tier tier;
    const char *parent, *issuer, *brief, *above, *code, *on_behalf, *head, *deputy, *types;
};

static const struct organ_rule organ_rules[] = {
    {ORGAN_STATE, TIER_DISTRICT, "",                        "Ủy ban nhân dân\n%D",                "UBND %D",                                   "UBND Thành phố Hà Nội",                "UBND",
     "TM. ỦY BAN NHÂN DÂN",                                                                                                                                                                                                            "Chủ tịch",     "Phó Chủ tịch",       "QĐ QĐ CT KH KH BC TTr CV CV TB"},
    {ORGAN_STATE, TIER_COMMUNE,  "UBND %D",                 "Ủy ban nhân dân\n%A",                "UBND %A",                                   "UBND %D",                                    "UBND",   "TM. ỦY BAN NHÂN DÂN",
     "Chủ tịch",                                                                                                                                                                                                                                           "Phó Chủ tịch",       "QĐ KH KH BC BC TTr CV TB BB"    },
    {ORGAN_STATE, TIER_DISTRICT, "",                        "Hội đồng nhân dân\n%D",           "HĐND %D",                                  "HĐND Thành phố Hà Nội",               "HĐND",
     "TM. HỘI ĐỒNG NHÂN DÂN",                                                                                                                                                                                                       "Chủ tịch",     "Phó Chủ tịch",       "NQ NQ NQ BC TB"                  },
    {ORGAN_STATE, TIER_COMMUNE,  "",                        "Hội đồng nhân dân\n%A",           "HĐND %A",                                  "HĐND %D",                                   "HĐND",  "TM. HỘI ĐỒNG NHÂN DÂN",
     "Chủ tịch",                                                                                                                                                                                                                                           "Phó Chủ tịch",       "NQ NQ BC TB"                     },
    {ORGAN_STATE, TIER_DISTRICT, "UBND %D",                 "Phòng Tài nguyên và Môi trường", "Phòng Tài nguyên và Môi trường %D",
     "UBND %D",                                                                                                                                                                                  "TNMT",   "",                             "Trưởng phòng", "Phó Trưởng phòng",   "BC TTr CV CV TB BB"              },
    {ORGAN_STATE, TIER_DISTRICT, "UBND %D",                 "Phòng Nội vụ",                      "Phòng Nội vụ %D",                      "UBND %D",                                    "NV",     "",                             "Trưởng phòng",
     "Phó Trưởng phòng",                                                                                                                                                                                                                                                             "KH BC TTr CV TB"                 },
    {ORGAN_STATE, TIER_DISTRICT, "UBND %D",                 "Phòng Tài chính - Kế hoạch",      "Phòng Tài chính - Kế hoạch %D",      "UBND %D",
     "TCKH",                                                                                                                                                                                               "",                             "Trưởng phòng", "Phó Trưởng phòng",   "BC TTr CV CV"                    },
    {ORGAN_STATE, TIER_DISTRICT, "UBND %D",                 "Phòng Giáo dục và Đào tạo",     "Phòng Giáo dục và Đào tạo %D",     "UBND %D",
     "GDĐT",                                                                                                                                                                                              "",                             "Trưởng phòng", "Phó Trưởng phòng",   "KH BC CV CV TB"                  },
    {ORGAN_PARTY, TIER_DISTRICT, "Thành ủy Hà Nội",   "%K ủy %d",                             "%K ủy %d",                                "Thành ủy Hà Nội",                      "%CU",
     "T/M BAN THƯỜNG VỤ",                                                                                                                                                                                                             "Bí thư",         "Phó Bí thư",           "NQ QĐ QĐ KL CV BC KH TB"       },
    {ORGAN_PARTY, TIER_COMMUNE,  "Đảng bộ %D",         "Đảng ủy %A",                        "Đảng ủy %A",                           "%K ủy %d",                                 "ĐU",    "T/M ĐẢNG ỦY",             "Bí thư",
     "Phó Bí thư",                                                                                                                                                                                                                                                                     "NQ NQ QĐ BC BC KH CV TB"        },
    {ORGAN_PARTY, TIER_DISTRICT, "%K ủy %d",              "Ban Tổ chức",                        "Ban Tổ chức %K ủy %d",                "Ban Thường vụ %K ủy %d",              "BTC%CU",
     "",                                                                                                                                                                                                                                   "Trưởng ban",    "Phó Trưởng ban",      "CV CV BC KH TB"                  },
    {ORGAN_PARTY, TIER_DISTRICT, "%K ủy %d",              "Ủy ban Kiểm tra",                    "Ủy ban Kiểm tra %K ủy %d",            "Ban Thường vụ %K ủy %d",
     "UBKT%CU",                                                                                                                                                                                            "T/M ỦY BAN KIỂM TRA",      "Chủ nhiệm",    "Phó Chủ nhiệm",      "QĐ KL BC BC CV TB"              },
    {ORGAN_PARTY, TIER_DISTRICT, "%K ủy %d",              "Văn phòng",                            "Văn phòng %K ủy %d",                    "Thường trực %K ủy %d",                "VP%CU",  "",
     "Chánh Văn phòng",                                                                                                                                                                                                                                     "Phó Chánh Văn phòng", "CV CV TB BC"                     },
    {ORGAN_YOUTH, TIER_DISTRICT, "Thành đoàn Hà Nội", "%K đoàn %d",                           "%K đoàn %d",                              "Ban Thường vụ Thành đoàn Hà Nội",
     "ĐTN",                                                                                                                                                                                               "TM. BAN THƯỜNG VỤ",       "Bí thư",         "Phó Bí thư",           "KH KH BC CV QĐ TB"              },
    {ORGAN_YOUTH, TIER_COMMUNE,  "%K đoàn %d",            "Ban Chấp hành\nĐoàn %A",            "Đoàn %A",                                 "Ban Thường vụ %K đoàn %d",            "ĐTN",
     "TM. BAN CHẤP HÀNH",                                                                                                                                                                                                               "Bí thư",         "Phó Bí thư",           "KH BC CV"                        },
};

enum { ORGAN_RULE_NR = sizeof organ_rules / sizeof organ_rules[0] };

const char *organ_kind_name(enum organ_kind kind)
{
    static const char *const name[ORGAN_KIND_NR] = {"state", "party", "youth"};
    return name[kind];
}

char *organ_capitals(const char *text)
{
    char *capitals = g_utf8_strup(text, -1);
    char *copy = strdup(capitals);
    g_free(capitals);
    return copy;
}

const char *organ_place(const struct organ *organ)
{
    return organ->commune ? organ->commune->name : organ->district->name;
}

/* The district's kind as in "Quận ủy", "Huyện đoàn", "Thị ủy". */
static const char *organ_tier_name(const struct district *district)
{
    if (!strcmp(district->kind, "quận"))
        return "Quận";
    return strcmp(district->kind, "huyện") ? "Thị" : "Huyện";
}

static void organ_fill(char *text, const char *pattern, const struct organ *organ)
{
    AUTO(buf_destroy) struct buf out = {0};
    for (const char *p = pattern; *p; p++) {
        if (*p != '%') {
            buf_append(&out, p, 1);
            continue;
        }
        switch (*++p) {
        case 'D': buf_printf(&out, "%s %s", organ->district->kind, organ->district->name); break;
        case 'd': buf_puts(&out, organ->district->name); break;
        case 'K': buf_puts(&out, organ_tier_name(organ->district)); break;
        case 'C': buf_append(&out, organ_tier_name(organ->district), 1); break;
        default: buf_puts(&out, organ->area); break;
        }
    }
    snprintf(text, ORGAN_TEXT_BYTES, "%s", buf_text(&out));
}

static void organ_area(struct organ *organ)
{
    const char *kind = organ->commune ? organ->commune->kind : organ->district->kind;
    snprintf(organ->area, sizeof organ->area, "%s %s", kind, organ_place(organ));
}

static const struct organ_rule *organ_rule_draw(struct chance *chance, enum organ_kind kind)
{
    const struct organ_rule *rule;
    do
        rule = &organ_rules[chance_below(chance, ORGAN_RULE_NR)];
    while (rule->kind != kind);
    return rule;
}

void organ_draw(struct chance *chance, enum organ_kind kind, struct organ *organ)
{
    const struct organ_rule *rule = organ_rule_draw(chance, kind);
    *organ = (struct organ){.kind = kind, .head = rule->head, .deputy = rule->deputy, .types = rule->types};
    organ->district = place_district(chance);
    if (rule->tier == TIER_COMMUNE)
        organ->commune = place_commune(chance, organ->district);
    organ_area(organ);
    organ_fill(organ->parent, rule->parent, organ);
    organ_fill(organ->issuer, rule->issuer, organ);
    organ_fill(organ->name, rule->issuer, organ);
    g_strdelimit(organ->name, "\n", ' ');
    organ_fill(organ->brief, rule->brief, organ);
    organ_fill(organ->above, rule->above, organ);
    organ_fill(organ->code, rule->code, organ);
    organ_fill(organ->on_behalf, rule->on_behalf, organ);
}
