/* SPDX-License-Identifier: AGPL-3.0-or-later
 * libjpeg reports failure by a call that may not return: it jumps back to jpeg_write(), which owns nothing but what
 * libjpeg itself frees. */
#include "worker/jpeg.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

struct writer {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr faults;
    jmp_buf failed;
    unsigned char *data;
    unsigned long bytes;
};

static void fail(j_common_ptr jpeg)
{
    struct writer *writer = (struct writer *)jpeg;
    longjmp(writer->failed, 1);
}

static void mute(j_common_ptr jpeg)
{
    (void)jpeg;
}

static void rows_write(struct writer *writer, const unsigned char *samples, size_t stride_bytes)
{
    struct jpeg_compress_struct *jpeg = &writer->jpeg;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, JPEG_QUALITY, TRUE);
    jpeg_start_compress(jpeg, TRUE);
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW row = (JSAMPROW)(samples + jpeg->next_scanline * stride_bytes);
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
}

int jpeg_write(const unsigned char *samples, unsigned width_px, unsigned height_px, unsigned channels,
               size_t stride_bytes, struct buf *picture, struct err *err)
{
    struct writer writer = {.data = NULL};
    if (width_px > JPEG_MAX_PX || height_px > JPEG_MAX_PX)
        return err_set(err, E_PAGE_SIZE, "%u x %u pixels, JPEG_MAX_PX is %d", width_px, height_px, JPEG_MAX_PX);
    writer.jpeg.err = jpeg_std_error(&writer.faults);
    writer.faults.error_exit = fail;
    writer.faults.output_message = mute;
    bool failed = setjmp(writer.failed);
    if (!failed) {
        jpeg_create_compress(&writer.jpeg);
        jpeg_mem_dest(&writer.jpeg, &writer.data, &writer.bytes);
        writer.jpeg.image_width = width_px;
        writer.jpeg.image_height = height_px;
        writer.jpeg.input_components = (int)channels;
        writer.jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
        rows_write(&writer, samples, stride_bytes);
        buf_append(picture, writer.data, writer.bytes);
    }
    jpeg_destroy_compress(&writer.jpeg);
    free(writer.data);
    return failed ? err_set(err, E_MEMORY, "libjpeg: no memory for %u x %u pixels", width_px, height_px) : 0;
}
