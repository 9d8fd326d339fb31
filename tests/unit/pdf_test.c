/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Writing documents, judged by other programs: qpdf finds nothing to complain about, poppler finds the words where
 * they were put, the same pixels and the same image streams. */
#include "worker/pdf.h"

#include "tests/unit/sources.h"

#include <dirent.h>
#include <leptonica/allheaders.h>
#include <math.h>

enum { IW = 60, IH = 40 };

static struct pdf_said claimed; /* of the last document */

static const uint8_t sha256[SHA256_BYTES] = {0xab, 0xcd, 1, 2, 3}, pipeline[SHA256_BYTES] = {9, 8, 7};

static void add_words(Sohoa__Line *line, const char *text, int32_t x, int32_t y, uint32_t h)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", text);
    for (char *save = NULL, *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        Sohoa__Word *added = line_add_word(line, word);
        added->x = x;
        added->y = y;
        added->w = (uint32_t)(strlen(word) * h / 2);
        added->h = h;
        added->confidence_cpct = 9000;
        x += (int32_t)added->w + (int32_t)h / 2;
    }
    line->x0 = line->words[0]->x;
    line->x1 = x - (int32_t)h / 2;
    line->y0 = line->y1 = y + (int32_t)(h * 3 / 4);
    line->ascent_px = h * 3 / 4;
    line->descent_px = h - h * 3 / 4;
}

/* Every page of the open document as render gives it; scans get two lines as if read. */
struct result {
    Sohoa__Page **pages;
    uint32_t count;
};

static void result_destroy(struct result *result)
{
    for (uint32_t i = 0; i < result->count; i++)
        page_destroy(&result->pages[i]);
    free(result->pages);
    *result = (struct result){0};
}

static struct result result_make(bool words)
{
    struct err err;
    Sohoa__Probe *probe = NULL;
    assert_int_equal(render_probe(the_render(), &probe, &err), 0);
    struct result result = {calloc(probe->pages, sizeof(Sohoa__Page *)), probe->pages};
    sohoa__probe__free_unpacked(probe, NULL);
    for (uint32_t i = 0; i < result.count; i++) {
        AUTO(raster_destroy) struct raster *raster = NULL;
        Sohoa__Page *page = result.pages[i] = page_new(i + 1);
        if (render_page(the_render(), i + 1, false, page, NULL, &raster, &err))
            page->kind = SOHOA__PAGE_KIND__PAGE_IMAGE;
        if (!words || page->kind != SOHOA__PAGE_KIND__PAGE_SCAN)
            continue;
        Sohoa__Block *block = page_add_block(page);
        add_words(block_add_line(block), "Quyết định số một", 40, 100, 40);
        add_words(block_add_line(block), "Ủy ban nhân dân", 40, 160, 40);
        page_fit_bounds(page);
    }
    return result;
}

static void assemble_ok(const struct result *result, struct buf *out)
{
    struct err err = {0};
    int rc = pdf_assemble(the_render(), result->pages, result->count, sha256, pipeline, PDFA_2B, out, &claimed, &err);
    if (rc)
        fail_msg("%s: %s", err_name(rc), err.text);
}

static void assert_sound(const char *name)
{
    AUTO(buf_destroy) struct buf out = {0};
    if (run(&out, "qpdf --check %s", name))
        fail_msg("%s: %s", name, buf_text(&out));
}

/* Source into in.pdf, what becomes of it into out.pdf. */
static void assemble_file(const struct buf *source, bool words, struct buf *out)
{
    AUTO(result_destroy) struct result result = {0};
    open_ok(source);
    result = result_make(words);
    assemble_ok(&result, out);
    file_save("in.pdf", source);
    file_save("out.pdf", out);
    assert_sound("out.pdf");
}

static bool load_scan(const char *name, struct buf *source)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/scans/%s", data_dir(), name);
    if (access(path, R_OK)) {
        print_message("skipped: %s is not there\n", path);
        return false;
    }
    file_load(path, source);
    return true;
}

/* ---- the real scans ---- */

static const char *const scans[] = {"qn-02.pdf", "qn-10.pdf", "qn-16.pdf", "qn-22.pdf", "qn-28.pdf"};
enum { SCANS = sizeof scans / sizeof *scans };

/* Poppler shows calibrated colours through an output intent, and rounds: it is not to see any. */
static void scans_keep_their_images_and_looks(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCANS; i++) {
        AUTO(buf_destroy) struct buf source = {0};
        AUTO(buf_destroy) struct buf pdf = {0};
        AUTO(buf_destroy) struct buf said = {0};
        if (!load_scan(scans[i], &source))
            skip();
        assemble_file(&source, true, &pdf);
        if (run(&said,
                "sed -i s/OutputIntents/OutputIntentZ/ in.pdf out.pdf && rm -rf a b && mkdir a b && pdfimages -all in.pdf a/i && pdfimages -all out.pdf b/i && test -n \"$(ls a)\" "
                "&& diff -r a b && rm -f a/* b/* && pdftoppm -r 72 in.pdf a/p && pdftoppm -r 72 out.pdf b/p && diff -r a b"))
            fail_msg("%s: %s", scans[i], buf_text(&said));
    }
}

