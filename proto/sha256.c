/* SPDX-License-Identifier: AGPL-3.0-or-later
 * libcrypto fails here only without memory or with a broken installation: both end the process. */
#include "proto/sha256.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct sha256 {
    EVP_MD_CTX *context;
};

struct sha256 *sha256_new(void)
{
    struct sha256 *hash = calloc(1, sizeof *hash);
    assert(hash);
    hash->context = EVP_MD_CTX_new();
    int ok = hash->context && EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL);
    assert(ok);
    (void)ok;
    return hash;
}

void sha256_destroy(struct sha256 **hash)
{
    if (!*hash)
        return;
    EVP_MD_CTX_free((*hash)->context);
    free(*hash);
    *hash = NULL;
}

void sha256_update(struct sha256 *hash, const void *data, size_t bytes)
{
    int ok = EVP_DigestUpdate(hash->context, data, bytes);
    assert(ok);
    (void)ok;
}

void sha256_final(struct sha256 *hash, uint8_t digest[SHA256_BYTES])
{
    int ok = EVP_DigestFinal_ex(hash->context, digest, NULL);
    assert(ok);
    (void)ok;
}

void sha256_restart(struct sha256 *hash)
{
    int ok = EVP_DigestInit_ex(hash->context, NULL, NULL);
    assert(ok);
    (void)ok;
}

void sha256_of(const void *data, size_t bytes, uint8_t digest[SHA256_BYTES])
{
    int ok = EVP_Digest(data, bytes, digest, NULL, EVP_sha256(), NULL);
    assert(ok);
    (void)ok;
}

void sha256_hex(const uint8_t digest[SHA256_BYTES], char hex[SHA256_HEX_CHARS + 1])
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        hex[2 * i] = digit[digest[i] >> 4];
        hex[2 * i + 1] = digit[digest[i] & 15];
    }
    hex[SHA256_HEX_CHARS] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool sha256_unhex(const char *hex, uint8_t digest[SHA256_BYTES])
{
    uint8_t out[SHA256_BYTES];
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        int high = hex_value(hex[2 * i]);
        int low = high < 0 ? -1 : hex_value(hex[2 * i + 1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    if (hex[SHA256_HEX_CHARS])
        return false;
    memcpy(digest, out, sizeof out);
    return true;
}
