/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is served when, and what ends when: work as a fluid that flows through so many cores. Times are since 1970, in
 * milliseconds. Pure.
 *
 * When every deadline can be met, the earliest is served first, which meets them all (Liu and Layland, 1973). When not, what is late
 * costs 10^(5-priority) a core-millisecond and millisecond, and the plan is the one that costs least (fluid.h): less important work is late
 * so that more important is not, and what is important leaves the time until it must begin to the others. Such a plan is followed by
 * serving in the order of turns, with all cores busy, and planning anew often: a turn says when a demand begins, not when it pauses. */
#ifndef SOHOA_FORECAST_H
#define SOHOA_FORECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct supply { /* so many cores from then on, until the next one; the last for ever */
    uint64_t from_ms;
    double cores;
};

struct demand {
    double core_ms, core_ms_sd; /* what is left: mean and standard deviation */
    uint64_t deadline_ms;       /* 0: none */
    uint32_t priority;          /* 1 (first) to 5 */
    bool paused;                /* not served */
};

enum verdict {
    VERDICT_NO_DEADLINE,
    VERDICT_ON_TIME,
    VERDICT_PAUSED,
    VERDICT_AT_RISK,
    VERDICT_LATE
};                                              /* worse and worse */
const char *verdict_name(enum verdict verdict); /* "on time", ... */

#define FORECAST_NEVER UINT64_MAX

struct outlook {
    uint64_t p50_ms, p90_ms; /* it ends by then one time of two, nine of ten; FORECAST_NEVER */
    int64_t slack_ms;        /* from p50_ms to the deadline; INT64_MAX: there is no deadline */
    enum verdict verdict;    /* at risk: late in more than one of ten */
    double cores_needed;     /* more, see below; 0: it is on time; INFINITY: it was due */
    uint64_t turn_ms;        /* what has the smaller one is served first */
    bool shed;               /* more important work makes it late */
};

/* cores_needed, from now on and for ever, let all that is due until the demand's deadline end nine of ten times by then; where there is
 * enough for that, and something due later makes it late, it is what lets everything end in time.
 *
 * Fills out[i] for demand[i]. supply: ascending, at least one, the first not after now. speed_sd: relative standard deviation of how
 * fast the cluster is, the same for all. True: all deadlines can be met. */
bool forecast(uint64_t now_ms, const struct supply *supply, size_t supplies, const struct demand *demand,
              size_t demands, double speed_sd, struct outlook *out);

#endif
