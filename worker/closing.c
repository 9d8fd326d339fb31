/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The signer's box is at the right of "Nơi nhận" or, where there is none, what begins in capitals with one of the prefixes; minutes name
 * who presided. The name is the first line under the capitals that looks like one of a person. */
#include "worker/closing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/auto.h"
#include "worker/bare.h"
#include "worker/rules.h"
#include "proto/syllable.h"
#include "worker/names.h"
#include "worker/token.h"

enum {
    BOX_ABOVE_TENTHS = 40, /* of an em that the signer's box may begin above "Nơi nhận" */
    BOX_LINES = 10,        /* of who signs as what */
    NAME_WORDS_LEAST = 2,
    NAME_WORDS_MOST = 6,
    NAME_SURE_CPCT = 9600,
    NAME_MENDED_CPCT = 8800,
    NAME_SHORT_CPCT = 8500,   /* two words: most have three or more */
    NAME_STRANGE_CPCT = 8000, /* no surname that is known */
    NAME_LEAST_CPCT = 5000,   /* a word read worse, ... */
    NAME_WEAK_CPCT = 7000,    /* ... and what a name with one is worth */
    TITLE_SURE_CPCT = 9500,
    TITLE_STRANGE_CPCT = 8500, /* no office that is known */
    RECIPIENTS_SURE_CPCT = 9300,
    RECIPIENTS_LINES = 60,
    RECIPIENTS_GAP_TENTHS = 20,
    COPIES_SURE_CPCT = 8500,
    WORD_LETTERS = 16,
};

static const char *const prefixes[] = {"tm.", "kt.", "q.", "tl.", "tuq.", "t/m", "k/t", "t/l", "tm", "kt", "tl", "tuq"};

static size_t prefix_of(const struct line *line)
{
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t size = strlen(prefixes[i]);
        if (!strncmp(line->bare, prefixes[i], size) && (line->bare[size] == ' ' || prefixes[i][size - 1] == '.'))
            return size;
    }
    return 0;
}

static bool presides(const struct line *line)
{
    static const char *const known[] = {"chu tri", "chu toa", "chu tri hoi nghi", "chu tri cuoc hop",
                                        "chu toa cuoc hop"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (bare_alike(line->bare, line->length, known[i]))
            return true;
    return false;
}

/* ---- where it is ---- */

struct closing {
    const struct lines *page;
    const struct line *receivers; /* "Nơi nhận"; NULL: none */
    int32_t top, left, right;     /* of the signer's box */
};

static bool at_receivers(const struct lines *page, struct closing *closing)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct line *line = &page->at[i];
        if (!line_begins(line, "noi nhan") || line->x * 2 > page->width)
            continue;
        *closing = (struct closing){page, line, line->y - page->em * BOX_ABOVE_TENTHS / 10, page->width * 45 / 100,
                                    page->width};
        return true;
    }
    return false;
}

static bool at_authority(const struct lines *page, struct closing *closing)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct line *line = &page->at[i];
        if (!line_in_capitals(line) || line_centre(line) * 2 < page->width || !(prefix_of(line) || presides(line)))
            continue;
        *closing = (struct closing){page, NULL, line->y, page->width * 45 / 100, page->width};
        return true;
    }
    return false;
}

static bool closing_find(const struct lines *pages, size_t count, struct closing *closing)
{
    for (size_t i = 0; i < count; i++)
        if (at_receivers(&pages[i], closing) || at_authority(&pages[i], closing))
            return true;
    return false;
}

/* ---- who signed ---- */

static bool word_is_of_name(const char *text)
{
    size_t start, bytes, letters = 0;
    token_core(text, &start, &bytes);
    for (size_t at = start; at < start + bytes;) {
        utf8proc_int32_t rune;
        utf8proc_ssize_t size =
            utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(start + bytes - at), &rune);
        struct letter letter;
        if (size <= 0 || !letter_of(rune, &letter) || letter.upper != !letters)
            return false;
        letters++;
        at += (size_t)size;
    }
    return letters && letters < WORD_LETTERS && syllable_possible(text + start, bytes);
}

static bool surname_known(const char *text, size_t bytes)
{
    const struct rules *surnames = rules_of(RULES_SURNAMES);
    for (size_t i = 0; i < surnames->rows; i++)
        if (strlen(surnames->row[i][0]) == bytes && !memcmp(surnames->row[i][0], text, bytes))
            return true;
    return false;
}

/* Letters in which a word differs from a surname at most, its first one left aside. */
static unsigned surname_slips(const char *text, const char *surname, unsigned most)
{
    char seen[WORD_LETTERS * 2], known[WORD_LETTERS * 2];
    size_t first = text[0] & 0x80 ? 2 : 1; /* bytes of a letter with or without marks that names begin with */
    if (bare_room(text) > sizeof seen || strncmp(text, surname, first))
        return most + 1;
    size_t letters = bare_text(text, seen, NULL), others = bare_text(surname, known, NULL);
    return letters == others ? bare_distance(seen, letters, known, others, most) : most + 1;
}

