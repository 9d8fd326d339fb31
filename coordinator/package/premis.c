/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/package/premis.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/package/xml.h"
#include "proto/array.h"
#include "proto/auto.h"
#include "proto/sha256.h"

enum { DETAIL_BYTES = 512 };

void premis_clear(struct premis *premis)
{
    for (size_t i = 0; i < premis->events; i++) {
        free(premis->event[i].object);
        free(premis->event[i].type);
        free(premis->event[i].time);
        free(premis->event[i].detail);
    }
    free(premis->event);
    *premis = (struct premis){0};
}

void premis_add(struct premis *premis, const char *object, const char *type, const char *time, const char *detail)
{
    premis->event = array_room(premis->event, premis->events, sizeof *premis->event);
    premis->event[premis->events++] =
        (struct premis_event){text_copy(object), text_copy(type), text_copy(time), text_copy(detail)};
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

void premis_add_record(struct premis *premis, const char *object, const json_t *record)
{
    const json_t *provenance = json_object_get(record, "provenance");
    char detail[DETAIL_BYTES];
    const char *field;
    json_t *it;
    snprintf(detail, sizeof detail, "source SHA-256 %s; pipeline %s; build %s; PDF/A-%s", text_at(record, "sha256"),
             text_at(record, "pipeline"), text_at(provenance, "build"),
             text_at(json_object_get(record, "pdfa"), "level"));
    premis_add(premis, object, "digitization", text_at(provenance, "created"), detail);
    json_object_foreach(json_object_get(record, "metadata"), field, it)
    {
        const json_t *corrected = json_object_get(it, "corrected");
        if (!json_is_object(corrected))
            continue;
        snprintf(detail, sizeof detail, "%s corrected by %s", field, text_at(corrected, "by"));
        premis_add(premis, object, "metadata modification", text_at(corrected, "at"), detail);
    }
}

/* ---- writing ---- */

static void identifier(struct xml *xml, const char *what, const char *type, const char *value)
{
    char name[64];
    snprintf(name, sizeof name, "%sIdentifier", what);
    xml_open(xml, name);
    snprintf(name, sizeof name, "%sIdentifierType", what);
    xml_leaf(xml, name, type);
    snprintf(name, sizeof name, "%sIdentifierValue", what);
    xml_leaf(xml, name, value);
    xml_close(xml);
}

static void object_write(struct xml *xml, const struct member *member)
{
    char hex[SHA256_HEX_CHARS + 1], bytes[24];
    sha256_hex(member->sha256, hex);
    snprintf(bytes, sizeof bytes, "%" PRIu64, member->bytes);
    xml_open(xml, "object");
    xml_put(xml, "xsi:type", "file");
    identifier(xml, "object", "path", member->path);
    xml_open(xml, "objectCharacteristics");
    xml_open(xml, "fixity");
    xml_leaf(xml, "messageDigestAlgorithm", "SHA-256");
    xml_leaf(xml, "messageDigest", hex);
    xml_close(xml);
    xml_leaf(xml, "size", bytes);
    xml_open(xml, "format");
    xml_open(xml, "formatDesignation");
    xml_leaf(xml, "formatName", "PDF/A");
    xml_close(xml);
    xml_close(xml);
    xml_close(xml);
    xml_close(xml);
}

static void whole_write(struct xml *xml, const struct mets *mets)
{
    xml_open(xml, "object");
    xml_put(xml, "xsi:type", "intellectualEntity");
    identifier(xml, "object", "OBJID", mets->id);
    xml_close(xml);
}

static void event_write(struct xml *xml, const struct premis_event *event, size_t number)
{
    char id[32];
    snprintf(id, sizeof id, "event-%zu", number + 1);
    xml_open(xml, "event");
    identifier(xml, "event", "local", id);
    xml_leaf(xml, "eventType", event->type);
    xml_leaf(xml, "eventDateTime", event->time);
    xml_open(xml, "eventDetailInformation");
    xml_leaf(xml, "eventDetail", event->detail);
    xml_close(xml);
    xml_open(xml, "linkingAgentIdentifier");
    xml_leaf(xml, "linkingAgentIdentifierType", "local");
    xml_leaf(xml, "linkingAgentIdentifierValue", "sohoa");
    xml_close(xml);
    xml_open(xml, "linkingObjectIdentifier");
    xml_leaf(xml, "linkingObjectIdentifierType", strchr(event->object, '/') ? "path" : "OBJID");
    xml_leaf(xml, "linkingObjectIdentifierValue", event->object);
    xml_close(xml);
    xml_close(xml);
}

static void agent_write(struct xml *xml, const struct mets *mets)
{
    xml_open(xml, "agent");
    identifier(xml, "agent", "local", "sohoa");
    xml_leaf(xml, "agentName", "Sohoa");
    xml_leaf(xml, "agentType", "software");
    xml_leaf(xml, "agentVersion", mets->build);
    xml_close(xml);
}

int premis_write(const struct premis *premis, const struct mets *mets, const struct members *objects, int fd,
                 struct err *err)
{
    AUTO(xml_destroy) struct xml *xml = xml_to(fd);
    xml_open(xml, "premis");
    xml_put(xml, "xmlns", "http://www.loc.gov/premis/v3");
    xml_put(xml, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
    xml_put(xml, "version", "3.0");
    for (size_t i = 0; objects && i < objects->count; i++)
        if (objects->at[i].use == USE_DATA)
            object_write(xml, &objects->at[i]);
    if (!objects)
        whole_write(xml, mets);
    for (size_t i = 0; i < premis->events; i++)
        event_write(xml, &premis->event[i], i);
    agent_write(xml, mets);
    xml_close(xml);
    return xml_end(xml, NULL, err);
}
