/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A key's file is written under a name of its own and then linked: two that start at once have the same key, and nobody sees a half
 * one. libsodium needs no start for what is called here, but for random bytes, which are the seed. */
#include "storage/signing.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/auto.h"

enum {
    KEY_FILE_BYTES = 128, /* more is no key */
    PATH_BYTES = 4096,
};
_Static_assert(SIGNING_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES && SIGNATURE_BYTES == crypto_sign_BYTES &&
                   sizeof((struct signing_key *)0)->secret == crypto_sign_SECRETKEYBYTES,
               "sizes are libsodium's");
_Static_assert(SIGNING_PUBLIC_CHARS == sodium_base64_ENCODED_LEN(SIGNING_PUBLIC_BYTES, sodium_base64_VARIANT_ORIGINAL),
               "a public key's base64 has room");

void base64_put(struct buf *text, const void *data, size_t bytes)
{
    size_t room = sodium_base64_encoded_len(bytes, sodium_base64_VARIANT_ORIGINAL);
    sodium_bin2base64((char *)buf_reserve(text, room), room, data, bytes, sodium_base64_VARIANT_ORIGINAL);
    text->size += room - 1;
}

ptrdiff_t base64_read(const char *text, size_t chars, void *data, size_t bytes)
{
    size_t have;
    return sodium_base642bin(data, bytes, text, chars, NULL, &have, NULL, sodium_base64_VARIANT_ORIGINAL)
               ? -1
               : (ptrdiff_t)have;
}

static void seed_take(const uint8_t seed[crypto_sign_SEEDBYTES], struct signing_key *key)
{
    crypto_sign_seed_keypair(key->public, key->secret, seed);
}

/* ---- the file ---- */

static int key_read(const char *path, struct signing_key *key, struct err *err)
{
    AUTO(fd_destroy) int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[KEY_FILE_BYTES];
    uint8_t seed[crypto_sign_SEEDBYTES];
    struct stat st;
    if (fd < 0 || fstat(fd, &st))
        return err_errno(err, E_IO, "%s", path);
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return err_set(err, E_CONFIG, "%s: others than its owner may use the ledger's key; chmod 600", path);
    ssize_t n = read(fd, text, sizeof text);
    if (n < 0)
        return err_errno(err, E_IO, "reading %s", path);
    size_t chars = (size_t)n;
    while (chars && (text[chars - 1] == '\n' || text[chars - 1] == ' '))
        chars--;
    bool whole = base64_read(text, chars, seed, sizeof seed) == sizeof seed;
    if (whole)
        seed_take(seed, key);
    sodium_memzero(text, sizeof text);
    sodium_memzero(seed, sizeof seed);
    return whole ? 0 : err_set(err, E_CONFIG, "%s holds no Ed25519 seed in base64 (44 letters)", path);
}

static int folder_sync(const char *path, struct err *err)
{
    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    AUTO(fd_destroy) int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) ? err_errno(err, E_IO, "%s", slash ? folder : ".") : 0;
}

static int seed_write(const char *path, struct err *err)
{
    AUTO(buf_destroy) struct buf text = {0};
    AUTO(fd_destroy) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    uint8_t seed[crypto_sign_SEEDBYTES];
    if (fd < 0)
        return err_errno(err, E_IO, "%s", path);
    randombytes_buf(seed, sizeof seed);
    base64_put(&text, seed, sizeof seed);
    buf_puts(&text, "\n");
    bool done = write(fd, text.data, text.size) == (ssize_t)text.size && !fsync(fd);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(text.data, text.size);
    return done ? 0 : err_errno(err, E_IO, "writing %s", path);
}

static int key_make(const char *path, struct err *err)
{
    char temp[PATH_BYTES];
    if (snprintf(temp, sizeof temp, "%s.%ld", path, (long)getpid()) >= PATH_BYTES)
        return err_set(err, E_CONFIG, "the path of the ledger's key is over %d bytes", PATH_BYTES);
    int rc = seed_write(temp, err);
    if (!rc && link(temp, path) && errno != EEXIST)
        rc = err_errno(err, E_IO, "%s", path);
    unlink(temp);
    return rc ? rc : folder_sync(path, err);
}

int signing_key_load(const char *path, struct signing_key *ret_key, struct err *err)
{
    if (sodium_init() < 0)
        return err_set(err, E_NOMEM, "libsodium does not start");
    int rc = 0;
    if (access(path, F_OK) && errno == ENOENT)
        rc = key_make(path, err);
    return rc ? rc : key_read(path, ret_key, err);
}

void signing_key_forget(struct signing_key *key)
{
    sodium_memzero(key, sizeof *key);
}

/* ---- signatures ---- */

void signing_sign(const struct signing_key *key, const void *data, size_t bytes, uint8_t signature[SIGNATURE_BYTES])
{
    crypto_sign_detached(signature, NULL, data, bytes, key->secret);
}

bool signing_fits(const uint8_t public[SIGNING_PUBLIC_BYTES], const void *data, size_t bytes,
                  const uint8_t signature[SIGNATURE_BYTES])
{
    return !crypto_sign_verify_detached(signature, data, bytes, public);
}

int signing_public_read(const char *text_or_path, uint8_t public[SIGNING_PUBLIC_BYTES], struct err *err)
{
    char text[KEY_FILE_BYTES];
    FILE *file = NULL;
    if (base64_read(text_or_path, strlen(text_or_path), public, SIGNING_PUBLIC_BYTES) == SIGNING_PUBLIC_BYTES)
        return 0;
    if ((file = fopen(text_or_path, "r"))) {
        bool read = fgets(text, sizeof text, file);
        fclose(file);
        if (read && base64_read(text, strcspn(text, " \r\n"), public, SIGNING_PUBLIC_BYTES) == SIGNING_PUBLIC_BYTES)
            return 0;
    }
    return err_set(err, E_USAGE, "'%.80s' is neither an Ed25519 public key in base64 nor a file that begins with one",
                   text_or_path);
}
