/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The flow: dossier, letter, print, then page by page paper, damage, source; truth last. Each document draws from a
 * stream of chance of its own, so that one option does not reshuffle all the rest. */
#include "bench/backlog.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/dossier.h"
#include "bench/paper.h"
#include "proto/auto.h"

enum {
    RECENT_MAX = 64,  /* documents that a duplicate may be a copy of */
    PAGES_MOST = 60,  /* of the longest letters, about */
    SHORT_TRIES = 50, /* letters drawn until one fits on a single sheet */
    BACK_DPI = 75,    /* what shines through is blurred */
    COPY_BYTES = 1 << 16,
    THRESHOLD = 140, /* of bilevel scanners */
    SCAN_SHIFT = 40, /* seeds of a scanner's chance lie far from those of documents */
};

static const double paragraphs_a_page = 13, paragraphs_of_header = 5;

struct backlog {
    const struct backlog_plan *plan;
    struct truth *truth;
    struct dossier dossier;
    unsigned dossiers;
    struct truth_document recent[RECENT_MAX];
    uint32_t recent_count; /* ever; the last RECENT_MAX are there */
    uint32_t duplicates_left;
    struct backlog_count count;
};

static void backlog_clear(struct backlog *b)
{
    for (size_t i = 0; i < RECENT_MAX; i++)
        truth_document_clear(&b->recent[i]);
    truth_destroy(&b->truth);
}

/* What one document is made from. */
struct job {
    struct chance chance;
    struct source_form form;
    double strength;
    struct damage_ink ink;
    struct letter *letter;
    struct print *print;
    uint64_t ink_seed;
};

static void job_clear(struct job *job)
{
    letter_destroy(&job->letter);
    print_destroy(&job->print);
}

/* Rarely, gray and bilevel images are kept without loss. */
static enum source_coding job_draw_coding(struct job *job)
{
    const struct source_form *form = &job->form;
    bool rare = chance_percent(&job->chance, 20), is_pdf = form->format == SOURCE_PDF;
    if (form->format == SOURCE_PNG)
        return CODING_FLATE;
    if (form->colour == SOURCE_BILEVEL)
        return is_pdf && rare ? CODING_FLATE : CODING_G4;
    if (form->colour == SOURCE_GRAY && rare)
        return is_pdf ? CODING_FLATE : CODING_LZW;
    return CODING_JPEG;
}

static void job_draw_form(struct job *job, const struct backlog_plan *plan)
{
    static const unsigned format[] = {62, 18, 12, 8, 0}, colour[] = {45, 20, 35, 0}, dpi[] = {40, 60, 0};
    struct source_form *form = &job->form;
    do
        form->format = chance_weighed(&job->chance, format);
    while (!(plan->formats >> form->format & 1));
    form->colour = form->format == SOURCE_JPEG ? chance_below(&job->chance, 2) : chance_weighed(&job->chance, colour);
    form->coding = job_draw_coding(job);
    form->quality = chance_between(&job->chance, 55, 90);
    unsigned drawn;
    do
        drawn = chance_weighed(&job->chance, dpi);
    while (!(plan->dpi >> drawn & 1));
    if (form->colour != SOURCE_BILEVEL && form->coding != CODING_JPEG && plan->dpi >> DPI_200 & 1)
        drawn = DPI_200; /* more would make huge files, which nobody keeps */
    form->dpi = source_dpi(drawn);
}

static void job_draw_ink(struct job *job, enum damage_level level)
{
    if (level == DAMAGE_NONE)
        return;
    job->ink.hand = chance_percent(&job->chance, 55);
    job->ink.seal = chance_percent(&job->chance, 92);
    job->ink.stamp = chance_percent(&job->chance, 25);
    job->ink.urgent = !job->ink.stamp && chance_percent(&job->chance, 8);
    job->ink_seed = chance_next(&job->chance);
}

static unsigned job_paragraphs(struct job *job, double pages_mean)
{
    double spread = pages_mean > 1.1 ? pages_mean - 1.1 : 0;
    double pages = 0.6 - log(1 - chance_real(&job->chance, 0, 1)) * spread;
    double paragraphs = (pages > PAGES_MOST ? PAGES_MOST : pages) * paragraphs_a_page - paragraphs_of_header;
    return paragraphs > 3 ? (unsigned)paragraphs : 3;
}

