/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The ZIP is read once, member by member; what METS and PREMIS say is held against it at the end. */
#include "coordinator/package/check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/package/xml.h"
#include "coordinator/package/zip.h"
#include "proto/array.h"
#include "proto/auto.h"
#include "proto/profile.h"
#include "proto/sha256.h"

enum { PATH_CHARS = 1024, WHAT_BYTES = 512, ID_BYTES = 512 };

#define REP "representations/rep1/"

struct there {  /* a member of the ZIP, or what a METS or PREMIS names */
    char *path; /* below the root */
    uint64_t bytes;
    char sha256[SHA256_HEX_CHARS + 1];
    bool sized, named;
};

struct theres {
    struct there *at;
    size_t count;
};

struct checking {
    void (*found)(const char *member, const char *what, void *user);
    void *user;
    struct check_result *result;
    char root[PATH_CHARS];
    struct theres there, named, premis;
    struct buf mets, rep_mets, rep_premis;
    bool has_ead;
    /* of the XML that is being read */
    const char *prefix, *member;
    char id[ID_BYTES], bytes[32], sha256[SHA256_HEX_CHARS + 1], object[PATH_CHARS], profile[64];
    json_t *values;
    unsigned depth;
};

static void theres_clear(struct theres *theres)
{
    for (size_t i = 0; i < theres->count; i++)
        free(theres->at[i].path);
    free(theres->at);
}

static void checking_clear(struct checking *c)
{
    theres_clear(&c->there);
    theres_clear(&c->named);
    theres_clear(&c->premis);
    buf_destroy(&c->mets);
    buf_destroy(&c->rep_mets);
    buf_destroy(&c->rep_premis);
    json_decref(c->values);
}

static struct there *there_add(struct theres *theres, const char *prefix, const char *path)
{
    AUTO(buf_destroy) struct buf whole = {0};
    buf_printf(&whole, "%s%s", prefix, path);
    theres->at = array_room(theres->at, theres->count, sizeof *theres->at);
    struct there *there = &theres->at[theres->count++];
    *there = (struct there){.path = text_copy(buf_text(&whole))};
    return there;
}

static void found(struct checking *c, const char *member, const char *what)
{
    c->result->findings++;
    c->found(member, what, c->user);
}

/* ---- fields ---- */

static const char *value_of(const char *field, void *user)
{
    struct checking *c = user;
    return json_string_value(json_object_get(c->values, field));
}

static void on_field(const char *field, const char *why, void *user)
{
    struct checking *c = user;
    char what[WHAT_BYTES];
    snprintf(what, sizeof what, "%s %s", field, why);
    found(c, c->member, what);
}

static void on_record_node(const struct xml_node *node, const char *element, const char *text, void *user)
{
    struct checking *c = user;
    if (!text && c->depth++ == 0) {
        const char *profile = xml_attribute(node, "profile");
        snprintf(c->profile, sizeof c->profile, "%s", profile ? profile : "");
    }
    if (text && --c->depth == 1)
        json_object_set_new(c->values, element, json_string(text));
}

static void fields_check(struct checking *c, enum profile_record record)
{
    const struct profile *profile = profile_named(c->profile);
    const char *field;
    json_t *value;
    if (!profile) {
        found(c, c->member, "names no profile that is known");
        return;
    }
    profile_check(profile, record, value_of, on_field, c);
    json_object_foreach(c->values, field, value) if (!profile_field(profile, record, field))
        on_field(field, "is no field of its profile", c);
}

static void record_check(struct checking *c, const char *path, const struct buf *data, enum profile_record record)
{
    struct err why;
    c->member = path;
    c->depth = 0;
    json_decref(c->values);
    c->values = json_object();
    if (xml_read(data, on_record_node, c, &why))
        found(c, path, why.text);
    else
        fields_check(c, record);
}

/* ---- members ---- */

static bool keeps(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && !strcmp(name + n - 4, ".xml");
}

