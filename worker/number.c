/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The line is parted at the sign behind the number; the notation behind it is known by its parts, most of which are the
 * abbreviations of types and bodies. The number itself is mostly handwritten, and the recogniser is at times sure of a wrong
 * one: alone it is believed only where it is printed. */
#include "worker/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "worker/bare.h"
#include "worker/guess.h"
#include "worker/header.h"
#include "worker/rules.h"

enum {
    NUMBER_DIGITS = 5, /* of a number at most */
    NUMBER_PARTS = 6,  /* of a notation */
    YEAR_DIGITS = 4,
    OWN_CPCT = 10000,
    PART_BYTES = 24,
    NUMBER_TYPED_SCORE = 40, /* the notation begins with a type */
    NUMBER_KNOWN_SCORE = 20, /* or has a body in it */
    NUMBER_LEFT_SCORE = 15,
    NUMBER_PLAIN_SCORE = 10,
    NUMBER_NEAR_SCORE = 50,   /* beside the date, ... */
    NUMBER_NEAR_EMS = 3,      /* ... or not far above or below */
    NUMBER_ALONE_CPCT = 8800, /* nobody but the recogniser read it */
    NUMBER_WORTH_CPCT = 100,  /* candidates that are less likely are not named */
    NOTATION_SURE_CPCT = 9800,
    NOTATION_MENDED_CPCT = 9200,
    NOTATION_STRANGE_CPCT = 7500,
};

/* Where a line's parts are, in characters of its bare text. */
struct spans {
    size_t digits, digits_end, notation, notation_end;
};

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Behind "Số", also misread by a letter; SIZE_MAX: the line does not begin so. */
static size_t behind_so(const struct line *line)
{
    size_t at = 0;
    while (at < line->length && !is_letter(line->bare[at]) && !is_digit(line->bare[at]))
        at++;
    if (line->bare[at] != 's' || !line->bare[at + 1])
        return SIZE_MAX;
    bool whole = line->bare[at + 1] == 'o' || line->bare[at + 1] == '6' || line->bare[at + 1] == 'e';
    at += 2;
    if (!whole || is_letter(line->bare[at]))
        return SIZE_MAX;
    while (line->bare[at] == ':' || line->bare[at] == '.' || line->bare[at] == ' ' || line->bare[at] == ';')
        at++;
    return at;
}

/* Whether [from, to) is a known abbreviation of a type. */
static const char *type_known(const char *bare, size_t size)
{
    const struct rules *types = rules_of(RULES_TYPES);
    static char known[PART_BYTES];
    for (size_t i = 0; i < types->rows; i++)
        for (const char *at = types->row[i][2]; *at;) {
            size_t bytes = strcspn(at, ",");
            char folded[PART_BYTES];
            snprintf(known, sizeof known, "%.*s", (int)bytes, at);
            if (bare_text(known, folded, NULL) == size && !memcmp(folded, bare, size))
                return known;
            at += bytes + (at[bytes] == ',');
        }
    return NULL;
}

static const char *acronym_known(const char *bare, size_t size)
{
    const struct rules *acronyms = rules_of(RULES_ACRONYMS);
    for (size_t i = 0; i < acronyms->rows; i++) {
        char folded[PART_BYTES * 2];
        if (bare_text(acronyms->row[i][0], folded, NULL) == size && !memcmp(folded, bare, size))
            return acronyms->row[i][0];
    }
    return NULL;
}

static size_t letters_end(const struct line *line, size_t at)
{
    while (is_letter(line->bare[at]))
        at++;
    return at;
}

/* The sign behind the number, or where a type's abbreviation begins without one. */
static size_t sign_find(const struct line *line, size_t from)
{
    for (size_t at = from; at < line->length; at++) {
        if (line->bare[at] == '/')
            return at;
        bool dash = line->bare[at] == '-' || line->bare[at] == ' ';
        size_t letter = at + 1;
        while (dash && line->bare[letter] == ' ')
            letter++;
        size_t end = dash ? letters_end(line, letter) : 0;
        if (dash && end > letter && type_known(line->bare + letter, end - letter))
            return at;
        if (line->bare[at] == '-' && end > letter + 1)
            return at;
    }
    return SIZE_MAX;
}

static bool of_notation(char c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '/' || c == '&' || c == '.';
}

/* A notation goes on over blanks where a sign stands before or behind them. */
static size_t notation_end(const struct line *line, size_t at)
{
    for (;;) {
        while (of_notation(line->bare[at]))
            at++;
        size_t next = at;
        while (line->bare[next] == ' ')
            next++;
        bool joined = next > at && of_notation(line->bare[next]) &&
                      (line->bare[next] == '-' || line->bare[next] == '/' || line->bare[at - 1] == '-' ||
                       line->bare[at - 1] == '/');
        if (!joined)
            return at;
        at = next;
    }
}

