/* SPDX-License-Identifier: AGPL-3.0-or-later
 * bench-package FOLDER DOCUMENTS FILES: packs so many documents of so many files (hồ sơ) into FOLDER, then checks every
 * package, each in a process of its own. Prints as JSON how long both took and the most memory that they had. Records and
 * PDFs are made up on the way: what is measured is the packing, not who brings them. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinator/package/check.h"
#include "coordinator/package/pack.h"
#include "proto/auto.h"
#include "proto/buf.h"
#include "proto/clock.h"
#include "proto/json.h"
#include "proto/sha256.h"

enum { PDF_BYTES = 24 << 10, PATH_BYTES = 512, PROGRESS_DOCUMENTS = 10000, KIB = 1024 };

static uint8_t pdf[PDF_BYTES];

static void fail(const char *what, const struct err *err)
{
    fprintf(stderr, "bench-package: %s: %s\n", what, err->text);
    exit(EXIT_FAILURE);
}

/* Of each document another one, none of which a ZIP makes smaller. */
static void pdf_fill(uint32_t doc)
{
    static const char head[] = "%PDF-1.7\n<pdfaid:part>2</pdfaid:part>\n"; /* as much of one as a package looks for */
    uint64_t state = doc + 1;
    for (size_t i = 0; i + sizeof state <= PDF_BYTES; i += sizeof state) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        memcpy(pdf + i, &state, sizeof state);
    }
    memcpy(pdf, head, sizeof head - 1);
}

static json_t *said(const char *value)
{
    return json_pack("{s:s, s:i}", "value", value, "confidence_cpct", 9000);
}

static json_t *metadata(uint32_t doc)
{
    char number[16], subject[128];
    snprintf(number, sizeof number, "%" PRIu32, doc % 10000);
    snprintf(subject, sizeof subject, "Về việc phê duyệt quyết toán kinh phí sự nghiệp môi trường, lần thứ %" PRIu32,
             doc);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "typeCode", said("Quyết định"), "codeNumber", said(number),
                     "codeNotation", said("QĐ-UBND"), "issuedDate", said("1999-02-14"), "organName",
                     said("Ủy ban nhân dân quận Ba Đình"), "subject", said(subject), "language", said("Tiếng Việt"));
}

static int record_bring(uint32_t doc, json_t **ret_record, void *user, struct err *err)
{
    const char *code = user;
    uint8_t digest[SHA256_BYTES];
    char hex[SHA256_HEX_CHARS + 1], ordinal[16];
    (void)err;
    pdf_fill(doc);
    sha256_of(pdf, PDF_BYTES, digest);
    sha256_hex(digest, hex);
    snprintf(ordinal, sizeof ordinal, "%" PRIu32, doc + 1);
    *ret_record = json_pack(
        "{s:s, s:s, s:i, s:i, s:o, s:{s:s, s:s, s:s, s:s, s:s}, s:o, s:{s:{s:s}}, s:{s:s}, s:{s:s, s:s}}", "sha256",
        hex, "pipeline", "1", "pages_stored", 4, "pages_dead", 0, "pages", json_pack("[{s:s}]", "kind", "scan"),
        "manifest", "fonds", "F01", "file_code", code, "ordinal", ordinal, "retention", "vĩnh viễn", "file_title",
        "Hồ sơ kinh phí", "metadata", metadata(doc), "outputs", "pdf", "sha256", hex, "pdfa", "level", "2u",
        "provenance", "created", "2026-11-28T08:00:00Z", "build", "bench");
    if (!*ret_record)
        abort();
    return 0;
}

static int pdf_bring(uint32_t doc, int fd, void *user, struct err *err)
{
    (void)user;
    pdf_fill(doc);
    return write(fd, pdf, PDF_BYTES) == PDF_BYTES ? 0 : err_errno(err, E_IO, "document %" PRIu32, doc);
}

static void on_packed(uint32_t doc, void *user)
{
    (void)user;
    if ((doc + 1) % PROGRESS_DOCUMENTS == 0)
        fprintf(stderr, "bench-package: %" PRIu32 " documents\n", doc + 1);
}

