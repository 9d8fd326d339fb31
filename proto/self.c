/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/self.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

uint64_t self_rss_bytes(void)
{
    unsigned long long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (statm && fscanf(statm, "%*u %llu", &pages) != 1)
        pages = 0;
    if (statm)
        fclose(statm);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

double self_cpu_s(void)
{
    struct timespec used = {0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}
