/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/auto.h"
#include "proto/limits.h"
#include "proto/listen.h"

enum { PEM_BYTES_MOST = 1 << 20, SERIAL_BYTES = 16, DAY_SECONDS = 86400 };

static void x509_destroy(X509 **x)
{
    X509_free(*x);
}

static void pkey_destroy(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static int pem_read(const char *path, struct buf *pem, struct err *err)
{
    AUTO(fd_destroy) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat file;
    if (fd < 0 || fstat(fd, &file))
        return err_errno(err, E_CONFIG, "%s", path);
    if (file.st_size > PEM_BYTES_MOST)
        return err_set(err, E_CONFIG, "%s: over %d bytes (PEM_BYTES_MOST)", path, PEM_BYTES_MOST);
    size_t bytes = (size_t)file.st_size;
    if (read(fd, buf_reserve(pem, bytes), bytes) != file.st_size)
        return err_errno(err, E_CONFIG, "%s", path);
    pem->size = bytes;
    pem->data[bytes] = '\0';
    return bytes ? 0 : err_set(err, E_CONFIG, "%s is empty", path);
}

/* ---- one of our own making ---- */

static bool extension_add(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool added = extension && X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
    return added;
}

/* Names that it answers to: its own, the host's, the address, and those by which the host knows itself. */
static bool names_add(X509 *x, const char *name, const char *where)
{
    AUTO(buf_destroy) struct buf names = {0};
    char host[NAME_BYTES] = "", address[NAME_BYTES];
    struct in6_addr number;
    const char *bracketed = *where == '[' ? where + 1 : where;
    snprintf(address, sizeof address, "%.*s", (int)(strcspn(bracketed, *where == '[' ? "]" : ":")), bracketed);
    gethostname(host, sizeof host - 1);
    buf_printf(&names, "DNS:localhost,IP:127.0.0.1,IP:::1,DNS:%s", name);
    if (strcmp(host, name))
        buf_printf(&names, ",DNS:%s", host);
    bool numbered = inet_pton(AF_INET, address, &number) == 1 || inet_pton(AF_INET6, address, &number) == 1;
    if (*address && strcmp(address, name))
        buf_printf(&names, ",%s:%s", numbered ? "IP" : "DNS", address);
    return extension_add(x, NID_subject_alt_name, buf_text(&names));
}

static bool serial_set(X509 *x)
{
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
    BN_free(number);
    return set;
}

static X509 *cert_new(EVP_PKEY *key, const char *name, const char *where)
{
    AUTO(x509_destroy) X509 *x = X509_new();
    X509_NAME *subject = x ? X509_get_subject_name(x) : NULL;
    if (!x || !X509_set_version(x, X509_VERSION_3) || !serial_set(x) || !X509_gmtime_adj(X509_getm_notBefore(x), 0) ||
        !X509_gmtime_adj(X509_getm_notAfter(x), (long)CERTIFICATE_DAYS * DAY_SECONDS) || !X509_set_pubkey(x, key) ||
        !X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) ||
        !X509_set_issuer_name(x, subject) || !extension_add(x, NID_basic_constraints, "critical,CA:TRUE") ||
        !names_add(x, name, where) || !X509_sign(x, key, EVP_sha256()))
        return NULL;
    X509 *made = x;
    x = NULL;
    return made;
}

static FILE *file_make(const char *path, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    return fd < 0 ? NULL : fdopen(fd, "w");
}

static int certificate_make(const char *cert_file, const char *key_file, const char *name, const char *where,
                            struct err *err)
{
    AUTO(pkey_destroy) EVP_PKEY *key = EVP_EC_gen("P-256");
    AUTO(x509_destroy) X509 *x = key ? cert_new(key, name, where) : NULL;
    if (!x)
        return err_set(err, E_CONFIG,
                       "no certificate can be made for '%s' at %s: give http_cert_file and http_key_file", name, where);
    AUTO(file_destroy) FILE *key_to = file_make(key_file, 0600);
    if (!key_to || !PEM_write_PrivateKey(key_to, key, NULL, NULL, 0, NULL, NULL) || fflush(key_to))
        return err_errno(err, E_CONFIG, "%s can't be made", key_file);
    AUTO(file_destroy) FILE *cert_to = file_make(cert_file, 0644);
    if (!cert_to || !PEM_write_X509(cert_to, x) || fflush(cert_to))
        return err_errno(err, E_CONFIG, "%s can't be made", cert_file);
    return 0;
}

static int files_take(const char *cert_file, const char *key_file, const char *name, const char *where,
                      struct certificate *certificate, struct err *err)
{
    int rc = 0;
    if (access(cert_file, F_OK) && access(key_file, F_OK))
        rc = certificate_make(cert_file, key_file, name, where, err);
    if (!rc)
        rc = pem_read(cert_file, &certificate->chain, err);
    return rc ? rc : pem_read(key_file, &certificate->key, err);
}

int certificate_load(const struct config *config, const char *name, struct certificate *certificate, struct err *err)
{
    const char *where = config_text(config, CFG_HTTP);
    const char *cert_file = config_text(config, CFG_HTTP_CERT_FILE), *key_file = config_text(config, CFG_HTTP_KEY_FILE);
    if (!*cert_file != !*key_file)
        return err_set(err, E_CONFIG, "http_cert_file and http_key_file belong together");
    if (*cert_file && !listen_path(where))
        return files_take(cert_file, key_file, name, where, certificate, err);
    if (!listen_is_near(where))
        return err_set(
            err, E_CONFIG,
            "http = %s can be reached from other hosts: it needs http_cert_file and http_key_file, which are made if they are not there",
            where);
    return 0;
}

void certificate_forget(struct certificate *certificate)
{
    if (certificate->key.data)
        explicit_bzero(certificate->key.data, certificate->key.size);
    buf_destroy(&certificate->key);
    buf_destroy(&certificate->chain);
}
