/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a row may say of a document that an older system knows: lengths, days, encodings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/buf.h"
#include "proto/imported.h"

static size_t field(const char *name)
{
    size_t i = 0;
    while (strcmp(imported_name(i), name) != 0)
        i++;
    return i;
}

/* What becomes of one text; "" where it is refused, with the reason in err. */
static const char *read_one(const char *name, const char *text, struct err *err)
{
    static char kept[4096];
    const char *raw[IMPORTED_FIELDS] = {NULL};
    char *value[IMPORTED_FIELDS];
    raw[field(name)] = text;
    *kept = '\0';
    int rc = imported_read(raw, value, err);
    if (!rc && value[field(name)])
        strcpy(kept, value[field(name)]);
    if (rc)
        assert_int_equal(rc, E_MANIFEST);
    imported_clear(value);
    return kept;
}

static void days_become_iso(void **state)
{
    (void)state;
    struct err err = {0};
    assert_string_equal(read_one("issuedDate", "05/03/1998", &err), "1998-03-05");
    assert_string_equal(read_one("issuedDate", "5/3/1998", &err), "1998-03-05");
    assert_string_equal(read_one("issuedDate", "29.02.2000", &err), "2000-02-29");
    assert_string_equal(read_one("issuedDate", "1998-03-05", &err), "1998-03-05");
    static const char *const wrong[] = {"29/02/1998", "1998/03/05",  "05/13/1998", "1998",     "05/03/98",
                                        "5-3/1998",   "05/03/1998x", "ngày 5",     "0/3/1998", "99999999999/1/1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err = (struct err){0};
        assert_string_equal(read_one("issuedDate", wrong[i], &err), "");
        assert_non_null(strstr(err.text, "issuedDate"));
        assert_non_null(strstr(err.text, "DD/MM/YYYY"));
    }
}

/* Letters count, not bytes. */
static void a_value_that_is_too_long_is_named(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf text = {0};
    struct err err = {0};
    for (unsigned i = 0; i < 500; i++)
        buf_puts(&text, "ế");
    assert_string_equal(read_one("subject", buf_text(&text), &err), buf_text(&text));
    buf_puts(&text, "x");
    assert_string_equal(read_one("subject", buf_text(&text), &err), "");
    assert_non_null(strstr(err.text, "subject has 501 characters; 500 are allowed"));
    assert_string_equal(read_one("codeNumber", "12345678901", &err), "12345678901");
    assert_string_equal(read_one("codeNumber", "123456789012", &err), "");
    assert_non_null(strstr(err.text, "codeNumber"));
    assert_string_equal(read_one("signer", buf_text(&text), &err), buf_text(&text));
}

static void old_encodings_are_converted_or_refused(void **state)
{
    (void)state;
    struct err err = {0};
    assert_string_equal(read_one("organName", "Uû ban nh©n d©n quËn", &err), "Uỷ ban nhân dân quận");
    assert_string_equal(read_one("organName", "Café Müller", &err), "");
    assert_non_null(strstr(err.text, "organName has letters of an encoding that is not Unicode"));
    const char *raw[IMPORTED_FIELDS] = {NULL};
    char *value[IMPORTED_FIELDS];
    raw[field("subject")] = "VÒ viÖc x· héi";
    raw[field("place")] = "Hµ Néi";
    raw[field("keyword")] = "plan";
    raw[field("signer")] = "  ";
    assert_int_equal(imported_read(raw, value, &err), 0);
    assert_string_equal(value[field("subject")], "Về việc xã hội");
    assert_string_equal(value[field("place")], "Hà Nội");
    assert_string_equal(value[field("keyword")], "plan");
    assert_null(value[field("signer")]);
    imported_clear(value);
}

static void digitised_is_yes_or_no(void **state)
{
    (void)state;
    bool digitised = false;
    struct err err = {0};
    assert_int_equal(imported_digitised("có", &digitised, &err), 0);
    assert_true(digitised);
    assert_int_equal(imported_digitised("no", &digitised, &err), 0);
    assert_false(digitised);
    assert_int_equal(imported_digitised("perhaps", &digitised, &err), E_MANIFEST);
    assert_non_null(strstr(err.text, "digitised 'perhaps' is neither yes nor no"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_become_iso),
        cmocka_unit_test(a_value_that_is_too_long_is_named),
        cmocka_unit_test(old_encodings_are_converted_or_refused),
        cmocka_unit_test(digitised_is_yes_or_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
