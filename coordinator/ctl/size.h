/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa plan --size`: what a cluster for so many pages is made of (coordinator/sizing.h), as text or JSON. No coordinator is asked. */
#ifndef SOHOA_CTL_SIZE_H
#define SOHOA_CTL_SIZE_H

#include "coordinator/ctl/args.h"

enum { SIZE_FIGURES_MAX = 16, SIZE_FLAGS_MAX = SIZE_FIGURES_MAX + 4, SIZE_DOC_BYTES = 160 };

/* What was asked, as it was given. */
struct size_ask {
    bool on;
    const char *figure[SIZE_FIGURES_MAX];
    const char *erasure, *until;
    struct texts days;
    char doc[SIZE_FIGURES_MAX][SIZE_DOC_BYTES];
};

void size_ask_destroy(struct size_ask *ask);

/* Appends its options to flags, which has room for SIZE_FLAGS_MAX, and borrows ask; returns how many there are. */
size_t size_flags(struct size_ask *ask, struct flag *flags);

/* The first option given that only --size understands; NULL: none was. */
const char *size_given(const struct size_ask *ask);

/* Prints. Errors: E_USAGE, which names the option and its range. */
int size_print(const struct ctl *ctl, const struct size_ask *ask, struct err *err);

#endif
