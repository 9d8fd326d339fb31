/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Two passes: all words of the document become tokens; then tokens become shingles and marks. What every letterhead says is passed over. Of
 * marks those are kept whose contexts have the least hashes, so that two scans of a document keep the same ones. */
#include "worker/gist.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/auto.h"
#include "worker/likeness.h"

enum {
    SURE_CPCT = 9000,         /* confidence from which a word may be a mark, ... */
    SURE_SHOUTED_CPCT = 9300, /* ... one in capitals, whose accents are small, ... */
    SURE_BARE_CPCT = 9500,    /* ... and one of digits alone: written ones are often read wrongly with less */
    NAME_WORDS_LEAST = 2,     /* capitalised words in a row that are a name; ... */
    NAME_WORDS_MOST = 6,      /* ... more are a title, or shouting */
    DATE_DIGITS = 6,          /* of a whole date; the number of a day never stands where one does */
    NUMBER_ALONE_MOST = 3,    /* digits of a line that is nothing else: the page's number */
    CONTEXT_WORDS = 2,        /* plain words before a mark that name its place */
    TOKEN_BYTES = 48,         /* of a word, without accents; longer ones are cut */
};

enum gist_kind { GIST_PLAIN, GIST_NUMBER, GIST_DATE, GIST_NAME, GIST_PASSED }; /* DATE: a long number, too */

struct token {
    uint64_t hash;
    uint8_t kind;
    bool capital, shouts, sure, starts; /* shouts: in capitals all over; starts: a line */
};

struct mark {
    uint64_t context, value;
    bool sure;
};

struct gist {
    struct buf tokens, marks;
    struct sketch *sketch;
};

static void gist_clear(struct gist *gist)
{
    buf_destroy(&gist->tokens);
    buf_destroy(&gist->marks);
}

/* ---- words ---- */

static uint64_t mixed(uint64_t x) /* SplitMix64's finaliser */
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t hash_of(const char *text, size_t bytes)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return mixed(hash);
}

static uint64_t joined(uint64_t hash, uint64_t next)
{
    return mixed(hash * UINT64_C(0x9e3779b97f4a7c15) + next);
}

/* Letters and digits alone, without accents, in lower case. */
static size_t plain_text(const char *word, char plain[TOKEN_BYTES])
{
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t bytes =
        utf8proc_map((const utf8proc_uint8_t *)word, 0, &folded,
                     UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK | UTF8PROC_CASEFOLD);
    size_t n = 0;
    for (utf8proc_ssize_t i = 0; i < bytes && n < TOKEN_BYTES; i++) {
        uint8_t byte = folded[i];
        if (byte == 0xc4 && i + 1 < bytes && folded[i + 1] == 0x91) { /* đ has no accent to be stripped */
            plain[n++] = 'd';
            i++;
        } else if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9')) {
            plain[n++] = (char)byte;
        }
    }
    free(folded);
    return n;
}

static size_t digits_of(const char *plain, size_t bytes, char digits[TOKEN_BYTES])
{
    size_t n = 0;
    for (size_t i = 0; i < bytes; i++)
        if (plain[i] >= '0' && plain[i] <= '9')
            digits[n++] = plain[i];
    return n;
}

static bool is_capital(const char *word)
{
    utf8proc_int32_t rune;
    while (*word && !(*word & 0x80) && !((*word | 0x20) >= 'a' && (*word | 0x20) <= 'z'))
        word++;
    return utf8proc_iterate((const utf8proc_uint8_t *)word, -1, &rune) > 0 && utf8proc_isupper(rune);
}

static bool is_shouted(const char *word)
{
    utf8proc_int32_t rune;
    for (utf8proc_ssize_t n; *word; word += n > 0 ? n : 1) {
        n = utf8proc_iterate((const utf8proc_uint8_t *)word, -1, &rune);
        if (n > 0 && utf8proc_islower(rune))
            return false;
    }
    return true;
}

static bool is_sure(const Sohoa__Word *word, bool bare)
{
    uint32_t least = bare ? SURE_BARE_CPCT : is_shouted(word->text) ? SURE_SHOUTED_CPCT : SURE_CPCT;
    return word->own || word->confidence_cpct >= least;
}

/* "1.", "a)": the numbering of a list. */
static bool is_bullet(const char *word, size_t digits)
{
    size_t bytes = strlen(word);
    return digits && (word[bytes - 1] == '.' || word[bytes - 1] == ')') && bytes <= digits + 2;
}

static void word_add(struct gist *gist, const Sohoa__Word *word, bool starts, bool alone)
{
    char plain[TOKEN_BYTES], digits[TOKEN_BYTES];
    size_t bytes = plain_text(word->text, plain), n = digits_of(plain, bytes, digits);
    if (!bytes || (n && ((alone && n <= NUMBER_ALONE_MOST) || (starts && is_bullet(word->text, n)))))
        return;
    struct token token = {.hash = n ? hash_of(digits, n) : hash_of(plain, bytes),
                          .kind = !n                ? GIST_PLAIN
                                  : n < DATE_DIGITS ? GIST_NUMBER
                                                    : GIST_DATE,
                          .capital = !n && bytes > 1 && is_capital(word->text),
                          .shouts = !n && is_shouted(word->text),
                          .sure = is_sure(word, n == bytes),
                          .starts = starts};
    buf_append(&gist->tokens, &token, sizeof token);
}

