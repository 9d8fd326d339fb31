/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The only file that knows Tesseract. A reader's result depends on the picture and the models alone, never on the
 * pages before it, and after each page everything of that page is given back. */
#include "worker/read.h"

#include <errno.h>
#include <leptonica/allheaders.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tesseract/capi.h>
#include <utf8proc.h>

#include "proto/auto.h"
#include "proto/sha256.h"
#include "worker/columns.h"
#include "worker/lost.h"
#include "worker/specks.h"

enum {
    READ_MAX_SIDE_PX = 32767, /* Tesseract keeps positions in 16 bits */
    READ_PATH_BYTES = 4096,
    READ_LANG_BYTES = 64, /* one language's name, with the 0 */
    READ_CHUNK_BYTES = 64 << 10,
    READ_SURE_CPCT = 10000,
    READ_WARM_SIDE_PX = 64, /* the picture that makes Tesseract load what it loads at first use */
};

#define READ_ORIENTATION_LEAST_LETTERS "15"

static const double read_least_descent = 0.25;     /* of the ascent, for lines without a descender */
static const float read_orientation_margin = 2.0F; /* below this confidence a turn is a guess */

struct reader {
    TessBaseAPI *text, *osd;
};

/* In the place of Leptonica's own: from layout to recognition Tesseract carries each line as a file in memory, a PNG if
 * it had its way (ImageData::SetPixInternal). Leptonica's own format holds the same pixels and is made and read
 * without compressing; pixReadMem() tells the two apart. */
l_int32 pixWriteMem(l_uint8 **ret_data, size_t *ret_bytes, PIX *pix, l_int32 format)
{
    (void)format;
    return pixWriteMemSpix(ret_data, ret_bytes, pix);
}

static void reader_api_destroy(TessBaseAPI **api)
{
    if (*api)
        TessBaseAPIDelete(*api);
    *api = NULL;
}

/* hash may be NULL: then only looks whether the file is there. */
static int model_hash(const char *tessdata, const char *lang, struct sha256 *hash, struct err *err)
{
    char path[READ_PATH_BYTES];
    if (snprintf(path, sizeof path, "%s/%s.traineddata", tessdata, lang) >= (int)sizeof path)
        return err_set(err, E_MODEL, "the path of the model %s is too long", lang);
    AUTO(file_destroy) FILE *file = fopen(path, "rbe");
    if (!file && errno == ENOENT)
        return err_set(err, E_MODEL, "%s is missing: install tesseract-ocr-%s", path, lang);
    if (!file)
        return err_errno(err, E_MODEL, "%s", path);
    uint8_t chunk[READ_CHUNK_BYTES];
    for (size_t bytes; (bytes = fread(chunk, 1, sizeof chunk, file)) > 0;)
        if (hash)
            sha256_update(hash, chunk, bytes);
    return ferror(file) ? err_errno(err, E_MODEL, "%s", path) : 0;
}

static void sha256_auto(struct sha256 **hash)
{
    sha256_destroy(hash);
}

static int models_hash(const char *tessdata, const char *langs, uint8_t model[SHA256_BYTES], struct err *err)
{
    AUTO(sha256_auto) struct sha256 *hash = sha256_new();
    for (const char *at = langs;; at++) {
        char lang[READ_LANG_BYTES];
        size_t chars = strcspn(at, "+");
        if (!chars || chars >= sizeof lang)
            return err_set(err, E_MODEL, "'%s' does not name languages as vie or vie+eng do", langs);
        memcpy(lang, at, chars);
        lang[chars] = '\0';
        int rc = model_hash(tessdata, lang, hash, err);
        if (rc)
            return rc;
        at += chars;
        if (!*at)
            break;
    }
    sha256_final(hash, model);
    return 0;
}

static int api_new(const char *tessdata, const char *lang, TessBaseAPI **ret_api, struct err *err)
{
    AUTO(reader_api_destroy) TessBaseAPI *api = TessBaseAPICreate();
    if (!api || TessBaseAPIInit3(api, tessdata, lang))
        return err_set(err, E_MODEL, "Tesseract can't load %s from %s", lang, tessdata);
    /* Weak lines are not recognised a second time with black and white exchanged. */
    TessBaseAPISetVariable(api, "tessedit_do_invert", "0");
    /* Print is proportional: no search for the pitch of typewriters, which takes a tenth of a page's time. */
    TessBaseAPISetVariable(api, "textord_all_prop", "1");
    /* Nobody asks for paragraphs: they are not looked for in the text. */
    TessBaseAPISetVariable(api, "paragraph_text_based", "0");
    TessBaseAPISetVariable(api, "min_characters_to_try", READ_ORIENTATION_LEAST_LETTERS);
    /* It talks of each page; logs must hold nothing of documents. */
    TessBaseAPISetVariable(api, "debug_file", "/dev/null");
    TessBaseAPISetPageSegMode(api, PSM_AUTO);
    *ret_api = api;
    api = NULL;
    return 0;
}

