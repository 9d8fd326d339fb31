/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Tags of TIFF 6.0 directories, of which MuPDF's decoder tells only part. Nothing outside the given bytes is read,
 * whatever offsets say. */
#include "worker/mupdf.h"

enum {
    TIFF_HEAD_BYTES = 8,
    TIFF_ENTRY_BYTES = 12,
    TIFF_RESOLUTION_UNIT = 296,
    TIFF_BYTE = 1,
    TIFF_ASCII = 2,
    TIFF_SHORT = 3,
    TIFF_LONG = 4,
    TIFF_RATIONAL = 5,
    TIFF_UNDEFINED = 7,
};

static uint32_t tiff_u16(const struct tiff *tiff, size_t at)
{
    if (at > tiff->bytes || tiff->bytes - at < 2)
        return 0;
    const uint8_t *p = tiff->data + at;
    return tiff->big_endian ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static uint32_t tiff_u32(const struct tiff *tiff, size_t at)
{
    uint32_t first = tiff_u16(tiff, at), second = tiff_u16(tiff, at + 2);
    return tiff->big_endian ? first << 16 | second : second << 16 | first;
}

static bool tiff_at(struct tiff *tiff, size_t offset)
{
    if (offset < TIFF_HEAD_BYTES || offset > tiff->bytes || tiff->bytes - offset < 2)
        return false;
    unsigned entries = tiff_u16(tiff, offset);
    if (!entries || (tiff->bytes - offset - 2) / TIFF_ENTRY_BYTES < entries)
        return false;
    tiff->ifd = offset;
    tiff->entries = entries;
    return true;
}

bool tiff_open(struct tiff *tiff, const void *data, size_t bytes)
{
    *tiff = (struct tiff){.data = data, .bytes = bytes};
    if (bytes < TIFF_HEAD_BYTES)
        return false;
    tiff->big_endian = tiff->data[0] == 'M';
    return tiff_at(tiff, tiff_u32(tiff, 4));
}

bool tiff_next(struct tiff *tiff)
{
    return tiff_at(tiff, tiff_u32(tiff, tiff->ifd + 2 + (size_t)tiff->entries * TIFF_ENTRY_BYTES));
}

static size_t type_bytes(unsigned type)
{
    switch (type) {
    case TIFF_BYTE:
    case TIFF_ASCII:
    case TIFF_UNDEFINED: return 1;
    case TIFF_SHORT: return 2;
    case TIFF_LONG: return 4;
    case TIFF_RATIONAL: return 8;
    default: return 0;
    }
}

/* Where tag's values lie; 0: the directory does not have it, or not within the file. */
static size_t tag_values(const struct tiff *tiff, unsigned tag, unsigned *ret_type, uint32_t *ret_count)
{
    for (unsigned i = 0; i < tiff->entries; i++) {
        size_t at = tiff->ifd + 2 + (size_t)i * TIFF_ENTRY_BYTES;
        if (tiff_u16(tiff, at) != tag)
            continue;
        *ret_type = tiff_u16(tiff, at + 2);
        *ret_count = tiff_u32(tiff, at + 4);
        size_t size = type_bytes(*ret_type);
        uint64_t bytes = (uint64_t)size * *ret_count;
        size_t values = bytes <= 4 ? at + 8 : tiff_u32(tiff, at + 8);
        return bytes && values <= tiff->bytes && tiff->bytes - values >= bytes ? values : 0;
    }
    return 0;
}

uint32_t tiff_count(const struct tiff *tiff, unsigned tag)
{
    unsigned type;
    uint32_t count;
    return tag_values(tiff, tag, &type, &count) ? count : 0;
}

uint32_t tiff_number(const struct tiff *tiff, unsigned tag, uint32_t index, uint32_t fallback)
{
    unsigned type;
    uint32_t count;
    size_t at = tag_values(tiff, tag, &type, &count);
    if (!at || index >= count)
        return fallback;
    switch (type) {
    case TIFF_BYTE: return tiff->data[at + index];
    case TIFF_SHORT: return tiff_u16(tiff, at + 2 * (size_t)index);
    case TIFF_LONG: return tiff_u32(tiff, at + 4 * (size_t)index);
    default: return fallback;
    }
}

double tiff_dpi(const struct tiff *tiff, unsigned tag)
{
    unsigned type;
    uint32_t count;
    size_t at = tag_values(tiff, tag, &type, &count);
    uint32_t unit = tiff_number(tiff, TIFF_RESOLUTION_UNIT, 0, 2);
    if (!at || type != TIFF_RATIONAL || !tiff_u32(tiff, at + 4) || (unit != 2 && unit != 3))
        return 0;
    double per_unit = (double)tiff_u32(tiff, at) / tiff_u32(tiff, at + 4);
    return unit == 3 ? per_unit * 2.54 : per_unit;
}

const uint8_t *tiff_bytes(const struct tiff *tiff, unsigned tag, size_t *ret_bytes)
{
    unsigned type;
    uint32_t count;
    size_t at = tag_values(tiff, tag, &type, &count);
    if (!at || type_bytes(type) != 1)
        return NULL;
    *ret_bytes = count;
    return tiff->data + at;
}
