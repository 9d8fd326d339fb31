/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/ctl/verdict.h"

#include <stdio.h>
#include <string.h>

#include "coordinator/ctl/table.h"
#include "proto/auto.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- cells ---- */

static void put_number(const json_t *row, const char *key, struct buf *into)
{
    buf_printf(into, "%" JSON_INTEGER_FORMAT, cell_number(row, key));
}

static void put_share(const json_t *share, struct buf *into)
{
    if (json_is_number(share))
        buf_printf(into, "%.0f %%", 100 * json_number_value(share));
    else
        buf_puts(into, "-");
}

static void document(const json_t *row, struct buf *into)
{
    buf_printf(into, "%s/%" JSON_INTEGER_FORMAT, cell_text(row, "batch"), cell_number(row, "document"));
}

static void unit(const json_t *row, struct buf *into)
{
    buf_puts(into, cell_text(row, "unit"));
}

static void state(const json_t *row, struct buf *into)
{
    buf_puts(into, cell_text(row, "state"));
}

static void round_number(const json_t *row, struct buf *into)
{
    put_number(row, "round", into);
}

static void confidence(const json_t *row, struct buf *into)
{
    put_share(json_object_get(row, "confidence"), into);
}

static void doubts(const json_t *row, struct buf *into)
{
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(row, "doubts"), i, name)
    {
        buf_printf(into, "%s%s", i ? " " : "", json_string_value(name));
    }
}

static void field_name(const json_t *row, struct buf *into)
{
    buf_printf(into, "%s%s", cell_text(row, "name"), json_is_true(json_object_get(row, "doubted")) ? " ?" : "");
}

static void field_value(const json_t *row, struct buf *into)
{
    const char *value = cell_text(row, "value");
    buf_puts(into, *value ? value : "-");
}

static void field_machine(const json_t *row, struct buf *into)
{
    const char *machine = cell_text(row, "machine");
    if (json_is_object(json_object_get(row, "corrected")))
        buf_puts(into, *machine ? machine : "nothing");
}

static void field_who(const json_t *row, struct buf *into)
{
    const json_t *corrected = json_object_get(row, "corrected");
    if (json_is_object(corrected))
        buf_printf(into, "%s, %s", cell_text(corrected, "by"), cell_text(corrected, "at"));
    else
        buf_puts(into, cell_text(row, "doubt"));
}

static void round_share(const json_t *row, struct buf *into)
{
    put_number(row, "percent", into);
    buf_puts(into, " %");
}

static void round_seed(const json_t *row, struct buf *into)
{
    put_number(row, "seed", into);
}

static void round_documents(const json_t *row, struct buf *into)
{
    put_number(row, "documents", into);
}

static void round_waiting(const json_t *row, struct buf *into)
{
    put_number(row, "waiting", into);
}

static void round_accepted(const json_t *row, struct buf *into)
{
    put_number(row, "accepted", into);
}

static void round_corrected(const json_t *row, struct buf *into)
{
    put_number(row, "corrected", into);
}

static void round_rejected(const json_t *row, struct buf *into)
{
    put_number(row, "rejected", into);
}

static void round_verdict(const json_t *row, struct buf *into)
{
    buf_puts(into, cell_text(row, "verdict"));
}

static void round_reason(const json_t *row, struct buf *into)
{
    buf_puts(into, cell_text(row, "reason"));
}

/* ---- answers ---- */

static void table_print(const struct column *columns, size_t count, const json_t *rows)
{
    AUTO(buf_destroy) struct buf text = {0};
    table_write(columns, count, rows, 0, 0, &text);
    fputs(buf_text(&text), stdout);
}

void queue_print(const json_t *answer)
{
    static const struct column columns[] = {
        {"DOCUMENT",   false, document    },
        {"UNIT",       false, unit        },
        {"STATE",      false, state       },
        {"ROUND",      true,  round_number},
        {"CONFIDENCE", true,  confidence  },
        {"DOUBTS",     false, doubts      },
    };
    size_t shown = json_array_size(json_object_get(answer, "documents"));
    table_print(columns, COUNT(columns), json_object_get(answer, "documents"));
    if (cell_number(answer, "total") > (json_int_t)shown)
        printf("%zu of %" JSON_INTEGER_FORMAT "; --limit N shows more\n", shown, cell_number(answer, "total"));
}

