/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The error table and the one way to fill an error in. */
#include "proto/err.h"

#include <errno.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* Makes text one printable line that does not end in the middle of a UTF-8 sequence. */
static void err_tidy(char *text)
{
    size_t n = strlen(text);
    if (n == ERR_TEXT_BYTES - 1) {
        size_t lead = n;
        while (lead > 0 && ((unsigned char)text[lead - 1] & 0xc0) == 0x80)
            lead--;
        if (lead > 0 && (unsigned char)text[lead - 1] >= 0xc0)
            text[lead - 1] = '\0';
    }
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
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
    char what[ERR_TEXT_BYTES];
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
