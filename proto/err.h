/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One error for all parts: a code from one table, where it happened and a text for the operator. The same struct crosses
 * the wire. The class, never the code, decides what is done about it. */
#ifndef SOHOA_ERR_H
#define SOHOA_ERR_H

#include <stdint.h>

enum err_class {
    ERR_RETRY = 1, /* the attempt failed; another may do better */
    ERR_POISON,    /* the input is at fault: it would fail again */
    ERR_FATAL,     /* this process can't go on */
    ERR_REFUSED,   /* the caller asked for what can't be given */
};

/* Numbers cross the wire and stay in ledgers: never reuse one. */
#define ERR_TABLE(X)                                                                                                   \
    X(E_IO, 1, RETRY, "reading or writing failed")                                                                     \
    X(E_STORE, 2, RETRY, "the object store failed")                                                                    \
    X(E_REDIS, 3, RETRY, "Redis failed")                                                                               \
    X(E_NET, 4, RETRY, "the network failed")                                                                           \
    X(E_TIME, 5, RETRY, "the time limit was met")                                                                      \
    X(E_MEMORY, 6, RETRY, "the memory limit was met")                                                                  \
    X(E_SLOT, 7, RETRY, "the slot died")                                                                               \
    X(E_SOURCE_CHANGED, 8, RETRY, "the source changed while it was read")                                              \
    X(E_LEASE, 9, RETRY, "the lease ran out")                                                                          \
    X(E_SOURCE_MISSING, 10, RETRY, "the source is not there")                                                          \
    X(E_SOURCE_EMPTY, 20, POISON, "the source is empty")                                                               \
    X(E_SOURCE_TYPE, 21, POISON, "not a PDF, TIFF, JPEG or PNG")                                                       \
    X(E_SOURCE_BROKEN, 22, POISON, "the source can't be opened")                                                       \
    X(E_SOURCE_ENCRYPTED, 23, POISON, "the source is encrypted")                                                       \
    X(E_SOURCE_SIZE, 24, POISON, "the source is too large")                                                            \
    X(E_SOURCE_PAGES, 25, POISON, "the source has too many pages or none")                                             \
    X(E_SOURCE_DENIED, 26, POISON, "the source may not be read")                                                       \
    X(E_PAGE_BROKEN, 27, POISON, "the page can't be rendered")                                                         \
    X(E_PAGE_SIZE, 28, POISON, "the page is too large")                                                                \
    X(E_ASSEMBLE, 29, POISON, "the document can't be assembled")                                                       \
    X(E_CONFIG, 40, FATAL, "the configuration is wrong")                                                               \
    X(E_NOMEM, 41, FATAL, "out of memory")                                                                             \
    X(E_FENCED, 42, FATAL, "another coordinator holds the store's epoch")                                              \
    X(E_LOCKED, 43, FATAL, "another coordinator holds the store's lock")                                               \
    X(E_CORRUPT, 44, FATAL, "stored data does not make sense")                                                         \
    X(E_SANDBOX, 45, FATAL, "the sandbox can't be set up")                                                             \
    X(E_MODEL, 46, FATAL, "the recognition model can't be loaded")                                                     \
    X(E_USAGE, 60, REFUSED, "wrong use")                                                                               \
    X(E_FRAME, 61, REFUSED, "the frame is malformed or too large")                                                     \
    X(E_VERSION, 62, REFUSED, "the protocol version differs")                                                          \
    X(E_PIPELINE, 63, REFUSED, "the pipeline digest differs")                                                          \
    X(E_MANIFEST, 64, REFUSED, "the manifest is wrong")                                                                \
    X(E_EXISTS, 65, REFUSED, "it exists already")                                                                      \
    X(E_ABSENT, 66, REFUSED, "there is no such thing")                                                                 \
    X(E_LIMIT, 67, REFUSED, "a limit was met")                                                                         \
    X(E_STATE, 68, REFUSED, "its state does not allow that")                                                           \
    X(E_STOPPED, 69, REFUSED, "the source is quarantined")                                                             \
    X(E_WHERE, 70, REFUSED, "the predicate can't be understood")                                                       \
    X(E_LOGIN, 71, REFUSED, "it is not known who asks")                                                                \
    X(E_DENIED, 72, REFUSED, "the account may not do that")                                                            \
    X(E_TRIES, 73, REFUSED, "that was tried too often")                                                                \
    X(E_SECRET, 74, REFUSED, "the document may be secret")                                                             \
    X(E_KEY, 75, REFUSED, "the key is not the worker's")

enum {
#define ERR_ENUM(name, number, class, text) name = -(number),
    ERR_TABLE(ERR_ENUM)
#undef ERR_ENUM
};

#define ERR_ONE(name, number, class, text) +1
enum { ERR_CODES = 0 ERR_TABLE(ERR_ONE) };
#undef ERR_ONE

enum { ERR_TEXT_BYTES = 256 };

struct err {
    int code;                  /* 0 or E_* */
    uint32_t page_no;          /* 1-based; 0 where no page is concerned */
    char text[ERR_TEXT_BYTES]; /* one line: which file, page, key or limit; never document text */
};

/* Fills *err (may be NULL) and returns code. A text that does not fit is cut at a UTF-8 boundary; control characters
 * become spaces, bytes that are not UTF-8 question marks. */
int err_set(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As err_set, and adds ": " and the text of errno. */
int err_errno(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

const char *err_name(int code);       /* "E_IO"; "E_?" for an unknown code */
int err_code_named(const char *name); /* 0: there is none of that name */
int err_code_at(unsigned nth);        /* of the ERR_CODES in the table */
const char *err_meaning(int code);    /* the table's text */
enum err_class err_class(int code);   /* an unknown code counts as ERR_RETRY */
const char *err_class_name(int code); /* "retry", "poison", "fatal", "refused" */

#endif
