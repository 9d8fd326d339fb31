/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Builds, measures, packs and unpacks page results. What page_unpack() gives was checked: its words are UTF-8,
 * no confidence is above 100 %, guesses at hands are digits, and neither the number of words, hands and stamps nor the
 * memory is above its limit, whatever the bytes were. */
#include "worker/page.h"

#include "proto/auto.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define A4_SQUARE_INCHES (210 / 25.4 * 297 / 25.4)

enum {
    A4_MOST = 16,                                 /* A0 */
    PAGE_UNPACKED_MAX_BYTES = 4 * PAGE_MAX_BYTES, /* memory of an unpacked page */
    PAGE_LOW_CPCT = 6000,                         /* a word read with less than this is doubtful */
    PAGE_SURE_CPCT = 10000,
    PAGE_ROW_HEAD_BYTES = 4,
};

static void *page_alloc(size_t bytes)
{
    void *memory = calloc(1, bytes);
    if (!memory)
        abort();
    return memory;
}

/* Makes room for one more pointer in an array of count, rounded up to a power of two: unpacked arrays have no spare
 * room, and realloc() has little to do when the size stays. */
static void page_grow(void *array, size_t count)
{
    void **slot = array;
    size_t room = 1;
    while (room <= count)
        room *= 2;
    *slot = realloc(*slot, room * sizeof(void *));
    if (!*slot)
        abort();
}

Sohoa__Page *page_new(uint32_t page_no)
{
    Sohoa__Page *page = page_alloc(sizeof *page);
    sohoa__page__init(page);
    page->page_no = page_no;
    return page;
}

void page_destroy(Sohoa__Page **page)
{
    sohoa__page__free_unpacked(*page, NULL);
    *page = NULL;
}

void page_take_block(Sohoa__Page *page, Sohoa__Block *block)
{
    page_grow(&page->blocks, page->n_blocks);
    page->blocks[page->n_blocks++] = block;
}

void block_take_line(Sohoa__Block *block, Sohoa__Line *line)
{
    page_grow(&block->lines, block->n_lines);
    block->lines[block->n_lines++] = line;
}

void line_take_word(Sohoa__Line *line, Sohoa__Word *word)
{
    page_grow(&line->words, line->n_words);
    line->words[line->n_words++] = word;
}

Sohoa__Block *page_add_block(Sohoa__Page *page)
{
    Sohoa__Block *block = page_alloc(sizeof *block);
    sohoa__block__init(block);
    page_take_block(page, block);
    return block;
}

Sohoa__Line *block_add_line(Sohoa__Block *block)
{
    Sohoa__Line *line = page_alloc(sizeof *line);
    sohoa__line__init(line);
    block_take_line(block, line);
    return line;
}

Sohoa__Word *line_add_word(Sohoa__Line *line, const char *text)
{
    Sohoa__Word *word = page_alloc(sizeof *word);
    sohoa__word__init(word);
    size_t bytes = strlen(text) + 1;
    word->text = page_alloc(bytes);
    memcpy(word->text, text, bytes);
    line_take_word(line, word);
    return word;
}

Sohoa__Hand *page_add_hand(Sohoa__Page *page)
{
    Sohoa__Hand *hand = page_alloc(sizeof *hand);
    sohoa__hand__init(hand);
    page_grow(&page->hands, page->n_hands);
    page->hands[page->n_hands++] = hand;
    return hand;
}

Sohoa__HandGuess *hand_add_guess(Sohoa__Hand *hand, const char *text)
{
    Sohoa__HandGuess *guess = page_alloc(sizeof *guess);
    sohoa__hand_guess__init(guess);
    guess->text = page_alloc(strlen(text) + 1);
    memcpy(guess->text, text, strlen(text));
    page_grow(&hand->guesses, hand->n_guesses);
    hand->guesses[hand->n_guesses++] = guess;
    return guess;
}

Sohoa__Stamp *page_add_stamp(Sohoa__Page *page)
{
    if (page->n_stamps == STAMPS_MOST)
        return NULL;
    Sohoa__Stamp *stamp = page_alloc(sizeof *stamp);
    sohoa__stamp__init(stamp);
    page_grow(&page->stamps, page->n_stamps);
    page->stamps[page->n_stamps++] = stamp;
    return stamp;
}

struct bounds {
    int64_t left, top, right, bottom;
};

static const struct bounds no_bounds = {INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN};

