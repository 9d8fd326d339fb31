/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The commands that list what there is: units, batches, failures, workers. */
#ifndef SOHOA_CTL_LIST_H
#define SOHOA_CTL_LIST_H

#include "coordinator/ctl/ctl.h"
#include "coordinator/ctl/table.h"

enum list_kind { LIST_UNITS, LIST_PROGRESS, LIST_BATCHES, LIST_FAILURES, LIST_WORKERS, LISTS };

int units_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);
int batches_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);
int failures_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);
int workers_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err);

/* The rows of an API's answer as a table: see table_write(). Units come with the one first that is worst off. */
void list_write(enum list_kind kind, json_t *answer, size_t rows_most, size_t columns_most, struct buf *into);

#endif
