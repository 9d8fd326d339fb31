/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/trace.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- what is kept ---- */

static struct {
    pthread_mutex_t mutex;
    char *at; /* a ring; NULL: nothing is kept */
    size_t written;
} kept = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void trace_keep(void)
{
    kept.at = malloc(TRACE_KEPT_BYTES);
    if (!kept.at)
        abort();
}

static void line_keep(const struct buf *line)
{
    size_t bytes = line->size;
    if (!kept.at || bytes > TRACE_KEPT_BYTES)
        return;
    pthread_mutex_lock(&kept.mutex);
    size_t to = kept.written % TRACE_KEPT_BYTES, end = TRACE_KEPT_BYTES - to;
    memcpy(kept.at + to, line->data, bytes < end ? bytes : end);
    if (bytes > end)
        memcpy(kept.at, line->data + end, bytes - end);
    kept.written += bytes;
    pthread_mutex_unlock(&kept.mutex);
}

/* All that is kept, in order, from the first whole line on. */
static void kept_copy(struct buf *all)
{
    if (!kept.at)
        return;
    pthread_mutex_lock(&kept.mutex);
    size_t to = kept.written % TRACE_KEPT_BYTES;
    bool full = kept.written > TRACE_KEPT_BYTES;
    if (full)
        buf_append(all, kept.at + to, TRACE_KEPT_BYTES - to);
    buf_append(all, kept.at, full ? to : kept.written);
    pthread_mutex_unlock(&kept.mutex);
    char *first = full ? memchr(all->data, '\n', all->size) : NULL;
    size_t torn = first ? (size_t)(first + 1 - (char *)all->data) : 0;
    memmove(all->data, all->data + torn, all->size - torn);
    all->size -= torn;
}

/* " key" as a whole value, in a line that ends with a 0. Returns what follows it; NULL: it is not there. */
static const char *field_find(const char *line, const char *before, const char *value, const char *ends)
{
    size_t n = strlen(before), m = strlen(value);
    for (const char *at = line; m && (at = strstr(at, before)); at++)
        if (!strncmp(at + n, value, m) && (!at[n + m] || strchr(ends, at[n + m])))
            return at + n + m;
    return NULL;
}

static bool page_fits(const char *line, const struct trace_subject *subject)
{
    const char *behind = field_find(line, " page=", subject->page, " /");
    const char *count = strstr(line, " count=");
    if (!behind || !subject->page_no || *behind != '/')
        return behind;
    unsigned long first = strtoul(behind + 1, NULL, 10), pages = count ? strtoul(count + 7, NULL, 10) : 1;
    return subject->page_no >= first && subject->page_no < first + (pages ? pages : 1);
}

static bool line_fits(const char *line, const struct trace_subject *subject, const char *source)
{
    return page_fits(line, subject) || field_find(line, " ", subject->document, " ") ||
           field_find(line, " source=", source, " ");
}

void trace_recall(const struct trace_subject *subject, struct buf *lines)
{
    struct buf all = {0};
    const char *source = *subject->source ? trace_value(subject->source) : "";
    size_t begin = lines->size;
    kept_copy(&all);
    for (char *at = (char *)all.data, *end = at + all.size, *newline; at < end; at = newline + 1) {
        newline = memchr(at, '\n', (size_t)(end - at));
        *newline = '\0';
        if (!line_fits(at, subject, source))
            continue;
        buf_puts(lines, at);
        buf_puts(lines, "\n");
    }
    buf_destroy(&all);
    if (lines->size - begin <= RECALL_BYTES_MOST)
        return;
    const char *from = (char *)lines->data + lines->size - RECALL_BYTES_MOST;
    size_t most = (size_t)((char *)lines->data + lines->size - (strchr(from, '\n') + 1));
    memmove(lines->data + begin, lines->data + lines->size - most, most);
    lines->size = begin + most;
    lines->data[lines->size] = '\0';
}

static void line_end(struct buf *line)
{
    buf_puts(line, "\n");
    line_keep(line);
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