/* Digits between two signs are the number's, but for a year: "1/2/BB-UBND" is a 12 with a stroke in it. */
static bool is_part_of_number(const struct line *line, size_t from, size_t to)
{
    for (size_t at = from; at < to; at++)
        if (!is_digit(line->bare[at]) && line->bare[at] != ' ')
            return false;
    return to > from && to - from != YEAR_DIGITS;
}

/* beside_date: where "Số" itself was not read, digits will do. */
static bool spans_take(const struct line *line, bool beside_date, struct spans *spans)
{
    size_t from = behind_so(line);
    if (from == SIZE_MAX && beside_date)
        from = strcspn(line->bare, "0123456789");
    size_t sign = from >= line->length ? SIZE_MAX : sign_find(line, from);
    if (sign == SIZE_MAX)
        return false;
    for (size_t next = sign_find(line, sign + 1); next != SIZE_MAX && is_part_of_number(line, sign + 1, next);)
        next = sign_find(line, (sign = next) + 1);
    spans->digits = from;
    spans->digits_end = sign;
    while (spans->digits_end > from && strchr(" _.,", line->bare[spans->digits_end - 1]))
        spans->digits_end--;
    spans->notation = sign;
    while (strchr("/- ", line->bare[spans->notation]) && line->bare[spans->notation])
        spans->notation++;
    spans->notation_end = notation_end(line, spans->notation);
    while (spans->notation_end > spans->notation && strchr("-/. ", line->bare[spans->notation_end - 1]))
        spans->notation_end--;
    return spans->notation_end > spans->notation;
}

/* ---- notation ---- */

struct notation {
    char text[NUMBER_PARTS * PART_BYTES];
    bool typed;   /* its first part (behind a year) is a type's abbreviation */
    bool known;   /* every part is known */
    bool mended;  /* what was read was another */
    bool ordered; /* it is made of capitals, as notations are */
};

static void part_take(const struct line *line, size_t from, size_t to, unsigned part, struct notation *notation)
{
    size_t used = strlen(notation->text);
    char read[PART_BYTES];
    size_t bytes = line->at[to] - line->at[from];
    bool year = to - from == YEAR_DIGITS && is_digit(line->bare[from]);
    const char *type = type_known(line->bare + from, to - from);
    const char *known = type && !part ? type : acronym_known(line->bare + from, to - from);
    known = known ? known : type;
    snprintf(read, sizeof read, "%.*s", (int)bytes, line->text + line->at[from]);
    notation->typed = notation->typed || (type && !part);
    notation->known = notation->known && (known || year);
    notation->mended = notation->mended || (known && strcmp(known, read) != 0);
    snprintf(notation->text + used, sizeof notation->text - used, "%s", known ? known : read);
}

static void notation_take(const struct line *line, const struct spans *spans, struct notation *notation)
{
    unsigned part = 0;
    *notation = (struct notation){.known = true};
    for (size_t at = spans->notation; at < spans->notation_end;) {
        size_t end = at;
        while (end < spans->notation_end && !strchr("-/ ", line->bare[end]))
            end++;
        if (end > at) {
            part_take(line, at, end, part, notation);
            part += !is_digit(line->bare[at]);
        }
        char sign = 0;
        for (at = end; at < spans->notation_end && strchr("-/ ", line->bare[at]); at++)
            sign = line->bare[at] != ' ' ? line->bare[at] : sign;
        size_t used = strlen(notation->text);
        if (at < spans->notation_end && used + 1 < sizeof notation->text)
            snprintf(notation->text + used, sizeof notation->text - used, "%c", sign ? sign : ' ');
    }
    size_t capitals = 0, letters = 0;
    for (const char *c = notation->text; *c; c++) {
        letters += is_letter((char)(*c | 0x20));
        capitals += *c >= 'A' && *c <= 'Z';
    }
    notation->ordered = letters && capitals * 2 > letters;
}

static void notation_describe(const struct header *header, const struct spans *spans, Sohoa__Description *description)
{
    AUTO(evidence_clear) struct evidence evidence = {0};
    struct notation notation;
    notation_take(header->number, spans, &notation);
    evidence_add(&evidence, header->page, header->number, spans->notation, spans->notation_end);
    uint32_t cpct = !notation.known   ? NOTATION_STRANGE_CPCT
                    : notation.mended ? NOTATION_MENDED_CPCT
                                      : NOTATION_SURE_CPCT;
    field_set(description, SOHOA__FIELD_NAME__FIELD_NOTATION, notation.text, cpct, &evidence);
}

