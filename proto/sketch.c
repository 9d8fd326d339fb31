/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Little-endian: version, key, pages, shingles, error, dpi, bits, marks, pictures; then the samples that there are. */
#include "proto/sketch.h"

#include <string.h>

enum { SKETCH_VERSION = 1, HEAD_BYTES = 16 };
_Static_assert(HEAD_BYTES + SKETCH_TEXT + 3 * SKETCH_MARKS + 8 * SKETCH_PICTURES <= SKETCH_MAX_BYTES, "it fits");

static void put(struct buf *out, uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_append(out, &(uint8_t){(uint8_t)(number >> 8 * i)}, 1);
}

static uint64_t take(const uint8_t **at, unsigned bytes)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < bytes; i++)
        number |= (uint64_t) * (*at)++ << 8 * i;
    return number;
}

void sketch_pack(const struct sketch *sketch, struct buf *out)
{
    put(out, SKETCH_VERSION, 1);
    put(out, sketch->key, 4);
    put(out, sketch->pages, 2);
    put(out, sketch->shingles, 2);
    put(out, sketch->error_cpct, 2);
    put(out, sketch->dpi, 2);
    put(out, sketch->bits, 1);
    put(out, sketch->marks, 1);
    put(out, sketch->pictures, 1);
    if (sketch->shingles)
        buf_append(out, sketch->text, SKETCH_TEXT);
    for (unsigned i = 0; i < sketch->marks; i++)
        put(out, (uint64_t)sketch->context[i] << 8 | sketch->value[i], 3);
    for (unsigned i = 0; i < sketch->pictures; i++)
        put(out, sketch->picture[i], 8);
}

static size_t body_bytes(const struct sketch *sketch)
{
    return (sketch->shingles ? SKETCH_TEXT : 0u) + 3u * sketch->marks + 8u * sketch->pictures;
}

int sketch_unpack(const void *data, size_t bytes, struct sketch *sketch, struct err *err)
{
    const uint8_t *at = data;
    *sketch = (struct sketch){0};
    if (bytes < HEAD_BYTES || take(&at, 1) != SKETCH_VERSION)
        return err_set(err, E_CORRUPT, "%zu bytes that are no sketch of a document", bytes);
    sketch->key = (uint32_t)take(&at, 4);
    sketch->pages = (uint16_t)take(&at, 2);
    sketch->shingles = (uint16_t)take(&at, 2);
    sketch->error_cpct = (uint16_t)take(&at, 2);
    sketch->dpi = (uint16_t)take(&at, 2);
    sketch->bits = (uint8_t)take(&at, 1);
    sketch->marks = (uint8_t)take(&at, 1);
    sketch->pictures = (uint8_t)take(&at, 1);
    if (sketch->marks > SKETCH_MARKS || sketch->pictures > SKETCH_PICTURES || bytes - HEAD_BYTES != body_bytes(sketch))
        return err_set(err, E_CORRUPT, "a document's sketch of %zu bytes makes no sense", bytes);
    if (sketch->shingles) {
        memcpy(sketch->text, at, SKETCH_TEXT);
        at += SKETCH_TEXT;
    }
    for (unsigned i = 0; i < sketch->marks; i++) {
        sketch->value[i] = (uint8_t)take(&at, 1);
        sketch->context[i] = (uint16_t)take(&at, 2);
    }
    for (unsigned i = 0; i < sketch->pictures; i++)
        sketch->picture[i] = take(&at, 8);
    return 0;
}
