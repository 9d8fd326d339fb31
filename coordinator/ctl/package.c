/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Packs a batch for hand-over, a package a file (hồ sơ). Of each document only its number and its file are kept in memory. A file with
 * findings is not packed, the others are. What is there already, under the name that its content gives it, is passed over. */
#include "coordinator/ctl/package.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/csv.h"
#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "coordinator/ctl/bar.h"
#include "coordinator/ctl/export.h"
#include "coordinator/ctl/interrupt.h"
#include "coordinator/ctl/outcome.h"
#include "coordinator/ctl/table.h"
#include "coordinator/package/check.h"
#include "coordinator/package/pack.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/limits.h"
#include "proto/sha256.h"

enum { RECORD_BYTES = 256 << 20, FILES_CSV_BYTES = 64 << 20, STEP_BYTES = 1 << 16, FINDINGS_SHOWN = 1000 };

struct filed {     /* a document */
    uint64_t file; /* key; 0: none */
    uint32_t doc, pages;
    uint8_t state; /* enum doc_state */
};

struct package {
    struct ctl *ctl;
    const char *batch, *out, *profile_name, *files_csv, *accept, *only;
    struct texts set;
    bool unreviewed, dry;
    const struct profile *profile;
    struct values_rules rules;
    struct api *api;
    int out_fd;
    struct filed *filed;
    size_t count;
    struct bar bar;
    struct bar_state shown;
    json_t *packages, *findings;
    size_t kept, duplicates;
};

static void package_destroy(struct package *p)
{
    json_decref((json_t *)(uintptr_t)p->rules.set);
    json_decref((json_t *)(uintptr_t)p->rules.files);
    json_decref((json_t *)(uintptr_t)p->rules.accepted);
    json_decref(p->packages);
    json_decref(p->findings);
    texts_destroy(&p->set);
    api_destroy(&p->api);
    free(p->filed);
    fd_destroy(&p->out_fd);
}

/* ---- what is asked ---- */

static int set_take(struct package *p, struct err *err)
{
    json_t *set = json_object();
    p->rules.set = set;
    for (size_t i = 0; i < p->set.count; i++) {
        const char *text = p->set.item[i], *sign = strchr(text, '=');
        AUTO(mem_destroy) char *field = sign ? strndup(text, (size_t)(sign - text)) : NULL;
        if (!field ||
            (!profile_field(p->profile, PROFILE_FILE, field) && !profile_field(p->profile, PROFILE_DOCUMENT, field)))
            return err_set(err, E_USAGE, "--set '%.60s': FIELD=VALUE, of a field of %s", text, p->profile->name);
        if (json_object_set_new(set, field, json_string(sign + 1)))
            return err_set(err, E_USAGE, "--set %s is not UTF-8", field);
    }
    return 0;
}

static int accept_take(struct package *p, struct err *err)
{
    static const char *const known[] = {"maintenance", "format", "keyword", "riskRecovery"};
    json_t *accepted = json_array();
    p->rules.accepted = accepted;
    for (const char *at = p->accept; at && *at;) {
        size_t n = strcspn(at, ","), i = 0;
        while (i < sizeof known / sizeof known[0] && (strlen(known[i]) != n || strncmp(at, known[i], n)))
            i++;
        if (i == sizeof known / sizeof known[0])
            return err_set(err, E_USAGE, "--accept-proposals %.40s: maintenance, format, keyword or riskRecovery", at);
        json_array_append_new(accepted, json_string(known[i]));
        at += n + (at[n] == ',');
    }
    return 0;
}

static int on_file_row(json_t *row, uint64_t line_no, void *user, struct err *err)
{
    json_t *files = user;
    const char *code = json_string_value(json_object_get(row, "file_code"));
    if (!code)
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": file_code is missing", line_no);
    AUTO(json_drop) json_t *fields = json_copy(row);
    json_object_del(fields, "file_code");
    json_object_set(files, code, fields);
    return 0;
}

