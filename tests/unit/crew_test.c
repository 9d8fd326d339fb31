/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A real crew with real models on real and hostile documents; its processes are stopped and killed from outside. */
#include "worker/crew.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/sketch.h"
#include "worker/answer.h"
#include "worker/page.h"

enum {
    WAIT_MS = 60000, /* then a test has failed */
    PATIENT_MS = 60000,
#ifdef SOHOA_SANITIZED /* all is slow */
    HOSTILE_MS = 300,
    REPLACEMENTS = 50,
#else
    HOSTILE_MS = 1000,
    REPLACEMENTS = 200,
#endif
    OUT_BYTES = PAGE_MAX_BYTES,
    DOCUMENT_BYTES = 64 << 20,
};

static struct crew *crew;
static struct config *config;

/* ---- a crew's answer, kept ---- */

struct heard {
    bool done;
    int rc;
    struct err err;
    bool lost;
    uint32_t cpu_ms;
    struct buf section[SLOT_SECTIONS];
};

static void heard_clear(struct heard *heard)
{
    for (int i = 0; i < SLOT_SECTIONS; i++)
        buf_destroy(&heard->section[i]);
    *heard = (struct heard){0};
}

static void ended(const struct slot_answer *answer, void *user)
{
    struct heard *heard = user;
    assert_false(heard->done);
    *heard = (struct heard){true, answer->rc, answer->err, answer->lost, answer->cpu_ms, {{0}}};
    for (int i = 0; i < SLOT_SECTIONS; i++)
        buf_append(&heard->section[i], answer->section[i].data, answer->section[i].bytes);
}

static void pump(struct crew *of, bool (*until)(void *), void *user)
{
    uint64_t end_ms = clock_mono_ms() + WAIT_MS;
    struct err err;
    while (!until(user)) {
        struct pollfd ready = {.fd = crew_fd(of), .events = POLLIN};
        poll(&ready, 1, 100);
        assert_int_equal(crew_dispatch(of, &err), 0);
        assert_true(clock_mono_ms() < end_ms);
    }
}

static bool is_done(void *user)
{
    return ((struct heard *)user)->done;
}

/* One request from start to end; the result is heard->rc. */
static int ask(struct slot *slot, struct slot_request request, int fd, uint64_t out_bytes, uint32_t limit_ms,
               struct heard *heard)
{
    heard_clear(heard);
    slot_send(slot, &request, fd, out_bytes, limit_ms, ended, heard);
    pump(crew, is_done, heard);
    return heard->rc;
}

/* ---- documents ---- */

static int file_of(const void *data, size_t bytes)
{
    int fd = memfd_create("document", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, bytes), bytes);
    return fd;
}

static int ask_open(struct slot *slot, int fd, uint32_t limit_ms, struct heard *heard)
{
    struct stat about;
    assert_int_equal(fstat(fd, &about), 0);
    struct slot_request request = {.op = SLOT_OPEN, .source_bytes = (uint64_t)about.st_size};
    return ask(slot, request, fd, OUT_BYTES, limit_ms, heard);
}

static int ask_page(struct slot *slot, uint32_t page_no, uint32_t limit_ms, struct heard *heard)
{
    struct slot_request request = {.op = SLOT_PAGE, .page_no = page_no};
    return ask(slot, request, -1, OUT_BYTES, limit_ms, heard);
}

/* One page that says two words; without a cross reference table, which readers get over. */
static const char little_pdf[] =
    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 200]/Contents 4 0 R"
    "/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
    "4 0 obj<</Length 53>>stream\nBT /F1 24 Tf 40 100 Td (Hello Sohoa) Tj ET           \nendstream endobj\n"
    "trailer<</Root 1 0 R>>\n%%EOF\n";

/* A picture of 30000 x 30000 pixels in a few bytes. */
static const char giant_pdf[] =
    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 400]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>endobj\n"
    "4 0 obj<</Length 24>>stream\n400 0 0 400 0 0 cm /X Do\nendstream endobj\n"
    "5 0 obj<</Type/XObject/Subtype/Image/Width 30000/Height 30000/BitsPerComponent 8/ColorSpace/DeviceRGB/Length 4>>"
    "stream\nnone\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

/* A page that draws a form that draws a form ... ten times each, nine levels deep: no reader ever gets to its end. */
static void endless_pdf(struct buf *pdf)
{
    enum { LEVELS = 9, FIRST = 10 };
    buf_puts(pdf,
             "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
             "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 200]/Contents 4 0 R"
             "/Resources<</XObject<</X 10 0 R>>>>>>endobj\n4 0 obj<</Length 4>>stream\n/X Do\nendstream endobj\n");
    for (int i = 0; i < LEVELS; i++)
        buf_printf(
            pdf,
            "%d 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 400 200]/Resources<</XObject<</X %d 0 R>>>>/Length 60>>"
            "stream\n/X Do /X Do /X Do /X Do /X Do /X Do /X Do /X Do /X Do /X Do \nendstream endobj\n",
            FIRST + i, FIRST + i + 1);
    buf_printf(pdf,
               "%d 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 400 200]/Length 20>>stream\n0 0 400 200 re f    \n"
               "endstream endobj\ntrailer<</Root 1 0 R>>\n%%%%EOF\n",
               FIRST + LEVELS);
}

