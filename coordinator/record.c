/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "coordinator/correction.h"
#include "proto/auto.h"
#include "storage/name.h"

enum { REAL_DIGITS = 8, MOMENT_BYTES = 32 };

/* None are as good as empty ones: what is missing is found by its hash. */
static int remarks_load(struct record_read *read)
{
    AUTO(buf_destroy) struct buf blob = {0};
    struct name name;
    int rc = store_get(read->c->store, name_batch(&name, read->batch, "remarks", read->ref.doc), REMARKS_BLOB_BYTES,
                       &blob, &read->err);
    if (rc && rc != E_ABSENT)
        return rc;
    remarks_read(&blob, &read->book);
    return 0;
}

static void read_work(struct io_task *task)
{
    struct record_read *read = (struct record_read *)task;
    AUTO(buf_destroy) struct buf text = {0};
    struct name name;
    name_rec(&name, read->batch, read->ref.doc);
    read->rc = store_get(read->c->store, name.text, RECORD_READ_BYTES, &text, &read->err);
    if (!read->rc)
        read->rc = remarks_load(read);
    if (read->rc)
        return;
    read->record = json_loadb((const char *)text.data, text.size, 0, NULL);
    if (!read->record)
        read->rc = err_set(&read->err, E_CORRUPT, "%s is no JSON", name.text);
}

static void read_forget(struct record_read *read)
{
    json_decref(read->record);
    read->record = NULL;
    remarks_clear(&read->book);
}

static void read_end(struct record_read *read)
{
    read->done(read);
    read_forget(read);
    free(read);
}

static bool remarks_whole(const struct record_read *read)
{
    const struct reviewed *reviewed =
        review_find(review_of(read->c->reviews, read->c->backlog->batch[read->ref.batch]), read->ref.doc);
    const struct remarks *remarks = reviewed ? reviewed->remarks : NULL;
    bool whole = !remarks || !remarks->said || remarks_find(&read->book, remarks->sha256);
    for (uint32_t i = 0; remarks && i < remarks->corrections && whole; i++) {
        const struct correction *it = &remarks->correction[i];
        const Sohoa__Remarks *said = it->purged ? NULL : remarks_find(&read->book, it->sha256);
        whole = it->purged || (said && remarks_correction(said, it->field));
    }
    return whole;
}

static void read_again(int rc, const struct err *err, void *user)
{
    struct record_read *read = user;
    read_forget(read);
    read->rc = rc;
    if (rc) {
        read->err = *err;
        read_end(read);
    } else {
        io_submit(read->c->back_io, &read->task);
    }
}

/* What was decided since is known at once, and can be read once it is durable: all that is being written now is waited for. */
static void read_done(struct io_task *task)
{
    struct record_read *read = (struct record_read *)task;
    if (!read->rc && !remarks_whole(read) && !read->again) {
        read->again = true;
        group_add_then(read->c->group, (struct group_then){read_again, read});
        return;
    }
    if (!read->rc && !remarks_whole(read))
        read->rc = err_set(&read->err, E_CORRUPT,
                           "what people said of document %u of batch %s is not what the ledger has the hash of",
                           read->ref.doc, read->batch);
    read_end(read);
}

void record_read(struct coordinator *c, struct request *request, struct doc_ref ref,
                 void (*done)(struct record_read *read), void *user)
{
    struct record_read *read = calloc(1, sizeof *read);
    if (!read)
        abort();
    *read = (struct record_read){
        .task = {.work = read_work, .done = read_done},
        .c = c,
        .request = request,
        .ref = ref,
        .batch = c->backlog->batch[ref.batch]->id,
        .done = done,
        .user = user
    };
    io_submit(c->back_io, &read->task);
}

const json_t *record_field(const json_t *record, int field)
{
    return json_object_get(json_object_get(record, "metadata"), correction_field(field));
}

const char *record_value(const json_t *record, int field)
{
    const char *value = json_string_value(json_object_get(record_field(record, field), "value"));
    return value ? value : "";
}