static void page_add(struct gist *gist, const Sohoa__Page *page)
{
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++) {
            const Sohoa__Line *line = page->blocks[b]->lines[l];
            for (size_t w = 0; w < line->n_words; w++)
                word_add(gist, line->words[w], w == 0, line->n_words == 1);
        }
}

/* ---- tokens ---- */

static const char *const letterhead[] = {
    "cong hoa xa hoi chu nghia viet nam",
    "doc lap tu do hanh phuc",
    "dang cong san viet nam",
    "uy ban nhan dan",
    "hoi dong nhan dan",
    "doan tncs ho chi minh",
};

static uint64_t word_next(const char **at)
{
    size_t bytes = strcspn(*at, " ");
    uint64_t hash = hash_of(*at, bytes);
    *at += bytes + ((*at)[bytes] == ' ');
    return hash;
}

/* How many tokens from at on are text; 0: they are not. */
static size_t tokens_are(const struct token *token, size_t at, size_t count, const char *text)
{
    size_t n = 0;
    while (*text && at + n < count && token[at + n].hash == word_next(&text))
        if (++n, !*text)
            return n;
    return 0;
}

static void letterhead_pass(struct token *token, size_t count)
{
    for (size_t at = 0; at < count; at++)
        for (size_t i = 0; i < sizeof letterhead / sizeof letterhead[0]; i++)
            for (size_t n = tokens_are(token, at, count, letterhead[i]); n > 0; n--)
                token[at + n - 1].kind = GIST_PASSED;
}

/* Titles, and whom somebody signs for, are in capitals, too: those are a name only behind a word of its line that is not. */
static bool may_begin(const struct token *token, size_t at)
{
    return !token[at].shouts ||
           (!token[at].starts && at > 0 && token[at - 1].kind == GIST_PLAIN && !token[at - 1].shouts);
}

/* Capitalised words in a row, on one line, become one name. */
static void names_find(struct token *token, size_t count)
{
    for (size_t at = 0, end; at<count; at = end> at ? end : at + 1) {
        end = at;
        while (end < count && token[end].kind == GIST_PLAIN && token[end].capital && (end == at || !token[end].starts))
            end++;
        if (end - at < NAME_WORDS_LEAST || end - at > NAME_WORDS_MOST || !may_begin(token, at))
            continue;
        for (size_t i = at; i < end; i++)
            token[i].kind = GIST_NAME;
    }
}

/* A number, or each word of a name, in the same context: of two readings of a name, one may lack a word. Nothing of it unless all is
 * sure, else the words that are left would look like another name. */
static void marks_add(struct gist *gist, const struct token *token, size_t count, uint64_t context)
{
    bool sure = true;
    for (size_t i = 0; i < count; i++)
        sure = sure && token[i].sure;
    for (size_t i = 0; i < count; i++) {
        struct mark mark = {context, token[i].hash, sure};
        buf_append(&gist->marks, &mark, sizeof mark);
    }
}

/* What goes before a mark: the plain words, and the number or name right before it, if nothing plain is between them. */
struct before {
    uint64_t plain[CONTEXT_WORDS], mark;
};

/* Those of numbers are less than those of names: of what does not fit in a sketch names go first. */
static uint64_t context_of(const struct before *before, enum gist_kind kind)
{
    uint64_t hash = joined(joined(joined(kind, before->plain[1]), before->plain[0]), before->mark);
    return hash >> 1 | (uint64_t)(kind == GIST_NAME) << 63;
}

static size_t name_end(const struct token *token, size_t at, size_t count)
{
    size_t end = at + 1;
    while (end < count && token[end].kind == GIST_NAME && !token[end].starts)
        end++;
    return end;
}

static void marks_find(struct gist *gist)
{
    const struct token *token = (const struct token *)(void *)gist->tokens.data;
    size_t count = gist->tokens.size / sizeof *token;
    struct before before = {0};
    for (size_t at = 0, end; at < count; at = end) {
        end = token[at].kind == GIST_NAME ? name_end(token, at, count) : at + 1;
        if (token[at].kind == GIST_PLAIN) {
            before = (struct before){
                {token[at].hash, before.plain[0]},
                0
            };
        } else if (token[at].kind != GIST_PASSED) {
            marks_add(gist, &token[at], end - at, context_of(&before, token[at].kind));
            before.mark = token[end - 1].hash;
        }
    }
}

