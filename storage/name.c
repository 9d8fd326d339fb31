/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "storage/name.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 2, 3))) static const char *name_format(struct name *name, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(name->text, sizeof name->text, format, ap);
    va_end(ap);
    assert(n > 0 && (size_t)n < sizeof name->text);
    return name->text;
}

static const char *generation_suffix(uint32_t generation, char suffix[16])
{
    suffix[0] = '\0';
    if (generation)
        snprintf(suffix, 16, ".g%u", generation);
    return suffix;
}

const char *name_src(struct name *name, const uint8_t sha256[SHA256_BYTES])
{
    char hex[SHA256_HEX_CHARS + 1];
    sha256_hex(sha256, hex);
    return name_format(name, "src/%s", hex);
}

const char *name_bundle(struct name *name, const uint8_t sha256[SHA256_BYTES], const uint8_t pipeline[SHA256_BYTES],
                        uint32_t generation, uint32_t first, uint32_t count)
{
    char hex[SHA256_HEX_CHARS + 1], digest[SHA256_HEX_CHARS + 1], suffix[16];
    sha256_hex(sha256, hex);
    sha256_hex(pipeline, digest);
    return name_format(name, "bundle/%s/%s%s/%u-%u", hex, digest, generation_suffix(generation, suffix), first, count);
}

const char *name_out(struct name *name, const uint8_t sha256[SHA256_BYTES], const uint8_t pipeline[SHA256_BYTES],
                     uint32_t generation, const char *part)
{
    char hex[SHA256_HEX_CHARS + 1], digest[SHA256_HEX_CHARS + 1], suffix[16];
    sha256_hex(sha256, hex);
    sha256_hex(pipeline, digest);
    return name_format(name, "out/%s/%s%s/%s", hex, digest, generation_suffix(generation, suffix), part);
}

const char *name_rec(struct name *name, const char *batch, uint32_t doc)
{
    return name_format(name, "rec/%s/%08u", batch, doc);
}

const char *name_stop(struct name *name, const uint8_t sha256[SHA256_BYTES])
{
    char hex[SHA256_HEX_CHARS + 1];
    sha256_hex(sha256, hex);
    return name_format(name, "stop/%s", hex);
}

const char *name_view(struct name *name, const uint8_t sha256[SHA256_BYTES], uint64_t view)
{
    char hex[SHA256_HEX_CHARS + 1];
    sha256_hex(sha256, hex);
    return name_format(name, "view/%s/%016" PRIx64, hex, view);
}

const char *name_batch(struct name *name, const char *batch, const char *kind, uint32_t number)
{
    return name_format(name, "batch/%s/%s/%u", batch, kind, number);
}
