/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa submit MANIFEST|FOLDER`: admits a batch, or, with --check, only looks whether it could be. */
#ifndef SOHOA_SUBMIT_H
#define SOHOA_SUBMIT_H

#include "coordinator/ctl/ctl.h"

int submit_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