uint32_t record_doubts(const json_t *record)
{
    uint32_t doubts = 0;
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(record, "doubts"), i, name)
    {
        int field = json_is_string(name) ? correction_field_named(json_string_value(name)) : -1;
        doubts |= field < 0 ? 0 : 1u << field;
    }
    return doubts;
}

static const char *moment(uint64_t ms, char text[MOMENT_BYTES])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(text, MOMENT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

const char *record_correction(const struct record_read *read, const struct correction *correction)
{
    return remarks_correction(remarks_find(&read->book, correction->sha256), correction->field)->value;
}

const char *record_reason(const struct record_read *read, const struct reviewed *reviewed)
{
    const struct remarks *remarks = reviewed ? reviewed->remarks : NULL;
    return remarks && remarks->said ? remarks_find(&read->book, remarks->sha256)->reason : "";
}

json_t *record_corrected(const struct record_read *read, const struct correction *correction)
{
    char at[MOMENT_BYTES];
    const char *value = record_correction(read, correction);
    return json_pack("{s:o, s:s, s:s, s:i}", "value", *value ? json_string(value) : json_null(), "by",
                     reviewer_name(read->c->reviews, correction->by), "at", moment(correction->at_ms, at), "round",
                     (int)correction->round);
}

void record_correct(struct record_read *read, const struct reviewed *reviewed)
{
    for (int field = 0; field < REVIEW_FIELDS; field++) {
        const struct correction *correction = review_correction(reviewed, field);
        json_t *said = (json_t *)(uintptr_t)record_field(read->record, field);
        if (correction && json_is_object(said))
            json_object_set_new(said, "corrected", record_corrected(read, correction));
    }
}

static int buf_sink(const char *text, size_t bytes, void *into)
{
    buf_append(into, text, bytes);
    return 0;
}

void record_write(const json_t *record, struct buf *text)
{
    if (json_dump_callback(record, buf_sink, text, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(REAL_DIGITS)))
        abort();
}

static json_int_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const json_t *page_of(const json_t *record, json_int_t page_no)
{
    size_t i;
    json_t *page;
    json_array_foreach(json_object_get(record, "pages"), i, page)
    {
        if (number_of(page, "page") == page_no)
            return page;
    }
    return NULL;
}

/* The record has places before the page was turned. */
static void place_turn(struct record_place *place, json_int_t rotation_deg)
{
    struct record_place as = *place;
    if (rotation_deg == 90 || rotation_deg == 270) {
        place->page_width = as.page_height;
        place->page_height = as.page_width;
        place->w = as.h;
        place->h = as.w;
    }
    if (rotation_deg == 90 || rotation_deg == 180)
        place->x = place->page_width - (rotation_deg == 90 ? as.y + as.h : as.x + as.w);
    else if (rotation_deg == 270)
        place->x = as.y;
    if (rotation_deg == 90)
        place->y = as.x;
    else if (rotation_deg == 180 || rotation_deg == 270)
        place->y = place->page_height - (rotation_deg == 180 ? as.y + as.h : as.x + as.w);
}

bool record_place(const json_t *record, int field, struct record_place *place)
{
    const json_t *said = record_field(record, field), *box = json_object_get(said, "box");
    const json_t *page = page_of(record, number_of(said, "page"));
    if (!page || json_array_size(box) != 4)
        return false;
    *place = (struct record_place){.page = number_of(said, "page"),
                                   .page_width = number_of(page, "width"),
                                   .page_height = number_of(page, "height"),
                                   .x = json_integer_value(json_array_get(box, 0)),
                                   .y = json_integer_value(json_array_get(box, 1)),
                                   .w = json_integer_value(json_array_get(box, 2)),
                                   .h = json_integer_value(json_array_get(box, 3))};
    place_turn(place, number_of(page, "rotation"));
    return place->page_width > 0 && place->page_height > 0;
}
