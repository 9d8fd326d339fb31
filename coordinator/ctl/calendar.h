/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa calendar [FILE.csv]`: which cores are expected when, shown or given (coordinator/calendar.h); an empty file: none. */
#ifndef SOHOA_CTL_CALENDAR_H
#define SOHOA_CTL_CALENDAR_H

#include "coordinator/ctl/ctl.h"

int calendar_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
