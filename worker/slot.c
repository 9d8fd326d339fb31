/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A slot's own loop: requests in, pages and documents out. Runs behind the walls of sandbox.c, in a process of its own
 * which may be killed at any moment and keeps nothing. */
#include "worker/slot.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proto/auto.h"
#include "proto/buf.h"
#include "proto/clock.h"
#include "worker/alto.h"
#include "worker/describe.h"
#include "worker/gist.h"
#include "worker/packet.h"
#include "worker/page.h"
#include "worker/pdf.h"
#include "worker/raster.h"
#include "worker/reading.h"
#include "worker/render.h"
#include "worker/secrecy.h"

struct desk {
    int socket;
    struct render *render;
    struct reader *reader;
    int source; /* the open document's file, -1: none */
};

/* One request while it is worked on. */
struct task {
    const struct slot_order *order;
    int in, out; /* files that came along, -1: none */
    uint64_t out_bytes;
    struct slot_reply reply;
};

static void page_free(Sohoa__Page **page)
{
    if (*page)
        page_destroy(page);
}

static void probe_free(Sohoa__Probe **probe)
{
    if (*probe)
        sohoa__probe__free_unpacked(*probe, NULL);
}

static int section_write(struct task *task, unsigned section, const struct buf *data, struct err *err)
{
    if (data->size > task->order->out_max_bytes - task->out_bytes)
        return err_set(err, E_LIMIT, "the result takes more than %" PRIu64 " bytes", task->order->out_max_bytes);
    for (size_t at = 0; at < data->size;) {
        ssize_t n = write(task->out, data->data + at, data->size - at);
        if (n < 0 && errno != EINTR)
            return err_errno(err, E_IO, "writing the result");
        at += n > 0 ? (size_t)n : 0;
    }
    task->reply.section[section].offset = task->out_bytes;
    task->reply.section[section].bytes = data->size;
    task->out_bytes += data->size;
    return 0;
}

static void desk_close(struct desk *desk)
{
    if (desk->source < 0)
        return;
    render_close(desk->render);
    fd_destroy(&desk->source);
    malloc_trim(0);
}

static int source_open(struct desk *desk, struct task *task, struct err *err)
{
    AUTO(probe_free) Sohoa__Probe *probe = NULL;
    AUTO(buf_destroy) struct buf packed = {0};
    desk_close(desk);
    desk->source = task->in;
    task->in = -1;
    int rc = render_open(desk->render, desk->source, task->order->request.source_bytes, err);
    if (!rc)
        rc = render_probe(desk->render, &probe, err);
    if (!rc) {
        size_t bytes = sohoa__probe__get_packed_size(probe);
        packed.size = sohoa__probe__pack(probe, buf_reserve(&packed, bytes));
        rc = section_write(task, 0, &packed, err);
    }
    if (rc)
        desk_close(desk);
    return rc;
}

/* As it is seen, annotations included; only_noted: if it has any. */
static int page_look(struct desk *desk, bool only_noted, Sohoa__Page *page, struct err *err)
{
    AUTO(raster_destroy) struct raster *seen = NULL;
    int rc = render_seen(desk->render, page->page_no, only_noted, page, &seen, err);
    return rc || !seen ? rc : secrecy_look(seen, page, err);
}

/* By the picture before it is cleaned of red; what lies over it, and pages that are no picture, as they are seen. */
static int page_inspect(struct desk *desk, const struct raster *raster, Sohoa__Page *page, struct err *err)
{
    int rc = raster ? secrecy_look(raster, page, err) : 0;
    return rc ? rc : page_look(desk, raster != NULL, page, err);
}

