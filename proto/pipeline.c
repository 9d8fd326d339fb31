/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/pipeline.h"

#include "proto/auto.h"
#include "proto/buf.h"

void pipeline_digest(const char *lang, const uint8_t model[SHA256_BYTES], const char *pdfa,
                     uint8_t digest[SHA256_BYTES])
{
    AUTO(buf_destroy) struct buf text = {0};
    char hex[SHA256_HEX_CHARS + 1];
    sha256_hex(model, hex);
    buf_printf(&text, "sohoa results=%d lang=%s model=%s pdfa=%s", RESULTS_VERSION, lang, hex, pdfa);
    sha256_of(text.data, text.size, digest);
}

const char *pipeline_simd(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return "x86-64-avx512";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return "x86-64-avx2-fma";
    if (__builtin_cpu_supports("sse4.1"))
        return "x86-64-sse4.1";
    return "x86-64";
#elif defined(__aarch64__)
    return "aarch64-neon";
#else
    return "generic";
#endif
}
