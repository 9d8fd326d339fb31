/* SPDX-License-Identifier: AGPL-3.0-or-later
 * PREMIS 3: what happened to the objects of a package, and their fixity. */
#ifndef SOHOA_PACKAGE_PREMIS_H
#define SOHOA_PACKAGE_PREMIS_H

#include <jansson.h>

#include "coordinator/package/mets.h"

/* One for each document, in the order of the members of use USE_DATA; kept as texts, so a record need not be kept. */
struct premis_event {
    char *object; /* path of the PDF */
    char *type;   /* "digitization", "validation", "metadata modification" */
    char *time;   /* ISO 8601 */
    char *detail;
};

struct premis {
    struct premis_event *event;
    size_t events;
};
void premis_clear(struct premis *premis);

/* What the record tells of its document: read by what, corrected by whom. */
void premis_add_record(struct premis *premis, const char *object, const json_t *record);
void premis_add(struct premis *premis, const char *object, const char *type, const char *time, const char *detail);

/* objects: the representation's members; NULL: the package as a whole, under its id. Errors: E_IO. */
int premis_write(const struct premis *premis, const struct mets *mets, const struct members *objects, int fd,
                 struct err *err);

#endif