/* The stored bytes of the page's image: what is between stream and endstream. */
static void raw_image(const char *name, struct buf *out)
{
    assert_int_equal(
        run(out,
            "n=$(qpdf --json --json-key=pages %s | grep -A20 '\"images\"' | grep -m1 '\"object\"' | tr -dc '0-9 ' | awk '{print $1}') && "
            "qpdf --show-object=$n --raw-stream-data %s",
            name, name),
        0);
}

static void an_images_stored_bytes_stay(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        AUTO(buf_destroy) struct buf source = {0};
        AUTO(buf_destroy) struct buf pdf = {0};
        AUTO(buf_destroy) struct buf before = {0};
        AUTO(buf_destroy) struct buf after = {0};
        if (!load_scan(scans[i], &source))
            skip();
        assemble_file(&source, true, &pdf);
        raw_image("in.pdf", &before);
        raw_image("out.pdf", &after);
        assert_true(before.size > 10000);
        assert_int_equal(before.size, after.size);
        assert_memory_equal(before.data, after.data, before.size);
    }
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCANS; i += 2) {
        AUTO(buf_destroy) struct buf source = {0};
        AUTO(buf_destroy) struct buf first = {0};
        AUTO(buf_destroy) struct buf second = {0};
        AUTO(result_destroy) struct result result = {0};
        if (!load_scan(scans[i], &source))
            skip();
        open_ok(&source);
        result = result_make(true);
        assemble_ok(&result, &first);
        assemble_ok(&result, &second);
        assert_int_equal(first.size, second.size);
        assert_memory_equal(first.data, second.data, first.size);
        assert_non_null(memmem(first.data, first.size, "/ID[<ABCD010203", 15));
    }
}

static void a_born_digital_text_stays_alone(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf source = {0};
    AUTO(buf_destroy) struct buf pdf = {0};
    AUTO(buf_destroy) struct buf said = {0};
    if (!load_scan("qn-28.pdf", &source))
        skip();
    assemble_file(&source, true, &pdf);
    assert_int_equal(run(&said, "pdftotext in.pdf a.txt && pdftotext out.pdf b.txt && diff a.txt b.txt"), 0);
    assert_null(memmem(pdf.data, pdf.size, "GlyphLess", 9));
}

static void live_signatures_go_and_their_stamps_stay(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf source = {0};
    AUTO(buf_destroy) struct buf pdf = {0};
    AUTO(buf_destroy) struct buf said = {0};
    if (!load_scan("qn-28.pdf", &source))
        skip();
    assemble_file(&source, false, &pdf);
    assert_int_equal(
        run(&said,
            "qpdf --qdf --object-streams=disable out.pdf - | grep -a -E '/(Sig|AcroForm|ByteRange|Perms|SigFlags)\\b'"),
        256);
    assert_int_equal(run(&said, "qpdf --qdf --object-streams=disable out.pdf - | grep -a -c '/Subtype /Stamp'"), 0);
    assert_string_equal(buf_text(&said), "5\n");
    open_ok(&pdf);
    struct err err;
    Sohoa__Probe *probe = NULL;
    assert_int_equal(render_probe(the_render(), &probe, &err), 0);
    assert_int_equal(probe->n_signatures, 0);
    sohoa__probe__free_unpacked(probe, NULL);
}

/* Hostile files: what qpdf had nothing against, it has nothing against afterwards. */
static void sound_files_stay_sound(void **state)
{
    (void)state;
    char path[4400];
    snprintf(path, sizeof path, "%s/hostile/horrors", data_dir());
    DIR *dir = opendir(path);
    unsigned written = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (!strstr(entry->d_name, ".pdf"))
            continue;
        AUTO(buf_destroy) struct buf source = {0};
        AUTO(buf_destroy) struct buf pdf = {0};
        AUTO(buf_destroy) struct buf said = {0};
        AUTO(result_destroy) struct result result = {0};
        struct err err;
        snprintf(path, sizeof path, "%s/hostile/horrors/%s", data_dir(), entry->d_name);
        file_load(path, &source);
        if (open_bytes(the_render(), source.data, source.size, &err))
            continue;
        result = result_make(true);
        assemble_ok(&result, &pdf);
        file_save("in.pdf", &source);
        file_save("out.pdf", &pdf);
        if (!run(&said, "qpdf --check in.pdf"))
            assert_sound("out.pdf");
        written++;
    }
    if (dir)
        closedir(dir);
    else
        print_message("skipped: %s is not there\n", path);
    assert_true(!dir || written > 10);
}

static void what_does_not_open_again_is_no_document(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf source = {0};
    AUTO(buf_destroy) struct buf pdf = {0};
    char path[4400];
    struct err err = {0};
    snprintf(path, sizeof path, "%s/hostile/qpdf/69977.fuzz", data_dir());
    if (access(path, R_OK))
        skip();
    file_load(path, &source);
    assert_int_equal(open_bytes(the_render(), source.data, source.size, &err), 0);
    AUTO(result_destroy) struct result result = result_make(false);
    assert_int_equal(
        pdf_assemble(the_render(), result.pages, result.count, sha256, pipeline, PDFA_2B, &pdf, &claimed, &err),
        E_ASSEMBLE);
    assert_int_equal(pdf.size, 0);
}

