/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa withdraw BATCH`: what of a batch is not done will not be done. */
#ifndef SOHOA_WITHDRAW_H
#define SOHOA_WITHDRAW_H

#include "coordinator/ctl/ctl.h"

int withdraw_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
