/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What decides how urgent documents are: the same for all documents of a lot. */
#ifndef SOHOA_TERMS_H
#define SOHOA_TERMS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/limits.h"

struct terms {
    char unit[NAME_BYTES], bloc[NAME_BYTES];
    uint32_t priority;       /* 1 (first) to 5; 0: not said */
    uint64_t deadline_ms;    /* since 1970; 0: not said */
    char intake[NAME_BYTES]; /* tag of the nodes that see the sources; "": all do */
    bool permanent;          /* kept for ever, so read first among equals */
};

#endif
