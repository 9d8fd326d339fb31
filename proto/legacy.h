/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Vietnamese text from before Unicode, as older systems export it: the codes of an old font, each taken for the Latin letter of
 * that number. "Hµ Néi" is TCVN3 and "Haø Noäi" is VNI for "Hà Nội". What CP1258 keeps apart, letters and tone marks, is
 * Unicode, if not composed. */
#ifndef SOHOA_LEGACY_H
#define SOHOA_LEGACY_H

#include <stddef.h>

enum legacy {
    LEGACY_NONE,    /* Unicode */
    LEGACY_TCVN3,   /* TCVN 5712:1993, also called ABC */
    LEGACY_VNI,     /* VNI for Windows */
    LEGACY_UNKNOWN, /* no good Unicode, and none of the others for certain */
};

/* What the texts are in, which one program wrote: a word alone can be right in several. UTF-8; NULL counts as not there. */
enum legacy legacy_of(const char *const *texts, size_t count);

/* text as Unicode, NFC, blanks that lie around it or beside others left out; malloc'd. NULL: it is not in that encoding, or no
 * UTF-8. A text whose plain letters are all capitals comes out in capitals: old fonts had the same codes for both. */
char *legacy_convert(const char *text, enum legacy legacy);

#endif
