/* SPDX-License-Identifier: AGPL-3.0-or-later
 * assets.h is made by assets.cmake: `asset_rule`, a row for each file. */
#include "coordinator/asset.h"

#include <string.h>

#include "assets.h"

const struct asset *asset_find(const char *path)
{
    path = *path ? path : "index.html";
    for (size_t i = 0; i < sizeof asset_rule / sizeof asset_rule[0]; i++)
        if (!strcmp(asset_rule[i].path, path))
            return &asset_rule[i];
    return NULL;
}