static int job_print(struct job *job, const struct dossier *dossier, unsigned paragraphs, struct err *err)
{
    struct letter_plan plan = {dossier->year, paragraphs, job->ink.hand};
    letter_destroy(&job->letter);
    print_destroy(&job->print);
    letter_new(&job->chance, &dossier->organ, &plan, &job->letter);
    return print_new(job->letter, &job->print, err);
}

/* A JPEG or PNG holds one page: letters are drawn until one fits. */
static int job_print_short(struct job *job, const struct dossier *dossier, struct err *err)
{
    for (int tries = 0; tries < SHORT_TRIES; tries++) {
        int rc = job_print(job, dossier, 3, err);
        if (rc || print_sheets(job->print) == 1)
            return rc;
    }
    return err_set(err, E_LIMIT, "no letter of %s fitted on one page", dossier->organ.name);
}

/* The same sheets once more on a scanner: what is on them stays. A letter that was drawn to fill a file of one page fits any other; else
 * the file must hold pages, too. */
static void job_scan_again(struct job *job, const struct backlog_plan *plan, uint32_t index)
{
    struct source_form before = job->form;
    job->chance = chance_branch(plan->seed + ((uint64_t)plan->scan << SCAN_SHIFT), 2 * (uint64_t)index + 1);
    do
        job_draw_form(job, plan);
    while ((source_holds_pages(before.format) && !source_holds_pages(job->form.format)) ||
           (job->form.dpi == before.dpi && plan->dpi == BACKLOG_ALL(SOURCE_DPI_NR)));
    job->strength = damage_strength(&job->chance, plan->damage);
}

static int job_init(struct job *job, const struct backlog_plan *plan, const struct dossier *dossier, uint32_t index,
                    struct err *err)
{
    *job = (struct job){.chance = chance_branch(plan->seed, 2 * (uint64_t)index + 1)};
    job_draw_form(job, plan);
    job->strength = damage_strength(&job->chance, plan->damage);
    job_draw_ink(job, plan->damage);
    int rc = source_holds_pages(job->form.format) ? job_print(job, dossier, job_paragraphs(job, plan->pages_mean), err)
                                                  : job_print_short(job, dossier, err);
    if (!rc && plan->scan)
        job_scan_again(job, plan, index);
    return rc;
}

/* The other side of the sheet, for what shines through. */
static PIX *job_back(const struct job *job, const struct dossier *dossier, size_t sheet_no)
{
    struct paper paper = {job->print, sheet_no, &dossier->organ, {0}, job->ink_seed};
    return paper_paint(&paper, NULL, BACK_DPI, false);
}

/* Scans one side: sheet sheet_no, or the blank back of it. */
static int job_scan(struct job *job, const struct dossier *dossier, size_t sheet_no, bool blank,
                    const struct damage *damage, struct source *source, struct err *err)
{
    struct paper paper = {blank ? NULL : job->print, sheet_no, &dossier->organ, job->ink, job->ink_seed};
    bool other_side = blank || sheet_no + 1 < print_sheets(job->print);
    AUTO(pix_destroy) PIX *page = paper_paint(&paper, damage, job->form.dpi, job->form.colour == SOURCE_COLOUR);
    AUTO(pix_destroy) PIX *back = NULL;
    if (damage->bleed > 0 && other_side)
        back = job_back(job, dossier, blank ? sheet_no : sheet_no + 1);
    damage_scan(damage, &page, back);
    if (job->form.colour == SOURCE_BILEVEL) {
        PIX *bilevel = pixThresholdToBinary(page, THRESHOLD);
        assert(bilevel);
        pixDestroy(&page);
        page = bilevel;
    }
    pixSetResolution(page, (l_int32)job->form.dpi, (l_int32)job->form.dpi);
    return source_add(source, page, err);
}

