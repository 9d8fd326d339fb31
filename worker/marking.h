/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What stamps of secrecy say: rules over texts, from worker/rules/secrecy.tsv. Texts are UTF-8, NFC. */
#ifndef SOHOA_MARKING_H
#define SOHOA_MARKING_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/sohoa.pb-c.h"

/* What a text within a frame is most like; 0 where it is like none. */
struct marking {
    Sohoa__StampKind kind;  /* of the markings of secrecy; when like_cpct is above 0 */
    uint32_t like_cpct;     /* ... how much */
    uint32_t harmless_cpct; /* how much it is like what is framed as well, but no secret */
    uint32_t letters;       /* of the text */
};

/* Diacritics don't count, and letters may be misread, missing or too many. */
struct marking marking_within(const char *text);

/* Whether a line of its own says a level: in capitals, or in parentheses, or behind "Độ mật:". Letters may stand apart. */
bool marking_of_line(const char *text, Sohoa__StampKind *ret_kind);

#endif
