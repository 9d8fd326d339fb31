/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The head is found by what is printed the same way everywhere, the heading at the right; where that can't be read, by the lines of
 * number and date. Stamps above it (a signature's, a gazette's) and below it (what came in) are not between those. */
#include "worker/header.h"

#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "worker/bare.h"
#include "worker/moment.h"
#include "worker/number.h"
#include "worker/rules.h"
#include "worker/names.h"

enum {
    HEADER_PAGES = 3,           /* a cover or two may come before it */
    HEADER_LOWEST_PERCENT = 55, /* of the page: it ends above */
    HEADER_ABOVE_TENTHS = 12,   /* of an em that the bodies' first line may begin above the heading */
    ORGAN_LINES = 8,
    ORGAN_SURE_CPCT = 9700,
    ORGAN_STRANGE_CPCT = 8000, /* its name begins as no body's that is known */
    KIND_SURE_CPCT = 9900,
    KIND_GUESSED_CPCT = 6000,
    URGENCY_CPCT = 9500,
};

static const struct {
    enum header_kind kind;
    const char *bare;
} headings[] = {
    {HEADER_STATE, "cong hoa xa hoi chu nghia viet nam"  },
    {HEADER_STATE, "viet nam dan chu cong hoa"           },
    {HEADER_PARTY, "dang cong san viet nam"              },
    {HEADER_PARTY, "dang lao dong viet nam"              },
    {HEADER_YOUTH, "doan tncs ho chi minh"               },
    {HEADER_YOUTH, "doan thanh nien cong san ho chi minh"},
};

static const char *kind_text(enum header_kind kind)
{
    static const char *const text[] = {"other", "state", "party", "youth"};
    return text[kind];
}

/* ---- where it is ---- */

static bool line_is_heading(const struct line *line, enum header_kind *ret_kind)
{
    for (size_t i = 0; i < sizeof headings / sizeof *headings; i++)
        if (bare_alike(line->bare, line->length, headings[i].bare)) {
            *ret_kind = headings[i].kind;
            return true;
        }
    return false;
}

static void anchor_find(const struct lines *page, struct header *header)
{
    for (size_t i = 0; i < page->count && !header->anchor; i++) {
        const struct line *line = &page->at[i];
        if (line->y * 100 < page->height * HEADER_LOWEST_PERCENT && line_is_heading(line, &header->kind))
            header->anchor = line;
    }
}

static bool line_is_low(const struct header *header, const struct line *line)
{
    const struct lines *page = header->page;
    return line->y * 100 > page->height * HEADER_LOWEST_PERCENT || (header->anchor && line->bottom < header->anchor->y);
}

/* The best of the lines that may be the number's. */
static void number_find(struct header *header)
{
    int best = 0;
    for (size_t i = 0; i < header->page->count; i++) {
        const struct line *line = &header->page->at[i];
        int score = line_is_low(header, line) ? 0 : number_score(header, line);
        if (score > best) {
            best = score;
            header->number = line;
        }
    }
}

static void date_find(struct header *header)
{
    for (size_t i = 0; i < header->page->count && !header->date; i++) {
        const struct line *line = &header->page->at[i];
        if (!line_is_low(header, line) && moment_in(line, NULL))
            header->date = line;
    }
}

static void header_bound(struct header *header)
{
    const struct line *part[] = {header->anchor, header->number, header->date};
    header->top = header->page->height;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        if (!part[i])
            continue;
        header->top = part[i]->y < header->top ? part[i]->y : header->top;
        header->bottom = part[i]->bottom > header->bottom ? part[i]->bottom : header->bottom;
    }
    header->top = header->bottom ? header->top : 0;
}

static void header_look(const struct lines *page, struct header *header)
{
    *header = (struct header){.page = page};
    anchor_find(page, header);
    date_find(header);
    number_find(header);
    header_bound(header);
}

bool header_find(const struct lines *pages, size_t count, struct header *header)
{
    size_t first = count;
    for (size_t i = count; i > 0; i--)
        if (pages[i - 1].count)
            first = i - 1;
    if (first == count)
        return false;
    for (size_t i = first; i < count && i < first + HEADER_PAGES; i++) {
        header_look(&pages[i], header);
        if (header->anchor && (header->number || header->date))
            return true;
    }
    header_look(&pages[first], header);
    return true;
}

/* ---- who issued it ---- */

struct organs {
    const struct line *line[ORGAN_LINES];
    size_t count;
    size_t body[ORGAN_LINES]; /* first line of each body */
    size_t bodies;
    bool known; /* each begins as a body's name does */
};

/* A word by itself is the rest of the line before: "... VÀ MÔI / TRƯỜNG". */
static bool begins_a_body(const struct line *line)
{
    return line->words > 1 && names_begin(line->bare);
}

