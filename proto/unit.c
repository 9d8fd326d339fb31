/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/unit.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *prefix;
    size_t digits;
    bool dated; /* a day may follow: "@2027-07-01" */
} unit_rule[] = {
    {"district:", 3, false},
    {"old:",      5, false},
    {"new:",      5, true }
};

static bool is_day(const char *text)
{
    static const char form[] = "@0000-00-00";
    for (size_t i = 0; i < sizeof form; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return true;
}

int unit_check(const char *unit, struct err *err)
{
    if (!*unit)
        return 0;
    for (size_t i = 0; i < sizeof unit_rule / sizeof unit_rule[0]; i++) {
        size_t n = strlen(unit_rule[i].prefix);
        if (strncmp(unit, unit_rule[i].prefix, n))
            continue;
        const char *code = unit + n;
        const char *end = code + strspn(code, "0123456789");
        if ((size_t)(end - code) == unit_rule[i].digits && (!*end || (unit_rule[i].dated && is_day(end))))
            return 0;
    }
    return err_set(err, E_MANIFEST, "unit '%.40s' is not of the form district:001, old:00004 or new:00004", unit);
}
