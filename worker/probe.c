/* SPDX-License-Identifier: AGPL-3.0-or-later
 * PROBE's own steps. A scan is copied and hashed before anything else happens; the slot opens that copy; only what opened
 * is stored, and only if the scan still reads the same. So what is stored is what was looked at, and a refused file
 * never fills the store. */
#include "storage/name.h"
#include "worker/step.h"

int step_read(struct job *job, unsigned part, struct err *err)
{
    (void)part;
    const struct config *config = job->node->config;
    return source_read(config_text(config, CFG_SOURCE_ROOT), job->order->source,
                       (uint64_t)config_int(config, CFG_SOURCE_MAX_BYTES), &job->source, err);
}

int step_keep(struct job *job, unsigned part, struct err *err)
{
    (void)part;
    struct store *store = job->node->store;
    struct name src, stop;
    if (job->order->check_only)
        return 0;
    int rc = store_stat(store, name_stop(&stop, job->source->sha256), NULL, err);
    if (!rc)
        return err_set(err, E_STOPPED, "%s is quarantined", job->order->source);
    if (rc == E_ABSENT)
        rc = store_stat(store, name_src(&src, job->source->sha256), NULL, err);
    if (rc != E_ABSENT)
        return rc;
    rc = source_confirm(config_text(job->node->config, CFG_SOURCE_ROOT), job->order->source, job->source, err);
    if (!rc)
        rc = store_create_from(store, src.text, job->source->fd, job->source->bytes, err);
    return rc == E_EXISTS ? 0 : rc;
}
