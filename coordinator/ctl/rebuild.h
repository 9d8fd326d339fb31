/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa rebuild`: the coordinator rewrites Redis from the store. */
#ifndef SOHOA_REBUILD_H
#define SOHOA_REBUILD_H

#include "coordinator/ctl/ctl.h"

int rebuild_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
