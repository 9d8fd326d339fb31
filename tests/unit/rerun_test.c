/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Re-runs by predicate: which pages are chosen, which are kept, what is undone, and that a restart from layout and ledger comes to
 * the same at every point. */
#include "coordinator/rerun_ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/group.h"
#include "proto/auto.h"
#include "proto/wire.h"

enum { RANGE_PAGES = 4, DOCS = 5, DOUBTS = 0x20005 };

static const struct sched_rules rules = {
    .range_ms = 4000, .range_pages = RANGE_PAGES, .page_attempts = 1, .lease_page_ms = 1000, .lease_least_ms = 5000};

/* What there is: documents of batch "b0" (district:001), and one of "b1" (district:002) with the source of b0/1. */
struct sample {
    uint32_t batch, doc, source;
    const char *grades; /* of its pages: A, B, C, '-' none, 'x' dead; NULL: it could not be read */
    uint32_t confidence_cpct;
};
static const struct sample sample[] = {
    {0, 0, 0, "AAAABBCAAC", 9100},
    {0, 1, 1, "BBB",        8000},
    {0, 2, 2, "AxAxC",      7000},
    {0, 3, 3, "----",       0   },
    {0, 4, 4, NULL,         0   },
    {1, 0, 1, "BBB",        8000},
};
enum { SAMPLES = sizeof sample / sizeof *sample };

struct world {
    struct backlog *backlog;
    struct sched *sched;
    struct acts acts;
    struct group *ledger; /* all that was said so far */
};

static struct world now;

/* ---- the ledger, and a restart from it ---- */

static void say(struct world *w)
{
    group_add(w->ledger, w->backlog, &w->acts);
    for (size_t i = 0; i < w->acts.count; i++)
        if (w->acts.at[i].kind == ACT_PLACED)
            sched_placed(w->sched, w->acts.at[i].doc, doc_at(w->backlog, w->acts.at[i].doc)->generation);
    w->acts.count = 0;
}

static struct world world_new(void)
{
    static const uint8_t digest[SHA256_BYTES] = {0xab, 0xcd};
    struct world w = {.backlog = backlog_new(), .ledger = group_new(NULL, NULL, NULL)};
    w.sched = sched_new(w.backlog, &rules, 1);
    uint32_t pipeline = backlog_pipeline(w.backlog, digest);
    batch_add_lot(batch_add(w.backlog, "b0", 0, pipeline),
                  &(struct terms){.unit = "district:001", .bloc = "Party", .priority = 1}, DOCS, 0);
    batch_add_lot(batch_add(w.backlog, "b1", 0, pipeline), &(struct terms){.unit = "district:002", .priority = 4}, 1,
                  0);
    return w;
}

static void world_end(struct world *w)
{
    sched_destroy(&w->sched);
    backlog_destroy(&w->backlog);
    acts_destroy(&w->acts);
    group_destroy(&w->ledger);
}

static void rerun_replay(struct world *w, const Sohoa__Rerun *rerun)
{
    size_t at = 0;
    struct batch *batch = backlog_batch(w->backlog, rerun->batch);
    struct rerun *order = rerun->number > w->backlog->reruns ? rerun_add(w->backlog, rerun->where, rerun->pages, 1)
                                                             : rerun_at(w->backlog, rerun->number);
    for (size_t i = 0; i < rerun->n_docs; i++) {
        struct doc_ref ref = {batch->index, rerun->docs[i]};
        size_t count = rerun->n_ranges ? rerun->ranges[at++] : 0;
        struct page_range *range = (struct page_range *)(void *)(rerun->ranges + at);
        rerun_add_doc(order, ref, (uint16_t)rerun->generations[i]);
        sched_restore_rerun(w->sched, ref, rerun->generations[i], count ? range : NULL, count);
        at += 2 * count;
    }
}

