/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/package/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/package/mets.h"
#include "coordinator/package/premis.h"
#include "coordinator/package/xml.h"
#include "coordinator/package/zip.h"
#include "proto/auto.h"
#include "proto/json.h"
#include "proto/sha256.h"

enum { UUID_BYTES = 16, UUID_CHARS = 36, PATH_CHARS = 512, ORDINAL_MOST = 9999999 };

#define REP "representations/rep1/"

void pack_clear(struct pack *pack)
{
    values_sum_clear(&pack->sum);
    free(pack->ordinal);
    pack->ordinal = NULL;
}

/* ---- the first look ---- */

struct look {
    struct pack *pack;
    void (*found)(uint32_t doc, const char *field, const char *why, void *user);
    void *user;
    uint32_t doc;
    size_t findings;
};

static void on_finding(const char *field, const char *why, void *user)
{
    struct look *look = user;
    look->found(look->doc, field, why, look->user);
    look->findings++;
}

struct checked {
    json_t *values;
    struct look *look;
};

static const char *checked_get(const char *field, void *user)
{
    return values_get(field, ((struct checked *)user)->values);
}

static void checked_found(const char *field, const char *why, void *user)
{
    on_finding(field, why, ((struct checked *)user)->look);
}

static void check(struct look *look, enum profile_record record, json_t *values)
{
    struct checked checked = {values, look};
    profile_check(look->pack->profile, record, checked_get, checked_found, &checked);
}

/* The n-th document's ordinal: what the manifest says, if that is a number. */
static uint32_t ordinal_of(const json_t *record, size_t n)
{
    const char *said = values_manifest(record, "ordinal");
    unsigned long number = said && said[strspn(said, "0123456789")] == '\0' ? strtoul(said, NULL, 10) : 0;
    return number && number <= ORDINAL_MOST ? (uint32_t)number : (uint32_t)n + 1;
}

static void names_take(struct look *look, const json_t *record)
{
    const char *fonds = values_manifest(record, "fonds"), *code = values_manifest(record, "file_code");
    snprintf(look->pack->fonds, sizeof look->pack->fonds, "%s", fonds ? fonds : "");
    snprintf(look->pack->code, sizeof look->pack->code, "%s", code ? code : "");
    if (!fonds && !strncmp(look->pack->profile->name, "aip", 3))
        on_finding("fonds", "is missing in the manifest: it is part of the package's name", look);
}

static const char *text_at(const json_t *object, const char *a, const char *b)
{
    const char *text = json_string_value(json_object_get(json_object_get(object, a), b));
    return text ? text : "";
}

static void document_look(struct look *look, const json_t *record, size_t n, struct sha256 *hash)
{
    struct pack *pack = look->pack;
    pack->ordinal[n] = ordinal_of(record, n);
    AUTO(json_drop) json_t *values = values_document(record, pack->code, pack->ordinal[n], pack->rules);
    AUTO(mem_destroy) char *text = json_dumps(values, JSON_COMPACT | JSON_SORT_KEYS);
    const char *created = text_at(record, "provenance", "created"),
               *pdf = json_string_value(
                   json_object_get(json_object_get(json_object_get(record, "outputs"), "pdf"), "sha256"));
    check(look, PROFILE_DOCUMENT, values);
    if (!*text_at(record, "pdfa", "level"))
        on_finding("pdf", "is no PDF/A: its record says why", look);
    if (strcmp(created, pack->created) > 0)
        snprintf(pack->created, sizeof pack->created, "%s", created);
    values_add(&pack->sum, record, values);
    sha256_update(hash, text, strlen(text) + 1);
    sha256_update(hash, pdf ? pdf : "", pdf ? strlen(pdf) : 0);
}

