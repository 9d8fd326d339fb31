/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Codes follow the shape of archive codes (fonds.catalogue.year.file); deadlines and priorities go by tier. */
#include "bench/dossier.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

enum { YEAR_FIRST = 2016, YEAR_LAST = 2024, DOCUMENTS_MOST = 6, NAME_WORDS = 7 };

static enum organ_kind dossier_kind(struct chance *chance, unsigned kinds)
{
    static const unsigned weight[ORGAN_KIND_NR + 1] = {60, 28, 12, 0};
    unsigned kind;
    do
        kind = chance_weighed(chance, weight);
    while (!(kinds >> kind & 1));
    return kind;
}

static void dossier_place(struct dossier *d, struct chance *chance, unsigned index)
{
    static const char *const bloc[ORGAN_KIND_NR] = {"government", "party", "mass"};
    static const char *const retention[] = {"permanent", "permanent", "70 years", "20 years", "10 years"};
    struct truth_place *p = &d->place;
    const struct organ *organ = &d->organ;
    bool commune = organ->commune != NULL, youth = organ->kind == ORGAN_YOUTH;
    *p = (struct truth_place){.bloc = bloc[organ->kind], .retention = CHANCE_PICK(chance, retention)};
    snprintf(p->unit, sizeof p->unit, commune ? "old:%s" : "district:%s",
             commune ? organ->commune->code : organ->district->code);
    snprintf(p->fonds, sizeof p->fonds, "H26.%s.%c%02u", commune ? organ->commune->code : organ->district->code,
             "GPM"[organ->kind], chance_below(chance, 5) + 1);
    snprintf(p->file_code, sizeof p->file_code, "%s.%d.%04u", p->fonds, d->year, index);
    p->priority = youth ? 5 : commune ? 2 : 1;
    p->deadline = youth ? "2026-12-15" : commune ? "2026-11-30" : "2026-08-15";
}

void dossier_open(struct dossier *d, struct chance *chance, unsigned kinds, unsigned index)
{
    *d = (struct dossier){0};
    organ_draw(chance, dossier_kind(chance, kinds), &d->organ);
    d->year = chance_between(chance, YEAR_FIRST, YEAR_LAST);
    d->left = (unsigned)chance_between(chance, 1, DOCUMENTS_MOST);
    dossier_place(d, chance, index);
    gunichar first = g_unichar_toupper(g_utf8_get_char(d->organ.district->kind));
    char letter[8] = {0};
    g_unichar_to_utf8(first, letter);
    snprintf(d->folder, sizeof d->folder, "%s%s %s", letter, g_utf8_next_char(d->organ.district->kind),
             d->organ.district->name);
}

/* The first words of a text. */
static void name_words(struct buf *name, const char *text)
{
    const char *end = text;
    for (int words = 0; *end && words < NAME_WORDS; words++) {
        end += strspn(end, " ");
        end += strcspn(end, " ");
    }
    buf_append(name, text, (size_t)(end - text));
}

void dossier_name(const struct dossier *d, struct chance *chance, const struct letter_fields *f, struct buf *name)
{
    switch (chance_below(chance, 6)) {
    case 0: buf_printf(name, "%s %s ngày %02d.%02d.%d", f->number, f->notation, f->day, f->month, f->year); break;
    case 1: buf_printf(name, "%s số %s năm %d", f->type_name, f->number, f->year); break;
    case 2:
        buf_printf(name, "%s-%s ", f->number, f->notation);
        name_words(name, f->subject);
        break;
    case 3: buf_printf(name, "SCAN%05u", chance_below(chance, 100000)); break;
    case 4: buf_printf(name, "%s-%s", f->number, f->notation); break;
    default: buf_printf(name, "%s.%07u", d->place.file_code, d->place.ordinal);
    }
    for (size_t i = 0; i < name->size; i++) /* what no file name may hold, or what people avoid in one */
        if (strchr("/\\:*?\",;", name->data[i]))
            name->data[i] = '-';
}
