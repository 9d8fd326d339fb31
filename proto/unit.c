/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/unit.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *prefix;
    size_t digits;
} unit_rule[] = {
    {"district:", 3},
    {"old:",      5},
    {"new:",      5}
};

int unit_check(const char *unit, struct err *err)
{
    if (!*unit)
        return 0;
    for (size_t i = 0; i < sizeof unit_rule / sizeof unit_rule[0]; i++) {
        size_t n = strlen(unit_rule[i].prefix);
        if (strncmp(unit, unit_rule[i].prefix, n))
            continue;
        const char *code = unit + n;
        if (strlen(code) == unit_rule[i].digits && strspn(code, "0123456789") == unit_rule[i].digits)
            return 0;
    }
    return err_set(err, E_MANIFEST, "unit '%.40s' is not of the form district:001, old:00004 or new:00004", unit);
}