static int endless_file(void)
{
    AUTO(buf_destroy) struct buf pdf = {0};
    endless_pdf(&pdf);
    return file_of(pdf.data, pdf.size);
}

static DIR *data_folder(const char *name, char path[512])
{
    const char *source = getenv("SOHOA_SOURCE");
    snprintf(path, 512, "%s/../shared/data/%s", source ? source : ".", name);
    DIR *folder = opendir(path);
    if (!folder)
        print_message("no data in %s\n", path);
    return folder;
}

static int scan_file(const char *name)
{
    char path[512], file[800];
    DIR *folder = data_folder("scans", path);
    if (!folder)
        return -1;
    closedir(folder);
    snprintf(file, sizeof file, "%s/%s", path, name);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* ---- processes ---- */

static pid_t parent_of(pid_t pid, char *ret_state)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    const char *after_name = strrchr(text, ')');
    int parent = 0;
    if (!after_name || sscanf(after_name + 1, " %c %d", ret_state, &parent) != 2)
        return 0;
    return parent;
}

/* The living children of parent, at most max. */
static unsigned children_of(pid_t parent, pid_t *child, unsigned max)
{
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    unsigned n = 0;
    char state;
    for (struct dirent *entry = readdir(proc); entry && n < max; entry = readdir(proc)) {
        pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? (pid_t)strtol(entry->d_name, NULL, 10) : 0;
        if (pid && parent_of(pid, &state) == parent && state != 'Z')
            child[n++] = pid;
    }
    closedir(proc);
    return n;
}

static pid_t warm_of(pid_t owner)
{
    pid_t child[2];
    assert_int_equal(children_of(owner, child, 2), 1);
    return child[0];
}

