/* SPDX-License-Identifier: AGPL-3.0-or-later
 * By words alone. */
#include "worker/secrecy.h"

#include <string.h>

static const char *const mark[] = {[SOHOA__STAMP_KIND__STAMP_MAT] = "MẬT",
                                   [SOHOA__STAMP_KIND__STAMP_TOI_MAT] = "TỐI MẬT",
                                   [SOHOA__STAMP_KIND__STAMP_TUYET_MAT] = "TUYỆT MẬT"};

static void line_text(const Sohoa__Line *line, char text[64])
{
    text[0] = '\0';
    for (size_t i = 0; i < line->n_words; i++) {
        if (strlen(text) + strlen(line->words[i]->text) + 2 > 64)
            return;
        if (i)
            strcat(text, " ");
        strcat(text, line->words[i]->text);
    }
}

void secrecy_words(Sohoa__Page *page)
{
    char text[64];
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++) {
            const Sohoa__Line *line = page->blocks[b]->lines[l];
            line_text(line, text);
            for (int kind = SOHOA__STAMP_KIND__STAMP_MAT; kind <= SOHOA__STAMP_KIND__STAMP_TUYET_MAT; kind++)
                if (!strcmp(text, mark[kind]) && page->n_stamps < STAMPS_MOST) {
                    Sohoa__Stamp *stamp = page_add_stamp(page);
                    stamp->kind = (Sohoa__StampKind)kind;
                    stamp->x = line->x;
                    stamp->y = line->y;
                    stamp->w = line->w;
                    stamp->h = line->h;
                    stamp->confidence_cpct = 9000;
                    stamp->words = true;
                }
        }
}

bool secrecy_suspects(const Sohoa__Page *page)
{
    bool suspect = false;
    for (size_t i = 0; i < page->n_stamps; i++) {
        if (page->stamps[i]->kind == SOHOA__STAMP_KIND__STAMP_GIAI_MAT)
            return false;
        suspect = true;
    }
    return suspect;
}
