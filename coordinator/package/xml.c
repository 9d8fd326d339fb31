/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/package/xml.h"

#include <libxml/parser.h>
#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/auto.h"

enum { READ_STEP_BYTES = 1 << 16 };

struct xml {
    xmlBuffer *memory; /* NULL: into a file */
    xmlTextWriter *writer;
    bool failed;
};

static struct xml *xml_begin(xmlBuffer *memory, xmlTextWriter *writer)
{
    struct xml *xml = calloc(1, sizeof *xml);
    if (!xml || !writer)
        abort();
    xml->memory = memory;
    xml->writer = writer;
    xmlTextWriterSetIndent(writer, 1);
    xml->failed = xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL) < 0;
    return xml;
}

struct xml *xml_new(void)
{
    xmlBuffer *memory = xmlBufferCreate();
    return xml_begin(memory, memory ? xmlNewTextWriterMemory(memory, 0) : NULL);
}

static int fd_write(void *context, const char *data, int bytes)
{
    int fd = *(int *)context;
    for (int at = 0; at < bytes;) {
        ssize_t n = write(fd, data + at, (size_t)(bytes - at));
        if (n <= 0)
            return -1;
        at += (int)n;
    }
    return bytes;
}

static int fd_forget(void *context)
{
    free(context);
    return 0;
}

struct xml *xml_to(int fd)
{
    int *context = malloc(sizeof *context);
    if (!context)
        abort();
    *context = fd;
    xmlOutputBuffer *output = xmlOutputBufferCreateIO(fd_write, fd_forget, context, NULL);
    return xml_begin(NULL, output ? xmlNewTextWriter(output) : NULL);
}

void xml_destroy(struct xml **xml)
{
    if (!*xml)
        return;
    if ((*xml)->writer)
        xmlFreeTextWriter((*xml)->writer);
    if ((*xml)->memory)
        xmlBufferFree((*xml)->memory);
    free(*xml);
    *xml = NULL;
}

void xml_open(struct xml *xml, const char *element)
{
    xml->failed = xml->failed || xmlTextWriterStartElement(xml->writer, BAD_CAST element) < 0;
}

void xml_put(struct xml *xml, const char *attribute, const char *value)
{
    xml->failed = xml->failed || xmlTextWriterWriteAttribute(xml->writer, BAD_CAST attribute, BAD_CAST value) < 0;
}

void xml_text(struct xml *xml, const char *text)
{
    xml->failed = xml->failed || xmlTextWriterWriteString(xml->writer, BAD_CAST text) < 0;
}

void xml_close(struct xml *xml)
{
    xml->failed = xml->failed || xmlTextWriterEndElement(xml->writer) < 0;
}

void xml_leaf(struct xml *xml, const char *element, const char *text)
{
    xml_open(xml, element);
    xml_text(xml, text);
    xml_close(xml);
}

int xml_end(struct xml *xml, struct buf *into, struct err *err)
{
    xml->failed = xml->failed || xmlTextWriterEndDocument(xml->writer) < 0 || xmlTextWriterFlush(xml->writer) < 0;
    xmlFreeTextWriter(xml->writer);
    xml->writer = NULL;
    if (!xml->failed && xml->memory)
        buf_append(into, xmlBufferContent(xml->memory), (size_t)xmlBufferLength(xml->memory));
    return xml->failed ? err_set(err, E_IO, "XML can't be written") : 0;
}

/* ---- reading ---- */

struct xml_node {
    const xmlChar **attributes; /* of SAX2: name, prefix, namespace, value, its end */
    int count;
};

struct reading {
    void (*each)(const struct xml_node *node, const char *element, const char *text, void *user);
    void *user;
    struct buf text; /* of the innermost element */
};

static char attribute_value[4096]; /* of the last xml_attribute(): one thread checks packages */

const char *xml_attribute(const struct xml_node *node, const char *name)
{
    for (int i = 0; node && i < node->count; i++) {
        const xmlChar **at = node->attributes + 5 * i;
        if (strcmp((const char *)at[0], name))
            continue;
        size_t bytes = (size_t)(at[4] - at[3]);
        if (bytes >= sizeof attribute_value)
            return NULL;
        memcpy(attribute_value, at[3], bytes);
        attribute_value[bytes] = '\0';
        return attribute_value;
    }
    return NULL;
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces,
                     const xmlChar **namespace, int attributes, int defaulted, const xmlChar **attribute)
{
    struct reading *reading = user;
    struct xml_node node = {attribute, attributes};
    (void)prefix, (void)uri, (void)namespaces, (void)namespace, (void)defaulted;
    buf_clear(&reading->text);
    reading->each(&node, (const char *)name, NULL, reading->user);
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct reading *reading = user;
    (void)prefix, (void)uri;
    reading->each(NULL, (const char *)name, buf_text(&reading->text), reading->user);
    buf_clear(&reading->text);
}

static void on_text(void *user, const xmlChar *text, int bytes)
{
    struct reading *reading = user;
    buf_append(&reading->text, text, (size_t)bytes);
}

int xml_read(const struct buf *data,
             void (*each)(const struct xml_node *node, const char *element, const char *text, void *user), void *user,
             struct err *err)
{
    struct reading reading = {.each = each, .user = user};
    xmlSAXHandler handler = {.initialized = XML_SAX2_MAGIC,
                             .startElementNs = on_start,
                             .endElementNs = on_end,
                             .characters = on_text,
                             .cdataBlock = on_text};
    xmlParserCtxt *parser = xmlCreatePushParserCtxt(&handler, &reading, NULL, 0, NULL);
    if (!parser)
        abort();
    xmlCtxtUseOptions(parser, XML_PARSE_NONET);
    int failed = 0;
    for (size_t at = 0; at < data->size && !failed; at += READ_STEP_BYTES) { /* libxml2 takes at most 10 MB at once */
        size_t rest = data->size - at, bytes = rest < READ_STEP_BYTES ? rest : READ_STEP_BYTES;
        failed = xmlParseChunk(parser, (const char *)data->data + at, (int)bytes, 0);
    }
    failed = failed || xmlParseChunk(parser, "", 0, 1);
    bool formed = !failed && parser->wellFormed;
    int line = parser->input ? parser->input->line : 0;
    xmlFreeParserCtxt(parser);
    buf_destroy(&reading.text);
    return formed ? 0 : err_set(err, E_CORRUPT, "line %d: not well-formed XML", line);
}
