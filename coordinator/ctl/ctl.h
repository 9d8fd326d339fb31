/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What all commands of the program sohoa share: what was said before them, and how they end. */
#ifndef SOHOA_CTL_H
#define SOHOA_CTL_H

#include <stdbool.h>

#include "proto/err.h"

/* Exit codes: part of what scripts rely on (0 and 1 are EXIT_SUCCESS and EXIT_FAILURE). */
enum { EXIT_USAGE = 2, EXIT_FINDINGS = 3 };

/* Instead of doing anything, a command tells its options. */
enum telling { TELL_NOTHING, TELL_MANUAL, TELL_WORDS };

struct ctl {
    enum telling telling;
    const char *api;        /* ADDRESS:PORT, https://ADDRESS:PORT or unix:PATH */
    const char *ca_file;    /* what https is checked with; NULL: what SOHOA_CA names, or the system's */
    const char *token_file; /* NULL: SOHOA_TOKEN says the token, if there is one */
    bool json;              /* one JSON object on stdout instead of text */
};

struct command {
    const char *name;
    const char *operands; /* as usage shows them */
    const char *doc;      /* one line */

    /* argv[0] is the command's name. Returns an exit code, or E_* with err filled in. */
    int (*main)(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);
};

#endif
