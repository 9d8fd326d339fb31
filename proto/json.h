/* SPDX-License-Identifier: AGPL-3.0-or-later
 * AUTO(json_drop) for Jansson's values. */
#ifndef SOHOA_JSON_H
#define SOHOA_JSON_H

#include <jansson.h>

#include "proto/auto.h"

static inline void json_drop(json_t **json)
{
    json_decref(*json);
    *json = NULL;
}

#endif
