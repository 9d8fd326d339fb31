/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What runs when: `sohoa pause|resume BATCH|UNIT...`, `sohoa priority|deadline BATCH|UNIT=VALUE...` and
 * `sohoa drain|undrain WORKER...`. A unit has a colon (district:001), a batch has none; UNIT/N is its documents of priority N. */
#ifndef SOHOA_ORDER_H
#define SOHOA_ORDER_H

#include "coordinator/ctl/ctl.h"

int pause_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);
int resume_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);
int priority_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);
int deadline_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);
int drain_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);
int undrain_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

#endif
