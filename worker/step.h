/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A job from the inside, for job.c and for the files that hold its steps. A step either works (blocks, on an io thread,
 * alone with the job) or asks the slot and takes its answer (on the loop's thread). */
#ifndef SOHOA_STEP_H
#define SOHOA_STEP_H

#include <stdbool.h>
#include <sys/queue.h>

#include "proto/sketch.h"
#include "worker/field.h"
#include "worker/job.h"
#include "worker/pdf.h"
#include "worker/record.h"
#include "worker/source.h"

enum step {
    STEP_PERMIT,   /* VIEW: is it stopped */
    STEP_LOOK,     /* is it stopped, is the result there already */
    STEP_READ,     /* PROBE: find, copy and hash the scan */
    STEP_GATHER,   /* ASSEMBLE: the pages from bundles and words */
    STEP_FETCH,    /* the stored source into memory */
    STEP_TAKE,     /* wait for a slot */
    STEP_OPEN,     /* the slot opens the source */
    STEP_PAGES,    /* the slot reads page by page */
    STEP_ASSEMBLE, /* the slot makes PDF, ALTO and text */
    STEP_KEEP,     /* PROBE: store the source */
    STEP_BUNDLE,   /* store the pages */
    STEP_STORE,    /* store the document's outputs */
    STEP_SEAL,     /* done, then the records */
    STEP_QUOTE,    /* VIEW: the page's words and its rotation, out of what is stored */
    STEP_DRAW,     /* VIEW: the slot draws the page */
    STEP_SHOW,     /* VIEW: store it; stopped meanwhile: take it back */
    STEP_CHECK,    /* stopped meanwhile: take back what was stored */
    STEP_END,
    STEPS
};

enum plan { PLAN_PROBE, PLAN_PAGES, PLAN_DOCUMENT, PLAN_ASSEMBLE, PLAN_PICTURE, PLAN_WORDS, PLANS };

enum {
    STEP_AGAIN = 1, /* an answer that wants the slot to be asked once more */
    JOB_PARTS = RECORD_PARTS,
    PROBE_OUT_BYTES = 1 << 20,
    WORDS_MAX_BYTES = 1 << 30, /* pages row of one document */
};

struct job_part {
    struct io_task task;
    struct job *job;
    unsigned number;
    int rc;
    struct err err;
};

/* Where a secret may be. */
struct suspicion {
    uint32_t page_no;
    Sohoa__Stamp stamp;
};

/* A page of the job's range, or of the document for ASSEMBLE. */
struct job_page {
    bool good; /* packed holds its result; otherwise said.err tells why not */
    struct buf packed;
    struct record_page said;
    uint32_t wall_ms;
};

struct job {
    TAILQ_ENTRY(job) entry;
    struct jobs *jobs;
    const struct node *node;
    Sohoa__Job *order;
    enum plan plan;
    unsigned at; /* in the plan */
    uint64_t began_ms, expires_ms;
    bool abandoned;
    bool reads_on; /* a PROBE that went on to its pages */

    struct job_part part[JOB_PARTS];
    unsigned parts_left; /* at work on io threads */
    unsigned tries;      /* of this step */
    uint64_t retry_ms;   /* not 0: the store failed, the step is repeated then */
    bool parked;         /* another job fetches the same source */
    bool waiting;        /* for a slot */
    uint64_t asked_ms;   /* when the slot's request was sent, or the io threads were given the step */

    struct slot *slot;
    bool open;    /* the slot has the source open */
    bool opening; /* the request is SLOT_OPEN */
    struct source *source;
    Sohoa__Probe *probe;

    struct job_page *pages;
    uint32_t first, count; /* page numbers first..first+count-1 */
    uint32_t page_at;      /* the next to read */
    uint32_t look_at;      /* ASSEMBLE: the next dead page to look at */
    bool looking;          /* the request is SLOT_LOOK */
    struct suspicion suspicion[SUSPICIONS_MOST];
    uint32_t suspicions;
    struct buf row;                  /* all pages in order, for ASSEMBLE and words */
    struct buf output[RECORD_PARTS]; /* of VIEW only the first: what is to be stored */
    struct {
        uint64_t bytes;
        uint8_t sha256[SHA256_BYTES];
    } stored[RECORD_PARTS];
    Sohoa__Description *description;        /* of the document; NULL: not told yet */
    char pdfa[4], pdfa_why[PDFA_WHY_BYTES]; /* of the document written; as in record.h */
    uint32_t layers_left;                   /* likewise */
    uint8_t sketch[SKETCH_MAX_BYTES];       /* of the document written */
    size_t sketch_bytes;
    struct record *record; /* of the done that is in force */

    uint32_t rotation_deg; /* VIEW: of the page, by its result */
    bool found;            /* the store had it */
    uint32_t cpu_ms;
    struct err err; /* code not 0: the job failed */
};

/* ---- probe.c ---- */
int step_read(struct job *job, unsigned part, struct err *err);
int step_keep(struct job *job, unsigned part, struct err *err);

/* ---- pages.c ---- */
int look_stopped(struct job *job, struct err *err);
int step_look(struct job *job, unsigned part, struct err *err);
int step_fetch(struct job *job, unsigned part, struct err *err);
int slot_said(const struct slot_answer *answer, struct err *err); /* its error; returns the code */
int step_open_ask(struct job *job, struct err *err);
int step_open_answer(struct job *job, const struct slot_answer *answer, struct err *err);
int step_pages_ask(struct job *job, struct err *err);
int step_pages_answer(struct job *job, const struct slot_answer *answer, struct err *err);
int step_bundle(struct job *job, unsigned part, struct err *err);
int step_check(struct job *job, unsigned part, struct err *err);
uint32_t job_run(const struct job *job, uint32_t from,
                 bool good); /* how many pages from index from on are (not) good */
void page_keep(struct job_page *to, const Sohoa__Page *page, const void *packed, size_t bytes);
int blob_put(struct store *store, const char *name, const void *data, size_t bytes, struct err *err);

/* ---- suspicion.c ---- */
int suspicion_take(struct job *job, const Sohoa__Page *page, struct err *err); /* E_SECRET: nothing of it may be kept */
bool suspicion_ask(struct job *job); /* asks the slot for the next dead page; false: all were looked at */
void suspicion_answer(struct job *job, const struct slot_answer *answer);
int suspicion_fail(const struct job *job, struct err *err); /* what the first suspicion says; returns E_SECRET */

/* ---- document.c ---- */
int step_found(struct job *job, struct err *err); /* is the document done: then job->found, and its records are there */
int step_gather(struct job *job, unsigned part, struct err *err);
int step_assemble_ask(struct job *job, struct err *err);
int step_assemble_answer(struct job *job, const struct slot_answer *answer, struct err *err);
int step_store(struct job *job, unsigned part, struct err *err);
int step_seal(struct job *job, unsigned part, struct err *err);
int document_take_back(struct job *job, struct err *err); /* removes outputs, done and records */

/* ---- view.c ---- */
int step_permit(struct job *job, unsigned part, struct err *err);
int step_quote(struct job *job, unsigned part, struct err *err);
int step_draw_ask(struct job *job, struct err *err);
int step_draw_answer(struct job *job, const struct slot_answer *answer, struct err *err);
int step_show(struct job *job, unsigned part, struct err *err);
bool job_is_view(const struct job *job);
bool picture_is_jpeg(const struct buf *picture);

/* ---- report.c ---- */
Sohoa__Result *job_result(const struct job *job, uint32_t wall_ms);

/* ---- job.c ---- */
void job_send(struct job *job, const struct slot_request *request, int fd, uint64_t out_max_bytes, uint32_t limit_ms);

#endif
