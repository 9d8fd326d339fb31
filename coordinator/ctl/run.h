/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa run PATH... --out DIR`: the whole system on one machine. */
#ifndef SOHOA_RUN_H
#define SOHOA_RUN_H

#include "coordinator/ctl/ctl.h"

int run_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
