/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa account`: who may do what. */
#ifndef SOHOA_CTL_ACCOUNT_H
#define SOHOA_CTL_ACCOUNT_H

#include "coordinator/ctl/ctl.h"

int account_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
