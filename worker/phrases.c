/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A phrase is told by its bare letters: "CHÍ THỊ" and "CHỈ THI" are both "chi thi", and no other title is. Words between
 * which only marks stand are neighbours. Compounds may stand anywhere, so they are told by more: only the recogniser's two
 * commonest slips may be between, an acute accent for a hook above a circumflex (ố for ổ) and a hook on an i (ỉ for i). What
 * is another word with such a slip is not among them: "toàn thế giới", "chỉ bộ phận".
 * Sources: Decree 30/2020/ND-CP, Appendix I (national heading, who signs) and Appendix III (names of the types of
 * documents); Regulation 66-QD/TW, art. 4 and 5 (types of the Party's documents). */
#include "worker/phrases.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/auto.h"
#include "proto/buf.h"
#include "proto/syllable.h"
#include "worker/token.h"

enum {
    PHRASE_WORDS = 10,   /* of a phrase at most */
    PHRASE_LETTERS = 16, /* of a word at most: longer ones are none of a phrase */
    PHRASE_RUNE_BYTES = 4,
    PHRASE_PARTS_OF_RUNE = 8, /* a letter and its marks */
};

/* In lower case; | parts spellings that are equally right, the official one first. */
static const char *const anywhere[] = {
    "cộng hòa|hoà xã hội chủ nghĩa việt nam",
    "độc lập tự do hạnh phúc",
    "đảng cộng sản việt nam",
    "ủy|uỷ ban nhân dân",
    "hội đồng nhân dân",
    "mặt trận tổ quốc việt nam",
    "đoàn thanh niên cộng sản hồ chí minh",
    "đoàn tncs hồ chí minh",
};

/* Lines of their own, in capitals. */
static const char *const titles[] = {
    /* Decree 30/2020/ND-CP */
    "nghị quyết",
    "quyết định",
    "chỉ thị",
    "quy chế",
    "quy định",
    "thông cáo",
    "thông báo",
    "hướng dẫn",
    "chương trình",
    "kế hoạch",
    "phương án",
    "đề án",
    "dự án",
    "báo cáo",
    "biên bản",
    "tờ trình",
    "hợp đồng",
    "công điện",
    "bản ghi nhớ",
    "bản thỏa|thoả thuận",
    "giấy ủy|uỷ quyền",
    "giấy mời",
    "giấy giới thiệu",
    "giấy nghỉ phép",
    "phiếu gửi",
    "phiếu chuyển",
    "phiếu báo",
    /* Regulation 66-QD/TW */
    "kết luận",
    "thông tri",
    "tuyên bố",
    "lời kêu gọi",
    "quy hoạch",
    /* who signs */
    "chủ tịch",
    "phó chủ tịch",
    "bí thư",
    "phó bí thư",
};

/* Everyday words of offices that the recogniser misreads as below; with that slip they are no words that could stand
 * there. */
static const char *const compounds[] = {
    "bảo hiểm",          "biểu dương",        "biểu quyết",        "chuyển biến", "đại biểu",   "địa điểm",
    "kiểm tra",          "phát triển",        "phổ biến",          "quan điểm",   "tập thể",    "thẩm quyền",
    "thể chế",           "thể thao",          "thiếu nhi",         "tiểu học",    "tổ chức",    "tổ công tác",
    "tổ dân phố",        "tổ quốc",           "tổ trưởng",         "tổng hợp",    "tổng kết",   "tổng số",
    "tổng diện tích",    "tổng thể",          "triển khai",        "tuổi trẻ",    "tuyển chọn", "tuyển dụng",
    "quy định chi tiết", "kế hoạch chi tiết", "thu chi ngân sách",
};

/* ---- letters ---- */

struct letters {
    utf8proc_int32_t at[PHRASE_LETTERS];
    size_t count;
};

static bool letters_take(const char *text, size_t bytes, struct letters *letters)
{
    letters->count = 0;
    for (size_t at = 0; at < bytes;) {
        utf8proc_ssize_t size = letters->count < PHRASE_LETTERS
                                    ? utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                       (utf8proc_ssize_t)(bytes - at), &letters->at[letters->count])
                                    : 0;
        if (size <= 0)
            return false;
        letters->count++;
        at += (size_t)size;
    }
    return letters->count > 0;
}