/* ---- words ---- */

struct box {
    double x0, y0, x1, y1;
};

/* Where pdftotext sees word on page 1, in points. */
static bool find_word(const char *name, const char *word, struct box *box)
{
    AUTO(buf_destroy) struct buf said = {0};
    char end[300];
    assert_int_equal(run(&said, "pdftotext -bbox -cropbox -f 1 -l 1 %s -", name), 0);
    snprintf(end, sizeof end, "\">%s</word>", word);
    const char *at = strstr(buf_text(&said), end);
    if (!at)
        return false;
    while (at > buf_text(&said) && strncmp(at, "<word", 5))
        at--;
    return sscanf(at, "<word xMin=\"%lf\" yMin=\"%lf\" xMax=\"%lf\" yMax=\"%lf\"", &box->x0, &box->y0, &box->x1,
                  &box->y1) == 4;
}

static void assert_word_at(const char *name, const Sohoa__Page *page, const Sohoa__Word *word, double slack)
{
    struct box box;
    double scale = 72.0 / page->dpi_view;
    if (!find_word(name, word->text, &box))
        fail_msg("%s is not in the text", word->text);
    assert_float_equal(box.x0, word->x * scale, slack);
    assert_float_equal(box.y0, word->y * scale, slack);
    assert_float_equal(box.x1, (word->x + word->w) * scale, slack);
    assert_float_equal(box.y1, (word->y + word->h) * scale, slack);
}

static void words_land_on_their_boxes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        AUTO(buf_destroy) struct buf source = {0};
        AUTO(buf_destroy) struct buf pdf = {0};
        AUTO(result_destroy) struct result result = {0};
        if (!load_scan(i ? "qn-10.pdf" : "qn-22.pdf", &source))
            skip();
        open_ok(&source);
        result = result_make(true);
        assemble_ok(&result, &pdf);
        file_save("out.pdf", &pdf);
        const Sohoa__Block *block = result.pages[0]->blocks[result.pages[0]->n_blocks - 1];
        for (size_t l = 0; l < block->n_lines; l++)
            for (size_t w = 0; w < block->lines[l]->n_words; w++)
                assert_word_at("out.pdf", result.pages[0], block->lines[l]->words[w], 0.1);
    }
}

/* A scan of IW x IH at 72 dpi, enlarged: page of 300 x 200 pt. */
static void scan_pdf(struct maker *maker, const char *page, const char *contents)
{
    static uint8_t pixels[IW * IH];
    memset(pixels, 200, sizeof pixels);
    maker_page(maker, 300, 200, page, contents, IW, IH, GRAY_IMAGE, pixels);
}

static const char only_scan[] = "q 300 0 0 200 0 0 cm /Im0 Do Q";

static Sohoa__Page *scan_page(uint32_t width_pt, uint32_t height_pt, uint32_t dpi)
{
    Sohoa__Page *page = page_new(1);
    page->kind = SOHOA__PAGE_KIND__PAGE_SCAN;
    page->dpi_view = dpi;
    page->width_px = width_pt * dpi / 72;
    page->height_px = height_pt * dpi / 72;
    return page;
}

static void assemble_page(const struct buf *source, Sohoa__Page *page)
{
    struct result result = {&page, 1};
    AUTO(buf_destroy) struct buf pdf = {0};
    open_ok(source);
    assemble_ok(&result, &pdf);
    file_save("out.pdf", &pdf);
    assert_sound("out.pdf");
}

/* Old contents that leave the coordinate system bent, turned pages, cut pages, large units: the words still land. */
static void words_land_on_any_page(void **state)
{
    (void)state;
    static const struct {
        const char *page, *contents;
        uint32_t w, h;
    } kind[] = {
        {"",                                 "q 2 0 0 2 50 50 cm q 0.5 0 0 0.5 0 0 cm /Im0 Do",     300, 200},
        {"",                                 "Q Q q 300 0 0 200 0 0 cm /Im0 Do Q Q 3 0 0 3 9 9 cm", 300, 200},
        {"/Rotate 90",                       only_scan,                                             200, 300},
        {"/Rotate 180",                      only_scan,                                             300, 200},
        {"/Rotate 270",                      only_scan,                                             200, 300},
        {"/CropBox[20 10 280 190]",          only_scan,                                             260, 180},
        {"/Contents 4 0 R /Resources 9 0 R", only_scan,                                             300, 200}
    };
    for (size_t i = 0; i < sizeof kind / sizeof *kind; i++) {
        struct maker maker;
        scan_pdf(&maker, kind[i].page, kind[i].contents);
        AUTO(page_destroy) Sohoa__Page *page = scan_page(kind[i].w, kind[i].h, 144);
        add_words(block_add_line(page_add_block(page)), "Nghị định", 40, 100, 32);
        page_fit_bounds(page);
        assemble_page(&maker.pdf, page);
        buf_destroy(&maker.pdf);
        assert_word_at("out.pdf", page, page->blocks[0]->lines[0]->words[0], 0.1);
        assert_word_at("out.pdf", page, page->blocks[0]->lines[0]->words[1], 0.1);
    }
}

