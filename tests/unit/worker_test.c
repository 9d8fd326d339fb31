/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The real sohoa-worker with real slots, a real store in a folder and real scans; the coordinator is played
 * (tests/lib/play.h). Faults are real, too: SIGKILL of a slot, a ROUTER that goes away, SIGTERM. */
#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/lib/play.h"

enum { SKIPPED = 77 };

/* Two pages each: born digital, read in no time; scanned, read in seconds. */
static char text_path[512], scan_path[512];
static Sohoa__Result *text_result, *scan_result; /* of their PROBE */
static const char *const out_part[] = {"done", "pdf", "alto", "text", "words"};

/* ---- jobs ---- */

static Sohoa__Result *probe_path(const char *path, bool check_only)
{
    Sohoa__Job job = SOHOA__JOB__INIT;
    job.kind = SOHOA__JOB_KIND__JOB_PROBE;
    job.source = (char *)path;
    job.check_only = check_only;
    return play_await(play_grant(&job));
}

static Sohoa__Subscriber *one_subscriber(Sohoa__Subscriber *subscriber, const char *batch, uint32_t doc)
{
    sohoa__subscriber__init(subscriber);
    subscriber->batch = (char *)batch;
    subscriber->doc = doc;
    subscriber->row = (char *)"{\"source\":\"x.pdf\",\"unit\":\"new:00004\"}";
    return subscriber;
}

static uint64_t grant_pages(const Sohoa__Probe *probe, uint32_t generation, uint32_t first, uint32_t count,
                            const char *batch)
{
    Sohoa__Job job = SOHOA__JOB__INIT;
    Sohoa__Range range = SOHOA__RANGE__INIT;
    Sohoa__Subscriber subscriber;
    Sohoa__Subscriber *subscribers[] = {one_subscriber(&subscriber, batch ? batch : "", 3)};
    range.first = first;
    range.count = count;
    job.kind = SOHOA__JOB_KIND__JOB_PAGES;
    job.sha256 = probe->sha256;
    job.doc_pages = probe->pages;
    job.range = &range;
    job.generation = generation;
    job.assemble = batch != NULL;
    job.subscribers = subscribers;
    job.n_subscribers = batch != NULL;
    return play_grant(&job);
}

static Sohoa__Probe *stored_probe(const char *path, Sohoa__Result **result)
{
    if (!*result)
        *result = probe_path(path, false);
    if (!(*result)->probe)
        fail_msg("%s: %s", path, (*result)->err->text);
    return (*result)->probe;
}

static Sohoa__Probe *text_probe(void)
{
    return stored_probe(text_path, &text_result);
}

static Sohoa__Probe *scan_probe(void)
{
    return stored_probe(scan_path, &scan_result);
}

/* ---- tests, in the order in which they build on each other ---- */

static void probe_stores_what_it_looked_at(void **state)
{
    (void)state;
    AUTO(result_destroy) Sohoa__Result *checked = probe_path(text_path, true);
    AUTO(buf_destroy) struct buf stored = {0};
    struct name name;
    uint8_t sha256[SHA256_BYTES];
    assert_null(checked->err);
    assert_false(play_there(name_src(&name, checked->probe->sha256.data)));
    Sohoa__Probe *probe = text_probe();
    assert_memory_equal(probe->sha256.data, checked->probe->sha256.data, SHA256_BYTES);
    play_blob(name_src(&name, probe->sha256.data), &stored);
    sha256_of(stored.data, stored.size, sha256);
    assert_memory_equal(sha256, probe->sha256.data, SHA256_BYTES);
    assert_int_equal(stored.size, probe->bytes);
    assert_int_equal(probe->kind, SOHOA__SOURCE_KIND__SOURCE_PDF);
    assert_true(probe->pages > 0);
}

