/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa history`: what was ordered, when, and what stood afterwards. */
#ifndef SOHOA_CTL_HISTORY_H
#define SOHOA_CTL_HISTORY_H

#include "coordinator/ctl/ctl.h"

int history_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