/* A line that runs upwards on the page as displayed: reading direction from bottom to top. */
static void upright_lines_are_placed_along_their_baseline(void **state)
{
    (void)state;
    struct maker maker;
    scan_pdf(&maker, "", only_scan);
    AUTO(page_destroy) Sohoa__Page *page = scan_page(300, 200, 144);
    Sohoa__Line *line = block_add_line(page_add_block(page));
    add_words(line, "lên trên", 0, 0, 32);
    line->x0 = line->x1 = 124;
    line->y0 = 300;
    line->y1 = 100;
    for (size_t i = 0; i < 2; i++) {
        Sohoa__Word *word = line->words[i];
        word->x = 100;
        word->w = 32;
        word->y = i ? 100 : 220;
        word->h = 80;
    }
    page_fit_bounds(page);
    assemble_page(&maker.pdf, page);
    buf_destroy(&maker.pdf);
    assert_word_at("out.pdf", page, line->words[0], 0.2);
    assert_word_at("out.pdf", page, line->words[1], 0.2);
}

/* Two lines that fall by one pixel in each fall pixels. */
static void check_leaning_lines(int32_t fall, double slack)
{
    struct maker maker;
    scan_pdf(&maker, "", only_scan);
    AUTO(page_destroy) Sohoa__Page *page = scan_page(300, 200, 144);
    Sohoa__Block *block = page_add_block(page);
    static const char *const text[] = {"Độc lập Tự do Hạnh phúc", "Căn cứ Luật Tổ chức chính"};
    for (unsigned i = 0; i < 2; i++) {
        Sohoa__Line *line = block_add_line(block);
        add_words(line, text[i], 20, 60 + 60 * (int32_t)i, 30);
        line->y1 = line->y0 + (line->x1 - line->x0) / fall;
        for (size_t w = 0; w < line->n_words; w++)
            line->words[w]->y += (line->words[w]->x + (int32_t)line->words[w]->w / 2 - line->x0) / fall;
    }
    page_fit_bounds(page);
    assemble_page(&maker.pdf, page);
    buf_destroy(&maker.pdf);
    AUTO(buf_destroy) struct buf said = {0};
    assert_int_equal(run(&said, "pdftotext out.pdf - | tr -s '\\n'"), 0);
    if (fall > 10)
        assert_string_equal(buf_text(&said), "Độc lập Tự do Hạnh phúc\nCăn cứ Luật Tổ chức chính\n\f");
    for (unsigned i = 0; i < 2; i++)
        for (size_t w = 0; w < block->lines[i]->n_words; w++)
            assert_word_at("out.pdf", page, block->lines[i]->words[w], slack);
}

/* As on a scan that was fed askew by 1 or 3 degrees; by 7, the words alone are right. */
static void leaning_lines_keep_their_words_whole(void **state)
{
    (void)state;
    check_leaning_lines(57, 1);
    check_leaning_lines(19, 4);
    check_leaning_lines(8, 1);
}

static void copied_text_has_words_and_lines(void **state)
{
    (void)state;
    struct maker maker;
    scan_pdf(&maker, "", only_scan);
    AUTO(page_destroy) Sohoa__Page *page = scan_page(300, 200, 144);
    Sohoa__Block *block = page_add_block(page);
    add_words(block_add_line(block), "Số: 12/QĐ-UBND", 40, 40, 30);
    add_words(block_add_line(block), "Độc lập - Tự do", 40, 80, 30);
    add_words(block_add_line(block), "đã có sẵn", 40, 200, 30);
    for (size_t i = 0; i < 3; i++)
        block->lines[2]->words[i]->own = true; /* in the source already */
    page_fit_bounds(page);
    assemble_page(&maker.pdf, page);
    buf_destroy(&maker.pdf);
    AUTO(buf_destroy) struct buf text = {0};
    assert_int_equal(run(&text, "pdftotext out.pdf -"), 0);
    assert_string_equal(buf_text(&text), "Số: 12/QĐ-UBND\nĐộc lập - Tự do\n\n\f");
    assert_int_equal(run(&text, "pdftotext -layout out.pdf - | sed 's/^ *//'"), 0);
    assert_non_null(strstr(buf_text(&text), "Số: 12/QĐ-UBND\n"));
    assert_non_null(strstr(buf_text(&text), "Độc lập - Tự do\n"));
}

/* Boxes that are too wide, as Tesseract gives them at times: over the next words, or but for a letter's breadth. */
static void words_whose_boxes_overlap_stay_apart(void **state)
{
    (void)state;
    struct maker maker;
    scan_pdf(&maker, "", only_scan);
    AUTO(page_destroy) Sohoa__Page *page = scan_page(300, 200, 144);
    Sohoa__Block *block = page_add_block(page);
    static const struct {
        int32_t x;
        uint32_t w;
    } box[] = {
        {20,  52 },
        {76,  106},
        {118, 24 },
        {149, 28 },
        {158, 55 }
    };
    Sohoa__Line *line = block_add_line(block);
    add_words(line, "CONG HOA XA a an", 20, 40, 22);
    for (size_t i = 0; i < line->n_words; i++) {
        line->words[i]->x = box[i].x;
        line->words[i]->w = box[i].w;
    }
    page_fit_bounds(page);
    assemble_page(&maker.pdf, page);
    buf_destroy(&maker.pdf);
    AUTO(buf_destroy) struct buf text = {0};
    assert_int_equal(run(&text, "pdftotext out.pdf -"), 0);
    assert_string_equal(buf_text(&text), "CONG HOA XA a an\n\n\f");
}

