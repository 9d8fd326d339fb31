/* SPDX-License-Identifier: AGPL-3.0-or-later
 * bench-duplicates: are documents that are not the same kept apart? Letters of the generator, certificates of one form and series of notices
 * go, as a reader with the given faults would have them, through the real sketches (worker/gist.h, likeness.h) into the real twins
 * (coordinator/twins.h). Prints one line of JSON. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/paper.h"
#include "coordinator/twins.h"
#include "proto/auto.h"
#include "worker/gist.h"
#include "worker/likeness.h"

enum {
    BATCH_DOCS = 20000,
    VERSIONS = 5, /* of a notice, that differ by one date */
    PICTURE_DPI = 50,
    SURE_CPCT = 9600,
    UNSURE_CPCT = 7000,
    PARAGRAPHS_LEAST = 3,
    PARAGRAPHS_MOST = 16,
    WORD_BYTES = 256,
    TRIES_MOST = 200, /* letters drawn until one has a date in its body */
};

struct reader {
    double wrong, wrong_sure, right_sure; /* shares: of words read wrongly, and of those and the others the sure ones */
    struct chance chance;
};

struct set {
    struct twins *twins;
    struct reader reader;
    uint32_t docs;
    double add_us;
};

static void set_clear(struct set *set)
{
    twins_destroy(&set->twins);
}

static void page_free(Sohoa__Page **page)
{
    if (*page)
        page_destroy(page);
}

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* ---- a page as it is read ---- */

static void word_spoil(struct chance *chance, char *word)
{
    size_t bytes = strlen(word);
    uint32_t at = chance_below(chance, (uint32_t)bytes);
    while (at > 0 && word[at] & 0x80) /* whole letters only: of others nothing would be left */
        at--;
    if (word[at] & 0x80)
        return;
    word[at] = word[at] >= '0' && word[at] <= '9' ? (char)('0' + chance_below(chance, 10))
                                                  : (char)('a' + chance_below(chance, 26));
}

static void word_read(struct reader *reader, Sohoa__Line *line, const char *text, size_t bytes)
{
    char word[WORD_BYTES];
    snprintf(word, sizeof word, "%.*s", (int)bytes, text);
    bool wrong = chance_percent(&reader->chance, 100 * reader->wrong);
    if (wrong)
        word_spoil(&reader->chance, word);
    bool sure = chance_percent(&reader->chance, 100 * (wrong ? reader->wrong_sure : reader->right_sure));
    line_add_word(line, word)->confidence_cpct = sure ? SURE_CPCT : UNSURE_CPCT;
}

static void line_read(struct reader *reader, Sohoa__Block *block, const char *text, size_t bytes)
{
    Sohoa__Line *line = block_add_line(block);
    for (size_t at = 0; at < bytes;) {
        size_t n = strcspn(text + at, " \n");
        if (n)
            word_read(reader, line, text + at, n);
        at += n + 1;
    }
}

static Sohoa__Page *page_of(struct reader *reader, const char *text, uint32_t page_no)
{
    Sohoa__Page *page = page_new(page_no);
    Sohoa__Block *block = page_add_block(page);
    for (size_t n; *text; text += n + (text[n] == '\n')) {
        n = strcspn(text, "\n");
        if (n)
            line_read(reader, block, text, n);
    }
    return page;
}

/* ---- documents ---- */

static void sketch_add(struct set *set, const struct sketch *sketch)
{
    AUTO(buf_destroy) struct buf packed = {0};
    Sohoa__DocOutcome outcome = SOHOA__DOC_OUTCOME__INIT;
    uint8_t sha256[SHA256_BYTES] = {1};
    sketch_pack(sketch, &packed);
    memcpy(sha256 + 1, &set->docs, sizeof set->docs);
    outcome.state = SOHOA__DOC_STATE__DOC_STORED;
    outcome.sha256 = (ProtobufCBinaryData){sizeof sha256, sha256};
    outcome.sketch = (ProtobufCBinaryData){packed.size, packed.data};
    double began_us = now_us();
    twins_add(set->twins, (struct doc_ref){set->docs / BATCH_DOCS, set->docs % BATCH_DOCS}, &outcome);
    set->docs++;
    twins_compare(set->twins, 1);
    set->add_us += now_us() - began_us;
}

static void document_add(struct set *set, Sohoa__Page *const *pages, size_t count)
{
    struct sketch sketch;
    gist_of(pages, count, &sketch);
    sketch_add(set, &sketch);
}

static void text_add(struct set *set, const char *text)
{
    AUTO(page_free) Sohoa__Page *page = page_of(&set->reader, text, 1);
    document_add(set, &page, 1);
}