static int ordinals_differ(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void ordinals_check(struct look *look)
{
    const struct pack *pack = look->pack;
    AUTO(mem_destroy) uint32_t *sorted = malloc(pack->docs * sizeof *sorted);
    if (!sorted)
        abort();
    memcpy(sorted, pack->ordinal, pack->docs * sizeof *sorted);
    qsort(sorted, pack->docs, sizeof *sorted, ordinals_differ);
    for (size_t i = 1; i < pack->docs; i++)
        if (sorted[i] == sorted[i - 1]) {
            char why[64];
            snprintf(why, sizeof why, "%" PRIu32 " is of more than one document", sorted[i]);
            on_finding("ordinal", why, look);
            return;
        }
}

/* From what is in it: the same content has the same name (RFC 9562, version 8). */
static void name_give(struct pack *pack, uint8_t digest[SHA256_BYTES])
{
    char uuid[UUID_CHARS + 1];
    digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x80);
    digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80);
    for (int i = 0, at = 0; i < UUID_BYTES; i++)
        at += snprintf(uuid + at, sizeof uuid - (size_t)at, "%s%02X", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                       digest[i]);
    if (!strncmp(pack->profile->name, "aip", 3))
        snprintf(pack->id, sizeof pack->id, "urn:%.*s:uuid-%s", NAME_BYTES - 1, pack->fonds, uuid);
    else
        snprintf(pack->id, sizeof pack->id, "uuid-%s", uuid);
    snprintf(pack->name, sizeof pack->name, "%s", pack->id);
    for (char *c = pack->name; *c; c++)
        if (*c == ':' || *c == '/' || *c == '\\' || (unsigned char)*c <= ' ')
            *c = '_';
}

static void file_look(struct look *look, struct sha256 *hash)
{
    struct pack *pack = look->pack;
    uint8_t digest[SHA256_BYTES];
    AUTO(json_drop) json_t *values = values_file(&pack->sum, pack->code, pack->rules);
    AUTO(mem_destroy) char *text = json_dumps(values, JSON_COMPACT | JSON_SORT_KEYS);
    look->doc = PACK_FILE;
    check(look, PROFILE_FILE, values);
    ordinals_check(look);
    sha256_update(hash, text, strlen(text) + 1);
    sha256_update(hash, pack->profile->name, strlen(pack->profile->name));
    sha256_final(hash, digest);
    name_give(pack, digest);
}

int pack_look(struct pack *pack, const struct pack_source *source,
              void (*found)(uint32_t doc, const char *field, const char *why, void *user), size_t *ret_findings,
              struct err *err)
{
    AUTO(sha256_destroy) struct sha256 *hash = sha256_new();
    struct look look = {.pack = pack, .found = found, .user = source->user};
    int rc = 0;
    pack->ordinal = calloc(pack->docs + 1, sizeof *pack->ordinal);
    if (!pack->ordinal)
        abort();
    for (size_t i = 0; i < pack->docs && !rc; i++) {
        AUTO(json_drop) json_t *record = NULL;
        look.doc = pack->doc[i];
        rc = source->record(pack->doc[i], &record, source->user, err);
        if (rc)
            return rc;
        if (i == 0)
            names_take(&look, record);
        document_look(&look, record, i, hash);
    }
    file_look(&look, hash);
    *ret_findings = look.findings;
    return 0;
}

/* ---- writing ---- */

struct writing {
    const struct pack *pack;
    struct zip *zip;
    int temp;
    struct members whole, rep; /* of the package's METS, and of the representation's */
    struct premis premis, rep_premis;
    struct mets mets;
};

static void writing_clear(struct writing *w)
{
    zip_destroy(&w->zip);
    members_clear(&w->whole);
    members_clear(&w->rep);
    premis_clear(&w->premis);
    premis_clear(&w->rep_premis);
}

static int temp_open(int folder, int *ret_fd, struct err *err)
{
    *ret_fd = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return *ret_fd < 0 ? err_errno(err, E_IO, "a file for what is written aside") : 0;
}

static int fd_bytes(int fd, uint64_t *ret_bytes, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return err_errno(err, E_IO, "fstat");
    *ret_bytes = (uint64_t)st.st_size;
    return 0;
}

/* path: below the root, or below the representation for uses of that. */
static const char *full_path(const struct writing *w, bool rep, const char *path, char full[PATH_CHARS])
{
    snprintf(full, PATH_CHARS, "%s/%s%s", w->pack->name, rep ? REP : "", path);
    return full;
}

