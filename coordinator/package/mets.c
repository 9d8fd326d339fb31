/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/package/mets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/package/xml.h"
#include "proto/array.h"
#include "proto/auto.h"
#include "proto/sha256.h"

enum { ID_BYTES = 32 };

#define REPRESENTATION "Representations/rep1"

void members_add(struct members *members, enum member_use use, const char *path, uint64_t bytes,
                 const uint8_t sha256[SHA256_BYTES])
{
    members->at = array_room(members->at, members->count, sizeof *members->at);
    struct member *member = &members->at[members->count++];
    *member = (struct member){.use = use, .path = text_copy(path), .bytes = bytes};
    memcpy(member->sha256, sha256, SHA256_BYTES);
}

void members_clear(struct members *members)
{
    for (size_t i = 0; i < members->count; i++)
        free(members->at[i].path);
    free(members->at);
    *members = (struct members){0};
}

static const char *id_of(size_t i, char id[ID_BYTES])
{
    snprintf(id, ID_BYTES, "ID-%07zu", i + 1);
    return id;
}

static const char *mime_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && !strcmp(dot, ".pdf") ? "application/pdf" : "application/xml";
}

static void put_fixity(struct xml *xml, const struct mets *mets, const struct member *member)
{
    char hex[SHA256_HEX_CHARS + 1], bytes[24];
    sha256_hex(member->sha256, hex);
    snprintf(bytes, sizeof bytes, "%" PRIu64, member->bytes);
    xml_put(xml, "MIMETYPE", mime_of(member->path));
    xml_put(xml, "SIZE", bytes);
    xml_put(xml, "CREATED", mets->created);
    xml_put(xml, "CHECKSUM", hex);
    xml_put(xml, "CHECKSUMTYPE", "SHA-256");
}

static void header_write(struct xml *xml, const struct mets *mets)
{
    xml_open(xml, "metsHdr");
    xml_put(xml, "CREATEDATE", mets->created);
    xml_put(xml, "csip:OAISPACKAGETYPE", mets->type);
    xml_open(xml, "agent");
    xml_put(xml, "ROLE", "CREATOR");
    xml_put(xml, "TYPE", "OTHER");
    xml_put(xml, "OTHERTYPE", "SOFTWARE");
    xml_leaf(xml, "name", "Sohoa");
    xml_open(xml, "note");
    xml_put(xml, "csip:NOTETYPE", "SOFTWARE VERSION");
    xml_text(xml, mets->build);
    xml_close(xml);
    xml_close(xml);
    xml_close(xml);
}

/* dmdSec and amdSec: where descriptions and events are. */
static void reference_write(struct xml *xml, const struct mets *mets, const struct member *member, size_t i)
{
    bool premis = member->use == USE_PREMIS;
    char id[ID_BYTES];
    xml_open(xml, premis ? "digiprovMD" : "dmdSec");
    xml_put(xml, "ID", id_of(i, id));
    xml_put(xml, "CREATED", mets->created);
    xml_put(xml, "STATUS", "CURRENT");
    xml_open(xml, "mdRef");
    xml_put(xml, "LOCTYPE", "URL");
    xml_put(xml, "xlink:type", "simple");
    xml_put(xml, "xlink:href", member->path);
    xml_put(xml, "MDTYPE", premis ? "PREMIS" : "OTHER");
    if (!premis)
        xml_put(xml, "OTHERMDTYPE", member->use == USE_EAD ? "EAD" : "EAD_doc");
    put_fixity(xml, mets, member);
    xml_close(xml);
    xml_close(xml);
}

static void references_write(struct xml *xml, const struct mets *mets, const struct members *members)
{
    bool premis = false;
    for (size_t i = 0; i < members->count; i++) {
        if (members->at[i].use == USE_EAD || members->at[i].use == USE_EAD_DOC)
            reference_write(xml, mets, &members->at[i], i);
        premis = premis || members->at[i].use == USE_PREMIS;
    }
    if (!premis)
        return;
    xml_open(xml, "amdSec");
    for (size_t i = 0; i < members->count; i++)
        if (members->at[i].use == USE_PREMIS)
            reference_write(xml, mets, &members->at[i], i);
    xml_close(xml);
}

