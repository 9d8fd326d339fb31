/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Within a frame the picture has said already that this is a stamp, so bare letters are compared and much is forgiven; a
 * line without one has to say it letter for letter. */
#include "worker/marking.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/auto.h"
#include "worker/bare.h"
#include "worker/rules.h"

enum {
    CELL_TEXT,
    CELL_KIND,
    CELL_WHERE,
    MARKING_MAX_LETTERS = 48, /* of a text that is compared; of a longer one those at the front */
    MARKING_LINE_BYTES = 160, /* a longer line is running text */
    KEY_LETTERS = 24,
    ONE_CPCT = 10000,
    SPARE_LETTERS = 2, /* beside the marking these cost nothing: what is left of the frame */
    SPARE_PARTS = 5,   /* each further one costs one part of so many of a wrong one */
};

static bool kind_named(const char *name, Sohoa__StampKind *ret_kind)
{
    static const struct {
        const char *name;
        Sohoa__StampKind kind;
    } kinds[] = {
        {"mat",       SOHOA__STAMP_KIND__STAMP_MAT      },
        {"toi mat",   SOHOA__STAMP_KIND__STAMP_TOI_MAT  },
        {"tuyet mat", SOHOA__STAMP_KIND__STAMP_TUYET_MAT},
        {"giai mat",  SOHOA__STAMP_KIND__STAMP_GIAI_MAT },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].name, name)) {
            *ret_kind = kinds[i].kind;
            return true;
        }
    return false;
}

/* The letters and digits of text, bare; the rest is left out. */
static size_t letters_bare(const char *text, char *letters, size_t room)
{
    size_t count = 0;
    for (const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text; *at && count + 1 < room;) {
        utf8proc_int32_t rune;
        utf8proc_ssize_t bytes = utf8proc_iterate(at, -1, &rune);
        char bare = bytes > 0 ? bare_rune(rune) : '?';
        if ((bare >= 'a' && bare <= 'z') || (bare >= '0' && bare <= '9'))
            letters[count++] = bare;
        at += bytes > 0 ? bytes : 1;
    }
    letters[count] = 0;
    return count;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The least number of slips that make key of some part of text (Sellers 1980). */
static uint32_t slips_within(const char *text, size_t size, const char *key, size_t key_size)
{
    uint32_t row[KEY_LETTERS + 1], best = (uint32_t)key_size;
    for (uint32_t j = 0; j <= key_size; j++)
        row[j] = j;
    for (size_t i = 0; i < size; i++) {
        uint32_t before = row[0];
        for (size_t j = 0; j < key_size; j++) {
            uint32_t here = before + (text[i] != key[j]);
            before = row[j + 1];
            row[j + 1] = least(here, least(before, row[j]) + 1);
        }
        best = least(best, row[key_size]);
    }
    return best;
}

static uint32_t like_cpct(const char *text, size_t size, const char *key, size_t key_size)
{
    uint32_t slips = SPARE_PARTS * slips_within(text, size, key, key_size);
    uint32_t spare = size > key_size + SPARE_LETTERS ? (uint32_t)(size - key_size - SPARE_LETTERS) : 0;
    uint32_t wrong = (slips + spare) * ONE_CPCT / (uint32_t)(SPARE_PARTS * key_size);
    return wrong < ONE_CPCT ? ONE_CPCT - wrong : 0;
}

struct marking marking_within(const char *text)
{
    const struct rules *rules = rules_of(RULES_SECRECY);
    char letters[MARKING_MAX_LETTERS + 1], key[KEY_LETTERS + 1];
    size_t size = letters_bare(text, letters, sizeof letters), best = 0;
    struct marking marking = {.letters = (uint32_t)size};
    for (size_t i = 0; i < rules->rows; i++) {
        const char *const *row = rules->row[i];
        Sohoa__StampKind kind = SOHOA__STAMP_KIND__STAMP_UNREAD;
        if (!rules_list_has(row[CELL_WHERE], "frame"))
            continue;
        size_t key_size = letters_bare(row[CELL_TEXT], key, sizeof key);
        uint32_t like = like_cpct(letters, size, key, key_size);
        if (!kind_named(row[CELL_KIND], &kind)) {
            marking.harmless_cpct = like > marking.harmless_cpct ? like : marking.harmless_cpct;
        } else if (like > marking.like_cpct || (like == marking.like_cpct && like && key_size > best)) {
            marking.like_cpct = like;
            marking.kind = kind;
            best = key_size;
        }
    }
    return marking;
}

/* ---- lines ---- */

static bool rune_is_letter(utf8proc_int32_t rune)
{
    utf8proc_category_t category = utf8proc_category(rune);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

/* The letters of text as capitals, NFC; *ret_small tells whether some were small. */
static void letters_capital(const char *text, char *letters, size_t room, bool *ret_small)
{
    size_t count = 0;
    *ret_small = false;
    for (const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text; *at && count + 4 < room;) {
        utf8proc_int32_t rune;
        utf8proc_ssize_t bytes = utf8proc_iterate(at, -1, &rune);
        at += bytes > 0 ? bytes : 1;
        if (bytes <= 0 || !rune_is_letter(rune))
            continue;
        *ret_small |= utf8proc_toupper(rune) != rune;
        count += (size_t)utf8proc_encode_char(utf8proc_toupper(rune), (utf8proc_uint8_t *)letters + count);
    }
    letters[count] = 0;
}

/* The row of that use whose letters are these; NULL: there is none. */
static const char *const *row_saying(const char *letters, const char *where)
{
    const struct rules *rules = rules_of(RULES_SECRECY);
    for (size_t i = 0; i < rules->rows; i++) {
        char key[MARKING_LINE_BYTES];
        bool small;
        if (!rules_list_has(rules->row[i][CELL_WHERE], where))
            continue;
        letters_capital(rules->row[i][CELL_TEXT], key, sizeof key, &small);
        if (!strcmp(key, letters))
            return rules->row[i];
    }
    return NULL;
}

static bool level_said(const char *text, bool any_case, Sohoa__StampKind *ret_kind)
{
    char letters[MARKING_LINE_BYTES];
    bool small;
    letters_capital(text, letters, sizeof letters, &small);
    const char *const *row = small && !any_case ? NULL : row_saying(letters, "line");
    return row && kind_named(row[CELL_KIND], ret_kind);
}

/* "Độ mật: Tối mật" */
static bool level_declared(const char *text, Sohoa__StampKind *ret_kind)
{
    char before[MARKING_LINE_BYTES], letters[MARKING_LINE_BYTES];
    bool small;
    const char *colon = strchr(text, ':');
    if (!colon)
        return false;
    memcpy(before, text, (size_t)(colon - text));
    before[colon - text] = 0;
    letters_capital(before, letters, sizeof letters, &small);
    return row_saying(letters, "declared") && level_said(colon + 1, true, ret_kind);
}

bool marking_of_line(const char *text, Sohoa__StampKind *ret_kind)
{
    size_t bytes = strlen(text);
    if (bytes + 1 > MARKING_LINE_BYTES)
        return false;
    bool enclosed = bytes > 2 && text[0] == '(' && text[bytes - 1] == ')';
    return level_said(text, enclosed, ret_kind) || level_declared(text, ret_kind);
}