/* Letters beyond the first plane, and private ones, come out as they went in. */
static void every_letter_has_its_meaning(void **state)
{
    (void)state;
    struct maker maker;
    scan_pdf(&maker, "", only_scan);
    AUTO(page_destroy) Sohoa__Page *page = scan_page(300, 200, 144);
    add_words(block_add_line(page_add_block(page)), "\U0001F600\U00020BB7 \uE001\uE000x \u4E2D\uFFFDa", 40, 40, 30);
    page_fit_bounds(page);
    assemble_page(&maker.pdf, page);
    buf_destroy(&maker.pdf);
    AUTO(buf_destroy) struct buf text = {0};
    assert_int_equal(run(&text, "pdftotext out.pdf -"), 0);
    assert_non_null(strstr(buf_text(&text), "\U0001F600\U00020BB7 \uE001\uE000x \u4E2D\uFFFDa"));
}

/* ---- an older layer ---- */

static void check_old_layer(const char *contents, const char *expected)
{
    struct maker maker;
    scan_pdf(&maker, "", contents);
    AUTO(page_destroy) Sohoa__Page *page = scan_page(300, 200, 144);
    add_words(block_add_line(page_add_block(page)), "mới", 40, 40, 30);
    page_fit_bounds(page);
    assemble_page(&maker.pdf, page);
    buf_destroy(&maker.pdf);
    AUTO(buf_destroy) struct buf text = {0};
    assert_int_equal(run(&text, "pdftotext out.pdf - | tr '\\n\\f' '  ' | sed 's/ *$//'"), 0);
    if (strcmp(buf_text(&text), expected) != 0)
        fail_msg("%s: \"%s\" and not \"%s\"", contents, buf_text(&text), expected);
}

static void an_older_layer_goes(void **state)
{
    (void)state;
    check_old_layer("q 300 0 0 200 0 0 cm /Im0 Do Q BT 3 Tr /F1 12 Tf 20 50 Td (old) Tj 0 -15 Td [(lay)-100(er)] TJ ET",
                    "mới");
    check_old_layer("BT /F1 12 Tf 20 50 Td (under the scan) Tj ET q 300 0 0 200 0 0 cm /Im0 Do Q", "mới");
    check_old_layer("q 3 Tr q 300 0 0 200 0 0 cm /Im0 Do Q BT /F1 12 Tf 20 50 Td (old) ' 1 2 (er) \" ET Q", "mới");
}

static void visible_text_survives_the_older_layer(void **state)
{
    (void)state;
    check_old_layer(
        "q 300 0 0 200 0 0 cm /Im0 Do Q q BT 3 Tr /F1 12 Tf 20 50 Td (old) Tj ET Q BT /F1 12 Tf 20 20 Td (PORTAL) Tj ET",
        "mới  PORTAL");
    /* text that follows where hidden text ended would move: the hidden one stays, and stands for nothing */
    check_old_layer("q 300 0 0 200 0 0 cm /Im0 Do Q BT 3 Tr /F1 12 Tf 20 50 Td (old) Tj 0 Tr (SEEN) Tj ET",
                    "mới  SEEN");
    /* an inline image is not read as operators */
    check_old_layer("q 300 0 0 200 0 0 cm /Im0 Do Q q 9 0 0 9 0 0 cm BI /W 4 /H 2 /BPC 8 /CS /G ID (Tj 3 Tr EI Q "
                    "BT /F1 12 Tf 20 20 Td (PORTAL) Tj ET",
                    "mới  PORTAL");
}

/* Where not all is understood nothing is taken out, and the document says so. */
static void a_layer_that_can_not_go_is_counted(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf contents = {0};
    buf_puts(&contents, "q 300 0 0 200 0 0 cm /Im0 Do Q ");
    for (int i = 0; i < 70; i++)
        buf_puts(&contents, "q ");
    buf_puts(&contents, "BT 3 Tr /F1 12 Tf 20 50 Td (old) Tj ET ");
    for (int i = 0; i < 70; i++)
        buf_puts(&contents, "Q ");
    check_old_layer(buf_text(&contents), "old  mới");
    assert_int_equal(claimed.layers_left, 1);
    check_old_layer("q 300 0 0 200 0 0 cm /Im0 Do Q BT 3 Tr /F1 12 Tf 20 50 Td (old) Tj ET", "mới");
    assert_int_equal(claimed.layers_left, 0);
}