/* Tesseract loads a part of its models at first use; afterwards the sandbox would not let it. */
static int reader_warm(struct reader *reader, struct err *err)
{
    AUTO(raster_destroy) struct raster *raster = raster_new(READ_WARM_SIDE_PX, READ_WARM_SIDE_PX, 1);
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    if (!raster)
        return err_set(err, E_NOMEM, "no memory for a picture of %d pixels", READ_WARM_SIDE_PX * READ_WARM_SIDE_PX);
    raster->dpi = 300;
    memset(raster->data, 255, raster->height_px * raster->stride_bytes);
    for (size_t y = 20; y < 40; y++)
        memset(raster->data + y * raster->stride_bytes + 24, 0, 4);
    uint32_t turn_deg;
    int rc = read_page(reader, raster, page, err);
    if (!rc)
        rc = read_orientation(reader, raster, &turn_deg, err);
    return rc;
}

int reader_new(const char *tessdata, const char *lang, uint8_t model[SHA256_BYTES], struct reader **ret_reader,
               struct err *err)
{
    uint8_t digest[SHA256_BYTES];
    AUTO(reader_destroy) struct reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return err_set(err, E_NOMEM, "no memory for a reader");
    int rc = models_hash(tessdata, lang, digest, err);
    if (!rc)
        rc = model_hash(tessdata, "osd", NULL, err);
    if (!rc)
        rc = api_new(tessdata, lang, &reader->text, err);
    if (!rc)
        rc = api_new(tessdata, "osd", &reader->osd, err);
    if (!rc)
        rc = reader_warm(reader, err);
    if (rc)
        return rc;
    memcpy(model, digest, sizeof digest);
    *ret_reader = reader;
    reader = NULL;
    return 0;
}

void reader_destroy(struct reader **reader)
{
    if (!*reader)
        return;
    reader_api_destroy(&(*reader)->text);
    reader_api_destroy(&(*reader)->osd);
    free(*reader);
    *reader = NULL;
}

static int no_memory(const struct raster *raster, struct err *err)
{
    return err_set(err, E_MEMORY, "no memory to read a picture of %u x %u", raster->width_px, raster->height_px);
}

/* Tesseract wants bilevel pictures the other way round: 1 is white. */
static int api_set_bilevel(TessBaseAPI *api, const struct raster *raster, struct err *err)
{
    size_t stride = ((size_t)raster->width_px + 7) / 8;
    AUTO(mem_destroy) uint8_t *white = malloc(stride * raster->height_px);
    if (!white)
        return no_memory(raster, err);
    for (size_t y = 0; y < raster->height_px; y++)
        for (size_t x = 0; x < stride; x++)
            white[y * stride + x] = (uint8_t)~raster->data[y * raster->stride_bytes + x];
    TessBaseAPISetImage(api, white, (int)raster->width_px, (int)raster->height_px, 0, (int)stride);
    return 0;
}

static int api_set_image(TessBaseAPI *api, const struct raster *raster, struct err *err)
{
    if (raster->width_px > READ_MAX_SIDE_PX || raster->height_px > READ_MAX_SIDE_PX)
        return err_set(err, E_PAGE_BROKEN, "a picture of %u x %u is above the %d pixels a side that can be read",
                       raster->width_px, raster->height_px, READ_MAX_SIDE_PX);
    int rc = 0;
    if (!raster->channels)
        rc = api_set_bilevel(api, raster, err);
    else
        TessBaseAPISetImage(api, raster->data, (int)raster->width_px, (int)raster->height_px, (int)raster->channels,
                            (int)raster->stride_bytes);
    if (!rc)
        TessBaseAPISetSourceResolution(api, (int)raster->dpi);
    return rc;
}

static void map_point(const double to_view[6], double x, double y, double *ret_x, double *ret_y)
{
    *ret_x = to_view[0] * x + to_view[2] * y + to_view[4];
    *ret_y = to_view[1] * x + to_view[3] * y + to_view[5];
}

static int32_t within(double position, uint32_t limit_px)
{
    double high = limit_px ? limit_px : INT32_MAX;
    return (int32_t)lround(position < 0 ? 0 : position > high ? high : position);
}

static void word_map(Sohoa__Word *word, const double to_view[6], const Sohoa__Page *page)
{
    double left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
    for (int corner = 0; corner < 4; corner++) {
        double x, y;
        map_point(to_view, word->x + (corner & 1 ? word->w : 0.0), word->y + (corner & 2 ? word->h : 0.0), &x, &y);
        left = fmin(left, x);
        top = fmin(top, y);
        right = fmax(right, x);
        bottom = fmax(bottom, y);
    }
    word->x = within(left, page->width_px);
    word->y = within(top, page->height_px);
    word->w = (uint32_t)(within(right, page->width_px) - word->x);
    word->h = (uint32_t)(within(bottom, page->height_px) - word->y);
}

