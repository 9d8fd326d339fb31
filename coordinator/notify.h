/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the webhook is told, and when. It is shown which alerts stand, every second or so, and says what is to be sent next:
 *
 *   (begins) --> HELD --hold_ms--> told, every repeat_ms again --(ends)--> MISSED --hold_ms--> told that it is over
 *                 ^ ends: forgotten                               ^ begins again: nothing was
 *
 * Alerts of a kind that are due together are one message; the first of them waits a little for others. There is no queue: as
 * long as nothing can be sent, what would be said is what is so by then. An alert counts as told once the receiver has taken it,
 * so it hears of each at least once.
 *
 * Times are since 1970; a clock that was set back counts from there. Pure. */
#ifndef SOHOA_NOTIFY_H
#define SOHOA_NOTIFY_H

#include <stddef.h>

#include "coordinator/alert.h"

enum {
    NOTIFY_ALERTS_MAX = 4096, /* that are followed at once: beyond that, new ones are passed over */
    NOTIFY_SUBJECTS_MAX = 20, /* that a message names */
    NOTIFY_GATHER_MS = 15000, /* the longest that one waits for others of its kind; a quarter of hold_ms at most */
    NOTIFY_RETRY_FIRST_MS = 1000,
    NOTIFY_RETRY_LAST_MS = 300000, /* doubled up to this */
    NOTIFY_FIELD_BYTES = NAME_BYTES + 32,
    NOTIFY_VALUE_BYTES = 96,
};

struct notify_rules {
    uint64_t hold_ms;   /* an alert stands so long before it is told, and is gone so long before it is over */
    uint64_t repeat_ms; /* what still stands is told again */
    /* What was told of an alert, to be kept for notify_restore(); value "": nothing any more, and with field NULL of any. */
    void (*save)(const char *field, const char *value, void *user);
    void *user;
};

struct notify_message {
    bool over; /* else it stands */
    enum alert_kind kind;
    uint64_t since_ms; /* the first of them */
    uint64_t count;
    int code;
    size_t subjects, named; /* of which so many are named */
    char subject[NOTIFY_SUBJECTS_MAX][NAME_BYTES];
};

struct notify;

struct notify *notify_new(const struct notify_rules *rules); /* which are copied */
void notify_destroy(struct notify **notify);

/* Of another process, before the first look. What makes no sense is passed over. */
void notify_restore(struct notify *notify, const char *field, const char *value);
/* Saves all again, in the place of what was saved. */
void notify_save(const struct notify *notify);

/* Those of the kind that were told, and are not over. */
void notify_told(const struct notify *notify, enum alert_kind kind, void (*each)(const char *subject, void *user),
                 void *user);

/* What stands now; alert is put in order. Returns how many were passed over. */
size_t notify_look(struct notify *notify, struct alert *alert, size_t count, uint64_t now_ms);

/* The next message, if one is due. notify_sent() says what became of it, before the next one is asked for (asserted). */
bool notify_next(struct notify *notify, uint64_t now_ms, struct notify_message *message);
/* Returns when it is tried again: milliseconds from now; 0: it was taken. */
uint64_t notify_sent(struct notify *notify, bool taken, uint64_t now_ms);

#endif
