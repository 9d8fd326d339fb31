/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A wrong correction is worse than none, since a reader trusts a word that looks right: each rule acts only where
 * nothing else is likely, and the tables hold what was seen in readings of synthetic and real scans. */
#include "worker/letters.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/auto.h"
#include "proto/buf.h"
#include "proto/syllable.h"
#include "worker/token.h"

enum {
    LETTERS_MAX = 16, /* in a word that is looked at: twice the longest syllable */
    LETTERS_RUNE_BYTES = 4,
    LETTERS_CASE_LEAST = 5, /* shorter words with odd capitals are as often something else */
};

struct runes {
    utf8proc_int32_t at[LETTERS_MAX];
    size_t count;
};

/* What a letter may stand for, in lower case; capitals stand for capitals. */
static const struct {
    const char *seen, *meant;
} likeness[] = {
  /* letters that Vietnamese has not */
    {"ö",  "õôố" },
    {"ä",  "ãâấ" },
    {"å",  "ảá"   },
    {"ü",  "ũưứ" },
    {"û",  "ùúủ" },
    {"ï",  "ĩíì"  },
    {"î",  "ìíỉ" },
    {"ë",  "ẽêế"},
    {"ÿ",  "ỹýỳ"},
    {"ñ",  "n"       },
    {"ç",  "c"       },
    {"f",   "t"       },
 /* the upper of two marks is lost: "câp", "kêt" */
    {"â",  "ấ"     },
    {"ê",  "ế"     },
    {"ô",  "ố"     },
 /* ... or the lower: "QUYÉT" */
    {"é",  "ế"     },
    {"è",  "ề"     },
    {"ẻ", "ể"     },
    {"ẽ", "ễ"     },
    {"ẹ", "ệ"     },
    {"á",  "ấ"     },
    {"ạ", "ậ"     },
 /* a mark too many: "cáơ", "qưyết", "giaỏ" */
    {"ơ",  "o"       },
    {"ư",  "u"       },
    {"ò",  "o"       },
    {"ó",  "o"       },
    {"ỏ", "o"       },
 /* digits and strokes, but as a first letter: "1uấn" may be "Tuấn" */
    {"0",   "o"       },
    {"1",   "li"      },
    {"|",   "l"       },
};

/* Syllables that are commoner with nặng than with sắc: when their mark is lost, it may be the dot. */
static const char *const dotted[] = {
    "trât",  "nhât",  "luât",   "thuât", "vât",    "thât", "tât",  "chât", "mât",  "đôc",  "môt",  "hôc",
    "viêc",  "tuyêt", "duyêt",  "hiêp",  "nghiêp", "tâp",  "nhâp", "lâp",  "gâp",  "diêt", "kiêt", "biêt",
    "nhiêt", "liêt",  "nguyêt", "thiêt", "quôc",   "gôc",  "dôt",  "tôt",  "bât",  "phuc", "hôp",  "nôp",
    "rât",   "triêt", "huyêt",  "tiêt",  "lôc",    "tôc",  "diêp", "điêp", "tiêp", "hâp",
};

static bool runes_take(const char *text, size_t bytes, struct runes *runes)
{
    runes->count = 0;
    for (size_t at = 0; at < bytes;) {
        utf8proc_int32_t rune;
        utf8proc_ssize_t size =
            utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(bytes - at), &rune);
        if (size <= 0 || runes->count == LETTERS_MAX)
            return false;
        runes->at[runes->count++] = rune;
        at += (size_t)size;
    }
    return true;
}

static void runes_give(const struct runes *runes, struct buf *out)
{
    for (size_t i = 0; i < runes->count; i++) {
        utf8proc_uint8_t bytes[LETTERS_RUNE_BYTES];
        buf_append(out, bytes, (size_t)utf8proc_encode_char(runes->at[i], bytes));
    }
}

static bool runes_possible(const struct runes *runes)
{
    AUTO(buf_destroy) struct buf text = {0};
    runes_give(runes, &text);
    return syllable_possible(buf_text(&text), text.size);
}

static utf8proc_int32_t rune_next(const char **text)
{
    utf8proc_int32_t rune = 0;
    *text += utf8proc_iterate((const utf8proc_uint8_t *)*text, -1, &rune);
    return rune;
}

/* ---- one letter for another ---- */

/* The possible syllables that were found for a word, as far as it matters: none, one, or too many. */
struct finding {
    struct runes runes;
    size_t count;
};

static void finding_add(struct finding *finding, const struct runes *runes)
{
    if (!runes_possible(runes))
        return;
    if (finding->count && finding->runes.count == runes->count &&
        !memcmp(finding->runes.at, runes->at, runes->count * sizeof *runes->at))
        return;
    finding->runes = *runes;
    finding->count++;
}

static void letter_try(const struct runes *word, size_t at, const char *meant, struct finding *finding)
{
    utf8proc_int32_t seen = word->at[at];
    bool capital = utf8proc_tolower(seen) != seen;
    while (*meant) {
        struct runes runes = *word;
        utf8proc_int32_t rune = rune_next(&meant);
        runes.at[at] = capital ? utf8proc_toupper(rune) : rune;
        finding_add(finding, &runes);
    }
}

/* "rn" for "m", and I for l at the start of a word in lower case. */
static void shape_try(const struct runes *word, size_t at, struct finding *finding)
{
    struct runes runes = *word;
    if (!at && word->at[at] == 'I') {
        runes.at[at] = 'l';
        finding_add(finding, &runes);
    }
    if (at + 1 < word->count && word->at[at] == 'r' && word->at[at + 1] == 'n') {
        runes.at[at] = 'm';
        memmove(&runes.at[at + 1], &runes.at[at + 2], (word->count - at - 2) * sizeof *runes.at);
        runes.count--;
        finding_add(finding, &runes);
    }
}

