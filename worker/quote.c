/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "worker/quote.h"

#include <jansson.h>
#include <stdlib.h>

struct place {
    int x, y, w, h;
};

/* Where a part of the page lies when the page was turned upright. */
static struct place place_turned(const Sohoa__Page *page, struct place at)
{
    int width = (int)page->width_px, height = (int)page->height_px;
    switch (page->rotation_deg) {
    case 90: return (struct place){height - at.y - at.h, at.x, at.h, at.w};
    case 180: return (struct place){width - at.x - at.w, height - at.y - at.h, at.w, at.h};
    case 270: return (struct place){at.y, width - at.x - at.w, at.h, at.w};
    default: return at;
    }
}

static void line_quote(const Sohoa__Page *page, const Sohoa__Line *line, json_t *words)
{
    for (size_t i = 0; i < line->n_words; i++) {
        const Sohoa__Word *word = line->words[i];
        struct place at = place_turned(page, (struct place){word->x, word->y, (int)word->w, (int)word->h});
        json_array_append_new(words,
                              json_pack("{s:s, s:f, s:i, s:i, s:i, s:i}", "text", word->text, "conf",
                                        word->confidence_cpct / 100.0, "x", at.x, "y", at.y, "w", at.w, "h", at.h));
    }
}

static json_t *words_of(const Sohoa__Page *page)
{
    json_t *words = json_array();
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++)
            line_quote(page, page->blocks[b]->lines[l], words);
    return words;
}

int quote_words(const Sohoa__Page *page, struct buf *json, struct err *err)
{
    json_t *said =
        json_pack("{s:i, s:i, s:i, s:i, s:o}", "page", (int)page->page_no, "width", (int)page->width_px, "height",
                  (int)page->height_px, "rotation", (int)page->rotation_deg, "words", words_of(page));
    char *text = said ? json_dumps(said, JSON_COMPACT) : NULL;
    json_decref(said);
    if (!text)
        return err_set(err, E_NOMEM, "no memory for the words of page %u", page->page_no);
    buf_puts(json, text);
    buf_puts(json, "\n");
    free(text);
    return 0;
}