/* In lower case, without marks; eth is taken for đ. */
static utf8proc_int32_t rune_bare(utf8proc_int32_t rune)
{
    utf8proc_int32_t parts[PHRASE_PARTS_OF_RUNE] = {rune}, lower = utf8proc_tolower(rune);
    if (lower == 0x111 || lower == 0xf0)
        return 'd';
    utf8proc_decompose_char(lower, parts, PHRASE_PARTS_OF_RUNE, UTF8PROC_DECOMPOSE, NULL);
    return parts[0];
}

static bool is_slip(utf8proc_int32_t seen, utf8proc_int32_t meant)
{
    struct letter s, m;
    if (!letter_of(seen, &s) || !letter_of(meant, &m) || s.base != m.base)
        return false;
    bool circumflex = s.base == 0xe2 || s.base == 0xea || s.base == 0xf4; /* â ê ô */
    return (circumflex && s.tone == TONE_ACUTE && m.tone == TONE_HOOK) ||
           (s.base == 'i' && s.tone == TONE_HOOK && m.tone == TONE_LEVEL);
}

static bool differ_by_slips(const struct letters *seen, const struct letters *meant)
{
    for (size_t i = 0; i < seen->count; i++)
        if (utf8proc_tolower(seen->at[i]) != meant->at[i] && !is_slip(seen->at[i], meant->at[i]))
            return false;
    return true;
}

static bool letters_match(const struct letters *a, const struct letters *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++)
        if (rune_bare(a->at[i]) != rune_bare(b->at[i]))
            return false;
    return a->count == b->count;
}

static size_t letters_differ(const struct letters *seen, const struct letters *meant)
{
    size_t count = 0;
    for (size_t i = 0; i < seen->count; i++)
        count += utf8proc_tolower(seen->at[i]) != meant->at[i];
    return count;
}

static bool all_capitals(const struct letters *letters)
{
    for (size_t i = 0; i < letters->count; i++)
        if (utf8proc_tolower(letters->at[i]) == letters->at[i])
            return false;
    return true;
}

/* ---- words ---- */

/* A word of the line that a phrase may have. */
struct spot {
    Sohoa__Word *word;
    size_t start, bytes; /* of what is between its punctuation */
    struct letters seen, meant;
    size_t differ; /* letters of seen and meant */
};

static bool spot_take(Sohoa__Word *word, struct spot *spot)
{
    spot->word = word;
    token_core(word->text, &spot->start, &spot->bytes);
    return !word->own && letters_take(word->text + spot->start, spot->bytes, &spot->seen);
}

/* spellings is one or several, up to a blank or the end. Sets the one that is nearest. */
static bool spot_fit(struct spot *spot, const char *spellings, size_t bytes)
{
    bool found = false;
    for (const char *at = spellings, *end = spellings + bytes; at < end;) {
        const char *bar = memchr(at, '|', (size_t)(end - at)), *stop = bar ? bar : end;
        struct letters meant;
        if (letters_take(at, (size_t)(stop - at), &meant) && letters_match(&spot->seen, &meant)) {
            size_t differ = letters_differ(&spot->seen, &meant);
            if (!found || differ < spot->differ) {
                spot->meant = meant;
                spot->differ = differ;
            }
            found = true;
        }
        at = bar ? bar + 1 : end;
    }
    return found;
}

/* The letters that are meant, as large as those that were seen. */
static void spot_mend(struct spot *spot)
{
    AUTO(buf_destroy) struct buf text = {0};
    Sohoa__Word *word = spot->word;
    if (!spot->differ)
        return;
    buf_append(&text, word->text, spot->start);
    for (size_t i = 0; i < spot->meant.count; i++) {
        utf8proc_int32_t seen = spot->seen.at[i], meant = spot->meant.at[i];
        utf8proc_uint8_t bytes[PHRASE_RUNE_BYTES];
        meant = utf8proc_tolower(seen) != seen ? utf8proc_toupper(meant) : meant;
        buf_append(&text, bytes, (size_t)utf8proc_encode_char(meant, bytes));
    }
    buf_puts(&text, word->text + spot->start + spot->bytes);
    char *mended = strdup(buf_text(&text));
    if (!mended)
        abort();
    word->raw = word->text;
    word->text = mended;
}

