/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/manual.h"

#include <stdio.h>
#include <string.h>

void manual_text(const char *text)
{
    for (; *text; text++)
        printf(strchr("\\*_#`", *text) ? "\\%c" : "%c", *text);
}