static void entry_replay(struct world *w, const Sohoa__LedgerEntry *entry)
{
    struct doc_ref ref;
    switch (entry->body_case) {
    case SOHOA__LEDGER_ENTRY__BODY_OUTCOME:
        ref = (struct doc_ref){backlog_batch(w->backlog, entry->outcome->batch)->index, entry->outcome->doc};
        sched_restore_outcome(w->sched, ref, entry->outcome);
        break;
    case SOHOA__LEDGER_ENTRY__BODY_SPLIT:
        ref = (struct doc_ref){backlog_batch(w->backlog, entry->split->batch)->index, entry->split->doc};
        sched_restore_split(w->sched, ref, entry->split);
        break;
    case SOHOA__LEDGER_ENTRY__BODY_RERUN: rerun_replay(w, entry->rerun); break;
    case SOHOA__LEDGER_ENTRY__BODY_UNDONE:
        for (size_t i = 0; i < entry->undone->n_docs; i++) {
            struct rerun_doc doc = {
                {backlog_batch(w->backlog, entry->undone->batch)->index, entry->undone->docs[i]},
                (uint16_t)entry->undone->generations[i]
            };
            sched_restore_undone(w->sched, doc.ref, doc.generation);
            rerun_forget_docs(rerun_at(w->backlog, entry->undone->number), &doc, 1);
        }
        break;
    default: fail_msg("an entry %d", entry->body_case);
    }
}

static void layout_replay(const struct world *w, struct world *again, struct batch *batch)
{
    const struct group_layout *layout = (const struct group_layout *)(const void *)w->ledger->layouts.data;
    for (size_t i = 0; i < w->ledger->layouts.size / sizeof *layout; i++) {
        const struct layout_entry *entry = &layout[i].entry;
        struct placement placed = {.first_ordinal = entry->first_ordinal,
                                   .pages = entry->pages,
                                   .range_pages = entry->range_pages,
                                   .generation = entry->generation};
        if (strcmp(layout[i].batch, batch->id))
            continue;
        memcpy(placed.sha256, entry->sha256, SHA256_BYTES);
        sched_restore_placed(again->sched, (struct doc_ref){batch->index, entry->doc}, &placed);
    }
    sched_restore_laid(again->sched, batch, 0, batch->docs);
}

static const char *batch_named(const Sohoa__LedgerEntry *entry)
{
    switch (entry->body_case) {
    case SOHOA__LEDGER_ENTRY__BODY_OUTCOME: return entry->outcome->batch;
    case SOHOA__LEDGER_ENTRY__BODY_SPLIT: return entry->split->batch;
    case SOHOA__LEDGER_ENTRY__BODY_RERUN: return entry->rerun->batch;
    case SOHOA__LEDGER_ENTRY__BODY_UNDONE: return entry->undone->batch;
    default: return "";
    }
}

/* As recover.c: a batch's layout, whole, then what the ledger says of it. late: b1 was admitted when b0 had been read; its layout, and
 * with it a later generation of the source that they share, comes behind what was said of b0. */
static struct world restart(const struct world *w, bool late)
{
    struct world again = world_new();
    struct batch *b0 = again.backlog->batch[0], *b1 = again.backlog->batch[1];
    layout_replay(w, &again, b0);
    if (!late)
        layout_replay(w, &again, b1);
    for (size_t at = 0; at < w->ledger->entries.size;) {
        uint32_t bytes;
        memcpy(&bytes, w->ledger->entries.data + at, sizeof bytes);
        Sohoa__LedgerEntry *entry =
            sohoa__ledger_entry__unpack(NULL, bytes, w->ledger->entries.data + at + sizeof bytes);
        assert_non_null(entry);
        if (late && !strcmp(batch_named(entry), b1->id)) {
            layout_replay(w, &again, b1);
            late = false;
        }
        entry_replay(&again, entry);
        sohoa__ledger_entry__free_unpacked(entry, NULL);
        at += sizeof bytes + bytes;
    }
    if (late)
        layout_replay(w, &again, b1);
    for (uint32_t b = 0; b < again.backlog->batches; b++)
        sched_enter(again.sched, again.backlog->batch[b], &again.acts);
    return again;
}

/* ---- as text, to be compared ---- */

static void part_print(const struct part *part, struct buf *out)
{
    buf_printf(out, " %u+%u%s%s", part->first, part->count, page_state_name(part->state), part->kept ? "(kept)" : "");
}

