/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Phrases are counted in the text with its marks, in lower case: "thuế" is not "thuê". */
#include "worker/propose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/auto.h"
#include "worker/rules.h"

enum {
    PROPOSE_PAGES = 20, /* that are looked at for phrases */
    PHRASE_BYTES = 128,
    RUNE_BYTES = 4,
    SUBJECT_COUNTS = 8,
    TEXT_COUNTS_MOST = 3, /* a phrase that comes often may be in the name of a body */
    KEYWORDS_MOST = 8,
    AREA_SURE_COUNT = 5, /* so much more than the next one: sure */
    AREA_SURE_CPCT = 9200,
    AREA_GUESSED_CPCT = 6500,
    BLOC_BY_HEADER_CPCT = 9700,
    BLOC_BY_NAME_CPCT = 9000,
    RETENTION_CPCT = 8500,
    PERSONAL_ENOUGH = 10,
    PERSONAL_COUNTED = 3, /* a phrase counts so often at most */
    PERSONAL_CPCT = 9000,
    PERSONAL_NONE_CPCT = 7500,
    FORMAT_CPCT = 8000,
    WORN_PAGES_PERCENT = 50, /* of the pages: so many are hard to read */
};

const char *proposal_name(Sohoa__ProposalName name)
{
    static const char *const known[PROPOSALS] = {
        [SOHOA__PROPOSAL_NAME__PROPOSAL_BLOC] = "bloc",
        [SOHOA__PROPOSAL_NAME__PROPOSAL_AREA] = "area",
        [SOHOA__PROPOSAL_NAME__PROPOSAL_KEYWORDS] = "keywords",
        [SOHOA__PROPOSAL_NAME__PROPOSAL_RETENTION] = "maintenance",
        [SOHOA__PROPOSAL_NAME__PROPOSAL_PERSONAL] = "personalData",
        [SOHOA__PROPOSAL_NAME__PROPOSAL_FORMAT] = "format",
        [SOHOA__PROPOSAL_NAME__PROPOSAL_RISK] = "riskRecovery",
    };
    return known[name];
}

/* ---- text ---- */

static void text_lower(const char *text, struct buf *out)
{
    for (size_t at = 0, bytes = strlen(text); at < bytes;) {
        utf8proc_int32_t rune;
        utf8proc_uint8_t to[RUNE_BYTES];
        utf8proc_ssize_t size =
            utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(bytes - at), &rune);
        if (size > 0)
            buf_append(out, to, (size_t)utf8proc_encode_char(utf8proc_tolower(rune), to));
        at += size > 0 ? (size_t)size : 1;
    }
}

static void text_of(const struct lines *lines, size_t count, struct buf *out)
{
    for (size_t p = 0; p < count && p < PROPOSE_PAGES; p++)
        for (size_t i = 0; i < lines[p].count; i++) {
            text_lower(lines[p].at[i].text, out);
            buf_puts(out, " ");
        }
}

static bool is_within_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

/* How often text has the phrase as whole words. */
static unsigned phrase_count(const char *text, const char *phrase)
{
    unsigned count = 0;
    size_t size = strlen(phrase);
    for (const char *at = text; (at = strstr(at, phrase)); at += size)
        count += (at == text || !is_within_word(at[-1])) && !is_within_word(at[size]);
    return count;
}

static void proposal_add(Sohoa__Description *description, Sohoa__ProposalName name, const char *value, uint32_t cpct,
                         const char *rule)
{
    Sohoa__Proposal *proposal = calloc(1, sizeof *proposal);
    if (!description->proposals)
        description->proposals = calloc(PROPOSALS, sizeof *description->proposals);
    if (!proposal || !description->proposals)
        abort();
    sohoa__proposal__init(proposal);
    proposal->name = name;
    proposal->value = strndup(value, PROPOSAL_BYTES);
    proposal->rule = strndup(rule, PROPOSAL_BYTES);
    proposal->confidence_cpct = cpct;
    if (!proposal->value || !proposal->rule)
        abort();
    description->proposals[description->n_proposals++] = proposal;
}

/* ---- whose ---- */

