/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What became of the documents of a batch, as the API tells it, by document number. */
#ifndef SOHOA_OUTCOME_H
#define SOHOA_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coordinator/ctl/api.h"

enum { OUTCOMES_A_CALL = 1000 };

enum doc_state {
    DOC_IS_OPEN,
    DOC_IS_STORED,
    DOC_IS_DEAD,
    DOC_IS_DUPLICATE,
    DOC_IS_QUARANTINED,
    DOC_IS_WITHDRAWN,
    DOC_IS_REFUSED,
    DOC_STATES
};

struct outcome {
    enum doc_state state;
    char *source; /* as in the manifest */
    char *reason; /* "" or "E_...: text" */
    uint32_t pages, pages_stored, pages_dead;
    uint32_t duplicate_of; /* for DOC_IS_DUPLICATE */
    uint32_t generation;
    char *name;    /* where its results go, below the results' folder; NULL: not said yet */
    bool exported; /* in this state and generation */
    bool there;    /* its results are in that folder */
};

struct outcomes {
    struct outcome *item;
    size_t count;
};

void outcomes_init(struct outcomes *outcomes, size_t count);
void outcomes_destroy(struct outcomes *outcomes);

const char *doc_state_name(enum doc_state state);

/* Reads up to calls answers of OUTCOMES_A_CALL documents, from document first on. *ret_next is where to go on; count when all were
 * read. A document whose state or generation changed is not exported any more.
 * Errors: those of the API; E_VERSION for an answer that makes no sense. */
int outcomes_read(struct api *api, const char *batch, size_t first, unsigned calls, struct outcomes *outcomes,
                  size_t *ret_next, struct err *err);

/* A batch as the API gives it: one of "documents" or "pages", one of its keys. */
uint64_t batch_count(const json_t *batch, const char *what, const char *key);

/* batches/<batch><rest> */
const char *batch_path(struct buf *path, const char *batch, const char *rest);

#endif
