/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/alert.h"

#include <assert.h>
#include <string.h>

/* The formatter would pad every column to the widest. */
/* clang-format off */
static const struct alert_rule rule[ALERT_KINDS] = {
    [ALERT_REDIS_LOST] = {"redis_lost", "Redis không trả lời", "Redis does not answer", "#log", NULL, true, true, ALERT_KINDS},
    [ALERT_STANDBY_LOST] = {"standby_lost", "Máy điều phối dự phòng không trả lời", "A coordinator that stands by does not answer", "#overview", NULL, true, true, ALERT_KINDS},
    [ALERT_NO_WORKERS] = {"no_workers", "Không có máy trạm: không trang nào được đọc", "No worker: nothing is read", "#workers", NULL, true, true, ALERT_KINDS},
    [ALERT_WORKER_LOST] = {"worker_lost", "Máy trạm mất kết nối", "A worker is gone", "#workers", NULL, true, true, ALERT_KINDS},
    [ALERT_STORE_FULL] = {"store_full", "Kho lưu trữ sắp đầy", "The store is nearly full", "#overview", NULL, true, true, ALERT_KINDS},
    [ALERT_NO_PROGRESS] = {"no_progress", "Còn trang, có máy trạm, nhưng không trang nào được đọc", "Pages are left and workers are there, but nothing is read", "#workers", NULL, true, true, ALERT_KINDS},
    [ALERT_BATCH_PAUSED] = {"batch_paused", "Lô tự dừng vì lỗi lặp lại", "A batch paused itself: the same failure again and again", "#batches", "/", true, true, ALERT_KINDS},
    [ALERT_QUARANTINED] = {"quarantined", "Tài liệu bị cách ly trong lô", "Documents of a batch are quarantined", "#batches", "/", true, false, ALERT_KINDS},
    [ALERT_UNIT_LATE] = {"unit_late", "Đơn vị sẽ trễ hạn", "A unit will be late", "#units", "?q=", true, true, ALERT_KINDS},
    [ALERT_UNIT_AT_RISK] = {"unit_at_risk", "Đơn vị có nguy cơ trễ hạn", "A unit may be late", "#units", "?q=", true, true, ALERT_UNIT_LATE},
    [ALERT_UNDATED] = {"undated", "Đơn vị có trang chưa có hạn", "Units with pages without a deadline", "#units", NULL, false, false, ALERT_KINDS},
};
/* clang-format on */

const struct alert_rule *alert_rule(enum alert_kind kind)
{
    assert(kind < ALERT_KINDS);
    return &rule[kind];
}

enum alert_kind alert_named(const char *name)
{
    enum alert_kind kind = 0;
    while (kind < ALERT_KINDS && strcmp(rule[kind].name, name))
        kind++;
    return kind;
}

int alert_order(const struct alert *a, const struct alert *b)
{
    return a->kind != b->kind ? (a->kind > b->kind) - (a->kind < b->kind) : strcmp(a->subject, b->subject);
}
