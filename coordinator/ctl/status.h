/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa status [BATCH]`: where the cluster, or one batch, is. */
#ifndef SOHOA_STATUS_H
#define SOHOA_STATUS_H

#include "coordinator/ctl/ctl.h"

int status_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