/* A short source is read and assembled under the lease of its PROBE; a longer one is looked at only. */
static void probe_reads_on(void **state)
{
    (void)state;
    for (uint32_t most = 1; most <= 2; most++) {
        Sohoa__Job job = SOHOA__JOB__INIT;
        Sohoa__Subscriber subscriber;
        Sohoa__Subscriber *subscribers[] = {one_subscriber(&subscriber, "read-on", 7)};
        struct name name;
        job.kind = SOHOA__JOB_KIND__JOB_PROBE;
        job.source = text_path;
        job.read_most = most;
        job.generation = 1; /* of a document that was refused once: nothing of its source's results */
        job.subscribers = subscribers;
        job.n_subscribers = 1;
        AUTO(result_destroy) Sohoa__Result *result = play_await(play_grant(&job));
        bool read = most >= 2;
        assert_null(result->err);
        assert_non_null(result->probe);
        assert_int_equal(result->probe->pages, 2);
        assert_int_equal(result->assembled != NULL, read);
        assert_int_equal(result->n_stored, read);
        assert_int_equal(play_there(play_out(&name, result->probe, 0, "done")), read);
        assert_int_equal(play_there(name_rec(&name, "read-on", 7)), read);
        for (size_t i = 0; i < sizeof out_part / sizeof *out_part; i++) { /* those who come after make it anew */
            struct err err;
            assert_int_equal(store_remove(play.store, play_out(&name, result->probe, 0, out_part[i]), &err), 0);
        }
    }
}

/* Who probed a source has it at hand for its pages: the store is not asked for it. */
static void probed_source_is_not_fetched(void **state)
{
    (void)state;
    Sohoa__Probe *probe = text_probe();
    struct name name;
    char there[256], away[128];
    snprintf(there, sizeof there, "%s/store/%s", play.home, name_src(&name, probe->sha256.data));
    snprintf(away, sizeof away, "%s/source", play.home);
    assert_int_equal(rename(there, away), 0);
    AUTO(result_destroy) Sohoa__Result *result = play_await(grant_pages(probe, 30, 1, 1, NULL));
    assert_int_equal(rename(away, there), 0);
    assert_null(result->err);
    assert_int_equal(result->n_stored, 1);
}

static void refused_sources_are_not_stored(void **state)
{
    (void)state;
    char text[128], broken[128];
    snprintf(text, sizeof text, "%s/a.txt", play.home);
    snprintf(broken, sizeof broken, "%s/b.pdf", play.home);
    FILE *file = fopen(text, "we");
    fputs("no scan", file);
    fclose(file);
    file = fopen(broken, "we");
    fputs("%PDF-1.7\nnothing else\n", file);
    fclose(file);
    AUTO(result_destroy) Sohoa__Result *none = probe_path("/none/at/all.pdf", false);
    AUTO(result_destroy) Sohoa__Result *plain = probe_path(text, false);
    AUTO(result_destroy) Sohoa__Result *rotten = probe_path(broken, false);
    assert_int_equal(none->err->code, E_SOURCE_MISSING);
    assert_int_equal(plain->err->code, E_SOURCE_TYPE);
    assert_non_null(rotten->err);
    assert_int_equal(err_class(rotten->err->code), ERR_POISON);
    uint8_t sha256[SHA256_BYTES];
    struct name name;
    sha256_of("%PDF-1.7\nnothing else\n", 22, sha256);
    assert_false(play_there(name_src(&name, sha256)));
}