/* The lines at the left of the heading, down to the number. */
static void organs_find(const struct header *header, struct organs *organs)
{
    const struct lines *page = header->page;
    const struct line *anchor = header->anchor;
    int32_t top = anchor ? anchor->y - page->em * HEADER_ABOVE_TENTHS / 10 : 0;
    int32_t end = header->number ? header->number->y : header->date ? header->date->y : header->bottom;
    int32_t right = anchor ? anchor->x + (anchor->right - anchor->x) / 4 : page->width / 2;
    for (size_t i = 0; i < page->count && organs->count < ORGAN_LINES; i++) {
        const struct line *line = &page->at[i];
        int32_t middle = (line->y + line->bottom) / 2;
        if (line == anchor || middle < top || middle > end || line->right > right || line == header->number)
            continue;
        if (line->letters > 1 && line_in_capitals(line))
            organs->line[organs->count++] = line;
    }
}

/* "BAN CHẤP HÀNH" by itself: whose it is stands in the next line. */
static bool goes_on(const struct line *line)
{
    static const char *const known[] = {"ban chap hanh", "ban thuong vu", "bch", "thuong truc"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (bare_alike(line->bare, line->length, known[i]))
            return true;
    return false;
}

static void organs_part(struct organs *organs)
{
    organs->known = true;
    for (size_t i = 0; i < organs->count; i++) {
        bool begins = begins_a_body(organs->line[i]) && !(i && goes_on(organs->line[i - 1]));
        if (i == 0)
            organs->known = begins;
        if (i == 0 || begins)
            organs->body[organs->bodies++] = i;
    }
}

static void organs_name(const struct header *header, const struct organs *organs, size_t first, size_t end,
                        Sohoa__FieldName name, Sohoa__Description *description)
{
    AUTO(evidence_clear) struct evidence evidence = {0};
    AUTO(buf_destroy) struct buf value = {0};
    AUTO(buf_destroy) struct buf text = {0};
    AUTO(buf_destroy) struct buf mended = {0};
    for (size_t i = first; i < end; i++) {
        const struct line *line = organs->line[i];
        size_t from, to;
        line_core(line, &from, &to);
        evidence_add(&evidence, header->page, line, from, to);
        buf_puts(&text, i > first ? " " : "");
        buf_append(&text, line->text + line->at[from], line->at[to] - line->at[from]);
    }
    names_mend(buf_text(&text), &mended);
    names_lower(buf_text(&mended), &value);
    uint32_t read = evidence_cpct(&evidence), most = organs->known ? ORGAN_SURE_CPCT : ORGAN_STRANGE_CPCT;
    field_set(description, name, buf_text(&value), (uint32_t)((uint64_t)read * most / 9700), &evidence);
}

static void organs_describe(const struct header *header, Sohoa__Description *description)
{
    struct organs organs = {0};
    organs_find(header, &organs);
    organs_part(&organs);
    if (!organs.bodies)
        return;
    size_t last = organs.body[organs.bodies - 1];
    organs_name(header, &organs, last, organs.count, SOHOA__FIELD_NAME__FIELD_ORGAN, description);
    if (last)
        organs_name(header, &organs, 0, last, SOHOA__FIELD_NAME__FIELD_PARENT_ORGAN, description);
    if (!organs.known)
        field_doubt(description, SOHOA__FIELD_NAME__FIELD_ORGAN, ORGAN_STRANGE_CPCT,
                    "begins as no body's name that is known");
}

/* ---- kind and urgency ---- */

static void kind_describe(const struct header *header, Sohoa__Description *description)
{
    AUTO(evidence_clear) struct evidence evidence = {0};
    if (header->anchor)
        evidence_add(&evidence, header->page, header->anchor, 0, header->anchor->length);
    field_set(description, SOHOA__FIELD_NAME__FIELD_HEADER, kind_text(header->kind),
              header->anchor ? KIND_SURE_CPCT : KIND_GUESSED_CPCT, &evidence);
}

/* A stamp of its own in the upper part. */
static void urgency_describe(const struct header *header, Sohoa__Description *description)
{
    const struct rules *known = rules_of(RULES_URGENCY);
    for (size_t i = 0; i < header->page->count; i++) {
        const struct line *line = &header->page->at[i];
        if (!line_in_capitals(line) || line->y * 100 > header->page->height * HEADER_LOWEST_PERCENT)
            continue;
        for (size_t k = 0; k < known->rows; k++) {
            if (strcmp(line->bare, known->row[k][0]))
                continue;
            AUTO(evidence_clear) struct evidence evidence = {0};
            evidence_add(&evidence, header->page, line, 0, line->length);
            field_set(description, SOHOA__FIELD_NAME__FIELD_URGENCY, known->row[k][1], URGENCY_CPCT, &evidence);
            return;
        }
    }
}

void header_describe(const struct header *header, Sohoa__Description *description)
{
    kind_describe(header, description);
    organs_describe(header, description);
    urgency_describe(header, description);
}