/* A surname that lost its marks under a seal, or a letter: the one that is known, if it is the only one; else NULL. */
static const char *surname_mended(const char *text)
{
    const struct rules *surnames = rules_of(RULES_SURNAMES);
    for (unsigned most = 0; most <= 1; most++) {
        const char *found = NULL;
        size_t count = 0;
        for (size_t i = 0; i < surnames->rows; i++)
            if (surname_slips(text, surnames->row[i][0], most) <= most) {
                found = surnames->row[i][0];
                count++;
            }
        if (count)
            return count == 1 ? found : NULL;
    }
    return NULL;
}

/* Whether the line is a person's name: the words [*ret_first, *ret_end) of it, from left on, a degree before them left aside. One of them
 * may have been read badly: under a seal, or a stroke of the signature. */
static bool line_is_name(const struct line *line, int32_t left, size_t *ret_first, size_t *ret_end)
{
    size_t first = 0, end = line->words, weak = 0;
    while (first < end && line->x < left && line->word[first]->x + (int32_t)line->word[first]->w < left)
        first++;
    size_t outside = first;
    while (first < end && !word_is_of_name(line->word[first]->text))
        first++;
    while (end > first && !word_is_of_name(line->word[end - 1]->text))
        end--;
    for (size_t i = first; i < end; i++) {
        weak += line->word[i]->confidence_cpct < NAME_LEAST_CPCT;
        if (!word_is_of_name(line->word[i]->text))
            return false;
    }
    *ret_first = first;
    *ret_end = end;
    return end - first >= NAME_WORDS_LEAST && end - first <= NAME_WORDS_MOST && weak <= 1 &&
           line->words - outside - (end - first) <= 2;
}

