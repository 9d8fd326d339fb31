/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the webhook sends, as JSON: proto/PROTOCOL.md, "Notifications", says what each field means. */
#ifndef SOHOA_MESSAGE_H
#define SOHOA_MESSAGE_H

#include <jansson.h>

#include "coordinator/notify.h"

enum { MESSAGE_VERSION = 1 }; /* grows when a field goes or means something else */

json_t *message_json(const char *coordinator, const struct notify_message *message);
json_t *message_test_json(const char *coordinator, uint64_t now_ms);

#endif