static void doc_print(const struct world *w, struct doc_ref ref, struct buf *out)
{
    const struct batch *batch = w->backlog->batch[ref.batch];
    const struct doc *doc = doc_look(batch, ref.doc);
    const struct work *work = doc->work == NONE ? NULL : &w->backlog->work[doc->work];
    uint8_t packed[RANGE_PAGES] = {0};
    grades_pack(&batch->grades, doc->first_ordinal, doc->pages, packed);
    buf_printf(out, "%u/%u %s generation %u pages %u (%u, %u) confidence %u grades %02x%02x%02x doubts %x fault %s",
               ref.batch, ref.doc, doc_state_name(doc->state), doc->generation, doc->pages, doc->pages_stored,
               doc->pages_dead, doc->confidence_cpct, packed[0], packed[1], packed[2], doc_doubts(batch, ref.doc),
               doc->fault == NONE ? "none" : err_name(w->backlog->fault[doc->fault].code));
    if (work)
        buf_printf(out, " work %u folded %d words %u", work->generation, work->folded, cut_of(work)->words_generation);
    for (uint32_t i = 0; work && work->generation && i < cut_of(work)->parts; i++)
        part_print(&work->cut->part[i], out);
    for (uint32_t i = 0; work && cut_of(work)->before && i < work->cut->before->parts; i++)
        part_print(&work->cut->before->part[i], out);
    buf_puts(out, "\n");
}

static char *print(const struct world *w)
{
    struct buf out = {0};
    for (uint32_t b = 0; b < w->backlog->batches; b++) {
        const struct batch *batch = w->backlog->batch[b];
        for (int s = 0; s < PAGE_STATES; s++)
            buf_printf(&out, "%llu ", (unsigned long long)batch->page_count[s]);
        for (int s = 0; s < DOC_STATES; s++)
            buf_printf(&out, "%u ", batch->doc_count[s]);
        buf_puts(&out, "\n");
        for (uint32_t d = 0; d < batch->docs; d++)
            doc_print(w, (struct doc_ref){b, d}, &out);
    }
    return (char *)out.data;
}

static void check_restarted(const struct world *w, bool late)
{
    struct world again = restart(w, late);
    AUTO(mem_destroy) char *is = print(&again);
    AUTO(mem_destroy) char *was = print(w);
    assert_string_equal(is, was);
    assert_int_equal(again.backlog->reruns, w->backlog->reruns);
    for (uint32_t i = 1; i <= w->backlog->reruns; i++) {
        assert_int_equal(rerun_at(again.backlog, i)->docs, rerun_at(w->backlog, i)->docs);
        assert_int_equal(rerun_finished(again.backlog, rerun_at(again.backlog, i)),
                         rerun_finished(w->backlog, rerun_at(w->backlog, i)));
        assert_string_equal(rerun_at(again.backlog, i)->where, rerun_at(w->backlog, i)->where);
    }
    world_end(&again);
}

/* A restart now would find all as it is. */
static void check_restart(const struct world *w)
{
    check_restarted(w, false);
    check_restarted(w, true);
}

/* ---- reading ---- */

static uint8_t grade_of(char letter)
{
    return letter >= 'A' && letter <= 'C' ? (uint8_t)(letter - 'A' + 1) : 0;
}

static const struct sample *sample_of(struct doc_ref ref)
{
    for (size_t i = 0; i < SAMPLES; i++)
        if (sample[i].batch == ref.batch && sample[i].doc == ref.doc)
            return &sample[i];
    fail();
    return NULL;
}

static bool page_dies(const struct lease *lease, uint32_t page_no)
{
    return lease->generation == 0 && sample_of(lease->doc)->grades[page_no - 1] == 'x';
}

static void assembled_fill(const struct sample *of, Sohoa__Assembled *assembled, uint8_t *packed)
{
    sohoa__assembled__init(assembled);
    assembled->confidence_cpct = of->confidence_cpct;
    assembled->doubts = DOUBTS;
    assembled->grades = (ProtobufCBinaryData){grades_bytes((uint32_t)strlen(of->grades)), packed};
    for (uint32_t i = 0; of->grades[i]; i++)
        grade_put(packed, i + 1, grade_of(of->grades[i]));
}

/* The worker's answer to a lease on pages. */
static void pages_answer(const struct lease *lease, Sohoa__Result *result)
{
    static Sohoa__Range range[16], *ranges[16];
    static Sohoa__PageFailure failure[16], *failures[16];
    static Sohoa__Err err;
    sohoa__err__init(&err);
    err.code = E_PAGE_BROKEN;
    result->stored = ranges;
    result->failed = failures;
    for (uint32_t page = lease->first; page < lease->first + lease->count; page++) {
        if (page_dies(lease, page)) {
            failures[result->n_failed] = &failure[result->n_failed];
            sohoa__page_failure__init(failures[result->n_failed]);
            failures[result->n_failed]->page_no = page;
            failures[result->n_failed++]->err = &err;
            continue;
        }
        ranges[result->n_stored] = &range[result->n_stored];
        sohoa__range__init(ranges[result->n_stored]);
        ranges[result->n_stored]->first = page;
        ranges[result->n_stored++]->count = 1;
    }
}

