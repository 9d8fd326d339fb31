/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What lines say of secrecy: rules over texts, from worker/rules/secrecy.tsv. Texts are UTF-8, NFC. */
#ifndef SOHOA_MARKING_H
#define SOHOA_MARKING_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/sohoa.pb-c.h"

/* Whether a line of its own says a level: in capitals, or in parentheses, or behind "Độ mật:". Letters may stand apart. */
bool marking_of_line(const char *text, Sohoa__StampKind *ret_kind);

#endif
