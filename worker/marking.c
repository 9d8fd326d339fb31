/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A line has to say it letter for letter; what the recogniser makes of such lines is in the rules. */
#include "worker/marking.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "worker/rules.h"

enum {
    CELL_TEXT,
    CELL_KIND,
    CELL_WHERE,
    MARKING_LINE_BYTES = 160, /* a longer line is running text */
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
        if (strcmp(rules->row[i][CELL_WHERE], where))
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
