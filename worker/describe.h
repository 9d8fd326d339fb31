/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a document is, told by its pages: the fields that an archive asks for, each with its value, how sure that is, and where it stands.
 * What can't be read is not guessed: the field then has candidates, and no value. And what is proposed of it (propose.h). */
#ifndef SOHOA_DESCRIBE_H
#define SOHOA_DESCRIBE_H

#include "worker/field.h"

/* pages: in order, count of them. The same pages give the same description. Owned by the caller. */
Sohoa__Description *describe(Sohoa__Page *const *pages, size_t count);

/* The same for documents of the same body, number, notation and date, where all of these were surely read; else 0. */
uint32_t describe_key(const Sohoa__Description *description);

#endif
