/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The place of a back-up: its lock, and how far it is. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "storage/backup_private.h"

enum { LOCK_TTL_MS = 30000, LOCK_RENEW_MS = 5000, POSITION_BYTES = 512 };

static const char position_name[] = "inventory/position";

const char *backup_wrong_name(enum backup_wrong wrong)
{
    static const char *const name[] = {
        [BACKUP_MISSING] = "missing", [BACKUP_EXTRA] = "extra", [BACKUP_DAMAGED] = "damaged"};
    return name[wrong];
}

int backup_work_begin(struct backup_work *work, struct store *locked, struct stock_watch *watch,
                      struct backup_report *report, struct err *err)
{
    char host[NAME_BYTES / 2] = "", owner[NAME_BYTES];
    gethostname(host, sizeof host - 1);
    snprintf(owner, sizeof owner, "a back-up (process %d on %s)", (int)getpid(), host);
    *work = (struct backup_work){.locked = locked, .watch = watch, .report = report, .renewed_ms = clock_mono_ms()};
    *report = (struct backup_report){0};
    pthread_mutex_init(&work->mutex, NULL);
    return store_lock(locked, owner, LOCK_TTL_MS, err);
}

void backup_work_end(struct backup_work *work)
{
    pthread_mutex_destroy(&work->mutex);
}

int backup_alive(void *user, struct err *err)
{
    struct backup_work *work = user;
    uint64_t now_ms = clock_mono_ms();
    if (atomic_load(&work->watch->stop))
        return err_set(err, E_STATE, "interrupted; the same again goes on");
    if (now_ms - work->renewed_ms < LOCK_RENEW_MS)
        return 0;
    work->renewed_ms = now_ms;
    return store_renew(work->locked, err);
}

void backup_find(struct backup_work *work, enum backup_wrong wrong, const char *blob, const char *text)
{
    pthread_mutex_lock(&work->mutex);
    if (work->report->findings < BACKUP_FINDINGS_MAX) {
        struct backup_finding *finding = &work->report->finding[work->report->findings];
        finding->wrong = wrong;
        snprintf(finding->blob, sizeof finding->blob, "%s", blob);
        snprintf(finding->text, sizeof finding->text, "%s", text);
    }
    work->report->findings++;
    pthread_mutex_unlock(&work->mutex);
}

int backup_position_load(struct store *store, struct backup_position *ret_position, struct err *err)
{
    AUTO(buf_destroy) struct buf text = {0};
    struct backup_position position = {0};
    char scope[8], hex[SHA256_HEX_CHARS + 1];
    size_t bytes;
    int rc = store_get(store, position_name, POSITION_BYTES, &text, err);
    if (rc)
        return rc == E_LIMIT ? err_set(err, E_CORRUPT, "%s is damaged", position_name) : rc;
    if (!inventory_sealed(&text, &bytes) ||
        sscanf(buf_text(&text), "sohoa-backup 1\nscope %7s\nentries %" SCNu64 "\nlast %64s\n", scope, &position.entries,
               hex) != 3 ||
        !sha256_unhex(hex, position.last))
        return err_set(err, E_CORRUPT, "%s is damaged", position_name);
    position.records = !strcmp(scope, "records");
    *ret_position = position;
    return 0;
}

int backup_position_save(struct store *store, const struct backup_position *position, struct err *err)
{
    AUTO(buf_destroy) struct buf text = {0};
    char hex[SHA256_HEX_CHARS + 1];
    sha256_hex(position->last, hex);
    buf_printf(&text, "sohoa-backup 1\nscope %s\nentries %" PRIu64 "\nlast %s\n", position->records ? "records" : "all",
               position->entries, hex);
    inventory_seal(&text);
    return store_guard_replace(store, position_name, text.data, text.size, err);
}

static int any_name(const char *name, void *user)
{
    (void)name;
    *(bool *)user = true;
    return 1;
}

int backup_any(struct store *store, bool *ret_any, struct err *err)
{
    *ret_any = false;
    int rc = store_list(store, "", any_name, ret_any, err);
    return rc > 0 ? 0 : rc;
}
