/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a person says in the body of a request. Each takes a value that may be missing (NULL): then what there is stays. null says:
 * as it was before anybody said anything. Errors: E_USAGE, E_MANIFEST. */
#ifndef SOHOA_API_BODY_H
#define SOHOA_API_BODY_H

#include "coordinator/http.h"

int body_take(struct request *request, json_t **ret_body,
              struct err *err); /* is JSON; a reference of the caller's own */
/* An object with no keys but those; known ends with NULL. */
int keys_check(json_t *object, const char *const known[], const char *what, struct err *err);

int priority_take(const json_t *value, uint32_t *ret_priority, struct err *err);    /* null: 0 */
int deadline_take(const json_t *value, uint64_t *ret_deadline_ms, struct err *err); /* null: 0; "none": DEADLINE_NONE */
int paused_take(const json_t *value, bool *ret_paused, struct err *err);

/* ---- in the query ---- */

bool number_parse(const char *text, uint32_t most,
                  uint32_t *ret_number); /* digits only; what is over the most is the most */
int number_argument(const struct request *request, const char *name, uint32_t most, uint32_t *ret_number,
                    struct err *err);

#endif
