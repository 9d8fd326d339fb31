/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Predicates: what they choose, bound for a lot or not, and how they are refused. */
#include "coordinator/where.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "proto/sohoa.pb-c.h"

enum { NO_GRADE = 1, GRADE_A = 2, GRADE_B = 4, GRADE_C = 8 };

struct sample {
    struct where_lot lot;
    struct where_facts facts;
};

/* A dead document, of which a page ran out of time; others of its lot are stored. */
static const struct sample dead = {
    {.text =
         {[WHERE_BATCH] = "b-1.x", [WHERE_UNIT] = "district:001", [WHERE_BLOC] = "Party", [WHERE_PIPELINE] = "ab12cd"},
     .priority = 2,
     .states = 1 << SOHOA__DOC_STATE__DOC_DEAD | 1 << SOHOA__DOC_STATE__DOC_STORED},
    {{[WHERE_STATE] = SOHOA__DOC_STATE__DOC_DEAD,
      [WHERE_ERROR] = -E_TIME,
      [WHERE_CONFIDENCE] = 8550,
      [WHERE_PAGES] = 12,
      [WHERE_DEAD] = 3,
      [WHERE_DOCUMENT] = 7,
      [WHERE_PRIORITY] = 2,
      [WHERE_GENERATION] = 1}                                         }
};
/* One that is stored, as all of its lot are, without a read word. */
static const struct sample blank = {
    {.text = {[WHERE_BATCH] = "b 2", [WHERE_UNIT] = "", [WHERE_BLOC] = "", [WHERE_PIPELINE] = "ff"},
     .priority = 3,
     .states = 1 << SOHOA__DOC_STATE__DOC_STORED},
    {{[WHERE_STATE] = SOHOA__DOC_STATE__DOC_STORED,
      [WHERE_ERROR] = WHERE_NOTHING,
      [WHERE_CONFIDENCE] = WHERE_NOTHING,
      [WHERE_PAGES] = 1,
      [WHERE_PRIORITY] = 3}                                                   }
};

static uint8_t grades_of(const char *text, const struct sample *of)
{
    AUTO(where_destroy) struct where *where = NULL;
    struct where_op bound[WHERE_OPS];
    struct err err;
    if (where_parse(text, &where, &err))
        fail_msg("'%s': %s", text, err.text);
    memset(bound, 0xff, sizeof bound);
    uint32_t ops = where_bind(where, &of->lot, bound);
    return where_grades(where, bound, ops, &of->facts);
}

#define CHOOSES(text, facts)        assert_int_equal(grades_of(text, facts), WHERE_ALL)
#define CHOOSES_NOT(text, facts)    assert_int_equal(grades_of(text, facts), 0)
#define CHOOSES_OF(text, facts, of) assert_int_equal(grades_of(text, facts), of)

static void terms_compare_what_they_name(void **state)
{
    (void)state;
    CHOOSES("batch=b-1.x", &dead);
    CHOOSES_NOT("batch=b-1", &dead);
    CHOOSES("batch=\"b 2\"", &blank);
    CHOOSES("batch='b 2'", &blank);
    CHOOSES("unit = district:001", &dead);
    CHOOSES_NOT("unit != district:001", &dead);
    CHOOSES("unit=\"\"", &blank);
    CHOOSES("pipeline=ab1", &dead);
    CHOOSES_NOT("pipeline=ab12cde", &dead);
    CHOOSES("state=dead", &dead);
    CHOOSES("state!=stored", &dead);
    CHOOSES("error=E_TIME", &dead);
    CHOOSES("error in (E_SLOT, E_TIME)", &dead);
    CHOOSES_NOT("error not in (E_SLOT, E_TIME)", &dead);
    CHOOSES("bloc=Party and bloc!=party", &dead);
    CHOOSES("error!=E_TIME", &blank);
    CHOOSES_NOT("error=E_TIME", &blank);
}

static void numbers_have_an_order(void **state)
{
    (void)state;
    CHOOSES("dead=3 and generation>0 and priority<3", &dead);
    CHOOSES_NOT("priority in (1, 3)", &dead);
    CHOOSES("priority in (1, 3)", &blank);
    CHOOSES("pages=12", &dead);
    CHOOSES("pages>11", &dead);
    CHOOSES_NOT("pages>12", &dead);
    CHOOSES("pages>=12", &dead);
    CHOOSES("pages<=12", &dead);
    CHOOSES_NOT("pages<12", &dead);
    CHOOSES("confidence<85.51", &dead);
    CHOOSES_NOT("confidence<85.5%", &dead);
    CHOOSES("confidence=85.5", &dead);
    CHOOSES("confidence>=85", &dead);
    CHOOSES_NOT("confidence<100", &blank);
    CHOOSES_NOT("confidence>=0", &blank);
    CHOOSES("confidence!=90", &blank);
    CHOOSES("document in (9, 7, 100, 0, 3)", &dead);
    CHOOSES("document in (9, 7, 100, 0, 3)", &blank);
    CHOOSES_NOT("document in (9, 8, 100, 0, 3)", &dead);
    CHOOSES_NOT("document in (8)", &dead);
}

