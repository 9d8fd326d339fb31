/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Options in, tables out; sizing.c computes. Text and JSON are made of the same structures. */
#include "coordinator/ctl/size.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/api.h"
#include "coordinator/day.h"
#include "coordinator/sizing.h"
#include "proto/auto.h"
#include "proto/clock.h"

enum { PACES_MAX = 6, CHUNKS_MAX = 32, DAYS_MAX = 36500, CELL_BYTES = 40, SCHEMES = 2 };

#define MILLION     1e6
#define BRIEF_LEAST 10000.0            /* bytes from here on are told in kB, MB ... */
#define EXACT_MOST  9007199254740992.0 /* 2^53: doubles below are exact where they are whole */

struct answer {
    struct workload workload;
    bool given[SIZE_FIGURES_MAX];
    struct sizing million, all;
    struct pace pace[PACES_MAX];
    size_t paces;
    struct protection protection[SCHEMES]; /* by scheme */
};

/* ---- options ---- */

void size_ask_destroy(struct size_ask *ask)
{
    texts_destroy(&ask->days);
}

size_t size_flags(struct size_ask *ask, struct flag *flags)
{
    size_t count = 0;
    const struct figure *figure;
    flags[count++] = (struct flag){.name = "size", .on = &ask->on, .doc = "what a cluster takes; asks no coordinator"};
    for (size_t i = 0; (figure = sizing_figure(i)); i++) {
        assert(i < SIZE_FIGURES_MAX);
        snprintf(ask->doc[i], sizeof ask->doc[i], "%s [%.15g]", figure->doc, figure->preset);
        flags[count++] =
            (struct flag){.name = figure->name, .meta = figure->meta, .text = &ask->figure[i], .doc = ask->doc[i]};
    }
    flags[count++] = (struct flag){
        .name = "erasure", .meta = "K+M", .text = &ask->erasure, .doc = "chunks of an erasure-coded data pool [4+2]"};
    flags[count++] = (struct flag){
        .name = "days", .meta = "N[,N...]", .list = &ask->days, .doc = "to be through within so many [60,90,180,365]"};
    flags[count++] = (struct flag){
        .name = "until", .meta = "DAY", .text = &ask->until, .doc = "or by the end of that day, from today on"};
    assert(count <= SIZE_FLAGS_MAX);
    return count;
}

const char *size_given(const struct size_ask *ask)
{
    const struct figure *figure;
    for (size_t i = 0; (figure = sizing_figure(i)); i++)
        if (ask->figure[i])
            return figure->name;
    return ask->erasure ? "erasure" : ask->until ? "until" : ask->days.count ? "days" : NULL;
}

/* Powers of a thousand: 94M. */
static double suffix_factor(const char *end)
{
    static const char letters[] = "kMGTP";
    const char *at = *end && !end[1] ? strchr(letters, *end) : NULL;
    return !*end ? 1 : at ? pow(1000, (double)(at - letters + 1)) : NAN;
}

static int number_take(const char *name, const char *text, double least, double most, bool whole, double *ret_number,
                       struct err *err)
{
    char *end;
    double number = strtod(text, &end) * suffix_factor(end);
    if (end == text || !(number >= least && number <= most) || (whole && number != floor(number)))
        return err_set(err, E_USAGE, "--%s '%.40s' is not a %snumber from %.15g to %.15g", name, text,
                       whole ? "whole " : "", least, most);
    *ret_number = number;
    return 0;
}

static int figures_take(const struct size_ask *ask, struct answer *answer, struct err *err)
{
    const struct figure *figure;
    int rc = 0;
    for (size_t i = 0; !rc && (figure = sizing_figure(i)); i++) {
        double *number = (double *)((char *)&answer->workload + figure->offset);
        answer->given[i] = ask->figure[i];
        if (ask->figure[i])
            rc = number_take(figure->name, ask->figure[i], figure->least, figure->most, figure->whole, number, err);
    }
    return rc;
}

static int erasure_take(const char *text, struct workload *workload, struct err *err)
{
    unsigned k, m;
    int end = 0;
    if (!text)
        return 0;
    if (sscanf(text, "%2u+%2u%n", &k, &m, &end) != 2 || text[end] || k < 2 || m < 1 || k > CHUNKS_MAX || m > k)
        return err_set(err, E_USAGE,
                       "--erasure '%.40s' is not K+M, 2 to %d data chunks and 1 to K coding chunks, as 4+2", text,
                       CHUNKS_MAX);
    workload->erasure_k = k;
    workload->erasure_m = m;
    return 0;
}

