/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Whether a page may be a state secret. */
#ifndef SOHOA_SECRECY_H
#define SOHOA_SECRECY_H

#include <stdbool.h>

#include "worker/page.h"

void secrecy_words(Sohoa__Page *page);
bool secrecy_suspects(const Sohoa__Page *page);

#endif
