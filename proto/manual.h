/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What programs print of themselves for scdoc, which makes manual pages of it. */
#ifndef SOHOA_MANUAL_H
#define SOHOA_MANUAL_H

void manual_text(const char *text); /* to stdout: what is markup to scdoc stays a letter */

#endif
