/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/sse.h"

#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/buf.h"

struct sse *sse_hold(struct sse *sse)
{
    if (sse)
        sse->holders++;
    return sse;
}

void sse_drop(struct sse **sse)
{
    if (*sse && !--(*sse)->holders)
        free(*sse);
    *sse = NULL;
}

struct sse *sse_new(const char *event, const char *data)
{
    AUTO(buf_destroy) struct buf text = {0};
    if (event)
        buf_printf(&text, "event: %s\ndata: %s\n\n", event, data);
    else
        buf_puts(&text, ":\n\n");
    struct sse *sse = malloc(sizeof *sse + text.size);
    if (!sse)
        abort();
    sse->holders = 1;
    sse->bytes = text.size;
    memcpy(sse->text, text.data, text.size);
    return sse;
}
