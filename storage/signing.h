/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Ed25519 (RFC 8032) and base64 (RFC 4648, 4), of libsodium. */
#ifndef SOHOA_SIGNING_H
#define SOHOA_SIGNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"
#include "proto/err.h"
#include "proto/limits.h"

enum {
    SIGNING_PUBLIC_BYTES = 32,
    SIGNATURE_BYTES = 64,
    SIGNING_PUBLIC_CHARS = 45, /* in base64, with the 0 */
};

struct signing_key {
    uint8_t public[SIGNING_PUBLIC_BYTES];
    uint8_t secret[64]; /* as libsodium has it: seed and public key */
};

/* The key whose seed is in the file, in base64. A file that is not there is made with a new key, for its owner only, durably.
 * Errors: E_CONFIG: it holds something else, or others may read it; E_IO. */
int signing_key_load(const char *path, struct signing_key *ret_key, struct err *err);
void signing_key_forget(struct signing_key *key);

void signing_sign(const struct signing_key *key, const void *data, size_t bytes, uint8_t signature[SIGNATURE_BYTES]);
bool signing_fits(const uint8_t public[SIGNING_PUBLIC_BYTES], const void *data, size_t bytes,
                  const uint8_t signature[SIGNATURE_BYTES]);

/* A public key: base64, or the path of a file that begins with it. Errors: E_USAGE. */
int signing_public_read(const char *text_or_path, uint8_t public[SIGNING_PUBLIC_BYTES], struct err *err);

void base64_put(struct buf *text, const void *data, size_t bytes); /* appended, padded */
/* Decodes the chars of text to at most bytes; -1: it is no base64, or longer. */
ptrdiff_t base64_read(const char *text, size_t chars, void *data, size_t bytes);

#endif
