/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a person says in the place of a field: how fields are called, and what each may hold. Lengths are those of Circular 05/2025/TT-BNV
 * where it has the field; what does not fit is an error, never cut. Pure. */
#ifndef SOHOA_CORRECTION_H
#define SOHOA_CORRECTION_H

#include "coordinator/review.h"

const char *correction_field(int field);      /* "codeNumber", as records say it */
int correction_field_named(const char *name); /* a Sohoa__FieldName; -1: there is none */

/* *ret_value, which the caller frees, is the value in NFC without space around it; "" stays: there is none. Errors: E_USAGE (its form), E_LIMIT (its
 * length), which name the field. */
int correction_value(int field, const char *text, char **ret_value, struct err *err);

#endif
