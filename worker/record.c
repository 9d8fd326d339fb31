/* SPDX-License-Identifier: AGPL-3.0-or-later
 * jansson is only here, in metadata.c, past.c and prior.c (and in the tests). Texts that come out of a slot may be no UTF-8: what is not becomes '?'. */
#include "worker/record.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proto/auto.h"
#include "proto/grades.h"
#include "proto/json.h"
#include "proto/pipeline.h"
#include "proto/trace.h"
#include "worker/metadata.h"
#include "worker/past.h"
#include "worker/prior.h"
#include "worker/propose.h"
#include "worker/quality.h"

/* Enough digits for a 1/100 % and a 1/1000 degree, and no more: 0.93, not 0.93000000000000005. */
enum { REAL_DIGITS = 8 };

static const Sohoa__PageNote note_last = SOHOA__PAGE_NOTE__NOTE_LAYER_REFUSED;

struct record {
    json_t *done;
};

const char *record_part_name(enum record_part part)
{
    static const char *const name[RECORD_PARTS] = {"pdf", "alto", "text", "words"};
    return name[part];
}

void record_page_fill(const Sohoa__Page *page, struct record_page *to)
{
    *to = (struct record_page){
        .page_no = page->page_no,
        .kind = page->kind,
        .width_px = page->width_px,
        .height_px = page->height_px,
        .dpi_scan = page->dpi_scan,
        .bits = page->bits,
        .rotation_deg = page->rotation_deg,
        .skew_mdeg = page->skew_mdeg,
        .a4 = page_a4(page),
        .measured = page->quality,
        .grade = page->grade,
        .error_cpct = page->error_cpct,
    };
    if (page->quality)
        to->quality = *page->quality;
    for (size_t i = 0; i < page->n_notes; i++)
        if (page->notes[i] <= note_last)
            to->notes |= 1U << page->notes[i];
    page_measure(page, &to->figures);
}

/* ---- building ---- */

static json_t *json_hex(const uint8_t digest[SHA256_BYTES])
{
    char hex[SHA256_HEX_CHARS + 1];
    sha256_hex(digest, hex);
    return json_string(hex);
}

static void set(json_t *object, const char *key, json_t *value)
{
    int rc = json_object_set_new(object, key, value);
    assert(!rc); /* only without memory, or for a text that metadata_text() would have mended */
    (void)rc;
}

/* 1 for 100 %; null where nothing was read. */
static json_t *json_share(uint32_t cpct, bool read)
{
    return read ? json_real(cpct / 10000.0) : json_null();
}

static json_t *json_err(const struct err *err)
{
    json_t *value = json_object();
    set(value, "code", json_string(err_name(err->code)));
    set(value, "text", metadata_text(err->text));
    return value;
}

static const char *kind_name(Sohoa__PageKind kind)
{
    switch (kind) {
    case SOHOA__PAGE_KIND__PAGE_TEXT: return "text";
    case SOHOA__PAGE_KIND__PAGE_BLANK: return "blank";
    case SOHOA__PAGE_KIND__PAGE_IMAGE: return "image";
    default: return "scan";
    }
}

static const char *source_kind_name(Sohoa__SourceKind kind)
{
    switch (kind) {
    case SOHOA__SOURCE_KIND__SOURCE_PDF: return "pdf";
    case SOHOA__SOURCE_KIND__SOURCE_TIFF: return "tiff";
    case SOHOA__SOURCE_KIND__SOURCE_JPEG: return "jpeg";
    case SOHOA__SOURCE_KIND__SOURCE_PNG: return "png";
    default: return "unknown";
    }
}

/* Only what the recogniser read has a confidence. */
static bool page_was_read(const struct record_page *page)
{
    return page->kind == SOHOA__PAGE_KIND__PAGE_SCAN && page->figures.confidence_cpct > 0;
}

static json_t *json_quality(const struct record_page *page)
{
    if (!page->measured)
        return json_null();
    json_t *value = json_object();
    set(value, "confidence_p10", json_share(page->quality.confidence_p10_cpct, true));
    set(value, "confidence_p50", json_share(page->quality.confidence_p50_cpct, true));
    set(value, "impossible", json_share(page->quality.impossible_cpct, true));
    set(value, "garbage", json_share(page->quality.garbage_cpct, true));
    return value;
}

static json_t *json_grade(Sohoa__Grade grade)
{
    const char *name = grade_name(grade);
    return name ? json_string(name) : json_null();
}

static json_t *json_notes(uint32_t notes)
{
    json_t *value = json_array();
    for (unsigned note = 1; note <= note_last; note++)
        if (notes & 1U << note)
            json_array_append_new(value, json_string(page_note_name((Sohoa__PageNote)note)));
    return value;
}

