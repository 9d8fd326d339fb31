/* SPDX-License-Identifier: AGPL-3.0-or-later
 * C2SP: tlog-checkpoint and signed-note. The origin and the key's name are the same, and follow from the key, so that whoever has
 * it knows them. */
#include "storage/checkpoint.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/auto.h"
#include "proto/clock.h"

#define PREFIX "ledger/checkpoint-"
#define ORIGIN "sohoa-ledger/"
#define DASH   "\xe2\x80\x94 " /* an em dash and a space begin a signature */

enum { KEY_NUMBER_BYTES = 4, FINGERPRINT_CHARS = 16, ED25519 = 0x01 };

const char *checkpoint_name(struct name *name, uint64_t size)
{
    snprintf(name->text, sizeof name->text, PREFIX "%0*" PRIu64, CHECKPOINT_SIZE_MAX_DIGITS, size);
    return name->text;
}

const char *checkpoint_origin(const uint8_t public[SIGNING_PUBLIC_BYTES], char origin[CHECKPOINT_ORIGIN_BYTES])
{
    uint8_t digest[SHA256_BYTES];
    char hex[SHA256_HEX_CHARS + 1];
    sha256_of(public, SIGNING_PUBLIC_BYTES, digest);
    sha256_hex(digest, hex);
    snprintf(origin, CHECKPOINT_ORIGIN_BYTES, ORIGIN "%.*s", FINGERPRINT_CHARS, hex);
    return origin;
}

/* signed-note: the first bytes of SHA-256(name || 0x0A || 0x01 || key). */
static void key_number(const uint8_t public[SIGNING_PUBLIC_BYTES], uint8_t number[KEY_NUMBER_BYTES])
{
    AUTO(buf_destroy) struct buf text = {0};
    char origin[CHECKPOINT_ORIGIN_BYTES];
    uint8_t digest[SHA256_BYTES];
    buf_printf(&text, "%s\n%c", checkpoint_origin(public, origin), ED25519);
    buf_append(&text, public, SIGNING_PUBLIC_BYTES);
    sha256_of(text.data, text.size, digest);
    memcpy(number, digest, KEY_NUMBER_BYTES);
}

void checkpoint_vkey(const uint8_t public[SIGNING_PUBLIC_BYTES], struct buf *text)
{
    char origin[CHECKPOINT_ORIGIN_BYTES];
    uint8_t number[KEY_NUMBER_BYTES], key[1 + SIGNING_PUBLIC_BYTES] = {ED25519};
    key_number(public, number);
    memcpy(key + 1, public, SIGNING_PUBLIC_BYTES);
    buf_printf(text, "%s+%02x%02x%02x%02x+", checkpoint_origin(public, origin), number[0], number[1], number[2],
               number[3]);
    base64_put(text, key, sizeof key);
}

static void checkpoint_write(const struct checkpoint *checkpoint, const struct signing_key *key, struct buf *note)
{
    char origin[CHECKPOINT_ORIGIN_BYTES];
    uint8_t said[KEY_NUMBER_BYTES + SIGNATURE_BYTES];
    checkpoint_origin(key->public, origin);
    buf_printf(note, "%s\n%" PRIu64 "\n", origin, checkpoint->size);
    base64_put(note, checkpoint->root, SHA256_BYTES);
    buf_printf(note, "\ntime %s\nafter %" PRIu64 "\n", checkpoint->time, checkpoint->after);
    key_number(key->public, said);
    signing_sign(key, note->data, note->size, said + KEY_NUMBER_BYTES);
    buf_printf(note, "\n" DASH "%s ", origin);
    base64_put(note, said, sizeof said);
    buf_puts(note, "\n");
}

int checkpoint_put(struct store *store, const struct signing_key *key, uint64_t size, const uint8_t root[SHA256_BYTES],
                   uint64_t after, struct err *err)
{
    AUTO(buf_destroy) struct buf note = {0};
    struct checkpoint checkpoint = {.size = size, .after = after};
    struct name name;
    struct tm utc;
    time_t now = (time_t)(clock_wall_ms() / 1000);
    memcpy(checkpoint.root, root, SHA256_BYTES);
    gmtime_r(&now, &utc);
    strftime(checkpoint.time, sizeof checkpoint.time, "%Y-%m-%dT%H:%M:%SZ", &utc);
    checkpoint_write(&checkpoint, key, &note);
    int rc = store_guard_create(store, checkpoint_name(&name, size), note.data, note.size, err);
    return rc == E_EXISTS ? 0 : rc;
}

/* ---- reading ---- */

static bool number_read(const char **at, uint64_t *number)
{
    char *end;
    if (**at < '0' || **at > '9')
        return false;
    *number = strtoull(*at, &end, 10);
    bool line = *end == '\n';
    *at = end + line;
    return line;
}

