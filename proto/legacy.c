/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Told by words: an encoding holds for certain where nearly every word with foreign letters becomes a Vietnamese syllable by
 * it, and most are none as they stand. A letter beyond U+00FF settles it: whoever wrote that had Unicode. */
#include "proto/legacy.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/auto.h"
#include "proto/buf.h"
#include "proto/syllable.h"

enum {
    TCVN_FIRST = 0xa1,
    TCVN_LAST = 0xfe,
    LATIN_LAST = 0xff,
    CERTAIN_PERCENT = 90, /* of the words with foreign letters that must become syllables */
    DOUBT_PERCENT = 50,   /* ... and that at most may be some as they stand */
    ABBREVIATION_MOST = 5,
    CAPITALS_LEAST = 2,
    QUOTE_LEFT = 0xab,
    QUOTE_RIGHT = 0xbb,
};

/* TCVN 5712:1993, VN1, from TCVN_FIRST on; 0: a tone mark alone, which the fonts don't use. */
static const uint16_t tcvn[] = {
    0x102,  0xc2,   0xca,   0xd4,   0x1a0,  0x1af,  0x110,  0x103,  0xe2,   0xea,   0xf4,   0x1a1,  0x1b0,  0x111,
    0x1eb0, 0,      0,      0,      0,      0,      0xe0,   0x1ea3, 0xe3,   0xe1,   0x1ea1, 0x1eb2, 0x1eb1, 0x1eb3,
    0x1eb5, 0x1eaf, 0x1eb4, 0x1eae, 0x1ea6, 0x1ea8, 0x1eaa, 0x1ea4, 0x1ec0, 0x1eb7, 0x1ea7, 0x1ea9, 0x1eab, 0x1ea5,
    0x1ead, 0xe8,   0x1ec2, 0x1ebb, 0x1ebd, 0xe9,   0x1eb9, 0x1ec1, 0x1ec3, 0x1ec5, 0x1ebf, 0x1ec7, 0xec,   0x1ec9,
    0x1ec4, 0x1ebe, 0x1ed2, 0x129,  0xed,   0x1ecb, 0xf2,   0x1ed4, 0x1ecf, 0xf5,   0xf3,   0x1ecd, 0x1ed3, 0x1ed5,
    0x1ed7, 0x1ed1, 0x1ed9, 0x1edd, 0x1edf, 0x1ee1, 0x1edb, 0x1ee3, 0xf9,   0x1ed6, 0x1ee7, 0x169,  0xfa,   0x1ee5,
    0x1eeb, 0x1eed, 0x1eef, 0x1ee9, 0x1ef1, 0x1ef3, 0x1ef7, 0x1ef9, 0xfd,   0x1ef5,
};

/* VNI: what a letter says of the vowel before it, in lower case. */
static const struct {
    const char *bases;
    uint16_t mark, quality, tone;
} vni_pair[] = {
    {"aeiouy\u01a1\u01b0", 0xf8, 0,     0x300},
    {"aeiouy\u01a1\u01b0", 0xf9, 0,     0x301},
    {"aeiouy\u01a1\u01b0", 0xfb, 0,     0x309},
    {"aeiouy\u01a1\u01b0", 0xf5, 0,     0x303},
    {"aeiouy\u01a1\u01b0", 0xef, 0,     0x323},
    {"aeo",                0xe2, 0x302, 0    },
    {"aeo",                0xe0, 0x302, 0x300},
    {"aeo",                0xe1, 0x302, 0x301},
    {"aeo",                0xe5, 0x302, 0x309},
    {"aeo",                0xe3, 0x302, 0x303},
    {"aeo",                0xe4, 0x302, 0x323},
    {"a",                  0xea, 0x306, 0    },
    {"a",                  0xe8, 0x306, 0x300},
    {"a",                  0xe9, 0x306, 0x301},
    {"a",                  0xfa, 0x306, 0x309},
    {"a",                  0xfc, 0x306, 0x303},
    {"a",                  0xeb, 0x306, 0x323},
};

static const struct {
    uint16_t code, letter;
} vni_letter[] = {
    {0xf4, 0x1a1 },
    {0xf6, 0x1b0 },
    {0xf1, 0x111 },
    {0xec, 0xec  },
    {0xed, 0xed  },
    {0xe6, 0x1ec9},
    {0xf3, 0x129 },
    {0xf2, 0x1ecb},
    {0xee, 0x1ef5},
};

/* ---- texts of code points ---- */

struct runes {
    utf8proc_int32_t *at;
    size_t count;
};

static void runes_clear(struct runes *runes)
{
    free(runes->at);
    *runes = (struct runes){0};
}

