/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Names are compared as a person without a Vietnamese keyboard would type them. */
#include "coordinator/naming.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/auto.h"

static const char *const kind_word[] = {"phuong ", "xa ", "thi tran ", "quan ", "huyen ", "thi xa "};

/* Small letters without marks, one space between words; "" for what is not UTF-8. */
static void fold(const char *text, struct buf *into)
{
    utf8proc_uint8_t *plain = NULL;
    utf8proc_ssize_t bytes =
        utf8proc_map((const utf8proc_uint8_t *)text, 0, &plain,
                     UTF8PROC_NULLTERM | UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK | UTF8PROC_CASEFOLD | UTF8PROC_COMPAT);
    buf_clear(into);
    for (utf8proc_ssize_t i = 0; i < bytes; i++) {
        bool space = plain[i] == ' ';
        if (space && (!into->size || into->data[into->size - 1] == ' '))
            continue;
        if (plain[i] == 0xc4 && plain[i + 1] == 0x91) { /* đ has no mark that could be taken off */
            buf_append(into, "d", 1);
            i++;
        } else {
            buf_append(into, &plain[i], 1);
        }
    }
    free(plain);
    while (into->size && into->data[into->size - 1] == ' ')
        into->data[--into->size] = '\0';
}

static const char *without_kind(const char *folded)
{
    for (size_t i = 0; i < sizeof kind_word / sizeof kind_word[0]; i++)
        if (!strncmp(folded, kind_word[i], strlen(kind_word[i])))
            return folded + strlen(kind_word[i]);
    return folded;
}

enum likeness { UNLIKE, PARTLY, CALLED_SO };

static enum likeness likeness_of(const struct place *place, const char *text, const char *folded)
{
    AUTO(buf_destroy) struct buf name = {0};
    char code[CODE_BYTES];
    if (!strcmp(place->unit, text) || !strcmp(place_code(place, code), text))
        return CALLED_SO;
    if (!*folded)
        return UNLIKE;
    fold(place->name, &name);
    if (!strcmp(buf_text(&name), folded) || !strcmp(without_kind(buf_text(&name)), folded))
        return CALLED_SO;
    return strstr(buf_text(&name), folded) ? PARTLY : UNLIKE;
}

void naming_find(const struct gazetteer *gazetteer, const char *text, struct buf *places)
{
    AUTO(buf_destroy) struct buf folded = {0};
    AUTO(buf_destroy) struct buf partly = {0};
    const struct place *place;
    size_t before = places->size;
    fold(text, &folded);
    for (size_t i = 0; (place = gazetteer_at(gazetteer, i)); i++) {
        enum likeness likeness = likeness_of(place, text, buf_text(&folded));
        if (likeness != UNLIKE)
            buf_append(likeness == CALLED_SO ? places : &partly, &place, sizeof place);
    }
    if (places->size == before)
        buf_append(places, partly.data, partly.size);
}
