/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/api_body.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/backlog.h"
#include "coordinator/manifest.h"

int priority_take(const json_t *value, uint32_t *ret_priority, struct err *err)
{
    json_int_t number = json_integer_value(value);
    if (!value || json_is_null(value)) {
        *ret_priority = value ? 0 : *ret_priority;
        return 0;
    }
    if (!json_is_integer(value) || number < 1 || number > 5)
        return err_set(err, E_USAGE, "priority is 1 (first) to 5, or null");
    *ret_priority = (uint32_t)number;
    return 0;
}

int deadline_take(const json_t *value, uint64_t *ret_deadline_ms, struct err *err)
{
    const char *day = json_string_value(value);
    if (!value || json_is_null(value)) {
        *ret_deadline_ms = value ? 0 : *ret_deadline_ms;
        return 0;
    }
    if (!day)
        return err_set(err, E_USAGE, "deadline is a day (YYYY-MM-DD), \"none\" or null");
    if (!strcmp(day, "none")) {
        *ret_deadline_ms = DEADLINE_NONE;
        return 0;
    }
    return manifest_deadline(day, ret_deadline_ms, err);
}

int paused_take(const json_t *value, bool *ret_paused, struct err *err)
{
    if (value && !json_is_boolean(value))
        return err_set(err, E_USAGE, "paused is true or false");
    *ret_paused = value ? json_is_true(value) : *ret_paused;
    return 0;
}

int body_take(struct request *request, json_t **ret_body, struct err *err)
{
    json_error_t why;
    json_t *body = json_loads(buf_text(request_body(request)), JSON_REJECT_DUPLICATES, &why);
    if (!body)
        return err_set(err, E_USAGE, "the body is not JSON: %s", why.text);
    *ret_body = body;
    return 0;
}

int keys_check(json_t *object, const char *const known[], const char *what, struct err *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return err_set(err, E_USAGE, "%s is a JSON object", what);
    json_object_foreach(object, key, value)
    {
        size_t i = 0;
        while (known[i] && strcmp(known[i], key))
            i++;
        if (!known[i])
            return err_set(err, E_USAGE, "%s has no '%.40s'", what, key);
    }
    return 0;
}

bool number_parse(const char *text, uint32_t most, uint32_t *ret_number)
{
    if (!*text || text[strspn(text, "0123456789")])
        return false;
    unsigned long number = strtoul(text, NULL, 10);
    *ret_number = number > most ? most : (uint32_t)number;
    return true;
}

int number_argument(const struct request *request, const char *name, uint32_t most, uint32_t *ret_number,
                    struct err *err)
{
    const char *text = request_argument(request, name);
    if (!text || !*text || number_parse(text, most, ret_number))
        return 0;
    return err_set(err, E_USAGE, "%s=%.20s is not a number", name, text);
}
