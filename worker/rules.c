/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "worker/rules.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "worker/rules_acronyms.h"
#include "worker/rules_areas.h"
#include "worker/rules_blocs.h"
#include "worker/rules_bodies.h"
#include "worker/rules_offices.h"
#include "worker/rules_personal.h"
#include "worker/rules_places.h"
#include "worker/rules_retention.h"
#include "worker/rules_secrecy.h"
#include "worker/rules_surnames.h"
#include "worker/rules_types.h"
#include "worker/rules_urgency.h"

struct file {
    const unsigned char *bytes;
    size_t size;
    char between; /* cells */
};

static struct file file_of(enum rules_name name)
{
    switch (name) {
    case RULES_TYPES: return (struct file){rules_types, sizeof rules_types, '\t'};
    case RULES_BODIES: return (struct file){rules_bodies, sizeof rules_bodies, '\t'};
    case RULES_ACRONYMS: return (struct file){rules_acronyms, sizeof rules_acronyms, '\t'};
    case RULES_URGENCY: return (struct file){rules_urgency, sizeof rules_urgency, '\t'};
    case RULES_OFFICES: return (struct file){rules_offices, sizeof rules_offices, '\t'};
    case RULES_AREAS: return (struct file){rules_areas, sizeof rules_areas, '\t'};
    case RULES_RETENTION: return (struct file){rules_retention, sizeof rules_retention, '\t'};
    case RULES_PERSONAL: return (struct file){rules_personal, sizeof rules_personal, '\t'};
    case RULES_BLOCS: return (struct file){rules_blocs, sizeof rules_blocs, '\t'};
    case RULES_SECRECY: return (struct file){rules_secrecy, sizeof rules_secrecy, '\t'};
    case RULES_SURNAMES: return (struct file){rules_surnames, sizeof rules_surnames, '\t'};
    default: return (struct file){rules_places, sizeof rules_places, ','};
    }
}

static void row_read(char *line, char between, const char **cell)
{
    for (int i = 0; i < RULES_CELLS; i++)
        cell[i] = "";
    for (int i = 0; line; i++) {
        assert(i < RULES_CELLS);
        char *end = strchr(line, between);
        cell[i] = line;
        if (end)
            *end = 0;
        line = end ? end + 1 : NULL;
    }
}

static size_t lines_of(const struct file *file)
{
    size_t lines = 1;
    for (size_t i = 0; i < file->size; i++)
        lines += file->bytes[i] == '\n';
    return lines;
}

static struct rules *rules_read(const struct file *file)
{
    struct rules *rules = calloc(1, sizeof *rules);
    char *text = malloc(file->size + 1);
    if (!rules || !text)
        abort();
    rules->row = calloc(lines_of(file), sizeof *rules->row);
    if (!rules->row)
        abort();
    memcpy(text, file->bytes, file->size);
    text[file->size] = 0;
    int named = 0;
    for (char *line = text, *next; *line; line = next) {
        size_t length = strcspn(line, "\n");
        next = line + length + (line[length] == '\n');
        line[length] = 0;
        if (!*line || *line == '#' || !named++)
            continue;
        row_read(line, file->between, rules->row[rules->rows++]);
    }
    return rules;
}

const struct rules *rules_of(enum rules_name name)
{
    static struct rules *read[RULES_TABLES];
    if (read[name])
        return read[name];
    struct file file = file_of(name);
    read[name] = rules_read(&file);
    return read[name];
}

int rules_list_has(const char *list, const char *item)
{
    size_t size = strlen(item);
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strcspn(at, ",") == size && !memcmp(at, item, size))
            return size > 0;
    return 0;
}
