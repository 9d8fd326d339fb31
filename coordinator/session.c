/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/session.h"

#include <stdlib.h>
#include <string.h>

struct sessions {
    struct session at[SESSIONS_MAX];
};

struct sessions *sessions_new(void)
{
    struct sessions *sessions = calloc(1, sizeof *sessions);
    if (!sessions)
        abort();
    return sessions;
}

void sessions_destroy(struct sessions **sessions)
{
    free(*sessions);
    *sessions = NULL;
}

const struct session *sessions_add(struct sessions *sessions, const struct session *session)
{
    struct session *quiet = &sessions->at[0];
    for (size_t i = 1; i < SESSIONS_MAX && quiet->account; i++)
        if (!sessions->at[i].account || sessions->at[i].asked_ms < quiet->asked_ms)
            quiet = &sessions->at[i];
    *quiet = *session;
    quiet->asked_ms = session->since_ms;
    return quiet;
}

static struct session *find(struct sessions *sessions, const uint8_t digest[SESSION_DIGEST_BYTES])
{
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        if (sessions->at[i].account && !memcmp(sessions->at[i].digest, digest, SESSION_DIGEST_BYTES))
            return &sessions->at[i];
    return NULL;
}

static struct session *in_force(struct sessions *sessions, const uint8_t digest[SESSION_DIGEST_BYTES], uint64_t now_ms)
{
    struct session *session = find(sessions, digest);
    if (!session)
        return NULL;
    if (session->account->disabled || now_ms - session->since_ms >= SESSION_MOST_MS ||
        now_ms - session->asked_ms >= SESSION_IDLE_MS) {
        *session = (struct session){.account = NULL};
        return NULL;
    }
    return session;
}

const struct session *sessions_find(struct sessions *sessions, const uint8_t digest[SESSION_DIGEST_BYTES],
                                    uint64_t now_ms)
{
    struct session *session = in_force(sessions, digest, now_ms);
    if (session)
        session->asked_ms = now_ms;
    return session;
}

const struct session *sessions_look(struct sessions *sessions, const uint8_t digest[SESSION_DIGEST_BYTES],
                                    uint64_t now_ms)
{
    return in_force(sessions, digest, now_ms);
}

void sessions_end(struct sessions *sessions, const uint8_t digest[SESSION_DIGEST_BYTES])
{
    struct session *session = find(sessions, digest);
    if (session)
        *session = (struct session){.account = NULL};
}

void sessions_end_of(struct sessions *sessions, const struct account *account)
{
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        if (sessions->at[i].account == account)
            sessions->at[i] = (struct session){.account = NULL};
}
