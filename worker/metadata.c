/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "worker/metadata.h"

#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "worker/propose.h"

json_t *metadata_text(const char *text)
{
    json_t *value = json_string(text);
    if (value)
        return value;
    AUTO(mem_destroy) char *plain = strdup(text);
    if (!plain)
        abort();
    for (char *c = plain; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    return json_string(plain);
}

static json_t *share_json(uint32_t cpct)
{
    return json_real(cpct / 10000.0);
}

static json_t *candidates_json(const Sohoa__Field *field)
{
    json_t *list = json_array();
    for (size_t i = 0; i < field->n_candidates; i++)
        json_array_append_new(list, json_pack("{s:o, s:o}", "value", metadata_text(field->candidates[i]->value),
                                              "confidence", share_json(field->candidates[i]->confidence_cpct)));
    return list;
}

static json_t *field_json(const Sohoa__Field *field)
{
    bool read = *field->value, placed = field->page_no;
    json_t *box =
        placed ? json_pack("[i, i, I, I]", (int)field->x, (int)field->y, (json_int_t)field->w, (json_int_t)field->h)
               : json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "value", read ? metadata_text(field->value) : json_null(),
                     "confidence", read ? share_json(field->confidence_cpct) : json_null(), "page",
                     placed ? json_integer(field->page_no) : json_null(), "box", box, "raw", metadata_text(field->raw),
                     "candidates", candidates_json(field), "doubt",
                     *field->doubt ? metadata_text(field->doubt) : json_null());
}

json_t *metadata_json(const Sohoa__Description *description)
{
    json_t *metadata = json_object();
    for (size_t i = 0; i < description->n_fields; i++)
        json_object_set_new(metadata, field_name(description->fields[i]->name), field_json(description->fields[i]));
    return metadata;
}

json_t *proposals_json(const Sohoa__Description *description)
{
    json_t *proposals = json_object();
    for (size_t i = 0; i < description->n_proposals; i++) {
        const Sohoa__Proposal *proposal = description->proposals[i];
        bool made = *proposal->value;
        json_object_set_new(proposals, proposal_name(proposal->name),
                            json_pack("{s:o, s:o, s:o}", "value", made ? metadata_text(proposal->value) : json_null(),
                                      "confidence", made ? share_json(proposal->confidence_cpct) : json_null(), "rule",
                                      metadata_text(proposal->rule)));
    }
    return proposals;
}

static const char *doubt_name(int bit)
{
    return bit < FIELDS ? field_name((Sohoa__FieldName)bit) : proposal_name(SOHOA__PROPOSAL_NAME__PROPOSAL_FORMAT);
}

json_t *metadata_doubts_json(uint32_t doubts)
{
    json_t *list = json_array();
    for (int bit = 0; bit <= FIELDS; bit++)
        if (doubts >> bit & 1)
            json_array_append_new(list, json_string(doubt_name(bit)));
    return list;
}

uint32_t metadata_doubts(const json_t *list)
{
    uint32_t doubts = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        for (int bit = 0; text && bit <= FIELDS; bit++)
            doubts |= (uint32_t)!strcmp(text, doubt_name(bit)) << bit;
    }
    return doubts;
}
