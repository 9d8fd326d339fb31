/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa key`: CURVE certificates of coordinators and workers. */
#ifndef SOHOA_CTL_KEY_H
#define SOHOA_CTL_KEY_H

#include "coordinator/ctl/ctl.h"

int key_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