static bool root_read(const char **at, uint8_t root[SHA256_BYTES])
{
    size_t chars = strcspn(*at, "\n");
    bool whole = (*at)[chars] && base64_read(*at, chars, root, SHA256_BYTES) == SHA256_BYTES;
    *at += chars + whole;
    return whole;
}

int checkpoint_read(const struct buf *note, struct checkpoint *ret_checkpoint, struct err *err)
{
    struct checkpoint said = {0};
    const char *text = buf_text(note), *at = strchr(text, '\n'), *end = strstr(text, "\n\n" DASH);
    bool whole = note->size <= CHECKPOINT_BYTES && !strncmp(text, ORIGIN, strlen(ORIGIN)) && end && at++ < end;
    whole = whole && number_read(&at, &said.size) && root_read(&at, said.root);
    for (; whole && at < end; at += strcspn(at, "\n") + 1) {
        if (!strncmp(at, "time ", 5))
            snprintf(said.time, sizeof said.time, "%.*s", (int)strcspn(at + 5, "\n"), at + 5);
        if (!strncmp(at, "after ", 6))
            said.after = strtoull(at + 6, NULL, 10);
    }
    if (!whole)
        return err_set(err, E_CORRUPT, "that is no checkpoint of a ledger");
    *ret_checkpoint = said;
    return 0;
}

enum checkpoint_signer checkpoint_signer(const struct buf *note, const uint8_t public[SIGNING_PUBLIC_BYTES])
{
    const char *text = buf_text(note), *end = strstr(text, "\n\n" DASH);
    char origin[CHECKPOINT_ORIGIN_BYTES];
    uint8_t said[KEY_NUMBER_BYTES + SIGNATURE_BYTES], number[KEY_NUMBER_BYTES];
    size_t chars = strlen(checkpoint_origin(public, origin));
    key_number(public, number);
    if (!end)
        return SIGNED_BY_OTHERS;
    const char *at = end + strlen("\n\n" DASH);
    if (strncmp(at, origin, chars) || at[chars] != ' ')
        return SIGNED_BY_OTHERS;
    at += chars + 1;
    if (base64_read(at, strcspn(at, "\n"), said, sizeof said) != sizeof said || memcmp(said, number, sizeof number))
        return SIGNED_FALSELY;
    bool fits = !strncmp(text, origin, chars) && text[chars] == '\n' &&
                signing_fits(public, text, (size_t)(end + 1 - text), said + KEY_NUMBER_BYTES);
    return fits ? SIGNED_BY_KEY : SIGNED_FALSELY;
}

/* ---- in the store ---- */

static int name_found(const char *name, void *user)
{
    char *end;
    const char *digits = name + strlen(PREFIX);
    uint64_t size = strtoull(digits, &end, 10);
    if (end != digits && !*end)
        buf_append(user, &size, sizeof size);
    return 0;
}

static int sizes_order(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

int checkpoints_find(struct store *store, struct buf *sizes, struct err *err)
{
    int rc = store_list(store, PREFIX, name_found, sizes, err);
    if (!rc && sizes->size)
        qsort(sizes->data, sizes->size / sizeof(uint64_t), sizeof(uint64_t), sizes_order);
    return rc;
}

static void checkpoint_load(const struct buf *note, uint64_t size, const uint8_t public[SIGNING_PUBLIC_BYTES],
                            struct checkpoints *into)
{
    struct checkpoint said;
    struct err err;
    if (!checkpoint_read(note, &said, &err) && said.size == size && checkpoint_signer(note, public) == SIGNED_BY_KEY)
        into->at[into->count++] = said;
}

int checkpoints_load(struct store *store, const uint8_t public[SIGNING_PUBLIC_BYTES], size_t most,
                     struct checkpoints *ret_checkpoints, struct err *err)
{
    AUTO(buf_destroy) struct buf sizes = {0};
    AUTO(checkpoints_destroy) struct checkpoints found = {0};
    int rc = checkpoints_find(store, &sizes, err);
    if (rc)
        return rc;
    const uint64_t *size = (const uint64_t *)(const void *)sizes.data;
    size_t count = sizes.size / sizeof *size, first = count > most ? count - most : 0;
    found.at = calloc(count - first + 1, sizeof *found.at);
    if (!found.at)
        return err_set(err, E_NOMEM, "no memory for the ledger's checkpoints");
    for (size_t i = first; i < count && !rc; i++) {
        AUTO(buf_destroy) struct buf note = {0};
        struct name name;
        rc = store_get(store, checkpoint_name(&name, size[i]), CHECKPOINT_BYTES, &note, err);
        if (!rc)
            checkpoint_load(&note, size[i], public, &found);
        else if (rc == E_LIMIT || rc == E_ABSENT)
            rc = 0;
    }
    if (rc)
        return rc;
    *ret_checkpoints = found;
    found = (struct checkpoints){0};
    return 0;
}

void checkpoints_destroy(struct checkpoints *checkpoints)
{
    free(checkpoints->at);
    *checkpoints = (struct checkpoints){0};
}
