/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The tables are read once. */
#include "proto/profile.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/auto.h"
#include "proto/profile_02_2019.h"
#include "proto/profile_aip_05_2025.h"
#include "proto/profile_codes.h"
#include "proto/profile_sip_05_2025.h"

enum { PROFILES = 3, FIELDS_MOST = 64, CODES_MOST = 128, CELLS = 5, DAY_CHARS = 10, WHY_BYTES = 256 };

static const struct {
    const char *name;
    const unsigned char *bytes;
    size_t size;
} table[PROFILES] = {
    {"02-2019",     profile_02_2019,     sizeof profile_02_2019    },
    {"aip-05-2025", profile_aip_05_2025, sizeof profile_aip_05_2025},
    {"sip-05-2025", profile_sip_05_2025, sizeof profile_sip_05_2025},
};

/* ---- reading ---- */

/* The next row of cells; false at the end. The first row of a table names the cells, # begins a remark. */
static bool row_next(char **text, char *cell[CELLS])
{
    while (**text) {
        char *line = *text, *end = line + strcspn(line, "\n");
        *text = end + (*end == '\n');
        *end = '\0';
        if (!*line || *line == '#')
            continue;
        for (int i = 0; i < CELLS; i++) {
            size_t n = strcspn(line, "\t");
            cell[i] = line;
            line += n;
            if (*line)
                *line++ = '\0';
        }
        return true;
    }
    return false;
}

static char *text_of(const unsigned char *bytes, size_t size)
{
    char *text = malloc(size + 1), *cell[CELLS];
    if (!text)
        abort();
    memcpy(text, bytes, size);
    text[size] = '\0';
    char *at = text;
    row_next(&at, cell); /* the names of the cells */
    memmove(text, at, strlen(at) + 1);
    return text;
}

static void profile_load(size_t number, struct profile *profile, struct profile_field field[FIELDS_MOST])
{
    char *cell[CELLS], *at = text_of(table[number].bytes, table[number].size);
    size_t count = 0;
    profile->name = table[number].name;
    while (row_next(&at, cell)) {
        enum profile_record record = strcmp(cell[0], "file") ? PROFILE_DOCUMENT : PROFILE_FILE;
        assert(count < FIELDS_MOST && (record == PROFILE_DOCUMENT || !profile->fields[PROFILE_DOCUMENT]));
        if (!profile->fields[record]++)
            profile->field[record] = &field[count];
        field[count++] = (struct profile_field){cell[1], cell[2], strtoul(cell[3], NULL, 10), cell[4]};
    }
}

const struct profile *profile_named(const char *name)
{
    static struct profile profile[PROFILES];
    static struct profile_field field[PROFILES][FIELDS_MOST];
    for (size_t i = 0; i < PROFILES; i++) {
        if (strcmp(table[i].name, name))
            continue;
        if (!profile[i].name)
            profile_load(i, &profile[i], field[i]);
        return &profile[i];
    }
    return NULL;
}

const char *profile_names(void)
{
    static char names[PROFILES * 16];
    for (size_t i = 0; i < PROFILES && !*names; i++)
        for (size_t k = 0; k < PROFILES; k++)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", k ? ", " : "", table[k].name);
    return names;
}

const struct profile_field *profile_field(const struct profile *profile, enum profile_record record, const char *name)
{
    for (size_t i = 0; i < profile->fields[record]; i++)
        if (!strcmp(profile->field[record][i].name, name))
            return &profile->field[record][i];
    return NULL;
}

/* ---- codes ---- */

struct code {
    const char *list, *code, *name;
};

static const struct code *codes(size_t *count)
{
    static struct code code[CODES_MOST];
    static size_t known;
    if (!known) {
        char *cell[CELLS], *at = text_of(profile_codes, sizeof profile_codes);
        while (row_next(&at, cell)) {
            assert(known < CODES_MOST);
            code[known++] = (struct code){cell[0], cell[1], cell[2]};
        }
    }
    *count = known;
    return code;
}

/* Without case; NULL: no UTF-8. */
static char *fold(const char *text)
{
    uint8_t *folded = NULL;
    utf8proc_ssize_t n = utf8proc_map((const uint8_t *)text, 0, &folded,
                                      UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);
    return n < 0 ? NULL : (char *)folded;
}

static bool same_text(const char *a, const char *b)
{
    AUTO(mem_destroy) char *x = fold(a);
    AUTO(mem_destroy) char *y = fold(b);
    return x && y && !strcmp(x, y);
}

const char *profile_code(const char *list, const char *text)
{
    size_t count;
    const struct code *code = codes(&count);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(code[i].list, list) && (!strcmp(code[i].code, text) || same_text(code[i].name, text)))
            return code[i].code;
    return NULL;
}

/* ---- checking ---- */

static size_t chars_of(const char *text)
{
    size_t chars = 0;
    for (; *text; text++)
        chars += ((unsigned char)*text & 0xc0) != 0x80;
    return chars;
}

