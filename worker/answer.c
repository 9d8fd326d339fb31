/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "worker/answer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "proto/auto.h"

int out_new(uint64_t bytes, int *ret_out, struct err *err)
{
    AUTO(fd_destroy) int out = memfd_create("sohoa-out", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (out < 0)
        return err_errno(err, E_IO, "memfd_create");
    if (ftruncate(out, (off_t)bytes) || fcntl(out, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK))
        return err_errno(err, E_IO, "a memory file of %" PRIu64 " bytes", bytes);
    *ret_out = out;
    out = -1;
    return 0;
}

/* One line of ASCII: what a slot says goes to logs and over the wire, and may quote the document's bytes. */
static void text_take(char to[ERR_TEXT_BYTES], const char from[ERR_TEXT_BYTES])
{
    size_t n = strnlen(from, ERR_TEXT_BYTES - 1);
    for (size_t i = 0; i < n; i++)
        to[i] = from[i] >= ' ' && from[i] < 0x7f ? from[i] : '?';
    to[n] = '\0';
}

/* A slot has no say over the worker: what is fatal to it is a failed attempt to others. */
static int code_temper(int code)
{
    if (code == E_NOMEM)
        return E_MEMORY;
    return err_class(code) == ERR_FATAL ? E_SLOT : code;
}

static int error_fill(struct slot_answer *answer, const struct slot_reply *reply, struct err *err)
{
    char text[ERR_TEXT_BYTES];
    if (reply->code > 0 || !strcmp(err_name(reply->code), "E_?"))
        return err_set(err, E_FRAME, "the slot answered with code %d", reply->code);
    text_take(text, reply->err.text);
    answer->rc = err_set(&answer->err, code_temper(reply->code), "%s", text);
    return 0;
}

/* All sections must lie within the file; *ret_end is where the last one ends. */
static int sections_check(const struct slot_reply *reply, uint64_t out_max_bytes, uint64_t *ret_end, struct err *err)
{
    uint64_t end = 0;
    for (int i = 0; i < SLOT_SECTIONS; i++) {
        uint64_t offset = reply->section[i].offset, bytes = reply->section[i].bytes;
        if (offset > out_max_bytes || bytes > out_max_bytes - offset)
            return err_set(err, E_FRAME, "the slot answered with %" PRIu64 " bytes at %" PRIu64 " of %" PRIu64, bytes,
                           offset, out_max_bytes);
        if (bytes && offset + bytes > end)
            end = offset + bytes;
    }
    *ret_end = end;
    return 0;
}

/* Sealing fails where the slot has mapped the file to write to it later. */
static int out_map(int out, uint64_t bytes, const uint8_t **ret_data, struct err *err)
{
    if (fcntl(out, F_ADD_SEALS, F_SEAL_WRITE))
        return err_errno(err, E_FRAME, "the slot holds on to its out file");
    void *data = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, out, 0);
    if (data == MAP_FAILED)
        return err_errno(err, E_IO, "mapping %" PRIu64 " bytes of a result", bytes);
    *ret_data = data;
    return 0;
}

int answer_fill(struct slot_answer *answer, const struct slot_reply *reply, int out, uint64_t out_max_bytes,
                struct err *err)
{
    uint64_t end = 0;
    *answer = (struct slot_answer){.cpu_ms = reply->cpu_ms, .rss_bytes = reply->rss_bytes};
    if (reply->code)
        return error_fill(answer, reply, err);
    int rc = sections_check(reply, out < 0 ? 0 : out_max_bytes, &end, err);
    if (!rc && end)
        rc = out_map(out, end, &answer->out.data, err);
    if (rc || !end)
        return rc;
    answer->out.bytes = end;
    for (int i = 0; i < SLOT_SECTIONS; i++) {
        answer->section[i].bytes = reply->section[i].bytes;
        answer->section[i].data = reply->section[i].bytes ? answer->out.data + reply->section[i].offset : NULL;
    }
    return 0;
}

void answer_release(struct slot_answer *answer)
{
    if (answer->out.data)
        munmap((void *)answer->out.data, answer->out.bytes);
    *answer = (struct slot_answer){0};
}

static const char *signal_meaning(int number)
{
    switch (number) {
    case SIGSYS: return " (a system call that slots may not make)";
    case SIGABRT: return " (a library gave up)";
    case SIGKILL: return " (killed from outside, or out of memory on this host)";
    default: return "";
    }
}

const char *death_text(int code, int status)
{
    static char text[96];
    const char *name = sigabbrev_np(status);
    if (code == CLD_EXITED)
        snprintf(text, sizeof text, "exit %d", status);
    else if (name)
        snprintf(text, sizeof text, "SIG%s%s", name, signal_meaning(status));
    else
        snprintf(text, sizeof text, "signal %d", status);
    return text;
}
