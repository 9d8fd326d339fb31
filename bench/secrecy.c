/* SPDX-License-Identifier: AGPL-3.0-or-later
 * bench-secrecy: how well the secrecy pass finds stamps. Letters of the generator get a stamp each, or what might be taken
 * for one, wear, a scanner, and go through secrecy_look(); pages of real scans go through it with their words, too. Prints
 * one line of JSON of counts; bench/secrecy runs some of them at a time and adds up. */
#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/damage.h"
#include "bench/dossier.h"
#include "bench/ink.h"
#include "bench/print.h"
#include "bench/stamp.h"
#include "proto/auto.h"
#include "worker/reading.h"
#include "worker/render.h"
#include "worker/secrecy.h"

#define TESSDATA "/usr/share/tesseract-ocr/5/tessdata"

enum {
    MAX_PIXELS = 100000000,
    TURN_PERCENT = 8, /* of the pages lie */
    COVERED_PERCENT = 40,
    FOLDED_PARAGRAPHS = 6,
};

struct bench {
    struct reader *reader;
    struct render *render;
    uint64_t seed;
    const char *dump; /* folder for pictures of what went wrong; NULL: none */
    unsigned stamps, found, levels_right, clean, false_alarms, real_pages, real_false, declassified,
        declassified_alarms;
    unsigned timed;
    double ms;
};

/* One page as it is drawn. */
struct sheet {
    bool stamped;
    enum stamp_kind kind;
    enum { SCAN_COLOUR, SCAN_GRAY, SCAN_BILEVEL } scan;
    uint32_t dpi;
    struct chance chance;
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

/* ---- drawing ---- */

static struct print *letter_print(struct chance *chance, struct organ *organ)
{
    struct print *print = NULL;
    struct letter *letter = NULL;
    struct err err;
    struct dossier dossier;
    dossier_open(&dossier, chance, (1u << ORGAN_KIND_NR) - 1, 1);
    *organ = dossier.organ;
    struct letter_plan plan = {.year = dossier.year,
                               .paragraphs = (unsigned)chance_between(chance, 2, FOLDED_PARAGRAPHS)};
    letter_new(chance, organ, &plan, &letter);
    if (print_new(letter, &print, &err))
        fail("letter", err.text);
    letter_destroy(&letter);
    return print;
}

static void sheet_seal(const struct print *print, struct chance *chance, const struct organ *organ, cairo_t *cr)
{
    const struct print_spot *spot;
    size_t count = print_spots(print, 0, &spot);
    for (size_t i = 0; i < count; i++)
        if (spot[i].kind == SPOT_SIGNATURE)
            ink_seal(cr, chance, organ, &spot[i]);
        else if (spot[i].kind == SPOT_STAMP && chance_percent(chance, 25))
            ink_incoming(cr, chance, organ, &spot[i]);
    struct print_spot anywhere = {
        .x = chance_real(chance, 60, 300), .y = chance_real(chance, 60, 400), .width = 150, .height = 60};
    if (chance_percent(chance, 25))
        ink_seal(cr, chance, organ, &anywhere);
}

static void sheet_ink(const struct sheet *sheet, struct chance *chance, const struct print *print,
                      const struct organ *organ, cairo_t *cr)
{
    struct stamp stamp;
    enum stamp_kind kind =
        sheet->stamped ? sheet->kind : (enum stamp_kind)chance_between(chance, STAMP_HOA_TOC, STAMP_KHAN);
    if (chance_percent(chance, 50))
        sheet_seal(print, chance, organ, cr);
    if (!sheet->stamped && chance_percent(chance, 40))
        stamp_decoys(chance, cr);
    if (!sheet->stamped && chance_percent(chance, 50))
        return;
    stamp_plan(chance, kind, &stamp);
    stamp_draw(&stamp, cr);
    double share = chance_real(chance, 0.05, 0.35);
    if (sheet->stamped && chance_percent(chance, COVERED_PERCENT))
        stamp_cover(&stamp, chance, share, cr);
}

static PIX *surface_pix(cairo_surface_t *surface)
{
    cairo_surface_flush(surface);
    int width = cairo_image_surface_get_width(surface), height = cairo_image_surface_get_height(surface);
    const unsigned char *data = cairo_image_surface_get_data(surface);
    PIX *pix = pixCreate(width, height, 32);
    for (int y = 0; pix && y < height; y++) {
        const uint32_t *from =
            (const uint32_t *)(const void *)(data + (size_t)y * (size_t)cairo_image_surface_get_stride(surface));
        for (int x = 0; x < width; x++)
            pixGetData(pix)[(size_t)y * (size_t)pixGetWpl(pix) + (size_t)x] = from[x] << 8;
    }
    if (!pix)
        abort();
    return pix;
}

static void pix_replace(PIX **pix, PIX *by)
{
    if (!by)
        abort();
    pixDestroy(pix);
    *pix = by;
}

/* What JPEG makes of it. */
static void pix_press(struct chance *chance, PIX **pix)
{
    l_uint8 *data = NULL;
    size_t bytes = 0;
    if (pixWriteMemJpeg(&data, &bytes, *pix, chance_between(chance, 35, 90), 0))
        abort();
    pix_replace(pix, pixReadMemJpeg(data, bytes, 0, 1, NULL, 0));
    lept_free(data);
}

static PIX *sheet_paint(const struct sheet *sheet, struct chance *chance)
{
    struct organ organ;
    struct print *print = letter_print(chance, &organ);
    double scale = sheet->dpi / 72.0;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)lrint(PRINT_WIDTH_PT * scale),
                                                          (int)lrint(PRINT_HEIGHT_PT * scale));
    cairo_t *cr = cairo_create(surface);
    struct damage damage;
    double strength = damage_strength(chance, DAMAGE_MIXED);
    damage_draw(chance, strength, &damage);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_scale(cr, scale, scale);
    print_draw(print, 0, cr);
    sheet_ink(sheet, chance, print, &organ, cr);
    cairo_set_operator(cr, CAIRO_OPERATOR_OVER);
    damage_wear(&damage, cr);
    cairo_destroy(cr);
    PIX *pix = surface_pix(surface);
    cairo_surface_destroy(surface);
    print_destroy(&print);
    if (sheet->scan != SCAN_COLOUR)
        pix_replace(&pix, pixConvertRGBToGray(pix, 0.3F, 0.59F, 0.11F));
    damage_scan(&damage, &pix, NULL);
    return pix;
}

