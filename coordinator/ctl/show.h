/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Commands that show what the API answers about one thing. */
#ifndef SOHOA_CTL_SHOW_H
#define SOHOA_CTL_SHOW_H

#include <jansson.h>

#include "coordinator/ctl/ctl.h"
#include "proto/buf.h"

struct show {
    const char *what;                                                    /* the operand: "one document or page" */
    int (*path)(const char *subject, struct buf *path, struct err *err); /* appends where the API has it */
    void (*print)(const json_t *answer);                                 /* for people */
};

int show_main(const struct show *show, const struct command *command, struct ctl *ctl, int argc, char **argv,
              struct err *err);

#endif
