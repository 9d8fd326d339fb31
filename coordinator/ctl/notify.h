/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa notify`: tries the receiver of alerts. */
#ifndef SOHOA_CTL_NOTIFY_H
#define SOHOA_CTL_NOTIFY_H

#include "coordinator/ctl/ctl.h"

int notify_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
