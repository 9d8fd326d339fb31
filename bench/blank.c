/* SPDX-License-Identifier: AGPL-3.0-or-later
 * How well the blank detector does, alone: sheets are drawn, damaged and judged in memory. Page i of a seed is the same
 * however many are drawn. Fronts hold little more often than real ones do, since only those are at risk. */
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/paper.h"
#include "bench/source.h"
#include "proto/auto.h"
#include "worker/clean_look.h"

enum {
    BACK_DPI = 75,
    THRESHOLD = 140, /* of bilevel scanners */
    PAGES_MAX = 1000000,
    WORKERS_MAX = 64,
    PATH_BYTES = 4096,
};

enum front { FRONT_LETTER, FRONT_NUMBER, FRONT_LINE, FRONT_HAND, FRONT_SIGNATURE, FRONT_SIGNED, FRONT_NR };

static const char *const front_name[FRONT_NR] = {"letter", "number", "line", "hand", "signature", "signed"};
static const unsigned front_weight[FRONT_NR + 1] = {40, 14, 14, 12, 10, 10, 0};

struct plan {
    uint32_t pages, blank_pages;
    uint64_t seed;
    enum damage_level damage;
    const char *keep; /* folder for pictures of pages judged wrongly; NULL: none */
};

/* What became of a page; shared between processes. */
struct verdict {
    enum clean_ink ink;
    enum front front;
    enum source_colour colour;
    uint32_t dpi;
    double ms;
    struct look_ink counts;
    int noise;
    char damage[160];
};

struct sheet {
    struct chance chance;
    bool blank;
    enum front front;
    enum source_colour colour;
    uint32_t dpi;
    struct organ organ;
    struct letter *letter;
    struct print *print;
    struct damage damage;
    struct damage_ink ink;
    uint64_t ink_seed;
};

static void sheet_clear(struct sheet *sheet)
{
    letter_destroy(&sheet->letter);
    print_destroy(&sheet->print);
}

/* A letter that holds one block alone. */
static struct block *sheet_block(struct sheet *sheet, enum block_form form)
{
    struct letter *letter = calloc(1, sizeof *letter);
    assert(letter);
    letter->organ = sheet->organ;
    letter->size_pt = chance_real(&sheet->chance, 11, 14);
    letter->handwritten = true;
    sheet->letter = letter;
    return letter_block(letter, form, chance_real(&sheet->chance, 0, 180));
}

static char *sheet_number(struct sheet *sheet)
{
    AUTO(buf_destroy) struct buf text = {0};
    int number = chance_between(&sheet->chance, 2, 99);
    switch (chance_below(&sheet->chance, 4)) {
    case 0: buf_printf(&text, "%d", number); break;
    case 1: buf_printf(&text, "- %d -", number); break;
    case 2: buf_printf(&text, "Trang %d", number); break;
    default: buf_printf(&text, "<i>%d</i>", number); break;
    }
    return strdup(buf_text(&text));
}

static void sheet_write_line(struct sheet *sheet)
{
    static const char *const line[] = {"PHỤ LỤC",      "Phần thứ nhất", "MỤC LỤC", "Hết.", "(Kèm theo Quyết định)",
                                       "TÀI LIỆU HỌP", "Mật",           "./."};
    enum block_form form = chance_percent(&sheet->chance, 50) ? BLOCK_CENTRE : BLOCK_BODY;
    struct block *block = sheet_block(sheet, form);
    block->text = strdup(CHANCE_PICK(&sheet->chance, line));
}

static void sheet_write_hand(struct sheet *sheet)
{
    AUTO(buf_destroy) struct buf text = {0}, digits = {0};
    struct block *block = sheet_block(sheet, BLOCK_BODY);
    int day = chance_between(&sheet->chance, 10, 28), month = chance_between(&sheet->chance, 1, 12);
    buf_printf(&digits, "%d/%d", day, month);
    letter_by_hand(sheet->letter, &text, buf_text(&digits));
    block->text = strdup(buf_text(&text));
    sheet->ink.hand = true;
}

static void sheet_write_closing(struct sheet *sheet, bool named)
{
    struct block *block = sheet_block(sheet, BLOCK_CLOSING);
    block->text = strdup("");
    block->right = strdup(named ? "<b>CHỦ TỊCH</b>" : "");
    block->name_right = strdup(named ? "<b>Nguyễn Văn An</b>" : "");
    block->name_left = named ? NULL : strdup(""); /* without a seal: a witness */
    sheet->ink.seal = true;
}

