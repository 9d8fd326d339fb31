/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/api_package.h"

#include <string.h>

#include "coordinator/api_body.h"
#include "coordinator/packages.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"

enum { LISTED_PRESET = 100, LISTED_MOST = 1000, NAME_CHARS = 512 };

static json_t *packaged_json(const struct coordinator *c, const struct packaged *it)
{
    char sha256[SHA256_HEX_CHARS + 1];
    sha256_hex(it->sha256, sha256);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s}", "batch", c->backlog->batch[it->batch]->id,
                     "file", it->file, "profile", it->profile, "package", it->package, "sha256", sha256, "bytes",
                     (json_int_t)it->bytes, "documents", (json_int_t)it->documents, "pages", (json_int_t)it->pages,
                     "time_ms", (json_int_t)it->time_ms, "actor", it->actor);
}

/* All documents of the batch are the account's to see. */
static bool may_see(const struct coordinator *c, struct request *request, uint32_t batch)
{
    struct err err;
    return !account_may_see(request_account(request), c->backlog->batch[batch], &err);
}

void get_packages(struct coordinator *c, struct request *request, const struct route_args *args)
{
    const char *batch = request_argument(request, "batch");
    uint32_t limit = LISTED_PRESET, after = NONE;
    const struct packaged *it;
    struct err err;
    (void)args;
    int rc = number_argument(request, "limit", LISTED_MOST, &limit, &err);
    if (!rc)
        rc = number_argument(request, "after", NONE - 1, &after, &err);
    if (rc) {
        request_answer_err(request, &err);
        return;
    }
    json_t *list = json_array();
    size_t n = after == NONE ? 0 : (size_t)after + 1;
    limit += limit == 0;
    for (; (it = packages_nth(c->packages, n)) && json_array_size(list) < limit; n++)
        if ((!batch || !*batch || !strcmp(batch, c->backlog->batch[it->batch]->id)) && may_see(c, request, it->batch))
            json_array_append_new(list, packaged_json(c, it));
    request_answer(
        request, 200,
        json_pack("{s:o, s:o}", "packages", list, "next", it ? json_integer((json_int_t)n - 1) : json_null()));
}

static int said_check(const json_t *body, uint8_t sha256[SHA256_BYTES], struct err *err)
{
    static const char *const texts[] = {"file", "profile", "package", "sha256"}, *const numbers[] = {
                                                                                     "bytes", "documents", "pages"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *text = json_string_value(json_object_get(body, texts[i]));
        if (!text || strlen(text) > NAME_CHARS)
            return err_set(err, E_USAGE, "%s is a text of at most %d bytes", texts[i], NAME_CHARS);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const json_t *number = json_object_get(body, numbers[i]);
        if (!json_is_integer(number) || json_integer_value(number) < 0)
            return err_set(err, E_USAGE, "%s is a number", numbers[i]);
    }
    return sha256_unhex(json_string_value(json_object_get(body, "sha256")), sha256)
               ? 0
               : err_set(err, E_USAGE, "sha256 is 64 hexadecimal digits");
}

static char *text_of(const json_t *body, const char *key)
{
    return (char *)(uintptr_t)json_string_value(json_object_get(body, key));
}

static uint64_t number_of(const json_t *body, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(body, key));
}

static void packaged_enter(struct coordinator *c, const struct batch *batch, const json_t *body, uint8_t *sha256,
                           const char *actor)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Packaged said = SOHOA__PACKAGED__INIT;
    said.batch = (char *)(uintptr_t)batch->id;
    said.file = text_of(body, "file");
    said.profile = text_of(body, "profile");
    said.package = text_of(body, "package");
    said.sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha256};
    said.bytes = number_of(body, "bytes");
    said.documents = (uint32_t)number_of(body, "documents");
    said.pages = (uint32_t)number_of(body, "pages");
    entry.actor = (char *)(uintptr_t)actor;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_PACKAGED;
    entry.packaged = &said;
    packages_add(c->packages, c->backlog, &entry, clock_wall_ms());
    group_add_entry(c->group, &entry);
    trace(TRACE_INFO, "packaged", "batch=%s documents=%u pages=%u", batch->id, said.documents, said.pages);
}

void post_package(struct coordinator *c, struct request *request, const struct route_args *args)
{
    static const char *const known[] = {"file", "profile", "package", "sha256", "bytes", "documents", "pages", NULL};
    AUTO(json_drop) json_t *body = NULL;
    uint8_t sha256[SHA256_BYTES];
    struct err err;
    int rc = body_take(request, &body, &err);
    if (!rc)
        rc = keys_check(body, known, "a package", &err);
    if (!rc)
        rc = said_check(body, sha256, &err);
    if (rc) {
        request_answer_err(request, &err);
        return;
    }
    if (!packages_has(c->packages, args->batch->index, text_of(body, "package"), sha256))
        packaged_enter(c, args->batch, body, sha256, request_account(request)->name);
    answer_then(c, request, json_pack("{s:s}", "package", text_of(body, "package")));
}
