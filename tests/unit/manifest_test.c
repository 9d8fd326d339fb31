/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Manifests: what RFC 4180 allows is read, what it does not allow is refused with its line, nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "coordinator/manifest.h"
#include "proto/auto.h"

#define UTC_2025_12_31_1659_59_999_MS UINT64_C(1767200399999)

static void csv_is(const char *csv, const char *lines)
{
    AUTO(buf_destroy) struct buf out = {0};
    struct err err = {0};
    int rc = manifest_from_csv(csv, strlen(csv), &out, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, 0);
    assert_string_equal(buf_text(&out), lines);
}

static void csv_fails(const char *csv, const char *text)
{
    AUTO(buf_destroy) struct buf out = {0};
    struct err err = {0};
    assert_int_equal(manifest_from_csv(csv, strlen(csv), &out, &err), E_MANIFEST);
    assert_string_equal(err.text, text);
}

static void row_fails(const char *json, const char *text)
{
    struct manifest_row row;
    struct err err = {0};
    assert_int_equal(manifest_row_parse(json, strlen(json), 7, &row, &err), E_MANIFEST);
    assert_string_equal(err.text, text);
}

static void plain(void **state)
{
    (void)state;
    csv_is("source,unit\na.pdf,new:00004\n", "{\"source\":\"a.pdf\",\"unit\":\"new:00004\"}\n");
    csv_is("source\na.pdf", "{\"source\":\"a.pdf\"}\n");
    csv_is("source\n", "");
}

static void windows(void **state)
{
    (void)state;
    csv_is("\xef\xbb\xbfpages,source\r\n12,Hồ sơ 1/Quyết định.pdf\r\n\r\n,b.pdf\r\n",
           "{\"pages\":\"12\",\"source\":\"Hồ sơ 1/Quyết định.pdf\"}\n{\"source\":\"b.pdf\"}\n");
}

static void quotes(void **state)
{
    (void)state;
    csv_is("source,note\n\"a, \"\"b\"\".pdf\",\"two\nlines\"\n\"c.pdf\",\"\"\n",
           "{\"source\":\"a, \\\"b\\\".pdf\",\"note\":\"two\\nlines\"}\n{\"source\":\"c.pdf\"}\n");
    csv_is("\"source\"\n\"a.pdf\"", "{\"source\":\"a.pdf\"}\n");
}

static void kept(void **state)
{
    (void)state;
    csv_is("shelf,ordinal,source\n4 bis,0007,a.pdf\n",
           "{\"shelf\":\"4 bis\",\"ordinal\":\"0007\",\"source\":\"a.pdf\"}\n");
}

static void broken_csv(void **state)
{
    (void)state;
    csv_fails("", "line 1: column 1 has no name");
    csv_fails("source;unit\n",
              "line 1: there is no column 'source'; the first line names the columns, with commas between "
              "them");
    csv_fails("source,source\n", "line 1: column 'source' is there twice");
    csv_fails("source,unit\na.pdf\n", "line 2: 1 columns, but the first line names 2");
    csv_fails("source\n\"a\nb\"c\n", "line 3, column 1: text after the closing quote");
    csv_fails("source,unit\na,\"b\n\n", "line 2, column 2: the quote is never closed");
    csv_fails("source\na\"b\n", "line 2, column 1: a quote inside a cell that is not quoted");
    csv_fails("source\na\rb\n", "line 2, column 1: a carriage return without a newline");
    csv_fails("source\n\xff.pdf\n", "line 2, column 1: not UTF-8; save the file as UTF-8");
    csv_fails("source,unit\n\"x\ny\",\n,new:00004\n", "line 4: source is missing; every row needs one");
    csv_fails("source,unit\na.pdf,00004\n",
              "line 2: unit '00004' is not of the form district:001, old:00004 or new:00004");
    csv_fails("source,pages\na.pdf,many\n", "line 2: pages is not a number from 1 to 20000");
}

static void row_all(void **state)
{
    (void)state;
    const char *json = "{\"source\":\"/scans/a b.pdf\",\"unit\":\"district:001\",\"bloc\":\"party\",\"fonds\":\"F1\","
                       "\"file_code\":\"H26.1\",\"ordinal\":\"1\",\"retention\":\"permanent\",\"priority\":\"1\","
                       "\"deadline\":\"2025-12-31\",\"pages\":20000,\"shelf\":[1,2],\"note\":null}";
    struct manifest_row row;
    struct err err = {0};
    assert_int_equal(manifest_row_parse(json, strlen(json), 1, &row, &err), 0);
    assert_string_equal(row.source, "/scans/a b.pdf");
    assert_string_equal(row.unit, "district:001");
    assert_string_equal(row.bloc, "party");
    assert_string_equal(row.fonds, "F1");
    assert_string_equal(row.file_code, "H26.1");
    assert_int_equal(row.priority, 1);
    assert_int_equal(row.pages, 20000);
    assert_true(row.deadline_ms == UTC_2025_12_31_1659_59_999_MS);
}

