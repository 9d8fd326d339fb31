/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Which workers may connect: the certificates in a folder, each with its worker's name. A worker may have several, so that one
 * can take over from another. */
#ifndef SOHOA_ALLOW_H
#define SOHOA_ALLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/err.h"

enum { ALLOW_KEYS_MOST = 20000 };

struct allow;

/* Errors: E_CONFIG, which names the folder. */
int allow_new(const char *folder, struct allow **ret_allow, struct err *err);
void allow_destroy(struct allow **allow);

/* Looks at the folder again, if it was changed. A file that makes no sense is told in the log and allows nobody. */
void allow_look(struct allow *allow);

/* Whose key (Z85) it is; NULL: nobody's. Borrowed until the next look. */
const char *allow_name(const struct allow *allow, const char *key);

#endif