static void bloc_propose(Sohoa__Description *description)
{
    static const char *const by_header[][2] = {
        {"party", "party"},
        {"youth", "mass" }
    };
    const struct rules *blocs = rules_of(RULES_BLOCS);
    const char *header = field_value(description, SOHOA__FIELD_NAME__FIELD_HEADER);
    AUTO(buf_destroy) struct buf organ = {0};
    for (size_t i = 0; i < sizeof by_header / sizeof *by_header; i++)
        if (!strcmp(header, by_header[i][0])) {
            proposal_add(description, SOHOA__PROPOSAL_NAME__PROPOSAL_BLOC, by_header[i][1], BLOC_BY_HEADER_CPCT,
                         "header");
            return;
        }
    text_lower(field_value(description, SOHOA__FIELD_NAME__FIELD_ORGAN), &organ);
    for (size_t i = 0; i < blocs->rows; i++)
        if (phrase_count(buf_text(&organ), blocs->row[i][0])) {
            proposal_add(description, SOHOA__PROPOSAL_NAME__PROPOSAL_BLOC, blocs->row[i][1], BLOC_BY_NAME_CPCT,
                         blocs->row[i][0]);
            return;
        }
    proposal_add(description, SOHOA__PROPOSAL_NAME__PROPOSAL_BLOC, "", 0, "neither header nor body say it");
}

/* ---- what about ---- */

struct area {
    unsigned count;   /* of its phrases, weighed */
    struct buf found; /* its phrases that are there */
    size_t phrases;
};

static void area_count(const char *list, const char *subject, const char *text, struct area *area)
{
    char phrase[PHRASE_BYTES];
    for (const char *at = list; *at;) {
        size_t bytes = strcspn(at, ",");
        snprintf(phrase, sizeof phrase, "%.*s", (int)bytes, at);
        unsigned in_text = phrase_count(text, phrase);
        unsigned count =
            (in_text < TEXT_COUNTS_MOST ? in_text : TEXT_COUNTS_MOST) + SUBJECT_COUNTS * phrase_count(subject, phrase);
        if (count && area->phrases++ < KEYWORDS_MOST)
            buf_printf(&area->found, area->found.size ? "; %s" : "%s", phrase);
        area->count += count;
        at += bytes + (at[bytes] == ',');
    }
}

static void area_propose(Sohoa__Description *description, const char *subject, const char *text)
{
    const struct rules *areas = rules_of(RULES_AREAS);
    struct area best = {0};
    size_t row = 0;
    unsigned next = 0;
    for (size_t i = 0; i < areas->rows; i++) {
        struct area area = {0};
        area_count(areas->row[i][2], subject, text, &area);
        bool better = area.count > best.count;
        unsigned less = better ? best.count : area.count;
        next = less > next ? less : next;
        buf_destroy(better ? &best.found : &area.found);
        best = better ? area : best;
        row = better ? i : row;
    }
    proposal_add(description, SOHOA__PROPOSAL_NAME__PROPOSAL_AREA, best.count ? areas->row[row][0] : "",
                 !best.count                            ? 0
                 : best.count >= next + AREA_SURE_COUNT ? AREA_SURE_CPCT
                                                        : AREA_GUESSED_CPCT,
                 best.count ? areas->row[row][1] : "no phrase of any area");
    proposal_add(description, SOHOA__PROPOSAL_NAME__PROPOSAL_KEYWORDS, buf_text(&best.found),
                 best.count ? AREA_GUESSED_CPCT : 0, best.count ? "phrases of the area" : "none");
    buf_destroy(&best.found);
}

/* ---- how long ---- */

static void retention_propose(Sohoa__Description *description, const char *subject, const char *text)
{
    const struct rules *rules = rules_of(RULES_RETENTION);
    const char *type = field_value(description, SOHOA__FIELD_NAME__FIELD_TYPE_CODE);
    if (phrase_count(text, "lâu dài") && phrase_count(text, "thời hạn bảo quản")) {
        proposal_add(description, SOHOA__PROPOSAL_NAME__PROPOSAL_RETENTION, "", 0, "an old cover: a person decides");
        return;
    }
    for (size_t i = 0; i < rules->rows; i++) {
        const char *const *row = rules->row[i];
        if ((strcmp(row[0], "*") && strcmp(row[0], type)) || (strcmp(row[1], "*") && !phrase_count(subject, row[1])))
            continue;
        proposal_add(description, SOHOA__PROPOSAL_NAME__PROPOSAL_RETENTION, row[2], *row[2] ? RETENTION_CPCT : 0,
                     row[3]);
        return;
    }
}

