/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the dashboard's first page shows, in a terminal: drawn anew as a whole, so that nothing is left over. Elsewhere it is printed once. */
#include "coordinator/ctl/top.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "coordinator/ctl/interrupt.h"
#include "coordinator/ctl/list.h"
#include "coordinator/day.h"
#include "proto/auto.h"
#include "proto/clock.h"

#define SCREEN_ENTER "\x1b[?1049h\x1b[?25l" /* the other screen, no cursor */
#define SCREEN_LEAVE "\x1b[?25h\x1b[?1049l"
#define SCREEN_HOME  "\x1b[H"
#define LINE_REST    "\x1b[K"
#define SCREEN_REST  "\x1b[J"

enum { INTERVAL_PRESET_S = 2, INTERVAL_MOST_S = 3600, LINES_PRESET = 24, FRAME_LINES = 9, WORKERS_LEAST = 4 };

struct top {
    struct api *api;
    uint32_t interval_s;
    bool once, terminal;
    size_t lines, columns; /* 0: as many as there are */
    struct termios before;
};

/* ---- a frame ---- */

static void moments_put(const json_t *overview, struct buf *into)
{
    buf_puts(into, "finish   P50 ");
    cell_moment(overview, "ends_p50_ms", into);
    buf_puts(into, ", P90 ");
    cell_moment(overview, "ends_p90_ms", into);
    buf_puts(into, json_is_true(json_object_get(overview, "feasible")) ? "; all deadlines can be met\n"
                                                                       : "; NOT all deadlines can be met\n");
}

static void verdicts_put(json_t *overview, struct buf *into)
{
    const char *key, *before = "units   ";
    json_t *count;
    json_object_foreach(json_object_get(overview, "verdicts"), key, count)
    {
        if (json_integer_value(count)) {
            buf_printf(into, "%s %" JSON_INTEGER_FORMAT " %s", before, json_integer_value(count), key);
            before = ",";
        }
    }
    buf_puts(into, *before == ',' ? "\n" : "units    nothing is left\n");
}

static void alerts_put(const json_t *overview, struct buf *into)
{
    json_t *alerts = json_object_get(overview, "alerts"), *alert;
    size_t i;
    buf_printf(into, "alerts   %zu", json_array_size(alerts));
    json_array_foreach(alerts, i, alert)
    {
        buf_printf(into, "%s %s %s", i ? "," : ":", cell_text(alert, "kind"), cell_text(alert, "subject"));
    }
    buf_puts(into, "\n");
}

static void head_put(json_t *overview, struct buf *into)
{
    const json_t *pages = json_object_get(overview, "pages"), *batches = json_object_get(overview, "batches");
    const json_t *workers = json_object_get(overview, "workers");
    json_int_t done = cell_number(pages, "stored") + cell_number(pages, "dead") + cell_number(pages, "duplicate");
    json_int_t left = cell_number(overview, "pages_left");
    char now[DAY_MOMENT_BYTES];
    buf_printf(into, "sohoa top  %s, epoch %" JSON_INTEGER_FORMAT "%s%s  %s\n", cell_text(overview, "name"),
               cell_number(overview, "epoch"),
               json_is_true(json_object_get(overview, "ready")) ? "" : ", not ready yet",
               json_is_true(json_object_get(overview, "redis")) ? "" : ", Redis does not answer",
               day_moment(clock_wall_ms(), now));
    buf_printf(into,
               "pages    %" JSON_INTEGER_FORMAT " done, %" JSON_INTEGER_FORMAT " left (%.1f %%), %" JSON_INTEGER_FORMAT
               " dead; %.2f pages/s\n",
               done, left, done + left > 0 ? 100.0 * (double)done / (double)(done + left) : 100.0,
               cell_number(pages, "dead"), json_number_value(json_object_get(overview, "pages_per_s")));
    buf_printf(into,
               "workers  %" JSON_INTEGER_FORMAT " connected, %" JSON_INTEGER_FORMAT " gone, %" JSON_INTEGER_FORMAT
               " drained; %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " slots busy\n",
               cell_number(workers, "connected"), cell_number(workers, "lost"), cell_number(workers, "drained"),
               cell_number(workers, "busy_slots"), cell_number(workers, "slots"));
    buf_printf(into,
               "batches  %" JSON_INTEGER_FORMAT " running, %" JSON_INTEGER_FORMAT " paused, %" JSON_INTEGER_FORMAT
               " finished\n",
               cell_number(batches, "running"), cell_number(batches, "paused"), cell_number(batches, "finished"));
    moments_put(overview, into);
    verdicts_put(overview, into);
    alerts_put(overview, into);
}

static size_t rows_left(const struct top *top, size_t taken)
{
    return !top->lines ? 0 : top->lines > taken ? top->lines - taken : 1;
}

