/* SPDX-License-Identifier: AGPL-3.0-or-later
 * bench-scans: reads the options, has the backlog written, says in one line of JSON what came of it.
 * Exits 0 when it is done, 1 when it could not, 2 on wrong use. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bench/backlog.h"
#include "bench/print.h"

static const char usage[] =
    "Usage: scans --out DIR [option...]\n"
    "Writes synthetic scans to DIR/scans, what is in them to DIR/truth and DIR/manifest.csv.\n"
    "The same seed and options give the same bytes.\n"
    "\n"
    "  --out DIR             made when it is not there; may not hold scans or truth yet\n"
    "  --documents N         files to write, 1-1000000 (20)\n"
    "  --seed S              0-18446744073709551615 (1)\n"
    "  --scan K              0-1000 (0): the documents of that seed as they come from the scanner for the Kth time more,\n"
    "                        askew, worn and noisy in other ways, at the other resolution if both are let\n"
    "  --damage LEVEL        none, light, mixed or heavy (mixed); none has neither seals nor handwriting\n"
    "  --kinds LIST          of state, party, youth (all)\n"
    "  --formats LIST        of pdf, tiff, jpeg, png (all); a jpeg or png holds one page\n"
    "  --dpi LIST            of 200, 300 (both)\n"
    "  --duplicates PERCENT  of the documents that are exact copies of earlier ones (5)\n"
    "  --blank PERCENT       of the sheets in PDFs and TIFFs whose blank back was scanned, too (10)\n"
    "  --rotated PERCENT     of the pages that are turned by 90, 180 or 270 degrees (5)\n"
    "  --pages-mean M        printed pages of a PDF or TIFF, on average about, 1-50 (4)\n"
    "  --help\n";

enum option_key {
    KEY_OUT = 1,
    KEY_DOCUMENTS,
    KEY_SEED,
    KEY_SCAN,
    KEY_DAMAGE,
    KEY_KINDS,
    KEY_FORMATS,
    KEY_DPI,
    KEY_DUPLICATES,
    KEY_BLANK,
    KEY_ROTATED,
    KEY_PAGES,
    KEY_HELP
};

static const struct option options[] = {
    {"out",        required_argument, NULL, KEY_OUT       },
    {"documents",  required_argument, NULL, KEY_DOCUMENTS },
    {"seed",       required_argument, NULL, KEY_SEED      },
    {"scan",       required_argument, NULL, KEY_SCAN      },
    {"damage",     required_argument, NULL, KEY_DAMAGE    },
    {"kinds",      required_argument, NULL, KEY_KINDS     },
    {"formats",    required_argument, NULL, KEY_FORMATS   },
    {"dpi",        required_argument, NULL, KEY_DPI       },
    {"duplicates", required_argument, NULL, KEY_DUPLICATES},
    {"blank",      required_argument, NULL, KEY_BLANK     },
    {"rotated",    required_argument, NULL, KEY_ROTATED   },
    {"pages-mean", required_argument, NULL, KEY_PAGES     },
    {"help",       no_argument,       NULL, KEY_HELP      },
    {NULL,         0,                 NULL, 0             },
};

static int parse_whole(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *value,
                       struct err *err)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || number < least || number > most)
        return err_set(err, E_USAGE, "--%s '%.40s' is not a whole number from %llu to %llu", name, text,
                       (unsigned long long)least, (unsigned long long)most);
    *value = number;
    return 0;
}

static int parse_real(const char *name, const char *text, double least, double most, double *value, struct err *err)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || !(number >= least && number <= most))
        return err_set(err, E_USAGE, "--%s '%.40s' is not a number from %g to %g", name, text, least, most);
    *value = number;
    return 0;
}

/* Sets bit i of *chosen for each name of the comma-separated text. */
static int parse_list(const char *name, const char *text, const char *(*name_of)(unsigned), unsigned count,
                      unsigned *chosen, struct err *err)
{
    *chosen = 0;
    for (const char *item = text;; item++) {
        size_t bytes = strcspn(item, ",");
        unsigned i = 0;
        while (i < count && (strlen(name_of(i)) != bytes || strncmp(name_of(i), item, bytes) != 0))
            i++;
        if (i == count)
            return err_set(err, E_USAGE, "--%s does not know '%.*s'", name, bytes > 40 ? 40 : (int)bytes, item);
        *chosen |= 1u << i;
        item += bytes;
        if (!*item)
            return 0;
    }
}

static const char *kind_name(unsigned i)
{
    return organ_kind_name(i);
}