static unsigned fds_of(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    unsigned n = 0;
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

/* The crew has a single slot, so it is known who works once a killed one is gone. */
static pid_t the_slot(void)
{
    uint64_t end_ms = clock_mono_ms() + WAIT_MS;
    pid_t child[2], warm = warm_of(getpid());
    while (children_of(warm, child, 2) != 1)
        assert_true(clock_mono_ms() < end_ms);
    return child[0];
}

/* ---- tests ---- */

static void test_little_document(void **state)
{
    (void)state;
    struct heard heard = {0};
    AUTO(fd_destroy) int fd = file_of(little_pdf, sizeof little_pdf - 1);
    struct slot *slot = crew_take(crew, false);
    assert_non_null(slot);
    assert_int_equal(crew_busy(crew), 1);
    assert_null(crew_take(crew, false));

    assert_int_equal(ask_open(slot, fd, PATIENT_MS, &heard), 0);
    Sohoa__Probe *probe = sohoa__probe__unpack(NULL, heard.section[0].size, heard.section[0].data);
    assert_non_null(probe);
    assert_int_equal(probe->pages, 1);
    assert_int_equal(probe->kind, SOHOA__SOURCE_KIND__SOURCE_PDF);
    sohoa__probe__free_unpacked(probe, NULL);
    assert_int_equal(heard.section[1].size, 0);

    assert_int_equal(ask_page(slot, 1, PATIENT_MS, &heard), 0);
    Sohoa__Page *page = NULL;
    assert_int_equal(page_unpack(heard.section[0].data, heard.section[0].size, &page, NULL), 0);
    assert_int_equal(page->page_no, 1);
    assert_true(page->n_blocks > 0);
    assert_string_equal(page->blocks[0]->lines[0]->words[0]->text, "Hello");
    page_destroy(&page);

    slot_release(&slot);
    assert_null(slot);
    assert_int_equal(crew_busy(crew), 0);
    heard_clear(&heard);
}

static void test_scan(void **state)
{
    (void)state;
    struct heard heard = {0};
    AUTO(fd_destroy) int fd = scan_file("qn-02.pdf");
    if (fd < 0)
        skip();
    struct slot *slot = crew_take(crew, false);
    assert_int_equal(ask_open(slot, fd, PATIENT_MS, &heard), 0);
    Sohoa__Probe *probe = sohoa__probe__unpack(NULL, heard.section[0].size, heard.section[0].data);
    uint32_t pages = probe->pages;
    sohoa__probe__free_unpacked(probe, NULL);
    AUTO(buf_destroy) struct buf row = {0};
    for (uint32_t page_no = 1; page_no <= pages; page_no++) {
        assert_int_equal(ask_page(slot, page_no, PATIENT_MS, &heard), 0);
        pages_append(&row, heard.section[0].data, heard.section[0].size);
    }
    assert_true(heard.cpu_ms > 0);
    AUTO(fd_destroy) int words = file_of(row.data, row.size);
    struct slot_request assemble = {.op = SLOT_ASSEMBLE};
    assert_int_equal(ask(slot, assemble, words, DOCUMENT_BYTES, PATIENT_MS, &heard), 0);
    assert_memory_equal(heard.section[0].data, "%PDF-", 5);
    assert_memory_equal(heard.section[1].data, "<?xml", 5);
    assert_true(heard.section[2].size > 100);
    struct sketch sketch;
    assert_int_equal(sketch_unpack(heard.section[5].data, heard.section[5].size, &sketch, NULL), 0);
    assert_int_equal(sketch.pages, pages);
    assert_true(sketch.shingles > 20 && sketch.pictures);
    assert_int_equal(ask(slot, assemble, words, 1000, PATIENT_MS, &heard), E_LIMIT);
    assert_false(heard.lost);
    slot_release(&slot);
    heard_clear(&heard);
}

static int ask_view(struct slot *slot, uint32_t page_no, uint32_t rotation_deg, uint32_t width_px, struct heard *heard)
{
    struct slot_request request = {
        .op = SLOT_VIEW, .page_no = page_no, .rotation_deg = rotation_deg, .width_px = width_px};
    return ask(slot, request, -1, VIEW_MAX_BYTES, PATIENT_MS, heard);
}

/* Width and height of a PNG, from its head. */
static void assert_png(const struct buf *png, uint32_t width, uint32_t height)
{
    const uint8_t *at = png->data;
    assert_true(png->size > 100);
    assert_memory_equal(at, "\x89PNG\r\n\x1a\n", 8);
    assert_int_equal(at[16] << 24 | at[17] << 16 | at[18] << 8 | at[19], width);
    assert_int_equal(at[20] << 24 | at[21] << 16 | at[22] << 8 | at[23], height);
}

static void test_views(void **state)
{
    (void)state;
    struct heard heard = {0};
    AUTO(fd_destroy) int little = file_of(little_pdf, sizeof little_pdf - 1);
    AUTO(fd_destroy) int giant = file_of(giant_pdf, sizeof giant_pdf - 1);
    struct slot *slot = crew_take(crew, false);
    assert_int_equal(ask_view(slot, 1, 0, 800, &heard), E_STATE);
    assert_int_equal(ask_open(slot, little, PATIENT_MS, &heard), 0);
    assert_int_equal(ask_view(slot, 1, 0, 800, &heard), 0);
    assert_png(&heard.section[0], 800, 400);
    assert_int_equal(ask_view(slot, 1, 90, 240, &heard), 0);
    assert_png(&heard.section[0], 240, 480);
    assert_int_equal(ask_view(slot, 2, 0, 800, &heard), E_PAGE_BROKEN);
    assert_int_equal(ask_view(slot, 1, 0, VIEW_MAX_PX + 1, &heard), E_PAGE_BROKEN);
    assert_int_equal(ask_open(slot, giant, PATIENT_MS, &heard), 0);
    ask_view(slot, 1, 0, 800, &heard); /* a broken image is shown as it can be, or refused; the slot lives */
    assert_false(heard.lost);
    slot_release(&slot);
    heard_clear(&heard);
}

static void test_view_of_a_scan(void **state)
{
    (void)state;
    struct heard heard = {0};
    AUTO(fd_destroy) int fd = scan_file("qn-02.pdf");
    if (fd < 0)
        skip();
    struct slot *slot = crew_take(crew, false);
    assert_int_equal(ask_open(slot, fd, PATIENT_MS, &heard), 0);
    assert_int_equal(ask_view(slot, 1, 0, 800, &heard), 0);
    const struct buf *picture = &heard.section[0];
    bool jpeg = picture->size > 3 && !memcmp(picture->data, "\xff\xd8\xff", 3);
    bool png = picture->size > 8 && !memcmp(picture->data, "\x89PNG", 4);
    assert_true((jpeg || png) && picture->size > 5000);
    slot_release(&slot);
    heard_clear(&heard);
}

static void test_errors_of_the_slot(void **state)
{
    (void)state;
    struct heard heard = {0};
    AUTO(fd_destroy) int letter = file_of("Dear sir or madam", 17);
    AUTO(fd_destroy) int little = file_of(little_pdf, sizeof little_pdf - 1);
    struct slot *slot = crew_take(crew, false);
    assert_int_equal(ask_page(slot, 1, PATIENT_MS, &heard), E_STATE);
    assert_int_equal(heard.err.page_no, 1);
    assert_int_equal(ask_open(slot, letter, PATIENT_MS, &heard), E_SOURCE_TYPE);
    assert_int_equal(ask_page(slot, 1, PATIENT_MS, &heard), E_STATE);
    assert_int_equal(ask_open(slot, little, PATIENT_MS, &heard), 0);
    struct slot_request page = {.op = SLOT_PAGE, .page_no = 1};
    assert_int_equal(ask(slot, page, -1, 10, PATIENT_MS, &heard), E_LIMIT);
    assert_int_equal(ask_page(slot, 1, PATIENT_MS, &heard), 0);
    assert_false(heard.lost);
    slot_release(&slot);
    heard_clear(&heard);
}

/* How pid has its descriptor of the file with this name open, as in open(2); -1: not there, or it can't be seen. */
static int access_of(pid_t pid, const char *name)
{
    for (int fd = 0; fd < 16; fd++) {
        char path[64], target[256] = "", line[128];
        int flags = -1;
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
        if (readlink(path, target, sizeof target - 1) < 0 || !strstr(target, name))
            continue;
        snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)pid, fd);
        FILE *file = fopen(path, "re");
        while (file && flags < 0 && fgets(line, sizeof line, file))
            if (sscanf(line, "flags: %o", (unsigned *)&flags) == 1)
                flags &= O_ACCMODE;
        if (file)
            fclose(file);
        return flags;
    }
    return -1;
}

