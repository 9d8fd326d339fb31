/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Plain text of pages. Lines, blocks and pages are told apart by characters that no word can bring in. */
#include <stdbool.h>
#include <utf8proc.h>

#include "worker/alto.h"

static const char text_replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

static bool rune_is_allowed(utf8proc_int32_t rune)
{
    return rune >= 0x20 && rune != 0x7f && !(rune >= 0x80 && rune < 0xa0) && rune != 0xfffe && rune != 0xffff;
}

void text_append(const char *text, struct buf *out)
{
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    while (*at) {
        utf8proc_int32_t rune;
        utf8proc_ssize_t bytes = utf8proc_iterate(at, -1, &rune);
        if (bytes > 0 && rune_is_allowed(rune))
            buf_append(out, at, (size_t)bytes);
        else
            buf_puts(out, bytes > 0 && (rune == '\t' || rune == '\n' || rune == '\r') ? " " : text_replacement);
        at += bytes > 0 ? bytes : 1;
    }
}

static void line_write(const Sohoa__Line *line, struct buf *out)
{
    for (size_t i = 0; i < line->n_words; i++) {
        if (i)
            buf_puts(out, " ");
        text_append(line->words[i]->text, out);
    }
    buf_puts(out, "\n");
}

void text_write(Sohoa__Page *const *pages, uint32_t count, struct buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buf_puts(out, "\f");
        for (size_t b = 0; b < pages[i]->n_blocks; b++) {
            if (b)
                buf_puts(out, "\n");
            for (size_t l = 0; l < pages[i]->blocks[b]->n_lines; l++)
                line_write(pages[i]->blocks[b]->lines[l], out);
        }
    }
}
