/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"

struct said {
    const char *field, *value;
};

static struct {
    struct said said[64];
    char found[2048];
} it;

static const char *value_of(const char *field, void *user)
{
    (void)user;
    for (size_t i = 0; i < sizeof it.said / sizeof it.said[0] && it.said[i].field; i++)
        if (!strcmp(it.said[i].field, field))
            return it.said[i].value;
    return NULL;
}

static void note(const char *field, const char *why, void *user)
{
    (void)user;
    snprintf(it.found + strlen(it.found), sizeof it.found - strlen(it.found), "%s %s;", field, why);
}

static void say(const char *field, const char *value)
{
    size_t i = 0;
    while (it.said[i].field && strcmp(it.said[i].field, field))
        i++;
    it.said[i] = (struct said){field, value};
}

/* A record of an archival package that all rules are content with. */
static int good(void **state)
{
    (void)state;
    memset(&it, 0, sizeof it);
    const struct said document[] = {
        {"arcFileCode",     "H26.1"        },
        {"docCode",         "H26.1.0000001"},
        {"docOrdinal",      "1"            },
        {"typeName",        "02"           },
        {"issuedDate",      "29/02/2024"   },
        {"organName",       "Ủy ban"     },
        {"subject",         "Về việc"  },
        {"language",        "01"           },
        {"numberOfPage",    "3"            },
        {"mode",            "01"           },
        {"confidenceLevel", "02"           },
    };
    memcpy(it.said, document, sizeof document);
    return 0;
}

static const char *check(const char *profile, enum profile_record record)
{
    it.found[0] = '\0';
    profile_check(profile_named(profile), record, value_of, note, NULL);
    return it.found;
}

static void what_is_right_passes(void **state)
{
    (void)state;
    assert_string_equal(check("aip-05-2025", PROFILE_DOCUMENT), "");
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    say("mode", "");
    say("issuedDate", NULL);
    assert_string_equal(check("aip-05-2025", PROFILE_DOCUMENT), "issuedDate is missing;mode is missing;");
}

static void forms_are_looked_at(void **state)
{
    (void)state;
    say("issuedDate", "29/02/2023");
    say("typeName", "33");
    say("numberOfPage", "3a");
    say("mode", "Công khai"); /* the name of a code is no code */
    assert_string_equal(check("aip-05-2025", PROFILE_DOCUMENT),
                        "typeName '33' is no code of typeName;issuedDate '29/02/2023' is no day (DD/MM/YYYY);"
                        "numberOfPage '3a' is no number;mode 'Công khai' is no code of mode;");
}

/* Characters, not bytes. */
static void lengths_are_of_characters(void **state)
{
    (void)state;
    char subject[501 * 3 + 1];
    subject[0] = '\0';
    for (int i = 0; i < 500; i++)
        strcat(subject, "ệ");
    say("subject", subject);
    assert_string_equal(check("aip-05-2025", PROFILE_DOCUMENT), "");
    strcat(subject, "ệ");
    assert_string_equal(check("aip-05-2025", PROFILE_DOCUMENT),
                        "subject has 501 characters, 500 are allowed: shorten it in a review;");
}

static void conditions_are_kept(void **state)
{
    (void)state;
    const struct said file[] = {
        {"fileCode",        "H26.1"     },
        {"title",           "Hồ sơ"  },
        {"maintenance",     "01"        },
        {"mode",            "01"        },
        {"language",        "01"        },
        {"startDate",       "01/01/2020"},
        {"endDate",         "31/12/2020"},
        {"totalDoc",        "1"         },
        {"numberOfPaper",   "1"         },
        {"numberOfPage",    "1"         },
        {"riskRecovery",    "0"         },
        {"confidenceLevel", "01"        },
    };
    memset(it.said, 0, sizeof it.said);
    memcpy(it.said, file, sizeof file);
    assert_string_equal(check("sip-05-2025", PROFILE_FILE), "");
    say("confidenceLevel", "02");
    say("riskRecovery", "1");
    assert_string_equal(check("sip-05-2025", PROFILE_FILE),
                        "paperFileCode is missing: it is required where confidenceLevel=02;"
                        "riskRecoveryStatus is missing: it is required where riskRecovery=1;");
    say("riskRecovery", "y");
    say("paperFileCode", "12");
    assert_string_equal(check("sip-05-2025", PROFILE_FILE), "riskRecovery 'y' is neither 0 nor 1;");
}

static void names_stand_for_codes(void **state)
{
    (void)state;
    assert_string_equal(profile_code("maintenance", "vĩnh viễn"), "01");
    assert_string_equal(profile_code("maintenance", "permanent"), "01");
    assert_string_equal(profile_code("typeName", "QUYẾT ĐỊNH"), "02");
    assert_string_equal(profile_code("language", "01"), "01");
    assert_null(profile_code("typeName", "Truyện"));
    assert_null(profile_code("nothing", "01"));
}

static void profiles_are_whole(void **state)
{
    (void)state;
    const struct profile *sip = profile_named("sip-05-2025"), *aip = profile_named("aip-05-2025");
    assert_int_equal(sip->fields[PROFILE_FILE], 18);
    assert_int_equal(sip->fields[PROFILE_DOCUMENT], 21);
    assert_int_equal(aip->fields[PROFILE_FILE], 18);
    assert_int_equal(aip->fields[PROFILE_DOCUMENT], 19);
    assert_int_equal(profile_field(profile_named("02-2019"), PROFILE_DOCUMENT, "docCode")->most_chars, 25);
    assert_null(profile_field(aip, PROFILE_DOCUMENT, "docId"));
    assert_null(profile_named("aip-06-2030"));
    assert_string_equal(profile_names(), "02-2019, aip-05-2025, sip-05-2025");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_right_passes, good),
        cmocka_unit_test_setup(what_is_missing_is_named, good),
        cmocka_unit_test_setup(forms_are_looked_at, good),
        cmocka_unit_test_setup(lengths_are_of_characters, good),
        cmocka_unit_test_setup(conditions_are_kept, good),
        cmocka_unit_test(names_stand_for_codes),
        cmocka_unit_test(profiles_are_whole),
    };
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
