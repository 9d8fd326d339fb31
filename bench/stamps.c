/* SPDX-License-Identifier: AGPL-3.0-or-later
 * bench-stamps FILE --pages N --seed N: sheets with many stamps as the secrecy pass sees them, for worker/stamps/train.py.
 * bench-stamps FILE DOCUMENT...: the pages of documents that have none, in their place.
 * A sheet is width, height and how many stamps (u32 each); of each stamp its kind, middle, width, height (pixels),
 * clockwise turn in degrees and how much of its letters shows (f32 each); then the planes. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/damage.h"
#include "bench/print.h"
#include "bench/sheet.h"
#include "proto/auto.h"
#include "worker/page.h"
#include "worker/planes.h"
#include "worker/render.h"

#define TESSDATA "/usr/share/tesseract-ocr/5/tessdata"

enum { PROGRESS_SHEETS = 100, MARK_VALUES = 7, MAX_PIXELS = 100000000 };

static void fail(const char *what)
{
    fprintf(stderr, "bench-stamps: %s\n", what);
    exit(EXIT_FAILURE);
}

static void file_write(FILE *file, const void *data, size_t bytes)
{
    if (fwrite(data, 1, bytes, file) != bytes)
        fail("can't write");
}

static void mark_write(const struct sheet *sheet, unsigned i, const struct planes *planes, FILE *file)
{
    const struct stamp *stamp = &sheet->stamp[i];
    double px_pt = planes->width_px / PRINT_WIDTH_PT, x, y;
    sheet_place(sheet, stamp, planes, &x, &y);
    float value[MARK_VALUES] = {
        (float)stamp->kind,
        (float)x,
        (float)y,
        (float)(stamp->width * px_pt),
        (float)(stamp->height * px_pt),
        (float)(stamp->turn_deg + sheet->skew_deg),
        (float)sheet->shown[i],
    };
    file_write(file, value, sizeof value);
}

static void sheet_write(struct chance chance, FILE *file)
{
    struct sheet sheet;
    AUTO(planes_clear) struct planes planes = {0};
    sheet_crowd(&chance, &sheet);
    AUTO(pix_destroy) PIX *pix = sheet_scan(&sheet);
    sheet_planes(pix, sheet.dpi, &planes);
    uint32_t head[] = {planes.width_px, planes.height_px, sheet.stamps};
    file_write(file, head, sizeof head);
    for (unsigned i = 0; i < sheet.stamps; i++)
        mark_write(&sheet, i, &planes, file);
    file_write(file, planes.density, (size_t)planes.width_px * planes.height_px * PLANE_NR);
}

/* ---- pages of documents ---- */

static void page_write(struct render *render, uint32_t page_no, FILE *file)
{
    struct err err;
    AUTO(page_destroy) Sohoa__Page *page = page_new(page_no);
    AUTO(raster_destroy) struct raster *raster = NULL;
    AUTO(look_clear) struct look look = {0};
    AUTO(planes_clear) struct planes planes = {0};
    if (render_page(render, page_no, false, page, NULL, &raster, &err))
        fail(err.text);
    if (!raster && render_seen(render, page_no, false, page, &raster, &err))
        fail(err.text);
    if (look_see(raster, &look, &err) || !planes_new(&look, planes_look_px_mm(&look), &planes))
        fail("no memory");
    uint32_t head[] = {planes.width_px, planes.height_px, 0};
    file_write(file, head, sizeof head);
    file_write(file, planes.density, (size_t)planes.width_px * planes.height_px * PLANE_NR);
}

static void document_write(struct render *render, const char *path, FILE *file)
{
    struct err err;
    struct stat st;
    Sohoa__Probe *probe = NULL;
    AUTO(fd_destroy) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) || render_open(render, fd, (uint64_t)st.st_size, &err) ||
        render_probe(render, &probe, &err))
        fail(path);
    for (uint32_t page_no = 1; page_no <= probe->pages; page_no++)
        page_write(render, page_no, file);
    sohoa__probe__free_unpacked(probe, NULL);
    render_close(render);
}

static void documents_write(char **paths, FILE *file)
{
    struct err err;
    AUTO(render_destroy) struct render *render = NULL;
    if (render_new(MAX_PIXELS, TESSDATA, &render, &err))
        fail(err.text);
    for (; *paths; paths++)
        document_write(render, *paths, file);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"pages", required_argument, NULL, 'p'},
        {"seed",  required_argument, NULL, 's'},
        {NULL,    0,                 NULL, 0  },
    };
    uint64_t seed = 1;
    unsigned pages = 100;
    for (int key; (key = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (key) {
        case 'p': pages = (unsigned)strtoul(optarg, NULL, 10); break;
        case 's': seed = strtoull(optarg, NULL, 10); break;
        default: return 2;
        }
    }
    FILE *file = optind < argc ? fopen(argv[optind], "wb") : NULL;
    if (!file)
        fail("which FILE can be written?");
    if (optind + 1 < argc) {
        documents_write(argv + optind + 1, file);
        pages = 0;
    }
    for (unsigned i = 0; i < pages; i++) {
        sheet_write(chance_branch(seed, i), file);
        if (i % PROGRESS_SHEETS == PROGRESS_SHEETS - 1)
            fprintf(stderr, "bench-stamps: %u of %u sheets\n", i + 1, pages);
    }
    if (fclose(file))
        fail("can't write");
    print_forget_fonts();
    return 0;
}