/* The caller's descriptor stays where it is, and a slot can't write to it. */
static void test_input_is_the_callers(void **state)
{
    (void)state;
    struct heard heard = {0};
    AUTO(fd_destroy) int fd = file_of(little_pdf, sizeof little_pdf - 1);
    assert_int_equal(lseek(fd, 7, SEEK_SET), 7);
    struct slot *slot = crew_take(crew, false);
    assert_int_equal(ask_open(slot, fd, PATIENT_MS, &heard), 0);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 7);
    if (geteuid() == 0)
        assert_int_equal(access_of(the_slot(), "memfd:document"), O_RDONLY);
    else
        print_message("not root: can't see how a slot has its document open\n");
    slot_release(&slot);
    heard_clear(&heard);
}

/* Released and taken again at once, a slot has forgotten the document. */
static void test_release_forgets(void **state)
{
    (void)state;
    struct heard heard = {0};
    AUTO(fd_destroy) int fd = file_of(little_pdf, sizeof little_pdf - 1);
    struct slot *slot = crew_take(crew, false);
    assert_int_equal(ask_open(slot, fd, PATIENT_MS, &heard), 0);
    pid_t pid = the_slot();
    slot_release(&slot);
    slot = crew_take(crew, false);
    assert_int_equal(ask_page(slot, 1, PATIENT_MS, &heard), E_STATE);
    assert_int_equal(the_slot(), pid);
    slot_release(&slot);
    heard_clear(&heard);
}

static void test_time_limit(void **state)
{
    (void)state;
    struct heard heard = {0};
    AUTO(fd_destroy) int fd = endless_file();
    struct slot *slot = crew_take(crew, false);
    assert_int_equal(ask_open(slot, fd, PATIENT_MS, &heard), 0);
    pid_t pid = the_slot();
    uint64_t begun_ms = clock_mono_ms();
    assert_int_equal(ask_page(slot, 1, 300, &heard), E_TIME);
    assert_in_range(clock_mono_ms() - begun_ms, 300, 2000);
    assert_true(heard.lost);
    assert_int_equal(heard.err.page_no, 1);
    assert_string_equal(heard.err.text, "time limit 300 ms (page_max_ms)");
    assert_int_equal(ask_open(slot, fd, PATIENT_MS, &heard), 0);
    assert_int_not_equal(the_slot(), pid);
    slot_release(&slot);
    heard_clear(&heard);
}

struct stroke {
    pid_t pid;
    int number;
    uint64_t at_ms;
    struct heard *heard;
};

static bool strike_then_done(void *user)
{
    struct stroke *stroke = user;
    if (stroke->number && clock_mono_ms() >= stroke->at_ms) {
        assert_int_equal(kill(stroke->pid, stroke->number), 0);
        stroke->number = 0;
    }
    return stroke->heard->done;
}

/* Starts an endless page and sends the slot a signal while it works. */
static void strike(struct slot *slot, int number, uint32_t limit_ms, struct heard *heard)
{
    AUTO(fd_destroy) int fd = endless_file();
    assert_int_equal(ask_open(slot, fd, PATIENT_MS, heard), 0);
    struct stroke stroke = {the_slot(), number, clock_mono_ms() + 100, heard};
    heard_clear(heard);
    slot_send(slot, &(struct slot_request){.op = SLOT_PAGE, .page_no = 1}, -1, OUT_BYTES, limit_ms, ended, heard);
    pump(crew, strike_then_done, &stroke);
}

static void test_death_in_a_page(void **state)
{
    (void)state;
    struct heard heard = {0};
    AUTO(fd_destroy) int fd = file_of(little_pdf, sizeof little_pdf - 1);
    struct slot *slot = crew_take(crew, false);
    strike(slot, SIGKILL, PATIENT_MS, &heard);
    assert_int_equal(heard.rc, E_SLOT);
    assert_true(heard.lost);
    assert_non_null(strstr(heard.err.text, "SIGKILL"));
    strike(slot, SIGABRT, PATIENT_MS, &heard);
    assert_int_equal(heard.rc, E_SLOT);
    assert_non_null(strstr(heard.err.text, "SIGABRT"));
    assert_int_equal(ask_page(slot, 1, PATIENT_MS, &heard), E_STATE);
    assert_int_equal(ask_open(slot, fd, PATIENT_MS, &heard), 0);
    assert_int_equal(ask_page(slot, 1, PATIENT_MS, &heard), 0);
    slot_release(&slot);
    heard_clear(&heard);
}

static void test_stopped_in_a_page(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct slot *slot = crew_take(crew, false);
    strike(slot, SIGSTOP, 500, &heard);
    assert_int_equal(heard.rc, E_TIME);
    slot_release(&slot);
    heard_clear(&heard);
}