static bool begins(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

static bool is_safe(const char *name)
{
    if (*name == '/' || strchr(name, '\\') || !*name || strstr(name, "//"))
        return false;
    for (const char *at = name; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
        if (begins(at, "../") || !strcmp(at, "..") || begins(at, "./"))
            return false;
    return true;
}

/* Below the root; NULL after a finding. */
static const char *member_path(struct checking *c, const struct zip_member *member)
{
    const char *slash = strchr(member->name, '/');
    if (!is_safe(member->name) || !member->file) {
        found(c, member->name, "its name leads out of the package, or it is no file");
        return NULL;
    }
    if (!*c->root && slash)
        snprintf(c->root, sizeof c->root, "%.*s", (int)(slash - member->name), member->name);
    if (!slash || strlen(c->root) != (size_t)(slash - member->name) || !begins(member->name, c->root)) {
        found(c, member->name, "is not in the package's folder");
        return NULL;
    }
    return slash + 1;
}

static void content_check(struct checking *c, const char *path, const struct zip_member *member)
{
    size_t n = strlen(path);
    if (!strcmp(path, "METS.xml"))
        buf_append(&c->mets, member->data->data, member->data->size);
    else if (!strcmp(path, REP "METS.xml"))
        buf_append(&c->rep_mets, member->data->data, member->data->size);
    else if (!strcmp(path, REP "metadata/preservation/PREMIS_rep1.xml"))
        buf_append(&c->rep_premis, member->data->data, member->data->size);
    else if (!strcmp(path, "metadata/descriptive/EAD.xml")) {
        c->has_ead = true;
        record_check(c, path, member->data, PROFILE_FILE);
    } else if (begins(path, REP "metadata/descriptive/EAD_doc_"))
        record_check(c, path, member->data, PROFILE_DOCUMENT);
    else if (n > 4 && !strcmp(path + n - 4, ".pdf")) {
        c->result->documents++;
        if (strcmp(member->head, "%PDF-"))
            found(c, path, "is no PDF");
        else if (!member->has)
            found(c, path, "does not say that it is PDF/A");
    }
}

static int on_member(const struct zip_member *member, void *user, struct err *err)
{
    struct checking *c = user;
    uint8_t digest[SHA256_BYTES];
    const char *path = member_path(c, member);
    if (++c->result->members > CHECK_MEMBERS_MAX)
        return err_set(err, E_LIMIT, "more than %d members (CHECK_MEMBERS_MAX)", CHECK_MEMBERS_MAX);
    if (!path)
        return 0;
    struct there *there = there_add(&c->there, "", path);
    memcpy(digest, member->sha256, sizeof digest);
    sha256_hex(digest, there->sha256);
    there->bytes = member->bytes;
    if (member->fault)
        found(c, path, member->fault);
    else if (member->data || !keeps(path))
        content_check(c, path, member);
    return 0;
}

/* ---- METS and PREMIS ---- */

static void keep_attribute(const struct xml_node *node, const char *name, char *into, size_t room)
{
    const char *value = xml_attribute(node, name);
    snprintf(into, room, "%s", value ? value : "");
}

static void fixity_take(struct checking *c, const struct xml_node *node)
{
    char type[16];
    keep_attribute(node, "SIZE", c->bytes, sizeof c->bytes);
    keep_attribute(node, "CHECKSUM", c->sha256, sizeof c->sha256);
    keep_attribute(node, "CHECKSUMTYPE", type, sizeof type);
    if (strcmp(type, "SHA-256"))
        found(c, c->member, "names a member without its SHA-256");
}

static void on_mets_node(const struct xml_node *node, const char *element, const char *text, void *user)
{
    struct checking *c = user;
    if (text)
        return;
    bool reference = !strcmp(element, "mdRef");
    if (!strcmp(element, "mets") && !*c->prefix)
        keep_attribute(node, "OBJID", c->id, sizeof c->id);
    if (reference || !strcmp(element, "file"))
        fixity_take(c, node);
    if (!reference && strcmp(element, "FLocat"))
        return;
    const char *href = xml_attribute(node, "href");
    struct there *named = there_add(&c->named, c->prefix, href ? href : "");
    named->bytes = strtoull(c->bytes, NULL, 10);
    memcpy(named->sha256, c->sha256, sizeof named->sha256);
}

static void on_premis_node(const struct xml_node *node, const char *element, const char *text, void *user)
{
    struct checking *c = user;
    (void)node;
    if (text && !strcmp(element, "objectIdentifierValue"))
        snprintf(c->object, sizeof c->object, "%s", text);
    if (text && !strcmp(element, "messageDigest"))
        snprintf(there_add(&c->premis, REP, c->object)->sha256, SHA256_HEX_CHARS + 1, "%s", text);
}

static void xml_check(struct checking *c, const char *member, const char *prefix, const struct buf *data,
                      void (*each)(const struct xml_node *node, const char *element, const char *text, void *user))
{
    struct err why;
    c->member = member;
    c->prefix = prefix;
    if (!data->size)
        found(c, member, "is missing or can't be read");
    else if (xml_read(data, each, c, &why))
        found(c, member, why.text);
}

/* ---- one against the other ---- */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct there *)a)->path, ((const struct there *)b)->path);
}

