/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What this process takes of its host. */
#ifndef SOHOA_SELF_H
#define SOHOA_SELF_H

#include <stdint.h>

uint64_t self_rss_bytes(void); /* resident memory; 0: the kernel does not tell */
void self_keep_in(void);       /* from now on no core dump of it is written or handed on: what it knows may be secret */
double self_cpu_s(void);       /* time of all cores, since it started; children don't count */

#endif