static void bounds_add(struct bounds *bounds, int32_t x, int32_t y, uint32_t w, uint32_t h)
{
    bounds->left = x < bounds->left ? x : bounds->left;
    bounds->top = y < bounds->top ? y : bounds->top;
    bounds->right = (int64_t)x + w > bounds->right ? (int64_t)x + w : bounds->right;
    bounds->bottom = (int64_t)y + h > bounds->bottom ? (int64_t)y + h : bounds->bottom;
}

static void line_fit_bounds(Sohoa__Line *line)
{
    struct bounds bounds = no_bounds;
    for (size_t i = 0; i < line->n_words; i++)
        bounds_add(&bounds, line->words[i]->x, line->words[i]->y, line->words[i]->w, line->words[i]->h);
    if (!line->n_words)
        return;
    line->x = (int32_t)bounds.left;
    line->y = (int32_t)bounds.top;
    line->w = (uint32_t)(bounds.right - bounds.left);
    line->h = (uint32_t)(bounds.bottom - bounds.top);
}

void page_fit_bounds(Sohoa__Page *page)
{
    for (size_t b = 0; b < page->n_blocks; b++) {
        Sohoa__Block *block = page->blocks[b];
        struct bounds bounds = no_bounds;
        for (size_t i = 0; i < block->n_lines; i++) {
            line_fit_bounds(block->lines[i]);
            bounds_add(&bounds, block->lines[i]->x, block->lines[i]->y, block->lines[i]->w, block->lines[i]->h);
        }
        if (!block->n_lines)
            continue;
        block->x = (int32_t)bounds.left;
        block->y = (int32_t)bounds.top;
        block->w = (uint32_t)(bounds.right - bounds.left);
        block->h = (uint32_t)(bounds.bottom - bounds.top);
    }
}

static void line_prune(Sohoa__Line *line, bool (*keep)(const Sohoa__Word *word, const void *user), const void *user)
{
    size_t kept = 0;
    for (size_t i = 0; i < line->n_words; i++)
        if (keep(line->words[i], user))
            line->words[kept++] = line->words[i];
        else
            sohoa__word__free_unpacked(line->words[i], NULL);
    line->n_words = kept;
}

static void block_prune(Sohoa__Block *block, bool (*keep)(const Sohoa__Word *word, const void *user), const void *user)
{
    size_t kept = 0;
    for (size_t i = 0; i < block->n_lines; i++) {
        line_prune(block->lines[i], keep, user);
        if (block->lines[i]->n_words)
            block->lines[kept++] = block->lines[i];
        else
            sohoa__line__free_unpacked(block->lines[i], NULL);
    }
    block->n_lines = kept;
}

void page_prune(Sohoa__Page *page, bool (*keep)(const Sohoa__Word *word, const void *user), const void *user)
{
    size_t kept = 0;
    for (size_t i = 0; i < page->n_blocks; i++) {
        block_prune(page->blocks[i], keep, user);
        if (page->blocks[i]->n_lines)
            page->blocks[kept++] = page->blocks[i];
        else
            sohoa__block__free_unpacked(page->blocks[i], NULL);
    }
    page->n_blocks = kept;
}

void page_note(Sohoa__Page *page, Sohoa__PageNote note)
{
    size_t at = 0;
    while (at < page->n_notes && page->notes[at] < note)
        at++;
    if (at < page->n_notes && page->notes[at] == note)
        return;
    page->notes = realloc(page->notes, (page->n_notes + 1) * sizeof *page->notes);
    if (!page->notes)
        abort();
    memmove(&page->notes[at + 1], &page->notes[at], (page->n_notes - at) * sizeof *page->notes);
    page->notes[at] = note;
    page->n_notes++;
}

bool page_has_note(const Sohoa__Page *page, Sohoa__PageNote note)
{
    for (size_t i = 0; i < page->n_notes; i++)
        if (page->notes[i] == note)
            return true;
    return false;
}