static void check_noted_layer(Sohoa__PageNote note, bool read, const char *expected)
{
    struct maker maker;
    scan_pdf(&maker, "", "q 300 0 0 200 0 0 cm /Im0 Do Q BT 3 Tr /F1 12 Tf 20 50 Td (old) Tj ET");
    AUTO(page_destroy) Sohoa__Page *page = scan_page(300, 200, 144);
    page_note(page, note);
    if (read)
        add_words(block_add_line(page_add_block(page)), "more", 40, 40, 30);
    page_fit_bounds(page);
    assemble_page(&maker.pdf, page);
    buf_destroy(&maker.pdf);
    AUTO(buf_destroy) struct buf text = {0};
    assert_int_equal(run(&text, "pdftotext out.pdf - | tr -s '\\n\\f' ' '"), 0);
    assert_string_equal(buf_text(&text), expected);
}

/* One that held stays, whatever was read besides; one that was refused goes, also where nothing was read. */
static void a_layer_stays_or_goes_by_what_the_check_said(void **state)
{
    (void)state;
    check_noted_layer(SOHOA__PAGE_NOTE__NOTE_LAYER, false, "old ");
    check_noted_layer(SOHOA__PAGE_NOTE__NOTE_LAYER, true, "old more ");
    check_noted_layer(SOHOA__PAGE_NOTE__NOTE_LAYER_REFUSED, false, " ");
    check_noted_layer(SOHOA__PAGE_NOTE__NOTE_LAYER_REFUSED, true, "more ");
}

/* A layer in a form, as OCRmyPDF leaves it; the form's own copy changes, its picture does not. */
static void an_older_layer_in_a_form_goes(void **state)
{
    (void)state;
    struct maker maker;
    static const char form[] = "BT 3 Tr /F1 12 Tf 20 50 Td (old) Tj ET 1 0 0 RG 10 10 50 50 re S";
    static const char page_text_ops[] = "q 300 0 0 200 0 0 cm /Im0 Do Q /Fm0 Do";
    uint8_t pixels[IW * IH];
    memset(pixels, 200, sizeof pixels);
    maker_start(&maker);
    maker_object(&maker, "<</Type/Catalog /Pages 2 0 R>>");
    maker_object(&maker, "<</Type/Pages /Kids[3 0 R] /Count 1 /Resources<</XObject<</Im0 6 0 R /Fm0 7 0 R>>>>>>");
    maker_object(&maker, "<</Type/Page /Parent 2 0 R /MediaBox[0 0 300 200] /Contents 4 0 R>>");
    maker_stream(&maker, "", page_text_ops, sizeof page_text_ops - 1);
    maker_object(&maker, "<</Type/Font /Subtype/Type1 /BaseFont/Helvetica>>");
    maker_stream(&maker, "/Type/XObject /Subtype/Image /Width 60 /Height 40 " GRAY_IMAGE, pixels, sizeof pixels);
    maker_stream(&maker, "/Type/XObject /Subtype/Form /BBox[0 0 300 200] /Resources<</Font<</F1 5 0 R>>>>", form,
                 sizeof form - 1);
    maker_end(&maker);
    AUTO(page_destroy) Sohoa__Page *page = scan_page(300, 200, 144);
    add_words(block_add_line(page_add_block(page)), "mới", 40, 40, 30);
    page_fit_bounds(page);
    assemble_page(&maker.pdf, page);
    file_save("in.pdf", &maker.pdf);
    buf_destroy(&maker.pdf);
    AUTO(buf_destroy) struct buf said = {0};
    assert_int_equal(run(&said, "pdftotext out.pdf - | tr -d '\\n\\f'"), 0);
    assert_string_equal(buf_text(&said), "mới");
    assert_int_equal(run(&said, "pdftoppm -r 72 in.pdf a && pdftoppm -r 72 out.pdf b && cmp a-1.ppm b-1.ppm"), 0);
}

/* ---- what else goes ---- */

static void what_runs_by_itself_goes(void **state)
{
    (void)state;
    struct maker maker;
    maker_start(&maker);
    maker_object(
        &maker,
        "<</Type/Catalog /Pages 2 0 R /OpenAction 5 0 R /AA<</WC 5 0 R>> /Names<</JavaScript<</Names[(a) 5 0 R]>>>>"
        "/AcroForm<</Fields[6 0 R] /NeedAppearances true>>>>");
    maker_object(&maker, "<</Type/Pages /Kids[3 0 R] /Count 1>>");
    maker_object(&maker, "<</Type/Page /Parent 2 0 R /MediaBox[0 0 300 200] /AA<</O 5 0 R>> /Annots[4 0 R 6 0 R]>>");
    maker_object(&maker, "<</Type/Annot /Subtype/Link /Rect[0 0 9 9] /A 5 0 R>>");
    maker_object(&maker, "<</S/JavaScript /JS(app.alert\\(1\\))>>");
    maker_object(&maker,
                 "<</Type/Annot /Subtype/Widget /FT/Tx /T(name) /V(kept) /Rect[10 10 90 30] /F 4 /AA<</K 5 0 R>>>>");
    maker_end(&maker);
    AUTO(buf_destroy) struct buf pdf = {0};
    AUTO(buf_destroy) struct buf said = {0};
    assemble_file(&maker.pdf, false, &pdf);
    buf_destroy(&maker.pdf);
    assert_int_equal(
        run(&said,
            "qpdf --qdf --object-streams=disable out.pdf - | grep -a -E '/(AA|OpenAction|JavaScript|JS|NeedAppearances)\\b'"),
        256);
    assert_int_equal(run(&said, "qpdf --qdf --object-streams=disable out.pdf - | grep -a -c '/V (kept)'"), 0);
}

