/* SPDX-License-Identifier: AGPL-3.0-or-later
 * bench-stamps FILE --pages N --seed N: sheets with many stamps as the secrecy pass sees them, for worker/stamps/train.py.
 * A sheet is width, height and how many stamps (u32 each); of each stamp its kind, middle, width, height (pixels) and
 * clockwise turn in degrees (f32 each); then the planes. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/damage.h"
#include "bench/print.h"
#include "bench/sheet.h"
#include "proto/auto.h"
#include "worker/planes.h"

enum { PROGRESS_SHEETS = 100, MARK_VALUES = 6 };

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

static void mark_write(const struct sheet *sheet, const struct stamp *stamp, const struct planes *planes, FILE *file)
{
    double px_pt = planes->width_px / PRINT_WIDTH_PT, turn = sheet->skew_deg * M_PI / 180;
    double x = stamp->x * px_pt - planes->width_px / 2.0, y = stamp->y * px_pt - planes->height_px / 2.0;
    float value[MARK_VALUES] = {
        (float)stamp->kind,
        (float)(x * cos(turn) - y * sin(turn) + planes->width_px / 2.0),
        (float)(x * sin(turn) + y * cos(turn) + planes->height_px / 2.0),
        (float)(stamp->width * px_pt),
        (float)(stamp->height * px_pt),
        (float)(stamp->turn_deg + sheet->skew_deg),
    };
    file_write(file, value, sizeof value);
}

static void sheet_write(struct chance chance, FILE *file)
{
    struct sheet sheet;
    struct err err;
    AUTO(look_clear) struct look look = {0};
    AUTO(planes_clear) struct planes planes = {0};
    sheet_crowd(&chance, &sheet);
    AUTO(pix_destroy) PIX *pix = sheet_draw(&sheet);
    sheet_finish(&sheet, false, &pix);
    AUTO(raster_destroy) struct raster *raster = sheet_raster(pix, sheet.dpi);
    if (look_see(raster, &look, &err) || !planes_new(&look, planes_look_px_mm(&look), &planes))
        fail("no memory");
    uint32_t head[] = {planes.width_px, planes.height_px, sheet.stamps};
    file_write(file, head, sizeof head);
    for (unsigned i = 0; i < sheet.stamps; i++)
        mark_write(&sheet, &sheet.stamp[i], &planes, file);
    file_write(file, planes.density, (size_t)planes.width_px * planes.height_px * PLANE_NR);
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
    FILE *file = optind + 1 == argc ? fopen(argv[optind], "wb") : NULL;
    if (!file)
        fail("which FILE can be written?");
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