static void row_least(void **state)
{
    (void)state;
    const char *json = "{\"source\":\"a\",\"pages\":null}";
    struct manifest_row row;
    struct err err = {0};
    assert_int_equal(manifest_row_parse(json, strlen(json), 1, &row, &err), 0);
    assert_int_equal(row.pages, 0);
    assert_int_equal(row.priority, 0);
    assert_true(row.deadline_ms == 0);
    assert_string_equal(row.unit, "");
}

static void row_broken(void **state)
{
    (void)state;
    row_fails("[]", "line 7: not a JSON object");
    row_fails("{}", "line 7: source is missing; every row needs one");
    row_fails("{\"source\":7}", "line 7: source is not text");
    row_fails("{\"source\":\"a\",\"priority\":6}", "line 7: priority is not a number from 1 to 5");
    row_fails("{\"source\":\"a\",\"priority\":1.5}", "line 7: priority is not a number from 1 to 5");
    row_fails("{\"source\":\"a\",\"pages\":0}", "line 7: pages is not a number from 1 to 20000");
    row_fails("{\"source\":\"a\",\"deadline\":\"2025-02-29\"}",
              "line 7: deadline '2025-02-29' is not a day of the form YYYY-MM-DD");
    row_fails("{\"source\":\"a\",\"deadline\":\"31/12/2025\"}",
              "line 7: deadline '31/12/2025' is not a day of the form YYYY-MM-DD");
    row_fails("{\"source\":\"a\",\"deadline\":20251231}", "line 7: deadline is not text (YYYY-MM-DD)");
    row_fails("{\"source\":\"a\",\"source\":\"b\"}", "line 7: not JSON: duplicate object key near '\"source\"'");
}

static void row_limits(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf json = {0};
    buf_printf(&json, "{\"source\":\"%*s\"}", SOURCE_PATH_BYTES, "a");
    row_fails(buf_text(&json), "line 7: source is longer than 4095 bytes");
    buf_clear(&json);
    buf_printf(&json, "{\"source\":\"a\",\"note\":\"%*s\"}", MANIFEST_ROW_BYTES, "a");
    row_fails(buf_text(&json), "line 7: longer than 65536 bytes");
}

static void leap_days(void **state)
{
    (void)state;
    uint64_t ms = 0;
    assert_int_equal(manifest_deadline("2024-02-29", &ms, NULL), 0);
    assert_true(ms == UINT64_C(1709225999999)); /* 2024-02-29T16:59:59.999Z */
    assert_int_equal(manifest_deadline("1970-01-01", &ms, NULL), 0);
    assert_true(ms == UINT64_C(61199999));
    assert_int_equal(manifest_deadline("2100-02-29", &ms, NULL), E_MANIFEST);
    assert_int_equal(manifest_deadline("2025-1-011", &ms, NULL), E_MANIFEST);
    assert_int_equal(manifest_deadline("2025-00-10", &ms, NULL), E_MANIFEST);
}

/* The fields of a record that an older system knows are checked as they come in, and kept as they are. */
static void what_an_older_system_knows(void **state)
{
    (void)state;
    csv_is(
        "source,issuedDate,organName,digitised\na,05/03/1998,Uû ban nh©n d©n,yes\n",
        "{\"source\":\"a\",\"issuedDate\":\"05/03/1998\",\"organName\":\"Uû ban nh©n d©n\",\"digitised\":\"yes\"}\n");
    csv_fails("source,codeNumber\na,1\nb,123456789012\n",
              "line 3: codeNumber has 12 characters; 11 are allowed (Circular 02/2019)");
    csv_fails("source,digitised\na,perhaps\n", "line 2: digitised 'perhaps' is neither yes nor no");
    row_fails("{\"source\":\"a\",\"issuedDate\":\"31/02/1998\"}",
              "line 7: issuedDate '31/02/1998' is no day of the form DD/MM/YYYY or YYYY-MM-DD");
    row_fails("{\"source\":\"a\",\"codeNumber\":5}", "line 7: codeNumber is not text");
    row_fails("{\"source\":\"a\",\"digitised\":1}", "line 7: digitised '' is neither yes nor no");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(windows),
        cmocka_unit_test(quotes),
        cmocka_unit_test(kept),
        cmocka_unit_test(broken_csv),
        cmocka_unit_test(row_all),
        cmocka_unit_test(row_least),
        cmocka_unit_test(row_broken),
        cmocka_unit_test(row_limits),
        cmocka_unit_test(leap_days),
        cmocka_unit_test(what_an_older_system_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
