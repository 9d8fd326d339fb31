/* SPDX-License-Identifier: AGPL-3.0-or-later
 * ALTO and plain text: valid against the published schema (where it is at hand), complete, and the same every time. */
#include "worker/alto.h"

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants three of them */
#include <cmocka.h>

#include "proto/auto.h"
#include "worker/quality.h"

static const uint8_t source[SHA256_BYTES] = {0xab, 0xcd}, pipeline[SHA256_BYTES] = {0x12, 0x34};

static Sohoa__Word *add_word(Sohoa__Line *line, const char *text, int32_t x, uint32_t confidence_cpct)
{
    Sohoa__Word *word = line_add_word(line, text);
    word->x = x;
    word->y = line->y;
    word->w = 90;
    word->h = 40;
    word->confidence_cpct = confidence_cpct;
    return word;
}

static Sohoa__Line *add_line(Sohoa__Block *block, int32_t y)
{
    Sohoa__Line *line = block_add_line(block);
    line->y = y;
    line->x0 = 100;
    line->x1 = 300;
    line->y0 = line->y1 = y + 30;
    return line;
}

static Sohoa__Page *add_page(uint32_t page_no, Sohoa__PageKind kind)
{
    Sohoa__Page *page = page_new(page_no);
    page->kind = kind;
    page->width_px = 2480;
    page->height_px = 3508;
    page->dpi_view = 300;
    return page;
}

enum { PAGES = 4, EXIT_SKIPPED = 77 };

static bool without_schema; /* then the program as a whole counts as skipped */

static void document_new(Sohoa__Page *pages[PAGES])
{
    pages[0] = add_page(1, SOHOA__PAGE_KIND__PAGE_SCAN);
    Sohoa__Block *block = page_add_block(pages[0]);
    Sohoa__Line *line = add_line(block, 100);
    add_word(line, "Số:", 100, 9650);
    add_word(line, "<25/\"CT\"&UBND>", 200, 5);
    add_word(add_line(block, 150), "Quận", 100, 10000);
    add_word(add_line(page_add_block(pages[0]), 300), "Điều", 100, 7)->own = true;
    pages[0]->rotation_deg = 90;
    line->words[0]->raw = strdup("S<ö:");
    pages[0]->dpi_scan = 150;
    pages[0]->bits = 8;
    quality_measure(pages[0]);
    pages[1] = add_page(2, SOHOA__PAGE_KIND__PAGE_BLANK);
    pages[2] = add_page(3, SOHOA__PAGE_KIND__PAGE_IMAGE);
    pages[3] = add_page(4, SOHOA__PAGE_KIND__PAGE_TEXT);
    line = add_line(page_add_block(pages[3]), 100);
    add_word(line, "a\x01z", 100, 10000)->own = true;
    add_word(line, "\xef\xbf\xbf", 200, 10000)->own = true;
    add_word(line, "b\xff\xc3", 300, 10000)->own = true;
    add_word(line, "c\td", 400, 10000)->own = true;
    for (int i = 0; i < PAGES; i++)
        page_fit_bounds(pages[i]);
}

static void document_destroy(Sohoa__Page *pages[PAGES])
{
    for (int i = 0; i < PAGES; i++)
        page_destroy(&pages[i]);
}

static void write_alto(struct buf *out)
{
    Sohoa__Page *pages[PAGES];
    struct err err = {0};
    document_new(pages);
    assert_int_equal(alto_write(pages, PAGES, source, pipeline, out, &err), 0);
    document_destroy(pages);
}

/* The XPath expression's string value; a is ALTO's namespace. */
static void expect_path(const char *path, const char *expected)
{
    AUTO(buf_destroy) struct buf alto = {0};
    write_alto(&alto);
    xmlDoc *doc = xmlReadMemory((const char *)alto.data, (int)alto.size, NULL, NULL, XML_PARSE_NONET);
    assert_non_null(doc);
    xmlXPathContext *context = xmlXPathNewContext(doc);
    xmlXPathRegisterNs(context, BAD_CAST "a", BAD_CAST "http://www.loc.gov/standards/alto/ns-v4#");
    xmlXPathObject *value = xmlXPathEvalExpression(BAD_CAST path, context);
    assert_non_null(value);
    xmlChar *text = xmlXPathCastToString(value);
    assert_string_equal((char *)text, expected);
    xmlFree(text);
    xmlXPathFreeObject(value);
    xmlXPathFreeContext(context);
    xmlFreeDoc(doc);
}