static int run(const char *format, ...)
{
    char command[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(command, sizeof command, format, ap);
    va_end(ap);
    return system(command);
}

static void document_comes_whole(void **state)
{
    (void)state;
    Sohoa__Probe *probe = scan_probe();
    AUTO(result_destroy) Sohoa__Result *result = play_await(grant_pages(probe, 0, 1, probe->pages, "b-1"));
    struct name name;
    if (result->err)
        fail_msg("%s", result->err->text);
    assert_int_equal(result->n_failed, 0);
    assert_false(result->found);
    assert_int_equal(result->assembled->pages_stored, probe->pages);
    assert_int_equal(result->stored[0]->count, probe->pages);
    assert_true(result->cpu_ms > 0);
    const char *const parts[] = {"pdf", "alto", "text", "words", "done"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_true(play_there(play_out(&name, probe, 0, parts[i])));
    assert_true(play_there(name_rec(&name, "b-1", 3)));
    play_out(&name, probe, 0, "pdf");
    assert_int_equal(run("qpdf --check %s/store/%s >/dev/null 2>&1", play.home, name.text), 0);
    assert_int_equal(run("pdftotext %s/store/%s - | grep -q '[[:alpha:]]\\{3\\}'", play.home, name.text), 0);
}

static void done_is_true_of_what_is_stored(void **state)
{
    (void)state;
    Sohoa__Probe *probe = scan_probe();
    AUTO(buf_destroy) struct buf done = {0};
    struct name name;
    play_blob(play_out(&name, probe, 0, "done"), &done);
    json_t *root = json_loadb((char *)done.data, done.size, 0, NULL);
    assert_non_null(root);
    const char *part;
    json_t *said;
    json_object_foreach(json_object_get(root, "outputs"), part, said)
    {
        AUTO(buf_destroy) struct buf bytes = {0};
        uint8_t sha256[SHA256_BYTES];
        char hex[SHA256_HEX_CHARS + 1];
        play_blob(play_out(&name, probe, 0, part), &bytes);
        sha256_of(bytes.data, bytes.size, sha256);
        sha256_hex(sha256, hex);
        assert_string_equal(json_string_value(json_object_get(said, "sha256")), hex);
        assert_int_equal(json_integer_value(json_object_get(said, "bytes")), bytes.size);
    }
    assert_int_equal(json_array_size(json_object_get(root, "pages")), probe->pages);
    json_decref(root);
}

static void done_document_is_found(void **state)
{
    (void)state;
    Sohoa__Probe *probe = scan_probe();
    struct name name;
    AUTO(result_destroy) Sohoa__Result *result = play_await(grant_pages(probe, 0, 1, probe->pages, "b-2"));
    assert_null(result->err);
    assert_true(result->found);
    assert_int_equal(result->assembled->pages_stored, probe->pages);
    assert_true(play_there(name_rec(&name, "b-2", 3)));
}

/* Generation 1: page 1 in a bundle, the others dead; then generation 2 keeps page 1 from its words. */
static Sohoa__Result *assemble(const Sohoa__Probe *probe, uint32_t generation, bool keep)
{
    Sohoa__Job job = SOHOA__JOB__INIT;
    Sohoa__Range range = SOHOA__RANGE__INIT;
    Sohoa__Range *bundles[] = {&range};
    Sohoa__Subscriber subscriber;
    Sohoa__Subscriber *subscribers[] = {one_subscriber(&subscriber, "b-3", 3)};
    Sohoa__PageFailure failure[64];
    Sohoa__PageFailure *dead[64];
    Sohoa__Err err = SOHOA__ERR__INIT;
    err.code = E_TIME;
    err.text = (char *)"too slow";
    range.first = range.count = 1;
    job.kind = SOHOA__JOB_KIND__JOB_ASSEMBLE;
    job.sha256 = probe->sha256;
    job.doc_pages = probe->pages;
    job.generation = generation;
    job.subscribers = subscribers;
    job.n_subscribers = 1;
    job.dead = dead;
    for (uint32_t page_no = 2; page_no <= probe->pages && !keep; page_no++) {
        sohoa__page_failure__init(&failure[job.n_dead]);
        failure[job.n_dead].page_no = page_no;
        failure[job.n_dead].err = &err;
        dead[job.n_dead] = &failure[job.n_dead];
        job.n_dead++;
    }
    job.bundles = bundles;
    job.n_bundles = !keep;
    job.keep_words = keep;
    job.words_generation = 1;
    return play_await(play_grant(&job));
}

static void pages_are_bundled_then_assembled(void **state)
{
    (void)state;
    Sohoa__Probe *probe = text_probe();
    struct name name;
    AUTO(result_destroy) Sohoa__Result *pages = play_await(grant_pages(probe, 1, 1, 1, NULL));
    assert_null(pages->err);
    assert_int_equal(pages->n_stored, 1);
    assert_null(pages->assembled);
    assert_true(play_there(name_bundle(&name, probe->sha256.data, play.pipeline, 1, 1, 1)));
    AUTO(result_destroy) Sohoa__Result *again = play_await(grant_pages(probe, 1, 1, 1, NULL));
    assert_true(again->found);
    AUTO(result_destroy) Sohoa__Result *made = assemble(probe, 1, false);
    if (made->err)
        fail_msg("%s", made->err->text);
    assert_int_equal(made->assembled->pages_stored, 1);
    assert_int_equal(made->assembled->pages_dead, probe->pages - 1);
    AUTO(result_destroy) Sohoa__Result *kept = assemble(probe, 2, true);
    if (kept->err)
        fail_msg("%s", kept->err->text);
    assert_int_equal(kept->assembled->pages_stored, 1);
    assert_int_equal(kept->assembled->pages_dead, probe->pages - 1);
}

/* And a job that only waits for the store takes no place from those that want a slot. */
static void failing_store_is_tried_again(void **state)
{
    (void)state;
    Sohoa__Probe *probe = text_probe();
    char folder[128], away[128];
    snprintf(folder, sizeof folder, "%s/store/bundle", play.home);
    snprintf(away, sizeof away, "%s/store/~away", play.home);
    assert_int_equal(rename(folder, away), 0);
    FILE *file = fopen(folder, "we"); /* no folder can be made there now */
    assert_non_null(file);
    fclose(file);
    uint64_t credit = play.credit;
    uint64_t lease = grant_pages(probe, 20, 1, 1, NULL);
    play_listen(700); /* longer than the first wait */
    for (uint64_t end_ms = clock_mono_ms() + PLAY_WAIT_MS; play.credit <= credit && clock_mono_ms() < end_ms;)
        play_listen_once();
    assert_int_equal(play.credit, credit + 1);
    assert_null(play_result(lease));
    assert_int_equal(unlink(folder), 0);
    assert_int_equal(rename(away, folder), 0);
    AUTO(result_destroy) Sohoa__Result *result = play_await(lease);
    assert_null(result->err);
    assert_int_equal(result->n_stored, 1);
}

static void missing_bundle_is_said(void **state)
{
    (void)state;
    Sohoa__Probe *probe = text_probe();
    AUTO(result_destroy) Sohoa__Result *made = assemble(probe, 9, false);
    assert_non_null(made->err);
    assert_int_equal(made->err->code, E_ABSENT);
}

/* Also over what a killed attempt left behind, which never came to its done. */
static void results_are_the_same_bytes(void **state)
{
    (void)state;
    Sohoa__Probe *probe = scan_probe();
    struct name stale;
    struct err err;
    assert_int_equal(store_create(play.store, play_out(&stale, probe, 3, "text"), "stale", 5, &err), 0);
    AUTO(result_destroy) Sohoa__Result *result = play_await(grant_pages(probe, 3, 1, probe->pages, "b-4"));
    assert_null(result->err);
    const char *const parts[] = {"pdf", "alto", "text", "words", "done"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        AUTO(buf_destroy) struct buf one = {0};
        AUTO(buf_destroy) struct buf two = {0};
        struct name name;
        play_blob(play_out(&name, probe, 0, parts[i]), &one);
        play_blob(play_out(&name, probe, 3, parts[i]), &two);
        assert_int_equal(one.size, two.size);
        assert_memory_equal(one.data, two.data, one.size);
    }
}

/* The process of the group that has used most CPU lately, but not the worker: a slot at work. */
static pid_t busy_slot(void)
{
    DIR *proc = opendir("/proc");
    pid_t best = 0;
    for (struct dirent *entry = readdir(proc); entry; entry = readdir(proc)) {
        char path[300], state = 0;
        int group = 0, parent = 0;
        pid_t pid = atoi(entry->d_name);
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *stat = pid > 0 ? fopen(path, "re") : NULL;
        if (stat && fscanf(stat, "%*d (%*[^)]) %c %d %d", &state, &parent, &group) == 3 && group == play.worker &&
            state == 'R' && pid != play.worker && parent != play.worker)
            best = pid;
        if (stat)
            fclose(stat);
    }
    closedir(proc);
    return best;
}

static void killed_slot_costs_one_page(void **state)
{
    (void)state;
    Sohoa__Probe *probe = scan_probe();
    uint64_t lease = grant_pages(probe, 5, 1, probe->pages, "b-6");
    Sohoa__Result *early = NULL;
    pid_t victim = 0;
    for (int steady = 0; steady < 20 && !early; play_listen_once()) { /* for a while the same: it is reading */
        pid_t pid = busy_slot();
        steady = pid && pid == victim ? steady + 1 : 0;
        victim = pid;
        early = play_result(lease);
    }
    assert_null(early);
    assert_int_equal(kill(victim, SIGKILL), 0);
    AUTO(result_destroy) Sohoa__Result *result = play_await(lease);
    assert_null(result->err);
    assert_null(result->assembled);
    assert_int_equal(result->n_failed, 1);
    assert_int_equal(result->failed[0]->err->code, E_SLOT);
    assert_int_equal(result->failed[0]->attempts, 1);
    uint32_t stored = 0;
    for (size_t i = 0; i < result->n_stored; i++) {
        struct name name;
        stored += result->stored[i]->count;
        assert_true(play_there(name_bundle(&name, probe->sha256.data, play.pipeline, 5, result->stored[i]->first,
                                           result->stored[i]->count)));
    }
    assert_int_equal(stored, probe->pages - 1);
    AUTO(result_destroy) Sohoa__Result *again = play_await(grant_pages(probe, 5, result->failed[0]->page_no, 1, NULL));
    assert_null(again->err);
    assert_int_equal(again->n_failed, 0);
}

static void work_goes_on_without_the_coordinator(void **state)
{
    (void)state;
    Sohoa__Probe *probe = scan_probe();
    struct name name;
    uint64_t lease = grant_pages(probe, 6, 1, 1, NULL);
    play_listen(50);
    zsock_destroy(&play.router);
    for (uint64_t end_ms = clock_mono_ms() + PLAY_WAIT_MS; clock_mono_ms() < end_ms; zclock_sleep(20))
        if (play_there(name_bundle(&name, probe->sha256.data, play.pipeline, 6, 1, 1)))
            break;
    play.hello_held = 0;
    play_bind();
    AUTO(result_destroy) Sohoa__Result *result = play_await(lease);
    assert_null(result->err);
    assert_int_equal(play.hello_held, 1);
}

static void dropped_and_expired_leases_are_not_heard_of(void **state)
{
    (void)state;
    Sohoa__Probe *probe = text_probe();
    uint64_t dropped = grant_pages(probe, 7, 1, 1, NULL);
    play_drop(dropped);
    Sohoa__Job job = SOHOA__JOB__INIT;
    Sohoa__Range range = SOHOA__RANGE__INIT;
    range.first = range.count = 1;
    job.kind = SOHOA__JOB_KIND__JOB_PAGES;
    job.sha256 = probe->sha256;
    job.doc_pages = probe->pages;
    job.range = &range;
    job.generation = 8;
    job.lease_ms = 1;
    uint64_t expired = play_grant(&job);
    AUTO(result_destroy) Sohoa__Result *last = play_await(grant_pages(probe, 9, 1, 1, NULL));
    play_listen(500);
    assert_null(last->err);
    assert_null(play_result(dropped));
    assert_null(play_result(expired));
}

static void stopped_source_leaves_nothing(void **state)
{
    (void)state;
    Sohoa__Probe *probe = scan_probe();
    struct name name, stop;
    struct err err;
    if (store_lock(play.store, "test", 5000, &err))
        fail_msg("%s", err.text);
    uint64_t running = grant_pages(probe, 10, 1, probe->pages, "b-7");
    play_listen(300);
    assert_int_equal(store_guard_create(play.store, name_stop(&stop, probe->sha256.data), "", 0, &err), 0);
    AUTO(result_destroy) Sohoa__Result *result = play_await(running);
    assert_int_equal(result->err->code, E_STOPPED);
    const char *const parts[] = {"pdf", "alto", "text", "words", "done"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_false(play_there(play_out(&name, probe, 10, parts[i])));
    assert_false(play_there(name_rec(&name, "b-7", 3)));
    AUTO(result_destroy) Sohoa__Result *later = play_await(grant_pages(probe, 0, 1, probe->pages, "b-8"));
    assert_int_equal(later->err->code, E_STOPPED);
    assert_int_equal(store_guard_remove(play.store, stop.text, &err), 0);
}

static void view_start(const Sohoa__Probe *probe, uint64_t number, uint32_t width_px, struct name *blob)
{
    Sohoa__Job job = SOHOA__JOB__INIT;
    Sohoa__Range range = SOHOA__RANGE__INIT;
    struct name words;
    range.first = range.count = 1;
    job.sha256 = probe->sha256;
    job.doc_pages = probe->pages;
    job.range = &range;
    job.width_px = width_px;
    job.source = (char *)play_out(&words, probe, 0, "words");
    job.blob = (char *)name_view(blob, probe->sha256.data, number);
    play_view(&job);
}

static void views_are_stored(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf picture = {0};
    AUTO(buf_destroy) struct buf words = {0};
    struct name blob;
    AUTO(result_destroy) Sohoa__Result *whole = play_await(grant_pages(text_probe(), 0, 1, 2, "b-view"));
    assert_null(whole->err);
    play_listen(100);
    uint64_t credit = play.credit;
    view_start(text_probe(), 1, 240, &blob);
    AUTO(result_destroy) Sohoa__Result *drawn = play_await_view();
    assert_null(drawn->err);
    play_blob(blob.text, &picture);
    assert_memory_equal(picture.data, "\x89PNG", 4);
    assert_int_equal(drawn->viewed->bytes, picture.size);
    view_start(text_probe(), 2, 0, &blob);
    AUTO(result_destroy) Sohoa__Result *quoted = play_await_view();
    assert_null(quoted->err);
    play_blob(blob.text, &words);
    assert_non_null(strstr(buf_text(&words), "\"words\":[{"));
    assert_int_equal(play.credit, credit);
}

/* The slots: the children of the warm process, which is the worker's. */
static void slots_signal(pid_t parent, bool are_slots, int number)
{
    char path[64];
    int child;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fscanf(file, "%d", &child) == 1) {
        if (are_slots)
            assert_int_equal(kill(child, number), 0);
        else
            slots_signal(child, true, number);
    }
    fclose(file);
}

/* All slots stand still when the view comes, so it has passed its first look before the tombstone is there. */
static void view_of_a_source_stopped_meanwhile_leaves_nothing(void **state)
{
    (void)state;
    struct name blob, stop;
    struct err err;
    slots_signal(play.worker, false, SIGSTOP);
    view_start(text_probe(), 3, 800, &blob);
    play_listen(300);
    assert_null(play.viewed);
    assert_int_equal(store_guard_create(play.store, name_stop(&stop, text_probe()->sha256.data), "", 0, &err), 0);
    slots_signal(play.worker, false, SIGCONT);
    AUTO(result_destroy) Sohoa__Result *viewed = play_await_view();
    assert_int_equal(viewed->err->code, E_STOPPED);
    assert_false(play_there(blob.text));
    assert_int_equal(store_guard_remove(play.store, stop.text, &err), 0);
}

static void views_wait_for_no_page(void **state)
{
    (void)state;
    struct name blob;
    uint64_t busy[] = {grant_pages(scan_probe(), 13, 1, 2, NULL), grant_pages(scan_probe(), 14, 1, 2, NULL)};
    play_listen(300);
    view_start(text_probe(), 4, 800, &blob);
    AUTO(result_destroy) Sohoa__Result *viewed = play_await_view();
    assert_null(viewed->err);
    assert_true(!play_result(busy[0]) && !play_result(busy[1])); /* they still read */
    for (size_t i = 0; i < 2; i++) {
        AUTO(result_destroy) Sohoa__Result *result = play_await(busy[i]);
        assert_null(result->err);
    }
}

static void sigterm_leaves_no_process(void **state)
{
    (void)state;
    pid_t group = play.worker;
    Sohoa__Probe *probe = scan_probe();
    grant_pages(probe, 11, 1, probe->pages, NULL);
    play_listen(500);
    uint64_t began_ms = clock_mono_ms();
    int status = play_stop();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(clock_mono_ms() - began_ms < 8000);
    play_listen(200);
    assert_true(play.said_bye);
    assert_int_equal(kill(-group, 0), -1);
    assert_int_equal(errno, ESRCH);
}

static void many_slots_have_more_fetched_ahead(void **state)
{
    (void)state;
    play_stop();
    assert_true(play_start(8));
    assert_int_equal(play.credit, 8 + 4);
}

static int tear_down(void **state)
{
    result_destroy(&text_result);
    result_destroy(&scan_result);
    return play_tear_down(state);
}

int main(void)
{
    const char *source = getenv("SOHOA_SOURCE");
    snprintf(text_path, sizeof text_path, "%s/../shared/data/scans/qn-28.pdf", source);
    snprintf(scan_path, sizeof scan_path, "%s/../shared/data/scans/qn-18.pdf", source);
    if (access(text_path, R_OK) || access(scan_path, R_OK)) {
        printf("skipped: %s and %s are not there\n", text_path, scan_path);
        return SKIPPED;
    }
    zsys_handler_set(NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probe_stores_what_it_looked_at),
        cmocka_unit_test(probe_reads_on),
        cmocka_unit_test(probed_source_is_not_fetched),
        cmocka_unit_test(refused_sources_are_not_stored),
        cmocka_unit_test(document_comes_whole),
        cmocka_unit_test(done_is_true_of_what_is_stored),
        cmocka_unit_test(done_document_is_found),
        cmocka_unit_test(pages_are_bundled_then_assembled),
        cmocka_unit_test(failing_store_is_tried_again),
        cmocka_unit_test(missing_bundle_is_said),
        cmocka_unit_test(results_are_the_same_bytes),
        cmocka_unit_test(killed_slot_costs_one_page),
        cmocka_unit_test(work_goes_on_without_the_coordinator),
        cmocka_unit_test(dropped_and_expired_leases_are_not_heard_of),
        cmocka_unit_test(stopped_source_leaves_nothing),
        cmocka_unit_test(views_are_stored),
        cmocka_unit_test(view_of_a_source_stopped_meanwhile_leaves_nothing),
        cmocka_unit_test(views_wait_for_no_page),
        cmocka_unit_test(sigterm_leaves_no_process),
        cmocka_unit_test(many_slots_have_more_fetched_ahead),
    };
    return cmocka_run_group_tests(tests, play_set_up, tear_down);
}
