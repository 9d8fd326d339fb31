/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa rerun BATCH`: documents are to be read again, as a new generation. */
#ifndef SOHOA_RERUN_H
#define SOHOA_RERUN_H

#include "coordinator/ctl/ctl.h"

int rerun_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