static struct raster *pix_raster(PIX *pix, uint32_t dpi)
{
    uint32_t width = (uint32_t)pixGetWidth(pix), height = (uint32_t)pixGetHeight(pix);
    int depth = pixGetDepth(pix);
    struct raster *raster = raster_new(width, height, depth == 32 ? 3 : depth == 8 ? 1 : 0);
    if (!raster)
        abort();
    raster->dpi = dpi;
    for (uint32_t y = 0; y < height; y++) {
        const l_uint32 *line = pixGetData(pix) + (size_t)y * (size_t)pixGetWpl(pix);
        uint8_t *row = raster->data + y * raster->stride_bytes;
        for (uint32_t x = 0; x < width; x++)
            if (depth == 32)
                for (int c = 0; c < 3; c++)
                    row[3 * x + (uint32_t)c] = (uint8_t)(line[x] >> (24 - 8 * c));
            else if (depth == 8)
                row[x] = GET_DATA_BYTE(line, x);
            else
                row[x / 8] = (uint8_t)(row[x / 8] | (GET_DATA_BIT(line, x) ? 0x80 >> x % 8 : 0));
    }
    return raster;
}

static PIX *sheet_scan(const struct sheet *sheet)
{
    struct chance chance = sheet->chance;
    PIX *pix = sheet_paint(sheet, &chance);
    if (chance_percent(&chance, TURN_PERCENT))
        pix_replace(&pix, pixRotateOrth(pix, chance_between(&chance, 1, 3)));
    if (sheet->scan == SCAN_BILEVEL)
        pix_replace(&pix, pixThresholdToBinary(pix, chance_between(&chance, 140, 190)));
    else if (chance_percent(&chance, 70))
        pix_press(&chance, &pix);
    return pix;
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

static void sheet_look(struct bench *bench, const struct sheet *sheet, unsigned number)
{
    static const char *const names[] = {"mat", "toi", "tuyet", "giai"};
    static const char *const scans[] = {"colour", "gray", "bilevel"};
    struct err err = {0};
    char name[64];
    AUTO(pix_destroy) PIX *pix = sheet_scan(sheet);
    AUTO(raster_destroy) struct raster *raster = pix_raster(pix, sheet->dpi);
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    page->width_px = raster->width_px;
    page->height_px = raster->height_px;
    double began_ms = now_ms();
    if (secrecy_look(bench->reader, raster, page, &err))
        fail("secrecy_look", err.text);
    if (!sheet->stamped && sheet->scan == SCAN_COLOUR && sheet->dpi == 300) {
        bench->ms += now_ms() - began_ms;
        bench->timed++;
    }
    bool suspects = secrecy_suspects(page), wrong;
    snprintf(name, sizeof name, "%05u-%s-%s-%u", number, sheet->stamped ? names[sheet->kind] : "clean",
             scans[sheet->scan], sheet->dpi);
    if (!sheet->stamped) {
        bench->clean++;
        bench->false_alarms += wrong = suspects;
    } else if (sheet->kind == STAMP_GIAI) {
        bench->declassified++;
        bench->declassified_alarms += wrong = suspects;
    } else {
        bench->stamps++;
        bench->found += suspects;
        wrong = !suspects;
        bench->levels_right += page_has(page, kind_of(sheet->kind));
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
    static const unsigned scans[] = {60, 25, 15, 0};
    static const uint32_t dpis[] = {150, 200, 300, 300};
    for (unsigned i = from; i < pages; i += step) {
        struct sheet sheet = {.chance = chance_branch(bench->seed, i), .stamped = i % 2 == 0};
        sheet.kind = i % 10 == 8 ? STAMP_GIAI : (enum stamp_kind)(i / 2 % 3);
        sheet.scan = chance_weighed(&sheet.chance, scans);
        sheet.dpi = CHANCE_PICK(&sheet.chance, dpis);
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
        rc = secrecy_look(bench->reader, raster, page, &err);
    raster_destroy(&raster);
    if (!rc)
        rc = render_seen(bench->render, page_no, false, page, &raster, &err);
    if (!rc)
        rc = secrecy_look(bench->reader, raster, page, &err);
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
        "{\"stamps\": %u, \"found\": %u, \"levels_right\": %u, \"clean\": %u, \"false_alarms\": %u, \"real_pages\": %u, "
        "\"real_false\": %u, \"declassified\": %u, \"declassified_alarms\": %u, \"timed\": %u, \"ms\": %.1f}\n",
        bench.stamps, bench.found, bench.levels_right, bench.clean, bench.false_alarms, bench.real_pages,
        bench.real_false, bench.declassified, bench.declassified_alarms, bench.timed, bench.ms);
    reader_destroy(&bench.reader);
    render_destroy(&bench.render);
    print_forget_fonts();
    return 0;
}
