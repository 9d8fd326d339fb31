/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/message.h"

#include <inttypes.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/buf.h"
#include "proto/err.h"

struct words {
    const char *over, *more;
};
static const struct words words_vi = {"Đã hết: ", "và %zu mục khác"}, words_en = {"Over: ", "and %zu more"};

/* Names of workers are what their hosts say: bytes that are no text must not keep a message back. */
static json_t *name_json(const char *name)
{
    json_t *json = json_string(name);
    return json ? json : json_string("?");
}

static void subjects_say(struct buf *text, const struct notify_message *message, const char *more)
{
    if (message->subjects == 1 && !*message->subject[0])
        return;
    for (size_t i = 0; i < message->named; i++)
        buf_printf(text, "%s%s", i ? ", " : ": ", *message->subject[i] ? message->subject[i] : "–");
    if (message->subjects > message->named) {
        buf_puts(text, " ");
        buf_printf(text, more, message->subjects - message->named);
    }
}

static json_t *text_json(const struct notify_message *message, const char *phrase, const struct words *words)
{
    AUTO(buf_destroy) struct buf text = {0};
    buf_printf(&text, "%s%s", message->over ? words->over : "", phrase);
    subjects_say(&text, message, words->more);
    if (message->count > message->subjects)
        buf_printf(&text, " (%" PRIu64 ")", message->count);
    if (message->code)
        buf_printf(&text, " (%s)", err_name(message->code));
    return name_json(buf_text(&text));
}

static void escape(struct buf *to, const char *text)
{
    for (; *text; text++)
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-", *text))
            buf_append(to, text, 1);
        else
            buf_printf(to, "%%%02X", (unsigned char)*text);
}

static json_t *url_json(const struct notify_message *message, const struct alert_rule *rule)
{
    AUTO(buf_destroy) struct buf url = {0};
    buf_printf(&url, "/%s", rule->page);
    if (rule->within && message->subjects == 1 && *message->subject[0]) {
        buf_puts(&url, rule->within);
        escape(&url, message->subject[0]);
    }
    return json_string(buf_text(&url));
}

json_t *message_json(const char *coordinator, const struct notify_message *message)
{
    const struct alert_rule *rule = alert_rule(message->kind);
    json_t *subjects = json_array();
    for (size_t i = 0; i < message->named; i++)
        json_array_append_new(subjects, name_json(message->subject[i]));
    return json_pack("{s:s, s:i, s:o, s:s, s:s, s:o, s:{s:o, s:o}, s:I, s:I, s:o, s:o}", "source", "sohoa", "version",
                     MESSAGE_VERSION, "coordinator", name_json(coordinator), "state",
                     message->over ? "resolved" : "firing", "kind", rule->name, "subject",
                     name_json(message->subjects == 1 ? message->subject[0] : ""), "text", "vi",
                     text_json(message, rule->vi, &words_vi), "en", text_json(message, rule->en, &words_en), "since_ms",
                     (json_int_t)message->since_ms, "count", (json_int_t)message->count, "subjects", subjects, "url",
                     url_json(message, rule));
}

json_t *message_test_json(const char *coordinator, uint64_t now_ms)
{
    return json_pack("{s:s, s:i, s:o, s:s, s:s, s:s, s:{s:s, s:s}, s:I, s:i, s:[], s:s}", "source", "sohoa", "version",
                     MESSAGE_VERSION, "coordinator", name_json(coordinator), "state", "test", "kind", "test", "subject",
                     "", "text", "vi", "Tin thử: cảnh báo sẽ đến đây", "en", "A test: alerts will come here",
                     "since_ms", (json_int_t)now_ms, "count", 0, "subjects", "url", "/");
}