void decided_print(const json_t *answer)
{
    printf("%s/%" JSON_INTEGER_FORMAT " is %s\n", cell_text(answer, "batch"), cell_number(answer, "document"),
           cell_text(answer, "state"));
}

void document_print(const json_t *answer)
{
    static const struct column columns[] = {
        {"FIELD",      false, field_name   },
        {"VALUE",      false, field_value  },
        {"CONFIDENCE", true,  confidence   },
        {"MACHINE",    false, field_machine},
        {"",           false, field_who    },
    };
    const json_t *decided = json_object_get(answer, "decided");
    decided_print(answer);
    if (json_is_object(decided))
        printf("decided by %s%s%s\n", cell_text(decided, "by"), *cell_text(decided, "reason") ? ": " : "",
               cell_text(decided, "reason"));
    table_print(columns, COUNT(columns), json_object_get(answer, "fields"));
}

static void over_print(const json_t *round)
{
    size_t i;
    json_t *rate;
    json_array_foreach(json_object_get(round, "rates"), i, rate)
    {
        if (json_is_true(json_object_get(rate, "over")))
            printf("over its limit: %s %.1f %% (limit %g %%)\n", cell_text(rate, "field"),
                   json_number_value(json_object_get(rate, "percent")),
                   json_number_value(json_object_get(rate, "limit_percent")));
    }
}

void rounds_print(const json_t *answer)
{
    static const struct column columns[] = {
        {"ROUND",     true,  round_number   },
        {"OF",        true,  round_share    },
        {"SEED",      true,  round_seed     },
        {"DOCUMENTS", true,  round_documents},
        {"WAITING",   true,  round_waiting  },
        {"ACCEPTED",  true,  round_accepted },
        {"CORRECTED", true,  round_corrected},
        {"REJECTED",  true,  round_rejected },
        {"VERDICT",   false, round_verdict  },
        {"REASON",    false, round_reason   },
    };
    const json_t *rounds = json_object_get(answer, "rounds"), *documents = json_object_get(answer, "documents");
    size_t count = json_array_size(rounds);
    printf("batch %s: %s; documents: accepted %" JSON_INTEGER_FORMAT ", waiting %" JSON_INTEGER_FORMAT
           ", rejected %" JSON_INTEGER_FORMAT ", not looked at %" JSON_INTEGER_FORMAT
           ", being read %" JSON_INTEGER_FORMAT "\n",
           cell_text(answer, "batch"), cell_text(answer, "state"), cell_number(documents, "accepted"),
           cell_number(documents, "waiting"), cell_number(documents, "rejected"), cell_number(documents, "fresh"),
           cell_number(documents, "open"));
    if (!count)
        return;
    table_print(columns, COUNT(columns), rounds);
    over_print(json_array_get(rounds, count - 1));
}

void round_print(const json_t *answer)
{
    printf("round %" JSON_INTEGER_FORMAT " of %s: %" JSON_INTEGER_FORMAT " documents, %" JSON_INTEGER_FORMAT " %%",
           cell_number(answer, "round"), cell_text(answer, "batch"), cell_number(answer, "documents"),
           cell_number(answer, "percent"));
    if (cell_number(answer, "seed"))
        printf(", seed %" JSON_INTEGER_FORMAT, cell_number(answer, "seed"));
    puts("");
}

void back_print(const json_t *answer)
{
    printf("%" JSON_INTEGER_FORMAT " documents of %s go back to work (%" JSON_INTEGER_FORMAT
           " pages, re-run %" JSON_INTEGER_FORMAT ")\n",
           cell_number(answer, "documents"), cell_text(answer, "batch"), cell_number(answer, "pages"),
           cell_number(answer, "rerun"));
}
