/* SPDX-License-Identifier: AGPL-3.0-or-later
 * libmicrohttpd's options for a certificate. */
#ifndef SOHOA_TLS_H
#define SOHOA_TLS_H

#include <microhttpd.h>

#include "proto/certificate.h"

enum { TLS_OPTIONS = 4 };

/* Fills option (for MHD_OPTION_ARRAY), which borrows of certificate, and returns the flags that the daemon needs. */
static inline unsigned tls_options(const struct certificate *certificate, struct MHD_OptionItem option[TLS_OPTIONS])
{
    const struct MHD_OptionItem all[TLS_OPTIONS] = {
        {MHD_OPTION_HTTPS_MEM_CERT,   0, (void *)(uintptr_t)buf_text(&certificate->chain)                   },
        {MHD_OPTION_HTTPS_MEM_KEY,    0, (void *)(uintptr_t)buf_text(&certificate->key)                     },
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t) "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
        {MHD_OPTION_END,              0, NULL                                                               }
    };
    bool encrypted = certificate->chain.size;
    for (int i = 0; i < TLS_OPTIONS; i++)
        option[i] = all[encrypted ? i : TLS_OPTIONS - 1];
    return encrypted ? MHD_USE_TLS : 0;
}

#endif