/* A stream for each page, so that turning one page does not change the next. */
static void job_draw_damage(struct job *job, const struct backlog_plan *plan, bool blank, struct damage *damage)
{
    struct chance chance = chance_branch(chance_next(&job->chance), blank);
    damage_draw(&chance, job->strength, damage);
    if (blank && job->strength > 0 && damage->bleed <= 0 && chance_percent(&chance, 60))
        damage->bleed = chance_real(&chance, 0.03, 0.06 + 0.12 * job->strength);
    if (chance_percent(&chance, plan->rotated))
        damage->rotation_deg = 90 * (1 + chance_below(&chance, 3));
}

static int job_add_page(struct job *job, const struct backlog *b, size_t sheet_no, bool blank, struct source *source,
                        struct truth_document *document, struct err *err)
{
    struct damage damage;
    job_draw_damage(job, b->plan, blank, &damage);
    if (!blank && sheet_no + 1 == print_sheets(job->print))
        damage.bleed = 0; /* nothing is printed on the other side */
    struct damage_ink ink = {0};
    if (!blank)
        ink = paper_ink(job->print, sheet_no, &job->ink);
    struct truth_page *page = truth_document_add(document, blank ? "" : print_text(job->print, sheet_no),
                                                 blank ? "" : print_parts(job->print, sheet_no));
    AUTO(buf_destroy) struct buf names = {0};
    damage_list(&damage, &ink, &names);
    snprintf(page->damage, sizeof page->damage, "%s", buf_text(&names));
    page->rotation_deg = damage.rotation_deg;
    page->skew_deg = damage.skew_deg;
    page->blank = blank;
    return job_scan(job, &b->dossier, sheet_no, blank, &damage, source, err);
}

static int job_write(struct job *job, const struct backlog *b, const char *path, struct truth_document *document,
                     struct err *err)
{
    AUTO(source_destroy) struct source *source = NULL;
    source_new(path, &job->form, &source);
    bool backs = source_holds_pages(job->form.format);
    int rc = 0;
    for (size_t i = 0; !rc && i < print_sheets(job->print); i++) {
        rc = job_add_page(job, b, i, false, source, document, err);
        if (!rc && backs && chance_percent(&job->chance, b->plan->blank))
            rc = job_add_page(job, b, i, true, source, document, err);
    }
    return rc ? rc : source_close(source, err);
}

/* Chooses a name that is free in the dossier's folder: "a.pdf", "a (2).pdf". */
static void backlog_name(const struct backlog *b, struct chance *chance, const struct letter_fields *fields,
                         enum source_format format, char *file, struct buf *path)
{
    static const char *const suffix[SOURCE_FORMAT_NR][4] = {
        {"pdf", "pdf",  "pdf", "PDF"},
        {"tif", "tiff", "tif", "TIF"},
        {"jpg", "jpeg", "jpg", "JPG"},
        {"png", "png",  "png", "PNG"}
    };
    AUTO(buf_destroy) struct buf name = {0};
    dossier_name(&b->dossier, chance, fields, &name);
    const char *end = CHANCE_PICK(chance, suffix[format]);
    struct stat seen;
    unsigned copy = 1;
    do {
        if (copy == 1)
            snprintf(file, TRUTH_FILE_BYTES, "%s/%s.%s", b->dossier.folder, buf_text(&name), end);
        else
            snprintf(file, TRUTH_FILE_BYTES, "%s/%s (%u).%s", b->dossier.folder, buf_text(&name), copy, end);
        copy++;
        buf_clear(path);
        buf_printf(path, "%s/scans/%s", b->plan->out, file);
    } while (!stat(buf_text(path), &seen));
}

static int backlog_count_file(struct backlog *b, const struct truth_document *document, const char *path,
                              struct err *err)
{
    struct stat info;
    if (stat(path, &info))
        return err_errno(err, E_IO, "%s", path);
    b->count.documents++;
    b->count.pages += document->page_count;
    b->count.bytes += (uint64_t)info.st_size;
    return 0;
}

