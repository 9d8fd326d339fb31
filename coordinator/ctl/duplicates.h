/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The command that lists documents that are the same. */
#ifndef SOHOA_CTL_DUPLICATES_H
#define SOHOA_CTL_DUPLICATES_H

#include "coordinator/ctl/ctl.h"

int duplicates_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
