/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The only file that knows zstd. */
#include "worker/bundle.h"

#include <zstd.h>

#include "proto/auto.h"

enum { BUNDLE_LEVEL = 3 };

static void packer_destroy(ZSTD_CCtx **packer)
{
    ZSTD_freeCCtx(*packer);
    *packer = NULL;
}

int bundle_pack(const void *row, size_t bytes, struct buf *bundle, struct err *err)
{
    AUTO(packer_destroy) ZSTD_CCtx *packer = ZSTD_createCCtx();
    if (!packer || ZSTD_isError(ZSTD_CCtx_setParameter(packer, ZSTD_c_compressionLevel, BUNDLE_LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(packer, ZSTD_c_checksumFlag, 1)))
        return err_set(err, E_NOMEM, "no memory to compress %zu bytes", bytes);
    size_t room = ZSTD_compressBound(bytes);
    size_t packed = ZSTD_compress2(packer, buf_reserve(bundle, room), room, row, bytes);
    if (ZSTD_isError(packed))
        return err_set(err, E_NOMEM, "compressing %zu bytes: %s", bytes, ZSTD_getErrorName(packed));
    bundle->size += packed;
    bundle->data[bundle->size] = 0;
    return 0;
}

int bundle_unpack(const void *bundle, size_t bytes, size_t max_bytes, struct buf *row, struct err *err)
{
    unsigned long long said = ZSTD_getFrameContentSize(bundle, bytes);
    if (said == ZSTD_CONTENTSIZE_UNKNOWN || said == ZSTD_CONTENTSIZE_ERROR ||
        ZSTD_findFrameCompressedSize(bundle, bytes) != bytes)
        return err_set(err, E_CORRUPT, "%zu bytes are not a bundle", bytes);
    if (said > max_bytes)
        return err_set(err, E_LIMIT, "a bundle holds %llu bytes, more than %zu", said, max_bytes);
    size_t size = ZSTD_decompress(buf_reserve(row, (size_t)said), (size_t)said, bundle, bytes);
    if (ZSTD_isError(size) || size != said)
        return err_set(err, E_CORRUPT, "a bundle of %zu bytes is damaged: %s", bytes, ZSTD_getErrorName(size));
    row->size += size;
    row->data[row->size] = 0;
    return 0;
}
