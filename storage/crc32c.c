/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "storage/crc32c.h"

#include <pthread.h>
#include <string.h>

static uint32_t crc_of_byte[256];

static void table_fill(void)
{
    const uint32_t polynomial = 0x82f63b78; /* 0x1edc6f41, bits reversed */
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
        crc_of_byte[byte] = crc;
    }
}

uint32_t crc32c_by_table(const void *data, size_t bytes)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const uint8_t *at = data;
    uint32_t crc = UINT32_MAX;
    pthread_once(&once, table_fill);
    for (size_t i = 0; i < bytes; i++)
        crc = crc >> 8 ^ crc_of_byte[(crc ^ at[i]) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t crc32c_by_cpu(const uint8_t *at, size_t bytes)
{
    uint64_t crc = UINT32_MAX;
    for (; bytes >= sizeof crc; at += sizeof crc, bytes -= sizeof crc) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        crc = __builtin_ia32_crc32di(crc, word);
    }
    for (; bytes; at++, bytes--)
        crc = __builtin_ia32_crc32qi((uint32_t)crc, *at);
    return ~(uint32_t)crc;
}

uint32_t crc32c(const void *data, size_t bytes)
{
    return __builtin_cpu_supports("sse4.2") ? crc32c_by_cpu(data, bytes) : crc32c_by_table(data, bytes);
}

#else

uint32_t crc32c(const void *data, size_t bytes)
{
    return crc32c_by_table(data, bytes);
}

#endif
