/* SPDX-License-Identifier: AGPL-3.0-or-later
 * bench-ledger FOLDER DOCUMENTS: writes the ledger of so many documents, with some orders among them, as FOLDER/store, signed with
 * FOLDER/key every CHECKPOINT_EVERY entries; then opens, verifies and proves. Prints as JSON what each took. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/chance.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/grades.h"
#include "proto/sketch.h"
#include "storage/ledger_proof.h"
#include "storage/ledger_record.h"
#include "storage/ledger_verify.h"

enum { LOCK_MS = 600000, GROUP = 200, CHECKPOINT_EVERY = 10000, ORDER_EVERY = 500, PATH_BYTES = 512, DIGEST = 32 };

static struct err err;
static atomic_bool never;
static uint8_t sketch[SKETCH_MAX_BYTES];

static void must(int rc)
{
    if (!rc)
        return;
    fprintf(stderr, "bench-ledger: %s\n", err.text);
    exit(EXIT_FAILURE);
}

static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int none(const Sohoa__LedgerEntry *entry, void *user, struct err *why)
{
    (void)entry;
    (void)user;
    (void)why;
    return 0;
}

/* What the worker tells of a document of a few pages. */
static void outcome_fill(Sohoa__DocOutcome *outcome, struct chance *chance, uint32_t doc, uint8_t digest[DIGEST],
                         uint8_t *grades)
{
    uint32_t pages = 1 + chance_below(chance, 12);
    for (size_t i = 0; i < DIGEST; i++)
        digest[i] = (uint8_t)chance_below(chance, 256);
    for (size_t i = 0; i < sizeof sketch; i++)
        sketch[i] = (uint8_t)chance_below(chance, 256);
    memset(grades, 1, 8);
    *outcome = (Sohoa__DocOutcome)SOHOA__DOC_OUTCOME__INIT;
    outcome->batch = (char *)"2026-q4-ba-dinh-0001";
    outcome->doc = doc;
    outcome->state = SOHOA__DOC_STATE__DOC_STORED;
    outcome->sha256 = (ProtobufCBinaryData){DIGEST, digest};
    outcome->pages = outcome->pages_stored = outcome->a4_pages = pages;
    outcome->confidence_cpct = 8000 + chance_below(chance, 1900);
    outcome->grades = (ProtobufCBinaryData){8, grades};
    outcome->sketch = (ProtobufCBinaryData){sizeof sketch, sketch};
}

static void order_add(struct ledger *ledger, uint32_t number)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Standing standing = SOHOA__STANDING__INIT;
    standing.batch = (char *)"2026-q4-ba-dinh-0001";
    standing.priority = 1 + number % 5;
    entry.actor = (char *)"lan";
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_STANDING;
    entry.standing = &standing;
    ledger_add(ledger, &entry);
}

struct cost {
    uint64_t add_ns, pack_ns, append_ms;
};

/* The same entry, packed with and without what makes it provable. */
static void entry_add(struct ledger *ledger, Sohoa__DocOutcome *outcome, struct cost *cost)
{
    static struct buf packed;
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_OUTCOME;
    entry.outcome = outcome;
    uint64_t began = cpu_ns();
    ledger_add(ledger, &entry);
    uint64_t added = cpu_ns();
    buf_clear(&packed);
    record_pack(&entry, NULL, 0, &packed);
    cost->add_ns += added - began;
    cost->pack_ns += cpu_ns() - added;
}

static void commit(struct store *store, struct ledger *ledger, const struct signing_key *key, bool sign, uint64_t *last)
{
    uint8_t root[SHA256_BYTES];
    uint64_t size;
    must(ledger_commit(ledger, &err));
    if (!sign || !ledger_root(ledger, &size, root))
        return;
    must(checkpoint_put(store, key, size, root, *last, &err));
    *last = size;
}