static int page_make(struct desk *desk, struct task *task, struct err *err)
{
    const struct slot_request *request = &task->order->request;
    AUTO(page_free) Sohoa__Page *page = page_new(request->page_no);
    AUTO(page_free) Sohoa__Page *layer = page_new(request->page_no);
    AUTO(raster_destroy) struct raster *raster = NULL;
    AUTO(buf_destroy) struct buf packed = {0};
    if (desk->source < 0)
        return err_set(err, E_STATE, "no document is open");
    int rc = render_page(desk->render, request->page_no, request->degraded, page, layer, &raster, err);
    if (!rc)
        rc = page_inspect(desk, raster, page, err);
    if (!rc && raster)
        rc = page_read(desk->reader, &raster, request->degraded, layer, page, err);
    if (rc)
        return rc;
    secrecy_words(page);
    page_pack(page, &packed);
    return section_write(task, 0, &packed, err);
}

static int page_glance(struct desk *desk, struct task *task, struct err *err)
{
    AUTO(page_free) Sohoa__Page *page = page_new(task->order->request.page_no);
    AUTO(buf_destroy) struct buf packed = {0};
    if (desk->source < 0)
        return err_set(err, E_STATE, "no document is open");
    int rc = page_look(desk, false, page, err);
    if (rc)
        return rc;
    page_pack(page, &packed);
    return section_write(task, 0, &packed, err);
}

static int page_show(struct desk *desk, struct task *task, struct err *err)
{
    const struct slot_request *request = &task->order->request;
    AUTO(buf_destroy) struct buf picture = {0};
    if (desk->source < 0)
        return err_set(err, E_STATE, "no document is open");
    int rc = render_show(desk->render, request->page_no, request->rotation_deg, request->width_px, &picture, err);
    return rc ? rc : section_write(task, 0, &picture, err);
}

struct row {
    Sohoa__Page *page[DOC_MAX_PAGES];
    uint32_t pages;
};

static void row_destroy(struct row **row)
{
    for (uint32_t i = 0; *row && i < (*row)->pages; i++)
        page_destroy(&(*row)->page[i]);
    mem_destroy(row);
}

static int row_add(const void *packed, size_t bytes, void *user, struct err *err)
{
    struct row *row = user;
    if (row->pages == DOC_MAX_PAGES)
        return err_set(err, E_LIMIT, "more than %d pages", DOC_MAX_PAGES);
    int rc = page_unpack(packed, bytes, &row->page[row->pages], err);
    row->pages += rc == 0;
    return rc;
}

static int row_load(int file, struct row *row, struct err *err)
{
    off_t bytes = lseek(file, 0, SEEK_END);
    if (bytes <= 0)
        return err_set(err, E_ASSEMBLE, "there are no pages");
    void *data = mmap(NULL, (size_t)bytes, PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED)
        return err_errno(err, errno == ENOMEM ? E_MEMORY : E_IO, "mapping %jd bytes of pages", (intmax_t)bytes);
    int rc = pages_each(data, (size_t)bytes, row_add, row, err);
    munmap(data, (size_t)bytes);
    return rc;
}

static int description_write(struct task *task, const Sohoa__Description *description, struct err *err)
{
    AUTO(buf_destroy) struct buf packed = {0};
    description_pack(description, &packed);
    return section_write(task, 4, &packed, err);
}

static int sketch_write(struct task *task, const struct row *row, uint32_t key, struct err *err)
{
    AUTO(buf_destroy) struct buf packed = {0};
    struct sketch sketch;
    gist_of(row->page, row->pages, &sketch);
    sketch.key = key;
    sketch_pack(&sketch, &packed);
    return section_write(task, 5, &packed, err);
}

/* One output after the other, so that only one is in memory at a time. */
static int document_write(struct desk *desk, struct task *task, struct row *row, struct err *err)
{
    const struct slot_request *request = &task->order->request;
    AUTO(buf_destroy) struct buf part = {0};
    struct pdf_said said = {0};
    int rc = pdf_assemble(desk->render, row->page, row->pages, request->sha256, request->pipeline,
                          (enum pdfa)request->pdfa, &part, &said, err);
    if (!rc)
        rc = section_write(task, 0, &part, err);
    buf_destroy(&part);
    if (!rc)
        rc = alto_write(row->page, row->pages, request->sha256, request->pipeline, &part, err);
    if (!rc)
        rc = section_write(task, 1, &part, err);
    buf_clear(&part);
    if (rc)
        return rc;
    text_write(row->page, row->pages, &part);
    rc = section_write(task, 2, &part, err);
    buf_clear(&part);
    buf_printf(&part, "%s\n%" PRIu32 "\n%s", pdfa_name(said.level), said.layers_left, said.why);
    if (!rc)
        rc = section_write(task, 3, &part, err);
    AUTO(description_destroy) Sohoa__Description *description = describe(row->page, row->pages);
    if (!rc)
        rc = description_write(task, description, err);
    return rc ? rc : sketch_write(task, row, describe_key(description), err);
}