static int member_add(struct writing *w, bool rep, enum member_use use, const char *path, const struct buf *data,
                      struct err *err)
{
    char full[PATH_CHARS];
    uint8_t sha256[SHA256_BYTES];
    int rc = zip_add(w->zip, full_path(w, rep, path, full), data->data, data->size, sha256, err);
    if (!rc)
        members_add(rep ? &w->rep : &w->whole, use, path, data->size, sha256);
    return rc;
}

static int member_add_file(struct writing *w, bool rep, enum member_use use, const char *path, int fd, struct err *err)
{
    char full[PATH_CHARS];
    uint8_t sha256[SHA256_BYTES];
    uint64_t bytes = 0;
    int rc = fd_bytes(fd, &bytes, err);
    if (!rc)
        rc = zip_add_file(w->zip, full_path(w, rep, path, full), fd, bytes, sha256, err);
    if (!rc)
        members_add(rep ? &w->rep : &w->whole, use, path, bytes, sha256);
    return rc;
}

/* A record as XML: its fields in the profile's order. */
static int record_xml(const struct profile *profile, enum profile_record record, const char *root, json_t *values,
                      struct buf *into, struct err *err)
{
    AUTO(xml_destroy) struct xml *xml = xml_new();
    xml_open(xml, root);
    xml_put(xml, "xmlns", PROFILE_NAMESPACE);
    xml_put(xml, "profile", profile->name);
    for (size_t i = 0; i < profile->fields[record]; i++) {
        const char *value = values_get(profile->field[record][i].name, values);
        if (value && *value)
            xml_leaf(xml, profile->field[record][i].name, value);
    }
    xml_close(xml);
    return xml_end(xml, into, err);
}

