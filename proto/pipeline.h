/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The pipeline digest: what a result's bytes depend on. Results of the same source under the same digest are the same
 * bytes, whoever made them; so the digest is part of every result's name. The build is not part of it. */
#ifndef SOHOA_PIPELINE_H
#define SOHOA_PIPELINE_H

#include "proto/sha256.h"

/* Bumped by hand whenever any result changes; a golden test forces it. */
enum { RESULTS_VERSION = 9 };

/* lang: as given to Tesseract ("vie"); model: SHA-256 over the traineddata files in the order of lang;
 * pdfa: the level asked for ("2b"). */
void pipeline_digest(const char *lang, const uint8_t model[SHA256_BYTES], const char *pdfa,
                     uint8_t digest[SHA256_BYTES]);

/* The SIMD class of this machine, named in records: results are the same bytes within one. Borrowed for good. */
const char *pipeline_simd(void);

#endif
