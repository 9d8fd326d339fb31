/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Entries are kept in the order of alert_order(), as what stands is: one pass over both finds what began and what ended. */
#include "coordinator/notify.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct alert alert;
    uint64_t since_ms;
    uint64_t missed_ms;  /* it does not stand since then; 0: it does */
    uint64_t told_ms;    /* last; 0: never */
    uint32_t told_count; /* what it counted then */
    uint32_t sent_count; /* what the message under way says */
    bool sent;           /* it is in that message */
};

struct notify {
    struct notify_rules rules;
    struct entry *entry, *before; /* before: room for the next look */
    size_t entries;
    bool under_way, over; /* over: what the message under way says */
    unsigned failures;    /* one after another */
    uint64_t failed_ms;
};

struct notify *notify_new(const struct notify_rules *rules)
{
    struct notify *notify = calloc(1, sizeof *notify);
    if (!notify)
        abort();
    notify->rules = *rules;
    notify->entry = calloc(NOTIFY_ALERTS_MAX, sizeof *notify->entry);
    notify->before = calloc(NOTIFY_ALERTS_MAX, sizeof *notify->before);
    if (!notify->entry || !notify->before)
        abort();
    return notify;
}

void notify_destroy(struct notify **notify)
{
    if (!*notify)
        return;
    free((*notify)->entry);
    free((*notify)->before);
    free(*notify);
    *notify = NULL;
}

static int entry_order(const void *a, const void *b)
{
    return alert_order(&((const struct entry *)a)->alert, &((const struct entry *)b)->alert);
}

static int order(const void *a, const void *b)
{
    return alert_order(a, b);
}

static const struct entry *entry_find(const struct notify *notify, enum alert_kind kind, const char *subject)
{
    struct entry wanted = {.alert.kind = kind};
    snprintf(wanted.alert.subject, sizeof wanted.alert.subject, "%s", subject);
    return bsearch(&wanted, notify->entry, notify->entries, sizeof wanted, entry_order);
}

/* ---- what is kept ---- */

static void entry_save(const struct notify *notify, const struct entry *entry, bool told)
{
    char field[NOTIFY_FIELD_BYTES], value[NOTIFY_VALUE_BYTES] = "";
    snprintf(field, sizeof field, "%s %s", alert_rule(entry->alert.kind)->name, entry->alert.subject);
    if (told)
        snprintf(value, sizeof value, "%" PRIu64 " %" PRIu64 " %" PRIu32 " %d", entry->since_ms, entry->told_ms,
                 entry->told_count, entry->alert.code);
    notify->rules.save(field, value, notify->rules.user);
}

void notify_save(const struct notify *notify)
{
    notify->rules.save(NULL, "", notify->rules.user);
    for (size_t i = 0; i < notify->entries; i++)
        if (notify->entry[i].told_ms)
            entry_save(notify, &notify->entry[i], true);
}

static bool field_read(const char *field, struct alert *alert)
{
    char name[32];
    int at = 0;
    if (sscanf(field, "%31[a-z_]%n", name, &at) != 1 || field[at] != ' ' || strlen(field + at + 1) >= NAME_BYTES)
        return false;
    alert->kind = alert_named(name);
    strcpy(alert->subject, field + at + 1);
    return alert->kind < ALERT_KINDS;
}

static bool value_read(const char *value, struct entry *entry)
{
    int numbers = sscanf(value, "%" SCNu64 " %" SCNu64 " %" SCNu32 " %d", &entry->since_ms, &entry->told_ms,
                         &entry->told_count, &entry->alert.code);
    entry->alert.count = entry->told_count;
    return numbers == 4 && entry->told_ms;
}

void notify_restore(struct notify *notify, const char *field, const char *value)
{
    struct entry entry = {0};
    size_t at = notify->entries;
    if (at == NOTIFY_ALERTS_MAX || !field_read(field, &entry.alert) || !value_read(value, &entry) ||
        entry_find(notify, entry.alert.kind, entry.alert.subject))
        return;
    for (; at && entry_order(&notify->entry[at - 1], &entry) > 0; at--)
        notify->entry[at] = notify->entry[at - 1];
    notify->entry[at] = entry;
    notify->entries++;
}