static void sheet_write(struct sheet *sheet, enum front front)
{
    struct letter_plan plan = {2019, 3, chance_percent(&sheet->chance, 50)};
    switch (front) {
    case FRONT_NUMBER:
        sheet_block(sheet, chance_percent(&sheet->chance, 70) ? BLOCK_CENTRE : BLOCK_BODY)->text = sheet_number(sheet);
        break;
    case FRONT_LINE: sheet_write_line(sheet); break;
    case FRONT_HAND: sheet_write_hand(sheet); break;
    case FRONT_SIGNATURE: sheet_write_closing(sheet, false); break;
    case FRONT_SIGNED: sheet_write_closing(sheet, true); break;
    default:
        letter_new(&sheet->chance, &sheet->organ, &plan, &sheet->letter);
        sheet->ink = (struct damage_ink){true, true, chance_percent(&sheet->chance, 25), false};
    }
}

/* Gives what a scanner makes of it. A blank side has the written one behind it, all inks included. */
static PIX *sheet_scan(struct sheet *sheet)
{
    bool colour = sheet->colour == SOURCE_COLOUR;
    struct paper print = {sheet->print, 0, &sheet->organ, paper_ink(sheet->print, 0, &sheet->ink), sheet->ink_seed};
    struct paper none = {.organ = &sheet->organ};
    AUTO(pix_destroy) PIX *behind = NULL;
    if (sheet->damage.bleed > 0 && sheet->blank)
        behind = paper_paint(&print, NULL, BACK_DPI, colour);
    PIX *page = paper_paint(sheet->blank ? &none : &print, &sheet->damage, sheet->dpi, colour);
    damage_scan(&sheet->damage, &page, behind);
    if (sheet->colour == SOURCE_BILEVEL) {
        PIX *bilevel = pixThresholdToBinary(page, THRESHOLD);
        pixDestroy(&page);
        page = bilevel;
    }
    assert(page);
    return page;
}

static struct raster *scan_raster(PIX *pix, uint32_t dpi)
{
    uint32_t width = (uint32_t)pixGetWidth(pix), height = (uint32_t)pixGetHeight(pix);
    int depth = pixGetDepth(pix);
    struct raster *raster = raster_new(width, height, depth == 32 ? 3 : depth == 8 ? 1 : 0);
    assert(raster);
    raster->dpi = dpi;
    for (uint32_t y = 0; y < height; y++) {
        const l_uint32 *line = pixGetData(pix) + (size_t)y * (size_t)pixGetWpl(pix);
        uint8_t *row = raster->data + y * raster->stride_bytes;
        for (size_t i = 0; i < raster->stride_bytes; i++)
            row[i] = (uint8_t)(depth == 32 ? line[i / 3] >> (24 - 8 * (i % 3)) : GET_DATA_BYTE(line, i));
    }
    return raster;
}

/* Half of the blank sides have a whole letter behind them, and some of those shine through strongly. */
static void sheet_draw_damage(struct sheet *sheet, enum damage_level level)
{
    double strength = damage_strength(&sheet->chance, level);
    damage_draw(&sheet->chance, strength, &sheet->damage);
    if (sheet->blank && strength > 0 && chance_percent(&sheet->chance, 70))
        sheet->damage.bleed = chance_real(&sheet->chance, 0.03, 0.1 + 0.16 * strength);
    if (chance_percent(&sheet->chance, 5))
        sheet->damage.rotation_deg = 90 * (1 + chance_below(&sheet->chance, 3));
}

static int sheet_init(struct sheet *sheet, const struct plan *plan, uint32_t index, struct err *err)
{
    static const unsigned colour[] = {45, 20, 35, 0};
    *sheet = (struct sheet){.chance = chance_branch(plan->seed, index), .blank = index >= plan->pages};
    sheet->colour = chance_weighed(&sheet->chance, colour);
    sheet->dpi = source_dpi(chance_below(&sheet->chance, SOURCE_DPI_NR));
    sheet->ink_seed = chance_next(&sheet->chance);
    organ_draw(&sheet->chance, chance_below(&sheet->chance, ORGAN_KIND_NR), &sheet->organ);
    sheet->front = chance_weighed(&sheet->chance, front_weight);
    sheet_write(sheet, sheet->front);
    sheet_draw_damage(sheet, plan->damage);
    return print_new(sheet->letter, &sheet->print, err);
}

