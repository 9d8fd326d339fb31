/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Administrative units are typed everywhere, since new communes reuse old codes: "district:001" (abolished 2025),
 * "old:00004" (commune until 2025), "new:00004" (commune since). A commune that a later re-organisation made has that one's first day behind
 * it, since codes are given again: "new:00004@2027-07-01". Codes are text with leading zeros. */
#ifndef SOHOA_UNIT_H
#define SOHOA_UNIT_H

#include "proto/err.h"

enum { UNIT_BYTES = 24 }; /* one that was checked, with the 0 */

/* "" is allowed and means: not said. Errors: E_MANIFEST, which says what form is expected. */
int unit_check(const char *unit, struct err *err);

#endif
