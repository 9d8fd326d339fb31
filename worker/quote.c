/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "worker/quote.h"

#include <jansson.h>
#include <stdlib.h>

static void line_quote(const Sohoa__Line *line, json_t *words)
{
    for (size_t i = 0; i < line->n_words; i++) {
        const Sohoa__Word *word = line->words[i];
        json_array_append_new(words, json_pack("{s:s, s:f, s:i, s:i, s:i, s:i}", "text", word->text, "conf",
                                               word->confidence_cpct / 100.0, "x", (int)word->x, "y", (int)word->y, "w",
                                               (int)word->w, "h", (int)word->h));
    }
}

static json_t *words_of(const Sohoa__Page *page)
{
    json_t *words = json_array();
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++)
            line_quote(page->blocks[b]->lines[l], words);
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
