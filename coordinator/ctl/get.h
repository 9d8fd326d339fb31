/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa get BATCH --out DIR`: results into a folder, as a run leaves them. */
#ifndef SOHOA_GET_H
#define SOHOA_GET_H

#include "coordinator/ctl/ctl.h"

int get_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
