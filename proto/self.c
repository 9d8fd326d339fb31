/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/self.h"

#include <stdio.h>
#include <sys/resource.h>
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

/* 1, not 0: with 0 the kernel still hands a dump to a program that core_pattern names (core(5)). */
void self_keep_in(void)
{
    const struct rlimit limit = {1, 1};
    setrlimit(RLIMIT_CORE, &limit);
}

double self_cpu_s(void)
{
    struct timespec used = {0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}