static int files_take(struct package *p, struct err *err)
{
    AUTO(buf_destroy) struct buf text = {0};
    json_t *files = json_object();
    p->rules.files = files;
    if (!p->files_csv)
        return 0;
    int rc = csv_file(p->files_csv, FILES_CSV_BYTES, &text, err);
    struct err why;
    if (!rc && (rc = csv_read(buf_text(&text), text.size, "file_code", on_file_row, files, &why)))
        err_set(err, rc, "%s: %s", p->files_csv, why.text);
    return rc;
}

static int profile_take(struct package *p, struct err *err)
{
    p->profile = p->profile_name ? profile_named(p->profile_name) : NULL;
    if (!p->profile || !strcmp(p->profile->name, "02-2019"))
        return err_set(err, E_USAGE, "--profile aip-05-2025 or sip-05-2025, not '%.40s'",
                       p->profile_name ? p->profile_name : "");
    int rc = set_take(p, err);
    if (!rc)
        rc = accept_take(p, err);
    return rc ? rc : files_take(p, err);
}

/* ---- documents by file ---- */

static int by_file(const void *a, const void *b)
{
    const struct filed *x = a, *y = b;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    return x->doc < y->doc ? -1 : x->doc > y->doc;
}

static uint8_t state_of(const json_t *row)
{
    const char *name = cell_text(row, "state");
    int state = 0;
    while (state < DOC_STATES && strcmp(doc_state_name((enum doc_state)state), name))
        state++;
    return (uint8_t)state;
}

static void rows_add(struct package *p, const json_t *rows)
{
    size_t i;
    json_t *row;
    p->filed = realloc(p->filed, (p->count + json_array_size(rows) + 1) * sizeof *p->filed);
    if (!p->filed)
        abort();
    json_array_foreach(rows, i, row)
    {
        const char *file = json_string_value(json_object_get(row, "file"));
        p->filed[p->count++] = (struct filed){.file = file ? strtoull(file, NULL, 16) : 0,
                                              .doc = (uint32_t)cell_number(row, "document"),
                                              .pages = (uint32_t)cell_number(row, "pages"),
                                              .state = state_of(row)};
    }
}

static int documents_load(struct package *p, struct err *err)
{
    json_int_t after = -1;
    int rc = 0;
    do {
        AUTO(buf_destroy) struct buf path = {0};
        AUTO(json_drop) json_t *answer = NULL;
        batch_path(&path, p->batch, "/documents?limit=1000");
        if (after >= 0)
            buf_printf(&path, "&after=%" JSON_INTEGER_FORMAT, after);
        rc = api_get(p->api, buf_text(&path), &answer, err);
        if (rc)
            return rc;
        rows_add(p, json_object_get(answer, "documents"));
        const json_t *next = json_object_get(answer, "next");
        after = json_is_integer(next) ? json_integer_value(next) : -1;
    } while (after >= 0);
    qsort(p->filed, p->count, sizeof *p->filed, by_file);
    for (size_t i = 0; i < p->count; i++) {
        p->shown.docs++;
        p->shown.pages += p->filed[i].pages;
    }
    return rc;
}

static int review_check(struct package *p, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    AUTO(json_drop) json_t *review = NULL;
    int rc = api_get(p->api, batch_path(&path, p->batch, "/review"), &review, err);
    if (rc)
        return rc;
    const char *state = cell_text(review, "state");
    if (!strcmp(state, "accepted"))
        p->unreviewed = false;
    else if (!p->unreviewed)
        return err_set(err, E_STATE,
                       "the review of batch %s is '%s', not accepted: accept it (sohoa review), or say --unreviewed",
                       p->batch, state);
    return 0;
}

/* ---- a file ---- */

struct filing {
    struct package *package;
    const char *code; /* "": not known yet */
    json_t *findings; /* of this file */
};

