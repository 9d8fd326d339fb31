/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/where.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"

static struct backlog *backlog;
static char found[256];

/* b0: documents 0 and 1 of district:001, 2 and 3 of district:002; b1: 0 of district:001. */
static int set_up(void **state)
{
    static const uint8_t digest[2][SHA256_BYTES] = {
        {0xab, 0xcd},
        {0xef   }
    };
    (void)state;
    backlog = backlog_new();
    struct batch *first = batch_add(backlog, "b0", 0, backlog_pipeline(backlog, digest[0]));
    batch_add_lot(first, &(struct terms){.unit = "district:001", .bloc = "Party", .priority = 1}, 2, 0);
    batch_add_lot(first, &(struct terms){.unit = "district:002", .bloc = "mass organisations", .priority = 4}, 2, 0);
    batch_add_lot(batch_add(backlog, "b1", 0, backlog_pipeline(backlog, digest[1])),
                  &(struct terms){.unit = "district:001", .priority = 2}, 1, 0);
    struct err err;
    err_set(&err, E_TIME, "too slow");
    for (uint32_t d = 0; d < 4; d++) {
        struct doc_ref ref = {0, d};
        struct doc *doc = doc_at(backlog, ref);
        doc_count(backlog, ref, -1);
        doc->pages = (uint16_t)(10 * (d + 1));
        doc->state = d == 1 ? SOHOA__DOC_STATE__DOC_DEAD : SOHOA__DOC_STATE__DOC_STORED;
        doc->phase = PHASE_FINAL;
        doc->pages_dead = d == 1 ? 3 : 0;
        doc->pages_stored = (uint16_t)(doc->pages - doc->pages_dead);
        doc->fault = d == 1 ? backlog_fault(backlog, &err) : NONE;
        doc->generation = d;
        doc_count(backlog, ref, 1);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    backlog_destroy(&backlog);
    return 0;
}

static void on_found(struct doc_ref ref, void *user)
{
    (void)user;
    size_t n = strlen(found);
    snprintf(found + n, sizeof found - n, "%s%u/%u", n ? " " : "", ref.batch, ref.doc);
}

static void means(const char *text, const char *want)
{
    AUTO(where_destroy) struct where *where = NULL;
    struct err err;
    if (where_parse(text, &where, &err))
        fail_msg("%s: %s", text, err.text);
    *found = '\0';
    where_each(where, backlog, on_found, NULL);
    if (strcmp(found, want))
        fail_msg("%s means %s, not %s", text, found, want);
}

static void keys_choose(void **state)
{
    (void)state;
    means("batch=b0", "0/0 0/1 0/2 0/3");
    means("batch!=b0", "1/0");
    means("unit=district:001", "0/0 0/1 1/0");
    means("bloc=\"mass organisations\"", "0/2 0/3");
    means("pipeline=abcd", "0/0 0/1 0/2 0/3");
    means("priority<=2", "0/0 0/1 1/0");
    means("state=dead", "0/1");
    means("state!=stored", "0/1 1/0");
    means("error=E_TIME", "0/1");
    means("error!=E_TIME", "0/0 0/2 0/3 1/0");
    means("document=0", "0/0 1/0");
    means("pages>20", "0/2 0/3");
    means("pages>=20", "0/1 0/2 0/3");
    means("pages<20", "0/0 1/0");
    means("dead>0", "0/1");
    means("generation=3", "0/3");
    means("document in (1, 3) ", "0/1 0/3");
    means("unit in (district:002)", "0/2 0/3");
}

static void and_binds_more_than_or_and_not_most(void **state)
{
    (void)state;
    means("state=dead or unit=district:002 and pages=30", "0/1 0/2");
    means("(state=dead or unit=district:002) and pages=30", "0/2");
    means("not state=stored and batch=b0", "0/1");
    means("not (state=stored and batch=b0)", "0/1 1/0");
    means("not not batch=b1", "1/0");
    means("state = stored AND NOT document IN(0,2)", "0/3");
    means("batch=b1 or document=3 or document=1", "0/1 0/3 1/0");
}

static void refused(const char *text, const char *why)
{
    struct where *where = NULL;
    struct err err;
    assert_int_equal(where_parse(text, &where, &err), E_WHERE);
    assert_null(where);
    if (!strstr(err.text, why))
        fail_msg("%s: %s", text, err.text);
}

static void what_is_wrong_is_named(void **state)
{
    char deep[2 * WHERE_DEPTH + 64] = "", many[WHERE_BYTES] = "document=1", *at = many + strlen(many);
    (void)state;
    refused("", "at character 1");
    refused("colour=red", "batch, unit, bloc");
    refused("state", "is missing");
    refused("state=", "a value is missing");
    refused("state<stored", "=, != and in");
    refused("state=lost", "open, stored");
    refused("error=E_NOTHING", "E_TIME");
    refused("pages=many", "not a number");
    refused("pages=1 pages=2", "at character 9");
    refused("(pages=1", "and, or or )");
    refused("pages in (1", "ends with )");
    refused("pages in 1", "begins with (");
    refused("unit=\"district", "never closed");
    refused("not", "batch, unit");
    for (int i = 0; i < WHERE_DEPTH + 1; i++)
        strcat(deep, "(");
    refused(strcat(deep, "pages=1"), "WHERE_DEPTH");
    for (int i = 0; i < WHERE_STEPS / 3 + 1; i++)
        at += snprintf(at, sizeof many - (size_t)(at - many), " or pages=1");
    refused(many, "WHERE_STEPS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_choose),
        cmocka_unit_test(and_binds_more_than_or_and_not_most),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
