/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Fills the slots of patterns. */
#include "bench/phrase.h"

#include <assert.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "bench/place.h"
#include "proto/auto.h"

enum { SLOT_BYTES = 32, PERSON_BYTES = 96 };

void phrase_define(struct phrase_context *context, const char *name, const char *text)
{
    assert(context->word_count < PHRASE_WORDS_MAX);
    context->words[context->word_count].name = name;
    context->words[context->word_count++].text = text;
}

static const char *phrase_word(const struct phrase_context *context, const char *slot)
{
    for (size_t i = 0; i < context->word_count; i++)
        if (!strcmp(context->words[i].name, slot))
            return context->words[i].text;
    return NULL;
}

const char *const *phrase_items(const char *name, uint32_t *ret_count)
{
    const struct phrase_list *list = phrase_book;
    while (list->name && strcmp(list->name, name) != 0)
        list++;
    assert(list->name);
    *ret_count = (uint32_t)list->count;
    return list->items;
}

static const char *phrase_draw(struct chance *chance, const char *slot)
{
    uint32_t count;
    const char *const *items = phrase_items(slot, &count);
    return items[chance_below(chance, count)];
}

/* Days below 10 and months 1 and 2 have a leading zero in Vietnamese documents. */
static void phrase_day(struct buf *out, struct chance *chance, int year)
{
    int day = chance_between(chance, 1, 28), month = chance_between(chance, 1, 12);
    buf_printf(out, "%02d/", day);
    buf_printf(out, month < 3 ? "%02d/%d" : "%d/%d", month, year);
}

/* "3-40" */
static void phrase_number(struct buf *out, struct chance *chance, const char *range)
{
    char *end;
    long least = strtol(range, &end, 10);
    assert(*end == '-');
    long most = strtol(end + 1, &end, 10);
    assert(!*end);
    buf_printf(out, "%d", chance_between(chance, (int)least, (int)most));
}

static void phrase_slot(struct buf *out, struct chance *chance, const struct phrase_context *context, const char *slot)
{
    if (*slot >= '0' && *slot <= '9') {
        phrase_number(out, chance, slot);
        return;
    }
    if (!strcmp(slot, "day")) {
        phrase_day(out, chance, context->year);
        return;
    }
    if (!strcmp(slot, "person")) {
        char name[PERSON_BYTES];
        place_person(chance, name, sizeof name);
        buf_puts(out, name);
        return;
    }
    const char *pattern = phrase_word(context, slot);
    phrase_write(out, chance, context, pattern ? pattern : phrase_draw(chance, slot));
}

static void phrase_capital(struct buf *out, const char *text)
{
    char letter[8] = {0};
    g_unichar_to_utf8(g_unichar_toupper(g_utf8_get_char(text)), letter);
    buf_puts(out, letter);
    buf_puts(out, g_utf8_next_char(text));
}

static void phrase_slot_capital(struct buf *out, struct chance *chance, const struct phrase_context *context,
                                const char *slot)
{
    AUTO(buf_destroy) struct buf text = {0};
    phrase_slot(&text, chance, context, slot);
    phrase_capital(out, buf_text(&text));
}

void phrase_write(struct buf *out, struct chance *chance, const struct phrase_context *context, const char *pattern)
{
    while (*pattern) {
        size_t plain = strcspn(pattern, "{");
        buf_append(out, pattern, plain);
        pattern += plain;
        if (!*pattern)
            break;
        size_t bytes = strcspn(++pattern, "}");
        char slot[SLOT_BYTES] = {0};
        assert(bytes < sizeof slot && pattern[bytes] == '}');
        memcpy(slot, pattern, bytes);
        if (*slot == '^')
            phrase_slot_capital(out, chance, context, slot + 1);
        else
            phrase_slot(out, chance, context, slot);
        pattern += bytes + 1;
    }
}