static void group_write(struct xml *xml, const struct mets *mets, const struct members *members, enum member_use use,
                        const char *name, const char *group)
{
    char id[ID_BYTES];
    xml_open(xml, "fileGrp");
    xml_put(xml, "ID", group);
    xml_put(xml, "USE", name);
    for (size_t i = 0; i < members->count; i++) {
        if (members->at[i].use != use)
            continue;
        xml_open(xml, "file");
        xml_put(xml, "ID", id_of(i, id));
        put_fixity(xml, mets, &members->at[i]);
        xml_open(xml, "FLocat");
        xml_put(xml, "LOCTYPE", "URL");
        xml_put(xml, "xlink:type", "simple");
        xml_put(xml, "xlink:href", members->at[i].path);
        xml_close(xml);
        xml_close(xml);
    }
    xml_close(xml);
}

static void files_write(struct xml *xml, const struct mets *mets, const struct members *members, bool representation)
{
    xml_open(xml, "fileSec");
    xml_put(xml, "ID", "fileSec");
    if (representation) {
        group_write(xml, mets, members, USE_DATA, "Data", "grp-data");
    } else {
        group_write(xml, mets, members, USE_SCHEMA, "Schemas", "grp-schemas");
        group_write(xml, mets, members, USE_REPRESENTATION, REPRESENTATION, "grp-rep1");
    }
    xml_close(xml);
}

/* The IDs of members with that use, parted by blanks, as METS refers to them. */
static void ids_put(struct xml *xml, const char *attribute, const struct members *members,
                    bool (*wanted)(enum member_use use))
{
    AUTO(buf_destroy) struct buf ids = {0};
    char id[ID_BYTES];
    for (size_t i = 0; i < members->count; i++)
        if (wanted(members->at[i].use))
            buf_printf(&ids, "%s%s", ids.size ? " " : "", id_of(i, id));
    if (ids.size)
        xml_put(xml, attribute, buf_text(&ids));
}

static bool describes(enum member_use use)
{
    return use == USE_EAD || use == USE_EAD_DOC;
}

static bool tells(enum member_use use)
{
    return use == USE_PREMIS;
}

static void div_open(struct xml *xml, const char *id, const char *label)
{
    xml_open(xml, "div");
    xml_put(xml, "ID", id);
    xml_put(xml, "LABEL", label);
}

static void pointer_write(struct xml *xml, const char *group)
{
    xml_open(xml, "fptr");
    xml_put(xml, "FILEID", group);
    xml_close(xml);
}

static void map_write(struct xml *xml, const struct mets *mets, const struct members *members, bool representation)
{
    xml_open(xml, "structMap");
    xml_put(xml, "ID", "structMap");
    xml_put(xml, "TYPE", "PHYSICAL");
    xml_put(xml, "LABEL", "CSIP");
    div_open(xml, "div-root", representation ? "rep1" : mets->id);
    xml_open(xml, "div");
    xml_put(xml, "ID", "div-metadata");
    xml_put(xml, "LABEL", "Metadata");
    ids_put(xml, "DMDID", members, describes);
    ids_put(xml, "ADMID", members, tells);
    xml_close(xml);
    if (representation) {
        div_open(xml, "div-data", "Data");
        pointer_write(xml, "grp-data");
        xml_close(xml);
    } else {
        div_open(xml, "div-schemas", "Schemas");
        pointer_write(xml, "grp-schemas");
        xml_close(xml);
        div_open(xml, "div-rep1", REPRESENTATION);
        xml_open(xml, "mptr");
        xml_put(xml, "LOCTYPE", "URL");
        xml_put(xml, "xlink:type", "simple");
        xml_put(xml, "xlink:href", "representations/rep1/METS.xml");
        xml_put(xml, "xlink:title", "grp-rep1");
        xml_close(xml);
        xml_close(xml);
    }
    xml_close(xml);
    xml_close(xml);
}

int mets_write(const struct mets *mets, const struct members *members, bool representation, int fd, struct err *err)
{
    AUTO(xml_destroy) struct xml *xml = xml_to(fd);
    xml_open(xml, "mets");
    xml_put(xml, "xmlns", "http://www.loc.gov/METS/");
    xml_put(xml, "xmlns:csip", "https://DILCIS.eu/XML/METS/CSIPExtensionMETS");
    xml_put(xml, "xmlns:xlink", "http://www.w3.org/1999/xlink");
    xml_put(xml, "OBJID", representation ? "rep1" : mets->id);
    xml_put(xml, "LABEL", mets->label);
    xml_put(xml, "TYPE", "Textual works - Print");
    xml_put(xml, "csip:CONTENTINFORMATIONTYPE", "MIXED");
    xml_put(xml, "PROFILE", "https://earkcsip.dilcis.eu/profile/E-ARK-CSIP.xml");
    header_write(xml, mets);
    references_write(xml, mets, members);
    files_write(xml, mets, members, representation);
    map_write(xml, mets, members, representation);
    xml_close(xml);
    return xml_end(xml, NULL, err);
}
