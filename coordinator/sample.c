/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/sample.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/sha256.h"

struct ticket {
    uint64_t hash;
    uint32_t doc;
};

static struct ticket ticket_of(uint64_t seed, uint32_t doc)
{
    uint8_t digest[SHA256_BYTES];
    uint64_t hash;
    struct {
        uint64_t seed;
        uint32_t doc;
    } __attribute__((packed)) text = {htobe64(seed), htobe32(doc)};
    sha256_of(&text, sizeof text, digest);
    memcpy(&hash, digest, sizeof hash);
    return (struct ticket){be64toh(hash), doc};
}

static int by_hash(const void *a, const void *b)
{
    const struct ticket *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash > y->hash ? 1 : -1;
    return (x->doc > y->doc) - (x->doc < y->doc);
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

uint32_t sample_draw(uint32_t *docs, uint32_t count, uint32_t percent, uint64_t seed)
{
    uint32_t wanted = (uint32_t)(((uint64_t)count * percent + 99) / 100);
    AUTO(mem_destroy) struct ticket *ticket = malloc(count * sizeof *ticket + 1);
    if (!ticket)
        abort();
    for (uint32_t i = 0; i < count; i++)
        ticket[i] = ticket_of(seed, docs[i]);
    qsort(ticket, count, sizeof *ticket, by_hash);
    for (uint32_t i = 0; i < wanted; i++)
        docs[i] = ticket[i].doc;
    qsort(docs, wanted, sizeof *docs, by_number);
    return wanted;
}