/* Days from today, which counts, to the end of that one. */
static int until_take(const char *text, double *ret_days, struct err *err)
{
    int64_t day, today = day_of(clock_wall_ms());
    if (!day_parse(text, &day) || text[DAY_CHARS])
        return err_set(err, E_USAGE, "--until '%.40s' is not a day such as 2027-06-30", text);
    if (day < today || day - today >= DAYS_MAX)
        return err_set(err, E_USAGE, "--until %s is not from today to %d days from now", text, DAYS_MAX);
    *ret_days = (double)(day - today + 1);
    return 0;
}

static int paces_take(const struct size_ask *ask, struct answer *answer, struct err *err)
{
    static const char *const preset[] = {"60", "90", "180", "365"};
    const char *const *day = ask->days.count ? ask->days.item : preset;
    size_t count = ask->days.count ? ask->days.count : sizeof preset / sizeof preset[0];
    double days[PACES_MAX];
    int rc = 0;
    if (ask->until && ask->days.count)
        return err_set(err, E_USAGE, "either --days or --until");
    if (count > PACES_MAX)
        return err_set(err, E_USAGE, "--days has %zu numbers, at most %d are compared", count, PACES_MAX);
    if (ask->until)
        rc = until_take(ask->until, &days[0], err), count = 1;
    else
        for (size_t i = 0; i < count && !rc; i++)
            rc = number_take("days", day[i], 1, DAYS_MAX, false, &days[i], err);
    for (size_t i = 0; i < count && !rc; i++)
        sizing_pace(&answer->workload, days[i], &answer->pace[i]);
    answer->paces = count;
    return rc;
}

/* ---- what is told of it, as JSON and as text ---- */

enum unit { UNIT_COUNT, UNIT_BYTES, UNIT_RATE, UNIT_BYTES_S, UNIT_CORE_S };

struct told {
    const char *name;  /* of JSON */
    const char *title; /* of text; NULL: JSON alone */
    enum unit unit;
    size_t offset; /* of a double */
};

/* clang-format off */
#define TOLD(type, field, unit, title) {#field, title, UNIT_##unit, offsetof(struct type, field)}

static const struct told sizing_row[] = {
    TOLD(sizing, pages, COUNT, NULL),
    TOLD(sizing, documents, COUNT, "documents"),
    TOLD(sizing, core_s, CORE_S, "workers: core time"),
    TOLD(sizing, source_bytes, BYTES, "scans, usable"),
    TOLD(sizing, result_bytes, BYTES, "results (PDFs repeat the scan), usable"),
    TOLD(sizing, meta_bytes, BYTES, "records, ledger, manifests, usable"),
    TOLD(sizing, usable_bytes, BYTES, "Ceph in all, usable"),
    TOLD(sizing, data_objects, COUNT, "objects in the data pool"),
    TOLD(sizing, meta_objects, COUNT, "objects in the metadata pool"),
    TOLD(sizing, data_writes, COUNT, "writes to the data pool"),
    TOLD(sizing, meta_writes, COUNT, "writes to the metadata pool"),
    TOLD(sizing, data_reads, COUNT, "reads of the data pool"),
    TOLD(sizing, intake_bytes, BYTES, "network: scans to workers"),
    TOLD(sizing, ceph_in_bytes, BYTES, "network: workers to Ceph"),
    TOLD(sizing, ceph_out_bytes, BYTES, "network: Ceph to workers"),
    TOLD(sizing, wire_bytes, BYTES, "network: workers and coordinator"),
    TOLD(sizing, coordinator_core_s, CORE_S, "coordinator: core time"),
    TOLD(sizing, coordinator_bytes, BYTES, "coordinator: memory at the end"),
    TOLD(sizing, redis_bytes, BYTES, "Redis: memory at the end"),
};

static const struct told pace_row[] = {
    TOLD(pace, days, RATE, NULL),
    TOLD(pace, pages_s, RATE, "pages a second"),
    TOLD(pace, documents_s, RATE, NULL),
    TOLD(pace, cores, COUNT, "cores, with those to spare"),
    TOLD(pace, nodes, COUNT, "nodes"),
    TOLD(pace, node_bytes, BYTES, "memory of a node"),
    TOLD(pace, node_net_bytes_s, BYTES_S, "network of a node"),
    TOLD(pace, intake_bytes_s, BYTES_S, "network: scans to workers"),
    TOLD(pace, ceph_in_bytes_s, BYTES_S, "network: workers to Ceph"),
    TOLD(pace, ceph_out_bytes_s, BYTES_S, "network: Ceph to workers"),
    TOLD(pace, wire_bytes_s, BYTES_S, "network: workers and coordinator"),
    TOLD(pace, ceph_writes_s, RATE, "Ceph: writes a second, of clients"),
    TOLD(pace, ceph_reads_s, RATE, "Ceph: reads a second, of clients"),
    TOLD(pace, replicated_writes_s, RATE, "OSDs, replicated: writes a second"),
    TOLD(pace, replicated_net_bytes_s, BYTES_S, "OSDs, replicated: network between them"),
    TOLD(pace, replicated_osds, COUNT, "OSDs, replicated"),
    TOLD(pace, erasure_writes_s, RATE, "OSDs, erasure-coded: writes a second"),
    TOLD(pace, erasure_net_bytes_s, BYTES_S, "OSDs, erasure-coded: network between them"),
    TOLD(pace, erasure_osds, COUNT, "OSDs, erasure-coded"),
};