const char *page_note_name(Sohoa__PageNote note)
{
    static const char *const name[] = {
        [SOHOA__PAGE_NOTE__NOTE_NONE] = "none",
        [SOHOA__PAGE_NOTE__NOTE_LOW_DPI] = "low_dpi",
        [SOHOA__PAGE_NOTE__NOTE_LOW_COLOUR] = "low_colour",
        [SOHOA__PAGE_NOTE__NOTE_SCANT] = "scant",
        [SOHOA__PAGE_NOTE__NOTE_SPREAD] = "spread",
        [SOHOA__PAGE_NOTE__NOTE_REDUCED] = "reduced",
        [SOHOA__PAGE_NOTE__NOTE_ENLARGED] = "enlarged",
        [SOHOA__PAGE_NOTE__NOTE_UNEVEN] = "uneven",
        [SOHOA__PAGE_NOTE__NOTE_FADED] = "faded",
        [SOHOA__PAGE_NOTE__NOTE_BLEED] = "bleed",
        [SOHOA__PAGE_NOTE__NOTE_BORDER] = "border",
        [SOHOA__PAGE_NOTE__NOTE_RED] = "red",
        [SOHOA__PAGE_NOTE__NOTE_BLUE] = "blue",
        [SOHOA__PAGE_NOTE__NOTE_DAMAGED] = "damaged",
        [SOHOA__PAGE_NOTE__NOTE_LAYER] = "layer",
        [SOHOA__PAGE_NOTE__NOTE_LAYER_REFUSED] = "layer_refused",
    };
    return (size_t)note < sizeof name / sizeof *name ? name[note] : "none";
}

void page_pack(const Sohoa__Page *page, struct buf *out)
{
    size_t bytes = sohoa__page__get_packed_size(page);
    size_t packed = sohoa__page__pack(page, buf_reserve(out, bytes));
    assert(packed == bytes);
    out->size += packed;
    out->data[out->size] = 0;
}

/* Two bytes on the wire can become eighty in memory: this allocator gives out only so much. What it gave is freed by
 * free(), as page_destroy() does. */
static void *budget_alloc(void *budget, size_t bytes)
{
    size_t *left = budget;
    if (bytes > *left)
        return NULL;
    *left -= bytes;
    return malloc(bytes);
}

static void budget_free(void *budget, void *memory)
{
    (void)budget;
    free(memory);
}

static bool text_is_utf8(const char *text)
{
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    for (utf8proc_int32_t rune; *at;) {
        utf8proc_ssize_t bytes = utf8proc_iterate(at, -1, &rune);
        if (bytes <= 0)
            return false;
        at += bytes;
    }
    return true;
}

static int line_check(const Sohoa__Line *line, size_t *words, struct err *err)
{
    *words += line->n_words;
    if (*words > PAGE_MAX_WORDS)
        return err_set(err, E_FRAME, "a page has more than %d words", PAGE_MAX_WORDS);
    for (size_t i = 0; i < line->n_words; i++) {
        if (!text_is_utf8(line->words[i]->text) || !text_is_utf8(line->words[i]->raw))
            return err_set(err, E_FRAME, "a page has a word that is not UTF-8");
        if (line->words[i]->confidence_cpct > PAGE_SURE_CPCT)
            return err_set(err, E_FRAME, "a page has a word with a confidence above 100 %%");
    }
    return 0;
}

static int hand_check(const Sohoa__Hand *hand, struct err *err)
{
    if (hand->n_guesses > HAND_MAX_GUESSES)
        return err_set(err, E_FRAME, "a page has a hand with more than %d guesses", HAND_MAX_GUESSES);
    for (size_t i = 0; i < hand->n_guesses; i++) {
        const char *text = hand->guesses[i]->text;
        size_t digits = strspn(text, "0123456789");
        if (!digits || digits > HAND_MAX_DIGITS || text[digits])
            return err_set(err, E_FRAME, "a page has a guess that is not 1 to %d digits", HAND_MAX_DIGITS);
        if (hand->guesses[i]->confidence_cpct > PAGE_SURE_CPCT)
            return err_set(err, E_FRAME, "a page has a guess with a confidence above 100 %%");
    }
    return 0;
}

static int hands_check(const Sohoa__Page *page, struct err *err)
{
    if (page->n_hands > HANDS_MOST)
        return err_set(err, E_FRAME, "a page has more than %d hands", HANDS_MOST);
    for (size_t i = 0; i < page->n_hands; i++) {
        int rc = hand_check(page->hands[i], err);
        if (rc)
            return rc;
    }
    return 0;
}