static json_t *json_page(const struct record_page *page)
{
    json_t *value = json_object();
    set(value, "page", json_integer(page->page_no));
    set(value, "state", json_string(page->dead ? "dead" : "stored"));
    set(value, "kind", json_string(kind_name(page->kind)));
    set(value, "confidence", json_share(page->figures.confidence_cpct, page_was_read(page)));
    set(value, "words", json_integer(page->figures.words));
    set(value, "low_words", json_integer(page->figures.low_words));
    set(value, "dpi", json_integer(page->dpi_scan));
    set(value, "bits", json_integer(page->bits));
    set(value, "width", json_integer(page->width_px));
    set(value, "height", json_integer(page->height_px));
    set(value, "a4", json_integer(page->a4));
    set(value, "rotation", json_integer(page->rotation_deg));
    set(value, "skew", json_real(page->skew_mdeg / 1000.0));
    set(value, "quality", json_quality(page));
    set(value, "grade", json_grade(page->grade));
    set(value, "error_expected", json_share(page->error_cpct, page->measured));
    set(value, "notes", json_notes(page->notes));
    set(value, "error", page->dead ? json_err(&page->err) : json_null());
    return value;
}

static json_t *json_signatures(const Sohoa__Probe *probe)
{
    json_t *list = json_array();
    for (size_t i = 0; i < probe->n_signatures; i++) {
        json_t *value = json_object();
        set(value, "signer", metadata_text(probe->signatures[i]->signer));
        set(value, "time", metadata_text(probe->signatures[i]->time));
        set(value, "field", metadata_text(probe->signatures[i]->field));
        json_array_append_new(list, value);
    }
    return list;
}

static json_t *json_outputs(const struct record_doc *doc)
{
    json_t *outputs = json_object();
    for (int part = 0; part < RECORD_PARTS; part++) {
        json_t *value = json_object();
        set(value, "sha256", json_hex(doc->output[part].sha256));
        set(value, "bytes", json_integer((json_int_t)doc->output[part].bytes));
        set(outputs, record_part_name(part), value);
    }
    return outputs;
}

static json_t *json_unless_empty(const char *text)
{
    return text && *text ? metadata_text(text) : json_null();
}

static json_t *json_pdfa(const struct record_doc *doc)
{
    json_t *value = json_object();
    set(value, "level", json_unless_empty(doc->pdfa));
    set(value, "why", json_unless_empty(doc->pdfa_why));
    return value;
}

static json_t *json_sketch(const struct record_doc *doc)
{
    char hex[2 * SKETCH_MAX_BYTES + 1] = "";
    assert(doc->sketch_bytes <= SKETCH_MAX_BYTES);
    for (size_t i = 0; i < doc->sketch_bytes; i++)
        snprintf(hex + 2 * i, 3, "%02x", doc->sketch[i]);
    return json_string(hex);
}

/* How many pages have which grade, and the worst of them: a document with a page to be looked at is one itself. */
static void set_grades(json_t *done, const struct record_doc *doc)
{
    json_t *grades = json_object();
    uint32_t count[SOHOA__GRADE__GRADE_C + 1] = {0};
    Sohoa__Grade worst = SOHOA__GRADE__GRADE_NONE;
    for (uint32_t i = 0; i < doc->count; i++) {
        Sohoa__Grade grade = doc->pages[i].grade;
        worst = grade <= SOHOA__GRADE__GRADE_C && grade > worst ? grade : worst;
        if (grade <= SOHOA__GRADE__GRADE_C)
            count[grade]++;
    }
    for (Sohoa__Grade grade = SOHOA__GRADE__GRADE_A; grade <= SOHOA__GRADE__GRADE_C; grade++)
        set(grades, grade_name(grade), json_integer(count[grade]));
    set(done, "grades", grades);
    set(done, "grade", json_grade(worst));
}

/* The pages, what they add up to, and the mean confidence, each page weighing as much as it has words. */
static void set_pages(json_t *done, const struct record_doc *doc)
{
    json_t *pages = json_array();
    uint64_t dead = 0, words = 0, sum = 0;
    for (uint32_t i = 0; i < doc->count; i++) {
        const struct record_page *page = &doc->pages[i];
        json_array_append_new(pages, json_page(page));
        dead += page->dead;
        if (!page_was_read(page))
            continue;
        words += page->figures.words;
        sum += (uint64_t)page->figures.words * page->figures.confidence_cpct;
    }
    set(done, "pages", pages);
    set(done, "pages_stored", json_integer((json_int_t)(doc->count - dead)));
    set(done, "pages_dead", json_integer((json_int_t)dead));
    set(done, "confidence", json_share(words ? (uint32_t)(sum / words) : 0, words > 0));
}

