/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tests/sim/source.h"

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "tests/sim/world.h"

const uint8_t pipeline_digest_of[PIPELINES][SHA256_BYTES] = {{41}, {42}};

/* What the seed says of something: always the same. */
static uint32_t fate(uint32_t a, uint32_t b, uint32_t c)
{
    uint64_t x =
        world.seed * 0x9e3779b97f4a7c15u + a * UINT64_C(0xbf58476d1ce4e5b9) + b * UINT64_C(0x94d049bb133111eb) + c;
    x ^= x >> 31;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 29;
    return (uint32_t)(x >> 16);
}

uint32_t batch_docs(uint32_t batch)
{
    return 3 + fate(1, batch, 0) % (BATCH_DOCS - 2);
}

uint32_t batch_number(const char *id)
{
    return (uint32_t)strtoul(id + 1, NULL, 10);
}

uint32_t doc_source(uint32_t batch, uint32_t doc)
{
    return fate(2, batch, doc) % SOURCES;
}

uint32_t doc_file(uint32_t batch, uint32_t doc)
{
    uint32_t file = fate(3, batch, doc) % 12;
    return file < 3 ? 1 + file : 0;
}

int doc_fault(uint32_t batch, uint32_t doc)
{
    return fate(4, batch, doc) % 12 ? 0 : E_SOURCE_BROKEN;
}

uint32_t source_pages(uint32_t source)
{
    return 1 + source * 3 % SOURCE_PAGES;
}

uint8_t page_grade(uint32_t source, uint32_t page_no)
{
    return (uint8_t)((source + page_no) % 4);
}

bool page_broken(uint32_t source, uint32_t page_no)
{
    return fate(5, source, page_no) % 20 == 0;
}

uint32_t source_secret(uint32_t source)
{
    return fate(6, source, 0) % 7 ? 0 : 1 + fate(7, source, 0) % source_pages(source);
}

void source_sha256(uint32_t source, uint8_t sha256[SHA256_BYTES])
{
    memset(sha256, 0, SHA256_BYTES);
    sha256[0] = (uint8_t)(source + 1);
}

uint32_t source_named(const uint8_t sha256[SHA256_BYTES])
{
    return sha256[0] - 1u;
}

uint32_t pipeline_named(const uint8_t digest[SHA256_BYTES])
{
    return digest[0] - pipeline_digest_of[0][0];
}