static void picture_set(Sohoa__Page *page, const struct print *print, size_t sheet_no, const struct organ *organ)
{
    struct paper paper = {.print = print, .sheet_no = sheet_no, .organ = organ};
    AUTO(pix_destroy) PIX *pix = paper_paint(&paper, NULL, PICTURE_DPI, false);
    AUTO(raster_destroy)
    struct raster *raster = raster_new((uint32_t)pixGetWidth(pix), (uint32_t)pixGetHeight(pix), 1);
    for (uint32_t y = 0; y < raster->height_px; y++)
        for (uint32_t x = 0; x < raster->width_px; x++)
            raster->data[y * raster->stride_bytes + x] =
                GET_DATA_BYTE(pixGetData(pix) + (size_t)y * (size_t)pixGetWpl(pix), x);
    likeness_set(raster, page);
}

static void print_add(struct set *set, const struct print *print, const struct organ *organ)
{
    size_t count = print_sheets(print);
    Sohoa__Page **pages = calloc(count, sizeof *pages);
    if (!pages)
        abort();
    for (size_t i = 0; i < count; i++) {
        pages[i] = page_of(&set->reader, print_text(print, i), (uint32_t)i + 1);
        picture_set(pages[i], print, i, organ);
    }
    document_add(set, pages, count);
    for (size_t i = 0; i < count; i++)
        page_destroy(&pages[i]);
    free(pages);
}

static void letters_add(struct set *set, uint64_t seed, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct chance chance = chance_branch(seed, i);
        struct organ organ;
        struct print *print = print_drawn(&chance, PARAGRAPHS_LEAST, PARAGRAPHS_MOST, &organ);
        print_add(set, print, &organ);
        print_destroy(&print);
        if ((i + 1) % 1000 == 0)
            fprintf(stderr, "bench-duplicates: %u of %u documents\n", i + 1, count);
    }
}

/* ---- near-misses ---- */

static const char certificate[] = "ỦY BAN NHÂN DÂN CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\n"
                                  "QUẬN BA ĐÌNH Độc lập - Tự do - Hạnh phúc\n"
                                  "Số: %d/GCN-UBND Ba Đình, ngày 15 tháng 8 năm 2019\n"
                                  "GIẤY CHỨNG NHẬN\n"
                                  "ỦY BAN NHÂN DÂN QUẬN BA ĐÌNH CHỨNG NHẬN\n"
                                  "Ông (bà): %s\n"
                                  "Sinh ngày: %02d/%02d/%d tại thành phố Hà Nội\n"
                                  "Số căn cước công dân: 0010%08d cấp tại Cục Cảnh sát quản lý hành chính\n"
                                  "Nơi thường trú: số nhà %d, quận Ba Đình, thành phố Hà Nội\n"
                                  "Đã hoàn thành khóa bồi dưỡng nghiệp vụ công tác văn thư, lưu trữ dành cho\n"
                                  "công chức, viên chức các cơ quan, đơn vị thuộc quận tổ chức từ ngày\n"
                                  "05/8/2019 đến ngày 09/8/2019 theo Quyết định số 1127/QĐ-UBND của Ủy ban\n"
                                  "nhân dân quận về việc phê duyệt kế hoạch đào tạo, bồi dưỡng năm 2019.\n"
                                  "Kết quả xếp loại: Khá\n"
                                  "Giấy chứng nhận này có giá trị trên toàn thành phố và được lưu trong hồ sơ cá\n"
                                  "nhân của người được cấp. Vào sổ cấp giấy chứng nhận số: %d\n"
                                  "TM. ỦY BAN NHÂN DÂN\nKT. CHỦ TỊCH\nPHÓ CHỦ TỊCH\nĐỗ Thị Thu Hằng\n";

static void certificates_add(struct set *set, uint64_t seed, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct chance chance = chance_branch(seed + 1, i);
        char name[128], text[sizeof certificate + 256];
        place_person(&chance, name, sizeof name);
        int day = chance_between(&chance, 1, 28), month = chance_between(&chance, 1, 12);
        int year = chance_between(&chance, 1960, 1999), card = (int)chance_below(&chance, 100000000);
        int house = chance_between(&chance, 1, 400);
        snprintf(text, sizeof text, certificate, (int)i + 1, name, day, month, year, card, house, (int)i + 1);
        text_add(set, text);
    }
}

/* Where the nth date such as 15/3/2019 of the text begins, and how long it is; NULL: there is none. */
static const char *date_find(const char *text, int *bytes)
{
    int day, month, year, n;
    for (; *text; text++)
        if ((text[0] == ' ') && sscanf(text, " %2d/%2d/%4d%n", &day, &month, &year, &n) == 3 && year > 1900) {
            *bytes = n - 1;
            return text + 1;
        }
    return NULL;
}

