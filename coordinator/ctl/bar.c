/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The rate is that of the last BAR_RATE_MS, so that what a second run finds done at once does not count for long. */
#include "coordinator/ctl/bar.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "proto/auto.h"

enum {
    COLUMNS_PRESET = 80,
    BAR_LEAST = 10,
    BAR_MOST = 40,
    REDRAW_MS = 200,
    SAMPLE_MS = BAR_RATE_MS / (BAR_SAMPLES - 1)
};

void bar_init(struct bar *bar, FILE *to)
{
    *bar = (struct bar){.to = to, .terminal = isatty(fileno(to)), .columns = COLUMNS_PRESET};
    const char *term = getenv("TERM");
    if (term && !strcmp(term, "dumb"))
        bar->terminal = false;
}

static void time_print(struct buf *line, double seconds)
{
    uint64_t s = (uint64_t)(seconds + 0.5);
    if (s >= 3600)
        buf_printf(line, "%" PRIu64 ":%02u:%02u", s / 3600, (unsigned)(s / 60 % 60), (unsigned)(s % 60));
    else
        buf_printf(line, "%" PRIu64 ":%02u", s / 60, (unsigned)(s % 60));
}

static void figures_print(struct buf *line, const struct bar_state *state, double pages_per_s)
{
    buf_printf(line, "%" PRIu64 "/%" PRIu64 " pages, %" PRIu64 "/%" PRIu64 " documents", state->pages_done,
               state->pages, state->docs_done, state->docs);
    if (pages_per_s > 0) {
        buf_printf(line, ", %.1f pages/s", pages_per_s);
        if (state->pages > state->pages_done) {
            buf_puts(line, ", ETA ");
            time_print(line, (double)(state->pages - state->pages_done) / pages_per_s);
        }
    }
    if (state->failures)
        buf_printf(line, ", %" PRIu64 " failed", state->failures);
    if (state->refused)
        buf_printf(line, ", %" PRIu64 " refused", state->refused);
}

void bar_format(struct buf *line, const struct bar_state *state, double pages_per_s, unsigned columns)
{
    AUTO(buf_destroy) struct buf figures = {0};
    figures_print(&figures, state, pages_per_s);
    size_t room = columns > figures.size + 4 ? columns - figures.size - 4 : 0;
    size_t cells = room > BAR_MOST ? BAR_MOST : room;
    if (cells >= BAR_LEAST) {
        size_t full = state->pages ? (size_t)((double)cells * (double)state->pages_done / (double)state->pages) : 0;
        full = full > cells ? cells : full;
        buf_puts(line, "[");
        for (size_t i = 0; i < cells; i++)
            buf_puts(line, i < full ? "#" : ".");
        buf_puts(line, "] ");
    }
    buf_append(line, figures.data, columns && figures.size >= columns ? columns - 1 : figures.size);
}

static void sample_add(struct bar *bar, uint64_t pages_done, uint64_t now_ms)
{
    if (bar->samples && now_ms - bar->sample[(bar->samples - 1) % BAR_SAMPLES].ms < SAMPLE_MS)
        return;
    bar->sample[bar->samples % BAR_SAMPLES].ms = now_ms;
    bar->sample[bar->samples % BAR_SAMPLES].pages_done = pages_done;
    bar->samples++;
}

static double rate(const struct bar *bar, uint64_t pages_done, uint64_t now_ms)
{
    unsigned first = bar->samples > BAR_SAMPLES ? bar->samples - BAR_SAMPLES : 0;
    uint64_t since_ms = bar->sample[first % BAR_SAMPLES].ms, since = bar->sample[first % BAR_SAMPLES].pages_done;
    return now_ms > since_ms && pages_done > since ? (double)(pages_done - since) * 1000 / (double)(now_ms - since_ms)
                                                   : 0;
}

static unsigned columns_now(const struct bar *bar)
{
    struct winsize size;
    return ioctl(fileno(bar->to), TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : bar->columns;
}

void bar_show(struct bar *bar, const struct bar_state *state, uint64_t now_ms)
{
    sample_add(bar, state->pages_done, now_ms);
    if (bar->shown_ms && now_ms - bar->shown_ms < (bar->terminal ? REDRAW_MS : BAR_LINE_EVERY_MS))
        return;
    bar->shown_ms = now_ms;
    AUTO(buf_destroy) struct buf line = {0};
    bar_format(&line, state, rate(bar, state->pages_done, now_ms), bar->terminal ? columns_now(bar) : 0);
    fprintf(bar->to, bar->terminal ? "\r\033[K%s" : "sohoa: %s\n", buf_text(&line));
    fflush(bar->to);
    bar->drawn = bar->terminal;
}

void bar_clear(struct bar *bar)
{
    if (bar->drawn)
        fputs("\r\033[K", bar->to);
    fflush(bar->to);
    bar->drawn = false;
}
