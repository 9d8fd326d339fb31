/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The log: one logfmt line per event on stderr, in one write, so that lines of several processes don't mix.
 *     time=2026-11-22T05:04:16.123Z level=info part=worker event=grant lease=12 page=ab12.../3
 * A page is always named page=<first 16 digits of the sha256>/<number>, so one grep over all hosts tells its story.
 * Never log document text, secrets or picture data. */
#ifndef SOHOA_TRACE_H
#define SOHOA_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/err.h"

enum trace_level { TRACE_DEBUG, TRACE_INFO, TRACE_WARN, TRACE_ERROR };

/* "debug", "info", "warn", "error"; anything else counts as info. */
enum trace_level trace_level_named(const char *name);

/* part ("coordinator", "worker", ...) is borrowed for good; lines below least are not written. */
void trace_init(const char *part, enum trace_level least);

enum { TRACE_KEPT_BYTES = 4 << 20, RECALL_BYTES_MOST = 256 << 10 };

/* From now on the latest TRACE_KEPT_BYTES of what is written stay in memory, for trace_recall(). */
void trace_keep(void);

/* What lines are looked for: any of these that is not "". */
struct trace_subject {
    const char *page;     /* as trace_page() names the document */
    uint32_t page_no;     /* lines of other pages alone are left out; 0: all */
    const char *source;   /* its path */
    const char *document; /* "batch=b doc=7" */
};
struct buf;
/* Appends those of them that are kept, the oldest first; the latest, where they are over RECALL_BYTES_MOST. */
void trace_recall(const struct trace_subject *subject, struct buf *lines);

/* Whether lines of that level are written: where putting one together costs something. */
bool trace_on(enum trace_level level);

/* fields: a printf format of key=value pairs separated by single spaces. Any text that may hold spaces, quotes or '='
 * goes in through trace_value(). */
void trace(enum trace_level level, const char *event, const char *fields, ...) __attribute__((format(printf, 3, 4)));

/* Adds err=E_IO class=retry text="..." to the line. */
void trace_err(enum trace_level level, const char *event, const struct err *err, const char *fields, ...)
    __attribute__((format(printf, 4, 5)));

/* text as a logfmt value: as it is, or quoted and escaped, cut to 300 bytes. One of four buffers of this thread. */
const char *trace_value(const char *text);

/* The id of a page or document in the log; page_no 0: the document. One of four buffers of this thread. */
const char *trace_page(const uint8_t *sha256, uint32_t page_no);

#endif