static void probe_answer(const struct sample *of, Sohoa__Result *result)
{
    static Sohoa__Probe probe;
    static Sohoa__Err err;
    static uint8_t sha256[SHA256_BYTES];
    sohoa__probe__init(&probe);
    sohoa__err__init(&err);
    err.code = E_SOURCE_BROKEN;
    memset(sha256, (int)of->source + 1, sizeof sha256);
    probe.sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha256};
    probe.pages = of->grades ? (uint32_t)strlen(of->grades) : 0;
    result->probe = of->grades ? &probe : NULL;
    result->err = of->grades ? NULL : &err;
}

/* Answers the next lease; false: there is none. *ret_lease: what it was, unless NULL. */
static bool work_once(struct world *w, struct lease *ret_lease)
{
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Assembled assembled;
    uint8_t packed[RANGE_PAGES] = {0};
    const struct lease *granted = sched_grant(w->sched, 0, 1000);
    if (!granted)
        return false;
    struct lease lease = *granted;
    result.lease = lease.id;
    if (lease.kind == SOHOA__JOB_KIND__JOB_PROBE)
        probe_answer(sample_of(lease.doc), &result);
    if (lease.kind == SOHOA__JOB_KIND__JOB_PAGES)
        pages_answer(&lease, &result);
    assembled_fill(sample_of(lease.kind == SOHOA__JOB_KIND__JOB_PROBE ? (struct doc_ref){0, 0} : lease.doc), &assembled,
                   packed);
    if (lease.kind == SOHOA__JOB_KIND__JOB_ASSEMBLE || (lease.assemble && !result.n_failed))
        result.assembled = &assembled;
    assert_true(sched_finish(w->sched, 0, &result, 1000, &w->acts));
    say(w);
    if (ret_lease)
        *ret_lease = lease;
    return true;
}

static void finish(struct world *w)
{
    while (work_once(w, NULL))
        continue;
}

static int set_up(void **state)
{
    (void)state;
    now = world_new();
    for (uint32_t b = 0; b < now.backlog->batches; b++)
        sched_enter(now.sched, now.backlog->batch[b], &now.acts);
    sched_credit(now.sched, sched_hello(now.sched, "w", 0, 1), 100000);
    finish(&now);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&now);
    return 0;
}

/* ---- ordering ---- */

static uint64_t choose_docs(const char *text, struct choice *choice)
{
    AUTO(where_destroy) struct where *where = NULL;
    struct err err;
    size_t count;
    if (where_parse(text, &where, &err))
        fail_msg("%s: %s", text, err.text);
    choose(now.backlog, where, choice);
    choice_docs(choice, &count);
    return count;
}

static uint32_t order(const char *text)
{
    AUTO(choice_destroy) struct choice choice = {0};
    assert_true(choose_docs(text, &choice));
    uint32_t number = rerun_order(now.sched, now.backlog, now.ledger, text, &choice, 1, &now.acts);
    say(&now);
    check_restart(&now);
    return number;
}

static size_t undo(uint32_t number)
{
    size_t undone = rerun_take_back(now.sched, now.backlog, now.ledger, number, &now.acts);
    say(&now);
    check_restart(&now);
    return undone;
}

/* ---- matters ---- */

static void what_came_out_is_remembered(void **state)
{
    (void)state;
    const struct batch *batch = now.backlog->batch[0];
    for (uint32_t d = 0; d < DOCS - 1; d++)
        for (uint32_t p = 0; sample[d].grades[p]; p++)
            assert_int_equal(grades_seen(&batch->grades, doc_look(batch, d)->first_ordinal + p, 1),
                             1u << grade_of(sample[d].grades[p]));
    assert_int_equal(doc_look(batch, 2)->state, SOHOA__DOC_STATE__DOC_DEAD);
    assert_int_equal(doc_look(batch, 4)->state, SOHOA__DOC_STATE__DOC_REFUSED);
    assert_int_equal(doc_look(now.backlog->batch[1], 0)->confidence_cpct, 8000);
    assert_int_equal(doc_doubts(now.backlog->batch[1], 0), DOUBTS);
    assert_int_equal(doc_doubts(batch, 4), 0);
    check_restart(&now);
}

