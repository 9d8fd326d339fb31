/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "worker/field.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/auto.h"
#include "worker/propose.h"
#include "worker/token.h"

enum { SURE_CPCT = 10000, ODD_COST_CPCT = 1500, LEAST_CPCT = 500 };

const char *field_name(Sohoa__FieldName name)
{
    static const char *const known[FIELDS] = {
        [SOHOA__FIELD_NAME__FIELD_HEADER] = "header",
        [SOHOA__FIELD_NAME__FIELD_ORGAN] = "organName",
        [SOHOA__FIELD_NAME__FIELD_PARENT_ORGAN] = "parentOrganName",
        [SOHOA__FIELD_NAME__FIELD_NUMBER] = "codeNumber",
        [SOHOA__FIELD_NAME__FIELD_NOTATION] = "codeNotation",
        [SOHOA__FIELD_NAME__FIELD_PLACE] = "place",
        [SOHOA__FIELD_NAME__FIELD_DATE] = "issuedDate",
        [SOHOA__FIELD_NAME__FIELD_TYPE] = "typeName",
        [SOHOA__FIELD_NAME__FIELD_TYPE_CODE] = "typeCode",
        [SOHOA__FIELD_NAME__FIELD_SUBJECT] = "subject",
        [SOHOA__FIELD_NAME__FIELD_ADDRESSEE] = "addressee",
        [SOHOA__FIELD_NAME__FIELD_SIGNER_PREFIX] = "signerPrefix",
        [SOHOA__FIELD_NAME__FIELD_SIGNER_TITLE] = "signerTitle",
        [SOHOA__FIELD_NAME__FIELD_SIGNER] = "signer",
        [SOHOA__FIELD_NAME__FIELD_RECIPIENTS] = "recipients",
        [SOHOA__FIELD_NAME__FIELD_URGENCY] = "urgency",
        [SOHOA__FIELD_NAME__FIELD_COPIES] = "copies",
        [SOHOA__FIELD_NAME__FIELD_LANGUAGE] = "language",
    };
    return known[name];
}

/* ---- evidence ---- */

void evidence_clear(struct evidence *evidence)
{
    buf_destroy(&evidence->raw);
    *evidence = (struct evidence){0};
}

static void evidence_box(struct evidence *evidence, const Sohoa__Word *word)
{
    int32_t right = word->x + (int32_t)word->w, bottom = word->y + (int32_t)word->h;
    bool first = !evidence->words;
    evidence->x = first || word->x < evidence->x ? word->x : evidence->x;
    evidence->y = first || word->y < evidence->y ? word->y : evidence->y;
    evidence->right = first || right > evidence->right ? right : evidence->right;
    evidence->bottom = first || bottom > evidence->bottom ? bottom : evidence->bottom;
}

static void evidence_word(struct evidence *evidence, const Sohoa__Word *word)
{
    enum token token = token_look(word->text);
    uint32_t letters = letters_of(word->text), cpct = word->confidence_cpct;
    evidence_box(evidence, word);
    buf_printf(&evidence->raw, evidence->words ? " %s" : "%s", word->raw && *word->raw ? word->raw : word->text);
    evidence->confidence_sum += (uint64_t)cpct * letters;
    evidence->letters += letters;
    if (token != TOKEN_MARK && (!evidence->words || cpct < evidence->least_cpct))
        evidence->least_cpct = cpct;
    evidence->odd += token == TOKEN_IMPOSSIBLE || token == TOKEN_GARBAGE;
    evidence->words++;
}

void evidence_add(struct evidence *evidence, const struct lines *page, const struct line *line, size_t from, size_t to)
{
    if (from >= to || (evidence->page && evidence->page != page))
        return;
    evidence->page = page;
    for (uint16_t word = line->owner[from]; word <= line->owner[to - 1]; word++)
        evidence_word(evidence, line->word[word]);
}