static int document_assemble(struct desk *desk, struct task *task, struct err *err)
{
    AUTO(row_destroy) struct row *row = calloc(1, sizeof *row);
    if (!row)
        return err_set(err, E_MEMORY, "no memory for the list of pages");
    if (desk->source < 0)
        return err_set(err, E_STATE, "no document is open");
    int rc = row_load(task->in, row, err);
    return rc ? rc : document_write(desk, task, row, err);
}

static int task_run(struct desk *desk, struct task *task, struct err *err)
{
    switch (task->order->request.op) {
    case SLOT_OPEN: return source_open(desk, task, err);
    case SLOT_PAGE: return page_make(desk, task, err);
    case SLOT_ASSEMBLE: return document_assemble(desk, task, err);
    case SLOT_VIEW: return page_show(desk, task, err);
    case SLOT_LOOK: return page_glance(desk, task, err);
    case SLOT_CLOSE: desk_close(desk); return 0;
    default: return err_set(err, E_USAGE, "there is no request %u", task->order->request.op);
    }
}

static uint64_t heap_bytes(void)
{
    struct mallinfo2 heap = mallinfo2();
    return heap.arena + heap.hblkhd;
}

/* Libraries that were refused memory tend to call the document broken. */
static void memory_blame(struct slot_reply *reply)
{
    struct err said = reply->err;
    if (reply->code && err_class(reply->code) == ERR_POISON)
        reply->code = err_set(&reply->err, E_MEMORY, "%s", said.text);
}

static void task_serve(struct desk *desk, struct task *task)
{
    uint64_t cpu_ms = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
    errno = 0; /* ENOMEM in it at the end, or in a crash, tells that memory was refused */
    struct slot_reply *reply = &task->reply;
    reply->code = task_run(desk, task, &reply->err);
    if (errno == ENOMEM)
        memory_blame(reply);
    if (reply->code)
        for (int i = 0; i < SLOT_SECTIONS; i++)
            reply->section[i].offset = reply->section[i].bytes = 0;
    reply->cpu_ms = (uint32_t)(clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu_ms);
    reply->rss_bytes = heap_bytes();
}

/* The files are closed first: once a reply is out, the supervisor alone holds the out file. */
static void reply_send(const struct desk *desk, struct task *task)
{
    fd_destroy(&task->in);
    fd_destroy(&task->out);
    if (write(desk->socket, &task->reply, sizeof task->reply) != (ssize_t)sizeof task->reply)
        _exit(EXIT_FAILURE);
}

static void desk_serve(struct desk *desk)
{
    for (;;) {
        struct slot_order order;
        int fd[PACKET_MAX_FDS];
        ssize_t n = packet_receive(desk->socket, &order, sizeof order, fd);
        if (n == 0)
            return;
        if (n != (ssize_t)sizeof order)
            _exit(EXIT_FAILURE);
        struct task task = {.order = &order, .out = fd[0], .in = fd[1]};
        task_serve(desk, &task);
        reply_send(desk, &task);
    }
}

_Noreturn void slot_run(int socket, const struct slot_reply *hello, struct render *render, struct reader *reader)
{
    struct desk desk = {.socket = socket, .render = render, .reader = reader, .source = -1};
    struct slot_reply first = *hello;
    first.rss_bytes = heap_bytes();
    if (write(socket, &first, sizeof first) != (ssize_t)sizeof first || first.code)
        _exit(EXIT_FAILURE);
    desk_serve(&desk);
    _exit(EXIT_SUCCESS);
}
