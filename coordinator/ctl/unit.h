/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa unit`: all units that are or were called so, and what they became. */
#ifndef SOHOA_CTL_UNIT_H
#define SOHOA_CTL_UNIT_H

#include "coordinator/ctl/ctl.h"

int unit_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