/* Words of a signature's stamp, which names who signed, too, but in its own way. */
static bool is_stamp(const struct line *line)
{
    static const char *const known[] = {"ky boi", "nguoi ky",  "thoi gian", "co quan",
                                        "email",  "signature", "digitally"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (line_find(line, 0, known[i]) != SIZE_MAX)
            return true;
    return false;
}

static bool in_box(const struct closing *closing, const struct line *line)
{
    return (line->y + line->bottom) / 2 > closing->top && line_centre(line) > closing->left;
}

/* Without a word of who signs as what, a name must say itself that it is one. */
static bool begins_with_surname(const struct line *line, size_t first)
{
    size_t start, bytes;
    token_core(line->word[first]->text, &start, &bytes);
    AUTO(mem_destroy) char *word = strndup(line->word[first]->text + start, bytes);
    return word && (surname_known(word, strlen(word)) || surname_mended(word));
}

static size_t character_of(const struct line *line, size_t word)
{
    size_t at = 0;
    while (at < line->length && line->owner[at] < word)
        at++;
    return at;
}

/* A word was lost between two of them: under a seal or a stroke of the signature. */
static bool has_hole(const struct lines *page, const struct line *line, size_t first, size_t end)
{
    for (size_t i = first + 1; i < end; i++)
        if (line->word[i]->x - (line->word[i - 1]->x + (int32_t)line->word[i - 1]->w) > page->em)
            return true;
    return false;
}

static void name_set(const struct closing *closing, const struct line *line, size_t first, size_t end,
                     Sohoa__Description *description)
{
    AUTO(evidence_clear) struct evidence evidence = {0};
    AUTO(buf_destroy) struct buf value = {0};
    for (size_t i = first; i < end; i++) {
        size_t start, bytes;
        token_core(line->word[i]->text, &start, &bytes);
        buf_puts(&value, i > first ? " " : "");
        buf_append(&value, line->word[i]->text + start, bytes);
    }
    evidence_add(&evidence, closing->page, line, character_of(line, first), character_of(line, end));
    const char *name = buf_text(&value);
    size_t surname = strcspn(name, " ");
    AUTO(mem_destroy) char *read_as = strndup(name, surname);
    AUTO(buf_destroy) struct buf mended = {0};
    uint32_t read = evidence_cpct(&evidence), most = NAME_SURE_CPCT;
    bool strange = false;
    if (end - first == NAME_WORDS_LEAST || has_hole(closing->page, line, first, end))
        most = NAME_SHORT_CPCT;
    if (evidence.least_cpct < NAME_LEAST_CPCT)
        most = NAME_WEAK_CPCT;
    if (read_as && !surname_known(name, surname)) {
        const char *known = surname_mended(read_as);
        strange = !known;
        uint32_t so = known ? NAME_MENDED_CPCT : NAME_STRANGE_CPCT;
        most = most < so ? most : so;
        buf_printf(&mended, "%s%s", known ? known : read_as, name + surname);
        name = buf_text(&mended);
    }
    field_set(description, SOHOA__FIELD_NAME__FIELD_SIGNER, name, read < most ? read : most, &evidence);
    if (strange)
        field_doubt(description, SOHOA__FIELD_NAME__FIELD_SIGNER, most, "begins with no surname that is known");
}

static void office_set(const struct closing *closing, const struct line *const *office, size_t count,
                       Sohoa__Description *description)
{
    AUTO(evidence_clear) struct evidence evidence = {0};
    AUTO(evidence_clear) struct evidence before = {0};
    AUTO(buf_destroy) struct buf prefix = {0};
    AUTO(buf_destroy) struct buf title = {0};
    for (size_t i = 0; i < count; i++) {
        const struct line *line = office[i];
        size_t size = prefix_of(line);
        if (size) {
            buf_puts(&prefix, prefix.size ? " " : "");
            buf_append(&prefix, line->text, line->at[size]);
            evidence_add(&before, closing->page, line, 0, size);
        }
    }
    const struct line *last = office[count - 1];
    size_t from = prefix_of(last);
    while (last->bare[from] == ' ')
        from++;
    bool known = names_office(last->text + last->at[from], &title);
    evidence_add(&evidence, closing->page, last, from, last->length);
    uint32_t read = evidence_cpct(&evidence);
    field_set(description, SOHOA__FIELD_NAME__FIELD_SIGNER_TITLE, buf_text(&title),
              known                       ? TITLE_SURE_CPCT
              : read < TITLE_STRANGE_CPCT ? read
                                          : TITLE_STRANGE_CPCT,
              &evidence);
    if (prefix.size)
        field_set(description, SOHOA__FIELD_NAME__FIELD_SIGNER_PREFIX, buf_text(&prefix), TITLE_SURE_CPCT, &before);
}

static void signer_describe(const struct closing *closing, Sohoa__Description *description)
{
    const struct line *office[BOX_LINES];
    size_t count = 0, first, end;
    for (size_t i = 0; i < closing->page->count; i++) {
        const struct line *line = &closing->page->at[i];
        if (!in_box(closing, line) || is_stamp(line))
            continue;
        if (line_in_capitals(line) && line->letters > 3 && count < BOX_LINES)
            office[count++] = line;
        else if (line_is_name(line, closing->left, &first, &end) && (count || begins_with_surname(line, first))) {
            name_set(closing, line, first, end, description);
            break;
        }
    }
    if (count)
        office_set(closing, office, count, description);
}

/* ---- who gets it ---- */

/* "Lưu: VT, NC (05b)." */
static void copies_describe(const struct closing *closing, const struct line *line, Sohoa__Description *description)
{
    AUTO(evidence_clear) struct evidence evidence = {0};
    for (size_t at = 0; at < line->length; at++) {
        size_t end = at;
        while (line->bare[end] >= '0' && line->bare[end] <= '9')
            end++;
        if (end == at || (at && line->bare[at - 1] >= 'a' && line->bare[at - 1] <= 'z'))
            continue;
        size_t unit = end + (line->bare[end] == ' ');
        if (line->bare[unit] == 'b' && end - at < 4) {
            char copies[8];
            snprintf(copies, sizeof copies, "%.*s", (int)(end - at), line->bare + at);
            evidence_add(&evidence, closing->page, line, at, unit + 1);
            field_set(description, SOHOA__FIELD_NAME__FIELD_COPIES, copies, COPIES_SURE_CPCT, &evidence);
            return;
        }
        at = end;
    }
}

static void receivers_describe(const struct closing *closing, Sohoa__Description *description)
{
    AUTO(evidence_clear) struct evidence evidence = {0};
    AUTO(buf_destroy) struct buf value = {0};
    const struct lines *page = closing->page;
    const struct line *above = closing->receivers;
    for (const struct line *line = above + 1; line < page->at + page->count; line++) {
        if (line_centre(line) > closing->left || line->y < above->y)
            continue;
        if (line->y - above->bottom > page->em * RECIPIENTS_GAP_TENTHS / 10)
            break;
        evidence_add(&evidence, page, line, 0, line->length);
        buf_printf(&value, value.size ? " %s" : "%s", line->text);
        above = line;
        if (line_find(line, 0, "luu") != SIZE_MAX) {
            copies_describe(closing, line, description);
            break;
        }
    }
    uint32_t read = evidence_cpct(&evidence);
    if (value.size)
        field_set(description, SOHOA__FIELD_NAME__FIELD_RECIPIENTS, buf_text(&value),
                  read < RECIPIENTS_SURE_CPCT ? read : RECIPIENTS_SURE_CPCT, &evidence);
}

void closing_describe(const struct lines *pages, size_t count, Sohoa__Description *description)
{
    struct closing closing;
    if (!closing_find(pages, count, &closing))
        return;
    signer_describe(&closing, description);
    if (closing.receivers)
        receivers_describe(&closing, description);
}