static void encryption_goes(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf source = {0};
    AUTO(buf_destroy) struct buf said = {0};
    AUTO(buf_destroy) struct buf pdf = {0};
    struct maker maker;
    scan_pdf(&maker, "", only_scan);
    file_save("plain.pdf", &maker.pdf);
    buf_destroy(&maker.pdf);
    assert_int_equal(run(&said, "qpdf --encrypt '' owner 256 -- plain.pdf locked.pdf"), 0);
    file_load(dir_path("locked.pdf"), &source);
    assemble_file(&source, true, &pdf);
    assert_int_equal(run(&said, "qpdf --is-encrypted out.pdf"), 2 << 8);
    assert_int_equal(run(&said, "pdfimages -all plain.pdf a && pdfimages -all out.pdf b && cmp a-000.png b-000.png"),
                     0);
}

/* ---- pictures as sources ---- */

static PIX *sample_pix(int depth)
{
    PIX *pix = pixCreate(IW, IH, 8);
    for (int y = 0; y < IH; y++)
        for (int x = 0; x < IW; x++)
            pixSetPixel(pix, x, y, x < 12 && y < 10 ? 0 : (l_uint32)(80 + 2 * x + y));
    PIX *out = depth == 1 ? pixThresholdToBinary(pix, 128) : depth == 8 ? pixClone(pix) : pixConvertTo32(pix);
    pixDestroy(&pix);
    return out;
}

/* The PDF made of the picture, read again, gives the same raster and view. */
static void assert_same_again(const struct buf *source, uint32_t pages, struct buf *pdf)
{
    AUTO(result_destroy) struct result result = {0};
    struct raster *before[8] = {0};
    assert_true(pages <= 8);
    open_ok(source);
    result = result_make(false);
    assert_int_equal(result.count, pages);
    for (uint32_t i = 0; i < pages; i++) {
        Sohoa__Page *page = page_ok(i + 1, false, &before[i]);
        page_destroy(&page);
    }
    assemble_ok(&result, pdf);
    file_save("out.pdf", pdf);
    assert_sound("out.pdf");
    open_ok(pdf);
    for (uint32_t i = 0; i < pages; i++) {
        AUTO(raster_destroy) struct raster *after = NULL;
        AUTO(page_destroy) Sohoa__Page *page = page_ok(i + 1, false, &after);
        assert_int_equal(page->width_px, result.pages[i]->width_px);
        assert_int_equal(page->height_px, result.pages[i]->height_px);
        assert_int_equal(page->dpi_view, result.pages[i]->dpi_view);
        assert_int_equal(page->bits, result.pages[i]->bits);
        assert_int_equal(after->width_px, before[i]->width_px);
        for (uint32_t y = 0; y < after->height_px; y++)
            for (uint32_t x = 0; x < after->width_px; x++)
                assert_int_equal(shade_at(after, x, y), shade_at(before[i], x, y));
        raster_destroy(&before[i]);
    }
}

static void tiffs_become_pages_without_loss(void **state)
{
    (void)state;
    static const struct {
        int depth, format;
    } part[] = {
        {1,  IFF_TIFF_G4      },
        {8,  IFF_TIFF_LZW     },
        {32, IFF_TIFF_ZIP     },
        {1,  IFF_TIFF_PACKBITS},
        {8,  IFF_TIFF_JPEG    },
        {32, IFF_TIFF_JPEG    }
    };
    AUTO(buf_destroy) struct buf source = {0};
    AUTO(buf_destroy) struct buf pdf = {0};
    AUTO(buf_destroy) struct buf said = {0};
    for (unsigned i = 0; i < 6; i++) {
        PIX *pix = sample_pix(part[i].depth);
        pixSetResolution(pix, 200, 200);
        assert_int_equal(pixWriteTiff(dir_path("many.tif"), pix, part[i].format, i ? "a" : "w"), 0);
        pixDestroy(&pix);
    }
    file_load(dir_path("many.tif"), &source);
    assert_same_again(&source, 6, &pdf);
    assert_int_equal(run(&said, "pdfimages -list out.pdf | awk 'NR>2 {printf \"%%s \", $9}'"), 0);
    assert_string_equal(buf_text(&said), "ccitt image image ccitt jpeg jpeg ");
    /* the fax data are the file's own */
    assert_int_equal(run(&said, "pdfimages -f 1 -l 1 -ccitt out.pdf fax && cat fax-000.ccitt"), 0);
    assert_non_null(memmem(source.data, source.size, said.data, said.size));
}

