/* SPDX-License-Identifier: AGPL-3.0-or-later */
#ifndef SOHOA_CTL_PACKAGE_H
#define SOHOA_CTL_PACKAGE_H

#include "coordinator/ctl/ctl.h"

int package_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