/* false: no UTF-8. */
static bool runes_take(const char *text, struct runes *runes)
{
    runes->at = calloc(strlen(text) + 1, sizeof *runes->at);
    if (!runes->at)
        abort();
    for (const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text; *at; runes->count++) {
        utf8proc_ssize_t bytes = utf8proc_iterate(at, -1, &runes->at[runes->count]);
        if (bytes <= 0)
            return false;
        at += bytes;
    }
    return true;
}

static void rune_put(struct buf *text, utf8proc_int32_t rune)
{
    utf8proc_uint8_t bytes[4];
    buf_append(text, bytes, (size_t)utf8proc_encode_char(rune, bytes));
}

/* Whether its plain letters are capitals, two at least. */
static bool runes_shout(const struct runes *runes)
{
    size_t capitals = 0;
    for (size_t i = 0; i < runes->count; i++) {
        if (runes->at[i] >= 'a' && runes->at[i] <= 'z')
            return false;
        capitals += runes->at[i] >= 'A' && runes->at[i] <= 'Z';
    }
    return capitals >= CAPITALS_LEAST;
}

/* ---- decoding ---- */

static bool tcvn_decode(const utf8proc_int32_t *runes, size_t count, struct buf *text)
{
    for (size_t i = 0; i < count; i++) {
        utf8proc_int32_t rune = runes[i];
        if (rune >= TCVN_FIRST && rune <= TCVN_LAST)
            rune = tcvn[rune - TCVN_FIRST];
        else if (rune > 0x7f)
            rune = 0;
        if (!rune)
            return false;
        rune_put(text, rune);
    }
    return true;
}

static bool base_takes(const char *bases, utf8proc_int32_t base)
{
    struct runes known = {0};
    bool takes = false;
    runes_take(bases, &known);
    for (size_t i = 0; i < known.count; i++)
        takes = takes || known.at[i] == base;
    runes_clear(&known);
    return takes;
}

static utf8proc_int32_t vni_single(utf8proc_int32_t rune)
{
    utf8proc_int32_t lower = utf8proc_tolower(rune);
    for (size_t i = 0; i < sizeof vni_letter / sizeof *vni_letter; i++)
        if (vni_letter[i].code == lower)
            return rune == lower ? vni_letter[i].letter : utf8proc_toupper(vni_letter[i].letter);
    return rune < 0x80 ? rune : 0;
}

/* Puts what mark adds to base; false: nothing. */
static bool vni_mark(utf8proc_int32_t base, utf8proc_int32_t mark, struct buf *text)
{
    for (size_t i = 0; i < sizeof vni_pair / sizeof *vni_pair; i++) {
        if (vni_pair[i].mark != utf8proc_tolower(mark) || !base_takes(vni_pair[i].bases, utf8proc_tolower(base)))
            continue;
        if (vni_pair[i].quality)
            rune_put(text, vni_pair[i].quality);
        if (vni_pair[i].tone)
            rune_put(text, vni_pair[i].tone);
        return true;
    }
    return false;
}

static bool vni_decode(const utf8proc_int32_t *runes, size_t count, struct buf *text)
{
    for (size_t i = 0; i < count; i++) {
        utf8proc_int32_t base = vni_single(runes[i]);
        if (!base)
            return false;
        rune_put(text, base);
        if (i + 1 < count && runes[i + 1] > 0x7f && vni_mark(base, runes[i + 1], text))
            i++;
    }
    return true;
}

static bool plain_decode(const utf8proc_int32_t *runes, size_t count, struct buf *text)
{
    for (size_t i = 0; i < count; i++)
        rune_put(text, runes[i]);
    return true;
}

static bool decode(const utf8proc_int32_t *runes, size_t count, enum legacy legacy, struct buf *text)
{
    switch (legacy) {
    case LEGACY_TCVN3: return tcvn_decode(runes, count, text);
    case LEGACY_VNI: return vni_decode(runes, count, text);
    default: return plain_decode(runes, count, text);
    }
}

static char *nfc(const struct buf *text)
{
    utf8proc_uint8_t *composed = utf8proc_NFC((const utf8proc_uint8_t *)buf_text(text));
    return (char *)composed;
}

static void text_raise(char **text)
{
    struct runes runes = {0};
    AUTO(buf_destroy) struct buf raised = {0};
    runes_take(*text, &runes);
    for (size_t i = 0; i < runes.count; i++)
        rune_put(&raised, utf8proc_toupper(runes.at[i]));
    runes_clear(&runes);
    free(*text);
    *text = nfc(&raised);
}

/* Decoded and composed; NULL: it is not in that encoding. */
static char *runes_convert(const utf8proc_int32_t *runes, size_t count, enum legacy legacy, bool shout)
{
    AUTO(buf_destroy) struct buf text = {0};
    if (!decode(runes, count, legacy, &text))
        return NULL;
    char *composed = nfc(&text);
    if (composed && shout && legacy != LEGACY_NONE)
        text_raise(&composed);
    return composed;
}