static void means(const char *text, const char *want, uint64_t pages)
{
    AUTO(choice_destroy) struct choice choice = {0};
    char found[128] = "";
    size_t count;
    choose_docs(text, &choice);
    const struct chosen *chosen = choice_docs(&choice, &count);
    for (size_t i = 0; i < count; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%u/%u", i ? " " : "", chosen[i].ref.batch,
                 chosen[i].ref.doc);
    size_t lots;
    uint64_t by_lots = 0;
    const struct lot_pages *lot = choice_lots(&choice, &lots);
    for (size_t i = 0; i < lots; i++)
        by_lots += lot[i].pages;
    assert_true(by_lots == choice.pages);
    if (strcmp(found, want) || choice.pages != pages)
        fail_msg("%s means %s with %llu pages, not %s with %llu", text, found, (unsigned long long)choice.pages, want,
                 (unsigned long long)pages);
}

static void a_predicate_chooses_pages(void **state)
{
    (void)state;
    means("batch=b0", "0/0 0/1 0/2 0/3 0/4", 10 + 3 + 2 + 4);
    means("batch!=b0", "1/0", 3);
    means("document>=0", "0/0 0/1 0/2 0/3 0/4 1/0", 10 + 3 + 2 + 4); /* a source is read once */
    means("unit=district:002 or bloc=Party and pages=10", "0/0 1/0", 13);
    means("pipeline=abcd and priority=4", "1/0", 3);
    means("pipeline=ef", "", 0);
    means("state=refused", "0/4", 0);
    means("state=dead", "0/2", 2);
    means("error=E_PAGE_BROKEN", "0/2", 2);
    means("error=E_SOURCE_BROKEN", "0/4", 0);
    means("dead>0 or confidence<70.01", "0/2", 2);
    means("confidence<85", "0/1 0/2 1/0", 5);
    means("generation>0", "", 0);
    means("grade=C", "0/0 0/2", 3);
    means("grade=C and state=dead", "0/2", 1);
    means("grade in (B, C) and confidence>75", "0/0 0/1 1/0", 4 + 3);
    means("grade=none", "0/2 0/3", 2 + 4);
    means("grade=none and not state=dead", "0/3", 4);
    means("grade=C and batch=b0 or grade=B and batch=b1", "0/0 0/2 1/0", 2 + 1 + 3);
    means("not grade=A", "0/0 0/1 0/2 0/3 1/0", 4 + 3 + 3 + 4);
}

static void the_price_is_measured(void **state)
{
    AUTO(choice_destroy) struct choice some = {0};
    AUTO(choice_destroy) struct choice all = {0};
    AUTO(choice_destroy) struct choice unknown = {0};
    (void)state;
    for (int b = 0; b < 2; b++)
        now.backlog->batch[b]->pages_read = now.backlog->batch[b]->cpu_ms = 0;
    choose_docs("grade=C", &unknown);
    assert_true(unknown.core_ms < 0);
    now.backlog->batch[0]->pages_read = 10;
    now.backlog->batch[0]->cpu_ms = 5000;
    choose_docs("grade=C", &some);
    assert_int_equal(some.core_ms, 3 * 500);
    choose_docs("grade=C or batch=b1", &all); /* of b1 nothing was measured */
    assert_int_equal(all.core_ms, 6 * 500);
}

/* What is granted until nothing waits, as text: of each lease on pages its document and pages. */
static char *leases_print(void)
{
    struct buf out = {0};
    struct lease lease;
    while (work_once(&now, &lease)) {
        if (lease.kind == SOHOA__JOB_KIND__JOB_PAGES)
            buf_printf(&out, "%u/%u:%u+%u ", lease.doc.batch, lease.doc.doc, lease.first, lease.count);
        else
            buf_printf(&out, "%u/%u:%s ", lease.doc.batch, lease.doc.doc,
                       lease.kind == SOHOA__JOB_KIND__JOB_ASSEMBLE ? "assembled" : "probed");
    }
    check_restart(&now);
    return out.data ? (char *)out.data : calloc(1, 1);
}

