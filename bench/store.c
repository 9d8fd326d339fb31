/* SPDX-License-Identifier: AGPL-3.0-or-later
 * bench-store: one measurement of bench/store each time it is run. The first three take names, sizes and concurrency of results
 * to the store; the others (commits.h) take progress to Redis. Each prints one line of JSON.
 *
 *   bench-store write|remove URL PART BYTES THREADS COUNT    COUNT blobs, all of them once
 *   bench-store read URL PART BYTES THREADS COUNT SECONDS    any of the COUNT blobs, again and again
 *   bench-store commit SOCKET script|setbit|bitfield near|scattered SECONDS
 *   bench-store fill SOCKET PAGES BATCHES */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/commits.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "storage/name.h"
#include "storage/store.h"

enum { THREADS_MAX = 64 };

struct load {
    int (*work)(const struct load *load, uint64_t number, void *data, struct err *err);
    struct store *store;
    const char *part; /* of the document's results: "bundle", or what name_out() takes */
    size_t bytes;
    const uint8_t *data; /* so many bytes of no pattern */
    uint64_t count;      /* blobs */
    uint64_t seconds;    /* for so long any of them is worked on; 0: each of them once */
    pthread_barrier_t ready;
    uint64_t began_ms, last_ms;
    _Atomic uint64_t next, done;
};

__attribute__((noreturn)) static void fail(const struct err *err)
{
    fprintf(stderr, "bench-store: %s\n", err->text);
    exit(EXIT_FAILURE);
}

static const char *blob_name(const struct load *load, uint64_t number, struct name *name)
{
    static const uint8_t pipeline[SHA256_BYTES] = {7};
    uint8_t source[SHA256_BYTES];
    sha256_of(&number, sizeof number, source);
    return strcmp(load->part, "bundle") ? name_out(name, source, pipeline, 0, load->part)
                                        : name_bundle(name, source, pipeline, 0, 1, 7);
}

static int blob_write(const struct load *load, uint64_t number, void *data, struct err *err)
{
    struct name name;
    memcpy(data, &number, sizeof number);
    return store_create(load->store, blob_name(load, number, &name), data, load->bytes, err);
}

static int blob_read(const struct load *load, uint64_t number, void *data, struct err *err)
{
    (void)data;
    AUTO(buf_destroy) struct buf blob = {0};
    struct name name;
    int rc = store_get(load->store, blob_name(load, number, &name), STORE_PART_BYTES, &blob, err);
    if (!rc && (blob.size != load->bytes || memcmp(blob.data, &number, sizeof number)))
        rc = err_set(err, E_CORRUPT, "%s is not what was written", name.text);
    return rc;
}

static int blob_remove(const struct load *load, uint64_t number, void *data, struct err *err)
{
    (void)data;
    struct name name;
    return store_remove(load->store, blob_name(load, number, &name), err);
}

/* xorshift64 */
static uint64_t chance(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/* The blob to work on next; false: it is over. */
static bool load_next(struct load *load, uint64_t *state, uint64_t *number)
{
    uint64_t turn = atomic_fetch_add(&load->next, 1);
    *number = load->seconds ? chance(state) % load->count : turn;
    return load->seconds ? clock_mono_ms() < load->last_ms : turn < load->count;
}

static void *load_thread(void *argument)
{
    struct load *load = argument;
    uint64_t number, state = clock_wall_ms() ^ (uint64_t)(uintptr_t)&number;
    AUTO(mem_destroy) void *data = malloc(load->bytes);
    struct err err;
    memcpy(data, load->data, load->bytes);
    pthread_barrier_wait(&load->ready);
    pthread_barrier_wait(&load->ready); /* the clock has begun */
    while (load_next(load, &state, &number)) {
        if (load->work(load, number, data, &err))
            fail(&err);
        atomic_fetch_add(&load->done, 1);
    }
    return NULL;
}

static void load_run(struct load *load, unsigned threads)
{
    pthread_t thread[THREADS_MAX];
    pthread_barrier_init(&load->ready, NULL, threads + 1);
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&thread[i], NULL, load_thread, load))
            abort();
    pthread_barrier_wait(&load->ready);
    load->began_ms = clock_mono_ms();
    load->last_ms = load->began_ms + load->seconds * 1000;
    pthread_barrier_wait(&load->ready);
    for (unsigned i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&load->ready);
}

static uint8_t *noise(size_t bytes)
{
    uint64_t state = 88172645463325252;
    uint8_t *data = malloc(bytes);
    for (size_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)chance(&state);
    return data;
}

static int blobs(int argc, char **argv)
{
    AUTO(store_destroy) struct store *store = NULL;
    struct err err;
    unsigned threads = (unsigned)strtoul(argv[5], NULL, 10);
    struct load load = {.part = argv[3], .bytes = strtoul(argv[4], NULL, 10), .count = strtoull(argv[6], NULL, 10)};
    load.work = !strcmp(argv[1], "write") ? blob_write : !strcmp(argv[1], "read") ? blob_read : blob_remove;
    if (!threads || threads > THREADS_MAX || load.bytes < sizeof(uint64_t) || !load.count)
        return 2;
    if (store_open(argv[2], &store, &err))
        fail(&err);
    load.store = store;
    AUTO(mem_destroy) uint8_t *data = noise(load.bytes);
    load.data = data;
    load.seconds = argc > 7 ? strtoull(argv[7], NULL, 10) : 0;
    load_run(&load, threads);
    printf("{\"done\":%" PRIu64 ",\"seconds\":%.3f}\n", load.done, (double)(clock_mono_ms() - load.began_ms) / 1000);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int words;
        int (*run)(int argc, char **argv);
    } measure[] = {
        {"write",  7, blobs      },
        {"read",   8, blobs      },
        {"remove", 7, blobs      },
        {"commit", 6, commits_run},
        {"fill",   5, fill_run   },
    };
    for (size_t i = 0; argc > 1 && i < sizeof measure / sizeof *measure; i++)
        if (!strcmp(argv[1], measure[i].name) && argc == measure[i].words)
            return measure[i].run(argc, argv);
    fprintf(stderr, "bench-store: not to be run by hand: bench/store knows its arguments\n");
    return 2;
}