static const struct told protection_row[] = {
    TOLD(protection, data_raw_bytes, BYTES, "data pool, raw"),
    TOLD(protection, meta_raw_bytes, BYTES, "metadata pool (always copies), raw"),
    TOLD(protection, padding_bytes, BYTES, "of them in units that are not full"),
    TOLD(protection, overhead, RATE, "raw by usable"),
    TOLD(protection, osds, COUNT, "OSDs that all fits on"),
    TOLD(protection, osd_memory_bytes, BYTES, "memory of these OSDs"),
    TOLD(protection, hosts, COUNT, "hosts, at least"),
    TOLD(protection, lost, COUNT, "hosts lost at once without loss"),
    TOLD(protection, down, COUNT, "hosts down while all goes on"),
    TOLD(protection, osd_writes, COUNT, "writes on OSDs, in all"),
    TOLD(protection, osd_net_bytes, BYTES, "network between OSDs, in all"),
};
/* clang-format on */

enum {
    SIZING_ROWS = sizeof sizing_row / sizeof sizing_row[0],
    PACE_ROWS = sizeof pace_row / sizeof pace_row[0],
    PROTECTION_ROWS = sizeof protection_row / sizeof protection_row[0],
};

static double told_value(const struct told *told, const void *of)
{
    return *(const double *)((const char *)of + told->offset);
}

/* ---- JSON ---- */

static json_t *number_json(double number)
{
    return number == floor(number) && number < EXACT_MOST ? json_integer((json_int_t)number) : json_real(number);
}

static json_t *told_json(const struct told *row, size_t rows, const void *of)
{
    json_t *json = json_object();
    for (size_t i = 0; i < rows; i++) {
        double value = told_value(&row[i], of);
        bool whole = row[i].unit == UNIT_COUNT || row[i].unit == UNIT_BYTES;
        json_object_set_new(json, row[i].name, number_json(whole ? round(value) : value));
    }
    return json;
}

static json_t *assumed_json(const struct workload *workload)
{
    json_t *json = json_object();
    const struct figure *figure;
    for (size_t i = 0; (figure = sizing_figure(i)); i++) {
        char name[CELL_BYTES];
        snprintf(name, sizeof name, "%s", figure->name);
        for (char *at = name; *at; at++)
            *at = *at == '-' ? '_' : *at;
        json_object_set_new(json, name, number_json(sizing_value(workload, figure)));
    }
    json_object_set_new(json, "erasure_k", number_json(workload->erasure_k));
    json_object_set_new(json, "erasure_m", number_json(workload->erasure_m));
    return json;
}

static void answer_json(const struct answer *answer)
{
    AUTO(json_drop) json_t *json = json_object();
    json_t *paces = json_array();
    for (size_t i = 0; i < answer->paces; i++)
        json_array_append_new(paces, told_json(pace_row, PACE_ROWS, &answer->pace[i]));
    json_object_set_new(json, "assumed", assumed_json(&answer->workload));
    json_object_set_new(json, "million", told_json(sizing_row, SIZING_ROWS, &answer->million));
    json_object_set_new(json, "all", told_json(sizing_row, SIZING_ROWS, &answer->all));
    json_object_set_new(json, "paces", paces);
    json_object_set_new(json, "replicated",
                        told_json(protection_row, PROTECTION_ROWS, &answer->protection[SCHEME_REPLICATED]));
    json_object_set_new(json, "erasure",
                        told_json(protection_row, PROTECTION_ROWS, &answer->protection[SCHEME_ERASURE]));
    json_print(json);
}

/* ---- text ---- */