/* ---- personal data ---- */

static void personal_propose(Sohoa__Description *description, const char *text)
{
    const struct rules *phrases = rules_of(RULES_PERSONAL);
    AUTO(buf_destroy) struct buf found = {0};
    unsigned sum = 0;
    for (size_t i = 0; i < phrases->rows; i++) {
        unsigned count = phrase_count(text, phrases->row[i][0]);
        count = count > PERSONAL_COUNTED ? PERSONAL_COUNTED : count;
        sum += count * (unsigned)strtoul(phrases->row[i][1], NULL, 10);
        if (count)
            buf_printf(&found, found.size ? "; %s" : "%s", phrases->row[i][0]);
    }
    bool enough = sum >= PERSONAL_ENOUGH;
    proposal_add(description, SOHOA__PROPOSAL_NAME__PROPOSAL_PERSONAL, enough ? "yes" : "no",
                 enough ? PERSONAL_CPCT : PERSONAL_NONE_CPCT, buf_text(&found));
}

/* ---- the paper ---- */

static void condition_propose(Sohoa__Page *const *pages, size_t count, Sohoa__Description *description)
{
    size_t damaged = 0, hard = 0, worn = 0;
    for (size_t i = 0; i < count; i++) {
        const Sohoa__Page *page = pages[i];
        bool faded = page_has_note(page, SOHOA__PAGE_NOTE__NOTE_FADED);
        damaged +=
            page_has_note(page, SOHOA__PAGE_NOTE__NOTE_DAMAGED) || (faded && page->grade == SOHOA__GRADE__GRADE_C);
        hard += page->grade == SOHOA__GRADE__GRADE_C;
        worn += faded || page_has_note(page, SOHOA__PAGE_NOTE__NOTE_UNEVEN) ||
                page_has_note(page, SOHOA__PAGE_NOTE__NOTE_BLEED);
    }
    bool bad = damaged || hard * 100 > count * WORN_PAGES_PERCENT;
    const char *why = damaged ? "pages whose picture is incomplete, or faded and hard to read"
                      : bad   ? "many pages are hard to read"
                      : worn  ? "faded, uneven or shining through"
                              : "nothing was seen";
    proposal_add(description, SOHOA__PROPOSAL_NAME__PROPOSAL_FORMAT, bad ? "03" : worn ? "02" : "01", FORMAT_CPCT, why);
    proposal_add(description, SOHOA__PROPOSAL_NAME__PROPOSAL_RISK, bad ? "yes" : "no", FORMAT_CPCT, why);
}

void propose(Sohoa__Page *const *pages, const struct lines *lines, size_t count, Sohoa__Description *description)
{
    AUTO(buf_destroy) struct buf text = {0};
    AUTO(buf_destroy) struct buf subject = {0};
    text_of(lines, count, &text);
    text_lower(field_value(description, SOHOA__FIELD_NAME__FIELD_SUBJECT), &subject);
    bloc_propose(description);
    area_propose(description, buf_text(&subject), buf_text(&text));
    retention_propose(description, buf_text(&subject), buf_text(&text));
    personal_propose(description, buf_text(&text));
    condition_propose(pages, count, description);
}

uint32_t description_doubts(const Sohoa__Description *description)
{
    return field_doubts(description) | (proposal_damaged(description) ? DOUBT_DAMAGED : 0);
}

bool proposal_damaged(const Sohoa__Description *description)
{
    const Sohoa__ProposalName risk = SOHOA__PROPOSAL_NAME__PROPOSAL_RISK;
    return description->n_proposals > risk && !strcmp(description->proposals[risk]->value, "yes");
}