static void sort(struct theres *theres)
{
    if (theres->count)
        qsort(theres->at, theres->count, sizeof *theres->at, by_path);
}

static struct there *find(struct theres *theres, const char *path)
{
    struct there key = {.path = (char *)(uintptr_t)path};
    return theres->count ? bsearch(&key, theres->at, theres->count, sizeof key, by_path) : NULL;
}

static void named_check(struct checking *c, const struct there *named)
{
    struct there *there = find(&c->there, named->path);
    char what[WHAT_BYTES];
    if (!there) {
        found(c, named->path, "is named in a METS and is not there");
        return;
    }
    if (there->named)
        found(c, named->path, "is named twice");
    there->named = true;
    if (there->bytes != named->bytes) {
        snprintf(what, sizeof what, "has %" PRIu64 " bytes, its METS says %" PRIu64, there->bytes, named->bytes);
        found(c, named->path, what);
    } else if (strcmp(there->sha256, named->sha256)) {
        found(c, named->path, "its SHA-256 is not the one of its METS: it was changed");
    }
}

static void all_check(struct checking *c)
{
    sort(&c->there);
    for (size_t i = 1; i < c->there.count; i++)
        if (!strcmp(c->there.at[i].path, c->there.at[i - 1].path))
            found(c, c->there.at[i].path, "is there twice");
    for (size_t i = 0; i < c->named.count; i++)
        named_check(c, &c->named.at[i]);
    for (size_t i = 0; i < c->there.count; i++)
        if (!c->there.at[i].named && strcmp(c->there.at[i].path, "METS.xml"))
            found(c, c->there.at[i].path, "is named in no METS");
    for (size_t i = 0; i < c->premis.count; i++) {
        const struct there *there = find(&c->there, c->premis.at[i].path);
        if (!there || strcmp(there->sha256, c->premis.at[i].sha256))
            found(c, c->premis.at[i].path, "its SHA-256 is not the one of PREMIS");
    }
    if (!c->has_ead)
        found(c, "metadata/descriptive/EAD.xml", "is missing or can't be read");
}

static void name_check(struct checking *c)
{
    char name[ID_BYTES];
    snprintf(name, sizeof name, "%s", c->id);
    for (char *at = name; *at; at++)
        if (*at == ':' || *at == '/' || *at == '\\' || (unsigned char)*at <= ' ')
            *at = '_';
    if (!*c->id || strcmp(name, c->root))
        found(c, "METS.xml", "its OBJID is not the name of the package's folder");
}

/* ---- the file beside it ---- */

static void beside_check(struct checking *c, const char *path)
{
    char beside[PATH_CHARS], want[SHA256_HEX_CHARS + 1] = "", hex[SHA256_HEX_CHARS + 1];
    uint8_t digest[SHA256_BYTES], step[1 << 13];
    AUTO(sha256_destroy) struct sha256 *hash = sha256_new();
    snprintf(beside, sizeof beside, "%s.sha256", path);
    AUTO(fd_destroy) int fd = open(beside, O_RDONLY | O_CLOEXEC);
    AUTO(fd_destroy) int zip = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || zip < 0)
        return;
    ssize_t n = read(fd, want, SHA256_HEX_CHARS);
    want[n > 0 ? n : 0] = '\0';
    while ((n = read(zip, step, sizeof step)) > 0)
        sha256_update(hash, step, (size_t)n);
    sha256_final(hash, digest);
    sha256_hex(digest, hex);
    if (strcmp(hex, want))
        found(c, "", "its SHA-256 is not the one in the file beside it (.sha256)");
}

int package_check(const char *path, void (*on_found)(const char *member, const char *what, void *user), void *user,
                  struct check_result *ret_result, struct err *err)
{
    *ret_result = (struct check_result){0};
    AUTO(checking_clear) struct checking c = {.found = on_found, .user = user, .result = ret_result};
    int rc = zip_read(path, keeps, CHECK_XML_BYTES, "pdfaid:part", on_member, &c, err);
    if (rc)
        return rc;
    xml_check(&c, "METS.xml", "", &c.mets, on_mets_node);
    xml_check(&c, REP "METS.xml", REP, &c.rep_mets, on_mets_node);
    xml_check(&c, REP "metadata/preservation/PREMIS_rep1.xml", REP, &c.rep_premis, on_premis_node);
    all_check(&c);
    name_check(&c);
    beside_check(&c, path);
    return 0;
}
