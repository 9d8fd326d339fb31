/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/package/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"

enum { LARGE_BYTES = 12 << 20 }; /* libxml2 takes 10 MB at once */

struct seen {
    unsigned elements;
    char attribute[64], text[64];
};

static void on_node(const struct xml_node *node, const char *element, const char *text, void *user)
{
    struct seen *seen = user;
    seen->elements += node != NULL;
    if (strcmp(element, "leaf"))
        return;
    const char *value = xml_attribute(node, "name");
    if (value)
        snprintf(seen->attribute, sizeof seen->attribute, "%s", value);
    if (text)
        snprintf(seen->text, sizeof seen->text, "%s", text);
}

static void whole(struct buf *into, const char *text, const char *attribute)
{
    struct err err;
    AUTO(xml_destroy) struct xml *xml = xml_new();
    xml_open(xml, "root");
    xml_open(xml, "leaf");
    xml_put(xml, "name", attribute);
    xml_text(xml, text);
    xml_close(xml);
    xml_close(xml);
    assert_int_equal(xml_end(xml, into, &err), 0);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf data = {0};
    struct seen seen = {0};
    whole(&data, "quyết toán < 1 & \"2\"", "Ủy ban 'nhân dân'");
    assert_int_equal(xml_read(&data, on_node, &seen, NULL), 0);
    assert_int_equal(seen.elements, 2);
    assert_string_equal(seen.text, "quyết toán < 1 & \"2\"");
    assert_string_equal(seen.attribute, "Ủy ban 'nhân dân'");
}

static void a_large_document_is_read(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf data = {0};
    struct seen seen = {0};
    unsigned leaves = 0;
    buf_puts(&data, "<root>");
    for (; data.size < LARGE_BYTES; leaves++)
        buf_printf(&data, "<leaf name=\"%u\">văn bản số %u</leaf>\n", leaves, leaves);
    buf_puts(&data, "</root>");
    assert_int_equal(xml_read(&data, on_node, &seen, NULL), 0);
    assert_int_equal(seen.elements, leaves + 1);
    assert_int_equal(strtoul(seen.attribute, NULL, 10), leaves - 1);
}

static void what_is_broken_is_refused(void **state)
{
    (void)state;
    const char *const broken[] = {"", "<a>", "<a></b>", "<a/><b/>", "no XML", "<a>&lol;</a>", "<a b=c/>"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        AUTO(buf_destroy) struct buf data = {0};
        struct seen seen = {0};
        struct err err = {0};
        buf_puts(&data, broken[i]);
        assert_int_equal(xml_read(&data, on_node, &seen, &err), E_CORRUPT);
        assert_non_null(strstr(err.text, "not well-formed"));
    }
}

static void a_file_that_is_full_is_told(void **state)
{
    (void)state;
    struct err err = {0};
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    AUTO(xml_destroy) struct xml *xml = xml_to(fileno(full));
    xml_open(xml, "root");
    xml_close(xml);
    assert_int_equal(xml_end(xml, NULL, &err), E_IO);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_large_document_is_read),
        cmocka_unit_test(what_is_broken_is_refused),
        cmocka_unit_test(a_file_that_is_full_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
