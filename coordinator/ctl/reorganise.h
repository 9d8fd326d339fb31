/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa reorganise`: communes end and begin by a table, which is looked through before; what was ordered, and taken back. */
#ifndef SOHOA_CTL_REORGANISE_H
#define SOHOA_CTL_REORGANISE_H

#include "coordinator/ctl/ctl.h"

int reorganise_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