static void grades_choose_pages(void **state)
{
    (void)state;
    CHOOSES_OF("grade=C", &dead, GRADE_C);
    CHOOSES_OF("grade=c", &dead, GRADE_C);
    CHOOSES_OF("grade!=C", &dead, NO_GRADE | GRADE_A | GRADE_B);
    CHOOSES_OF("grade in (B, none)", &dead, GRADE_B | NO_GRADE);
    CHOOSES_OF("grade not in (B, none)", &dead, GRADE_A | GRADE_C);
    CHOOSES_OF("grade=C and unit=district:001", &dead, GRADE_C);
    CHOOSES_NOT("grade=C and unit=district:002", &dead);
    CHOOSES_OF("grade=C or grade=B and pages=12", &dead, GRADE_C | GRADE_B);
    CHOOSES("grade=C or pages=12", &dead);
    CHOOSES_NOT("grade=C and grade=A", &dead);
}

static void not_binds_before_and_before_or(void **state)
{
    (void)state;
    CHOOSES("state=dead or state=stored and pages=99", &dead);
    CHOOSES_NOT("(state=dead or state=stored) and pages=99", &dead);
    CHOOSES_NOT("not state=dead or pages=99", &dead);
    CHOOSES("not (state=stored or pages=99)", &dead);
    CHOOSES("not not state=dead", &dead);
    CHOOSES_OF("not (grade=C and unit=district:001)", &dead, NO_GRADE | GRADE_A | GRADE_B);
    CHOOSES("NOT state=stored AND pages in(12)", &dead);
    CHOOSES("pages=1 or (pages=2 or (pages=3 or (pages=4 and pages=5 or (unit=district:001 and pages=12))))", &dead);
}

/* What a lot decides is decided once: its documents are not looked at. */
static void binding_drops_what_is_known(void **state)
{
    static const struct {
        const char *text;
        uint32_t ops;
    } rule[] = {
        {"unit=district:001 and pages>3",                          1},
        {"pages>3 and unit=district:001",                          1},
        {"state=refused or not priority=2 and pages>3",            1},
        {"unit=district:002 and (pages>3 or confidence<50)",       1},
        {"(pages>3 or confidence<50) and not unit=district:001",   1},
        {"unit=district:002 or pages>3 and confidence<50",         3},
        {"grade=C and unit=district:001",                          1},
        {"not (unit=district:002 and pages>3)",                    1},
        {"pages>3 and (batch=b-1.x or confidence<5) and pages<20", 3},
        {"state in (dead, stored) and pages>3",                    1},
        {"state=dead",                                             1},
    };
    struct where_op bound[WHERE_OPS];
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof rule / sizeof *rule; i++) {
        AUTO(where_destroy) struct where *where = NULL;
        assert_int_equal(where_parse(rule[i].text, &where, &err), 0);
        uint32_t ops = where_bind(where, &dead.lot, bound);
        if (ops != rule[i].ops)
            fail_msg("'%s' is bound to %u, not %u", rule[i].text, ops, rule[i].ops);
        assert_int_equal(where_never(bound, ops), i >= 2 && i <= 4);
    }
}

static void it_tells_what_it_names(void **state)
{
    AUTO(where_destroy) struct where *where = NULL;
    struct err err;
    (void)state;
    assert_int_equal(where_parse("unit=district:001 and batch in (x, y) or batch!='z z'", &where, &err), 0);
    assert_string_equal(where_value(where, WHERE_BATCH, 0), "x");
    assert_string_equal(where_value(where, WHERE_BATCH, 1), "y");
    assert_string_equal(where_value(where, WHERE_BATCH, 2), "z z");
    assert_null(where_value(where, WHERE_BATCH, 3));
    assert_false(where_of_pages(where));
}