static void jpegs_are_taken_over_as_they_are(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf source = {0};
    AUTO(buf_destroy) struct buf pdf = {0};
    PIX *pix = sample_pix(32);
    pixSetResolution(pix, 150, 150);
    assert_int_equal(pixWriteJpeg(dir_path("one.jpg"), pix, 80, 0), 0);
    pixDestroy(&pix);
    file_load(dir_path("one.jpg"), &source);
    for (uint8_t orientation = 0; orientation <= 8; orientation++) { /* 0: without EXIF */
        const uint8_t exif[] = {0xff, 0xe1, 0,    34, 'E', 'x', 'i', 'f', 0, 0, 'I',         'I', 42, 0, 8, 0, 0, 0,
                                1,    0,    0x12, 1,  3,   0,   1,   0,   0, 0, orientation, 0,   0,  0, 0, 0, 0, 0};
        AUTO(buf_destroy) struct buf jpeg = {0};
        buf_append(&jpeg, source.data, 2);
        buf_append(&jpeg, exif, orientation ? sizeof exif : 0);
        buf_append(&jpeg, source.data + 2, source.size - 2);
        assert_same_again(&jpeg, 1, &pdf);
        assert_non_null(memmem(pdf.data, pdf.size, jpeg.data, jpeg.size));
    }
}

static void pngs_become_pages_without_loss(void **state)
{
    (void)state;
    static const int depth[] = {1, 8, 32};
    AUTO(buf_destroy) struct buf source = {0};
    AUTO(buf_destroy) struct buf pdf = {0};
    for (unsigned i = 0; i < 4; i++) {
        PIX *pix = i < 3 ? sample_pix(depth[i]) : pixCreate(IW, IH, 32);
        if (i == 3) { /* see-through: has to be coded anew */
            pixSetSpp(pix, 4);
            for (int x = 0; x < IW; x++)
                pixSetPixel(pix, x, 7, 0x336699ff);
        }
        pixSetResolution(pix, 300, 300);
        assert_int_equal(pixWritePng(dir_path("one.png"), pix, 0), 0);
        pixDestroy(&pix);
        file_load(dir_path("one.png"), &source);
        assert_same_again(&source, 1, &pdf);
    }
}

/* A picture that can't be decoded is an empty page when the page is known to be dead, else an error. */
static void a_dead_picture_is_an_empty_page(void **state)
{
    (void)state;
    PIX *pix = sample_pix(8);
    AUTO(buf_destroy) struct buf source = {0};
    assert_int_equal(pixWriteTiff(dir_path("dead.tif"), pix, IFF_TIFF_LZW, "w"), 0);
    pixDestroy(&pix);
    file_load(dir_path("dead.tif"), &source);
    uint8_t *tag = memmem(source.data, source.size, "\x06\x01\x03\x00", 4); /* photometric: of no known kind */
    assert_non_null(tag);
    tag[8] = 99;
    open_ok(&source);
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    AUTO(buf_destroy) struct buf pdf = {0};
    struct raster *raster = NULL;
    struct err err;
    assert_int_equal(render_page(the_render(), 1, false, page, NULL, &raster, &err), E_PAGE_BROKEN);
    assert_int_equal(pdf_assemble(the_render(), &page, 1, sha256, pipeline, PDFA_2B, &pdf, &claimed, &err), E_ASSEMBLE);
    page->kind = SOHOA__PAGE_KIND__PAGE_IMAGE;
    assert_int_equal(pdf_assemble(the_render(), &page, 1, sha256, pipeline, PDFA_2B, &pdf, &claimed, &err), 0);
    file_save("out.pdf", &pdf);
    assert_sound("out.pdf");
    assert_int_equal(pdf_assemble(the_render(), &page, 2, sha256, pipeline, PDFA_2B, &pdf, &claimed, &err), E_ASSEMBLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scans_keep_their_images_and_looks),
        cmocka_unit_test(an_images_stored_bytes_stay),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
        cmocka_unit_test(a_born_digital_text_stays_alone),
        cmocka_unit_test(live_signatures_go_and_their_stamps_stay),
        cmocka_unit_test(sound_files_stay_sound),
        cmocka_unit_test(what_does_not_open_again_is_no_document),
        cmocka_unit_test(words_land_on_their_boxes),
        cmocka_unit_test(words_land_on_any_page),
        cmocka_unit_test(upright_lines_are_placed_along_their_baseline),
        cmocka_unit_test(leaning_lines_keep_their_words_whole),
        cmocka_unit_test(copied_text_has_words_and_lines),
        cmocka_unit_test(words_whose_boxes_overlap_stay_apart),
        cmocka_unit_test(every_letter_has_its_meaning),
        cmocka_unit_test(an_older_layer_goes),
        cmocka_unit_test(visible_text_survives_the_older_layer),
        cmocka_unit_test(a_layer_that_can_not_go_is_counted),
        cmocka_unit_test(a_layer_stays_or_goes_by_what_the_check_said),
        cmocka_unit_test(an_older_layer_in_a_form_goes),
        cmocka_unit_test(what_runs_by_itself_goes),
        cmocka_unit_test(encryption_goes),
        cmocka_unit_test(tiffs_become_pages_without_loss),
        cmocka_unit_test(jpegs_are_taken_over_as_they_are),
        cmocka_unit_test(pngs_become_pages_without_loss),
        cmocka_unit_test(a_dead_picture_is_an_empty_page),
    };
    return cmocka_run_group_tests(tests, dir_setup, dir_teardown);
}
