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

enum { PRIORITY_PRESET = 3 };
#define DEADLINE_NONE UINT64_MAX

/* What operators have said of a batch. It counts before what its manifest and its unit say. */
struct standing {
    uint32_t priority;    /* 0: nothing */
    uint64_t deadline_ms; /* 0: nothing; DEADLINE_NONE: there is none */
    bool paused;          /* nothing new of it is granted */
    uint32_t fault;       /* why the breaker paused it; UINT32_MAX: a person did */
};

/* What is planned for a unit, or for its documents of one priority. Its deadline counts before the manifest's. */
struct target {
    char unit[NAME_BYTES];
    uint32_t priority;    /* 1 to 5; 0: of the whole unit */
    uint64_t deadline_ms; /* 0: not said */
    uint64_t pages;       /* expected in all, admitted or not; 0: not said */
    bool paused;
};

#endif