static bool is_replaced(void *user)
{
    pid_t child[2];
    return children_of(warm_of(getpid()), child, 2) == 1 && child[0] != *(pid_t *)user;
}

static void test_death_between_requests(void **state)
{
    (void)state;
    struct heard heard = {0};
    AUTO(fd_destroy) int fd = file_of(little_pdf, sizeof little_pdf - 1);
    struct slot *slot = crew_take(crew, false);
    assert_int_equal(ask_open(slot, fd, PATIENT_MS, &heard), 0);
    pid_t pid = the_slot();
    kill(pid, SIGKILL);
    pump(crew, is_replaced, &pid);
    assert_int_equal(ask_page(slot, 1, PATIENT_MS, &heard), E_SLOT);
    assert_true(heard.lost);
    assert_int_equal(ask_page(slot, 1, PATIENT_MS, &heard), E_STATE);
    assert_int_equal(ask_open(slot, fd, PATIENT_MS, &heard), 0);
    assert_int_equal(ask_page(slot, 1, PATIENT_MS, &heard), 0);
    slot_release(&slot);
    heard_clear(&heard);
}

static void test_release_while_running(void **state)
{
    (void)state;
    struct heard heard = {0}, other = {0};
    AUTO(fd_destroy) int endless = endless_file();
    AUTO(fd_destroy) int little = file_of(little_pdf, sizeof little_pdf - 1);
    struct slot *slot = crew_take(crew, false);
    assert_int_equal(ask_open(slot, endless, PATIENT_MS, &other), 0);
    heard_clear(&other);
    slot_send(slot, &(struct slot_request){.op = SLOT_PAGE, .page_no = 1}, -1, OUT_BYTES, PATIENT_MS, ended, &other);
    slot_release(&slot);
    slot = crew_take(crew, false);
    assert_int_equal(ask_open(slot, little, PATIENT_MS, &heard), 0);
    assert_int_equal(ask_page(slot, 1, PATIENT_MS, &heard), 0);
    assert_false(other.done);
    slot_release(&slot);
    heard_clear(&heard);
}

static void test_signals_of_a_terminal(void **state)
{
    (void)state;
    static const int number[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct heard heard = {0};
    AUTO(fd_destroy) int fd = file_of(little_pdf, sizeof little_pdf - 1);
    struct slot *slot = crew_take(crew, false);
    assert_int_equal(ask_open(slot, fd, PATIENT_MS, &heard), 0); /* so that the one child is not the slot before it */
    pid_t warm = warm_of(getpid()), pid = the_slot();
    for (size_t i = 0; i < sizeof number / sizeof number[0]; i++) {
        kill(warm, number[i]);
        kill(pid, number[i]);
    }
    assert_int_equal(ask_open(slot, fd, PATIENT_MS, &heard), 0);
    assert_int_equal(the_slot(), pid);
    slot_release(&slot);
    heard_clear(&heard);
}

struct fds {
    unsigned ours, theirs;
    pid_t warm;
};

static bool is_settled(void *user)
{
    const struct fds *fds = user;
    pid_t child[2];
    return children_of(fds->warm, child, 2) == 1 && fds_of(getpid()) == fds->ours && fds_of(fds->warm) == fds->theirs;
}

/* Every change between the limits is a new process. */
static void test_replacing_leaks_nothing(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct slot_request close_it = {.op = SLOT_CLOSE};
    pid_t warm = warm_of(getpid());
    unsigned ours = fds_of(getpid()), theirs = fds_of(warm);
    uint64_t begun_ms = clock_mono_ms();
    for (int i = 0; i < REPLACEMENTS; i++) {
        struct slot *slot = crew_take(crew, i % 2 == 0);
        assert_int_equal(ask(slot, close_it, -1, 0, PATIENT_MS, &heard), 0);
        slot_release(&slot);
    }
    print_message("order, fork, sandbox and first answer of a slot: %" PRIu64 " us\n",
                  (clock_mono_ms() - begun_ms) * 1000 / REPLACEMENTS);
    pump(crew, is_settled, &(struct fds){ours, theirs, warm});
    heard_clear(&heard);
}

struct tally {
    unsigned files, opened, read, lost;
};

static void tally_add(struct tally *tally, const char *name, const struct heard *heard)
{
    tally->lost += heard->lost;
    if (heard->lost)
        print_message("%s: %s\n", name, heard->err.text);
}

static void hostile_read(const char *path, const char *name, struct tally *tally)
{
    char file[800];
    struct heard heard = {0};
    snprintf(file, sizeof file, "%s/%s", path, name);
    AUTO(fd_destroy) int fd = open(file, O_RDONLY | O_CLOEXEC);
    struct slot *slot = crew_take(crew, false);
    assert_non_null(slot);
    int rc = ask_open(slot, fd, HOSTILE_MS, &heard);
    tally->files++;
    tally->opened += rc == 0;
    tally_add(tally, name, &heard);
    if (!rc) {
        tally->read += ask_page(slot, 1, HOSTILE_MS, &heard) == 0;
        tally_add(tally, name, &heard);
    }
    slot_release(&slot);
    heard_clear(&heard);
}

/* Whatever they do, every request ends, and the crew works on. */
static void test_hostile_documents(void **state)
{
    static const char *const set[] = {"hostile/qpdf", "hostile/horrors"};
    struct tally tally = {0};
    for (size_t i = 0; i < sizeof set / sizeof set[0]; i++) {
        char path[512];
        DIR *folder = data_folder(set[i], path);
        if (!folder)
            skip();
        for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
            if (entry->d_name[0] != '.')
                hostile_read(path, entry->d_name, &tally);
        closedir(folder);
    }
    print_message("%u hostile documents: %u opened, %u read, %u slots lost\n", tally.files, tally.opened, tally.read,
                  tally.lost);
    test_little_document(state);
}

/* ---- what a slot may not say ---- */

static int filled_out(uint64_t bytes)
{
    int out = -1;
    assert_int_equal(out_new(bytes, &out, NULL), 0);
    assert_int_equal(write(out, "result", 6), 6);
    return out;
}

static void test_nonsense_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t offset, bytes;
    } wrong[] = {
        {0,              4097          },
        {4097,           0             },
        {4096,           1             },
        {UINT64_MAX,     2             },
        {2,              UINT64_MAX    },
        {UINT64_MAX - 1, UINT64_MAX - 1}
    };
    struct slot_answer answer;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        AUTO(fd_destroy) int out = filled_out(4096);
        struct slot_reply reply = {
            .section[1] = {wrong[i].offset, wrong[i].bytes}
        };
        assert_int_equal(answer_fill(&answer, &reply, out, 4096, NULL), E_FRAME);
    }
    struct slot_reply unasked = {
        .section[0] = {0, 1}
    };
    assert_int_equal(answer_fill(&answer, &unasked, -1, 4096, NULL), E_FRAME);
    struct slot_reply code = {.code = 5}, unknown = {.code = -9999}, least = {.code = INT32_MIN};
    assert_int_equal(answer_fill(&answer, &code, -1, 0, NULL), E_FRAME);
    assert_int_equal(answer_fill(&answer, &unknown, -1, 0, NULL), E_FRAME);
    assert_int_equal(answer_fill(&answer, &least, -1, 0, NULL), E_FRAME);
}

