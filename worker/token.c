/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A token's core is split at - / . and the like; what its pieces are says what it is. */
#include "worker/token.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/syllable.h"

enum {
    TOKEN_MAX_CAPITALS = 8,    /* of an abbreviation: TNCSHCM is 7 */
    TOKEN_MAX_SUFFIX = 3,      /* letters behind a number: 14h, 2b, 50km */
    TOKEN_MAX_ROMAN = 7,       /* XXXVIII */
    TOKEN_MAX_CONSONANTS = 3,  /* in a row in a foreign word */
    TOKEN_MAX_VOWELS = 2,      /* ... */
    TOKEN_MAX_SAME = 2,        /* the same letter in a row in any word */
    TOKEN_FOREIGN_LETTERS = 4, /* fewer are too little to tell a foreign word by */
};

/* ---- tables ---- */

/* Abbreviations that are not capitals alone, and units: as printed, between separators. */
static const char *const abbreviations[] = {
    "BTr", "CTr", "CtrPH", "ĐTr", "QyĐ",    "QĐi",  "TTr", "TTg", "TrS",  "ThS",      "Ths", "TS",  "Tp",
    "Tx",  "Tr",  "Đ",     "V",   "v",      "vv",   "đ",   "c",   "tr",   "km",       "m",   "cm",  "mm",
    "dm",  "ha",  "kg",    "g",   "mg",     "l",    "ml",  "h",   "kW",   "kWh",      "kV",  "VNĐ", "đg",
    "sđt", "sn",  "ph",    "s",   "VBQPPL", "CBCC", "T",   "M",   "K",    "KCĐs",     "Th",  "Nxb", "NXB",
    "Cty", "Bs",  "BS",    "Ks",  "KTr",    "GDĐT", "nt",  "stt", "TĐKT", "UBMTTQVN", "pl",
};

/* Foreign words of one syllable, which only a list tells from misread Vietnamese ones. */
static const char *const foreign_words[] = {
    "web",   "wifi", "file", "files",  "game",  "games", "world", "cup",   "bank",  "club", "clip", "clips", "team",
    "golf",  "gas",  "film", "zalo",   "blog",  "chat",  "card",  "tour",  "tours", "test", "fax",  "scan",  "word",
    "excel", "pdf",  "ceph", "online", "email", "tivi",  "gen",   "virus", "sms",   "atm",  "app",  "www",   "http",
    "https", "com",  "net",  "org",    "gov",   "edu",   "vn",    "the",   "and",   "of",   "for",  "in",    "to",
};

static bool rune_in(utf8proc_int32_t rune, const char *set)
{
    for (utf8proc_int32_t known; *set;) {
        set += utf8proc_iterate((const utf8proc_uint8_t *)set, -1, &known);
        if (known == rune)
            return true;
    }
    return false;
}

static const char token_openers[] = "(\"'“”‘’«[{<-–—*+•.…,:;";
static const char token_closers[] = ")\"'“”‘’»]}>-–—*.…,:;!?%/";
static const char token_separators[] = "-–/.,:&+_";
static const char token_marks[] = "-–—*+•.…,:;()\"“”'‘’/&=%§_<>→";

static size_t rune_at(const char *text, size_t bytes, utf8proc_int32_t *rune)
{
    utf8proc_ssize_t size = utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)bytes, rune);
    if (size > 0)
        return (size_t)size;
    *rune = 0xfffd;
    return 1;
}

static size_t rune_before(const char *text, size_t bytes, utf8proc_int32_t *rune)
{
    size_t size = 1;
    while (size < bytes && ((unsigned char)text[bytes - size] & 0xc0) == 0x80)
        size++;
    rune_at(text + bytes - size, size, rune);
    return size;
}

void token_core(const char *word, size_t *ret_start, size_t *ret_bytes)
{
    size_t start = 0, end = strlen(word);
    utf8proc_int32_t rune;
    for (size_t size; start < end && (size = rune_at(word + start, end - start, &rune), rune_in(rune, token_openers));)
        start += size;
    for (size_t size;
         start < end && (size = rune_before(word + start, end - start, &rune), rune_in(rune, token_closers));)
        end -= size;
    *ret_start = start;
    *ret_bytes = end - start;
}

