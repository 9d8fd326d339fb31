/* SPDX-License-Identifier: AGPL-3.0-or-later
 * sohoa backup and sohoa restore: from store to store, without the coordinator. */
#ifndef SOHOA_CTL_BACKUP_H
#define SOHOA_CTL_BACKUP_H

#include "coordinator/ctl/ctl.h"

int backup_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);
int restore_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
