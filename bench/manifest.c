/* SPDX-License-Identifier: AGPL-3.0-or-later
 * bench-manifest: a manifest of many documents whose sources nobody will read, as JSON lines on stdout. Page counts are 1 and
 * above with a long tail, as those of real files are; a source's name tells its count, for bench-noop. The same arguments give
 * the same lines. */
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGES_MOST = 400, FILE_DOCUMENTS = 10, DISTRICT_DOCUMENTS = 450000 };

static uint64_t state = 88172645463325252;

static double uniform(void) /* above 0, up to 1; xorshift64* */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (double)((state * UINT64_C(2685821657736338717) >> 11) + 1) / 9007199254740992.0;
}

/* 1 and a geometric number of more: mean pages in all. */
static uint64_t pages_draw(double mean)
{
    if (mean <= 1)
        return 1;
    double more = floor(log(uniform()) / log(1 - 1 / mean));
    return more < PAGES_MOST ? 1 + (uint64_t)more : PAGES_MOST;
}

int main(int argc, char **argv)
{
    static const struct option option[] = {
        {"pages", 1, NULL, 'p'},
        {"mean",  1, NULL, 'm'},
        {NULL,    0, NULL, 0  }
    };
    uint64_t pages = 0, documents = 0;
    double mean = 7;
    for (int c; (c = getopt_long(argc, argv, "", option, NULL)) != -1;)
        if (c == 'p')
            pages = strtoull(optarg, NULL, 10);
        else if (c == 'm')
            mean = strtod(optarg, NULL);
        else
            pages = 0, optind = argc;
    if (!pages) {
        fputs("usage: bench-manifest --pages N [--mean PAGES-A-DOCUMENT]\n", stderr);
        return 2;
    }
    for (uint64_t left = pages; left; documents++) {
        uint64_t drawn = pages_draw(mean), of_doc = drawn < left ? drawn : left;
        printf("{\"source\":\"/scans/d%03" PRIu64 "/%07" PRIu64 "/%08" PRIu64 "-%" PRIu64
               "p.pdf\",\"unit\":\"district:%03" PRIu64 "\",\"fonds\":\"UBND\",\"file_code\":\"HS-%07" PRIu64
               "\",\"pages\":%" PRIu64 "}\n",
               documents / DISTRICT_DOCUMENTS, documents / FILE_DOCUMENTS, documents, of_doc,
               1 + documents / DISTRICT_DOCUMENTS, documents / FILE_DOCUMENTS, of_doc);
        left -= of_doc;
    }
    fprintf(stderr, "%" PRIu64 " documents, %" PRIu64 " pages\n", documents, pages);
    return ferror(stdout) || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
