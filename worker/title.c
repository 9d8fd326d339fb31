/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The subject ends where the text begins: at a wider gap, at a line that is not in the middle as the title is, at the words
 * that texts begin with, or where capitals begin or end. */
#include "worker/title.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/auto.h"
#include "worker/bare.h"
#include "worker/rules.h"

enum {
    TITLE_LINES = 24,         /* looked at below the head */
    TITLE_OFF_PERMILLE = 130, /* of the page's width that a title may be out of its middle */
    TITLE_SLIPS = 2,
    TITLE_LETTERS_A_SLIP = 6,
    SUBJECT_LINES = 16,
    ROW_PIECES = 4,
    ROW_OFF_TENTHS = 5,        /* of an em between the middles of pieces of one row */
    SUBJECT_OFF_PERMILLE = 22, /* of the page's width that a line may be out of the title's middle */
    SUBJECT_FIRST_TENTHS = 26, /* of an em between title and subject at most, ... */
    SUBJECT_GAP_TENTHS = 9,    /* ... and between its lines */
    LETTER_OFF_PERMILLE = 90,  /* as SUBJECT_OFF_PERMILLE, of a "V/v": it is not always in the middle */
    LETTER_GAP_TENTHS = 12,    /* between lines of a "V/v" */
    WORDS_DOUBTED_CPCT = 6500, /* a line read worse is a stamp's or a scrawl's */
    NOTATION_MENDED_CPCT = 7500,
    TYPE_SURE_CPCT = 9800,
    TYPE_LONE_CPCT = 9300, /* no notation to check it against */
    TYPE_BY_NOTATION_CPCT = 8500,
    TYPE_LETTER_CPCT = 9600,
    TYPE_AGAINST_CPCT = 6000,
    SUBJECT_SURE_CPCT = 9700,
    SUBJECT_CUT_CPCT = 5000,
    ADDRESSEE_LINES = 20,
    ADDRESSEE_GAP_TENTHS = 12,
    ADDRESSEE_SURE_CPCT = 9500,
    OFFICIAL_LETTER = 22, /* code of the type */
    PART_BYTES = 24,
};

/* ---- the title ---- */

/* Whether the line, or the first words of it, is the title of a type; then which row of the rules. */
static bool line_is_title(const struct line *line, size_t *ret_row)
{
    const struct rules *types = rules_of(RULES_TYPES);
    if (!line_in_capitals(line))
        return false;
    size_t from = 0, end = line->length;
    while (from < end && (line->bare[from] < 'a' || line->bare[from] > 'z'))
        from++;
    while (end > from && (line->bare[end - 1] < 'a' || line->bare[end - 1] > 'z'))
        end--;
    unsigned least = TITLE_SLIPS + 1;
    for (size_t i = 0; i < types->rows; i++)
        for (const char *at = types->row[i][3]; *at;) {
            size_t bytes = strcspn(at, ",");
            unsigned most = (unsigned)(bytes / TITLE_LETTERS_A_SLIP);
            unsigned slips = bare_distance(line->bare + from, end - from, at, bytes, most);
            if (slips <= most && slips < least) {
                least = slips;
                *ret_row = i;
            }
            at += bytes + (at[bytes] == ',');
        }
    return least <= TITLE_SLIPS;
}

static const struct line *title_find(const struct header *header, size_t *ret_row)
{
    const struct lines *page = header->page;
    size_t looked = 0;
    for (size_t i = 0; i < page->count && looked < TITLE_LINES; i++) {
        const struct line *line = &page->at[i];
        int32_t off = line_centre(line) * 2 - page->width;
        if (line == header->date || line == header->number || (line->y + line->bottom) / 2 < header->bottom)
            continue;
        looked++;
        if (abs(off) * 500LL < (long long)page->width * TITLE_OFF_PERMILLE && line_is_title(line, ret_row))
            return line;
    }
    return NULL;
}

/* The row of the type that the notation begins with, a year left aside; SIZE_MAX: it begins with none. */
static size_t notation_type(const char *notation)
{
    const struct rules *types = rules_of(RULES_TYPES);
    char part[PART_BYTES];
    while (*notation >= '0' && *notation <= '9')
        notation += strcspn(notation, "/") + (strchr(notation, '/') != NULL);
    snprintf(part, sizeof part, "%.*s", (int)strcspn(notation, "-/ "), notation);
    for (size_t i = 0; i < types->rows; i++)
        if (rules_list_has(types->row[i][2], part))
            return i;
    return SIZE_MAX;
}