static int backlog_new_document(struct backlog *b, uint32_t index, struct err *err)
{
    AUTO(job_clear) struct job job = {0};
    AUTO(buf_destroy) struct buf path = {0};
    int rc = job_init(&job, b->plan, &b->dossier, index, err);
    if (rc)
        return rc;
    struct truth_document *document = &b->recent[b->recent_count++ % RECENT_MAX];
    truth_document_clear(document);
    document->fields = job.letter->fields;
    document->form = job.form;
    snprintf(document->organ_name, sizeof document->organ_name, "%s", job.letter->organ.name);
    backlog_name(b, &job.chance, &document->fields, job.form.format, document->file, &path);
    rc = job_write(&job, b, buf_text(&path), document, err);
    if (!rc)
        rc = truth_write(b->truth, document, &b->dossier.place, err);
    return rc ? rc : backlog_count_file(b, document, buf_text(&path), err);
}

static int file_copy(const char *from, const char *to, struct err *err)
{
    FILE *in = fopen(from, "rb"), *out = in ? fopen(to, "wb") : NULL;
    char bytes[COPY_BYTES];
    size_t n;
    bool good = out != NULL;
    while (good && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
        good = fwrite(bytes, 1, n, out) == n;
    good = good && !ferror(in);
    if (in)
        fclose(in);
    if (out && fclose(out))
        good = false;
    return good ? 0 : err_errno(err, E_IO, "%s", to);
}

static int backlog_duplicate(struct backlog *b, uint32_t index, struct err *err)
{
    struct chance chance = chance_branch(b->plan->seed, 2 * (uint64_t)index + 1);
    uint32_t there = b->recent_count < RECENT_MAX ? b->recent_count : RECENT_MAX;
    const struct truth_document *original = &b->recent[chance_below(&chance, there)];
    struct truth_document copy = *original; /* borrows pages and text */
    copy.duplicate_of = original->file;
    AUTO(buf_destroy) struct buf from = {0}, to = {0};
    buf_printf(&from, "%s/scans/%s", b->plan->out, original->file);
    backlog_name(b, &chance, &copy.fields, copy.form.format, copy.file, &to);
    int rc = file_copy(buf_text(&from), buf_text(&to), err);
    if (!rc)
        rc = truth_write(b->truth, &copy, &b->dossier.place, err);
    return rc ? rc : backlog_count_file(b, &copy, buf_text(&to), err);
}

static int backlog_dossier(struct backlog *b, uint32_t index, struct err *err)
{
    struct chance chance = chance_branch(b->plan->seed, 2 * (uint64_t)index);
    if (b->dossier.left == 0)
        dossier_open(&b->dossier, &chance, b->plan->kinds, ++b->dossiers);
    b->dossier.left--;
    b->dossier.place.ordinal++;
    return truth_folder(b->truth, b->dossier.folder, err);
}

/* Duplicates are spread evenly by chance, and come out as many as asked for. */
static bool backlog_is_duplicate(struct backlog *b, uint32_t index)
{
    struct chance chance = chance_branch(b->plan->seed, UINT64_MAX - index);
    if (index == 0 || chance_below(&chance, b->plan->documents - index) >= b->duplicates_left)
        return false;
    b->duplicates_left--;
    return true;
}

static int backlog_document(struct backlog *b, uint32_t index, struct err *err)
{
    int rc = backlog_dossier(b, index, err);
    if (rc)
        return rc;
    rc = backlog_is_duplicate(b, index) ? backlog_duplicate(b, index, err) : backlog_new_document(b, index, err);
    if (!rc && b->plan->progress)
        fprintf(b->plan->progress, "scans: %u of %u documents, %llu pages\n", index + 1, b->plan->documents,
                (unsigned long long)b->count.pages);
    return rc;
}

int backlog_write(const struct backlog_plan *plan, struct backlog_count *ret_count, struct err *err)
{
    assert(plan->kinds && plan->formats && plan->dpi && plan->documents);
    AUTO(backlog_clear) struct backlog backlog = {.plan = plan};
    uint32_t most = plan->documents - 1;
    backlog.duplicates_left = (uint32_t)lrint(plan->documents * plan->duplicates / 100);
    if (backlog.duplicates_left > most)
        backlog.duplicates_left = most;
    int rc = truth_new(plan->out, &backlog.truth, err);
    for (uint32_t i = 0; !rc && i < plan->documents; i++)
        rc = backlog_document(&backlog, i, err);
    if (!rc)
        *ret_count = backlog.count;
    return rc;
}
