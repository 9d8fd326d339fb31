/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is guessed, kept and compared of passwords and tokens (libsodium). */
#ifndef SOHOA_SECRET_H
#define SOHOA_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/err.h"

enum { SECRET_DIGEST_BYTES = 32, SECRET_HASH_BYTES = 128 /* with the 0 */ };

int secret_init(struct err *err); /* before all others; also makes the key of this process. Errors: E_NOMEM */

void secret_random(char *hex, size_t bytes); /* 2 * bytes letters and a 0 */
void secret_salt(uint8_t *salt, size_t bytes);
/* Take as long whatever is the same of them. */
bool secret_same(const char *a, const char *b);
bool secret_same_bytes(const void *a, const void *b, size_t bytes);

/* Argon2id: about 0.1 s and 64 MiB, so never on the loop. Errors: E_NOMEM. */
int secret_hash(const char *secret, char hash[SECRET_HASH_BYTES], struct err *err);
bool secret_fits(const char *secret, const char *hash); /* hash "": it does not, and takes as long to say so */

/* With a key that only this process has. */
void secret_digest(const char *secret, uint8_t digest[SECRET_DIGEST_BYTES]);

#endif
