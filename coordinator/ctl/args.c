/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One pass over argv; what it gives is borrowed from there. */
#include "coordinator/ctl/args.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/limits.h"
#include "proto/manual.h"

void texts_destroy(struct texts *texts)
{
    free(texts->item);
    *texts = (struct texts){0};
}

void texts_add(struct texts *texts, const char *text)
{
    texts->item = realloc(texts->item, (texts->count + 1) * sizeof *texts->item);
    assert(texts->item);
    texts->item[texts->count++] = text;
}

/* Splits value at its commas, in place. */
static void texts_split(struct texts *texts, char *value)
{
    char *rest = value;
    for (char *text = strsep(&rest, ","); text; text = strsep(&rest, ","))
        if (*text)
            texts_add(texts, text);
}

static void flag_print(const struct flag *flag)
{
    char left[64];
    char letter[] = {'-', flag->letter, ',', ' ', '\0'};
    snprintf(left, sizeof left, "%s--%s%s%s", flag->letter ? letter : "", flag->name, flag->meta ? " " : "",
             flag->meta ? flag->meta : "");
    printf("  %-24s %s\n", left, flag->doc);
}

static void help_print(const struct command *command, const struct flag *flags, size_t count)
{
    printf("usage: sohoa %s%s%s\n\n%s\n\noptions:\n", command->name, *command->operands ? " " : "", command->operands,
           command->doc);
    for (size_t i = 0; i < count; i++)
        flag_print(&flags[i]);
}

static void flags_tell(enum telling how, const struct flag *flags, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (how == TELL_WORDS) {
            printf("%s--%s", i ? " " : "", flags[i].name);
            continue;
        }
        printf("*--%s*%s", flags[i].name, flags[i].meta ? " " : "");
        manual_text(flags[i].meta ? flags[i].meta : "");
        printf("%s\n\t", flags[i].letter ? ", also behind a single dash by its first letter" : "");
        manual_text(flags[i].doc);
        puts("\n");
    }
}

static const struct flag *flag_find(const struct flag *flags, size_t count, const char *name, size_t bytes)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(flags[i].name) == bytes && !memcmp(flags[i].name, name, bytes))
            return &flags[i];
    return NULL;
}

static void flag_take(const struct flag *flag, char *value)
{
    if (flag->text)
        *flag->text = value;
    else if (flag->list)
        texts_split(flag->list, value);
    else
        *flag->on = true;
}

static int option_take(const struct flag *flags, size_t count, char **argv, int *at, struct err *err)
{
    char *name = argv[*at] + 2;
    char *equals = strchr(name, '=');
    size_t bytes = equals ? (size_t)(equals - name) : strlen(name);
    const struct flag *flag = flag_find(flags, count, name, bytes);
    if (!flag)
        return err_set(err, E_USAGE, "there is no option '%.60s'", argv[*at]);
    if (!flag->meta && equals)
        return err_set(err, E_USAGE, "--%s takes no value", flag->name);
    char *value = equals ? equals + 1 : NULL;
    if (flag->meta && !value)
        value = argv[++*at];
    if (flag->meta && (!value || !*value))
        return err_set(err, E_USAGE, "--%s needs a value: %s", flag->name, flag->meta);
    flag_take(flag, value);
    return 0;
}

/* Of a switch. */
static int letter_take(const struct flag *flags, size_t count, const char *given, struct err *err)
{
    for (size_t i = 0; i < count && !given[2]; i++)
        if (flags[i].letter == given[1]) {
            flag_take(&flags[i], NULL);
            return 0;
        }
    return err_set(err, E_USAGE, "there is no option '%.60s'", given);
}

enum { GLOBAL_FLAGS = 5, FLAGS_MAX = 32, LINE_BYTES = 1026 };

int args_parse(const struct command *command, struct ctl *ctl, const struct flag *flags, size_t count, int argc,
               char **argv, struct texts *operands, struct err *err)
{
    bool help = false;
    if (ctl->telling == TELL_MANUAL) {
        flags_tell(ctl->telling, flags, count);
        return ARGS_HELPED;
    }
    assert(count + GLOBAL_FLAGS <= FLAGS_MAX);
    struct flag all[FLAGS_MAX];
    if (count)
        memcpy(all, flags, count * sizeof *flags);
    all[count++] = (struct flag){.name = "api",
                                 .meta = "WHERE",
                                 .text = &ctl->api,
                                 .doc = "the coordinator: ADDRESS:PORT, https://ADDRESS:PORT or unix:PATH"};
    all[count++] = (struct flag){.name = "ca",
                                 .meta = "FILE",
                                 .text = &ctl->ca_file,
                                 .doc = "certificate that https is checked with; else SOHOA_CA"};
    all[count++] = (struct flag){.name = "token-file",
                                 .meta = "FILE",
                                 .text = &ctl->token_file,
                                 .doc = "holds the token of your account; else SOHOA_TOKEN"};
    all[count++] = (struct flag){.name = "json", .doc = "JSON on stdout", .on = &ctl->json};
    all[count++] = (struct flag){.name = "help", .doc = "this text", .on = &help};
    if (ctl->telling == TELL_WORDS) {
        flags_tell(ctl->telling, all, count);
        return ARGS_HELPED;
    }
    bool options = true;
    int rc = 0;
    for (int at = 1; at < argc && !rc; at++) {
        if (options && !strcmp(argv[at], "--"))
            options = false;
        else if (options && argv[at][0] == '-' && argv[at][1] == '-')
            rc = option_take(all, count, argv, &at, err);
        else if (options && argv[at][0] == '-' && argv[at][1])
            rc = letter_take(all, count, argv[at], err);
        else
            texts_add(operands, argv[at]);
    }
    if (rc || !help)
        return rc;
    help_print(command, all, count);
    return ARGS_HELPED;
}

int args_number(const char *name, const char *text, uint32_t least, uint32_t most, uint32_t *ret_number,
                struct err *err)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || number < least || number > most)
        return err_set(err, E_USAGE, "%s '%.40s' is not a number from %" PRIu32 " to %" PRIu32, name, text, least,
                       most);
    *ret_number = (uint32_t)number;
    return 0;
}

int args_line(const char *path, struct buf *line, struct err *err)
{
    AUTO(file_destroy) FILE *file = fopen(path, "re");
    char text[LINE_BYTES];
    if (!file)
        return err_errno(err, E_ABSENT, "%s", path);
    if (!fgets(text, sizeof text, file))
        text[0] = '\0';
    size_t bytes = strcspn(text, "\r\n");
    if (!bytes || bytes == sizeof text - 1)
        return err_set(err, E_USAGE, "%s: its first line has no or over %d bytes", path, LINE_BYTES - 2);
    buf_append(line, text, bytes);
    return 0;
}

int args_batch(const char *id, struct err *err)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t bytes = strlen(id);
    if (!bytes || bytes >= NAME_BYTES || strspn(id, letters) != bytes || id[0] == '.')
        return err_set(err, E_USAGE,
                       "batch id '%.60s': 1 to %d letters, digits, '.', '_' or '-', not starting with '.'", id,
                       NAME_BYTES - 1);
    return 0;
}
