/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A ring; an event's texts lie behind each other in one piece of memory. */
#include "coordinator/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/account.h"
#include "coordinator/terms.h"
#include "proto/auto.h"
#include "proto/buf.h"

struct history {
    struct event event[HISTORY_MOST];
    size_t first, count;
    uint32_t rerun, undone; /* what the last of them told of: one order may be many entries */
};

struct history *history_new(void)
{
    struct history *history = calloc(1, sizeof *history);
    if (!history)
        abort();
    return history;
}

void history_destroy(struct history **history)
{
    for (size_t i = 0; *history && i < HISTORY_MOST; i++)
        free((char *)(uintptr_t)(*history)->event[i].actor);
    free(*history);
    *history = NULL;
}

const struct event *history_at(const struct history *history, size_t index)
{
    return index < history->count ? &history->event[(history->first + index) % HISTORY_MOST] : NULL;
}

static void event_add(struct history *history, const Sohoa__LedgerEntry *entry, uint64_t time_ms, const char *kind,
                      const char *subject, const char *text)
{
    size_t actor_bytes = strlen(entry->actor) + 1, subject_bytes = strlen(subject) + 1, text_bytes = strlen(text) + 1;
    struct event *event = &history->event[(history->first + history->count) % HISTORY_MOST];
    char *texts = malloc(actor_bytes + subject_bytes + text_bytes);
    if (!texts)
        abort();
    memcpy(texts, entry->actor, actor_bytes);
    memcpy(texts + actor_bytes, subject, subject_bytes);
    memcpy(texts + actor_bytes + subject_bytes, text, text_bytes);
    free((char *)(uintptr_t)event->actor); /* of the oldest, when all are taken */
    *event = (struct event){time_ms, kind, texts, texts + actor_bytes, texts + actor_bytes + subject_bytes};
    history->first = (history->first + (history->count == HISTORY_MOST)) % HISTORY_MOST;
    history->count += history->count < HISTORY_MOST;
}

/* ---- what stands, in words ---- */

static void say(struct buf *text, const char *part)
{
    buf_puts(text, text->size ? ", " : "");
    buf_puts(text, part);
}

static void say_deadline(struct buf *text, uint64_t deadline_ms)
{
    char day[DAY_CHARS + 1];
    if (!deadline_ms)
        return;
    say(text, "deadline ");
    buf_puts(text, deadline_ms == DEADLINE_NONE ? "none" : day_date(deadline_ms, day));
}

static void say_number(struct buf *text, const char *what, uint64_t number)
{
    if (!number)
        return;
    say(text, what);
    buf_printf(text, " %" PRIu64, number);
}

static void add_standing(struct history *history, const Sohoa__LedgerEntry *entry, uint64_t time_ms)
{
    const Sohoa__Standing *standing = entry->standing;
    AUTO(buf_destroy) struct buf text = {0};
    say_number(&text, "priority", standing->priority);
    say_deadline(&text, standing->deadline_ms);
    if (standing->paused)
        say(&text, "paused");
    if (standing->why)
        buf_printf(&text, " by the breaker: %s", standing->why->text);
    if (!text.size)
        say(&text, "as the manifest says");
    event_add(history, entry, time_ms, "standing", standing->batch, buf_text(&text));
}

static void add_targets(struct history *history, const Sohoa__LedgerEntry *entry, uint64_t time_ms)
{
    for (size_t i = 0; i < entry->targets->n_targets; i++) {
        const Sohoa__Target *target = entry->targets->targets[i];
        AUTO(buf_destroy) struct buf text = {0};
        say_number(&text, "priority", target->priority);
        say_deadline(&text, target->deadline_ms);
        say_number(&text, "pages", target->pages);
        if (target->paused)
            say(&text, "paused");
        if (!text.size)
            say(&text, "nothing is planned");
        event_add(history, entry, time_ms, "target", target->unit, buf_text(&text));
    }
}

static void add_rerun(struct history *history, const Sohoa__LedgerEntry *entry, uint64_t time_ms)
{
    const Sohoa__Rerun *rerun = entry->rerun;
    AUTO(buf_destroy) struct buf text = {0};
    if (rerun->number && rerun->number == history->rerun)
        return;
    history->rerun = rerun->number;
    buf_printf(&text, "re-run %u: %s, pages %" PRIu64, rerun->number, rerun->where, rerun->pages);
    event_add(history, entry, time_ms, "rerun", "", buf_text(&text));
}

static void add_undone(struct history *history, const Sohoa__LedgerEntry *entry, uint64_t time_ms)
{
    AUTO(buf_destroy) struct buf text = {0};
    if (entry->undone->number == history->undone)
        return;
    history->undone = entry->undone->number;
    buf_printf(&text, "re-run %u", entry->undone->number);
    event_add(history, entry, time_ms, "undone", "", buf_text(&text));
}

static void add_document(struct history *history, const Sohoa__LedgerEntry *entry, uint64_t time_ms, const char *kind,
                         const char *batch, uint32_t doc, const char *reason)
{
    AUTO(buf_destroy) struct buf text = {0};
    buf_printf(&text, "document %u%s%s", doc, *reason ? ": " : "", reason);
    event_add(history, entry, time_ms, kind, batch, buf_text(&text));
}

static void add_admitted(struct history *history, const Sohoa__LedgerEntry *entry, uint64_t time_ms)
{
    const Sohoa__BatchAdmitted *admitted = entry->admitted;
    AUTO(buf_destroy) struct buf text = {0};
    if (!admitted->manifest_sha256.len || admitted->more) /* its pipeline only; the last piece tells of all */
        return;
    buf_printf(&text, "documents %u", admitted->docs);
    event_add(history, entry, time_ms, "admitted", admitted->batch, buf_text(&text));
}