static const char *format_name(unsigned i)
{
    return source_format_name(i);
}

static const char *dpi_name(unsigned i)
{
    return source_dpi_name(i);
}

static const char *level_name(unsigned i)
{
    return damage_level_name(i);
}

static int parse_level(const char *text, enum damage_level *level, struct err *err)
{
    for (unsigned i = 0; i < DAMAGE_LEVEL_NR; i++)
        if (!strcmp(level_name(i), text)) {
            *level = i;
            return 0;
        }
    return err_set(err, E_USAGE, "--damage '%.40s' is none of none, light, mixed, heavy", text);
}

static int parse_option(int key, const char *text, struct backlog_plan *plan, struct err *err)
{
    uint64_t documents = 0, scan = 0;
    int rc;
    switch (key) {
    case KEY_OUT: plan->out = text; return 0;
    case KEY_DOCUMENTS:
        rc = parse_whole("documents", text, 1, BACKLOG_DOCUMENTS_MAX, &documents, err);
        if (!rc)
            plan->documents = (uint32_t)documents;
        return rc;
    case KEY_SEED: return parse_whole("seed", text, 0, UINT64_MAX, &plan->seed, err);
    case KEY_SCAN:
        rc = parse_whole("scan", text, 0, BACKLOG_SCANS_MAX, &scan, err);
        if (!rc)
            plan->scan = (uint32_t)scan;
        return rc;
    case KEY_DAMAGE: return parse_level(text, &plan->damage, err);
    case KEY_KINDS: return parse_list("kinds", text, kind_name, ORGAN_KIND_NR, &plan->kinds, err);
    case KEY_FORMATS: return parse_list("formats", text, format_name, SOURCE_FORMAT_NR, &plan->formats, err);
    case KEY_DPI: return parse_list("dpi", text, dpi_name, SOURCE_DPI_NR, &plan->dpi, err);
    case KEY_DUPLICATES: return parse_real("duplicates", text, 0, 100, &plan->duplicates, err);
    case KEY_BLANK: return parse_real("blank", text, 0, 100, &plan->blank, err);
    case KEY_ROTATED: return parse_real("rotated", text, 0, 100, &plan->rotated, err);
    case KEY_PAGES: return parse_real("pages-mean", text, 1, BACKLOG_PAGES_MEAN_MAX, &plan->pages_mean, err);
    default: return err_set(err, E_USAGE, "see --help");
    }
}

static int parse_options(int argc, char **argv, struct backlog_plan *plan, bool *help, struct err *err)
{
    int key;
    while ((key = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (key == KEY_HELP) {
            *help = true;
            return 0;
        }
        int rc = parse_option(key, optarg, plan, err);
        if (rc)
            return rc;
    }
    if (optind < argc)
        return err_set(err, E_USAGE, "'%.40s' is one argument too many", argv[optind]);
    if (!plan->out || !*plan->out)
        return err_set(err, E_USAGE, "--out DIR is missing");
    return 0;
}

static void print_result(const struct backlog_plan *plan, const struct backlog_count *count)
{
    json_t *line =
        json_pack("{s:I,s:I,s:I,s:o,s:s}", "documents", (json_int_t)count->documents, "pages", (json_int_t)count->pages,
                  "bytes", (json_int_t)count->bytes, "seed", json_integer((json_int_t)plan->seed), "out", plan->out);
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(line);
}

int main(int argc, char **argv)
{
    struct backlog_plan plan = {
        .documents = 20,
        .seed = 1,
        .damage = DAMAGE_MIXED,
        .kinds = BACKLOG_ALL(ORGAN_KIND_NR),
        .formats = BACKLOG_ALL(SOURCE_FORMAT_NR),
        .dpi = BACKLOG_ALL(SOURCE_DPI_NR),
        .duplicates = 5,
        .blank = 10,
        .rotated = 5,
        .pages_mean = 4,
        .progress = stderr,
    };
    struct backlog_count count;
    struct err err = {0};
    bool help = false;
    int rc = parse_options(argc, argv, &plan, &help, &err);
    if (!rc && help) {
        fputs(usage, stdout);
        return 0;
    }
    if (!rc)
        rc = backlog_write(&plan, &count, &err);
    print_forget_fonts();
    if (rc) {
        fprintf(stderr, "scans: %s: %s\n", err_name(rc), err.text);
        return rc == E_USAGE ? 2 : 1;
    }
    print_result(&plan, &count);
    return 0;
}
