/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/secret.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

enum { RANDOM_MOST_BYTES = 64 };
_Static_assert(SECRET_HASH_BYTES >= crypto_pwhash_STRBYTES, "a hash has room");
_Static_assert(SECRET_DIGEST_BYTES >= crypto_generichash_BYTES_MIN &&
                   SECRET_DIGEST_BYTES <= crypto_generichash_BYTES_MAX,
               "a digest has a size that there is");

/* As dear as any other hash, of a random text that nobody has kept. */
#define NOBODYS_HASH "$argon2id$v=19$m=65536,t=2,p=1$7Uc0M+pWocwBeNUQwoLc6Q$TvK+xcQm8IQxq9KYgqgwvX95uG82tm5d+ad+/7kWXBQ"

static uint8_t process_key[crypto_generichash_KEYBYTES];

int secret_init(struct err *err)
{
    if (sodium_init() < 0)
        return err_set(err, E_NOMEM, "libsodium does not start");
    randombytes_buf(process_key, sizeof process_key);
    return 0;
}

void secret_random(char *hex, size_t bytes)
{
    uint8_t random[RANDOM_MOST_BYTES];
    assert(bytes <= sizeof random);
    randombytes_buf(random, bytes);
    sodium_bin2hex(hex, 2 * bytes + 1, random, bytes);
    sodium_memzero(random, sizeof random);
}

void secret_salt(uint8_t *salt, size_t bytes)
{
    randombytes_buf(salt, bytes);
}

bool secret_same(const char *a, const char *b)
{
    size_t n = strlen(a);
    return n == strlen(b) && !sodium_memcmp(a, b, n);
}

bool secret_same_bytes(const void *a, const void *b, size_t bytes)
{
    return !sodium_memcmp(a, b, bytes);
}

int secret_hash(const char *secret, char hash[SECRET_HASH_BYTES], struct err *err)
{
    int failed = crypto_pwhash_str_alg(hash, secret, strlen(secret), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                       crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13);
    return failed ? err_set(err, E_NOMEM, "no memory for Argon2id") : 0;
}

bool secret_fits(const char *secret, const char *hash)
{
    bool fits = !crypto_pwhash_str_verify(*hash ? hash : NOBODYS_HASH, secret, strlen(secret));
    return fits && *hash;
}

void secret_digest(const char *secret, uint8_t digest[SECRET_DIGEST_BYTES])
{
    crypto_generichash(digest, SECRET_DIGEST_BYTES, (const uint8_t *)secret, strlen(secret), process_key,
                       sizeof process_key);
}