static void positions_text_and_confidence_are_there(void **state)
{
    (void)state;
    expect_path("count(//a:Page)", "4");
    expect_path("//a:MeasurementUnit", "pixel");
    expect_path("substring(//a:fileIdentifier, 1, 6)", "abcd00");
    expect_path("substring(//a:processingStepSettings, 1, 13)", "pipeline 1234");
    expect_path("//a:softwareName", "sohoa");
    expect_path("//a:Page[1]/@WIDTH", "2480");
    expect_path("//a:Page[1]/@ROTATION", "90");
    expect_path("//a:Page[1]/@PAGECLASS", "scan");
    expect_path("count(//a:Page[1]//a:TextBlock)", "2");
    expect_path("//a:TextLine[1]/@BASELINE", "100,130 300,130");
    expect_path("//a:String[@ID='p1_b1_l1_w1']/@CONTENT", "Số:");
    expect_path("//a:String[@ID='p1_b1_l1_w1']/@WC", "0.9650");
    expect_path("//a:String[@ID='p1_b1_l1_w2']/@CONTENT", "<25/\"CT\"&UBND>");
    expect_path("//a:String[@ID='p1_b1_l1_w2']/@WC", "0.0005");
    expect_path("//a:String[@ID='p1_b1_l2_w1']/@WC", "1.0000");
    expect_path("//a:String[@ID='p1_b1_l1_w2']/@HPOS", "200");
    expect_path("//a:SP[1]/@HPOS", "190");
    expect_path("//a:SP[1]/@WIDTH", "10");
}

static void quality_and_other_readings_are_there(void **state)
{
    (void)state;
    expect_path("//a:Page[1]/@QUALITY_DETAIL", "grade C, low_dpi, low_colour");
    expect_path("//a:Page[1]/@ACCURACY < 95", "true");
    expect_path("count(//a:Page[2]/@ACCURACY | //a:Page[2]/@QUALITY_DETAIL)", "0");
    expect_path("//a:String[@ID='p1_b1_l1_w1']/a:ALTERNATIVE[@PURPOSE='raw']", "S<ö:");
    expect_path("count(//a:ALTERNATIVE)", "1");
}

static void own_words_are_told_apart(void **state)
{
    (void)state;
    expect_path("//a:String[@CONTENT='Điều']/@TAGREFS", "own");
    expect_path("count(//a:String[@TAGREFS and @WC])", "0");
    expect_path("count(//a:String[not(@TAGREFS) and not(@WC)])", "0");
    expect_path("//a:OtherTag/@ID", "own");
}

static void pages_without_text_are_there(void **state)
{
    (void)state;
    expect_path("//a:Page[2]/@PAGECLASS", "blank");
    expect_path("//a:Page[3]/@PAGECLASS", "image");
    expect_path("count(//a:Page[2]//a:String | //a:Page[3]//a:String)", "0");
    expect_path("count(//a:Page[2]/@PC)", "0");
}

static void what_xml_forbids_is_replaced(void **state)
{
    (void)state;
    expect_path("//a:Page[4]//a:String[1]/@CONTENT", "a\xef\xbf\xbdz");
    expect_path("//a:Page[4]//a:String[2]/@CONTENT", "\xef\xbf\xbd");
    expect_path("//a:Page[4]//a:String[3]/@CONTENT", "b\xef\xbf\xbd\xef\xbf\xbd");
    expect_path("//a:Page[4]//a:String[4]/@CONTENT", "c d");
}

static void the_same_pages_give_the_same_bytes(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf first = {0}, second = {0};
    write_alto(&first);
    write_alto(&second);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
}

static void it_is_valid_alto(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf alto = {0};
    const char *tree = getenv("SOHOA_SOURCE");
    char schemas[2048], file[] = "/tmp/sohoa-alto-XXXXXX", command[6000];
    snprintf(schemas, sizeof schemas, "%s/../shared/schemas", tree ? tree : ".");
    if (access(schemas, R_OK)) {
        print_message("%s is not there\n", schemas);
        without_schema = true;
        skip();
    }
    write_alto(&alto);
    AUTO(fd_destroy) int fd = mkstemp(file);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, alto.data, alto.size), alto.size);
    snprintf(command, sizeof command,
             "cd '%s' && XML_CATALOG_FILES=$PWD/catalog.xml xmllint --nonet --noout --schema alto-4-4.xsd %s 2>&1",
             schemas, file);
    int status = system(command);
    unlink(file);
    assert_int_equal(status, 0);
}

static void text_has_lines_blocks_and_pages(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf text = {0};
    Sohoa__Page *pages[PAGES];
    document_new(pages);
    text_write(pages, PAGES, &text);
    document_destroy(pages);
    assert_string_equal(buf_text(&text), "Số: <25/\"CT\"&UBND>\nQuận\n\nĐiều\n\f\f\fa\xef\xbf\xbdz \xef\xbf\xbd "
                                         "b\xef\xbf\xbd\xef\xbf\xbd c d\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_text_and_confidence_are_there),
        cmocka_unit_test(quality_and_other_readings_are_there),
        cmocka_unit_test(own_words_are_told_apart),
        cmocka_unit_test(pages_without_text_are_there),
        cmocka_unit_test(what_xml_forbids_is_replaced),
        cmocka_unit_test(the_same_pages_give_the_same_bytes),
        cmocka_unit_test(it_is_valid_alto),
        cmocka_unit_test(text_has_lines_blocks_and_pages),
    };
    int failed = cmocka_run_group_tests_name("alto", tests, NULL, NULL);
    return failed ? failed : without_schema ? EXIT_SKIPPED : 0;
}