static void refusals_say_where_and_what_is_allowed(void **state)
{
    static const struct {
        const char *text, *why;
    } rule[] = {
        {"",                            "at letter 1: a term is expected"                      },
        {"colour=red",                  "at letter 1: 'colour' is no key: batch, unit,"        },
        {"grad=C",                      "'grad' is no key; 'grade' is"                         },
        {"state=dead and confidance<3", "at letter 16: 'confidance' is no key; 'confidence' is"},
        {"grade=D",                     "at letter 7: 'D' is not a grade: A, B, C or none"     },
        {"grade>B",                     "at letter 6: grade takes =, != and in"                },
        {"state=gone",                  "'gone' is not a state: stored, dead, refused"         },
        {"error=E_TIEM",                "'E_TIEM' is not an error's code"                      },
        {"pages=many",                  "'many' is not a number"                               },
        {"pages=1234567890",            "'1234567890' is not a number"                         },
        {"confidence<101",              "'101' is not a percentage"                            },
        {"confidence<8.",               "'8.' is not a percentage"                             },
        {"confidence<8.123",            "'8.123' is not a percentage"                          },
        {"unit=ward:1",                 "at letter 6: unit 'ward:1' is not of the form"        },
        {"pipeline=xyz",                "'xyz' is no digest"                                   },
        {"pages",                       "at letter 6: =, !=, <, <=, >, >= or in is expected"   },
        {"state dead",                  "=, != or in is expected behind state"                 },
        {"pages=",                      "at letter 7: a value is expected"                     },
        {"batch=\"x",                   "at letter 7: the quote does not end"                  },
        {"pages in 3",                  "at letter 10: a list is expected"                     },
        {"pages in (3 4)",              "at letter 13: a comma or ')' is expected"             },
        {"pages in (3,)",               "at letter 13: a value is expected"                    },
        {"pages not = 3",               "at letter 11: 'in' is expected behind 'not'"          },
        {"(pages=3",                    "at letter 9: 'and', 'or' or ')' is expected"          },
        {"pages=3)",                    "at letter 8: 'and' or 'or' is expected"               },
        {"pages=3 pages=4",             "at letter 9: 'and' or 'or' is expected"               },
        {"pages=3 and",                 "at letter 12: a term is expected"                     },
        {"and pages=3",                 "at letter 1: 'and' is no key"                         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rule / sizeof *rule; i++) {
        struct where *where = NULL;
        struct err err = {0};
        assert_int_equal(where_parse(rule[i].text, &where, &err), E_WHERE);
        assert_null(where);
        if (!strstr(err.text, rule[i].why))
            fail_msg("'%s': '%s' does not say '%s'", rule[i].text, err.text, rule[i].why);
    }
}

/* text: unit, count times, and end, count times. */
static int parse_repeated(const char *unit, unsigned count, const char *middle, const char *end, struct err *err)
{
    AUTO(where_destroy) struct where *where = NULL;
    AUTO(mem_destroy) char *text = calloc(1, count * (strlen(unit) + strlen(end)) + strlen(middle) + 1);
    char *at = text;
    assert_non_null(text);
    for (unsigned i = 0; i < count; i++)
        at = stpcpy(at, unit);
    at = stpcpy(at, middle);
    for (unsigned i = 0; i < count; i++)
        at = stpcpy(at, end);
    struct where_op bound[WHERE_OPS];
    int rc = where_parse(text, &where, err);
    if (!rc)
        assert_int_equal(where_grades(where, bound, where_bind(where, &dead.lot, bound), &dead.facts), 0);
    return rc;
}

static void its_size_is_bounded(void **state)
{
    struct err err;
    (void)state;
    assert_int_equal(parse_repeated("(", WHERE_NEST - 1, "pages=3", ")", &err), 0);
    assert_int_equal(parse_repeated("(", WHERE_NEST, "pages=3", ")", &err), E_WHERE);
    assert_non_null(strstr(err.text, "WHERE_NEST"));
    assert_int_equal(parse_repeated("not ", WHERE_NEST, "pages=3", "", &err), E_WHERE);
    assert_int_equal(parse_repeated("pages=3 or ", (WHERE_OPS - 1) / 2, "pages=3", "", &err), 0);
    assert_int_equal(parse_repeated("pages=3 or ", WHERE_OPS / 2, "pages=3", "", &err), E_WHERE);
    assert_non_null(strstr(err.text, "WHERE_OPS"));
    assert_int_equal(parse_repeated(" ", WHERE_BYTES - 8, "pages=3", "", &err), 0);
    assert_int_equal(parse_repeated(" ", WHERE_BYTES - 7, "pages=3", "", &err), E_WHERE);
    assert_non_null(strstr(err.text, "WHERE_BYTES"));
    /* The most that can wait for its right operand at once. */
    assert_int_equal(
        parse_repeated("pages=1 or pages=2 and (", WHERE_NEST - 1, "pages=1 or pages=2 and pages=3", ")", &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_compare_what_they_name),
        cmocka_unit_test(numbers_have_an_order),
        cmocka_unit_test(grades_choose_pages),
        cmocka_unit_test(not_binds_before_and_before_or),
        cmocka_unit_test(binding_drops_what_is_known),
        cmocka_unit_test(it_tells_what_it_names),
        cmocka_unit_test(refusals_say_where_and_what_is_allowed),
        cmocka_unit_test(its_size_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
