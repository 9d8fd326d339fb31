/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The names of blobs (PROTOCOL.md, "What is stored where"). Each writes to a buffer of STORE_NAME_BYTES and returns it.
 * Results of a re-run (generation > 0) have names of their own, so the old result stays in force until the new is done. */
#ifndef SOHOA_NAME_H
#define SOHOA_NAME_H

#include "proto/sha256.h"

struct name {
    char text[STORE_NAME_BYTES];
};

/* src/<sha256> */
const char *name_src(struct name *name, const uint8_t sha256[SHA256_BYTES]);

/* bundle/<sha256>/<pipeline>[.g<generation>]/<first>-<count> */
const char *name_bundle(struct name *name, const uint8_t sha256[SHA256_BYTES], const uint8_t pipeline[SHA256_BYTES],
                        uint32_t generation, uint32_t first, uint32_t count);

/* out/<sha256>/<pipeline>[.g<generation>]/<part>; part: pdf, alto, text, words, done */
const char *name_out(struct name *name, const uint8_t sha256[SHA256_BYTES], const uint8_t pipeline[SHA256_BYTES],
                     uint32_t generation, const char *part);

/* rec/<batch>/<doc, 8 digits> */
const char *name_rec(struct name *name, const char *batch, uint32_t doc);

/* stop/<sha256> */
const char *name_stop(struct name *name, const uint8_t sha256[SHA256_BYTES]);

/* view/<sha256>/<view, 16 hexadecimal digits> */
const char *name_view(struct name *name, const uint8_t sha256[SHA256_BYTES], uint64_t view);

/* batch/<batch>/<kind>/<number>; kind: manifest, rows, layout (by piece), index (by shard) */
const char *name_batch(struct name *name, const char *batch, const char *kind, uint32_t number);

#endif
