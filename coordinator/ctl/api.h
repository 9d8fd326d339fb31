/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The coordinator's HTTP API, as its only client sees it. Paths are relative to /api/v1/. Errors: what the coordinator says
 * (its code, its text), E_NET when it can't be reached, E_LIMIT for an answer larger than is believable, E_VERSION for one
 * that is not what the API promises. */
#ifndef SOHOA_CTL_API_H
#define SOHOA_CTL_API_H

#include <jansson.h>

#include "coordinator/ctl/ctl.h"
#include "proto/buf.h"
#include "proto/err.h"
#include "proto/json.h"

enum { API_PIECE_BYTES = 8 << 20 };

struct api;

/* address: ADDRESS:PORT or unix:PATH. Nothing is sent yet. Errors: E_USAGE. */
int api_new(const char *address, struct api **ret_api, struct err *err);
/* The same, of the coordinator that a command is for, with its token: what the first line of ctl->token_file says, else SOHOA_TOKEN.
 * Errors: those of the file, too. */
int api_open(const struct ctl *ctl, struct api **ret_api, struct err *err);
void api_destroy(struct api **api);

/* Each gives a JSON object, which the caller owns. */
int api_get(struct api *api, const char *path, json_t **ret_json, struct err *err);

/* body: one JSON object, may be NULL; lines: a manifest, at most API_PIECE_BYTES. ret_json may be NULL. */
int api_post(struct api *api, const char *path, const char *body, size_t bytes, json_t **ret_json, struct err *err);
int api_post_lines(struct api *api, const char *path, const void *lines, size_t bytes, json_t **ret_json,
                   struct err *err);

/* Admits a manifest of any size, in pieces. query: "priority=1" and the like, or ""; id NULL: named after the lines. Pieces that
 * are there already are passed over, so a call that was cut short is completed by repeating it. *ret_json: the batch; created
 * is false when all of it was there. */
int api_admit(struct api *api, const char *id, const char *query, const struct buf *lines, json_t **ret_json,
              struct err *err);

int api_delete(struct api *api, const char *path, json_t **ret_json, struct err *err); /* ret_json may be NULL */

/* Bytes as they are: into a buffer that may hold most bytes, or into a file from where it stands. */
int api_load(struct api *api, const char *path, size_t most, struct buf *into, struct err *err);
int api_save(struct api *api, const char *path, int fd, struct err *err);

/* text made fit for a path or a query: appended to *path. */
void api_escape(struct buf *path, const char *text);

/* To stdout, on one line: what --json asks for. */
void json_print(const json_t *json);

#endif
