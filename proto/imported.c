/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/imported.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/legacy.h"

enum { IMPORTED_MOST_DAYS = 31, ISO_DAY_BYTES = 11 };

/* In characters, of Circular 02/2019; 0: it has no such field, and the row's own length is the limit. */
static const struct {
    const char *name;
    unsigned most;
    bool day;
} rule[IMPORTED_FIELDS] = {
    {"organName",       200,  false},
    {"parentOrganName", 200,  false},
    {"codeNumber",      11,   false},
    {"codeNotation",    30,   false},
    {"place",           0,    false},
    {"issuedDate",      0,    true },
    {"typeName",        100,  false},
    {"typeCode",        100,  false},
    {"subject",         500,  false},
    {"addressee",       0,    false},
    {"signerPrefix",    0,    false},
    {"signerTitle",     0,    false},
    {"signer",          0,    false},
    {"recipients",      0,    false},
    {"urgency",         0,    false},
    {"copies",          0,    false},
    {"language",        100,  false},
    {"docCode",         25,   false},
    {"pageAmount",      4,    false},
    {"description",     500,  false},
    {"inforSign",       30,   false},
    {"keyword",         100,  false},
    {"mode",            20,   false},
    {"confidenceLevel", 30,   false},
    {"autograph",       2000, false},
    {"format",          50,   false},
    {"title",           1000, false},
    {"maintenance",     100,  false},
    {"rights",          30,   false},
};

const char *imported_name(size_t field)
{
    assert(field < IMPORTED_FIELDS);
    return rule[field].name;
}

void imported_clear(char *value[IMPORTED_FIELDS])
{
    for (size_t i = 0; i < IMPORTED_FIELDS; i++) {
        free(value[i]);
        value[i] = NULL;
    }
}

static bool day_exists(unsigned year, unsigned month, unsigned day)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return year && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (unsigned)(month == 2 && leap);
}

/* DD/MM/YYYY, also with dashes or dots, or YYYY-MM-DD. */
static bool day_read(const char *text, char iso[ISO_DAY_BYTES])
{
    unsigned a, b, c;
    char one, two, rest;
    if (strspn(text, "0123456789/.-") != strlen(text) || strlen(text) >= ISO_DAY_BYTES ||
        sscanf(text, "%4u%c%2u%c%4u%c", &a, &one, &b, &two, &c, &rest) != 5 || one != two || !strchr("/.-", one))
        return false;
    bool first_is_year = a > IMPORTED_MOST_DAYS;
    unsigned year = first_is_year ? a : c, day = first_is_year ? c : a;
    if ((first_is_year && one != '-') || year < 1000 || !day_exists(year, b, day))
        return false;
    snprintf(iso, ISO_DAY_BYTES, "%04u-%02u-%02u", year % 10000, b % 100, day % 100);
    return true;
}

static unsigned letters_of(const char *text)
{
    unsigned letters = 0;
    for (; *text; text++)
        letters += ((unsigned char)*text & 0xc0) != 0x80;
    return letters;
}

static int value_check(size_t field, char **value, struct err *err)
{
    char iso[ISO_DAY_BYTES];
    unsigned letters = letters_of(*value);
    if (rule[field].most && letters > rule[field].most)
        return err_set(err, E_MANIFEST, "%s has %u characters; %u are allowed (Circular 02/2019)", rule[field].name,
                       letters, rule[field].most);
    if (!rule[field].day)
        return 0;
    if (!day_read(*value, iso))
        return err_set(err, E_MANIFEST, "%s '%.20s' is no day of the form DD/MM/YYYY or YYYY-MM-DD", rule[field].name,
                       *value);
    free(*value);
    *value = strdup(iso);
    if (!*value)
        abort();
    return 0;
}

static int value_read(size_t field, const char *raw, enum legacy legacy, char **value, struct err *err)
{
    *value = legacy_convert(raw, legacy);
    if (!*value)
        return err_set(
            err, E_MANIFEST,
            "%s has letters of an encoding that is not Unicode and can't be told for certain: give it in Unicode",
            rule[field].name);
    if (**value)
        return value_check(field, value, err);
    free(*value);
    *value = NULL;
    return 0;
}

/* Texts without a letter that an old encoding would write otherwise are in none. */
static enum legacy legacy_for(const char *raw, enum legacy legacy)
{
    const char *at = raw;
    while (*at && (unsigned char)*at < 0x80)
        at++;
    return *at ? legacy : LEGACY_NONE;
}

int imported_read(const char *const raw[IMPORTED_FIELDS], char *value[IMPORTED_FIELDS], struct err *err)
{
    enum legacy legacy = legacy_of(raw, IMPORTED_FIELDS);
    int rc = 0;
    memset(value, 0, IMPORTED_FIELDS * sizeof *value);
    for (size_t i = 0; i < IMPORTED_FIELDS && !rc; i++)
        if (raw[i])
            rc = value_read(i, raw[i], legacy_for(raw[i], legacy), &value[i], err);
    if (rc)
        imported_clear(value);
    return rc;
}

int imported_digitised(const char *text, bool *ret_digitised, struct err *err)
{
    static const char *const yes[] = {"yes", "true", "1", "có"}, *const no[] = {"no", "false", "0", "không"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (strcmp(text, yes[i]) && strcmp(text, no[i]))
            continue;
        *ret_digitised = !strcmp(text, yes[i]);
        return 0;
    }
    return err_set(err, E_MANIFEST, IMPORTED_DIGITISED " '%.20s' is neither yes nor no", text);
}