static void line_map(Sohoa__Line *line, const double to_view[6], const Sohoa__Page *page)
{
    double scale = sqrt(fabs(to_view[0] * to_view[3] - to_view[1] * to_view[2])), x, y;
    map_point(to_view, line->x0, line->y0, &x, &y);
    line->x0 = (int32_t)lround(x);
    line->y0 = (int32_t)lround(y);
    map_point(to_view, line->x1, line->y1, &x, &y);
    line->x1 = (int32_t)lround(x);
    line->y1 = (int32_t)lround(y);
    line->ascent_px = (uint32_t)lround(scale * line->ascent_px);
    line->descent_px = (uint32_t)lround(scale * line->descent_px);
    for (size_t i = 0; i < line->n_words; i++)
        word_map(line->words[i], to_view, page);
}

/* Moves what was found in the picture to its place in the page's view. */
static void page_receive(Sohoa__Page *page, Sohoa__Page *found, const double to_view[6])
{
    for (size_t b = 0; b < found->n_blocks; b++) {
        for (size_t i = 0; i < found->blocks[b]->n_lines; i++)
            line_map(found->blocks[b]->lines[i], to_view, page);
        page_take_block(page, found->blocks[b]);
    }
    found->n_blocks = 0;
    page_fit_bounds(page);
}

/* What one pass over the results carries from word to word; positions are the picture's. */
struct reading {
    TessResultIterator *results;
    const TessPageIterator *places; /* the same iterator; borrowed */
    Sohoa__Page *page;
    Sohoa__Block *block;            /* NULL until the block has a word */
    Sohoa__Line *line;              /* NULL until the line has a word */
    double ascents_px, descents_px; /* summed over the line's words */
    size_t words;
};

static void results_destroy(TessResultIterator **results)
{
    if (*results)
        TessResultIteratorDelete(*results);
    *results = NULL;
}

static void text_destroy(char **text)
{
    if (*text)
        TessDeleteText(*text);
    *text = NULL;
}

/* How far the word reaches above and below its line's baseline, across it. */
static void line_measure(struct reading *reading, const Sohoa__Word *word)
{
    const Sohoa__Line *line = reading->line;
    double along_x = line->x1 - line->x0, along_y = line->y1 - line->y0;
    double length = hypot(along_x, along_y), above = 0, below = 0;
    if (length == 0)
        return;
    for (int corner = 0; corner < 4; corner++) {
        double x = word->x + (corner & 1 ? word->w : 0.0) - line->x0,
               y = word->y + (corner & 2 ? word->h : 0.0) - line->y0;
        double height = (x * along_y - y * along_x) / length;
        above = fmax(above, height);
        below = fmax(below, -height);
    }
    reading->ascents_px += above;
    reading->descents_px += below;
}

/* The line is complete: its height is known. */
static void line_end(struct reading *reading)
{
    Sohoa__Line *line = reading->line;
    if (!line)
        return;
    double ascent = reading->ascents_px / (double)line->n_words, descent = reading->descents_px / (double)line->n_words;
    line->ascent_px = (uint32_t)lround(ascent);
    line->descent_px = (uint32_t)lround(fmax(descent, read_least_descent * ascent));
    reading->line = NULL;
}

static void line_begin(struct reading *reading)
{
    if (!reading->block)
        reading->block = page_add_block(reading->page);
    Sohoa__Line *line = reading->line = block_add_line(reading->block);
    reading->ascents_px = reading->descents_px = 0;
    TessPageIteratorBaseline(reading->places, RIL_TEXTLINE, &line->x0, &line->y0, &line->x1, &line->y1);
}

static int word_add(struct reading *reading, const char *text, struct err *err)
{
    int box[4];
    if (!TessPageIteratorBoundingBox(reading->places, RIL_WORD, &box[0], &box[1], &box[2], &box[3]))
        return 0;
    if (++reading->words > PAGE_MAX_WORDS)
        return err_set(err, E_LIMIT, "a page has more than %d words", PAGE_MAX_WORDS);
    AUTO(mem_destroy) utf8proc_uint8_t *nfc = utf8proc_NFC((const utf8proc_uint8_t *)text);
    if (!nfc)
        return err_set(err, E_PAGE_BROKEN, "the recogniser gave a word that is not UTF-8");
    if (!reading->line)
        line_begin(reading);
    Sohoa__Word *word = line_add_word(reading->line, (const char *)nfc);
    word->x = box[0];
    word->y = box[1];
    word->w = (uint32_t)(box[2] - box[0]);
    word->h = (uint32_t)(box[3] - box[1]);
    line_measure(reading, word);
    long cpct = lround(100 * (double)TessResultIteratorConfidence(reading->results, RIL_WORD));
    word->confidence_cpct = (uint32_t)(cpct < 0 ? 0 : cpct > READ_SURE_CPCT ? READ_SURE_CPCT : cpct);
    return 0;
}

