/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The limits that processes must agree on. Those that an operator may set are in proto/config.c. */
#ifndef SOHOA_LIMITS_H
#define SOHOA_LIMITS_H

enum {
    SHA256_BYTES = 32,
    SHA256_HEX_CHARS = 64,

    NAME_BYTES = 128,         /* worker and batch names, units, fonds and file codes, with the 0 */
    SOURCE_PATH_BYTES = 4096, /* a source's path, with the 0 */
    STORE_NAME_BYTES = 512,   /* a blob's name, with the 0 */

    FRAME_MAX_BYTES = 8 << 20, /* one message on the wire */
    GRANT_MAX_JOBS = 256,      /* jobs in one Grant */
    RESULTS_MAX = 256,         /* results in one Results */
    DOC_MAX_PAGES = 20000,     /* pages of one source */
    PAGE_MAX_WORDS = 50000,    /* words on one page */
    PAGE_MAX_BYTES = 16 << 20, /* one packed Page */
    HANDS_MOST = 8,            /* places for digits noted of one page, */
    HAND_MAX_GUESSES = 5,      /* guesses at one of them, */
    HAND_MAX_DIGITS = 8,       /* and digits of a guess */
    STAMPS_MOST = 8,           /* secrecy stamps noted of one page, */
    SUSPICIONS_MOST = 16,      /* and told of one document */
    SIGNATURES_MAX = 64,       /* digital signatures noted of one source */
    MANIFEST_ROW_BYTES = 64 << 10,

    VIEW_MAX_PX = 1600,        /* width of a page's picture */
    VIEW_MAX_BYTES = 32 << 20, /* a page's picture, or its words as JSON */

    STORE_PART_BYTES = 64 << 20, /* sources above this are stored in parts of this size */
};

#define VIEW_LEASE      (1ull << 63) /* in the numbers of VIEW jobs, and of no lease */
#define BATCH_MAX_DOCS  16777216u    /* documents in one batch */
#define BATCH_MAX_PAGES 4294967295u  /* pages in one batch: bits of a Redis bitmap */

#endif