static void on_found(uint32_t doc, const char *field, const char *why, void *user)
{
    struct filing *filing = user;
    json_array_append_new(filing->findings,
                          json_pack("{s:o, s:s, s:s}", "document", doc == PACK_FILE ? json_null() : json_integer(doc),
                                    "field", field, "why", why));
}

static int fetch_record(uint32_t doc, json_t **ret_record, void *user, struct err *err)
{
    const struct filing *filing = user;
    AUTO(buf_destroy) struct buf path = {0};
    AUTO(buf_destroy) struct buf text = {0};
    char rest[64];
    if (interrupt_seen())
        return err_set(err, E_STATE, "interrupted; run the same command again to go on");
    snprintf(rest, sizeof rest, "/documents/%" PRIu32 "/record", doc);
    int rc = api_load(filing->package->api, batch_path(&path, filing->package->batch, rest), RECORD_BYTES, &text, err);
    if (rc)
        return rc;
    *ret_record = json_loadb(buf_text(&text), text.size, 0, NULL);
    return *ret_record ? 0 : err_set(err, E_VERSION, "document %" PRIu32 ": its record is no JSON", doc);
}

static int fetch_pdf(uint32_t doc, int fd, void *user, struct err *err)
{
    const struct filing *filing = user;
    AUTO(buf_destroy) struct buf path = {0};
    char rest[64];
    snprintf(rest, sizeof rest, "/documents/%" PRIu32 "/pdf", doc);
    return api_save(filing->package->api, batch_path(&path, filing->package->batch, rest), fd, err);
}

static void on_packed(uint32_t doc, void *user)
{
    struct package *p = ((struct filing *)user)->package;
    (void)doc;
    p->shown.docs_done++;
    bar_show(&p->bar, &p->shown, clock_mono_ms());
}

static int hash_of(int fd, uint64_t *ret_bytes, char hex[SHA256_HEX_CHARS + 1], struct err *err)
{
    AUTO(sha256_destroy) struct sha256 *hash = sha256_new();
    AUTO(mem_destroy) uint8_t *step = malloc(STEP_BYTES);
    uint8_t digest[SHA256_BYTES];
    ssize_t n;
    *ret_bytes = 0;
    if (!step)
        abort();
    for (off_t at = 0; (n = pread(fd, step, STEP_BYTES, at)) > 0; at += n) {
        sha256_update(hash, step, (size_t)n);
        *ret_bytes += (uint64_t)n;
    }
    sha256_final(hash, digest);
    sha256_hex(digest, hex);
    return n < 0 ? err_errno(err, E_IO, "reading a package") : 0;
}

