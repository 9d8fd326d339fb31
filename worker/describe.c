/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "worker/describe.h"

#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "worker/bare.h"
#include "worker/closing.h"
#include "worker/header.h"
#include "worker/moment.h"
#include "worker/number.h"
#include "worker/propose.h"
#include "worker/title.h"
#include "worker/token.h"

enum {
    DESCRIBED_PAGES = 60, /* of a document: its head is on the first, and few are signed later than this */
    LANGUAGE_WORDS = 5,   /* fewer say nothing of the language */
    LANGUAGE_PERCENT = 60,
    LANGUAGE_CPCT = 9900,
    YEAR_DIGITS = 4,
    AGAINST_CPCT = 6000, /* what another field contradicts */
};

static void language_describe(const struct lines *pages, size_t count, Sohoa__Description *description)
{
    uint32_t words = 0, vietnamese = 0;
    for (size_t p = 0; p < count; p++)
        for (size_t i = 0; i < pages[p].count; i++)
            for (size_t w = 0; w < pages[p].at[i].words; w++) {
                enum token token = token_look(pages[p].at[i].word[w]->text);
                words += token == TOKEN_VIETNAMESE || token == TOKEN_FOREIGN || token == TOKEN_IMPOSSIBLE;
                vietnamese += token == TOKEN_VIETNAMESE;
            }
    if (words >= LANGUAGE_WORDS && vietnamese * 100 >= words * LANGUAGE_PERCENT)
        field_set(description, SOHOA__FIELD_NAME__FIELD_LANGUAGE, "Tiếng Việt", LANGUAGE_CPCT, NULL);
}

/* A normative text carries its year in its notation: "2025/QĐ-UBND". */
static void year_check(Sohoa__Description *description)
{
    const char *notation = field_value(description, SOHOA__FIELD_NAME__FIELD_NOTATION);
    const char *date = field_value(description, SOHOA__FIELD_NAME__FIELD_DATE);
    if (strspn(notation, "0123456789") != YEAR_DIGITS || !*date || !strncmp(notation, date, YEAR_DIGITS))
        return;
    field_doubt(description, SOHOA__FIELD_NAME__FIELD_NOTATION, AGAINST_CPCT, "its year is not that of the date");
    field_doubt(description, SOHOA__FIELD_NAME__FIELD_DATE, AGAINST_CPCT, "its year is not that of the notation");
}

static bool text_has(const char *text, const char *part)
{
    AUTO(mem_destroy) char *in = malloc(bare_room(text));
    AUTO(mem_destroy) char *what = malloc(bare_room(part));
    if (!in || !what)
        abort();
    bare_text(text, in, NULL);
    bare_text(part, what, NULL);
    return strstr(in, what) != NULL;
}

/* Where it was issued is in the name of who issued it, or of the body above. */
static void place_check(Sohoa__Description *description)
{
    const char *place = field_value(description, SOHOA__FIELD_NAME__FIELD_PLACE);
    const char *organ = field_value(description, SOHOA__FIELD_NAME__FIELD_ORGAN);
    const char *parent = field_value(description, SOHOA__FIELD_NAME__FIELD_PARENT_ORGAN);
    if (*place && *organ && !text_has(organ, place) && !text_has(parent, place))
        field_doubt(description, SOHOA__FIELD_NAME__FIELD_PLACE, AGAINST_CPCT,
                    "it is in the name of neither body of the letterhead");
}

Sohoa__Description *describe(Sohoa__Page *const *pages, size_t count)
{
    Sohoa__Description *description = description_new();
    size_t looked = count < DESCRIBED_PAGES ? count : DESCRIBED_PAGES;
    AUTO(mem_destroy) struct lines *lines = calloc(looked + 1, sizeof *lines);
    struct header header;
    if (!lines)
        abort();
    for (size_t i = 0; i < looked; i++)
        lines_take(pages[i], &lines[i]);
    if (header_find(lines, looked, &header)) {
        size_t first = (size_t)(header.page - lines);
        header_describe(&header, description);
        number_describe(&header, description);
        moment_describe(&header, moment_stamped(header.page), description);
        title_describe(&header, description);
        year_check(description);
        place_check(description);
        closing_describe(header.page, looked - first, description);
        language_describe(lines, looked, description);
    }
    propose(pages, lines, looked, description);
    for (size_t i = 0; i < looked; i++)
        lines_clear(&lines[i]);
    return description;
}

/* FNV-1a, 32 bit, of letters and digits: blanks and signs are what two readings of a name differ in. Source: draft-eastlake-fnv. */
static uint32_t key_add(uint32_t key, const char *bare)
{
    for (; *bare; bare++)
        if ((*bare >= 'a' && *bare <= 'z') || (*bare >= '0' && *bare <= '9'))
            key = (key ^ (uint8_t)*bare) * 16777619U;
    return (key ^ '|') * 16777619U;
}

uint32_t describe_key(const Sohoa__Description *description)
{
    static const Sohoa__FieldName parts[] = {SOHOA__FIELD_NAME__FIELD_ORGAN, SOHOA__FIELD_NAME__FIELD_NUMBER,
                                             SOHOA__FIELD_NAME__FIELD_NOTATION, SOHOA__FIELD_NAME__FIELD_DATE};
    uint32_t key = 2166136261U;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *value = field_value(description, parts[i]);
        AUTO(mem_destroy) char *bare = malloc(bare_room(value));
        if (!bare)
            abort();
        if (!*value || field_cpct(description, parts[i]) < FIELD_SURE_CPCT)
            return 0;
        bare_text(value, bare, NULL);
        key = key_add(key, bare);
    }
    return key ? key : 1;
}