void notify_told(const struct notify *notify, enum alert_kind kind, void (*each)(const char *subject, void *user),
                 void *user)
{
    for (size_t i = 0; i < notify->entries; i++)
        if (notify->entry[i].alert.kind == kind && notify->entry[i].told_ms)
            each(notify->entry[i].alert.subject, user);
}

/* ---- what stands ---- */

static bool stands(const struct entry *entry)
{
    return entry && !entry->missed_ms;
}

/* What is worse of the same subject stands in its place. */
static const struct entry *worse(const struct notify *notify, const struct entry *entry)
{
    enum alert_kind kind = alert_rule(entry->alert.kind)->worse;
    const struct entry *found = kind == ALERT_KINDS ? NULL : entry_find(notify, kind, entry->alert.subject);
    return stands(found) ? found : NULL;
}

static void clock_back(uint64_t *time_ms, uint64_t now_ms)
{
    if (*time_ms > now_ms)
        *time_ms = now_ms;
}

static struct entry entry_seen(const struct entry *before, const struct alert *alert, uint64_t now_ms)
{
    struct entry entry = before ? *before : (struct entry){.since_ms = now_ms};
    entry.alert = *alert;
    entry.missed_ms = 0;
    clock_back(&entry.since_ms, now_ms);
    clock_back(&entry.told_ms, now_ms);
    return entry;
}

/* What nobody was told of is forgotten. */
static bool entry_missed(struct entry *entry, uint64_t now_ms)
{
    if (!entry->missed_ms)
        entry->missed_ms = now_ms;
    clock_back(&entry->missed_ms, now_ms);
    return entry->told_ms || entry->sent;
}

/* Who was told of the worse one needs not hear that this one is over. */
static void replaced_forget(struct notify *notify)
{
    size_t kept = 0;
    for (size_t i = 0; i < notify->entries; i++) {
        const struct entry *entry = &notify->entry[i];
        const struct entry *instead = stands(entry) ? NULL : worse(notify, entry);
        bool over = instead && instead->told_ms && !entry->sent;
        if (over)
            entry_save(notify, entry, false);
        else
            notify->before[kept++] = *entry;
    }
    memcpy(notify->entry, notify->before, kept * sizeof *notify->entry);
    notify->entries = kept;
}

static size_t told_kinds(struct alert *alert, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (alert_rule(alert[i].kind)->told)
            alert[kept++] = alert[i];
    if (kept)
        qsort(alert, kept, sizeof *alert, order);
    return kept;
}

size_t notify_look(struct notify *notify, struct alert *alert, size_t count, uint64_t now_ms)
{
    struct entry *before = notify->entry, *end = before + notify->entries, *now = notify->before;
    size_t kept = 0, passed = 0, room = NOTIFY_ALERTS_MAX - notify->entries;
    count = told_kinds(alert, count);
    for (size_t i = 0; i < count || before < end;) {
        int which = i == count ? -1 : before == end ? 1 : alert_order(&before->alert, &alert[i]);
        if (which < 0) {
            if (entry_missed(before, now_ms))
                now[kept++] = *before;
        } else if (which == 0) {
            now[kept++] = entry_seen(before, &alert[i], now_ms);
        } else if (room) {
            now[kept++] = entry_seen(NULL, &alert[i], now_ms);
            room--;
        } else {
            passed++;
        }
        before += which <= 0;
        i += which >= 0;
    }
    notify->before = notify->entry;
    notify->entry = now;
    notify->entries = kept;
    replaced_forget(notify);
    return passed;
}

/* ---- what is to be sent ---- */

static bool passed_ms(uint64_t at_ms, uint64_t since_ms, uint64_t ms)
{
    return at_ms >= since_ms && at_ms - since_ms >= ms;
}

static bool over_due(const struct notify *notify, const struct entry *entry, uint64_t at_ms)
{
    return !stands(entry) && entry->told_ms && !worse(notify, entry) &&
           passed_ms(at_ms, entry->missed_ms, notify->rules.hold_ms);
}