static void type_set(Sohoa__Description *description, size_t row, uint32_t cpct, const struct evidence *evidence)
{
    const struct rules *types = rules_of(RULES_TYPES);
    field_set(description, SOHOA__FIELD_NAME__FIELD_TYPE, types->row[row][1], cpct, evidence);
    field_set(description, SOHOA__FIELD_NAME__FIELD_TYPE_CODE, types->row[row][0], cpct, evidence);
}

static void type_doubt(Sohoa__Description *description, uint32_t cpct, const char *why)
{
    field_doubt(description, SOHOA__FIELD_NAME__FIELD_TYPE, cpct, why);
    field_doubt(description, SOHOA__FIELD_NAME__FIELD_TYPE_CODE, cpct, why);
}

/* The notation of what has a title begins with its type. Where that was misread by a letter or is not there at all, the title tells it. */
static void notation_mend(Sohoa__Description *description, const char *abbreviations)
{
    AUTO(buf_destroy) struct buf mended = {0};
    AUTO(mem_destroy) char *read = strdup(field_value(description, SOHOA__FIELD_NAME__FIELD_NOTATION));
    uint32_t cpct = field_cpct(description, SOHOA__FIELD_NAME__FIELD_NOTATION);
    char said[PART_BYTES], wanted[PART_BYTES], part[PART_BYTES], seen[PART_BYTES];
    if (!read)
        abort();
    size_t size = strcspn(abbreviations, ","), first = strcspn(read, "-/ ");
    if (!size || first >= PART_BYTES)
        return;
    snprintf(said, sizeof said, "%.*s", (int)size, abbreviations);
    snprintf(part, sizeof part, "%.*s", (int)first, read);
    size_t letters = bare_text(said, wanted, NULL);
    bool slip = letters > 1 && bare_distance(seen, bare_text(part, seen, NULL), wanted, letters, 1) <= 1;
    buf_printf(&mended, "%s%s%s", said, slip ? "" : "-", slip ? read + first : read);
    field_candidate(description, SOHOA__FIELD_NAME__FIELD_NOTATION, read, NOTATION_MENDED_CPCT / 4);
    field_set(description, SOHOA__FIELD_NAME__FIELD_NOTATION, buf_text(&mended), cpct, NULL);
    field_doubt(description, SOHOA__FIELD_NAME__FIELD_NOTATION, NOTATION_MENDED_CPCT,
                "its type was not read, the title says it");
}

/* Title and notation must say the same: "QĐ" may be of a Quyết định or a Quy định. */
static void type_check(Sohoa__Description *description, size_t row)
{
    const struct rules *types = rules_of(RULES_TYPES);
    const char *notation = field_value(description, SOHOA__FIELD_NAME__FIELD_NOTATION);
    size_t said = notation_type(notation);
    char part[PART_BYTES];
    snprintf(part, sizeof part, "%.*s", (int)strcspn(notation, "-/ "), notation);
    if (!*notation || said == row || rules_list_has(types->row[row][2], part))
        return;
    if (said == SIZE_MAX) {
        notation_mend(description, types->row[row][2]);
        return;
    }
    type_doubt(description, TYPE_AGAINST_CPCT, "title and notation say different types");
    field_doubt(description, SOHOA__FIELD_NAME__FIELD_NOTATION, TYPE_AGAINST_CPCT,
                "title and notation say different types");
    field_candidate(description, SOHOA__FIELD_NAME__FIELD_TYPE, types->row[said][1], TYPE_AGAINST_CPCT / 2);
}

/* ---- lines that go on ---- */

/* Lines that say one thing together, and the pieces that one of them was read in. */
struct block {
    const struct line *line[SUBJECT_LINES];
    size_t count;
    bool cut; /* a part of it may be covered */
};

