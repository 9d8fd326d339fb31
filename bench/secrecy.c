/* SPDX-License-Identifier: AGPL-3.0-or-later
 * bench-secrecy: how well the secrecy pass finds stamps. Letters of the generator get a stamp each, or what might be taken
 * for one, wear, a scanner, and go through secrecy_look(); pages of real scans go through it with their words, too. Prints
 * one line of JSON of counts; bench/secrecy runs some of them at a time and adds up. */
#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/damage.h"
#include "bench/print.h"
#include "bench/sheet.h"
#include "proto/auto.h"
#include "worker/reading.h"
#include "worker/render.h"
#include "worker/secrecy.h"

#define STAMP_READABLE 0.4 /* shown, at least: as in worker/stamps/train.py */
#define TESSDATA       "/usr/share/tesseract-ocr/5/tessdata"

enum {
    MAX_PIXELS = 100000000,
};

struct bench {
    struct reader *reader;
    struct render *render;
    uint64_t seed;
    const char *dump; /* folder for pictures of what went wrong; NULL: none */
    unsigned stamps, found, levels_right, unreadable, unreadable_found, clean, false_alarms, real_pages, real_false,
        declassified, declassified_alarms;
    unsigned timed;
    double ms;
};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench-secrecy: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- looking ---- */

static void raster_dump(const struct bench *bench, const char *name, PIX *pix)
{
    char path[512];
    if (!bench->dump)
        return;
    snprintf(path, sizeof path, "%s/%s.png", bench->dump, name);
    FILE *file = fopen(path, "wb");
    l_uint8 *data = NULL;
    size_t bytes = 0;
    if (!file || pixWriteMemPng(&data, &bytes, pix, 0) || fwrite(data, 1, bytes, file) != bytes)
        fail(path, "can't be written");
    fclose(file);
    lept_free(data);
}

static Sohoa__StampKind kind_of(enum stamp_kind kind)
{
    return kind == STAMP_MAT   ? SOHOA__STAMP_KIND__STAMP_MAT
           : kind == STAMP_TOI ? SOHOA__STAMP_KIND__STAMP_TOI_MAT
                               : SOHOA__STAMP_KIND__STAMP_TUYET_MAT;
}

static bool page_has(const Sohoa__Page *page, Sohoa__StampKind kind)
{
    for (size_t i = 0; i < page->n_stamps; i++)
        if (page->stamps[i]->kind == kind)
            return true;
    return false;
}

static void sheet_look(struct bench *bench, struct sheet *sheet, unsigned number)
{
    static const char *const names[] = {"mat", "toi", "tuyet", "giai"};
    static const char *const scans[] = {"colour", "gray", "bilevel"};
    struct err err = {0};
    char name[64];
    AUTO(pix_destroy) PIX *pix = sheet_scan(sheet);
    sheet_turn(sheet, &pix);
    AUTO(raster_destroy) struct raster *raster = sheet_raster(pix, sheet->dpi);
    enum stamp_kind kind = sheet->stamps ? sheet->stamp[0].kind : STAMP_OTHER;
    bool stamped = kind <= STAMP_GIAI;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    page->width_px = raster->width_px;
    page->height_px = raster->height_px;
    double began_ms = now_ms();
    if (secrecy_look(raster, page, &err))
        fail("secrecy_look", err.text);
    if (!stamped && sheet->scan == SHEET_COLOUR && sheet->dpi == 300) {
        bench->ms += now_ms() - began_ms;
        bench->timed++;
    }
    bool suspects = secrecy_suspects(page), wrong;
    snprintf(name, sizeof name, "%05u-%s-%s-%u", number, stamped ? names[kind] : "clean", scans[sheet->scan],
             sheet->dpi);
    if (!stamped) {
        bench->clean++;
        bench->false_alarms += wrong = suspects;
    } else if (kind == STAMP_GIAI) {
        bench->declassified++;
        bench->declassified_alarms += wrong = suspects;
    } else if (sheet->shown[0] < STAMP_READABLE) {
        bench->unreadable++;
        bench->unreadable_found += suspects;
        wrong = false;
    } else {
        bench->stamps++;
        bench->found += suspects;
        wrong = !suspects;
        bench->levels_right += page_has(page, kind_of(kind));
    }
    if (wrong) {
        raster_dump(bench, name, pix);
        fprintf(stderr, "%s wrong", name);
        for (size_t i = 0; i < page->n_stamps; i++)
            fprintf(stderr, " %d@%d,%d+%ux%u", page->stamps[i]->kind, page->stamps[i]->x, page->stamps[i]->y,
                    page->stamps[i]->w, page->stamps[i]->h);
        fputc('\n', stderr);
    }
}