/* Units have what workers leave, who have a third at most. */
static void frame_put(const struct top *top, json_t *said, struct buf *into)
{
    AUTO(buf_destroy) struct buf head = {0};
    json_t *units = json_object_get(said, "units"), *workers = json_object_get(said, "workers");
    size_t nodes = json_array_size(json_object_get(workers, "workers"));
    size_t third = top->lines / 3 > WORKERS_LEAST ? top->lines / 3 : WORKERS_LEAST;
    size_t shown = top->lines && nodes > third ? third : nodes;
    head_put(json_object_get(said, "overview"), &head);
    char *rest = (char *)head.data;
    for (char *line = strsep(&rest, "\n"); line && *line; line = strsep(&rest, "\n"))
        table_line(line, top->columns, into);
    buf_puts(into, "\n");
    list_write(LIST_UNITS, units, rows_left(top, FRAME_LINES + shown + 4), top->columns, into);
    buf_puts(into, "\n");
    list_write(LIST_WORKERS, workers, top->lines ? shown : 0, top->columns, into);
}

static int top_get(struct top *top, json_t **ret_said, struct err *err)
{
    static const char *const what[] = {"overview", "units", "workers"};
    AUTO(json_drop) json_t *said = json_object();
    int rc = 0;
    for (size_t i = 0; i < sizeof what / sizeof what[0] && !rc; i++) {
        json_t *answer = NULL;
        rc = api_get(top->api, what[i], &answer, err);
        if (!rc)
            json_object_set_new(said, what[i], answer);
    }
    if (!rc)
        *ret_said = json_incref(said);
    return rc;
}

/* ---- the terminal ---- */

static void size_take(struct top *top)
{
    struct winsize size;
    bool known = !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col;
    top->lines = known ? size.ws_row : LINES_PRESET;
    top->columns = known ? size.ws_col : 80;
}

static void screen_begin(struct top *top)
{
    struct termios raw;
    tcgetattr(STDIN_FILENO, &top->before);
    raw = top->before;
    raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    fputs(SCREEN_ENTER, stdout);
}

static void screen_end(const struct top *top)
{
    fputs(SCREEN_LEAVE, stdout);
    fflush(stdout);
    tcsetattr(STDIN_FILENO, TCSANOW, &top->before);
}

/* Line by line over what was there: nothing flickers. */
static void screen_draw(const struct top *top, const char *frame)
{
    size_t line = 0;
    fputs(SCREEN_HOME, stdout);
    while (*frame && line++ < top->lines) {
        size_t n = strcspn(frame, "\n");
        printf("%s%.*s" LINE_REST, line > 1 ? "\r\n" : "", (int)n, frame);
        frame += n + (frame[n] == '\n');
    }
    fputs(SCREEN_REST, stdout);
    fflush(stdout);
}

/* False: a person wants to leave. */
static bool screen_wait(uint32_t ms)
{
    struct pollfd key = {.fd = STDIN_FILENO, .events = POLLIN};
    char typed;
    if (poll(&key, 1, (int)ms) <= 0)
        return !interrupt_seen();
    return read(STDIN_FILENO, &typed, 1) == 1 && typed != 'q' && typed != 'Q';
}

static int top_watch(struct top *top, struct err *err)
{
    int rc = 0;
    interrupt_watch();
    screen_begin(top);
    do {
        AUTO(json_drop) json_t *said = NULL;
        AUTO(buf_destroy) struct buf frame = {0};
        rc = top_get(top, &said, err);
        size_take(top);
        if (rc == E_NET || rc == E_STATE)
            buf_printf(&frame, "sohoa top  %s; trying again\n", err->text);
        else if (!rc)
            frame_put(top, said, &frame);
        else
            break;
        screen_draw(top, buf_text(&frame));
        rc = 0;
    } while (screen_wait(top->interval_s * 1000) && !interrupt_seen());
    screen_end(top);
    return rc;
}

static int top_print(struct top *top, const struct ctl *ctl, struct err *err)
{
    AUTO(json_drop) json_t *said = NULL;
    AUTO(buf_destroy) struct buf frame = {0};
    int rc = top_get(top, &said, err);
    if (rc)
        return rc;
    if (ctl->json) {
        json_print(said);
        return 0;
    }
    frame_put(top, said, &frame);
    fputs(buf_text(&frame), stdout);
    return 0;
}

static void top_destroy(struct top *top)
{
    api_destroy(&top->api);
}

int top_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(top_destroy) struct top top = {.interval_s = INTERVAL_PRESET_S};
    const char *interval = NULL;
    const struct flag flags[] = {
        {.name = "interval", .meta = "SECONDS", .text = &interval, .doc = "between two looks: 2"},
        {.name = "once",                  .on = &top.once,                      .doc = "print it and end, as where there is no terminal"      },
    };
    int rc = args_parse(command, ctl, flags, 2, argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count)
        return err_set(err, E_USAGE, "'%.60s': top takes no operand", operands.item[0]);
    if (interval)
        rc = args_number("--interval", interval, 1, INTERVAL_MOST_S, &top.interval_s, err);
    if (!rc)
        rc = api_open(ctl, &top.api, err);
    if (rc)
        return rc;
    bool watches = !top.once && !ctl->json && isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);
    rc = watches ? top_watch(&top, err) : top_print(&top, ctl, err);
    return rc ? rc : EXIT_SUCCESS;
}