static bool standing_due(const struct notify *notify, const struct entry *entry, uint64_t at_ms)
{
    if (!stands(entry))
        return false;
    if (!entry->told_ms)
        return passed_ms(at_ms, entry->since_ms, notify->rules.hold_ms);
    if (alert_rule(entry->alert.kind)->repeats)
        return passed_ms(at_ms, entry->told_ms, notify->rules.repeat_ms);
    return entry->alert.count > entry->told_count && passed_ms(at_ms, entry->told_ms, notify->rules.hold_ms);
}

static bool due(const struct notify *notify, const struct entry *entry, bool over, uint64_t at_ms)
{
    return over ? over_due(notify, entry, at_ms) : standing_due(notify, entry, at_ms);
}

/* The first that has waited for others long enough. */
static const struct entry *first_due(const struct notify *notify, uint64_t now_ms, bool *ret_over)
{
    uint64_t gather_ms = notify->rules.hold_ms / 4 < NOTIFY_GATHER_MS ? notify->rules.hold_ms / 4 : NOTIFY_GATHER_MS;
    uint64_t at_ms = now_ms > gather_ms ? now_ms - gather_ms : 0;
    for (size_t i = 0; i < notify->entries; i++) {
        *ret_over = over_due(notify, &notify->entry[i], at_ms);
        if (*ret_over || standing_due(notify, &notify->entry[i], at_ms))
            return &notify->entry[i];
    }
    return NULL;
}

static void message_add(struct notify_message *message, struct entry *entry)
{
    entry->sent = true;
    entry->sent_count = entry->alert.count;
    if (!message->subjects || entry->since_ms < message->since_ms)
        message->since_ms = entry->since_ms;
    message->code = message->subjects && message->code != entry->alert.code ? 0 : entry->alert.code;
    message->count += entry->alert.count;
    message->subjects++;
    if (message->named < NOTIFY_SUBJECTS_MAX)
        memcpy(message->subject[message->named++], entry->alert.subject, NAME_BYTES);
}

static uint64_t retry_ms(const struct notify *notify)
{
    uint64_t ms = NOTIFY_RETRY_FIRST_MS;
    for (unsigned i = 1; i < notify->failures && ms < NOTIFY_RETRY_LAST_MS; i++)
        ms *= 2;
    return ms < NOTIFY_RETRY_LAST_MS ? ms : NOTIFY_RETRY_LAST_MS;
}

bool notify_next(struct notify *notify, uint64_t now_ms, struct notify_message *message)
{
    bool over;
    assert(!notify->under_way);
    clock_back(&notify->failed_ms, now_ms);
    if (notify->failures && !passed_ms(now_ms, notify->failed_ms, retry_ms(notify)))
        return false;
    const struct entry *first = first_due(notify, now_ms, &over);
    if (!first)
        return false;
    *message = (struct notify_message){.over = over, .kind = first->alert.kind};
    for (size_t i = 0; i < notify->entries; i++)
        if (notify->entry[i].alert.kind == message->kind && due(notify, &notify->entry[i], over, now_ms))
            message_add(message, &notify->entry[i]);
    notify->under_way = true;
    notify->over = over;
    return true;
}

/* False: nothing is left to be said of it; if it has begun again meanwhile, the next look finds it. */
static bool entry_taken(const struct notify *notify, struct entry *entry, uint64_t now_ms)
{
    entry->told_ms = now_ms;
    entry->told_count = entry->sent_count;
    entry_save(notify, entry, !notify->over);
    return !notify->over;
}

uint64_t notify_sent(struct notify *notify, bool taken, uint64_t now_ms)
{
    size_t kept = 0;
    assert(notify->under_way);
    notify->under_way = false;
    notify->failures = taken ? 0 : notify->failures + 1;
    notify->failed_ms = now_ms;
    for (size_t i = 0; i < notify->entries; i++) {
        struct entry entry = notify->entry[i];
        bool keep = !entry.sent || !taken || entry_taken(notify, &entry, now_ms);
        entry.sent = false;
        if (keep)
            notify->entry[kept++] = entry;
    }
    notify->entries = kept;
    return taken ? 0 : retry_ms(notify);
}