static void sheets_look(struct bench *bench, unsigned from, unsigned step, unsigned pages)
{
    for (unsigned i = from; i < pages; i += step) {
        struct chance chance = chance_branch(bench->seed, i);
        struct sheet sheet;
        sheet_plan(&chance, i % 2 ? STAMP_KINDS : i % 10 == 8 ? STAMP_GIAI : (enum stamp_kind)(i / 2 % 3), &sheet);
        sheet_look(bench, &sheet, i);
    }
}

/* ---- real scans ---- */

static void real_page(struct bench *bench, const char *name, uint32_t page_no)
{
    struct err err = {0};
    AUTO(page_destroy) Sohoa__Page *page = page_new(page_no);
    AUTO(raster_destroy) struct raster *raster = NULL;
    int rc = render_page(bench->render, page_no, false, page, NULL, &raster, &err);
    if (!rc && raster)
        rc = secrecy_look(raster, page, &err);
    raster_destroy(&raster);
    if (!rc)
        rc = render_seen(bench->render, page_no, false, page, &raster, &err);
    if (!rc)
        rc = secrecy_look(raster, page, &err);
    if (!rc)
        rc = page_read(bench->reader, &raster, false, NULL, page, &err);
    if (rc)
        fail(name, err.text);
    secrecy_words(page);
    bench->real_pages++;
    bench->real_false += secrecy_suspects(page);
    for (size_t i = 0; i < page->n_stamps; i++)
        fprintf(stderr, "%s page %u: %d at %d,%d %ux%u\n", name, page_no, page->stamps[i]->kind, page->stamps[i]->x,
                page->stamps[i]->y, page->stamps[i]->w, page->stamps[i]->h);
}

static void real_file(struct bench *bench, const char *path)
{
    struct err err = {0};
    Sohoa__Probe *probe = NULL;
    AUTO(fd_destroy) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat file;
    if (fd < 0 || fstat(fd, &file) || render_open(bench->render, fd, (uint64_t)file.st_size, &err) ||
        render_probe(bench->render, &probe, &err))
        fail(path, err.text);
    for (uint32_t page_no = 1; page_no <= probe->pages; page_no++)
        real_page(bench, path, page_no);
    sohoa__probe__free_unpacked(probe, NULL);
    render_close(bench->render);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"pages", required_argument, NULL, 'p'},
        {"seed",  required_argument, NULL, 's'},
        {"part",  required_argument, NULL, 'n'},
        {"parts", required_argument, NULL, 'o'},
        {"dump",  required_argument, NULL, 'd'},
        {NULL,    0,                 NULL, 0  },
    };
    struct bench bench = {.seed = 1};
    unsigned pages = 2000, part = 0, parts = 1;
    uint8_t model[SHA256_BYTES];
    struct err err;
    for (int key; (key = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (key) {
        case 'p': pages = (unsigned)strtoul(optarg, NULL, 10); break;
        case 's': bench.seed = strtoull(optarg, NULL, 10); break;
        case 'n': part = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'o': parts = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'd': bench.dump = optarg; break;
        default: return 2;
        }
    }
    if (reader_new(TESSDATA, "vie", model, &bench.reader, &err) ||
        render_new(MAX_PIXELS, TESSDATA, &bench.render, &err))
        fail("models", err.text);
    sheets_look(&bench, part, parts, pages);
    for (unsigned i = (unsigned)optind + part; i < (unsigned)argc; i += parts)
        real_file(&bench, argv[i]);
    printf(
        "{\"stamps\": %u, \"found\": %u, \"levels_right\": %u, \"unreadable\": %u, \"unreadable_found\": %u, \"clean\": %u, \"false_alarms\": %u, \"real_pages\": %u, "
        "\"real_false\": %u, \"declassified\": %u, \"declassified_alarms\": %u, \"timed\": %u, \"ms\": %.1f}\n",
        bench.stamps, bench.found, bench.levels_right, bench.unreadable, bench.unreadable_found, bench.clean,
        bench.false_alarms, bench.real_pages, bench.real_false, bench.declassified, bench.declassified_alarms,
        bench.timed, bench.ms);
    reader_destroy(&bench.reader);
    render_destroy(&bench.render);
    print_forget_fonts();
    return 0;
}