static void write_all(struct store *store, const struct signing_key *key, uint32_t documents, struct cost *cost)
{
    AUTO(ledger_destroy) struct ledger *ledger = NULL;
    struct chance chance = chance_branch(7, 0);
    uint64_t last = 0, began_ms = clock_mono_ms();
    for (uint32_t doc = 0; doc < documents; doc++) {
        if (doc == 0 || doc == documents / 2) { /* a restart: a new segment */
            ledger_destroy(&ledger);
            must(ledger_open(store, NULL, none, NULL, &ledger, &err));
        }
        Sohoa__DocOutcome outcome;
        uint8_t digest[DIGEST], grades[8];
        outcome_fill(&outcome, &chance, doc, digest, grades);
        entry_add(ledger, &outcome, cost);
        if (doc % ORDER_EVERY == 0)
            order_add(ledger, doc);
        if (doc % GROUP == GROUP - 1)
            commit(store, ledger, key, doc % CHECKPOINT_EVERY == CHECKPOINT_EVERY - 1, &last);
    }
    commit(store, ledger, key, true, &last);
    cost->append_ms = clock_mono_ms() - began_ms;
}

static uint64_t open_ms(struct store *store, const struct signing_key *key)
{
    AUTO(ledger_destroy) struct ledger *ledger = NULL;
    AUTO(checkpoints_destroy) struct checkpoints checkpoints = {0};
    uint64_t began_ms = clock_mono_ms();
    must(checkpoints_load(store, key->public, 256, &checkpoints, &err));
    must(ledger_open(store, &checkpoints, none, NULL, &ledger, &err));
    return clock_mono_ms() - began_ms;
}

int main(int argc, char **argv)
{
    AUTO(store_destroy) struct store *store = NULL;
    struct ledger_watch watch = {0};
    struct ledger_proof proof;
    struct signing_key key;
    struct cost cost = {0};
    char path[PATH_BYTES];
    if (argc != 3) {
        fputs("usage: bench-ledger FOLDER DOCUMENTS\n", stderr);
        return 2;
    }
    AUTO(mem_destroy) struct ledger_verdict *verdict = calloc(1, sizeof *verdict);
    uint32_t documents = (uint32_t)strtoul(argv[2], NULL, 10);
    if (!verdict)
        return EXIT_FAILURE;
    snprintf(path, sizeof path, "%s/key", argv[1]);
    must(signing_key_load(path, &key, &err));
    snprintf(path, sizeof path, "dir:%s/store", argv[1]);
    must(store_open(path, &store, &err));
    must(store_lock(store, "bench", LOCK_MS, &err));
    write_all(store, &key, documents, &cost);
    uint64_t opened_ms = open_ms(store, &key), began_ms = clock_mono_ms();
    must(ledger_verify(store, key.public, NULL, &watch, verdict, &err));
    uint64_t verified_ms = clock_mono_ms() - began_ms;
    began_ms = clock_mono_ms();
    must(ledger_prove(store, verdict->entries, "2026-q4-ba-dinh-0001", documents / 2, &never, &proof, &err));
    uint64_t proven_ms = clock_mono_ms() - began_ms;
    AUTO(buf_destroy) struct buf public = {0};
    base64_put(&public, key.public, sizeof key.public);
    printf("{\"documents\":%u,\"entries\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"findings\":%" PRIu64
           ",\"append_ms\":%" PRIu64 ",\"add_ns\":%" PRIu64 ",\"pack_ns\":%" PRIu64 ",\"open_ms\":%" PRIu64
           ",\"verify_per_s\":%.0f,\"prove_ms\":%" PRIu64 ",\"key\":\"%s\"}\n",
           documents, verdict->entries, verdict->bytes, verdict->findings, cost.append_ms, cost.add_ns / documents,
           cost.pack_ns / documents, opened_ms, (double)verdict->entries * 1000 / (double)(verified_ms + !verified_ms),
           proven_ms, buf_text(&public));
    ledger_proof_destroy(&proof);
    return verdict->findings ? EXIT_FAILURE : EXIT_SUCCESS;
}