/* ---- lines ---- */

static bool is_mark(const Sohoa__Word *word)
{
    return !word->own && token_look(word->text) == TOKEN_MARK;
}

/* The index behind the words that are the phrase, from this one on; 0: they are not. spots are set. */
static size_t line_fit(const Sohoa__Line *line, size_t at, const char *phrase, struct spot *spots, size_t *ret_count)
{
    size_t count = 0;
    while (*phrase) {
        size_t bytes = strcspn(phrase, " ");
        while (count && at < line->n_words && is_mark(line->words[at]))
            at++;
        if (at == line->n_words || count == PHRASE_WORDS || !spot_take(line->words[at], &spots[count]) ||
            !spot_fit(&spots[count], phrase, bytes))
            return 0;
        at++;
        count++;
        phrase += bytes + (phrase[bytes] == ' ');
    }
    *ret_count = count;
    return at;
}

static void spots_mend(struct spot *spots, size_t count)
{
    for (size_t i = 0; i < count; i++)
        spot_mend(&spots[i]);
}

/* Whether the line is signed for or by somebody: "KT. CHỦ TỊCH". */
static bool is_authority(const Sohoa__Word *word)
{
    static const char *const known[] = {"KT.", "TM.", "TL.", "TUQ.", "Q.", "T/M", "K/T", "T/L"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!word->own && !strcmp(word->text, known[i]))
            return true;
    return false;
}

static void title_correct(Sohoa__Line *line, const char *phrase)
{
    struct spot spots[PHRASE_WORDS];
    size_t count, behind = line_fit(line, is_authority(line->words[0]), phrase, spots, &count);
    for (; behind && behind < line->n_words; behind++)
        if (!is_mark(line->words[behind]))
            return;
    if (!behind)
        return;
    for (size_t i = 0; i < count; i++)
        if (!all_capitals(&spots[i].seen))
            return;
    spots_mend(spots, count);
}

static void compound_correct(Sohoa__Line *line, size_t at, const char *compound)
{
    struct spot spots[PHRASE_WORDS];
    size_t count;
    if (!line_fit(line, at, compound, spots, &count))
        return;
    for (size_t i = 0; i < count; i++)
        if (!differ_by_slips(&spots[i].seen, &spots[i].meant))
            return;
    spots_mend(spots, count);
}

/* Those that begin as the word does: with the same byte, whatever its case (that of Đ and đ is the same). */
static void compounds_correct(Sohoa__Line *line, size_t at)
{
    size_t start, bytes;
    token_core(line->words[at]->text, &start, &bytes);
    for (size_t i = 0; bytes && i < sizeof compounds / sizeof *compounds; i++)
        if ((line->words[at]->text[start] | 0x20) == (compounds[i][0] | 0x20))
            compound_correct(line, at, compounds[i]);
}

static void line_correct(Sohoa__Line *line)
{
    struct spot spots[PHRASE_WORDS];
    size_t count;
    for (size_t i = 0; line->n_words && i < sizeof titles / sizeof *titles; i++)
        title_correct(line, titles[i]);
    for (size_t i = 0; i < sizeof anywhere / sizeof *anywhere; i++)
        for (size_t at = 0; at < line->n_words; at++)
            if (line_fit(line, at, anywhere[i], spots, &count))
                spots_mend(spots, count);
    for (size_t at = 0; at + 1 < line->n_words; at++)
        compounds_correct(line, at);
}

void phrases_correct(Sohoa__Page *page)
{
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t i = 0; i < page->blocks[b]->n_lines; i++)
            line_correct(page->blocks[b]->lines[i]);
}