static bool is_day(const char *text)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned day, month, year;
    int end = 0;
    if (strlen(text) != DAY_CHARS || strspn(text, "0123456789/") != DAY_CHARS ||
        sscanf(text, "%2u/%2u/%4u%n", &day, &month, &year, &end) != 3 || end != DAY_CHARS)
        return false;
    bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;
    return year && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (unsigned)(month == 2 && leap);
}

static bool fits(const struct profile_field *field, const char *value, char why[WHY_BYTES])
{
    size_t chars = chars_of(value);
    const char *list = strncmp(field->type, "code:", 5) ? NULL : field->type + 5;
    *why = '\0';
    if (chars > field->most_chars)
        snprintf(why, WHY_BYTES, "has %zu characters, %zu are allowed: shorten it in a review", chars,
                 field->most_chars);
    else if (!strcmp(field->type, "day") && !is_day(value))
        snprintf(why, WHY_BYTES, "'%.40s' is no day (DD/MM/YYYY)", value);
    else if (!strcmp(field->type, "number") && value[strspn(value, "0123456789")])
        snprintf(why, WHY_BYTES, "'%.40s' is no number", value);
    else if (!strcmp(field->type, "bool") && strcmp(value, "0") && strcmp(value, "1"))
        snprintf(why, WHY_BYTES, "'%.40s' is neither 0 nor 1", value);
    else if (list && (!profile_code(list, value) || strcmp(profile_code(list, value), value)))
        snprintf(why, WHY_BYTES, "'%.40s' is no code of %s", value, list);
    return !*why;
}

/* "confidenceLevel=02" holds. */
static bool holds(const char *condition, profile_value *value, void *user)
{
    const char *sign = strchr(condition, '=');
    char field[64];
    if (!sign || (size_t)(sign - condition) >= sizeof field)
        return false;
    snprintf(field, sizeof field, "%.*s", (int)(sign - condition), condition);
    const char *is = value(field, user);
    return is && !strcmp(is, sign + 1);
}

size_t profile_check(const struct profile *profile, enum profile_record record, profile_value *value,
                     void (*found)(const char *field, const char *why, void *user), void *user)
{
    size_t count = 0;
    for (size_t i = 0; i < profile->fields[record]; i++) {
        const struct profile_field *field = &profile->field[record][i];
        const char *is = value(field->name, user);
        char why[WHY_BYTES] = "";
        bool there = is && *is;
        if (there)
            fits(field, is, why);
        else if (!strcmp(field->need, "required"))
            snprintf(why, sizeof why, "is missing");
        else if (holds(field->need, value, user))
            snprintf(why, sizeof why, "is missing: it is required where %s", field->need);
        if (!*why)
            continue;
        found(field->name, why, user);
        count++;
    }
    return count;
}

/* ---- as a schema ---- */

static void type_write(const struct profile_field *field, struct buf *into)
{
    size_t count;
    const struct code *code = codes(&count);
    const char *last = "";
    buf_puts(into, "<xs:simpleType><xs:restriction base=\"xs:string\">");
    if (!strcmp(field->type, "day"))
        buf_puts(into, "<xs:pattern value=\"[0-9]{2}/[0-9]{2}/[0-9]{4}\"/>");
    else if (!strcmp(field->type, "number"))
        buf_printf(into, "<xs:pattern value=\"[0-9]{1,%zu}\"/>", field->most_chars);
    else if (!strcmp(field->type, "bool"))
        buf_puts(into, "<xs:enumeration value=\"0\"/><xs:enumeration value=\"1\"/>");
    else if (!strncmp(field->type, "code:", 5)) {
        for (size_t i = 0; i < count; i++) {
            if (strcmp(code[i].list, field->type + 5) || !strcmp(code[i].code, last))
                continue;
            buf_printf(into, "<xs:enumeration value=\"%s\"/>", code[i].code);
            last = code[i].code;
        }
    } else
        buf_printf(into, "<xs:minLength value=\"1\"/><xs:maxLength value=\"%zu\"/>", field->most_chars);
    buf_puts(into, "</xs:restriction></xs:simpleType>");
}

void profile_schema(const struct profile *profile, enum profile_record record, const char *root, struct buf *into)
{
    buf_printf(into,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" "
               "targetNamespace=\"" PROFILE_NAMESPACE "\" elementFormDefault=\"qualified\">\n"
               "<xs:element name=\"%s\"><xs:complexType><xs:sequence>\n",
               root);
    for (size_t i = 0; i < profile->fields[record]; i++) {
        const struct profile_field *field = &profile->field[record][i];
        buf_printf(into, "<xs:element name=\"%s\"%s>", field->name,
                   strcmp(field->need, "required") ? " minOccurs=\"0\"" : "");
        type_write(field, into);
        buf_puts(into, "</xs:element>\n");
    }
    buf_printf(into,
               "</xs:sequence><xs:attribute name=\"profile\" use=\"required\" fixed=\"%s\"/>"
               "</xs:complexType></xs:element>\n</xs:schema>\n",
               profile->name);
}
