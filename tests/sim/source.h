/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What there is to digitise: batches whose documents share sources and files, and what is wrong with some of them. All of it
 * follows from the seed. */
#ifndef SOHOA_SIM_SOURCE_H
#define SOHOA_SIM_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/sha256.h"

enum { SOURCES = 9, SOURCE_PAGES = 11, BATCHES = 4, BATCH_DOCS = 12, PIPELINES = 2, RANGE_PAGES = 4 };

uint32_t doc_source(uint32_t batch, uint32_t doc);
uint32_t doc_file(uint32_t batch, uint32_t doc); /* 0: it belongs to none */
int doc_fault(uint32_t batch, uint32_t doc);     /* E_* of class POISON; 0: it can be opened */
uint32_t batch_docs(uint32_t batch);
uint32_t batch_number(const char *id); /* of "b0", "b1", ... */

uint32_t source_pages(uint32_t source);
bool page_broken(uint32_t source, uint32_t page_no);
uint32_t source_secret(uint32_t source); /* the page with the stamp; 0: it is no secret */
uint8_t page_grade(uint32_t source, uint32_t page_no);
void source_sha256(uint32_t source, uint8_t sha256[SHA256_BYTES]);
uint32_t source_named(const uint8_t sha256[SHA256_BYTES]);

extern const uint8_t pipeline_digest_of[PIPELINES][SHA256_BYTES];
uint32_t pipeline_named(const uint8_t digest[SHA256_BYTES]);

#endif