/* What was checked can't be changed: a slot that keeps the file mapped is caught, one that keeps it open can't
 * write. */
static void test_results_are_frozen(void **state)
{
    (void)state;
    struct slot_answer answer;
    struct slot_reply reply = {
        .section[0] = {0, 6}
    };
    AUTO(fd_destroy) int out = filled_out(4096);
    void *held = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, out, 0);
    assert_int_equal(answer_fill(&answer, &reply, out, 4096, NULL), E_FRAME);
    munmap(held, 4096);
    assert_int_equal(answer_fill(&answer, &reply, out, 4096, NULL), 0);
    assert_int_equal(answer.section[0].bytes, 6);
    assert_memory_equal(answer.section[0].data, "result", 6);
    assert_int_equal(pwrite(out, "xx", 2, 0), -1);
    assert_int_equal(ftruncate(out, 0), -1);
    answer_release(&answer);
}

static void test_errors_are_tempered(void **state)
{
    (void)state;
    struct slot_answer answer;
    struct slot_reply reply = {.code = E_FENCED};
    memset(reply.err.text, '\xff', sizeof reply.err.text);
    reply.err.text[0] = '\n';
    assert_int_equal(answer_fill(&answer, &reply, -1, 0, NULL), 0);
    assert_int_equal(answer.rc, E_SLOT);
    assert_int_equal(strlen(answer.err.text), ERR_TEXT_BYTES - 1);
    assert_int_equal(strspn(answer.err.text, "?"), ERR_TEXT_BYTES - 1);
    reply.code = E_NOMEM;
    assert_int_equal(answer_fill(&answer, &reply, -1, 0, NULL), 0);
    assert_int_equal(answer.rc, E_MEMORY);
}

/* ---- crews of other kinds ---- */

static struct config *config_with(const char *setting, const char *other)
{
    struct config *made = NULL;
    struct err err;
    char *argv[] = {(char *)"crew_test", (char *)setting, (char *)other, NULL};
    if (config_load(FOR_WORKER, 1 + (setting != NULL) + (other != NULL), argv, &made, &err))
        fail_msg("%s", err.text);
    return made;
}

static void test_models_missing(void **state)
{
    (void)state;
    struct crew *none = NULL;
    uint8_t pipeline[SHA256_BYTES];
    struct err err = {0};
    AUTO(config_destroy) struct config *nowhere = config_with("--tessdata=/nowhere", NULL);
    assert_int_equal(crew_new(nowhere, 1, &none, pipeline, &err), E_MODEL);
    assert_null(none);
    assert_non_null(strstr(err.text, "/nowhere"));
}

