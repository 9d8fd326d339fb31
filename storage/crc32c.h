/* SPDX-License-Identifier: AGPL-3.0-or-later
 * CRC-32C (Castagnoli; RFC 3720, appendix B.4), by the CPU's own instruction where it has one. */
#ifndef SOHOA_CRC32C_H
#define SOHOA_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *data, size_t bytes);

/* The same by table, on any CPU. */
uint32_t crc32c_by_table(const void *data, size_t bytes);

#endif
