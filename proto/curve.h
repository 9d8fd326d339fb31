/* SPDX-License-Identifier: AGPL-3.0-or-later
 * CURVE certificates: what a ZeroMQ socket is encrypted with and known by (RFC 26, RFC 27). Files are CZMQ's (zcert). */
#ifndef SOHOA_CURVE_H
#define SOHOA_CURVE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/err.h"
#include "proto/limits.h"

enum { CURVE_KEY_BYTES = 41 }; /* Z85, with the 0 */

struct curve {
    char name[NAME_BYTES]; /* whose it is; "" when the file does not say */
    char public_key[CURVE_KEY_BYTES];
    char secret_key[CURVE_KEY_BYTES]; /* "" when the file does not have it */
};

/* Errors: E_CONFIG, which names the file; *ret_curve is then untouched. */
int curve_load(const char *path, struct curve *ret_curve, struct err *err);
int curve_load_own(const char *path, struct curve *ret_curve,
                   struct err *err); /* with a secret that others can't read */

/* Makes NAME.key, the secret one, which only its owner can read, and NAME.pub in folder. Errors: E_EXISTS, E_IO. */
int curve_make(const char *name, const char *folder, struct err *err);

/* What is said there stays on this host: no key is needed. */
bool curve_is_near(const char *endpoint);

/* Changes when a file, or any file of a folder, was changed, added or removed; 0: it can't be read. */
uint64_t curve_stamp(const char *path);

#endif
