/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The error table and the one way to fill an error in. */
#include "proto/err.h"

#include <errno.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ERRNO_TEXT_BYTES = 64 }; /* kept free for what errno means */

static const struct {
    const char *name, *meaning;
    enum err_class class;
} err_rule[] = {
#define ERR_ROW(name, number, class, text) [number] = {#name, text, ERR_##class},
    ERR_TABLE(ERR_ROW)
#undef ERR_ROW
};

static bool err_known(int code)
{
    return code < 0 && code > -(int)(sizeof err_rule / sizeof err_rule[0]) && err_rule[-code].name;
}

/* Bytes of the well-formed UTF-8 sequence at c (Unicode 15, table 3-7); 0: there is none. */
static size_t utf8_bytes(const unsigned char *c)
{
    size_t more = c[0] < 0x80 ? 0 : c[0] < 0xe0 ? 1 : c[0] < 0xf0 ? 2 : 3;
    if ((c[0] >= 0x80 && c[0] < 0xc2) || c[0] > 0xf4)
        return 0;
    unsigned char least = c[0] == 0xe0 ? 0xa0 : c[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char most = c[0] == 0xed ? 0x9f : c[0] == 0xf4 ? 0x8f : 0xbf;
    for (size_t i = 1; i <= more; i++) {
        if (c[i] < least || c[i] > most)
            return 0;
        least = 0x80;
        most = 0xbf;
    }
    return more + 1;
}

/* The length of text without a UTF-8 sequence that was cut off at its end. */
static size_t whole_length(const char *text, size_t n)
{
    size_t lead = n;
    while (lead > 0 && n - lead < 3 && ((unsigned char)text[lead - 1] & 0xc0) == 0x80)
        lead--;
    bool cut = lead > 0 && (unsigned char)text[lead - 1] >= 0xc2 && !utf8_bytes((const unsigned char *)text + lead - 1);
    return cut ? lead - 1 : n;
}

/* Makes text one printable line of UTF-8: it goes into JSON and to terminals, and may hold a file's name of any bytes. */
static void err_tidy(char *text)
{
    size_t n = strlen(text), bytes;
    if (n == ERR_TEXT_BYTES - 1)
        text[whole_length(text, n)] = '\0';
    for (unsigned char *c = (unsigned char *)text; *c; c += bytes ? bytes : 1) {
        bytes = utf8_bytes(c);
        if (!bytes)
            *c = '?';
        else if (*c < 0x20 || *c == 0x7f)
            *c = ' ';
    }
}

int err_set(struct err *err, int code, const char *format, ...)
{
    if (!err)
        return code;
    va_list ap;
    va_start(ap, format);
    err->code = code;
    err->page_no = 0;
    vsnprintf(err->text, sizeof err->text, format, ap);
    va_end(ap);
    err_tidy(err->text);
    return code;
}

int err_errno(struct err *err, int code, const char *format, ...)
{
    int number = errno;
    if (!err)
        return code;
    char what[ERR_TEXT_BYTES - ERRNO_TEXT_BYTES];
    va_list ap;
    va_start(ap, format);
    vsnprintf(what, sizeof what, format, ap);
    va_end(ap);
    return err_set(err, code, "%s: %s", what, strerror(number));
}

const char *err_name(int code)
{
    return err_known(code) ? err_rule[-code].name : "E_?";
}

int err_code_named(const char *name)
{
    for (size_t i = 1; i < sizeof err_rule / sizeof err_rule[0]; i++)
        if (err_rule[i].name && !strcmp(err_rule[i].name, name))
            return -(int)i;
    return 0;
}

int err_code_at(unsigned nth)
{
#define ERR_CODE(name, number, class, text) name,
    static const int code[] = {ERR_TABLE(ERR_CODE)};
#undef ERR_CODE
    return code[nth];
}

const char *err_meaning(int code)
{
    return err_known(code) ? err_rule[-code].meaning : "an unknown error";
}

enum err_class err_class(int code)
{
    return err_known(code) ? err_rule[-code].class : ERR_RETRY;
}

const char *err_class_name(int code)
{
    static const char *const name[] = {
        [ERR_RETRY] = "retry", [ERR_POISON] = "poison", [ERR_FATAL] = "fatal", [ERR_REFUSED] = "refused"};
    return name[err_class(code)];
}