/* ---- pieces ---- */

/* What a run between separators is made of. */
struct piece {
    const char *text;
    size_t bytes, letters, digits, others, uppers, marked, toned; /* marked: letters beyond a to z and đ */
    size_t leading_digits, vowels, most_same, most_consonants, most_vowels, vowel_groups;
};

static bool is_digit(utf8proc_int32_t rune)
{
    return rune >= '0' && rune <= '9';
}

static bool is_latin_vowel(utf8proc_int32_t lower)
{
    return lower < 0x80 && lower > 0 && strchr("aeiouy", lower);
}

static bool is_letter(utf8proc_int32_t rune)
{
    utf8proc_category_t category = utf8proc_category(rune);
    return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL;
}

static void piece_add_letter(struct piece *piece, utf8proc_int32_t rune, size_t *consonants, size_t *vowels)
{
    utf8proc_int32_t lower = utf8proc_tolower(rune);
    bool vowel = is_latin_vowel(lower);
    piece->letters++;
    piece->uppers += lower != rune;
    piece->marked += lower >= 0x80 && lower != 0x111;
    piece->toned += lower >= 0x80 && !rune_in(lower, "đăâêôơư");
    piece->vowel_groups += vowel && !*vowels;
    piece->vowels += vowel;
    *vowels = vowel ? *vowels + 1 : 0;
    *consonants = vowel ? 0 : *consonants + 1;
    piece->most_vowels = *vowels > piece->most_vowels ? *vowels : piece->most_vowels;
    piece->most_consonants = *consonants > piece->most_consonants ? *consonants : piece->most_consonants;
}

static struct piece piece_look(const char *text, size_t bytes)
{
    struct piece piece = {.text = text, .bytes = bytes};
    size_t consonants = 0, vowels = 0, same = 0;
    utf8proc_int32_t rune, last = 0;
    for (size_t at = 0; at < bytes; last = rune) {
        at += rune_at(text + at, bytes - at, &rune);
        same = rune == last && is_letter(rune) ? same + 1 : 1;
        piece.most_same = same > piece.most_same ? same : piece.most_same;
        piece.leading_digits += is_digit(rune) && piece.leading_digits == piece.digits && !piece.letters;
        piece.digits += is_digit(rune);
        if (is_letter(rune))
            piece_add_letter(&piece, rune, &consonants, &vowels);
        else
            piece.others += !is_digit(rune);
    }
    return piece;
}

static bool listed(const struct piece *piece, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i]) == piece->bytes && !memcmp(list[i], piece->text, piece->bytes))
            return true;
    return false;
}

static bool listed_in_any_case(const struct piece *piece, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < piece->bytes && list[i][at] && (piece->text[at] | 0x20) == list[i][at])
            at++;
        if (at == piece->bytes && !list[i][at])
            return true;
    }
    return false;
}

static bool piece_is_roman(const struct piece *piece)
{
    if (piece->letters != piece->bytes || piece->letters > TOKEN_MAX_ROMAN)
        return false;
    size_t upper = 0, lower = 0;
    for (size_t i = 0; i < piece->bytes; i++) {
        upper += strchr("IVXLCM", piece->text[i]) != NULL;
        lower += strchr("ivx", piece->text[i]) != NULL;
    }
    return upper == piece->bytes || lower == piece->bytes;
}

/* Capitals without tone marks that are no toneless syllable: UBND, but not TICH. */
static bool piece_is_abbreviation(const struct piece *piece)
{
    if (listed(piece, abbreviations, sizeof abbreviations / sizeof *abbreviations))
        return true;
    if (piece->uppers != piece->letters || piece->digits || piece->letters > TOKEN_MAX_CAPITALS)
        return false;
    if (piece->letters <= 2)
        return !piece->toned;
    return !piece->toned && piece->most_vowels < 2 && !syllable_toneless(piece->text, piece->bytes);
}

