/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Who is logged in: in memory only, so a restart ends them all. A session is found by a digest of what its cookie says, so that
 * nobody who reads our memory, or measures how long a look takes, can use it. Pure: the clock is the caller's. */
#ifndef SOHOA_SESSION_H
#define SOHOA_SESSION_H

#include "coordinator/account.h"

enum {
    SESSIONS_MAX = 1024,                /* beyond, the one that was quiet the longest ends */
    SESSION_IDLE_MS = 3600 * 1000,      /* without a request ... */
    SESSION_MOST_MS = 12 * 3600 * 1000, /* ... and in any case */
    SESSION_DIGEST_BYTES = 32,
    SESSION_CSRF_BYTES = 65, /* as text, with the 0 */
};

struct session {
    uint8_t digest[SESSION_DIGEST_BYTES];
    const struct account *account; /* NULL: free */
    uint64_t since_ms, asked_ms;
    char csrf[SESSION_CSRF_BYTES]; /* what changing requests say beside the cookie */
};

struct sessions;

struct sessions *sessions_new(void);
void sessions_destroy(struct sessions **sessions);

/* As of session->since_ms. Returns the copy, borrowed until the next call. */
const struct session *sessions_add(struct sessions *sessions, const struct session *session);
/* That is in force, which it now is for longer; NULL. Borrowed until the next call. */
const struct session *sessions_find(struct sessions *sessions, const uint8_t digest[SESSION_DIGEST_BYTES],
                                    uint64_t now_ms);
/* The same, but it is in force for no longer. */
const struct session *sessions_look(struct sessions *sessions, const uint8_t digest[SESSION_DIGEST_BYTES],
                                    uint64_t now_ms);
void sessions_end(struct sessions *sessions, const uint8_t digest[SESSION_DIGEST_BYTES]);
void sessions_end_of(struct sessions *sessions, const struct account *account); /* all that it has */

#endif