/* Three digits that count; all of a number from 1,000 on, in groups. */
static char *count_text(double value, char text[CELL_BYTES])
{
    char digits[CELL_BYTES];
    int decimals = value >= 100 || value == floor(value) ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
    size_t at = 0, count = (size_t)snprintf(digits, sizeof digits, "%.*f", decimals, value);
    size_t whole = strcspn(digits, ".");
    for (size_t i = 0; i < count && at + 2 < CELL_BYTES; i++) {
        if (i && i < whole && (whole - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

static char *bytes_text(double bytes, const char *behind, char text[CELL_BYTES])
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    size_t i = 0;
    char number[CELL_BYTES];
    for (; bytes >= 999.5 && i + 1 < sizeof unit / sizeof unit[0]; i++)
        bytes /= 1000;
    snprintf(text, CELL_BYTES, "%.20s %s%s", count_text(bytes, number), unit[i], behind);
    return text;
}

static char *hours_text(double core_s, char text[CELL_BYTES])
{
    char number[CELL_BYTES];
    bool hours = core_s >= 3600;
    snprintf(text, CELL_BYTES, "%.30s %s", count_text(hours ? core_s / 3600 : core_s, number), hours ? "h" : "s");
    return text;
}

static char *cell_text(const struct told *told, double value, char text[CELL_BYTES])
{
    switch (told->unit) {
    case UNIT_BYTES: return bytes_text(value, "", text);
    case UNIT_BYTES_S: return bytes_text(value, "/s", text);
    case UNIT_CORE_S: return hours_text(value, text);
    case UNIT_COUNT: return count_text(round(value), text);
    case UNIT_RATE: return count_text(value, text);
    }
    return text;
}

static void head_print(const char *title, const char *const *column, size_t columns)
{
    printf("\n%-41s", title);
    for (size_t i = 0; i < columns; i++)
        printf(" %15s", column[i]);
    putchar('\n');
}

/* of: what each column is about. */
static void rows_print(const struct told *row, size_t rows, const void *const *of, size_t columns)
{
    char text[CELL_BYTES];
    for (size_t i = 0; i < rows; i++) {
        if (!row[i].title)
            continue;
        printf("%-41s", row[i].title);
        for (size_t j = 0; j < columns; j++)
            printf(" %15s", cell_text(&row[i], told_value(&row[i], of[j]), text));
        putchar('\n');
    }
}

static void assumed_print(const struct answer *answer)
{
    const struct figure *figure;
    char text[CELL_BYTES];
    puts("\nreckoned with");
    for (size_t i = 0; (figure = sizing_figure(i)); i++) {
        double value = sizing_value(&answer->workload, figure);
        printf("  --%-18s %12s  %s; %s\n", figure->name,
               *figure->meta == 'B' && value >= BRIEF_LEAST ? bytes_text(value, "", text) : count_text(value, text),
               figure->doc, answer->given[i] ? "as given" : figure->source);
    }
}

static void answer_print(const struct answer *answer)
{
    const struct workload *w = &answer->workload;
    char copies[CELL_BYTES], chunks[CELL_BYTES], days[PACES_MAX][CELL_BYTES], text[CELL_BYTES];
    const char *column[PACES_MAX] = {"1 M pages", "all"};
    const void *of[PACES_MAX] = {&answer->million, &answer->all};
    printf("%s pages", count_text(w->pages, text));
    printf(" in %s documents\n", count_text(round(answer->all.documents), text));
    head_print("in all", column, 2);
    rows_print(sizing_row, SIZING_ROWS, of, 2);

    snprintf(copies, sizeof copies, "%.0f copies", w->replicas);
    snprintf(chunks, sizeof chunks, "erasure %.0f+%.0f", w->erasure_k, w->erasure_m);
    column[0] = copies, column[1] = chunks;
    for (int i = 0; i < SCHEMES; i++)
        of[i] = &answer->protection[i];
    head_print("Ceph at the end", column, SCHEMES);
    rows_print(protection_row, PROTECTION_ROWS, of, SCHEMES);

    for (size_t i = 0; i < answer->paces; i++) {
        snprintf(days[i], sizeof days[i], "%.30s days", count_text(answer->pace[i].days, text));
        column[i] = days[i];
        of[i] = &answer->pace[i];
    }
    head_print("to be through within", column, answer->paces);
    rows_print(pace_row, PACE_ROWS, of, answer->paces);
    assumed_print(answer);
}

int size_print(const struct ctl *ctl, const struct size_ask *ask, struct err *err)
{
    struct answer answer = {0};
    workload_init(&answer.workload);
    int rc = figures_take(ask, &answer, err);
    if (!rc)
        rc = erasure_take(ask->erasure, &answer.workload, err);
    if (!rc)
        rc = paces_take(ask, &answer, err);
    if (rc)
        return rc;
    struct workload million = answer.workload;
    million.pages = MILLION;
    sizing_compute(&million, &answer.million);
    sizing_compute(&answer.workload, &answer.all);
    for (enum scheme scheme = SCHEME_REPLICATED; scheme <= SCHEME_ERASURE; scheme++)
        sizing_protect(&answer.workload, scheme, &answer.protection[scheme]);
    if (ctl->json)
        answer_json(&answer);
    else
        answer_print(&answer);
    return 0;
}
