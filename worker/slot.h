/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a supervisor and a slot say to each other: fixed structs over a SOCK_SEQPACKET pair, file descriptors beside
 * them. A slot sends one reply when it is ready (code 0, or E_SANDBOX and it ends), then answers every request with
 * exactly one reply. It has one document open at a time. Data comes and goes through files: the source and the words
 * are opened read-only, with a file position of the slot's own; the out file is a memory file, new for each request,
 * whose size is the request's limit and can't grow: what does not fit is E_LIMIT. After the reply it is sealed
 * against writing, so that what was checked stays what is read. Everything that comes out of a slot is untrusted and
 * is checked by who reads it. */
#ifndef SOHOA_SLOT_H
#define SOHOA_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/err.h"
#include "proto/limits.h"

enum slot_op {
    SLOT_OPEN = 1, /* fd: source. Reply: section 0 = packed Probe (sha256 left empty, bytes 0) */
    SLOT_PAGE,     /* page_no. Reply: section 0 = packed Page */
    SLOT_ASSEMBLE, /* fd: pages row (page.h) of the open document, all of them in order. Reply: sections 0 = PDF, 1 = ALTO, 2 = text,
                    * 3 = PDF/A level reached ("2b", "1b" or ""), newline, why not the one wanted ("": it is),
                    * 4 = packed Description, 5 = the document's sketch (proto/sketch.h) */
    SLOT_VIEW,  /* page_no, width_px, rotation_deg. Reply: section 0 = the page's picture for people, PNG or JPEG */
    SLOT_CLOSE, /* forgets the document and its memory */
    SLOT_LOOK, /* page_no. Reply: section 0 = packed Page of kind, size and stamps (secrecy.h) alone: for pages that can't be read */
};

enum { SLOT_SECTIONS = 6 };

struct slot_request {
    uint32_t op;
    uint32_t page_no;
    uint32_t degraded;
    uint32_t width_px;     /* VIEW */
    uint32_t rotation_deg; /* VIEW: 0, 90, 180, 270, clockwise */
    uint32_t pdfa;         /* ASSEMBLE: level wanted, enum pdfa of pdf.h */
    uint64_t source_bytes;
    uint8_t sha256[SHA256_BYTES]; /* ASSEMBLE: of the source; the PDF's ID derives from it */
    uint8_t pipeline[SHA256_BYTES];
};

/* A request on its way: beside it the out file (not for CLOSE) and, for OPEN and ASSEMBLE, the file to read. */
struct slot_order {
    struct slot_request request;
    uint64_t out_max_bytes; /* size of the out file */
};

struct slot_reply {
    int32_t code; /* 0 or E_*; then err says more and the sections are empty */
    uint32_t cpu_ms;
    uint64_t rss_bytes; /* memory the slot's heap has now */
    struct err err;
    struct {
        uint64_t offset, bytes; /* in the out file */
    } section[SLOT_SECTIONS];
};

struct render;
struct reader;

/* The life of a slot, in its process: sends hello, ends if that has a code, else serves socket until its other end
 * closes. */
_Noreturn void slot_run(int socket, const struct slot_reply *hello, struct render *render, struct reader *reader);

#endif
