/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa plan`: what will be on time, and what would be if something were different; nothing is changed. */
#ifndef SOHOA_CTL_PLAN_H
#define SOHOA_CTL_PLAN_H

#include "coordinator/ctl/ctl.h"

int plan_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
