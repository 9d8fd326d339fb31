/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Results as files: DIR/<name>/{document.pdf,text.txt,alto.xml,record.json}. A file that is there with the bytes it should
 * have is not touched; any other is written beside its place and renamed. Duplicates are hard links to their master's files,
 * or copies where the file system has no links. What is quarantined is removed from DIR. */
#ifndef SOHOA_EXPORT_H
#define SOHOA_EXPORT_H

#include "coordinator/ctl/outcome.h"

enum { RECORD_MAX_BYTES = 64 << 20 };

struct export;

/* Makes the folder and those above it. Errors: E_IO. */
int export_folder(const char *path, struct err *err);

/* Results of batch go below the folder out, which is made if need be. api and batch are borrowed. Errors: E_IO. */
int export_new(struct api *api, const char *batch, const char *out, struct export **ret_export, struct err *err);
void export_destroy(struct export **export);

/* Brings the files of document doc in line with its outcome, whose name must be set; a duplicate's master first. Sets there
 * and exported; what is exported already, or open, is left alone. Errors: E_IO, E_CORRUPT, those of the API. */
int export_document(struct export *export, struct outcomes *outcomes, uint32_t doc, struct err *err);

/* Writes a file right in the folder out, unless it has these bytes. */
int export_file(struct export *export, const char *file, const void *data, size_t bytes, struct err *err);

#endif