uint32_t evidence_cpct(const struct evidence *evidence)
{
    if (!evidence->letters)
        return 0;
    uint32_t mean = (uint32_t)(evidence->confidence_sum / evidence->letters);
    uint32_t cost = evidence->odd * ODD_COST_CPCT;
    return mean > cost + LEAST_CPCT ? mean - cost : LEAST_CPCT;
}

/* ---- fields ---- */

static char *text_nfc(const char *text)
{
    utf8proc_uint8_t *nfc = NULL;
    utf8proc_ssize_t size =
        utf8proc_map((const utf8proc_uint8_t *)text, 0, &nfc, UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (size < 0)
        nfc = (utf8proc_uint8_t *)strdup("");
    if (!nfc)
        abort();
    return (char *)nfc;
}

/* Cut before a character where it is longer than most. */
static void text_put(char **to, const char *text, size_t most)
{
    char *nfc = text_nfc(text); /* text may be what *to is */
    if (*to != protobuf_c_empty_string)
        free(*to);
    *to = nfc;
    size_t cut = strlen(*to) > most ? most : strlen(*to);
    while (cut && ((unsigned char)(*to)[cut] & 0xc0) == 0x80)
        cut--;
    (*to)[cut] = 0;
}

Sohoa__Description *description_new(void)
{
    Sohoa__Description *description = calloc(1, sizeof *description);
    Sohoa__Field **fields = calloc(FIELDS, sizeof *fields);
    if (!description || !fields)
        abort();
    sohoa__description__init(description);
    description->fields = fields;
    description->n_fields = FIELDS;
    for (int i = 0; i < FIELDS; i++) {
        Sohoa__Field *field = calloc(1, sizeof *field);
        if (!field)
            abort();
        sohoa__field__init(field);
        field->name = (Sohoa__FieldName)i;
        fields[i] = field;
    }
    return description;
}

static void description_free(Sohoa__Description **description)
{
    if (*description)
        sohoa__description__free_unpacked(*description, NULL);
}

void description_destroy(Sohoa__Description **description)
{
    sohoa__description__free_unpacked(*description, NULL);
    *description = NULL;
}

void description_pack(const Sohoa__Description *description, struct buf *out)
{
    size_t bytes = sohoa__description__get_packed_size(description);
    out->size += sohoa__description__pack(description, buf_reserve(out, bytes));
}

static bool field_is_sound(const Sohoa__Field *field, size_t index)
{
    bool sound = (size_t)field->name == index && strlen(field->value) <= FIELD_VALUE_BYTES &&
                 field->confidence_cpct <= SURE_CPCT && strlen(field->raw) <= FIELD_RAW_BYTES &&
                 strlen(field->doubt) <= FIELD_DOUBT_BYTES && field->n_candidates <= FIELD_CANDIDATES &&
                 field->page_no <= DOC_MAX_PAGES;
    for (size_t i = 0; i < field->n_candidates && sound; i++)
        sound = strlen(field->candidates[i]->value) <= FIELD_VALUE_BYTES &&
                field->candidates[i]->confidence_cpct <= SURE_CPCT;
    return sound;
}

static bool proposal_is_sound(const Sohoa__Proposal *proposal, size_t index)
{
    return (size_t)proposal->name == index && proposal->confidence_cpct <= SURE_CPCT &&
           strlen(proposal->value) <= PROPOSAL_BYTES && strlen(proposal->rule) <= PROPOSAL_BYTES;
}

int description_unpack(const void *data, size_t bytes, Sohoa__Description **ret_description, struct err *err)
{
    AUTO(description_free)
    Sohoa__Description *description = bytes <= DESCRIPTION_BYTES ? sohoa__description__unpack(NULL, bytes, data) : NULL;
    bool sound = description && description->n_fields == FIELDS && description->n_proposals == PROPOSALS;
    for (size_t i = 0; i < FIELDS && sound; i++)
        sound = field_is_sound(description->fields[i], i);
    for (size_t i = 0; i < PROPOSALS && sound; i++)
        sound = proposal_is_sound(description->proposals[i], i);
    if (!sound)
        return err_set(err, E_FRAME, "%zu bytes are no description of a document", bytes);
    *ret_description = description;
    description = NULL;
    return 0;
}

void field_place(Sohoa__Description *description, Sohoa__FieldName name, const struct evidence *evidence)
{
    Sohoa__Field *field = description->fields[name];
    if (!evidence || !evidence->words)
        return;
    field->page_no = evidence->page->page_no;
    field->x = evidence->x;
    field->y = evidence->y;
    field->w = (uint32_t)(evidence->right - evidence->x);
    field->h = (uint32_t)(evidence->bottom - evidence->y);
    text_put(&field->raw, buf_text(&evidence->raw), FIELD_RAW_BYTES);
}

void field_set(Sohoa__Description *description, Sohoa__FieldName name, const char *value, uint32_t confidence_cpct,
               const struct evidence *evidence)
{
    Sohoa__Field *field = description->fields[name];
    bool cut = strlen(value) > FIELD_VALUE_BYTES;
    text_put(&field->value, value, FIELD_VALUE_BYTES);
    field->confidence_cpct = confidence_cpct > SURE_CPCT ? SURE_CPCT : confidence_cpct;
    field_place(description, name, evidence);
    if (cut)
        field_doubt(description, name, SURE_CPCT / 2, "cut: it is longer than a field");
}

void field_candidate(Sohoa__Description *description, Sohoa__FieldName name, const char *value,
                     uint32_t confidence_cpct)
{
    Sohoa__Field *field = description->fields[name];
    if (field->n_candidates == FIELD_CANDIDATES)
        return;
    if (!field->candidates)
        field->candidates = calloc(FIELD_CANDIDATES, sizeof *field->candidates);
    Sohoa__Candidate *candidate = calloc(1, sizeof *candidate);
    if (!candidate || !field->candidates)
        abort();
    sohoa__candidate__init(candidate);
    text_put(&candidate->value, value, FIELD_VALUE_BYTES);
    candidate->confidence_cpct = confidence_cpct;
    field->candidates[field->n_candidates++] = candidate;
}

void field_doubt(Sohoa__Description *description, Sohoa__FieldName name, uint32_t most_cpct, const char *why)
{
    Sohoa__Field *field = description->fields[name];
    if (field->confidence_cpct > most_cpct)
        field->confidence_cpct = most_cpct;
    if (!*field->doubt)
        text_put(&field->doubt, why, FIELD_DOUBT_BYTES);
}

const char *field_value(const Sohoa__Description *description, Sohoa__FieldName name)
{
    return description->fields[name]->value;
}

uint32_t field_cpct(const Sohoa__Description *description, Sohoa__FieldName name)
{
    return description->fields[name]->confidence_cpct;
}

/* What every document has. */
static const uint32_t expected = 1U << SOHOA__FIELD_NAME__FIELD_ORGAN | 1U << SOHOA__FIELD_NAME__FIELD_NUMBER |
                                 1U << SOHOA__FIELD_NAME__FIELD_NOTATION | 1U << SOHOA__FIELD_NAME__FIELD_DATE |
                                 1U << SOHOA__FIELD_NAME__FIELD_TYPE | 1U << SOHOA__FIELD_NAME__FIELD_SUBJECT |
                                 1U << SOHOA__FIELD_NAME__FIELD_SIGNER;

uint32_t field_doubts(const Sohoa__Description *description)
{
    uint32_t doubts = 0;
    for (size_t i = 0; i < description->n_fields; i++) {
        const Sohoa__Field *field = description->fields[i];
        bool missing = !*field->value && expected >> i & 1;
        bool unsure = *field->value && field->confidence_cpct < FIELD_SURE_CPCT;
        doubts |= (uint32_t)(missing || unsure || *field->doubt) << i;
    }
    return doubts;
}
