/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a supervisor and a slot say to each other: fixed structs over a SOCK_SEQPACKET pair, file descriptors beside them.
 * A slot answers every request with exactly one reply. It has one document open at a time. Data comes and goes through
 * memory files: the source and the words are read-only to it, and the out file, given at its start and mapped, has a fixed
 * size: what does not fit is E_LIMIT. Everything that comes out of a slot is untrusted and is checked by who reads it. */
#ifndef SOHOA_SLOT_H
#define SOHOA_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/err.h"
#include "proto/limits.h"

enum slot_op {
    SLOT_OPEN = 1, /* fd: source. Reply: section 0 = packed Probe (sha256 left empty, bytes 0) */
    SLOT_PAGE,     /* page_no. Reply: section 0 = packed Page */
    SLOT_ASSEMBLE, /* fd: pages row (page.h) of the open document, all of them in order. Reply: sections 0 = PDF, 1 = ALTO, 2 = text */
    SLOT_CLOSE, /* forgets the document and its memory */
};

enum { SLOT_SECTIONS = 3 };

struct slot_request {
    uint32_t op;
    uint32_t page_no;
    uint32_t degraded;
    uint64_t source_bytes;
    uint8_t sha256[SHA256_BYTES]; /* ASSEMBLE: of the source; the PDF's ID derives from it */
    uint8_t pipeline[SHA256_BYTES];
};

struct slot_reply {
    int32_t code; /* 0 or E_*; then err says more and the sections are empty */
    uint32_t cpu_ms;
    uint64_t rss_bytes;
    struct err err;
    struct {
        uint64_t offset, bytes; /* in the out file */
    } section[SLOT_SECTIONS];
};

#endif