static bool text_is_empty(const char *text)
{
    return !text || !text[strspn(text, " \t\r\n")];
}

static int results_take(struct reading *reading, struct err *err)
{
    int rc = 0;
    do {
        if (TessPageIteratorIsAtBeginningOf(reading->places, RIL_TEXTLINE)) {
            line_end(reading);
            if (TessPageIteratorIsAtBeginningOf(reading->places, RIL_BLOCK))
                reading->block = NULL;
        }
        AUTO(text_destroy) char *text = TessResultIteratorGetUTF8Text(reading->results, RIL_WORD);
        if (!text_is_empty(text))
            rc = word_add(reading, text, err);
    } while (!rc && TessResultIteratorNext(reading->results, RIL_WORD));
    line_end(reading);
    return rc;
}

static int page_recognise(struct reader *reader, const struct raster *raster, Sohoa__Page *page, struct err *err)
{
    int rc = api_set_image(reader->text, raster, err);
    if (rc)
        return rc;
    if (TessBaseAPIRecognize(reader->text, NULL))
        return err_set(err, E_PAGE_BROKEN, "the recogniser refuses a picture of %u x %u", raster->width_px,
                       raster->height_px);
    AUTO(results_destroy) TessResultIterator *results = TessBaseAPIGetIterator(reader->text);
    if (!results)
        return 0;
    struct reading reading = {
        .results = results, .places = TessResultIteratorGetPageIteratorConst(results), .page = page};
    return results_take(&reading, err);
}

static int strip_recognise(struct reader *reader, const struct raster *raster, TessPageSegMode mode, Sohoa__Page *page,
                           struct err *err)
{
    TessBaseAPISetPageSegMode(reader->text, mode);
    int rc = page_recognise(reader, raster, page, err);
    TessBaseAPIClear(reader->text);
    TessBaseAPISetPageSegMode(reader->text, PSM_AUTO);
    return rc;
}

/* Reads the zones again that the layout left out, as text whatever they look like. */
static int page_complete(struct reader *reader, const struct raster *raster, Sohoa__Page *found, struct err *err)
{
    struct lost zones[LOST_ZONES];
    AUTO(raster_destroy) struct raster *rest = lost_rest(raster, found);
    size_t count = rest ? lost_find(rest, zones) : 0;
    int rc = rest ? 0 : no_memory(raster, err);
    for (size_t i = 0; i < count && !rc; i++) {
        AUTO(raster_destroy)
        struct raster *cut = raster_rows(rest, zones[i].top_px, zones[i].bottom_px - zones[i].top_px);
        AUTO(page_destroy) Sohoa__Page *again = page_new(found->page_no);
        if (!cut)
            return no_memory(raster, err);
        rc = strip_recognise(reader, cut, PSM_SINGLE_BLOCK, again, err);
        if (!rc)
            lost_insert(found, &zones[i], again);
    }
    return rc;
}

int read_page(struct reader *reader, const struct raster *raster, Sohoa__Page *page, struct err *err)
{
    AUTO(page_destroy) Sohoa__Page *found = page_new(page->page_no);
    int rc = page_recognise(reader, raster, found, err);
    TessBaseAPIClear(reader->text);
    if (!rc)
        rc = page_complete(reader, raster, found, err);
    if (!rc)
        rc = specks_drop(found, err);
    if (rc)
        return rc;
    columns_split(found);
    page_receive(page, found, raster->to_view);
    return 0;
}

int read_strip(struct reader *reader, const struct raster *raster, bool line, Sohoa__Page *page, struct err *err)
{
    AUTO(page_destroy) Sohoa__Page *found = page_new(page->page_no);
    int rc = strip_recognise(reader, raster, line ? PSM_SINGLE_LINE : PSM_SINGLE_BLOCK, found, err);
    if (!rc)
        page_receive(page, found, raster->to_view);
    return rc;
}

int read_orientation(struct reader *reader, const struct raster *raster, uint32_t *ret_turn_deg, struct err *err)
{
    int rc = api_set_image(reader->osd, raster, err);
    if (rc)
        return rc;
    int upright_deg = 0;
    float sure = 0, script_sure = 0;
    const char *script = NULL;
    bool found = TessBaseAPIDetectOrientationScript(reader->osd, &upright_deg, &sure, &script, &script_sure);
    TessBaseAPIClear(reader->osd);
    bool certain = found && sure >= read_orientation_margin && upright_deg >= 0;
    *ret_turn_deg = certain ? (uint32_t)(360 - upright_deg) % 360 : 0;
    return 0;
}