/* Letters that every system takes in a file's name. */
static const char *file_name(const char *code, uint32_t ordinal, char name[PATH_CHARS])
{
    int n = snprintf(name, PATH_CHARS, "data/%.*s", NAME_BYTES - 1, code);
    for (char *c = name + strlen("data/"); *c; c++)
        if ((unsigned char)*c < 0x80 &&
            !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", *c))
            *c = '_';
    snprintf(name + n, PATH_CHARS - (size_t)n, ".%07" PRIu32 ".pdf", ordinal);
    return name;
}

static int pdf_check(int fd, const json_t *record, uint32_t doc, struct err *err)
{
    const char *want =
        json_string_value(json_object_get(json_object_get(json_object_get(record, "outputs"), "pdf"), "sha256"));
    AUTO(sha256_destroy) struct sha256 *hash = sha256_new();
    uint8_t digest[SHA256_BYTES], step[1 << 13];
    char hex[SHA256_HEX_CHARS + 1];
    ssize_t n;
    for (off_t at = 0; (n = pread(fd, step, sizeof step, at)) > 0; at += n)
        sha256_update(hash, step, (size_t)n);
    sha256_final(hash, digest);
    sha256_hex(digest, hex);
    return want && !strcmp(want, hex)
               ? 0
               : err_set(err, E_CORRUPT, "document %" PRIu32 ": its PDF is not the one of its record", doc);
}

static int document_write(struct writing *w, const struct pack_source *source, size_t n, struct err *err)
{
    const struct pack *pack = w->pack;
    AUTO(json_drop) json_t *record = NULL;
    AUTO(buf_destroy) struct buf ead = {0};
    AUTO(fd_destroy) int fd = -1;
    char path[PATH_CHARS], name[PATH_CHARS];
    int rc = source->record(pack->doc[n], &record, source->user, err);
    if (rc)
        return rc;
    AUTO(json_drop) json_t *values = values_document(record, pack->code, pack->ordinal[n], pack->rules);
    snprintf(path, sizeof path, "metadata/descriptive/EAD_doc_%07" PRIu32 ".xml", pack->ordinal[n]);
    rc = record_xml(pack->profile, PROFILE_DOCUMENT, "document", values, &ead, err);
    if (!rc)
        rc = member_add(w, true, USE_EAD_DOC, path, &ead, err);
    if (!rc)
        rc = temp_open(w->temp, &fd, err);
    if (!rc)
        rc = source->pdf(pack->doc[n], fd, source->user, err);
    if (!rc)
        rc = pdf_check(fd, record, pack->doc[n], err);
    if (!rc)
        rc = member_add_file(w, true, USE_DATA, file_name(pack->code, pack->ordinal[n], name), fd, err);
    if (!rc)
        premis_add_record(&w->rep_premis, name, record);
    if (!rc && source->done)
        source->done(pack->doc[n], source->user);
    return rc;
}

static int schemas_write(struct writing *w, struct err *err)
{
    AUTO(buf_destroy) struct buf file = {0};
    AUTO(buf_destroy) struct buf document = {0};
    profile_schema(w->pack->profile, PROFILE_FILE, "file", &file);
    profile_schema(w->pack->profile, PROFILE_DOCUMENT, "document", &document);
    int rc = member_add(w, false, USE_SCHEMA, "schemas/EAD.xsd", &file, err);
    return rc ? rc : member_add(w, false, USE_SCHEMA, "schemas/EAD_doc.xsd", &document, err);
}

static int file_write(struct writing *w, struct err *err)
{
    AUTO(buf_destroy) struct buf ead = {0};
    AUTO(json_drop) json_t *values = values_file(&w->pack->sum, w->pack->code, w->pack->rules);
    int rc = record_xml(w->pack->profile, PROFILE_FILE, "file", values, &ead, err);
    return rc ? rc : member_add(w, false, USE_EAD, "metadata/descriptive/EAD.xml", &ead, err);
}

static int premis_member(struct writing *w, bool rep, struct err *err)
{
    AUTO(fd_destroy) int fd = -1;
    int rc = temp_open(w->temp, &fd, err);
    if (!rc)
        rc = premis_write(rep ? &w->rep_premis : &w->premis, &w->mets, rep ? &w->rep : NULL, fd, err);
    return rc ? rc
              : member_add_file(w, rep, USE_PREMIS,
                                rep ? "metadata/preservation/PREMIS_rep1.xml" : "metadata/preservation/PREMIS.xml", fd,
                                err);
}

static int mets_member(struct writing *w, bool rep, struct err *err)
{
    AUTO(fd_destroy) int fd = -1;
    int rc = temp_open(w->temp, &fd, err);
    if (!rc)
        rc = mets_write(&w->mets, rep ? &w->rep : &w->whole, rep, fd, err);
    return rc ? rc : member_add_file(w, false, USE_REPRESENTATION, rep ? REP "METS.xml" : "METS.xml", fd, err);
}

static void package_events(struct writing *w)
{
    const struct pack *pack = w->pack;
    char detail[PATH_CHARS];
    size_t i;
    json_t *field;
    snprintf(detail, sizeof detail, "%s; %" PRIu32 " documents; %s", pack->profile->name, pack->sum.documents,
             pack->unreviewed ? "nobody had accepted the batch in a review" : "accepted in a review");
    premis_add(&w->premis, pack->id, "packaging", pack->created, detail);
    json_array_foreach(pack->rules->accepted, i, field)
    {
        snprintf(detail, sizeof detail, "proposals of the software were accepted for %s", json_string_value(field));
        premis_add(&w->premis, pack->id, "metadata modification", pack->created, detail);
    }
}

static int members_write(struct writing *w, const struct pack_source *source, struct err *err)
{
    int rc = schemas_write(w, err);
    for (size_t i = 0; i < w->pack->docs && !rc; i++)
        rc = document_write(w, source, i, err);
    if (!rc)
        rc = premis_member(w, true, err);
    if (!rc)
        rc = mets_member(w, true, err);
    if (!rc)
        rc = file_write(w, err);
    if (!rc)
        rc = premis_member(w, false, err);
    if (!rc)
        rc = mets_member(w, false, err);
    return rc ? rc : zip_end(w->zip, err);
}

int pack_write(const struct pack *pack, const struct pack_source *source, int temp, int fd, struct err *err)
{
    AUTO(writing_clear)
    struct writing w = {
        .pack = pack,
        .temp = temp,
        .mets = {pack->id, strncmp(pack->profile->name, "aip", 3) ? "SIP" : "AIP", pack->code, pack->created,
                 pack->build}
    };
    int rc = zip_new(fd, &w.zip, err);
    if (rc)
        return rc;
    package_events(&w);
    return members_write(&w, source, err);
}
