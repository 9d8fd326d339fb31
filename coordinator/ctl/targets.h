/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa targets [PLAN.csv]`: what is planned for units, shown, or taken from a CSV of the columns unit, priority, deadline, pages. */
#ifndef SOHOA_TARGETS_H
#define SOHOA_TARGETS_H

#include "coordinator/ctl/ctl.h"

int targets_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