static double clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int raster_judge(const struct raster *raster, struct verdict *verdict, struct err *err)
{
    AUTO(look_clear) struct look look = {0};
    double began_ms = clock_ms();
    int rc = look_take(raster, &look, err);
    if (rc)
        return rc;
    look_count(&look, &verdict->counts);
    verdict->ink = look_judge(&verdict->counts);
    verdict->ms = clock_ms() - began_ms;
    verdict->noise = look.noise;
    return 0;
}

static bool verdict_is_wrong(const struct plan *plan, uint32_t index, const struct verdict *verdict)
{
    return (verdict->ink == CLEAN_BLANK) != (index >= plan->pages);
}

static int page_judge(const struct plan *plan, uint32_t index, struct verdict *verdict, struct err *err)
{
    AUTO(sheet_clear) struct sheet sheet = {0};
    int rc = sheet_init(&sheet, plan, index, err);
    if (rc)
        return rc;
    AUTO(pix_destroy) PIX *page = sheet_scan(&sheet);
    AUTO(raster_destroy) struct raster *raster = scan_raster(page, sheet.dpi);
    AUTO(buf_destroy) struct buf names = {0};
    damage_list(&sheet.damage, NULL, &names);
    snprintf(verdict->damage, sizeof verdict->damage, "%s", buf_text(&names));
    verdict->front = sheet.front;
    verdict->colour = sheet.colour;
    verdict->dpi = sheet.dpi;
    rc = raster_judge(raster, verdict, err);
    if (rc || !plan->keep || !verdict_is_wrong(plan, index, verdict))
        return rc;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%llu-%u.png", plan->keep, (unsigned long long)plan->seed, index);
    return pixWrite(path, page, IFF_PNG) ? err_set(err, E_IO, "%s", path) : 0;
}

/* Every worker takes one page of so many, so that all have the same mixture. */
static int worker_run(const struct plan *plan, uint32_t first, uint32_t step, struct verdict *verdicts)
{
    struct err err = {0};
    int rc = 0;
    for (uint32_t i = first; !rc && i < plan->pages + plan->blank_pages; i += step) {
        rc = page_judge(plan, i, &verdicts[i], &err);
        if (!rc && i / 250 != (i - step) / 250)
            fprintf(stderr, "blank: page %u of %u\n", i, plan->pages + plan->blank_pages);
    }
    print_forget_fonts();
    if (rc)
        fprintf(stderr, "blank: %s: %s\n", err_name(rc), err.text);
    return rc ? 1 : 0;
}

static bool workers_run(const struct plan *plan, struct verdict *verdicts)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t count = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (uint32_t)cores;
    bool good = true;
    for (uint32_t i = 0; i < count; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL); /* an ended bench leaves nobody behind */
            _exit(worker_run(plan, i, count, verdicts));
        }
        good = good && pid > 0;
    }
    for (int status = 0; wait(&status) > 0 || errno == EINTR;)
        good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return good;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void print_wrong(const struct plan *plan, uint32_t index, const struct verdict *v)
{
    const struct look_ink *c = &v->counts;
    printf(
        "wrong: seed %llu page %u: %s (%s, %s, %u dpi; %s) called %s\n"
        "  marks %d red %d faint %d specks %d blots %d lines %d edges %d ink %d bleed %d noise %d red %llu of %llu\n",
        (unsigned long long)plan->seed, index, index < plan->pages ? "front" : "back", front_name[v->front],
        source_colour_name(v->colour), v->dpi, v->damage, v->ink == CLEAN_BLANK ? "blank" : "written", c->marks,
        c->red_marks, c->faint, c->specks, c->blots, c->lines, c->edges, c->ink_level, c->bleed_level, v->noise,
        (unsigned long long)c->red_full_px, (unsigned long long)c->red_px);
}

static void print_table(const struct plan *plan, const struct verdict *verdicts)
{
    uint32_t count[FRONT_NR + 1][3] = {0};
    for (uint32_t i = 0; i < plan->pages + plan->blank_pages; i++) {
        count[i < plan->pages ? verdicts[i].front : FRONT_NR][verdicts[i].ink]++;
        if (verdict_is_wrong(plan, i, &verdicts[i]))
            print_wrong(plan, i, &verdicts[i]);
    }
    printf("%-10s %8s %8s %8s\n", "page", "blank", "scant", "written");
    for (int f = 0; f <= FRONT_NR; f++)
        printf("%-10s %8u %8u %8u\n", f < FRONT_NR ? front_name[f] : "(back)", count[f][CLEAN_BLANK],
               count[f][CLEAN_SCANT], count[f][CLEAN_WRITTEN]);
}

