/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One row a field. */
#include "coordinator/correction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "coordinator/day.h"
#include "proto/auto.h"

enum {
    TYPE_CODES = 32,   /* "01" to "32" */
    TEXT_CHARS = 2000, /* where no rule says less */
    YEAR_LEAST = 1800,
};

static bool is_header(const char *text)
{
    static const char *const form[] = {"state", "party", "youth", "other"};
    size_t i = 0;
    while (i < sizeof form / sizeof form[0] && strcmp(form[i], text))
        i++;
    return i < sizeof form / sizeof form[0];
}

/* ISO 8601, of any year that records are of: day_parse() begins in 1970. */
static bool is_day(const char *text)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day, end = 0;
    if (strlen(text) != DAY_CHARS || text[strspn(text, "0123456789-")] ||
        sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &end) != 3 || end != DAY_CHARS)
        return false;
    bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;
    return year >= YEAR_LEAST && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

static bool is_type_code(const char *text)
{
    if (strlen(text) != 2 || text[strspn(text, "0123456789")])
        return false;
    long code = strtol(text, NULL, 10);
    return code >= 1 && code <= TYPE_CODES;
}

static bool is_number(const char *text)
{
    return !text[strspn(text, "0123456789")];
}

static const struct {
    const char *name;
    size_t most_chars;
    bool (*fits)(const char *text); /* NULL: any text does */
    const char *form;               /* what fits() wants */
} rule[REVIEW_FIELDS] = {
    [SOHOA__FIELD_NAME__FIELD_HEADER] = {"header",          TEXT_CHARS, is_header,    "state, party, youth or other"},
    [SOHOA__FIELD_NAME__FIELD_ORGAN] = {"organName",       200,        NULL,         NULL                          },
    [SOHOA__FIELD_NAME__FIELD_PARENT_ORGAN] = {"parentOrganName", 200,        NULL,         NULL                          },
    [SOHOA__FIELD_NAME__FIELD_NUMBER] = {"codeNumber",      11,         NULL,         NULL                          },
    [SOHOA__FIELD_NAME__FIELD_NOTATION] = {"codeNotation",    30,         NULL,         NULL                          },
    [SOHOA__FIELD_NAME__FIELD_PLACE] = {"place",           200,        NULL,         NULL                          },
    [SOHOA__FIELD_NAME__FIELD_DATE] = {"issuedDate",      TEXT_CHARS, is_day,       "a day: YYYY-MM-DD"           },
    [SOHOA__FIELD_NAME__FIELD_TYPE] = {"typeName",        100,        NULL,         NULL                          },
    [SOHOA__FIELD_NAME__FIELD_TYPE_CODE] = {"typeCode",        TEXT_CHARS, is_type_code, "01 to 32"                    },
    [SOHOA__FIELD_NAME__FIELD_SUBJECT] = {"subject",         500,        NULL,         NULL                          },
    [SOHOA__FIELD_NAME__FIELD_ADDRESSEE] = {"addressee",       TEXT_CHARS, NULL,         NULL                          },
    [SOHOA__FIELD_NAME__FIELD_SIGNER_PREFIX] = {"signerPrefix",    100,        NULL,         NULL                          },
    [SOHOA__FIELD_NAME__FIELD_SIGNER_TITLE] = {"signerTitle",     200,        NULL,         NULL                          },
    [SOHOA__FIELD_NAME__FIELD_SIGNER] = {"signer",          100,        NULL,         NULL                          },
    [SOHOA__FIELD_NAME__FIELD_RECIPIENTS] = {"recipients",      TEXT_CHARS, NULL,         NULL                          },
    [SOHOA__FIELD_NAME__FIELD_URGENCY] = {"urgency",         100,        NULL,         NULL                          },
    [SOHOA__FIELD_NAME__FIELD_COPIES] = {"copies",          10,         is_number,    "a number"                    },
    [SOHOA__FIELD_NAME__FIELD_LANGUAGE] = {"language",        100,        NULL,         NULL                          },
};

const char *correction_field(int field)
{
    return rule[field].name;
}

int correction_field_named(const char *name)
{
    for (int i = 0; i < REVIEW_FIELDS; i++)
        if (!strcmp(rule[i].name, name))
            return i;
    return -1;
}

/* Without space around it; NULL: it is no text of one form or another. */
static char *text_compose(const char *text)
{
    size_t from = strspn(text, " \t\n"), n = strlen(text + from);
    while (n && strchr(" \t\n", text[from + n - 1]))
        n--;
    uint8_t *composed = NULL;
    utf8proc_ssize_t bytes =
        utf8proc_map((const uint8_t *)text + from, (utf8proc_ssize_t)n, &composed, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    return bytes < 0 ? NULL : (char *)composed;
}

/* Control characters but line ends, where recipients stand. Returns how many characters. */
static size_t chars_count(const char *text, bool *ret_control)
{
    size_t count = 0;
    *ret_control = false;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        *ret_control = *ret_control || (c < ' ' && c != '\n') || c == 0x7f;
        count += (c & 0xc0) != 0x80;
    }
    return count;
}

int correction_value(int field, const char *text, char **ret_value, struct err *err)
{
    AUTO(mem_destroy) char *value = text_compose(text);
    bool control = false;
    size_t chars = value ? chars_count(value, &control) : 0;
    if (!value || control)
        return err_set(err, E_USAGE, "%s: control characters, or no UTF-8", rule[field].name);
    if (chars > rule[field].most_chars)
        return err_set(err, E_LIMIT, "%s has at most %zu characters, not %zu", rule[field].name, rule[field].most_chars,
                       chars);
    if (*value && rule[field].fits && !rule[field].fits(value))
        return err_set(err, E_USAGE, "%s is %s, not '%.60s'", rule[field].name, rule[field].form, value);
    *ret_value = value;
    value = NULL;
    return 0;
}
