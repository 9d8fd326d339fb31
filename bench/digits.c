/* SPDX-License-Identifier: AGPL-3.0-or-later
 * bench-digits: what the reader of digits makes of pictures, for digits.py.
 *
 * Without arguments: crops from stdin, each "WIDTH HEIGHT MOST FROM TO PADDED\n" and the rows of gray; for each a line
 * "MICROSECONDS TEXT:CPCT ...". With files: for the first page of each a line for each hand, "FILE KIND TEXT:CPCT ...",
 * and "FILE ms MILLISECONDS" for the hands alone. Times are CPU time. Exits 1 when it can't go on. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "proto/auto.h"
#include "worker/digits.h"
#include "worker/hand.h"
#include "worker/reading.h"
#include "worker/render.h"
#include "worker/strokes.h"

#define TESSDATA "/usr/share/tesseract-ocr/5/tessdata"

enum { MAX_PIXELS = 100000000, HANDS_TIMES = 5 };

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return 1e6 * (double)now.tv_sec + (double)now.tv_nsec / 1e3;
}

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "bench-digits: %s: %s\n", what, why);
    return EXIT_FAILURE;
}

static int crop_read(uint32_t width, uint32_t height, const struct digits_want *want)
{
    struct digits found;
    if (!width || !height || (uint64_t)width * height > STROKES_MAX_PIXELS || !want->most_digits ||
        want->most_digits > DIGITS_MOST)
        return fail("stdin", "a crop that can't be read");
    AUTO(mem_destroy) uint8_t *gray = malloc((size_t)width * height);
    if (!gray || fread(gray, width, height, stdin) != height)
        return fail("stdin", "a crop ends too early");
    double begin_us = now_us();
    if (digits_read(&(struct gray){gray, width, height, width}, want, &found))
        return fail("stdin", "no memory for a crop");
    printf("%.0f", now_us() - begin_us);
    for (unsigned i = 0; i < found.count; i++)
        printf(" %s:%u", found.guess[i].text, found.guess[i].confidence_cpct);
    putchar('\n');
    return 0;
}

static int crops_read(void)
{
    uint32_t width, height;
    struct digits_want want;
    int rc = 0;
    while (!rc && scanf("%u %u %u %u %u %u", &width, &height, &want.most_digits, &want.from, &want.to,
                        &want.padded_digits) == 6)
        rc = getchar() == '\n' ? crop_read(width, height, &want) : fail("stdin", "not the head of a crop");
    return rc;
}

static void hands_forget(Sohoa__Page *page)
{
    for (size_t i = 0; i < page->n_hands; i++)
        sohoa__hand__free_unpacked(page->hands[i], NULL);
    page->n_hands = 0;
}

static int hands_print(const char *name, const struct raster *raster, Sohoa__Page *page, struct err *err)
{
    double least_us = 0;
    for (int i = 0; i < HANDS_TIMES; i++) {
        hands_forget(page);
        double begin_us = now_us();
        int rc = hand_read(raster, page, err);
        if (rc)
            return rc;
        double us = now_us() - begin_us;
        least_us = !i || us < least_us ? us : least_us;
    }
    for (size_t i = 0; i < page->n_hands; i++) {
        const Sohoa__Hand *hand = page->hands[i];
        printf("%s\t%s\t", name,
               strchr(protobuf_c_enum_descriptor_get_value(&sohoa__hand_kind__descriptor, (int)hand->kind)->name, '_') +
                   1);
        for (size_t g = 0; g < hand->n_guesses; g++)
            printf("%s%s:%u", g ? " " : "", hand->guesses[g]->text, hand->guesses[g]->confidence_cpct);
        putchar('\n');
    }
    printf("%s\tms\t%.2f\n", name, least_us / 1e3);
    fflush(stdout);
    return 0;
}

static int file_read(struct render *render, struct reader *reader, const char *path, struct err *err)
{
    AUTO(fd_destroy) int fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    AUTO(raster_destroy) struct raster *raster = NULL;
    struct stat file;
    if (fd < 0 || fstat(fd, &file))
        return err_errno(err, E_CONFIG, "%s", path);
    int rc = render_open(render, fd, (uint64_t)file.st_size, err);
    if (!rc)
        rc = render_page(render, 1, false, page, NULL, &raster, err);
    if (!rc && raster)
        rc = page_read(reader, &raster, false, NULL, page, err);
    if (!rc && raster)
        rc = hands_print(path, raster, page, err);
    render_close(render);
    return rc;
}

static int files_read(char **path)
{
    AUTO(render_destroy) struct render *render = NULL;
    AUTO(reader_destroy) struct reader *reader = NULL;
    uint8_t model[SHA256_BYTES];
    struct err err = {0};
    int rc = render_new(MAX_PIXELS, TESSDATA, &render, &err);
    if (!rc)
        rc = reader_new(TESSDATA, "vie", model, &reader, &err);
    for (; *path && !rc; path++)
        rc = file_read(render, reader, *path, &err);
    return rc ? fail(err_name(rc), err.text) : 0;
}

int main(int argc, char **argv)
{
    return argc > 1 ? files_read(argv + 1) : crops_read();
}