static int stamps_check(const Sohoa__Page *page, struct err *err)
{
    if (page->n_stamps > STAMPS_MOST)
        return err_set(err, E_FRAME, "a page has more than %d stamps", STAMPS_MOST);
    for (size_t i = 0; i < page->n_stamps; i++)
        if (page->stamps[i]->confidence_cpct > PAGE_SURE_CPCT ||
            (int)page->stamps[i]->kind > SOHOA__STAMP_KIND__STAMP_UNSEEN || (int)page->stamps[i]->kind < 0)
            return err_set(err, E_FRAME, "a page has a stamp of no known kind or confidence");
    return 0;
}

static int page_check(const Sohoa__Page *page, struct err *err)
{
    size_t words = 0;
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t i = 0; i < page->blocks[b]->n_lines; i++) {
            int rc = line_check(page->blocks[b]->lines[i], &words, err);
            if (rc)
                return rc;
        }
    int rc = hands_check(page, err);
    return rc ? rc : stamps_check(page, err);
}

int page_unpack(const void *data, size_t bytes, Sohoa__Page **ret_page, struct err *err)
{
    if (bytes > PAGE_MAX_BYTES)
        return err_set(err, E_FRAME, "a packed page has %zu bytes, more than %d", bytes, PAGE_MAX_BYTES);
    size_t left = PAGE_UNPACKED_MAX_BYTES;
    ProtobufCAllocator allocator = {budget_alloc, budget_free, &left};
    AUTO(page_destroy) Sohoa__Page *page = sohoa__page__unpack(&allocator, bytes, data);
    if (!page)
        return err_set(err, E_FRAME, "%zu bytes are not a packed page", bytes);
    int rc = page_check(page, err);
    if (rc)
        return rc;
    *ret_page = page;
    page = NULL;
    return 0;
}

uint32_t letters_of(const char *text)
{
    uint32_t letters = 0;
    for (; *text; text++)
        letters += ((unsigned char)*text & 0xc0) != 0x80;
    return letters;
}

uint32_t page_a4(const Sohoa__Page *page)
{
    double a4 = A4_SQUARE_INCHES * page->dpi_view * page->dpi_view;
    double area = (double)page->width_px * page->height_px;
    uint32_t times = 1;
    while (a4 > 0 && times < A4_MOST && area > a4 * times * M_SQRT2) /* halfway, as formats double */
        times *= 2;
    return times;
}

void page_measure(const Sohoa__Page *page, struct page_figures *figures)
{
    uint64_t letters = 0, weighted = 0;
    *figures = (struct page_figures){0};
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t i = 0; i < page->blocks[b]->n_lines; i++) {
            const Sohoa__Line *line = page->blocks[b]->lines[i];
            figures->words += (uint32_t)line->n_words;
            for (size_t w = 0; w < line->n_words; w++) {
                const Sohoa__Word *word = line->words[w];
                if (word->own)
                    continue;
                uint64_t n = letters_of(word->text);
                letters += n;
                weighted += n * word->confidence_cpct;
                figures->low_words += word->confidence_cpct < PAGE_LOW_CPCT;
            }
        }
    figures->confidence_cpct = letters ? (uint32_t)((weighted + letters / 2) / letters) : 0;
}

void pages_append(struct buf *pages, const void *packed, size_t bytes)
{
    assert(bytes <= PAGE_MAX_BYTES);
    const uint8_t head[PAGE_ROW_HEAD_BYTES] = {(uint8_t)bytes, (uint8_t)(bytes >> 8), (uint8_t)(bytes >> 16),
                                               (uint8_t)(bytes >> 24)};
    buf_append(pages, head, sizeof head);
    buf_append(pages, packed, bytes);
}

int pages_each(const void *data, size_t bytes,
               int (*each)(const void *packed, size_t bytes, void *user, struct err *err), void *user, struct err *err)
{
    const uint8_t *row = data;
    for (size_t at = 0; at < bytes;) {
        if (bytes - at < PAGE_ROW_HEAD_BYTES)
            return err_set(err, E_FRAME, "a row of pages ends within a length");
        size_t size = row[at] | (size_t)row[at + 1] << 8 | (size_t)row[at + 2] << 16 | (size_t)row[at + 3] << 24;
        at += PAGE_ROW_HEAD_BYTES;
        if (size > PAGE_MAX_BYTES || size > bytes - at)
            return err_set(err, E_FRAME, "a row of pages has a page of %zu bytes where %zu are left", size, bytes - at);
        int rc = each(row + at, size, user, err);
        if (rc)
            return rc;
        at += size;
    }
    return 0;
}