/* Consonants and vowels alternate; two syllables at least, or f j w z, for a single one may be misread Vietnamese. */
static bool piece_is_foreign(const struct piece *piece)
{
    if (piece->marked || piece->digits || piece->letters != piece->bytes || !piece->vowels)
        return false;
    if (listed_in_any_case(piece, foreign_words, sizeof foreign_words / sizeof *foreign_words))
        return true;
    bool strange = strpbrk(piece->text, "fjwzFJWZ") && strpbrk(piece->text, "fjwzFJWZ") < piece->text + piece->bytes;
    bool cased = piece->uppers == 0 || piece->uppers == piece->letters || piece->uppers == 1;
    return cased && piece->letters >= TOKEN_FOREIGN_LETTERS && (piece->vowel_groups > 1 || strange) &&
           piece->most_consonants <= TOKEN_MAX_CONSONANTS && piece->most_vowels <= TOKEN_MAX_VOWELS;
}

/* Digits, then perhaps a short unit or letter; or a letter before digits, as in m2, H26, P04. */
static bool piece_is_number(const struct piece *piece)
{
    if (!piece->digits || piece->others || piece->letters > TOKEN_MAX_SUFFIX || piece->marked)
        return false;
    bool behind = piece->leading_digits == piece->digits;
    bool clock = piece->letters == 1 && memchr(piece->text, 'h', piece->bytes);
    return behind || clock || !piece->leading_digits;
}

static enum token piece_kind(const struct piece *piece)
{
    if (syllable_possible(piece->text, piece->bytes))
        return TOKEN_VIETNAMESE;
    if (piece_is_number(piece) || piece_is_roman(piece))
        return TOKEN_NUMBER;
    if (piece->others || piece->digits || piece->most_same > TOKEN_MAX_SAME)
        return TOKEN_GARBAGE;
    if (piece_is_abbreviation(piece))
        return TOKEN_ABBREVIATION;
    return piece_is_foreign(piece) ? TOKEN_FOREIGN : TOKEN_IMPOSSIBLE;
}

/* ---- tokens ---- */

/* Nothing but punctuation: print has it short, or as a row of one mark. */
static enum token mark_kind(const char *word)
{
    utf8proc_int32_t rune, first = 0;
    size_t count = 0, same = 0;
    for (size_t at = 0, bytes = strlen(word); at < bytes; count++) {
        at += rune_at(word + at, bytes - at, &rune);
        if (!rune_in(rune, token_marks))
            return TOKEN_GARBAGE;
        first = count ? first : rune;
        same += rune == first;
    }
    return count <= 2 || same == count ? TOKEN_MARK : TOKEN_GARBAGE;
}

/* A single letter is a list mark when ) or . follows: a) b. */
static bool is_list_mark(const char *word, size_t start, size_t bytes)
{
    const char *after = word + start + bytes;
    utf8proc_int32_t rune;
    return start <= 1 && bytes && rune_at(word + start, bytes, &rune) == bytes && is_letter(rune) &&
           (*after == ')' || *after == '.' || *after == '/');
}

/* The kind of the whole, given one more piece: the worst of them, and a code when there is a number among them. */
static enum token kind_join(enum token whole, enum token piece)
{
    static const int rank[TOKEN_KINDS] = {
        [TOKEN_VIETNAMESE] = 0, [TOKEN_MARK] = 0,       [TOKEN_FOREIGN] = 1, [TOKEN_ABBREVIATION] = 2,
        [TOKEN_NUMBER] = 3,     [TOKEN_IMPOSSIBLE] = 4, [TOKEN_GARBAGE] = 5,
    };
    return rank[piece] >= rank[whole] ? piece : whole;
}

enum token token_look(const char *word)
{
    size_t start, bytes;
    token_core(word, &start, &bytes);
    if (!bytes)
        return mark_kind(word);
    if (is_list_mark(word, start, bytes))
        return TOKEN_NUMBER;
    enum token kind = TOKEN_MARK;
    for (const char *at = word + start, *end = at + bytes, *from = at; at <= end;) {
        utf8proc_int32_t rune = 0;
        size_t size = at < end ? rune_at(at, (size_t)(end - at), &rune) : 1;
        if (at == end || rune_in(rune, token_separators)) {
            struct piece piece = piece_look(from, (size_t)(at - from));
            kind = piece.bytes ? kind_join(kind, piece_kind(&piece)) : kind;
            from = at + size;
        }
        at += size;
    }
    return kind;
}