static bool begins_the_text(const struct line *line)
{
    static const char *const known[] = {"can cu", "kinh gui", "xet de nghi", "theo de nghi", "dieu 1"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (line_begins(line, known[i]))
            return true;
    return false;
}

static bool is_noise(const struct line *line)
{
    return line->length < 2 || line->confidence_cpct < WORDS_DOUBTED_CPCT;
}

/* The pieces beside line, from left to right: a stamp or a stroke makes two of one. */
static size_t row_take(const struct header *header, const struct line *line, const struct line **piece)
{
    const struct lines *page = header->page;
    size_t count = 0;
    for (const struct line *other = page->at; other < page->at + page->count && count < ROW_PIECES; other++) {
        int32_t off = other->y + other->bottom - line->y - line->bottom;
        if (other != line && (is_noise(other) || other == header->date || other == header->number ||
                              abs(off) * 10 > page->em * ROW_OFF_TENTHS * 2))
            continue;
        size_t at = count++;
        for (; at && piece[at - 1]->x > other->x; at--)
            piece[at] = piece[at - 1];
        piece[at] = other;
    }
    return count;
}

static bool row_is_centred(const struct header *header, const struct line *title, const struct line *const *piece,
                           size_t count)
{
    int32_t middle = (piece[0]->x + piece[count - 1]->right) / 2;
    return abs(middle - line_centre(title)) * 1000LL <= (long long)header->page->width * SUBJECT_OFF_PERMILLE;
}

static bool is_taken(const struct block *block, const struct line *line)
{
    for (size_t i = 0; i < block->count; i++)
        if (block->line[i] == line)
            return true;
    return false;
}

/* Texts begin with a capital: what does not goes on with the line before. */
static bool begins_small(const struct line *line)
{
    size_t from, to;
    line_core(line, &from, &to);
    utf8proc_int32_t rune = 0;
    if (from < to)
        utf8proc_iterate((const utf8proc_uint8_t *)line->text + line->at[from], -1, &rune);
    return utf8proc_toupper(rune) != rune;
}

/* The row in the middle, or line alone where what stands beside it is something else. Returns how many pieces; 0: it is none of
 * the subject's. The first row, and one that goes on, may be off the middle: what is under a stamp can't be read. */
static size_t subject_row(const struct header *header, const struct line *title, const struct line *line,
                          struct block *block, const struct line **piece)
{
    size_t count = row_take(header, line, piece);
    if (row_is_centred(header, title, piece, count))
        return count;
    piece[0] = line;
    if (row_is_centred(header, title, piece, 1))
        return 1;
    bool spans = line->x < line_centre(title) && line->right > line_centre(title);
    if (!spans || (block->count && !begins_small(line)))
        return 0;
    block->cut = true;
    return 1;
}

/* Rows below the title in its middle, each near the one before. */
static void subject_follow(const struct header *header, const struct line *title, struct block *block)
{
    const struct lines *page = header->page;
    const struct line *above = title, *piece[ROW_PIECES];
    for (const struct line *line = title + 1; line < page->at + page->count; line++) {
        int32_t tenths = block->count ? SUBJECT_GAP_TENTHS : SUBJECT_FIRST_TENTHS;
        if (line == header->date || line == header->number || is_noise(line) || is_taken(block, line))
            continue;
        if (line->y - above->bottom > page->em * tenths / 10 || begins_the_text(line))
            break;
        size_t count = subject_row(header, title, line, block, piece);
        if (!count && (line->right < title->x || line->x > title->right))
            continue;
        if (block->count && line->letters && line_in_capitals(line) != line_in_capitals(block->line[0]))
            break;
        if (!count || block->count + count > SUBJECT_LINES)
            break;
        for (size_t i = 0; i < count; i++)
            block->line[block->count++] = piece[i];
        above = line;
    }
}

/* "V/v ..." under the number. */
static void matter_follow(const struct header *header, struct block *block)
{
    const struct lines *page = header->page;
    const struct line *above = NULL;
    if (!header->number)
        return;
    for (const struct line *line = header->number + 1; line < page->at + page->count && block->count < SUBJECT_LINES;
         line++) {
        if (line_centre(line) * 2 > page->width || line == header->date || line_begins(line, "kinh gui"))
            continue;
        if (above && abs(line_centre(line) - line_centre(block->line[0])) * 1000LL >
                         (long long)page->width * LETTER_OFF_PERMILLE)
            continue;
        if (above && (line->y - above->bottom > page->em * LETTER_GAP_TENTHS / 10 || line_in_capitals(line)))
            break;
        bool begins = line_begins(line, "v/v") || line_begins(line, "ve viec") || line_begins(line, "v/ v");
        if (!above && !begins) {
            if (line->y - header->number->bottom > page->em * SUBJECT_FIRST_TENTHS / 10)
                break;
            continue;
        }
        block->line[block->count++] = line;
        above = line;
    }
}

static void block_set(const struct header *header, const struct block *block, Sohoa__FieldName name, uint32_t most_cpct,
                      Sohoa__Description *description)
{
    AUTO(evidence_clear) struct evidence evidence = {0};
    AUTO(buf_destroy) struct buf value = {0};
    for (size_t i = 0; i < block->count; i++) {
        const struct line *line = block->line[i];
        size_t from = 0;
        while (!i && from < line->length && strchr(",.-_'`| ", line->bare[from]))
            from++;
        evidence_add(&evidence, header->page, line, from, line->length);
        buf_printf(&value, i ? " %s" : "%s", line->text + line->at[from]);
    }
    uint32_t read = evidence_cpct(&evidence);
    if (block->count)
        field_set(description, name, buf_text(&value), (uint32_t)((uint64_t)read * most_cpct / SUBJECT_SURE_CPCT),
                  &evidence);
    if (block->cut)
        field_doubt(description, name, SUBJECT_CUT_CPCT, "not in the middle of the page: a part of it may be covered");
}

/* ---- whom it is for ---- */

/* Where "Kính gửi" is said, and behind it. */
static const struct line *addressee_find(const struct header *header, size_t *ret_from)
{
    static const char said[] = "kinh gui";
    const struct lines *page = header->page;
    for (const struct line *line = page->at; line < page->at + page->count; line++) {
        size_t at = line->y < header->top ? SIZE_MAX : line_find(line, 0, said);
        if (at == SIZE_MAX)
            continue;
        at += strlen(said);
        while (at < line->length && strchr(":.; ", line->bare[at]))
            at++;
        *ret_from = at;
        return line;
    }
    return NULL;
}

/* A list of them goes on to its full stop; a line alone is all unless a sign at its end says otherwise. */
static bool addressee_goes_on(const struct line *line, const struct line *next, const struct lines *page, bool empty)
{
    char last = line->length ? line->bare[line->length - 1] : 0;
    bool item = strchr("-+*", next->bare[0]) && next->bare[0];
    bool open = empty || last == ';' || last == ',' || last == ':' || (strchr("-+*", line->bare[0]) && last != '.');
    return next->y - line->bottom < page->em * ADDRESSEE_GAP_TENTHS / 10 && (item || open) && last != '.';
}

static void addressee_describe(const struct header *header, Sohoa__Description *description)
{
    AUTO(evidence_clear) struct evidence evidence = {0};
    AUTO(buf_destroy) struct buf value = {0};
    const struct lines *page = header->page;
    size_t from = 0;
    const struct line *line = addressee_find(header, &from);
    if (!line)
        return;
    for (size_t taken = 0; taken < ADDRESSEE_LINES; taken++, line++, from = 0) {
        evidence_add(&evidence, page, line, from, line->length);
        if (from < line->length)
            buf_printf(&value, value.size ? " %s" : "%s", line->text + line->at[from]);
        if (line + 1 == page->at + page->count || !addressee_goes_on(line, line + 1, page, !value.size))
            break;
    }
    uint32_t read = evidence_cpct(&evidence);
    if (value.size)
        field_set(description, SOHOA__FIELD_NAME__FIELD_ADDRESSEE, buf_text(&value),
                  read < ADDRESSEE_SURE_CPCT ? read : ADDRESSEE_SURE_CPCT, &evidence);
}

/* ---- all ---- */

static void titled_describe(const struct header *header, const struct line *title, size_t row,
                            Sohoa__Description *description)
{
    AUTO(evidence_clear) struct evidence evidence = {0};
    struct block subject = {0};
    evidence_add(&evidence, header->page, title, 0, title->length);
    type_set(description, row, TYPE_SURE_CPCT, &evidence);
    type_check(description, row);
    subject_follow(header, title, &subject);
    block_set(header, &subject, SOHOA__FIELD_NAME__FIELD_SUBJECT, SUBJECT_SURE_CPCT, description);
}

static size_t letter_row(void)
{
    const struct rules *types = rules_of(RULES_TYPES);
    size_t row = 0;
    while (strtol(types->row[row][0], NULL, 10) != OFFICIAL_LETTER)
        row++;
    return row;
}

/* No title: an official letter, unless the notation says another type. */
static void untitled_describe(const struct header *header, Sohoa__Description *description)
{
    struct block matter = {0};
    matter_follow(header, &matter);
    size_t said = notation_type(field_value(description, SOHOA__FIELD_NAME__FIELD_NOTATION));
    block_set(header, &matter, SOHOA__FIELD_NAME__FIELD_SUBJECT, SUBJECT_SURE_CPCT, description);
    bool letter = matter.count || (*field_value(description, SOHOA__FIELD_NAME__FIELD_ADDRESSEE) &&
                                   *field_value(description, SOHOA__FIELD_NAME__FIELD_NOTATION));
    if (said != SIZE_MAX && said != letter_row() && !matter.count) {
        type_set(description, said, TYPE_BY_NOTATION_CPCT, NULL);
        type_doubt(description, TYPE_BY_NOTATION_CPCT, "no title was read, the notation alone says it");
    } else if (letter)
        type_set(description, letter_row(), TYPE_LETTER_CPCT, NULL);
}

void title_describe(const struct header *header, Sohoa__Description *description)
{
    size_t row = 0;
    const struct line *title = title_find(header, &row);
    addressee_describe(header, description);
    if (title)
        titled_describe(header, title, row, description);
    else
        untitled_describe(header, description);
}