static bool notices_add(struct set *set, struct chance *chance)
{
    struct organ organ;
    struct print *print = print_drawn(chance, PARAGRAPHS_LEAST, PARAGRAPHS_MOST, &organ);
    const char *text = print_text(print, 0);
    int bytes = 0;
    const char *date = print_sheets(print) == 1 ? date_find(text, &bytes) : NULL;
    for (int i = 0; i < VERSIONS && date; i++) {
        AUTO(buf_destroy) struct buf version = {0};
        buf_append(&version, text, (size_t)(date - text));
        buf_printf(&version, "%d/%d/%d", 3 + 5 * i, 1 + 2 * i, 2017 + i % 2);
        buf_puts(&version, date + bytes);
        text_add(set, buf_text(&version));
    }
    print_destroy(&print);
    return date != NULL;
}

static void series_add(struct set *set, uint64_t seed, uint32_t count)
{
    for (uint32_t i = 0; i < count / VERSIONS; i++) {
        struct chance chance = chance_branch(seed + 2, i);
        for (int tries = 0; tries < TRIES_MOST && !notices_add(set, &chance); tries++)
            continue;
    }
}

/* ---- so many that time and memory count ---- */

/* Of a page of text each, without a word in common. */
static void many_add(struct set *set, uint32_t count)
{
    struct chance *chance = &set->reader.chance;
    for (uint32_t i = 0; i < count; i++) {
        struct sketch sketch = {
            .pages = 1, .shingles = 250, .marks = 24, .pictures = 1, .picture = {chance_next(chance)}};
        for (unsigned k = 0; k < SKETCH_TEXT; k++)
            sketch.text[k] = (uint8_t)chance_next(chance);
        for (unsigned k = 0; k < sketch.marks; k++) {
            sketch.context[k] = (uint16_t)((k * 65536 + chance_below(chance, 65536)) / sketch.marks);
            sketch.value[k] = (uint8_t)chance_next(chance);
        }
        sketch_add(set, &sketch);
    }
}

/* ---- what came of it ---- */

/* Documents that are in a group, but for the first of each. */
static uint32_t joined(const struct set *set)
{
    static struct twin member[TWINS_GROUP_MOST];
    uint32_t docs = 0;
    for (uint32_t at = twins_next(set->twins, 0); at != NONE; at = twins_next(set->twins, at + 1))
        docs += (uint32_t)twins_members(set->twins, at, member) - 1;
    return docs;
}

static void set_new(struct set *set, const struct reader *reader, uint64_t seed)
{
    *set = (struct set){.twins = twins_new(TWINS_MOST), .reader = *reader};
    set->reader.chance = chance_branch(seed, UINT64_MAX);
}

static void run(const struct reader *reader, uint64_t seed, uint32_t different, uint32_t near, uint32_t count)
{
    AUTO(set_clear) struct set letters, forms, series, many;
    struct twins_counts counts;
    set_new(&letters, reader, seed);
    set_new(&forms, reader, seed + 1);
    set_new(&series, reader, seed + 2);
    set_new(&many, reader, seed + 3);
    letters_add(&letters, seed, different);
    certificates_add(&forms, seed, near);
    series_add(&series, seed, near);
    many_add(&many, count);
    twins_count(letters.twins, &counts);
    printf(
        "{\"different\": %u, \"false_groups\": %u, \"certificates\": %u, \"false_certificates\": %u, \"notices\": %u, "
        "\"false_notices\": %u, ",
        letters.docs, counts.groups, forms.docs, joined(&forms), series.docs, joined(&series));
    twins_count(many.twins, &counts);
    printf("\"many\": %u, \"bytes_per_document\": %.0f, \"us_per_add\": %.2f}\n", many.docs,
           (double)counts.bytes / (many.docs + !many.docs), many.add_us / (many.docs + !many.docs));
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"different",  required_argument, NULL, 'd'},
        {"near",       required_argument, NULL, 'n'},
        {"many",       required_argument, NULL, 'm'},
        {"seed",       required_argument, NULL, 's'},
        {"wrong",      required_argument, NULL, 'w'},
        {"wrong-sure", required_argument, NULL, 'x'},
        {"right-sure", required_argument, NULL, 'y'},
        {NULL,         0,                 NULL, 0  },
    };
    struct reader reader = {.right_sure = 1};
    uint32_t different = 10000, near = 2000, many = 1000000;
    uint64_t seed = 1;
    for (int key; (key = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (key) {
        case 'd': different = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'n': near = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'm': many = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 's': seed = strtoull(optarg, NULL, 10); break;
        case 'w': reader.wrong = strtod(optarg, NULL); break;
        case 'x': reader.wrong_sure = strtod(optarg, NULL); break;
        case 'y': reader.right_sure = strtod(optarg, NULL); break;
        default: return 2;
        }
    }
    run(&reader, seed, different, near, many);
    print_forget_fonts();
    return 0;
}
