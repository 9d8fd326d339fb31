/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/trace.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/buf.h"

enum {
    VALUE_CUT_BYTES = 300,
    VALUE_BYTES = VALUE_CUT_BYTES + 8, /* an escape or the rest of a UTF-8 sequence, the last quote and the 0 */
    VALUE_RING = 4
};

static const char *const level_name[] = {"debug", "info", "warn", "error"};
static const char *trace_part = "sohoa";
static enum trace_level trace_least = TRACE_INFO;

void trace_init(const char *part, enum trace_level least)
{
    trace_part = part;
    trace_least = least;
}

bool trace_on(enum trace_level level)
{
    return level >= trace_least;
}

enum trace_level trace_level_named(const char *name)
{
    for (int level = TRACE_DEBUG; level <= TRACE_ERROR; level++)
        if (!strcmp(name, level_name[level]))
            return (enum trace_level)level;
    return TRACE_INFO;
}

static char *value_next(void)
{
    static _Thread_local char ring[VALUE_RING][VALUE_BYTES];
    static _Thread_local unsigned at;
    return ring[at++ % VALUE_RING];
}

/* Whether c still goes into a value that has n bytes: not to end within a UTF-8 sequence. */
static bool value_takes(const char *c, size_t n)
{
    bool within_sequence = ((unsigned char)*c & 0xc0) == 0x80;
    return *c && n < (within_sequence ? VALUE_CUT_BYTES + 3 : VALUE_CUT_BYTES);
}

const char *trace_value(const char *text)
{
    bool plain = *text != '\0';
    for (const char *c = text; *c && plain; c++)
        plain = (unsigned char)*c > ' ' && *c != '"' && *c != '=' && *c != '\\' && *c != 0x7f;
    char *out = value_next();
    size_t n = 0;
    if (!plain)
        out[n++] = '"';
    for (const char *c = text; value_takes(c, n); c++) {
        if (*c == '"' || *c == '\\')
            out[n++] = '\\';
        out[n++] = (unsigned char)*c < ' ' || *c == 0x7f ? ' ' : *c;
    }
    if (!plain)
        out[n++] = '"';
    out[n] = '\0';
    return out;
}

const char *trace_page(const uint8_t *sha256, uint32_t page_no)
{
    char *out = value_next();
    int n = 0;
    for (int i = 0; i < 8; i++)
        n += snprintf(out + n, (size_t)(VALUE_BYTES - n), "%02x", sha256[i]);
    if (page_no)
        snprintf(out + n, (size_t)(VALUE_BYTES - n), "/%u", page_no);
    return out;
}

static void line_begin(struct buf *line, enum trace_level level, const char *event)
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    buf_printf(line, "time=%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ level=%s part=%s event=%s", utc.tm_year + 1900,
               utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, now.tv_nsec / 1000000,
               level_name[level], trace_part, event);
}

static void line_fields(struct buf *line, const char *fields, va_list ap)
{
    char text[2048];
    if (!*fields)
        return;
    vsnprintf(text, sizeof text, fields, ap);
    buf_printf(line, " %s", text);
}

static void line_end(struct buf *line)
{
    buf_puts(line, "\n");
    /* A log that can't be written has nowhere to be reported. */
    ssize_t ignored = write(STDERR_FILENO, line->data, line->size);
    (void)ignored;
    buf_destroy(line);
}

void trace(enum trace_level level, const char *event, const char *fields, ...)
{
    if (!trace_on(level))
        return;
    struct buf line = {0};
    va_list ap;
    line_begin(&line, level, event);
    va_start(ap, fields);
    line_fields(&line, fields, ap);
    va_end(ap);
    line_end(&line);
}

void trace_err(enum trace_level level, const char *event, const struct err *err, const char *fields, ...)
{
    if (!trace_on(level))
        return;
    struct buf line = {0};
    va_list ap;
    line_begin(&line, level, event);
    va_start(ap, fields);
    line_fields(&line, fields, ap);
    va_end(ap);
    buf_printf(&line, " err=%s class=%s", err_name(err->code), err_class_name(err->code));
    if (err->page_no)
        buf_printf(&line, " page_no=%u", err->page_no);
    buf_printf(&line, " text=%s", trace_value(err->text));
    line_end(&line);
}
