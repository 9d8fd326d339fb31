/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the results of each input are called: the folder, relative to the results' folder, that they go to. Afterwards all
 * names differ, none lies within another, and none is one that a run uses for itself. */
#ifndef SOHOA_NAMES_H
#define SOHOA_NAMES_H

#include <stdbool.h>

#include "coordinator/ctl/inputs.h"

#define RUN_FOLDER ".sohoa"      /* in the results' folder: store, Redis, logs, lock */
#define RUN_LOCK   "run.lock"    /* in RUN_FOLDER */
#define REPORT     "report.json" /* in the results' folder */

/* An input's name is relative to its PATH. PATHs with names that clash get their folder's name in front, with a number when even that
 * is taken; rows of one manifest that clash get a number behind. */
void names_give(struct inputs *inputs, const struct texts *paths);

/* May name be used below a folder of ours: relative, without "", "." and ".." components? */
bool name_stays(const char *name);

#endif