static int buf_sink(const char *data, size_t bytes, void *user)
{
    buf_append(user, data, bytes);
    return 0;
}

void record_done(const struct record_doc *doc, struct buf *out)
{
    AUTO(json_drop) json_t *done = json_object();
    set_pages(done, doc);
    set_grades(done, doc);
    set(done, "metadata", metadata_json(doc->description));
    set(done, "proposals", proposals_json(doc->description));
    set(done, "doubts", metadata_doubts_json(description_doubts(doc->description)));
    set(done, "outputs", json_outputs(doc));
    set(done, "pdfa", json_pdfa(doc));
    set(done, "layers_left", json_integer(doc->layers_left));
    set(done, "sketch", json_sketch(doc));
    set(done, "sha256", json_hex(doc->sha256));
    set(done, "pipeline", json_hex(doc->pipeline));
    set(done, "results_version", json_integer(RESULTS_VERSION));
    set(done, "lang", metadata_text(doc->lang));
    set(done, "signatures", json_signatures(doc->probe));
    set(done, "source_kind", json_string(source_kind_name(doc->probe->kind)));
    int rc = json_dump_callback(done, buf_sink, out, JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS));
    assert(!rc);
    (void)rc;
}

/* ---- reading back ---- */

static bool done_complete(const json_t *done)
{
    return json_is_array(json_object_get(done, "pages")) && json_is_integer(json_object_get(done, "pages_stored")) &&
           json_is_integer(json_object_get(done, "pages_dead")) &&
           json_is_integer(json_object_get(json_object_get(json_object_get(done, "outputs"), "pdf"), "bytes"));
}

int record_parse(const void *done, size_t bytes, struct record **ret_record, struct err *err)
{
    json_error_t fault;
    AUTO(json_drop) json_t *value = json_loadb(done, bytes, JSON_REJECT_DUPLICATES, &fault);
    if (!value)
        return err_set(err, E_CORRUPT, "a done of %zu bytes is damaged at byte %d", bytes, fault.position);
    if (!done_complete(value))
        return err_set(err, E_CORRUPT, "a done of %zu bytes lacks pages, their counts or outputs", bytes);
    struct record *record = calloc(1, sizeof *record);
    if (!record)
        abort();
    record->done = value;
    value = NULL;
    *ret_record = record;
    return 0;
}

void record_destroy(struct record **record)
{
    if (*record)
        json_decref((*record)->done);
    free(*record);
    *record = NULL;
}

static uint64_t done_number(const json_t *object, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(object, key));
    return number > 0 ? (uint64_t)number : 0;
}

static uint8_t done_grade(const json_t *page)
{
    const char *name = json_string_value(json_object_get(page, "grade"));
    Sohoa__Grade grade = SOHOA__GRADE__GRADE_C;
    while (grade > SOHOA__GRADE__GRADE_NONE && (!name || strcmp(name, grade_name(grade))))
        grade--;
    return (uint8_t)grade;
}

static ProtobufCBinaryData done_grades(const json_t *pages)
{
    size_t i;
    json_t *page;
    ProtobufCBinaryData grades = {grades_bytes((uint32_t)json_array_size(pages)), NULL};
    grades.data = calloc(grades.len + 1, 1);
    if (!grades.data)
        abort();
    json_array_foreach(pages, i, page) grade_put(grades.data, (uint32_t)i + 1, done_grade(page));
    return grades;
}

/* Of what is stored. */
static uint32_t done_a4(const json_t *pages)
{
    uint64_t a4 = 0;
    size_t i;
    json_t *page;
    json_array_foreach(pages, i, page)
    {
        const char *state = json_string_value(json_object_get(page, "state"));
        if (state && !strcmp(state, "stored"))
            a4 += done_number(page, "a4");
    }
    return (uint32_t)a4;
}

/* "": of a done that was made before there were sketches. */
static ProtobufCBinaryData done_sketch(const json_t *done)
{
    const char *hex = json_string_value(json_object_get(done, "sketch"));
    ProtobufCBinaryData sketch = {hex ? strlen(hex) / 2 : 0, NULL};
    sketch.data = calloc(sketch.len + 1, 1);
    if (!sketch.data)
        abort();
    for (size_t i = 0; i < sketch.len; i++)
        sscanf(hex + 2 * i, "%2hhx", &sketch.data[i]);
    return sketch;
}