static void blanks_fold(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        bool blank = strchr(" \t\r\n", *from) != NULL;
        if (!blank || (to != text && to[-1] != ' '))
            *to++ = blank ? ' ' : *from;
    }
    if (to != text && to[-1] == ' ')
        to--;
    *to = '\0';
}

char *legacy_convert(const char *text, enum legacy legacy)
{
    struct runes runes = {0};
    char *converted = NULL;
    if (legacy != LEGACY_UNKNOWN && runes_take(text, &runes))
        converted = runes_convert(runes.at, runes.count, legacy, runes_shout(&runes));
    runes_clear(&runes);
    if (converted)
        blanks_fold(converted);
    return converted;
}

/* ---- telling ---- */

/* Words with foreign letters, and how many are words by each encoding. */
struct words {
    size_t count, good[LEGACY_UNKNOWN];
    bool beyond; /* a letter is there that no old encoding has */
};

static bool is_of_word(utf8proc_int32_t rune)
{
    return (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z') || (rune >= TCVN_FIRST && rune <= LATIN_LAST);
}

static bool is_letter(utf8proc_int32_t rune)
{
    utf8proc_category_t category = utf8proc_category(rune);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

/* "QĐ", "UBND": capitals without a tone. */
static bool is_abbreviation(const char *text)
{
    struct runes runes = {0};
    runes_take(text, &runes);
    bool good = runes.count && runes.count <= ABBREVIATION_MOST;
    for (size_t i = 0; i < runes.count && good; i++) {
        struct letter letter;
        good = letter_of(runes.at[i], &letter) && letter.upper && letter.tone == TONE_LEVEL;
    }
    runes_clear(&runes);
    return good;
}

/* As it stands a word may be quoted, or be no word but signs: "«Hà", "°". */
static void sides_trim(const utf8proc_int32_t **runes, size_t *count)
{
    size_t letters = 0;
    for (size_t i = 0; i < *count; i++)
        letters += is_letter((*runes)[i]);
    if (!letters)
        *count = 0;
    if (*count && **runes == QUOTE_LEFT) {
        ++*runes;
        --*count;
    }
    *count -= *count && (*runes)[*count - 1] == QUOTE_RIGHT;
}

static bool is_plain(const utf8proc_int32_t *runes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (runes[i] > 0x7f)
            return false;
    return true;
}

static bool word_good(const utf8proc_int32_t *runes, size_t count, enum legacy legacy, bool shout)
{
    if (legacy == LEGACY_NONE)
        sides_trim(&runes, &count);
    if (legacy == LEGACY_NONE && is_plain(runes, count))
        return true;
    char *text = runes_convert(runes, count, legacy, shout);
    bool good = text && (syllable_possible(text, strlen(text)) || is_abbreviation(text));
    free(text);
    return good;
}

static void words_count(struct words *words, const struct runes *runes)
{
    bool shout = runes_shout(runes);
    for (size_t i = 0, end; i < runes->count; i = end + 1) {
        for (end = i; end < runes->count && is_of_word(runes->at[end]); end++)
            continue;
        if (end < runes->count && runes->at[end] > LATIN_LAST)
            words->beyond =
                words->beyond || is_letter(runes->at[end]) || utf8proc_category(runes->at[end]) == UTF8PROC_CATEGORY_MN;
        if (is_plain(&runes->at[i], end - i))
            continue;
        words->count++;
        for (enum legacy legacy = LEGACY_NONE; legacy < LEGACY_UNKNOWN; legacy++)
            words->good[legacy] += word_good(&runes->at[i], end - i, legacy, shout);
    }
}

static bool words_are(const struct words *words, enum legacy legacy, enum legacy other)
{
    return words->good[legacy] * 100 >= words->count * CERTAIN_PERCENT && words->good[legacy] > words->good[other];
}

enum legacy legacy_of(const char *const *texts, size_t count)
{
    struct words words = {0};
    for (size_t i = 0; i < count; i++) {
        struct runes runes = {0};
        if (texts[i] && runes_take(texts[i], &runes))
            words_count(&words, &runes);
        runes_clear(&runes);
    }
    if (words.beyond || words.good[LEGACY_NONE] * 100 > words.count * DOUBT_PERCENT || !words.count)
        return LEGACY_NONE;
    if (words_are(&words, LEGACY_TCVN3, LEGACY_VNI))
        return LEGACY_TCVN3;
    return words_are(&words, LEGACY_VNI, LEGACY_TCVN3) ? LEGACY_VNI : LEGACY_UNKNOWN;
}