static void shingle_add(struct sketch *sketch, uint64_t least[SKETCH_TEXT], uint64_t shingle)
{
    for (uint64_t i = 0; i < SKETCH_TEXT; i++) {
        uint64_t hash = mixed(shingle ^ mixed(i + 1));
        if (hash < least[i]) {
            least[i] = hash;
            sketch->text[i] = (uint8_t)mixed(hash);
        }
    }
    sketch->shingles += sketch->shingles < UINT16_MAX;
}

static void shingles_find(struct gist *gist)
{
    const struct token *token = (const struct token *)(void *)gist->tokens.data;
    uint64_t least[SKETCH_TEXT], run[3] = {0};
    memset(least, 0xff, sizeof least);
    for (size_t i = 0, seen = 0; i < gist->tokens.size / sizeof *token; i++) {
        if (token[i].kind == GIST_PASSED)
            continue;
        run[0] = run[1];
        run[1] = run[2];
        run[2] = token[i].hash;
        if (++seen >= 3)
            shingle_add(gist->sketch, least, joined(joined(run[0], run[1]), run[2]));
    }
}

/* ---- the sample of marks ---- */

static int least_order(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    if (x->context != y->context)
        return x->context < y->context ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

static int kept_order(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    if ((uint16_t)x->context != (uint16_t)y->context)
        return (uint16_t)x->context < (uint16_t)y->context ? -1 : 1;
    return (uint8_t)x->value - (uint8_t)y->value;
}

/* Leaves each value once, of contexts that were read with confidence wherever they stand: of what is not there nobody knows whether it was
 * replaced. Returns how many are left. */
static size_t sure_contexts(struct mark *mark, size_t count)
{
    size_t kept = 0;
    for (size_t at = 0, end; at < count; at = end) {
        bool sure = true;
        for (end = at; end < count && mark[end].context == mark[at].context; end++)
            sure = sure && mark[end].sure;
        for (size_t i = at; i < end && sure; i++)
            if (i == at || mark[i].value != mark[i - 1].value)
                mark[kept++] = mark[i];
    }
    return kept;
}

/* How many marks fit: of a context all or none, else what was left out of it would look replaced. */
static size_t whole_contexts(const struct mark *mark, size_t count)
{
    size_t fit = 0;
    for (size_t end = 0; end < count && end <= SKETCH_MARKS; fit = end <= SKETCH_MARKS ? end : fit)
        for (size_t at = end; end < count && mark[end].context == mark[at].context;)
            end++;
    return fit;
}

static void marks_sample(struct gist *gist)
{
    struct mark *mark = (struct mark *)(void *)gist->marks.data;
    size_t count = gist->marks.size / sizeof *mark, kept;
    if (!count)
        return;
    qsort(mark, count, sizeof *mark, least_order);
    kept = sure_contexts(mark, count);
    kept = whole_contexts(mark, kept);
    qsort(mark, kept, sizeof *mark, kept_order);
    for (size_t i = 0; i < kept; i++) {
        gist->sketch->context[i] = (uint16_t)mark[i].context;
        gist->sketch->value[i] = (uint8_t)mark[i].value;
    }
    gist->sketch->marks = (uint8_t)kept;
}

/* ---- pages ---- */

static void picture_add(struct sketch *sketch, const Sohoa__Page *page)
{
    if (page->picture_hash.len != LIKENESS_BYTES || sketch->pictures == SKETCH_PICTURES)
        return;
    uint64_t hash = 0;
    for (unsigned i = 0; i < LIKENESS_BYTES; i++)
        hash |= (uint64_t)page->picture_hash.data[i] << 8 * i;
    sketch->picture[sketch->pictures++] = hash;
}

static void scan_add(struct sketch *sketch, const Sohoa__Page *page)
{
    if (page->dpi_scan && (!sketch->dpi || page->dpi_scan < sketch->dpi))
        sketch->dpi = (uint16_t)(page->dpi_scan < UINT16_MAX ? page->dpi_scan : UINT16_MAX);
    if (page->bits && (!sketch->bits || page->bits < sketch->bits))
        sketch->bits = (uint8_t)page->bits;
}

void gist_of(Sohoa__Page *const *pages, size_t count, struct sketch *sketch)
{
    AUTO(gist_clear) struct gist gist = {.sketch = sketch};
    uint64_t error = 0, read = 0;
    *sketch = (struct sketch){0};
    for (size_t i = 0; i < count; i++) {
        if (pages[i]->kind == SOHOA__PAGE_KIND__PAGE_BLANK)
            continue;
        sketch->pages += sketch->pages < UINT16_MAX;
        error += pages[i]->error_cpct;
        read += pages[i]->quality != NULL;
        scan_add(sketch, pages[i]);
        picture_add(sketch, pages[i]);
        page_add(&gist, pages[i]);
    }
    sketch->error_cpct = (uint16_t)(read ? error / read : 0);
    struct token *token = (struct token *)(void *)gist.tokens.data;
    letterhead_pass(token, gist.tokens.size / sizeof *token);
    shingles_find(&gist);
    names_find(token, gist.tokens.size / sizeof *token);
    marks_find(&gist);
    marks_sample(&gist);
}