/* After slot_max_pages pages a slot is another when it is released. */
static void test_old_slots_are_replaced(void **state)
{
    (void)state;
    uint8_t pipeline[SHA256_BYTES];
    struct err err;
    struct heard heard = {0};
    AUTO(config_destroy) struct config *brief = config_with("--slot_max_pages=2", NULL);
    crew_destroy(&crew);
    assert_int_equal(crew_new(brief, 1, &crew, pipeline, &err), 0);
    AUTO(fd_destroy) int fd = file_of(little_pdf, sizeof little_pdf - 1);
    struct slot *slot = crew_take(crew, false);
    assert_int_equal(ask_open(slot, fd, PATIENT_MS, &heard), 0);
    pid_t pid = the_slot();
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask_page(slot, 1, PATIENT_MS, &heard), 0);
    assert_int_equal(the_slot(), pid);
    slot_release(&slot);
    pump(crew, is_replaced, &pid);
    heard_clear(&heard);
}

/* A slot whose heap grew by more than slot_growth_bytes since its first page is another when it is released. */
static void test_grown_slots_are_replaced(void **state)
{
    (void)state;
#ifdef SOHOA_SANITIZED
    print_message("skipped: growth of slots: a real scan takes the sanitizers over a minute\n");
    skip();
#endif
    uint8_t pipeline[SHA256_BYTES];
    struct err err;
    struct heard heard = {0};
    AUTO(config_destroy) struct config *narrow = config_with("--slot_max_pages=1000", "--slot_growth_bytes=1048576");
    AUTO(fd_destroy) int large = scan_file("qn-18.pdf");
    if (large < 0)
        skip();
    crew_destroy(&crew);
    assert_int_equal(crew_new(narrow, 1, &crew, pipeline, &err), 0);
    AUTO(fd_destroy) int fd = file_of(little_pdf, sizeof little_pdf - 1);
    pid_t pid = the_slot();
    for (int i = 0; i < 3; i++) {
        struct slot *slot = crew_take(crew, false);
        assert_int_equal(ask_open(slot, fd, PATIENT_MS, &heard), 0);
        assert_int_equal(ask_page(slot, 1, PATIENT_MS, &heard), 0);
        slot_release(&slot);
        assert_int_equal(the_slot(), pid);
    }
    struct slot *slot = crew_take(crew, false);
    assert_int_equal(ask_open(slot, large, PATIENT_MS, &heard), 0);
    assert_int_equal(ask_page(slot, 1, PATIENT_MS, &heard), 0);
    slot_release(&slot);
    pump(crew, is_replaced, &pid);
    heard_clear(&heard);
}

/* What is built to recurse or to loop gets an error or an empty page, and costs no more than itself. */
static void test_deep_documents(void **state)
{
    (void)state;
    static const char head[] = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n";
    static const char page[] =
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 200]/Contents 4 0 R"
        "/Resources<</XObject<</X 5 0 R>>>>>>endobj\n4 0 obj<</Length 4>>stream\n/X Do\nendstream endobj\n"
        "5 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 400 200]/Resources<</XObject<</X 5 0 R>>>>"
        "/Length 5>>stream\n/X Do\nendstream endobj\n"; /* a form that draws itself */
    struct heard heard = {0};
    for (int kind = 0; kind < 4; kind++) {
        AUTO(buf_destroy) struct buf pdf = {0};
        buf_printf(&pdf, "%s2 0 obj<</Type/Pages/Kids[%s]/Count 1/X ", head, kind == 1 ? "2 0 R" : "3 0 R");
        for (int i = 0; kind >= 2 && i < 200000; i++)
            buf_puts(&pdf, kind == 2 ? "[" : "<</A");
        buf_printf(&pdf, "%s>>endobj\n%strailer<</Root 1 0 R>>\n%%%%EOF\n", kind < 2 ? "0" : "", page);
        AUTO(fd_destroy) int fd = file_of(pdf.data, pdf.size);
        struct slot *slot = crew_take(crew, false);
        int rc = ask_open(slot, fd, HOSTILE_MS * 5, &heard);
        if (!rc)
            rc = ask_page(slot, 1, HOSTILE_MS * 5, &heard);
        if (rc && (!heard.err.text[0] || err_class(rc) == ERR_FATAL))
            fail_msg("kind %d: %s", kind, err_name(rc));
        if (kind == 1)
            assert_int_equal(rc, E_SOURCE_BROKEN);
        slot_release(&slot);
    }
    heard_clear(&heard);
}

static void test_memory_limit(void **state)
{
    (void)state;
#ifdef SOHOA_SANITIZED
    print_message("no address space limit under a sanitizer\n");
    skip();
#endif
    uint8_t pipeline[SHA256_BYTES];
    struct err err;
    struct heard heard = {0};
    AUTO(config_destroy)
    struct config *tight = config_with("--slot_max_bytes=268435456", "--page_max_pixels=1000000000");
    crew_destroy(&crew);
    assert_int_equal(crew_new(tight, 1, &crew, pipeline, &err), 0);
    AUTO(fd_destroy) int fd = file_of(giant_pdf, sizeof giant_pdf - 1);
    struct slot *slot = crew_take(crew, false);
    assert_int_equal(ask_open(slot, fd, PATIENT_MS, &heard), 0);
    pid_t pid = the_slot();
    assert_int_equal(ask_page(slot, 1, PATIENT_MS, &heard), E_MEMORY);
    assert_non_null(strstr(heard.err.text, "memory limit 268435456 bytes (slot_max_bytes)"));
    assert_int_equal(heard.err.page_no, 1);
    slot_release(&slot);
    pump(crew, is_replaced, &pid);
    heard_clear(&heard);
}

