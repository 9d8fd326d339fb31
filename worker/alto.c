/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The only file that writes XML for pages. Every write is checked by its count of bytes; the first that fails is
 * remembered, and the rest of the document is not written. */
#include "worker/alto.h"

#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <stdarg.h>

#include "proto/auto.h"
#include "proto/sha256.h"
#include "worker/quality.h"

#define ALTO_NAMESPACE "http://www.loc.gov/standards/alto/ns-v4#"
#define ALTO_SCHEMA    "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd"

enum {
    ALTO_BLOCK_ID_BYTES = 48,
    ALTO_LINE_ID_BYTES = 80,
    ALTO_SURE_CPCT = 10000,
};

static const char *const alto_class[] = {
    [SOHOA__PAGE_KIND__PAGE_SCAN] = "scan",
    [SOHOA__PAGE_KIND__PAGE_TEXT] = "text",
    [SOHOA__PAGE_KIND__PAGE_BLANK] = "blank",
    [SOHOA__PAGE_KIND__PAGE_IMAGE] = "image",
};

struct alto {
    xmlTextWriter *xml;
    struct buf word; /* scratch */
    bool failed;
};

static void alto_clear(struct alto *alto)
{
    if (alto->xml)
        xmlFreeTextWriter(alto->xml);
    buf_destroy(&alto->word);
}

static void begin(struct alto *alto, const char *element)
{
    alto->failed = alto->failed || xmlTextWriterStartElement(alto->xml, BAD_CAST element) < 0;
}

static void end(struct alto *alto)
{
    alto->failed = alto->failed || xmlTextWriterEndElement(alto->xml) < 0;
}

static void attribute(struct alto *alto, const char *name, const char *value)
{
    alto->failed = alto->failed || xmlTextWriterWriteAttribute(alto->xml, BAD_CAST name, BAD_CAST value) < 0;
}

static __attribute__((format(printf, 3, 4))) void attributef(struct alto *alto, const char *name, const char *format,
                                                             ...)
{
    va_list ap;
    va_start(ap, format);
    alto->failed = alto->failed || xmlTextWriterWriteVFormatAttribute(alto->xml, BAD_CAST name, format, ap) < 0;
    va_end(ap);
}

static void element(struct alto *alto, const char *name, const char *text)
{
    alto->failed = alto->failed || xmlTextWriterWriteElement(alto->xml, BAD_CAST name, BAD_CAST text) < 0;
}

static void place(struct alto *alto, int32_t x, int32_t y, uint32_t w, uint32_t h)
{
    attributef(alto, "HPOS", "%" PRId32, x);
    attributef(alto, "VPOS", "%" PRId32, y);
    attributef(alto, "WIDTH", "%" PRIu32, w);
    attributef(alto, "HEIGHT", "%" PRIu32, h);
}

/* 0 to 1, as ALTO wants it. */
static void confidence(struct alto *alto, const char *name, uint32_t cpct)
{
    cpct = cpct > ALTO_SURE_CPCT ? ALTO_SURE_CPCT : cpct;
    attributef(alto, name, "%" PRIu32 ".%04" PRIu32, cpct / ALTO_SURE_CPCT, cpct % ALTO_SURE_CPCT);
}

static void alternative_write(struct alto *alto, const char *purpose, const char *text)
{
    buf_clear(&alto->word);
    text_append(text, &alto->word);
    begin(alto, "ALTERNATIVE");
    attribute(alto, "PURPOSE", purpose);
    alto->failed = alto->failed || xmlTextWriterWriteString(alto->xml, BAD_CAST buf_text(&alto->word)) < 0;
    end(alto);
}

static void word_write(struct alto *alto, const char *id, size_t number, const Sohoa__Word *word)
{
    buf_clear(&alto->word);
    text_append(word->text, &alto->word);
    begin(alto, "String");
    attributef(alto, "ID", "%s_w%zu", id, number);
    place(alto, word->x, word->y, word->w, word->h);
    attribute(alto, "CONTENT", buf_text(&alto->word));
    if (word->own)
        attribute(alto, "TAGREFS", "own");
    else
        confidence(alto, "WC", word->confidence_cpct);
    if (*word->raw)
        alternative_write(alto, "raw", word->raw);
    end(alto);
}

static void space_write(struct alto *alto, const Sohoa__Word *before, const Sohoa__Word *after)
{
    int64_t from = (int64_t)before->x + before->w, gap = after->x - from;
    begin(alto, "SP");
    attributef(alto, "HPOS", "%" PRId64, from);
    attributef(alto, "VPOS", "%" PRId32, before->y);
    attributef(alto, "WIDTH", "%" PRId64, gap > 0 ? gap : 0);
    end(alto);
}

static void line_write(struct alto *alto, const char *block_id, size_t number, const Sohoa__Line *line)
{
    char id[ALTO_LINE_ID_BYTES];
    if (!line->n_words)
        return;
    snprintf(id, sizeof id, "%s_l%zu", block_id, number);
    begin(alto, "TextLine");
    attribute(alto, "ID", id);
    place(alto, line->x, line->y, line->w, line->h);
    if (line->x0 != line->x1 || line->y0 != line->y1)
        attributef(alto, "BASELINE", "%" PRId32 ",%" PRId32 " %" PRId32 ",%" PRId32, line->x0, line->y0, line->x1,
                   line->y1);
    for (size_t i = 0; i < line->n_words; i++) {
        if (i)
            space_write(alto, line->words[i - 1], line->words[i]);
        word_write(alto, id, i + 1, line->words[i]);
    }
    end(alto);
}

