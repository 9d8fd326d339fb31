/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Settings of the daemons: one table row a key (config.c), from which the parser, --help and the sample file come.
 * Sources, later wins: default, the file after --config (lines "key = value", '#' comments), --key=value. */
#ifndef SOHOA_CONFIG_H
#define SOHOA_CONFIG_H

#include <stdint.h>
#include <stdio.h>

#include "proto/err.h"

enum config_key {
    CFG_BIND,
    CFG_CONNECT,
    CFG_CURVE_FILE,
    CFG_CURVE_WORKERS,
    CFG_CURVE_COORDINATORS,
    CFG_HTTP,
    CFG_HTTP_AUTH,
    CFG_HTTP_CERT_FILE,
    CFG_HTTP_KEY_FILE,
    CFG_HTTP_CA_FILE,
    CFG_STORE,
    CFG_REDIS,
    CFG_REDIS_OTHERS,
    CFG_LEDGER_KEY_FILE,
    CFG_LEDGER_CHECKPOINT_S,
    CFG_INDICATORS,
    CFG_DUPLICATES_MAX,
    CFG_REVIEW_LIMITS,
    CFG_REVIEW_PERCENT,
    CFG_REVIEW_ROUNDS,
    CFG_OTHERS,
    CFG_METRICS,
    CFG_NAME,
    CFG_LANG,
    CFG_TAGS,
    CFG_TESSDATA,
    CFG_PDFA,
    CFG_SLOTS,
    CFG_PREFETCH_JOBS,
    CFG_IO_THREADS,
    CFG_SOURCE_ROOT,
    CFG_SOURCE_MAX_BYTES,
    CFG_PAGE_MAX_PIXELS,
    CFG_PAGE_MAX_MS,
    CFG_OPEN_MAX_MS,
    CFG_ASSEMBLE_MAX_MS,
    CFG_SLOT_MAX_BYTES,
    CFG_SLOT_DEGRADED_BYTES,
    CFG_SLOT_MAX_PAGES,
    CFG_SLOT_GROWTH_BYTES,
    CFG_HEARTBEAT_MS,
    CFG_WORKER_LOST_MS,
    CFG_RECONNECT_GRACE_MS,
    CFG_LEASE_PAGE_MS,
    CFG_LEASE_LEAST_MS,
    CFG_RANGE_MS,
    CFG_RANGE_PAGES,
    CFG_PAGE_ATTEMPTS,
    CFG_BREAKER_FAILURES,
    CFG_LOCK_TTL_MS,
    CFG_NOTIFY_URL,
    CFG_NOTIFY_TOKEN_FILE,
    CFG_NOTIFY_HOLD_MS,
    CFG_NOTIFY_REPEAT_MS,
    CFG_NOTIFY_PROGRESS_MS,
    CFG_NOTIFY_FULL_PERCENT,
    CFG_LOG,
    CFG_KEYS
};

enum config_reader { FOR_COORDINATOR = 1, FOR_WORKER = 2 };

struct config;

/* Reads the arguments of a daemon. Only keys of reader are accepted. --help, --sample-config and --manual (for scdoc) print and exit 0.
 * Errors: E_CONFIG, which names the key, the value and what is allowed. */
int config_load(enum config_reader reader, int argc, char **argv, struct config **ret_config, struct err *err);
void config_destroy(struct config **config);

const char *config_text(const struct config *config, enum config_key key); /* borrowed; "" when unset */
int64_t config_int(const struct config *config, enum config_key key);      /* asserts that the key is a number */

const char *config_key_name(enum config_key key);
void config_sample(enum config_reader reader, FILE *to);

#endif