void record_assembled(const struct record *record, Sohoa__Assembled *to)
{
    const json_t *done = record->done;
    to->pages_stored = (uint32_t)done_number(done, "pages_stored");
    to->pages_dead = (uint32_t)done_number(done, "pages_dead");
    to->pdf_bytes = done_number(json_object_get(json_object_get(done, "outputs"), "pdf"), "bytes");
    to->confidence_cpct = (uint32_t)(json_number_value(json_object_get(done, "confidence")) * 10000 + 0.5);
    to->grades = done_grades(json_object_get(done, "pages"));
    to->a4_pages = done_a4(json_object_get(done, "pages"));
    to->sketch = done_sketch(done);
    to->doubts = metadata_doubts(json_object_get(done, "doubts"));
}

static int err_code_of(const char *name)
{
    static const struct {
        const char *name;
        int code;
    } known[] = {
#define CODE_ROW(code, number, class, text) {#code, code},
        ERR_TABLE(CODE_ROW)
#undef CODE_ROW
    };
    for (size_t i = 0; name && i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(known[i].name, name))
            return known[i].code;
    return E_CORRUPT;
}

bool record_page_dead(const struct record *record, uint32_t page_no, struct err *why)
{
    assert(page_no > 0);
    const json_t *page = json_array_get(json_object_get(record->done, "pages"), page_no - 1);
    const char *state = json_string_value(json_object_get(page, "state"));
    if (!state || strcmp(state, "dead"))
        return false;
    const json_t *error = json_object_get(page, "error");
    const char *text = json_string_value(json_object_get(error, "text"));
    err_set(why, err_code_of(json_string_value(json_object_get(error, "code"))), "%s", text ? text : "");
    why->page_no = page_no;
    return true;
}

uint32_t record_pages(const struct record *record)
{
    return (uint32_t)json_array_size(json_object_get(record->done, "pages"));
}

/* ---- records ---- */

static json_t *json_time(uint64_t ms)
{
    char text[32];
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(text);
}

static json_t *json_provenance(const struct record_entry *entry)
{
    json_t *value = json_object();
    set(value, "worker", metadata_text(entry->worker));
    set(value, "simd", metadata_text(entry->simd));
    set(value, "build", metadata_text(entry->build));
    set(value, "created", json_time(entry->created_ms));
    return value;
}

static json_t *json_timings(const struct record_entry *entry)
{
    json_t *value = json_object(), *pages = json_array();
    for (uint32_t i = 0; i < entry->pages_count; i++)
        json_array_append_new(pages, json_integer(entry->pages_ms[i]));
    set(value, "wall_ms", json_integer(entry->wall_ms));
    set(value, "cpu_ms", json_integer(entry->cpu_ms));
    set(value, "pages_ms", pages);
    return value;
}

/* What can't be read is no reason to lose the new one. */
static json_t *before_load(const struct record_entry *entry)
{
    json_t *before = entry->before ? json_loadb((const char *)entry->before->data, entry->before->size, 0, NULL) : NULL;
    if (entry->before && !before)
        trace(TRACE_WARN, "history_lost", "batch=%s document=%u bytes=%zu", trace_value(entry->subscriber->batch),
              entry->subscriber->doc, entry->before->size);
    return before;
}

int record_write(const struct record *record, const struct record_entry *entry, struct buf *out, struct err *err)
{
    const Sohoa__Subscriber *subscriber = entry->subscriber;
    AUTO(json_drop) json_t *row = json_loads(subscriber->row, 0, NULL);
    if (!json_is_object(row))
        return err_set(err, E_MANIFEST, "the manifest row of %s/%u is not a JSON object", subscriber->batch,
                       subscriber->doc);
    AUTO(json_drop) json_t *before = before_load(entry);
    AUTO(json_drop) json_t *rec = json_copy(record->done);
    const char *source = json_string_value(json_object_get(row, "source"));
    set(rec, "batch", metadata_text(subscriber->batch));
    set(rec, "document", json_integer(subscriber->doc));
    set(rec, "source", metadata_text(source ? source : ""));
    set(rec, "manifest", json_incref(row));
    set(rec, "generation", json_integer(entry->generation));
    set(rec, "bytes", json_integer((json_int_t)entry->source_bytes));
    set(rec, "signed", json_boolean(json_array_size(json_object_get(rec, "signatures")) > 0));
    set(rec, "provenance", json_provenance(entry));
    set(rec, "timings", json_timings(entry));
    prior_put(rec, row);
    if (entry->generation)
        past_put(rec, before, entry->kept);
    int rc = json_dump_callback(rec, buf_sink, out, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(REAL_DIGITS));
    assert(!rc);
    (void)rc;
    return 0;
}