/* The package is there, and the hash beside it is its own. */
static bool is_there(const struct package *p, const char *zip, const char *beside, uint64_t *ret_bytes,
                     char hex[SHA256_HEX_CHARS + 1])
{
    char want[SHA256_HEX_CHARS + 1] = "";
    struct err err;
    AUTO(fd_destroy) int fd = openat(p->out_fd, zip, O_RDONLY | O_CLOEXEC);
    AUTO(fd_destroy) int hash = openat(p->out_fd, beside, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && hash >= 0 && read(hash, want, SHA256_HEX_CHARS) == SHA256_HEX_CHARS &&
           !hash_of(fd, ret_bytes, hex, &err) && !strcmp(want, hex);
}

static int beside_write(const struct package *p, const char *zip, const char *beside, const char *hex, struct err *err)
{
    char line[SHA256_HEX_CHARS + NAME_MAX + 8];
    int n = snprintf(line, sizeof line, "%s  %s\n", hex, zip);
    AUTO(fd_destroy) int fd = openat(p->out_fd, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return fd >= 0 && write(fd, line, (size_t)n) == n && !fsync(fd) ? 0 : err_errno(err, E_IO, "%s", beside);
}

/* Also of a package that was there: whoever made it may have ended before it was told. What is known is not entered again. */
static int packaged_tell(const struct package *p, const struct pack *pack, const char *hex, uint64_t bytes,
                         json_t **ret_told, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    AUTO(json_drop)
    json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "file", pack->code, "profile", pack->profile->name,
                             "package", pack->id, "sha256", hex, "bytes", (json_int_t)bytes, "documents",
                             (json_int_t)pack->sum.documents, "pages", (json_int_t)pack->sum.pages);
    AUTO(mem_destroy) char *text = json_dumps(body, JSON_COMPACT);
    int rc = api_post(p->api, batch_path(&path, p->batch, "/packages"), text, strlen(text), NULL, err);
    if (rc)
        return rc;
    json_object_set_new(body, "batch", json_string(p->batch));
    *ret_told = json_incref(body);
    return 0;
}

/* Under another name until it is whole. */
static int zip_make(struct package *p, const struct pack *pack, const struct pack_source *source, struct err *err)
{
    char zip[NAME_MAX], part[NAME_MAX], beside[NAME_MAX], hex[SHA256_HEX_CHARS + 1];
    uint64_t bytes = 0;
    AUTO(json_drop) json_t *told = NULL;
    snprintf(zip, sizeof zip, "%.200s.zip", pack->name);
    snprintf(beside, sizeof beside, "%.200s.zip.sha256", pack->name);
    snprintf(part, sizeof part, ".%.200s.zip.part", pack->name);
    if (is_there(p, zip, beside, &bytes, hex)) {
        p->kept++;
        p->shown.docs_done += pack->docs;
        return packaged_tell(p, pack, hex, bytes, &told, err);
    }
    AUTO(fd_destroy) int fd = openat(p->out_fd, part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return err_errno(err, E_IO, "%s/%s", p->out, part);
    int rc = pack_write(pack, source, p->out_fd, fd, err);
    if (!rc && fsync(fd))
        rc = err_errno(err, E_IO, "%s/%s", p->out, part);
    if (!rc)
        rc = hash_of(fd, &bytes, hex, err);
    if (!rc)
        rc = beside_write(p, zip, beside, hex, err);
    if (!rc && (renameat(p->out_fd, part, p->out_fd, zip) || fsync(p->out_fd)))
        rc = err_errno(err, E_IO, "%s/%s", p->out, zip);
    if (rc)
        unlinkat(p->out_fd, part, 0);
    if (!rc)
        rc = packaged_tell(p, pack, hex, bytes, &told, err);
    if (!rc)
        json_array_append(p->packages, told);
    return rc;
}

static void states_look(struct filing *filing, const struct filed *first, size_t n, uint32_t *docs, size_t *ret_docs)
{
    *ret_docs = 0;
    for (size_t i = 0; i < n; i++) {
        enum doc_state state = (enum doc_state)first[i].state;
        if (state == DOC_IS_STORED)
            docs[(*ret_docs)++] = first[i].doc;
        else if (state == DOC_IS_DUPLICATE)
            filing->package->duplicates++;
        else
            on_found(first[i].doc, "state", doc_state_name(state), filing);
    }
}

/* The document is of the one file that is asked for. */
static bool is_only(struct filing *filing, uint32_t doc, int *ret_rc, struct err *err)
{
    AUTO(json_drop) json_t *record = NULL;
    *ret_rc = fetch_record(doc, &record, filing, err);
    const char *code = *ret_rc ? NULL : values_manifest(record, "file_code");
    return code && !strcmp(code, filing->package->only);
}

static int file_pack(struct package *p, const struct filed *first, size_t n, struct err *err)
{
    AUTO(mem_destroy) uint32_t *docs = malloc((n + 1) * sizeof *docs);
    struct filing filing = {.package = p, .code = "", .findings = json_array()};
    struct pack_source source = {fetch_record, fetch_pdf, on_packed, &filing};
    struct pack pack = {
        .profile = p->profile, .rules = &p->rules, .build = SOHOA_VERSION, .unreviewed = p->unreviewed, .doc = docs};
    size_t count = 0;
    int rc = 0;
    if (!docs)
        abort();
    states_look(&filing, first, n, docs, &pack.docs);
    if (pack.docs && p->only && !is_only(&filing, docs[0], &rc, err))
        pack.docs = 0;
    if (!rc && pack.docs)
        rc = pack_look(&pack, &source, on_found, &count, err);
    bool wanted = !p->only || !strcmp(p->only, pack.code);
    if (!rc && wanted && !first->file)
        on_found(PACK_FILE, "file_code", "is missing in the manifest: these documents belong to no file", &filing);
    if (!rc && wanted && pack.docs && !json_array_size(filing.findings) && !p->dry)
        rc = zip_make(p, &pack, &source, err);
    else
        p->shown.docs_done += n;
    if (!rc && wanted && json_array_size(filing.findings))
        json_array_append_new(p->findings, json_pack("{s:s, s:O}", "file", pack.code, "findings", filing.findings));
    json_decref(filing.findings);
    pack_clear(&pack);
    bar_show(&p->bar, &p->shown, clock_mono_ms());
    return rc;
}

static int files_pack(struct package *p, struct err *err)
{
    int rc = 0;
    for (size_t first = 0, n; first < p->count && !rc; first += n) {
        for (n = 1; first + n < p->count && p->filed[first + n].file == p->filed[first].file; n++)
            ;
        rc = file_pack(p, &p->filed[first], n, err);
    }
    return rc;
}

/* ---- the end ---- */

static void findings_print(const json_t *files)
{
    size_t i, k, shown = 0;
    json_t *file, *it;
    json_array_foreach(files, i, file) json_array_foreach(json_object_get(file, "findings"), k, it)
    {
        if (shown++ >= FINDINGS_SHOWN)
            continue;
        const json_t *doc = json_object_get(it, "document");
        printf("%s: ", cell_text(file, "file"));
        if (json_is_integer(doc))
            printf("document %" JSON_INTEGER_FORMAT ": ", json_integer_value(doc));
        printf("%s %s\n", cell_text(it, "field"), cell_text(it, "why"));
    }
    if (shown > FINDINGS_SHOWN)
        printf("and %zu more; --json has all\n", shown - FINDINGS_SHOWN);
}

static int package_end(const struct package *p)
{
    size_t made = json_array_size(p->packages), blocked = json_array_size(p->findings);
    if (p->ctl->json) {
        AUTO(json_drop)
        json_t *all = json_pack("{s:O, s:I, s:O, s:I}", "packages", p->packages, "there", (json_int_t)p->kept,
                                "blocked", p->findings, "duplicates", (json_int_t)p->duplicates);
        json_print(all);
    } else {
        findings_print(p->findings);
        printf("%zu packages made, %zu were there, %zu files can't be packed", made, p->kept, blocked);
        if (p->duplicates)
            printf("; %zu duplicates are left out", p->duplicates);
        puts(p->dry ? " (nothing was written: --dry-run)" : "");
    }
    return blocked ? EXIT_FINDINGS : EXIT_SUCCESS;
}

static int package_run(struct package *p, struct err *err)
{
    int rc = profile_take(p, err);
    if (!rc)
        rc = api_open(p->ctl, &p->api, err);
    if (!rc)
        rc = review_check(p, err);
    if (!rc)
        rc = documents_load(p, err);
    if (!rc && !p->dry && !(rc = export_folder(p->out, err)) &&
        (p->out_fd = open(p->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        rc = err_errno(err, E_IO, "%s", p->out);
    if (rc)
        return rc;
    interrupt_watch();
    bar_init(&p->bar, stderr);
    rc = files_pack(p, err);
    bar_clear(&p->bar);
    return rc ? rc : package_end(p);
}

/* ---- --check ---- */

static void print_finding(const char *member, const char *what, void *user)
{
    json_t *list = user;
    json_array_append_new(list, json_pack("{s:s, s:s}", "member", member, "what", what));
}

static int check_one(const char *path, json_t *all, bool json, struct err *err)
{
    AUTO(json_drop) json_t *findings = json_array();
    struct check_result result;
    size_t i;
    json_t *it;
    int rc = package_check(path, print_finding, findings, &result, err);
    if (rc && rc != E_CORRUPT)
        return rc;
    if (rc)
        print_finding("", err->text, findings);
    json_array_append_new(all, json_pack("{s:s, s:i, s:i, s:O}", "package", path, "members", (int)result.members,
                                         "documents", (int)result.documents, "findings", findings));
    if (json)
        return 0;
    json_array_foreach(findings, i, it) printf("%s: %s%s%s\n", path, cell_text(it, "member"),
                                               *cell_text(it, "member") ? ": " : "", cell_text(it, "what"));
    if (!json_array_size(findings))
        printf("%s: whole; %u documents, %u members\n", path, result.documents, result.members);
    return 0;
}

static int check_run(const struct ctl *ctl, const struct texts *paths, struct err *err)
{
    AUTO(json_drop) json_t *all = json_array();
    bool clean = true;
    size_t i;
    json_t *one;
    int rc = paths->count ? 0 : err_set(err, E_USAGE, "--check which packages?");
    for (size_t k = 0; k < paths->count && !rc; k++)
        rc = check_one(paths->item[k], all, ctl->json, err);
    if (rc)
        return rc;
    json_array_foreach(all, i, one) clean = clean && !json_array_size(json_object_get(one, "findings"));
    if (ctl->json) {
        AUTO(json_drop) json_t *answer = json_pack("{s:O}", "packages", all);
        json_print(answer);
    }
    return clean ? EXIT_SUCCESS : EXIT_FINDINGS;
}

int package_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(package_destroy)
    struct package p = {.ctl = ctl, .out_fd = -1, .packages = json_array(), .findings = json_array()};
    bool check = false;
    const struct flag flags[] = {
        {.name = "profile",
         .meta = "NAME",
         .text = &p.profile_name,
         .doc = "aip-05-2025, or sip-05-2025 for a submission"},
        {.name = "out",                                                                .meta = "DIR",                                                                 .text = &p.out,                                                              .doc = "folder for the packages"},
        {.name = "file",                                .meta = "CODE",                                             .text = &p.only,                                            .doc = "only the file with that code"},
        {.name = "files",
         .meta = "CSV",
         .text = &p.files_csv,
         .doc = "file_code,title,maintenance,...: what is said of files"},
        {.name = "set",                                                    .meta = "F=V",                                                            .list = &p.set,                                                                                            .doc = "a field's value for all, such as mode=01"},
        {.name = "accept-proposals",
         .meta = "FIELDS",
         .text = &p.accept,
         .doc = "maintenance, format, keyword, riskRecovery"},
        {.name = "unreviewed",                                                                .on = &p.unreviewed,                                                    .doc = "also if nobody accepted the batch: the package says so"                                                                                                                                          },
        {.name = "dry-run",              .on = &p.dry,                           .doc = "only tells what keeps files from being packed"                                                                                },
        {.name = "check", .on = &check,.doc = "looks whether packages (ZIP ...) are whole"},
    };
    int rc = args_parse(command, ctl, flags, sizeof flags / sizeof flags[0], argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (check)
        return check_run(ctl, &operands, err);
    if (operands.count != 1)
        return err_set(err, E_USAGE, "one batch, not %zu", operands.count);
    if (!p.out && !p.dry)
        return err_set(err, E_USAGE, "--out DIR is missing: where are the packages to go?");
    p.batch = operands.item[0];
    rc = args_batch(p.batch, err);
    return rc ? rc : package_run(&p, err);
}
