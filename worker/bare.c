/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "worker/bare.h"

#include <string.h>
#include <utf8proc.h>

enum {
    BARE_PARTS = 8,     /* a letter and its marks */
    BARE_COMPARED = 96, /* letters that are compared at most: longer texts differ */
    BARE_LETTERS_PER_SLIP = 6,
};

char bare_rune(int32_t rune)
{
    utf8proc_int32_t parts[BARE_PARTS] = {rune}, lower = utf8proc_tolower(rune);
    if (lower == 0x111 || lower == 0xf0)
        return 'd';
    if (lower == 0x2013 || lower == 0x2014)
        return '-';
    utf8proc_ssize_t n = utf8proc_decompose_char(lower, parts, BARE_PARTS, UTF8PROC_DECOMPOSE, NULL);
    return n > 0 && parts[0] < 0x7f && parts[0] >= ' ' ? (char)parts[0] : '?';
}

size_t bare_room(const char *text)
{
    return strlen(text) + 1;
}

size_t bare_text(const char *text, char *bare, uint32_t *at)
{
    size_t count = 0, from = 0, bytes = strlen(text);
    while (from < bytes) {
        utf8proc_int32_t rune;
        utf8proc_ssize_t size =
            utf8proc_iterate((const utf8proc_uint8_t *)text + from, (utf8proc_ssize_t)(bytes - from), &rune);
        if (at)
            at[count] = (uint32_t)from;
        bare[count++] = size > 0 ? bare_rune(rune) : '?';
        from += size > 0 ? (size_t)size : 1;
    }
    if (at)
        at[count] = (uint32_t)bytes;
    bare[count] = 0;
    return count;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned bare_distance(const char *a, size_t a_size, const char *b, size_t b_size, unsigned most)
{
    unsigned row[BARE_COMPARED + 1];
    size_t longer = a_size > b_size ? a_size : b_size, shorter = a_size + b_size - longer;
    if (longer > BARE_COMPARED || longer - shorter > most)
        return most + 1;
    for (unsigned j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 0; i < a_size; i++) {
        unsigned before = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < b_size; j++) {
            unsigned here = before + (a[i] != b[j]);
            before = row[j + 1];
            row[j + 1] = least(here, least(before, row[j]) + 1);
        }
    }
    return row[b_size] > most ? most + 1 : row[b_size];
}

bool bare_alike(const char *a, size_t a_size, const char *b)
{
    size_t size = strlen(b);
    unsigned most = (unsigned)(size / BARE_LETTERS_PER_SLIP);
    return bare_distance(a, a_size, b, size, most) <= most;
}