static void block_write(struct alto *alto, uint32_t page_no, size_t number, const Sohoa__Block *block)
{
    char id[ALTO_BLOCK_ID_BYTES];
    snprintf(id, sizeof id, "p%" PRIu32 "_b%zu", page_no, number);
    begin(alto, "TextBlock");
    attribute(alto, "ID", id);
    place(alto, block->x, block->y, block->w, block->h);
    for (size_t i = 0; i < block->n_lines; i++)
        line_write(alto, id, i + 1, block->lines[i]);
    end(alto);
}

/* The schema's own QUALITY is of the original, which nobody here judges. */
static void quality_write(struct alto *alto, const Sohoa__Page *page)
{
    const char *grade = grade_name(page->grade);
    uint32_t right_cpct = page->error_cpct < ALTO_SURE_CPCT ? ALTO_SURE_CPCT - page->error_cpct : 0;
    buf_clear(&alto->word);
    if (grade)
        buf_printf(&alto->word, "grade %s", grade);
    for (size_t i = 0; i < page->n_notes; i++)
        buf_printf(&alto->word, "%s%s", alto->word.size ? ", " : "", page_note_name(page->notes[i]));
    if (alto->word.size)
        attribute(alto, "QUALITY_DETAIL", buf_text(&alto->word));
    if (page->quality)
        attributef(alto, "ACCURACY", "%" PRIu32 ".%02" PRIu32, right_cpct / 100, right_cpct % 100);
}

static void page_write(struct alto *alto, const Sohoa__Page *page)
{
    struct page_figures figures;
    page_measure(page, &figures);
    begin(alto, "Page");
    attributef(alto, "ID", "p%" PRIu32, page->page_no);
    attributef(alto, "PHYSICAL_IMG_NR", "%" PRIu32, page->page_no);
    attributef(alto, "WIDTH", "%" PRIu32, page->width_px);
    attributef(alto, "HEIGHT", "%" PRIu32, page->height_px);
    if ((size_t)page->kind < sizeof alto_class / sizeof alto_class[0])
        attribute(alto, "PAGECLASS", alto_class[page->kind]);
    attribute(alto, "PROCESSINGREFS", "sohoa");
    quality_write(alto, page);
    if (figures.confidence_cpct)
        confidence(alto, "PC", figures.confidence_cpct);
    if (page->rotation_deg)
        attributef(alto, "ROTATION", "%" PRIu32, page->rotation_deg);
    begin(alto, "PrintSpace");
    place(alto, 0, 0, page->width_px, page->height_px);
    for (size_t i = 0; i < page->n_blocks; i++)
        block_write(alto, page->page_no, i + 1, page->blocks[i]);
    end(alto);
    end(alto);
}

static void description_write(struct alto *alto, const uint8_t sha256[SHA256_BYTES],
                              const uint8_t pipeline[SHA256_BYTES])
{
    char hex[SHA256_HEX_CHARS + 1];
    begin(alto, "Description");
    element(alto, "MeasurementUnit", "pixel");
    begin(alto, "sourceImageInformation");
    sha256_hex(sha256, hex);
    begin(alto, "fileIdentifier");
    attribute(alto, "fileIdentifierLocation", "SHA-256");
    alto->failed = alto->failed || xmlTextWriterWriteString(alto->xml, BAD_CAST hex) < 0;
    end(alto);
    end(alto);
    begin(alto, "Processing");
    attribute(alto, "ID", "sohoa");
    element(alto, "processingCategory", "contentGeneration");
    sha256_hex(pipeline, hex);
    alto->failed = alto->failed || xmlTextWriterWriteFormatElement(alto->xml, BAD_CAST "processingStepSettings",
                                                                   "pipeline %s", hex) < 0;
    begin(alto, "processingSoftware");
    element(alto, "softwareName", "sohoa");
    end(alto);
    end(alto);
    end(alto);
    begin(alto, "Tags");
    begin(alto, "OtherTag");
    attribute(alto, "ID", "own");
    attribute(alto, "TYPE", "origin");
    attribute(alto, "LABEL", "text that the source itself carries");
    end(alto);
    end(alto);
}

static int alto_append(void *out, const char *data, int bytes)
{
    buf_append(out, data, (size_t)bytes);
    return bytes;
}

static bool alto_open(struct alto *alto, struct buf *out)
{
    xmlOutputBuffer *sink = xmlOutputBufferCreateIO(alto_append, NULL, out, NULL);
    alto->xml = sink ? xmlNewTextWriter(sink) : NULL;
    if (sink && !alto->xml)
        xmlOutputBufferClose(sink);
    return alto->xml != NULL;
}

int alto_write(Sohoa__Page *const *pages, uint32_t count, const uint8_t sha256[SHA256_BYTES],
               const uint8_t pipeline[SHA256_BYTES], struct buf *out, struct err *err)
{
    AUTO(alto_clear) struct alto alto = {0};
    if (!alto_open(&alto, out))
        return err_set(err, E_ASSEMBLE, "no memory to write ALTO");
    alto.failed = xmlTextWriterStartDocument(alto.xml, NULL, "UTF-8", NULL) < 0;
    begin(&alto, "alto");
    attribute(&alto, "xmlns", ALTO_NAMESPACE);
    attribute(&alto, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
    attribute(&alto, "xsi:schemaLocation", ALTO_NAMESPACE " " ALTO_SCHEMA);
    attribute(&alto, "SCHEMAVERSION", "4.4");
    description_write(&alto, sha256, pipeline);
    begin(&alto, "Layout");
    for (uint32_t i = 0; i < count && !alto.failed; i++)
        page_write(&alto, pages[i]);
    if (alto.failed || xmlTextWriterEndDocument(alto.xml) < 0 || xmlTextWriterFlush(alto.xml) < 0)
        return err_set(err, E_ASSEMBLE, "writing ALTO of %" PRIu32 " pages failed", count);
    return 0;
}