static void print_json(const struct plan *plan, const struct verdict *verdicts)
{
    double *ms = calloc(plan->blank_pages + 1, sizeof *ms);
    assert(ms);
    uint32_t wrongly = 0, found = 0;
    for (uint32_t i = 0; i < plan->pages + plan->blank_pages; i++) {
        bool blank = verdicts[i].ink == CLEAN_BLANK;
        wrongly += i < plan->pages && blank;
        found += i >= plan->pages && blank;
        if (i >= plan->pages)
            ms[i - plan->pages] = verdicts[i].ms;
    }
    qsort(ms, plan->blank_pages, sizeof *ms, by_size);
    json_t *line =
        json_pack("{s:i,s:i,s:i,s:i,s:f,s:f,s:f}", "pages", (int)plan->pages, "blank_pages", (int)plan->blank_pages,
                  "called_blank_wrongly", (int)wrongly, "blank_found", (int)found, "blank_found_share",
                  plan->blank_pages ? (double)found / plan->blank_pages : 0.0, "ms_blank_p50",
                  ms[plan->blank_pages / 2], "ms_blank_p95", ms[plan->blank_pages * 95 / 100]);
    json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(4));
    putchar('\n');
    json_decref(line);
    free(ms);
}

static const char usage[] =
    "usage: bench/blank [option...]\n"
    "Judges drawn pages with the blank detector alone; lists the wrong ones, one line of JSON last.\n"
    "  --pages N        written sides (3000)\n"
    "  --blank-pages N  blank sides (500)\n"
    "  --seed N         (1)\n"
    "  --damage LEVEL   none, light, mixed, heavy (mixed)\n"
    "  --keep DIR       writes the pages that were judged wrongly into DIR, as PNG\n"
    "  --help\n";

static bool parse_number(const char *text, uint64_t most, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return !errno && end != text && !*end && *text != '-' && *value <= most;
}

static bool parse_level(const char *text, enum damage_level *level)
{
    for (unsigned i = 0; i < DAMAGE_LEVEL_NR; i++)
        if (!strcmp(text, damage_level_name(i))) {
            *level = i;
            return true;
        }
    return false;
}

static bool parse_options(int argc, char **argv, struct plan *plan)
{
    static const struct option options[] = {
        {"pages",       required_argument, NULL, 'p'},
        {"blank-pages", required_argument, NULL, 'b'},
        {"seed",        required_argument, NULL, 's'},
        {"damage",      required_argument, NULL, 'd'},
        {"keep",        required_argument, NULL, 'k'},
        {"help",        no_argument,       NULL, 'h'},
        {NULL,          0,                 NULL, 0  },
    };
    uint64_t pages = plan->pages, blank_pages = plan->blank_pages;
    bool good = true;
    for (int key; good && (key = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (key) {
        case 'p': good = parse_number(optarg, PAGES_MAX, &pages); break;
        case 'b': good = parse_number(optarg, PAGES_MAX, &blank_pages); break;
        case 's': good = parse_number(optarg, UINT64_MAX, &plan->seed); break;
        case 'd': good = parse_level(optarg, &plan->damage); break;
        case 'k': plan->keep = optarg; break;
        case 'h': fputs(usage, stdout); exit(0);
        default: good = false;
        }
    plan->pages = (uint32_t)pages;
    plan->blank_pages = (uint32_t)blank_pages;
    return good && optind == argc && pages + blank_pages > 0;
}

int main(int argc, char **argv)
{
    struct plan plan = {.pages = 3000, .blank_pages = 500, .seed = 1, .damage = DAMAGE_MIXED};
    if (!parse_options(argc, argv, &plan)) {
        fputs(usage, stderr);
        return 2;
    }
    if (plan.keep && mkdir(plan.keep, 0777) && errno != EEXIST) {
        fprintf(stderr, "blank: %s: %s\n", plan.keep, strerror(errno));
        return 1;
    }
    size_t bytes = (size_t)(plan.pages + plan.blank_pages) * sizeof(struct verdict);
    struct verdict *verdicts = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (verdicts == MAP_FAILED || !workers_run(&plan, verdicts))
        return 1;
    print_table(&plan, verdicts);
    print_json(&plan, verdicts);
    return 0;
}