static void no_good_page_is_read_again(void **state)
{
    (void)state;
    order("grade=C");
    assert_int_equal(now.backlog->batch[0]->page_count[PAGE_QUEUED], 3);
    AUTO(mem_destroy) char *leases = leases_print();
    assert_non_null(strstr(leases, "0/0:7+1 "));
    assert_non_null(strstr(leases, "0/0:10+1 "));
    assert_non_null(strstr(leases, "0/2:5+1 "));
    assert_int_equal(strlen(leases), strlen("0/0:7+1 0/0:10+1 0/0:assembled 0/2:5+1 0/2:assembled "));
    const struct batch *batch = now.backlog->batch[0];
    assert_int_equal(doc_look(batch, 0)->state, SOHOA__DOC_STATE__DOC_STORED);
    assert_int_equal(doc_look(batch, 0)->generation, 1);
    assert_int_equal(doc_look(batch, 2)->state, SOHOA__DOC_STATE__DOC_DEAD); /* its dead pages were not chosen */
    assert_int_equal(batch->page_count[PAGE_DEAD], 2);
    assert_int_equal(rerun_finished(now.backlog, rerun_at(now.backlog, 1)), 2);
}

static void pages_kept_twice_are_in_the_words_of_the_last_generation(void **state)
{
    (void)state;
    order("grade=C and state=stored");
    finish(&now);
    order("grade=B and pages=10");
    const struct work *work = &now.backlog->work[doc_look(now.backlog->batch[0], 0)->work];
    assert_int_equal(work->generation, 2);
    assert_int_equal(cut_of(work)->words_generation, 1);
    AUTO(mem_destroy) char *leases = leases_print();
    assert_string_equal(leases, "0/0:5+2 0/0:assembled ");
}

static void dead_pages_run_again_and_can_be_mended(void **state)
{
    (void)state;
    order("state=dead");
    AUTO(mem_destroy) char *leases = leases_print();
    assert_string_equal(leases, "0/2:2+1 0/2:4+1 0/2:assembled ");
    assert_int_equal(doc_look(now.backlog->batch[0], 2)->state, SOHOA__DOC_STATE__DOC_STORED);
    assert_int_equal(now.backlog->batch[0]->page_count[PAGE_DEAD], 0);
}

static void undo_restores_every_count(void **state)
{
    static const char *const where[] = {"document>=0", "grade=C",  "state=dead",    "state=refused",
                                        "grade=none",  "batch=b1", "confidence<75", "grade=C or state=refused"};
    (void)state;
    AUTO(mem_destroy) char *before = print(&now);
    for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
        AUTO(choice_destroy) struct choice choice = {0};
        size_t docs = choose_docs(where[i], &choice);
        uint32_t number = order(where[i]);
        AUTO(mem_destroy) char *between = print(&now);
        assert_string_not_equal(between, before);
        assert_int_equal(undo(number), docs);
        AUTO(mem_destroy) char *after = print(&now);
        assert_string_equal(after, before);
        assert_int_equal(rerun_at(now.backlog, number)->undone, docs);
        assert_int_equal(rerun_at(now.backlog, number)->docs, 0);
        assert_int_equal(undo(number), 0);
    }
    assert_null(sched_grant(now.sched, 0, 1000));
}

static void undo_after_a_restart_restores_every_count(void **state)
{
    (void)state;
    AUTO(mem_destroy) char *before = print(&now);
    uint32_t number = order("document>=0");
    struct world again = restart(&now, false);
    assert_int_equal(rerun_take_back(again.sched, again.backlog, again.ledger, number, &again.acts), 6);
    AUTO(mem_destroy) char *after = print(&again);
    assert_string_equal(after, before);
    world_end(&again);
}

static void what_has_begun_stays(void **state)
{
    struct lease lease;
    (void)state;
    uint32_t number = order("grade=C");
    assert_true(work_once(&now, &lease));
    assert_int_equal(rerun_take_back(now.sched, now.backlog, now.ledger, number, &now.acts), 1);
    say(&now);
    assert_int_equal(rerun_at(now.backlog, number)->docs, 1);
    assert_int_equal(rerun_at(now.backlog, number)->doc[0].ref.doc, lease.doc.doc);
    finish(&now);
    assert_int_equal(doc_look(now.backlog->batch[0], lease.doc.doc)->generation, 1);
    assert_int_equal(doc_look(now.backlog->batch[0], lease.doc.doc ? 0 : 2)->generation, 0);
    check_restart(&now);
    assert_int_equal(undo(number), 0);
}