static void on_found(uint32_t doc, const char *field, const char *why, void *user)
{
    (void)user;
    fprintf(stderr, "bench-package: document %" PRIu32 ", %s: %s\n", doc, field, why);
}

static void file_pack(const char *folder, int folder_fd, const char *code, uint32_t first, uint32_t count)
{
    AUTO(mem_destroy) uint32_t *docs = calloc(count, sizeof *docs);
    AUTO(fd_destroy) int fd = -1;
    char path[PATH_BYTES];
    struct err err;
    size_t findings;
    AUTO(json_drop) json_t *set = json_pack("{s:s}", "mode", "01"), *none = json_object(), *accepted = json_array();
    struct values_rules rules = {.set = set, .files = none, .accepted = accepted};
    struct pack_source source = {record_bring, pdf_bring, on_packed, (char *)(uintptr_t)code};
    struct pack pack = {
        .profile = profile_named("aip-05-2025"), .rules = &rules, .build = "bench", .doc = docs, .docs = count};
    if (!docs)
        abort();
    for (uint32_t i = 0; i < count; i++)
        docs[i] = first + i;
    if (pack_look(&pack, &source, on_found, &findings, &err) || findings)
        fail(code, &err);
    snprintf(path, sizeof path, "%s/%.300s.zip", folder, pack.name);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || pack_write(&pack, &source, folder_fd, fd, &err))
        fail(path, &err);
    pack_clear(&pack);
    printf("%s\n", path);
}

static void files_pack(const char *folder, uint32_t documents, uint32_t files)
{
    AUTO(fd_destroy) int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (uint32_t i = 0; i < files; i++) {
        char code[32];
        uint32_t first = (uint32_t)((uint64_t)documents * i / files);
        snprintf(code, sizeof code, "H26.%06" PRIu32, i);
        file_pack(folder, folder_fd, code, first, (uint32_t)((uint64_t)documents * (i + 1) / files) - first);
    }
}

static void on_finding(const char *member, const char *what, void *user)
{
    fprintf(stderr, "bench-package: %s: %s: %s\n", (const char *)user, member, what);
}

static void files_check(FILE *paths)
{
    char path[PATH_BYTES];
    while (fgets(path, sizeof path, paths)) {
        struct check_result result;
        struct err err;
        path[strcspn(path, "\n")] = '\0';
        if (package_check(path, on_finding, path, &result, &err))
            fail(path, &err);
        if (result.findings)
            exit(EXIT_FAILURE);
    }
}

struct cost {
    double seconds;
    long peak_kib;
};

/* list: where packing writes the packages' paths, and checking reads them. */
static struct cost measured(bool packing, const char *folder, FILE *list, uint32_t documents, uint32_t files)
{
    uint64_t began_ms = clock_mono_ms();
    struct rusage usage;
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (packing && dup2(fileno(list), STDOUT_FILENO) >= 0)
            files_pack(folder, documents, files);
        else
            files_check(list);
        exit(EXIT_SUCCESS);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status)
        exit(EXIT_FAILURE);
    return (struct cost){(double)(clock_mono_ms() - began_ms) / 1e3, usage.ru_maxrss};
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "bench-package FOLDER DOCUMENTS FILES\n");
        return 2;
    }
    uint32_t documents = (uint32_t)strtoul(argv[2], NULL, 10), files = (uint32_t)strtoul(argv[3], NULL, 10);
    FILE *list = tmpfile();
    if (!list || !documents || !files || files > documents)
        return 2;
    struct cost pack = measured(true, argv[1], list, documents, files);
    rewind(list);
    struct cost check = measured(false, argv[1], list, documents, files);
    printf("{\"documents\": %" PRIu32 ", \"files\": %" PRIu32
           ", \"pack_s\": %.1f, \"pack_peak_mib\": %ld, \"check_s\": %.1f, \"check_peak_mib\": %ld}\n",
           documents, files, pack.seconds, pack.peak_kib / KIB, check.seconds, check.peak_kib / KIB);
    return 0;
}