static bool is_dotted(const struct runes *word)
{
    for (size_t i = 0; i < sizeof dotted / sizeof *dotted; i++) {
        const char *known = dotted[i];
        size_t same = 0;
        while (same < word->count && *known && utf8proc_tolower(word->at[same]) == rune_next(&known))
            same++;
        if (same == word->count && !*known)
            return true;
    }
    return false;
}

static bool letter_replace(struct runes *word)
{
    struct finding finding = {.count = 0};
    for (size_t at = 0; at < word->count; at++) {
        utf8proc_int32_t lower = utf8proc_tolower(word->at[at]);
        shape_try(word, at, &finding);
        for (size_t i = 0; i < sizeof likeness / sizeof *likeness; i++) {
            const char *seen = likeness[i].seen;
            bool stroke = *seen == '0' || *seen == '1' || *seen == '|';
            if (rune_next(&seen) == lower && (at || !stroke))
                letter_try(word, at, likeness[i].meant, &finding);
        }
    }
    if (finding.count != 1 || is_dotted(word))
        return false;
    *word = finding.runes;
    return true;
}

/* ---- capitals ---- */

/* "nghiỆp" is "nghiệp" when most of its letters are small. */
static bool case_mend(struct runes *word)
{
    struct runes lower = *word;
    size_t capitals = 0;
    for (size_t i = 1; i < word->count; i++) {
        lower.at[i] = utf8proc_tolower(word->at[i]);
        capitals += lower.at[i] != word->at[i];
    }
    if (word->count < LETTERS_CASE_LEAST || !capitals || 2 * capitals > word->count || !runes_possible(&lower))
        return false;
    *word = lower;
    return true;
}

/* ---- eth ---- */

/* How many bytes of text are Đ or eth; whether one is eth. */
static size_t stroke_run(const char *text, bool *has_eth)
{
    static const char eth[] = "Ð", stroke[] = "Đ";
    enum { STROKE_BYTES = sizeof eth - 1 };
    size_t run = 0;
    *has_eth = false;
    for (;; run += STROKE_BYTES) {
        bool is_eth = !strncmp(text + run, eth, STROKE_BYTES);
        if (!is_eth && strncmp(text + run, stroke, STROKE_BYTES) != 0)
            return run;
        *has_eth = *has_eth || is_eth;
    }
}

/* Eth is no letter of Vietnamese and looks like Đ; the reader also gives both for one: "QĐÐ-UBND". */
static bool eth_replace(const char *text, struct buf *out)
{
    bool found = false;
    while (*text) {
        bool has_eth;
        size_t run = stroke_run(text, &has_eth);
        if (has_eth)
            buf_puts(out, "Đ");
        else
            buf_append(out, text, run ? run : 1);
        text += run ? run : 1;
        found = found || has_eth;
    }
    if (!found)
        buf_clear(out);
    return found;
}

/* ---- numbers of articles ---- */

static bool core_is(const char *word, const char *const *list, size_t count)
{
    size_t start, bytes;
    token_core(word, &start, &bytes);
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i]) == bytes && !memcmp(list[i], word + start, bytes))
            return word[start + bytes] == '\0';
    return false;
}

/* Articles and clauses are numbered 1, 2, 3: behind them L, l, I are 1 and O is 0. */
static bool number_replace(const char *before, const char *text, struct buf *out)
{
    static const char *const numbered[] = {"Điều", "điều", "ĐIỀU", "Khoản", "khoản"};
    static const char seen[] = "LlI|Oo", meant[] = "111100";
    if (!before || !core_is(before, numbered, sizeof numbered / sizeof *numbered))
        return false;
    size_t chars = strcspn(text, ".,:;"), digits = strspn(text, "0123456789");
    if (!chars || text[0] == 'O' || text[0] == 'o' || strspn(text, "0123456789LlI|Oo") != chars || digits == chars)
        return false;
    for (size_t i = 0; i < chars; i++) {
        const char *at = strchr(seen, text[i]);
        char digit = at ? meant[at - seen] : text[i];
        buf_append(out, &digit, 1);
    }
    buf_puts(out, text + chars);
    return true;
}

/* ---- words ---- */

/* Whether the core of text, a word that can't be, was mended; then out is the whole. */
static bool core_mend(const char *text, struct buf *out)
{
    size_t start, bytes;
    struct runes runes;
    token_core(text, &start, &bytes);
    if (!bytes || !runes_take(text + start, bytes, &runes) || token_look(text) < TOKEN_IMPOSSIBLE)
        return false;
    if (!case_mend(&runes) && !letter_replace(&runes))
        return false;
    buf_append(out, text, start);
    runes_give(&runes, out);
    buf_puts(out, text + start + bytes);
    return true;
}

static void word_correct(Sohoa__Word *word, const char *before)
{
    AUTO(buf_destroy) struct buf text = {0};
    if (!eth_replace(word->text, &text) && !number_replace(before, word->text, &text) && !core_mend(word->text, &text))
        return;
    word->raw = word->text;
    word->text = text_copy(buf_text(&text));
}

static void line_correct(Sohoa__Line *line)
{
    for (size_t i = 0; i < line->n_words; i++)
        if (!line->words[i]->own && !*line->words[i]->raw)
            word_correct(line->words[i], i ? line->words[i - 1]->text : NULL);
}

void letters_correct(Sohoa__Page *page)
{
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t i = 0; i < page->blocks[b]->n_lines; i++)
            line_correct(page->blocks[b]->lines[i]);
}
