/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What HTTP proves itself with (TLS): a certificate that the city's authority gave, or one of its own making, which who asks must
 * be told to trust. */
#ifndef SOHOA_CERTIFICATE_H
#define SOHOA_CERTIFICATE_H

#include "proto/buf.h"
#include "proto/config.h"
#include "proto/err.h"

enum { CERTIFICATE_DAYS = 3650 }; /* of one of our own making */

/* PEM; nothing where HTTP is not encrypted. */
struct certificate {
    struct buf chain, key;
};

/* As http, http_cert_file and http_key_file say. Where neither file is there both are made: signed by itself, for name, this host
 * and http's address. Errors: E_CONFIG, which names the file, or the address that must be encrypted. */
int certificate_load(const struct config *config, const char *name, struct certificate *certificate, struct err *err);
void certificate_forget(struct certificate *certificate); /* and its key, in memory, too */

#endif