static void test_a_slot_is_kept_for_views(void **state)
{
    (void)state;
    struct slot *slot = crew_take(crew, false);
    assert_non_null(slot);
    assert_null(crew_take(crew, false));
    for (int i = 0; i < 2; i++) { /* the first one starts its process */
        struct heard heard = {0};
        AUTO(fd_destroy) int fd = file_of(little_pdf, sizeof little_pdf - 1);
        struct slot *view = crew_take_view(crew);
        assert_non_null(view);
        assert_null(crew_take_view(crew));
        assert_int_equal(crew_busy(crew), 1);
        assert_int_equal(ask_open(view, fd, PATIENT_MS, &heard), 0);
        heard_clear(&heard);
        slot_release(&view);
    }
    slot_release(&slot);
}

static void test_warm_process_dies(void **state)
{
    (void)state;
    uint64_t end_ms = clock_mono_ms() + WAIT_MS;
    struct err err;
    kill(warm_of(getpid()), SIGKILL);
    int rc = 0;
    while (!rc && clock_mono_ms() < end_ms) {
        struct pollfd ready = {.fd = crew_fd(crew), .events = POLLIN};
        poll(&ready, 1, 100);
        rc = crew_dispatch(crew, &err);
    }
    assert_int_equal(rc, E_MODEL);
    assert_non_null(strstr(err.text, "SIGKILL"));
    assert_null(crew_take(crew, false));
    crew_destroy(&crew);
    pid_t child[1];
    assert_int_equal(children_of(getpid(), child, 1), 0);
}

/* A process that owns a crew with a slot at work, until it is killed. */
static _Noreturn void own_crew(int ready)
{
    struct crew *own = NULL;
    struct err err;
    uint8_t pipeline[SHA256_BYTES];
    struct heard heard = {0};
    if (crew_new(config, 3, &own, pipeline, &err))
        _exit(EXIT_FAILURE);
    crew = own;
    struct slot *slot = crew_take(own, false);
    ask_open(slot, endless_file(), PATIENT_MS, &heard);
    slot_send(slot, &(struct slot_request){.op = SLOT_PAGE, .page_no = 1}, -1, OUT_BYTES, PATIENT_MS, ended, &heard);
    if (write(ready, "", 1) != 1)
        _exit(EXIT_FAILURE);
    for (;;)
        pause();
}

/* This process adopts what its child leaves behind, so it sees every one of them die. */
static void test_nothing_survives_the_owner(void **state)
{
    (void)state;
    int ready[2];
    char byte;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t owner = fork();
    if (owner == 0)
        own_crew(ready[1]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    pid_t slot[4], warm = warm_of(owner);
    assert_int_equal(children_of(warm, slot, 4), 3);
    kill(slot[1], SIGSTOP);
    kill(owner, SIGKILL);
    alarm(WAIT_MS / 1000); /* ends a wait in vain */
    while (wait(NULL) > 0)
        ;
    alarm(0);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(kill(warm, 0), -1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(kill(slot[i], 0), -1);
}

static int crew_start(void **state)
{
    (void)state;
    uint8_t pipeline[SHA256_BYTES];
    struct err err;
    config = config_with(NULL, NULL);
    uint64_t begun_ms = clock_mono_ms();
    if (crew_new(config, 1, &crew, pipeline, &err)) {
        print_message("%s\n", err.text);
        return 1;
    }
    print_message("crew_new: %" PRIu64 " ms\n", clock_mono_ms() - begun_ms);
    return 0;
}

static int crew_end(void **state)
{
    (void)state;
    crew_destroy(&crew);
    config_destroy(&config);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_little_document),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_view_of_a_scan),
        cmocka_unit_test(test_errors_of_the_slot),
        cmocka_unit_test(test_input_is_the_callers),
        cmocka_unit_test(test_release_forgets),
        cmocka_unit_test(test_time_limit),
        cmocka_unit_test(test_death_in_a_page),
        cmocka_unit_test(test_stopped_in_a_page),
        cmocka_unit_test(test_death_between_requests),
        cmocka_unit_test(test_release_while_running),
        cmocka_unit_test(test_signals_of_a_terminal),
        cmocka_unit_test(test_replacing_leaks_nothing),
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_hostile_documents),
        cmocka_unit_test(test_deep_documents),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_results_are_frozen),
        cmocka_unit_test(test_errors_are_tempered),
        cmocka_unit_test(test_old_slots_are_replaced),
        cmocka_unit_test(test_grown_slots_are_replaced),
        cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_a_slot_is_kept_for_views),
        cmocka_unit_test(test_warm_process_dies),
        cmocka_unit_test(test_models_missing),
        cmocka_unit_test(test_nothing_survives_the_owner),
    };
    return cmocka_run_group_tests(tests, crew_start, crew_end);
}
