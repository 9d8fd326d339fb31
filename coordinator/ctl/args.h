/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Arguments of a command: --name VALUE or --name=VALUE, switches (some as -x, too), and operands in any order; after "--" only operands. The
 * help text comes from the same table. */
#ifndef SOHOA_ARGS_H
#define SOHOA_ARGS_H

#include <stddef.h>
#include <stdint.h>

#include "coordinator/ctl/ctl.h"
#include "proto/buf.h"

enum { ARGS_HELPED = 1 };

/* Borrowed texts, in the order given. */
struct texts {
    const char **item;
    size_t count;
};

void texts_destroy(struct texts *texts);
void texts_add(struct texts *texts, const char *text);

/* One option: the first of text, list and on that is not NULL takes it. */
struct flag {
    const char *name; /* without -- */
    char letter;      /* behind a single -; 0: none */
    const char *meta; /* what the value is; NULL for a switch */
    const char *doc;
    const char **text;  /* the last one given */
    struct texts *list; /* all given; commas separate, too */
    bool *on;
};

/* Parses argv[1..]. --api, --token-file, --json and --help are understood by every command. Returns 0, ARGS_HELPED (--help was printed,
 * or what ctl->telling wants; nothing more is to be done), or E_USAGE. */
int args_parse(const struct command *command, struct ctl *ctl, const struct flag *flags, size_t count, int argc,
               char **argv, struct texts *operands, struct err *err);

/* A number of an option. Errors: E_USAGE, which names the option and its range. */
int args_number(const char *name, const char *text, uint32_t least, uint32_t most, uint32_t *ret_number,
                struct err *err);

/* The first line of a file, appended to *line: a token or a password. Errors: E_ABSENT, E_USAGE (there is none, or it is too long). */
int args_line(const char *path, struct buf *line, struct err *err);

/* The id of a batch, which goes into addresses. Errors: E_USAGE. */
int args_batch(const char *id, struct err *err);

#endif