static void a_lease_that_was_lost_has_begun_too(void **state)
{
    (void)state;
    uint32_t number = order("grade=C and state=stored");
    assert_non_null(sched_grant(now.sched, 0, 1000));
    sched_keep_only(now.sched, 0, NULL, 0, &now.acts, 1000);
    say(&now);
    assert_int_equal(sched_leases(now.sched), 0);
    assert_int_equal(rerun_take_back(now.sched, now.backlog, now.ledger, number, &now.acts), 0);
}

static void a_page_that_died_again_has_begun_too(void **state)
{
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Err err = SOHOA__ERR__INIT;
    (void)state;
    uint32_t number = order("grade=C and state=stored");
    result.lease = sched_grant(now.sched, 0, 1000)->id;
    result.err = &err;
    err.code = E_PAGE_BROKEN;
    sched_finish(now.sched, 0, &result, 1000, &now.acts);
    say(&now);
    assert_int_equal(now.backlog->batch[0]->page_count[PAGE_DEAD], 1 + 2);
    assert_int_equal(rerun_take_back(now.sched, now.backlog, now.ledger, number, &now.acts), 0);
}

/* The first order's choice holds no more when a second has its generation. */
static void another_re_run_after_an_undone_one(void **state)
{
    (void)state;
    undo(order("grade=C and pages=10"));
    order("grade=B and pages=10");
    struct world again = restart(&now, false);
    const struct work *work = &again.backlog->work[doc_look(again.backlog->batch[0], 0)->work];
    assert_int_equal(work->generation, 1);
    assert_int_equal(again.backlog->batch[0]->page_count[PAGE_QUEUED], 2);
    world_end(&again);
    AUTO(mem_destroy) char *leases = leases_print();
    assert_string_equal(leases, "0/0:5+2 0/0:assembled ");
}

static void who_came_later_is_not_left_behind(void **state)
{
    struct placement placed = {.pages = 3, .range_pages = RANGE_PAGES, .generation = 1};
    (void)state;
    uint32_t number = order("batch=b1");
    struct batch *batch = batch_add(now.backlog, "later", 1, 0);
    memset(placed.sha256, 2, SHA256_BYTES);
    sched_restore_placed(now.sched, (struct doc_ref){batch->index, 0}, &placed);
    sched_enter(now.sched, batch, &now.acts);
    now.acts.count = 0;
    assert_int_equal(rerun_take_back(now.sched, now.backlog, now.ledger, number, &now.acts), 0);
}

/* A later admission's layout has the next generation of a source: what was said of the one before stays, to go back to. */
static void a_later_layout_keeps_what_went_before(void **state)
{
    struct placement placed = {.pages = 5, .range_pages = RANGE_PAGES, .generation = 1};
    (void)state;
    struct world again = restart(&now, false);
    struct work *work = &again.backlog->work[doc_look(again.backlog->batch[0], 2)->work];
    uint32_t parts = cut_of(work)->parts;
    assert_int_equal(work->generation, 0);
    assert_true(parts > 1);
    struct batch *later = batch_add(again.backlog, "later", 1, 0);
    memset(placed.sha256, 3, SHA256_BYTES);
    sched_restore_placed(again.sched, (struct doc_ref){later->index, 0}, &placed);
    sched_restore_laid(again.sched, later, 0, 1);
    assert_ptr_equal(work, &again.backlog->work[doc_look(later, 0)->work]);
    assert_int_equal(work->generation, 1);
    assert_non_null(cut_of(work)->before);
    assert_int_equal(cut_of(work)->before->parts, parts);
    world_end(&again);
}

int main(void)
{
#define MATTER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        MATTER(what_came_out_is_remembered),
        MATTER(a_predicate_chooses_pages),
        MATTER(the_price_is_measured),
        MATTER(no_good_page_is_read_again),
        MATTER(pages_kept_twice_are_in_the_words_of_the_last_generation),
        MATTER(dead_pages_run_again_and_can_be_mended),
        MATTER(undo_restores_every_count),
        MATTER(a_later_layout_keeps_what_went_before),
        MATTER(undo_after_a_restart_restores_every_count),
        MATTER(what_has_begun_stays),
        MATTER(a_lease_that_was_lost_has_begun_too),
        MATTER(a_page_that_died_again_has_begun_too),
        MATTER(another_re_run_after_an_undone_one),
        MATTER(who_came_later_is_not_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
