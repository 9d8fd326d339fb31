/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the parts of store_test share: the store under test and the tools to look at it. */
#ifndef SOHOA_STORE_TEST_H
#define SOHOA_STORE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/types.h>

#include "proto/auto.h"
#include "proto/sha256.h"
#include "storage/store.h"

enum {
    URL_BYTES = 512,
    PATH_BYTES = URL_BYTES + STORE_NAME_BYTES,
    BIG_BYTES = 70 << 20, /* more than STORE_PART_BYTES */
    TTL_MS = 1000,
    LONG_TTL_MS = 60000,
    WAIT_MS = 60000,
    STEP_US = 5000,
    WRITERS = 8,
    CONTESTS = 40,
};

extern char url[URL_BYTES];
extern char folder[]; /* the dir backend's store is in it */
extern bool dir_backend;
extern uint64_t run_id; /* in every name: a cluster may have served other runs */
extern struct err why;

/* The tests, each file's as a group; they return how many failed. */
int content_tests(void);
int state_tests(void);
int dir_tests(void);
int rados_tests(const char *conf);

#define ok(call) assert_ok((call), #call, __LINE__)

void assert_ok(int rc, const char *call, int line);

struct blob {
    char name[STORE_NAME_BYTES];
};

/* <area>/<run>/<tail> */
struct blob blob(const char *area, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct store *opened(void);
void holds(struct store *store, const char *name, const void *data, size_t bytes);
void whole_equals(struct store *store, const char *name, uint64_t bytes, const uint8_t digest[SHA256_BYTES]);
void absent(struct store *store, const char *name);

/* How often name is named under prefix; *ret_all (may be NULL): how many names there are. */
unsigned times_listed(struct store *store, const char *prefix, const char *name, unsigned *ret_all);

/* A file of bytes that never repeat at a part's distance; the digest of it. */
int pattern_file(uint64_t bytes, uint8_t digest[SHA256_BYTES]);

/* Runs this program again as "mode", url, argument; its stdout is read through *ret_out. */
pid_t spawned(const char *mode, const char *argument, int *ret_out);

/* Waits until the process has read so many bytes, from any file. */
void wait_bytes_read(pid_t pid, uint64_t bytes);
void killed(pid_t pid);

/* Takes the lock as soon as its holder is gone. */
void lock_when_free(struct store *store, const char *owner, uint32_t ttl_ms);

/* Every guarded call in turn, on blobs of their own; all must return want. */
void guarded_calls_return(struct store *store, const char *tail, int want);

struct page {
    unsigned count;
    char first[STORE_KEY_BYTES + 1], last[STORE_KEY_BYTES + 1];
    char value[STORE_VALUE_BYTES + 1]; /* of the last */
    size_t bytes;
    bool ordered;
};

struct page page_of(struct store *store, const char *name, const char *after, size_t limit, bool *ret_more);
void page_each(const struct store_pair *pair, void *user);

#endif
