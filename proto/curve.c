/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/curve.h"

#include <czmq.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/auto.h"
#include "proto/buf.h"

static void cert_destroy(zcert_t **cert)
{
    zcert_destroy(cert);
}

static void text_take(char *to, size_t room, const char *from)
{
    snprintf(to, room, "%s", from ? from : "");
}

int curve_load(const char *path, struct curve *ret_curve, struct err *err)
{
    static const uint8_t none[32];
    AUTO(cert_destroy) zcert_t *cert = access(path, R_OK) ? NULL : zcert_load(path);
    if (!cert || !memcmp(zcert_public_key(cert), none, sizeof none))
        return err_set(err, E_CONFIG, "%s can't be read, or has no CURVE key (sohoa key makes one)", path);
    bool secret = memcmp(zcert_secret_key(cert), none, sizeof none);
    text_take(ret_curve->name, sizeof ret_curve->name, zcert_meta(cert, "name"));
    text_take(ret_curve->public_key, sizeof ret_curve->public_key, zcert_public_txt(cert));
    text_take(ret_curve->secret_key, sizeof ret_curve->secret_key, secret ? zcert_secret_txt(cert) : NULL);
    return 0;
}

int curve_load_own(const char *path, struct curve *ret_curve, struct err *err)
{
    struct curve curve;
    struct stat file;
    int rc = curve_load(path, &curve, err);
    if (rc)
        return rc;
    if (!*curve.secret_key)
        return err_set(err, E_CONFIG, "%s has no secret key: give NAME.key, not NAME.pub", path);
    if (stat(path, &file) || file.st_mode & S_IRWXO)
        return err_set(err, E_CONFIG, "%s can be read by everybody: chmod o= it", path);
    *ret_curve = curve;
    return 0;
}

/* zcert's own way to save makes files that others can read. */
static int cert_save(zcert_t *cert, bool secret, const char *path, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, secret ? 0600 : 0644);
    if (fd < 0)
        return err_errno(err, errno == EEXIST ? E_EXISTS : E_IO, "%s", path);
    close(fd);
    if ((secret ? zcert_save_secret(cert, path) : zcert_save_public(cert, path)) ||
        (secret && chmod(path, S_IRUSR | S_IWUSR)))
        return err_errno(err, E_IO, "%s can't be written", path);
    return 0;
}

int curve_make(const char *name, const char *folder, struct err *err)
{
    AUTO(buf_destroy) struct buf key = {0};
    AUTO(buf_destroy) struct buf public_key = {0};
    zsys_handler_set(NULL);
    zsys_file_mode_private();
    AUTO(cert_destroy) zcert_t *cert = zcert_new();
    if (!cert)
        return err_set(err, E_NOMEM, "no memory for a certificate");
    zcert_set_meta(cert, "name", "%s", name);
    buf_printf(&key, "%s/%s.key", folder, name);
    buf_printf(&public_key, "%s/%s.pub", folder, name);
    int rc = cert_save(cert, true, buf_text(&key), err);
    return rc ? rc : cert_save(cert, false, buf_text(&public_key), err);
}

bool curve_is_near(const char *endpoint)
{
    static const char *const near[] = {"ipc://", "inproc://", "tcp://127.", "tcp://localhost:", "tcp://[::1]:"};
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++)
        if (!strncmp(endpoint, near[i], strlen(near[i])))
            return true;
    return false;
}

/* FNV-1a. */
static void stamp_mix(uint64_t *stamp, const void *data, size_t bytes)
{
    for (const unsigned char *byte = data; bytes; bytes--)
        *stamp = (*stamp ^ *byte++) * UINT64_C(1099511628211);
}

static void stamp_file(uint64_t *stamp, const struct stat *file)
{
    stamp_mix(stamp, &file->st_ino, sizeof file->st_ino);
    stamp_mix(stamp, &file->st_size, sizeof file->st_size);
    stamp_mix(stamp, &file->st_mtim, sizeof file->st_mtim);
    stamp_mix(stamp, &file->st_ctim, sizeof file->st_ctim);
}

uint64_t curve_stamp(const char *path)
{
    struct stat file;
    uint64_t stamp = UINT64_C(14695981039346656037);
    if (stat(path, &file))
        return 0;
    stamp_file(&stamp, &file);
    DIR *folder = S_ISDIR(file.st_mode) ? opendir(path) : NULL;
    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        if (*entry->d_name != '.' && !fstatat(dirfd(folder), entry->d_name, &file, 0)) {
            stamp_mix(&stamp, entry->d_name, strlen(entry->d_name));
            stamp_file(&stamp, &file);
        }
    if (folder)
        closedir(folder);
    return stamp;
}
