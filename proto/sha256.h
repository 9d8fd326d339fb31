/* SPDX-License-Identifier: AGPL-3.0-or-later
 * SHA-256 (FIPS 180-4) over libcrypto, which uses the CPU's own instructions, and its lower-case hexadecimal form. */
#ifndef SOHOA_SHA256_H
#define SOHOA_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"

struct sha256; /* a running hash */

struct sha256 *sha256_new(void);
void sha256_destroy(struct sha256 **hash);
void sha256_update(struct sha256 *hash, const void *data, size_t bytes);
void sha256_final(struct sha256 *hash,
                  uint8_t digest[SHA256_BYTES]); /* then only sha256_restart or sha256_destroy may follow */
void sha256_restart(struct sha256 *hash);        /* as if new: cheaper than another, for many short texts */

void sha256_of(const void *data, size_t bytes, uint8_t digest[SHA256_BYTES]);

void sha256_hex(const uint8_t digest[SHA256_BYTES], char hex[SHA256_HEX_CHARS + 1]);
bool sha256_unhex(const char *hex,
                  uint8_t digest[SHA256_BYTES]); /* false: not 64 lower-case digits; digest untouched */

#endif
