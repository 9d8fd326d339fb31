/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The manual page sohoa(1), as scdoc reads it, and the completions for bash: both from the tables that parse arguments and print --help. */
#ifndef SOHOA_CTL_MANUAL_H
#define SOHOA_CTL_MANUAL_H

#include <stddef.h>

#include "coordinator/ctl/ctl.h"

/* To stdout. */
void manual_print(const struct command *commands, size_t count);
void completion_print(const struct command *commands, size_t count);

#endif