static bool is_beside_date(const struct header *header, const struct line *line)
{
    return header->date && line != header->date && abs(header->date->y - line->y) < header->page->em * NUMBER_NEAR_EMS;
}

int number_score(const struct header *header, const struct line *line)
{
    struct spans spans;
    struct notation notation;
    bool beside = is_beside_date(header, line);
    if (!spans_take(line, beside, &spans))
        return 0;
    notation_take(line, &spans, &notation);
    if (!notation.ordered)
        return 0;
    int score =
        NUMBER_PLAIN_SCORE + (notation.typed ? NUMBER_TYPED_SCORE : 0) + (notation.known ? NUMBER_KNOWN_SCORE : 0) +
        (line_centre(line) * 2 < header->page->width ? NUMBER_LEFT_SCORE : 0) + (beside ? NUMBER_NEAR_SCORE : 0);
    return line_in_capitals(line) || line->letters < PART_BYTES ? score : 0;
}

/* ---- number ---- */

/* The digits that the recogniser read, and whether there was nothing else. */
static bool digits_read(const struct line *line, const struct spans *spans, char digits[NUMBER_DIGITS + 1])
{
    size_t count = 0;
    bool clean = true;
    for (size_t at = spans->digits; at < spans->digits_end; at++) {
        bool digit = is_digit(line->bare[at]) && count < NUMBER_DIGITS;
        clean = clean && digit;
        if (digit)
            digits[count++] = line->bare[at];
    }
    digits[count] = 0;
    return clean && count;
}

/* Where handwriting was read, words or not. */
static void evidence_of_hand(struct evidence *evidence, const struct lines *page, const Sohoa__Hand *hand)
{
    if (evidence->words || !hand)
        return;
    evidence->page = page;
    evidence->x = hand->x;
    evidence->y = hand->y;
    evidence->right = hand->x + (int32_t)hand->w;
    evidence->bottom = hand->y + (int32_t)hand->h;
    evidence->words = 1;
}

/* The recogniser read what was read by hand, and a digit more at one end: that may have been cut off. */
static bool is_longer(const char *digits, const struct guesses *guesses)
{
    const char *by_hand = guesses->count ? guesses->at[0].text : "";
    size_t size = strlen(by_hand), more = strlen(digits);
    return size && more == size + 1 && (!strncmp(digits, by_hand, size) || !strcmp(digits + 1, by_hand));
}

/* The source itself says it, nobody had to read. */
static bool is_own(const struct line *line)
{
    return line->confidence_cpct == OWN_CPCT;
}

void number_describe(const struct header *header, Sohoa__Description *description)
{
    AUTO(evidence_clear) struct evidence evidence = {0};
    char digits[NUMBER_DIGITS + 1];
    struct spans spans;
    struct guesses guesses;
    const struct line *line = header->number;
    if (!line || !spans_take(line, is_beside_date(header, line), &spans))
        return;
    notation_describe(header, &spans, description);
    const Sohoa__Hand *hand = guess_hand(header->page, line, SOHOA__HAND_KIND__HAND_NUMBER);
    evidence_add(&evidence, header->page, line, spans.digits, spans.digits_end);
    guesses_begin(&guesses, hand);
    bool read = digits_read(line, &spans, digits), short_by_one = read && is_longer(digits, &guesses);
    if (read)
        guesses_support(&guesses, digits, guess_reading_ratio(evidence.least_cpct));
    evidence_of_hand(&evidence, header->page, hand);
    guesses_sort(&guesses);
    uint32_t cpct = guesses_cpct(&guesses, 0);
    uint32_t most = (hand && !short_by_one) || is_own(line) ? cpct : NUMBER_ALONE_CPCT;
    if (cpct >= GUESS_ANSWER_CPCT)
        field_set(description, SOHOA__FIELD_NAME__FIELD_NUMBER, guesses.at[0].text, cpct < most ? cpct : most,
                  &evidence);
    else
        field_place(description, SOHOA__FIELD_NAME__FIELD_NUMBER, &evidence);
    for (size_t i = cpct >= GUESS_ANSWER_CPCT; i < guesses.count; i++)
        if (guesses_cpct(&guesses, i) >= NUMBER_WORTH_CPCT)
            field_candidate(description, SOHOA__FIELD_NAME__FIELD_NUMBER, guesses.at[i].text,
                            guesses_cpct(&guesses, i));
}
