/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a manifest's row knows of a document, in its record beside what was read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "worker/prior.h"

static json_t *parse(const char *text)
{
    json_error_t fault;
    json_t *value = json_loads(text, 0, &fault);
    if (!value)
        fail_msg("%s: %s", text, fault.text);
    return value;
}

/* A record with one page of that kind and note, whose subject, number and type were read. */
static json_t *rec_new(const char *kind, const char *note)
{
    json_t *rec = parse(
        "{\"doubts\": [\"signer\", \"codeNumber\"], \"metadata\": {"
        "\"codeNumber\": {\"value\": \"05\", \"confidence\": 0.5, \"page\": 1, \"box\": [1, 2, 3, 4], \"raw\": \"o5\"},"
        "\"subject\": {\"value\": \"Về việc hoà giải\", \"confidence\": 0.95, \"page\": 1, \"box\": null, \"raw\": \"\"},"
        "\"typeName\": {\"value\": \"Quyết định\", \"confidence\": 0.99, \"page\": 1, \"box\": null, \"raw\": \"\"},"
        "\"typeCode\": {\"value\": \"02\", \"confidence\": 0.99, \"page\": 1, \"box\": null, \"raw\": \"\"},"
        "\"signer\": {\"value\": null, \"confidence\": null, \"page\": null, \"box\": null, \"raw\": \"\"}}}");
    json_object_set_new(rec, "pages", json_pack("[{s:s, s:s, s:[s]}]", "kind", kind, "state", "stored", "notes", note));
    return rec;
}

static json_t *put(json_t *rec, const char *row_text)
{
    json_t *row = parse(row_text);
    prior_put(rec, row);
    json_decref(row);
    return rec;
}

static json_t *field(json_t *rec, const char *name)
{
    json_t *field = json_object_get(json_object_get(rec, "metadata"), name);
    assert_non_null(field);
    return field;
}

static const char *text(json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "(none)";
}

static bool doubted(json_t *rec, const char *name)
{
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(rec, "doubts"), i,
                       value) if (!strcmp(json_string_value(value), name)) return true;
    return false;
}

static void the_imported_value_is_in_force(void **state)
{
    (void)state;
    json_t *rec = rec_new("scan", "red"), *before = json_deep_copy(rec);
    put(rec, "{\"source\": \"a\", \"codeNumber\": \"5\", \"issuedDate\": \"05/03/1998\", \"keyword\": \"Hµ Néi x·\"}");
    json_t *number = field(rec, "codeNumber");
    assert_string_equal(text(number, "value"), "5");
    assert_string_equal(text(number, "origin"), "imported");
    assert_string_equal(text(json_object_get(number, "imported"), "value"), "5");
    assert_string_equal(text(json_object_get(number, "read"), "value"), "05");
    assert_true(json_real_value(json_object_get(json_object_get(number, "read"), "confidence")) == 0.5);
    assert_true(json_equal(json_object_get(number, "box"), json_object_get(field(before, "codeNumber"), "box")));
    assert_string_equal(text(field(rec, "issuedDate"), "value"), "1998-03-05");
    assert_true(json_is_null(json_object_get(field(rec, "issuedDate"), "read")));
    assert_string_equal(text(field(rec, "keyword"), "value"), "Hà Nội xã");
    assert_true(json_equal(field(rec, "subject"), field(before, "subject")));
    assert_false(doubted(rec, "codeNumber"));
    assert_true(doubted(rec, "signer"));
    assert_null(json_object_get(rec, "synchronised"));
    json_decref(rec);
    json_decref(before);
}

/* Only what was surely read can put it in doubt; where the tone stands, case and points are no difference. */
static void a_sure_reading_that_differs_is_a_doubt(void **state)
{
    (void)state;
    json_t *rec = put(rec_new("scan", "red"),
                      "{\"subject\": \"VỀ VIỆC HÒA GIẢI.\", \"codeNumber\": \"77\", \"typeName\": \"2\"}");
    assert_true(json_is_null(json_object_get(field(rec, "subject"), "doubt")));
    assert_false(doubted(rec, "codeNumber"));
    assert_false(doubted(rec, "typeName"));
    json_decref(rec);
    rec = put(rec_new("scan", "red"), "{\"subject\": \"Về việc hoà giai\", \"typeName\": \"14\"}");
    assert_true(doubted(rec, "subject"));
    assert_true(doubted(rec, "typeName"));
    assert_string_equal(text(field(rec, "subject"), "doubt"), "the page says something else");
    assert_string_equal(text(field(rec, "subject"), "value"), "Về việc hoà giai");
    json_decref(rec);
}

static void a_row_that_is_no_good_changes_nothing(void **state)
{
    (void)state;
    json_t *rec = rec_new("scan", "red"), *before = json_deep_copy(rec);
    put(rec, "{\"issuedDate\": \"yesterday\", \"codeNumber\": \"5\"}");
    assert_non_null(strstr(text(rec, "import_error"), "issuedDate"));
    json_object_del(rec, "import_error");
    assert_true(json_equal(rec, before));
    json_decref(before);
    json_decref(rec);
}

static void a_digitised_document_is_synchronised_if_nothing_was_read(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *note;
        bool synchronised;
    } row[] = {
        {"scan",  "layer",         true },
        {"text",  "red",           true },
        {"blank", "scant",         true },
        {"scan",  "layer_refused", false},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        json_t *rec = put(rec_new(row[i].kind, row[i].note), "{\"digitised\": \"yes\"}");
        assert_true(json_is_boolean(json_object_get(rec, "synchronised")));
        assert_int_equal(json_is_true(json_object_get(rec, "synchronised")), row[i].synchronised);
        json_decref(rec);
    }
    json_t *rec = put(rec_new("scan", "layer"), "{\"digitised\": \"no\"}");
    assert_null(json_object_get(rec, "synchronised"));
    json_decref(rec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_imported_value_is_in_force),
        cmocka_unit_test(a_sure_reading_that_differs_is_a_doubt),
        cmocka_unit_test(a_row_that_is_no_good_changes_nothing),
        cmocka_unit_test(a_digitised_document_is_synchronised_if_nothing_was_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
