/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One package of one file (hồ sơ): an E-ARK CSIP ZIP.
 *
 *     ROOT/METS.xml                                            ROOT: OBJID, its colons as _
 *     ROOT/metadata/descriptive/EAD.xml                        the file
 *     ROOT/metadata/preservation/PREMIS.xml
 *     ROOT/schemas/EAD.xsd, EAD_doc.xsd                        what the profile asks of both
 *     ROOT/representations/rep1/METS.xml
 *     ROOT/representations/rep1/metadata/descriptive/EAD_doc_N.xml, metadata/preservation/PREMIS_rep1.xml
 *     ROOT/representations/rep1/data/CODE.N.pdf                N: ordinal in seven digits
 *
 * It is looked through twice: first what every rule finds and what the package will be called, then it is written, a member at a time. The
 * same documents give the same bytes. */
#ifndef SOHOA_PACKAGE_PACK_H
#define SOHOA_PACKAGE_PACK_H

#include "coordinator/package/values.h"
#include "proto/err.h"
#include "proto/limits.h"

enum { PACK_NAME_BYTES = NAME_BYTES + 64, PACK_TIME_BYTES = 32 };

/* What a package is made of; each call may fail, and says why. */
struct pack_source {
    int (*record)(uint32_t doc, json_t **ret_record, void *user, struct err *err);
    int (*pdf)(uint32_t doc, int fd, void *user, struct err *err); /* into an empty file */
    void (*done)(uint32_t doc, void *user);                        /* it is in the package */
    void *user;
};

struct pack {
    const struct profile *profile;
    const struct values_rules *rules;
    const char *build;
    bool unreviewed;     /* nobody accepted the batch: the package says so */
    const uint32_t *doc; /* by number in the batch */
    size_t docs;
    /* what the first look tells */
    char fonds[NAME_BYTES], code[NAME_BYTES];
    char id[PACK_NAME_BYTES], name[PACK_NAME_BYTES]; /* OBJID; of the folder in the ZIP, and of the ZIP without .zip */
    char created[PACK_TIME_BYTES];                   /* of its latest document */
    uint32_t *ordinal;                               /* of each document */
    struct values_sum sum;
};
void pack_clear(struct pack *pack);

/* The first look. found: what keeps it from being packed (doc NONE_DOC: of the file). Returns 0, whatever was found: *ret_findings. */
#define PACK_FILE UINT32_MAX
int pack_look(struct pack *pack, const struct pack_source *source,
              void (*found)(uint32_t doc, const char *field, const char *why, void *user), size_t *ret_findings,
              struct err *err);

/* Writes it to fd, an empty file; temp: a folder for what is written aside. */
int pack_write(const struct pack *pack, const struct pack_source *source, int temp, int fd, struct err *err);

#endif