/* That there is a password or a token, never what the ledger keeps of them. */
static void add_account(struct history *history, const Sohoa__LedgerEntry *entry, uint64_t time_ms)
{
    const Sohoa__Account *account = entry->account;
    AUTO(buf_destroy) struct buf text = {0};
    say(&text, role_name((int)account->role));
    for (size_t i = 0; i < account->n_units; i++)
        buf_printf(&text, "%s%s", i ? " " : " of ", account->units[i]);
    for (size_t i = 0; i < account->n_successions; i++) {
        const Sohoa__Succession *succession = account->successions[i];
        say(&text, succession->declined ? "not " : "and ");
        buf_printf(&text, "%s (took over from %s on %s)", succession->unit, succession->of, succession->since);
    }
    if (*account->password_hash)
        say(&text, "with a password");
    if (*account->token_hash)
        say(&text, "with the token ");
    buf_puts(&text, account->token_id);
    if (account->disabled)
        say(&text, "disabled");
    event_add(history, entry, time_ms, "account", account->name, buf_text(&text));
}

static void add_review_round(struct history *history, const Sohoa__LedgerEntry *entry, uint64_t time_ms)
{
    const Sohoa__ReviewRound *round = entry->review_round;
    AUTO(buf_destroy) struct buf text = {0};
    buf_printf(&text, "round %u: %u %%, documents %zu", round->round, round->percent, round->n_docs);
    say_number(&text, "seed", round->seed);
    event_add(history, entry, time_ms, "review", round->batch, buf_text(&text));
}

static void add_review_closed(struct history *history, const Sohoa__LedgerEntry *entry, uint64_t time_ms)
{
    static const char *const verdict[] = {"open", "passed", "failed", "accepted", "rejected"};
    const Sohoa__ReviewClosed *closed = entry->review_closed;
    AUTO(buf_destroy) struct buf text = {0};
    if ((unsigned)closed->verdict >= sizeof verdict / sizeof verdict[0])
        return;
    buf_printf(&text, "round %u %s%s%s", closed->round, verdict[closed->verdict], *closed->reason ? ": " : "",
               closed->reason);
    event_add(history, entry, time_ms, "review", closed->batch, buf_text(&text));
}

static void add_reorganised(struct history *history, const Sohoa__LedgerEntry *entry, uint64_t time_ms)
{
    const Sohoa__Reorganised *said = entry->reorganised;
    AUTO(buf_destroy) struct buf text = {0};
    buf_printf(&text, "re-organisation %u from %s: communes that end %u, that begin %u", said->number, said->day,
               said->ends, said->begins);
    event_add(history, entry, time_ms, "reorganised", "", buf_text(&text));
}

static void add_reorganisation_undone(struct history *history, const Sohoa__LedgerEntry *entry, uint64_t time_ms)
{
    AUTO(buf_destroy) struct buf text = {0};
    buf_printf(&text, "re-organisation %u is taken back", entry->reorganisation_undone->number);
    event_add(history, entry, time_ms, "reorganisation_undone", "", buf_text(&text));
}

void history_add(struct history *history, const Sohoa__LedgerEntry *entry, uint64_t time_ms)
{
    switch (entry->body_case) {
    case SOHOA__LEDGER_ENTRY__BODY_ADMITTED: add_admitted(history, entry, time_ms); break;
    case SOHOA__LEDGER_ENTRY__BODY_WITHDRAWN:
        event_add(history, entry, time_ms, "withdrawn", entry->withdrawn->batch, "");
        break;
    case SOHOA__LEDGER_ENTRY__BODY_RERUN: add_rerun(history, entry, time_ms); break;
    case SOHOA__LEDGER_ENTRY__BODY_UNDONE: add_undone(history, entry, time_ms); break;
    case SOHOA__LEDGER_ENTRY__BODY_QUARANTINED:
        add_document(history, entry, time_ms, "quarantined", entry->quarantined->batch, entry->quarantined->doc,
                     entry->quarantined->reason);
        break;
    case SOHOA__LEDGER_ENTRY__BODY_RELEASED:
        add_document(history, entry, time_ms, "released", entry->released->batch, entry->released->doc,
                     entry->released->reason);
        break;
    case SOHOA__LEDGER_ENTRY__BODY_PURGED:
        add_document(history, entry, time_ms, "purged", entry->purged->batch, entry->purged->doc,
                     entry->purged->reason);
        break;
    case SOHOA__LEDGER_ENTRY__BODY_STANDING: add_standing(history, entry, time_ms); break;
    case SOHOA__LEDGER_ENTRY__BODY_TARGETS: add_targets(history, entry, time_ms); break;
    case SOHOA__LEDGER_ENTRY__BODY_DRAINED:
        event_add(history, entry, time_ms, "drained", entry->drained->worker,
                  entry->drained->drained ? "gets nothing new" : "gets jobs again");
        break;
    case SOHOA__LEDGER_ENTRY__BODY_CALENDAR:
        event_add(history, entry, time_ms, "calendar", "", entry->calendar->csv);
        break;
    case SOHOA__LEDGER_ENTRY__BODY_ACCOUNT: add_account(history, entry, time_ms); break;
    case SOHOA__LEDGER_ENTRY__BODY_REVIEW_ROUND: add_review_round(history, entry, time_ms); break;
    case SOHOA__LEDGER_ENTRY__BODY_REVIEW_CLOSED: add_review_closed(history, entry, time_ms); break;
    case SOHOA__LEDGER_ENTRY__BODY_REORGANISED: add_reorganised(history, entry, time_ms); break;
    case SOHOA__LEDGER_ENTRY__BODY_REORGANISATION_UNDONE: add_reorganisation_undone(history, entry, time_ms); break;
    default: break;
    }
}
