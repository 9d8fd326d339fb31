/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One row a key. A number row has least < most; any other row is text. */
#include "proto/config.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/limits.h"
#include "proto/manual.h"

#define BOTH (FOR_COORDINATOR | FOR_WORKER)
#define GIB  (INT64_C(1) << 30)
#define MIB  (INT64_C(1) << 20)

enum { CHOICES_MAX = 3 }; /* with the NULL at the end */

/* The formatter would pad every column to the widest. */
/* clang-format off */
static const struct config_row {
    const char *name;
    int readers;
    int64_t least, most;
    const char *preset;
    const char *doc;
    const char *choice[CHOICES_MAX]; /* none: any text */
} config_row[CFG_KEYS] = {
    [CFG_BIND] = {"bind", FOR_COORDINATOR, 0, 0, "tcp://127.0.0.1:7700", "ZeroMQ endpoint that workers connect to"},
    [CFG_CONNECT] = {"connect", FOR_WORKER, 0, 0, "tcp://127.0.0.1:7700", "ZeroMQ endpoints of the coordinators, joined by commas; the active one is found"},
    [CFG_CURVE_FILE] = {"curve_file", BOTH, 0, 0, "", "this node's CURVE certificate (sohoa key makes one): workers and coordinators then encrypt what they say, and know each other; only 127.0.0.1 and ipc do without"},
    [CFG_CURVE_WORKERS] = {"curve_workers", FOR_COORDINATOR, 0, 0, "", "folder of the certificates (NAME.pub) of workers that may connect; read again when it changes"},
    [CFG_CURVE_COORDINATORS] = {"curve_coordinators", FOR_WORKER, 0, 0, "", "folder of the certificates (NAME.pub) of coordinators; read again when it changes"},
    [CFG_HTTP] = {"http", FOR_COORDINATOR, 0, 0, "127.0.0.1:7780", "HTTP API: ADDRESS:PORT or unix:PATH"},
    [CFG_HTTP_AUTH] = {"http_auth", FOR_COORDINATOR, 0, 0, "required", "accounts on ADDRESS:PORT: required, or open: who reaches it may do everything",
                       {"required", "open"}},
    [CFG_HTTP_CERT_FILE] = {"http_cert_file", FOR_COORDINATOR, 0, 0, "", "PEM certificate (chain) that http is encrypted with, which any address but 127.0.0.1 needs; made, and signed by itself, if neither it nor its key is there"},
    [CFG_HTTP_KEY_FILE] = {"http_key_file", FOR_COORDINATOR, 0, 0, "", "PEM key of http_cert_file"},
    [CFG_HTTP_CA_FILE] = {"http_ca_file", FOR_COORDINATOR, 0, 0, "", "PEM certificates that those of others are checked with; the system's when empty"},
    [CFG_STORE] = {"store", BOTH, 0, 0, "dir:/var/lib/sohoa/store",
                   "object store: dir:PATH, or rados:CONF?user=NAME&meta=POOL&data=POOL"},
    [CFG_REDIS] = {"redis", FOR_COORDINATOR, 0, 0, "/run/redis/redis-server.sock", "unix socket of this host's Redis"},
    [CFG_REDIS_OTHERS] = {"redis_others", FOR_COORDINATOR, 0, 0, "", "Redis of each coordinator, by its name: NAME=ADDRESS:PORT joined by commas; this one's copies that of the active one while this one stands by"},
    [CFG_LEDGER_KEY_FILE] = {"ledger_key_file", FOR_COORDINATOR, 0, 0, "", "Ed25519 key that the ledger's checkpoints are signed with, the same on all coordinators; made if it is not there; none when empty"},
    [CFG_LEDGER_CHECKPOINT_S] = {"ledger_checkpoint_s", FOR_COORDINATOR, 1, 86400, "60", "the ledger is signed this often, when entries came"},
    [CFG_OTHERS] = {"others", FOR_COORDINATOR, 0, 0, "", "http of the other coordinators, ADDRESS:PORT or https://ADDRESS:PORT joined by commas: an alert when one does not answer"},
    [CFG_INDICATORS] = {"indicators", FOR_COORDINATOR, 0, 0, "", "CSV of what reports tell of a unit; the program's own when empty"},
    [CFG_DUPLICATES_MAX] = {"duplicates_max", FOR_COORDINATOR, 0, 16777214, "16777214", "documents that are remembered to find others like them, about 300 bytes each; 0: none are looked for"},
    [CFG_REVIEW_LIMITS] = {"review_limits", FOR_COORDINATOR, 0, 0, "", "CSV of the shares of wrong fields and documents that a round of a review may have; the program's own when empty"},
    [CFG_REVIEW_PERCENT] = {"review_percent", FOR_COORDINATOR, 1, 100, "30", "documents of a batch that a later round of its review looks at again, unless it says otherwise"},
    [CFG_REVIEW_ROUNDS] = {"review_rounds", FOR_COORDINATOR, 1, 1000, "2", "rounds passed one after another that accept a batch"},
    [CFG_METRICS] = {"metrics", FOR_WORKER, 0, 0, "", "metrics for Prometheus, to whoever asks: ADDRESS:PORT or unix:PATH; none when empty"},
    [CFG_NAME] = {"name", BOTH, 0, 0, "", "name in the cluster; the host name when empty"},
    [CFG_LANG] = {"lang", FOR_WORKER, 0, 0, "vie", "Tesseract languages, joined by +"},
    [CFG_TAGS] = {"tags", FOR_WORKER, 0, 0, "", "what this node is or sees, joined by commas: manifests may ask for one as 'intake'"},
    [CFG_TESSDATA] = {"tessdata", FOR_WORKER, 0, 0, "/usr/share/tesseract-ocr/5/tessdata",
                      "folder of the traineddata files and pdf.ttf"},
    [CFG_PDFA] = {"pdfa", FOR_WORKER, 0, 0, "2b", "PDF/A level of documents: 2b, or 1b where a scan allows it",
                  {"2b", "1b"}},
    [CFG_SLOTS] = {"slots", FOR_WORKER, 0, 1024, "0", "pages read at once; 0: one a core"},
    [CFG_PREFETCH_JOBS] = {"prefetch_jobs", FOR_WORKER, 0, 1024, "0", "jobs fetched ahead of the slots; 0: one for two slots, but two at least"},
    [CFG_IO_THREADS] = {"io_threads", FOR_WORKER, 1, 64, "8", "threads that read sources and write results"},
    [CFG_SOURCE_ROOT] = {"source_root", FOR_WORKER, 0, 0, "/", "sources must lie beneath; relative ones start here"},
    [CFG_SOURCE_MAX_BYTES] = {"source_max_bytes", FOR_WORKER, 1024, 64 * GIB, "2147483648", "largest source"},
    [CFG_PAGE_MAX_PIXELS] = {"page_max_pixels", FOR_WORKER, 1000000, 1000000000, "40000000",
                             "pages above this many pixels are read from a smaller picture"},
    [CFG_PAGE_MAX_MS] = {"page_max_ms", FOR_WORKER, 100, 3600000, "120000", "time for one page; then SIGKILL"},
    [CFG_OPEN_MAX_MS] = {"open_max_ms", FOR_WORKER, 100, 3600000, "30000", "time to open a source; then SIGKILL"},
    [CFG_ASSEMBLE_MAX_MS] = {"assemble_max_ms", FOR_WORKER, 100, 3600000, "300000",
                             "time to assemble a document; then SIGKILL"},
    [CFG_SLOT_MAX_BYTES] = {"slot_max_bytes", FOR_WORKER, 256 * MIB, 64 * GIB, "1610612736",
                            "address space of a slot beyond what the models take (RLIMIT_AS)"},
    [CFG_SLOT_DEGRADED_BYTES] = {"slot_degraded_bytes", FOR_WORKER, 256 * MIB, 64 * GIB, "536870912",
                                 "the same on a degraded attempt"},
    [CFG_SLOT_MAX_PAGES] = {"slot_max_pages", FOR_WORKER, 1, 1000000, "1",
                            "a slot that read this many pages is replaced before its next job; 1: each has a fresh one"},
    [CFG_SLOT_GROWTH_BYTES] = {"slot_growth_bytes", FOR_WORKER, MIB, 1024 * GIB, "67108864",
                               "a slot whose heap grew by more since its first page is replaced before its next job"},
    [CFG_HEARTBEAT_MS] = {"heartbeat_ms", FOR_COORDINATOR, 50, 60000, "1000", "heartbeat both ways"},
    [CFG_WORKER_LOST_MS] = {"worker_lost_ms", FOR_COORDINATOR, 200, 600000, "10000",
                            "silence after which a worker's leases are given to others"},
    [CFG_RECONNECT_GRACE_MS] = {"reconnect_grace_ms", FOR_COORDINATOR, 0, 600000, "5000",
                                "after a restart nothing is granted until the known workers are back or this has passed"},
    [CFG_LEASE_PAGE_MS] = {"lease_page_ms", FOR_COORDINATOR, 1000, 3600000, "150000", "lease time a page"},
    [CFG_LEASE_LEAST_MS] = {"lease_least_ms", FOR_COORDINATOR, 1000, 3600000, "300000", "shortest lease"},
    [CFG_RANGE_MS] = {"range_ms", FOR_COORDINATOR, 100, 3600000, "8000", "core time that a job is meant to take"},
    [CFG_RANGE_PAGES] = {"range_pages", FOR_COORDINATOR, 1, 1000, "32", "most pages in one job"},
    [CFG_PAGE_ATTEMPTS] = {"page_attempts", FOR_COORDINATOR, 1, 20, "3", "attempts before a page is dead"},
    [CFG_BREAKER_FAILURES] = {"breaker_failures", FOR_COORDINATOR, 0, 1000000, "50", "failures of the same kind, without a success between them, that pause a batch; 0: none"},
    [CFG_LOCK_TTL_MS] = {"lock_ttl_ms", FOR_COORDINATOR, 500, 600000, "5000", "life of the store lock (rados)"},
    [CFG_NOTIFY_URL] = {"notify_url", FOR_COORDINATOR, 0, 0, "", "http(s) address that alerts are sent to (webhook); none when empty"},
    [CFG_NOTIFY_TOKEN_FILE] = {"notify_token_file", FOR_COORDINATOR, 0, 0, "", "file whose first line is sent to it as bearer token; none when empty"},
    [CFG_NOTIFY_HOLD_MS] = {"notify_hold_ms", FOR_COORDINATOR, 0, 3600000, "60000", "an alert stands so long before it is sent, and is gone so long before its end is"},
    [CFG_NOTIFY_REPEAT_MS] = {"notify_repeat_ms", FOR_COORDINATOR, 1000, 2592000000, "14400000", "what still stands is sent again"},
    [CFG_NOTIFY_PROGRESS_MS] = {"notify_progress_ms", FOR_COORDINATOR, 1000, 86400000, "900000", "alert: pages are left and workers are there, but nothing was read for so long"},
    [CFG_NOTIFY_FULL_PERCENT] = {"notify_full_percent", FOR_COORDINATOR, 1, 100, "90", "alert: so much of the store is used"},
    [CFG_LOG] = {"log", BOTH, 0, 0, "info", "least level logged: debug, info, warn, error"},
};
/* clang-format on */

struct config {
    enum config_reader reader;
    char *text[CFG_KEYS];
    int64_t number[CFG_KEYS];
};

static bool row_is_number(const struct config_row *row)
{
    return row->least < row->most;
}

static bool row_allows(const struct config_row *row, const char *value)
{
    const char *const *choice = row->choice;
    while (*choice && strcmp(*choice, value))
        choice++;
    return *choice;
}

static int config_set(struct config *config, const char *name, const char *value, struct err *err)
{
    int key = 0;
    while (key < CFG_KEYS && (strcmp(config_row[key].name, name) || !(config_row[key].readers & (int)config->reader)))
        key++;
    if (key == CFG_KEYS)
        return err_set(err, E_CONFIG, "there is no key '%.60s'; --help lists them", name);
    const struct config_row *row = &config_row[key];
    if (row_is_number(row)) {
        char *end;
        errno = 0;
        long long number = strtoll(value, &end, 10);
        if (errno || end == value || *end || number < row->least || number > row->most)
            return err_set(err, E_CONFIG, "%s = '%.60s' is not a number from %" PRId64 " to %" PRId64, name, value,
                           row->least, row->most);
        config->number[key] = number;
    }
    if (row->choice[0] && !row_allows(row, value))
        return err_set(err, E_CONFIG, "%s = '%.60s' is not %s or %s", name, value, row->choice[0], row->choice[1]);
    free(config->text[key]);
    config->text[key] = strdup(value);
    return config->text[key] ? 0 : err_set(err, E_NOMEM, "no memory for key %s", name);
}

struct file_read {
    struct config *config;
    const char *path;
    FILE *file;
    int line;
    struct err *err;
    int rc;
};

/* inih's fgets(). Left alone, inih would take an indented line for more of the value before, and the rest of a long
 * line for a line of its own. */
static char *file_next(char *line, int bytes, void *user)
{
    struct file_read *read = user;
    if (read->rc || !fgets(line, bytes, read->file))
        return NULL;
    read->line++;
    if (!strchr(line, '\n') && !feof(read->file)) {
        read->rc =
            err_set(read->err, E_CONFIG, "%s: line %d is longer than %d bytes", read->path, read->line, bytes - 2);
        return NULL;
    }
    memmove(line, line + strspn(line, " \t"), strlen(line + strspn(line, " \t")) + 1);
    return line;
}

static int file_line(void *user, const char *section, const char *name, const char *value)
{
    struct file_read *read = user;
    if (!read->rc && *section)
        read->rc = err_set(read->err, E_CONFIG, "%s: section [%.60s]: the file has no sections", read->path, section);
    if (!read->rc)
        read->rc = config_set(read->config, name, value, read->err);
    return read->rc == 0;
}

static int config_file(struct config *config, const char *path, struct err *err)
{
    AUTO(file_destroy) FILE *file = fopen(path, "re");
    if (!file)
        return err_errno(err, E_CONFIG, "%s", path);
    struct file_read read = {.config = config, .path = path, .file = file, .err = err};
    int line = ini_parse_stream(file_next, &read, file_line, &read);
    if (read.rc)
        return read.rc;
    if (ferror(file))
        return err_errno(err, E_CONFIG, "%s can't be read", path);
    return line ? err_set(err, E_CONFIG, "%s: line %d is not key = value", path, line) : 0;
}

static void row_print(const struct config_row *row, FILE *to)
{
    fprintf(to, "# %s", row->doc);
    if (row_is_number(row))
        fprintf(to, " (%" PRId64 " to %" PRId64 ")", row->least, row->most);
    fprintf(to, "\n#%s = %s\n\n", row->name, row->preset);
}

void config_sample(enum config_reader reader, FILE *to)
{
    for (int key = 0; key < CFG_KEYS; key++)
        if (config_row[key].readers & (int)reader)
            row_print(&config_row[key], to);
}

static void config_help(enum config_reader reader, const char *program)
{
    printf("usage: %s [--config FILE] [--KEY=VALUE ...]\n       %s --sample-config | --help | --manual\n\nkeys:\n",
           program, program);
    for (int key = 0; key < CFG_KEYS; key++)
        if (config_row[key].readers & (int)reader)
            printf("  --%-20s %s [%s]\n", config_row[key].name, config_row[key].doc, config_row[key].preset);
}

static void key_manual(const struct config_row *row)
{
    printf("*--");
    manual_text(row->name);
    printf("*=VALUE\n\t");
    manual_text(row->doc);
    printf(*row->preset ? ". Preset: " : ". Not set.");
    manual_text(row->preset);
    if (row_is_number(row))
        printf("; from %" PRId64 " to %" PRId64, row->least, row->most);
    puts("\n");
}

/* As scdoc reads it. */
static void config_manual(enum config_reader reader)
{
    const char *name = reader == FOR_WORKER ? "worker" : "coordinator";
    printf("sohoa-%s(8)\n\n# NAME\n\nsohoa-%s - %s\n\n# SYNOPSIS\n\n"
           "*sohoa-%s* [--config FILE] [--KEY=VALUE ...]\n\n"
           "*sohoa-%s* --sample-config | --help | --manual\n\n# SETTINGS\n\n"
           "In FILE a setting is a line KEY = VALUE; on the command line it counts before the file's.\n\n",
           name, name, reader == FOR_WORKER ? "reads pages for a Sohoa cluster" : "hands out pages of a Sohoa cluster",
           name, name);
    for (int key = 0; key < CFG_KEYS; key++)
        if (config_row[key].readers & (int)reader)
            key_manual(&config_row[key]);
    puts("# SEE ALSO\n\n*sohoa*(1)");
}

static int config_argument(struct config *config, char **argv, int *at, struct err *err)
{
    const char *arg = argv[*at];
    if (!strcmp(arg, "--help")) {
        config_help(config->reader, argv[0]);
        exit(0);
    }
    if (!strcmp(arg, "--manual")) {
        config_manual(config->reader);
        exit(0);
    }
    if (!strcmp(arg, "--sample-config")) {
        config_sample(config->reader, stdout);
        exit(0);
    }
    if (!strcmp(arg, "--config"))
        return argv[*at + 1] ? config_file(config, argv[++*at], err) : err_set(err, E_CONFIG, "--config needs a file");
    const char *equals = strchr(arg, '=');
    if (strncmp(arg, "--", 2) || !equals || equals - arg - 2 >= NAME_BYTES)
        return err_set(err, E_CONFIG, "argument '%.60s' is not --key=value; --help lists the keys", arg);
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%.*s", (int)(equals - arg - 2), arg + 2);
    return config_set(config, name, equals + 1, err);
}

int config_load(enum config_reader reader, int argc, char **argv, struct config **ret_config, struct err *err)
{
    AUTO(config_destroy) struct config *config = calloc(1, sizeof *config);
    if (!config)
        return err_set(err, E_NOMEM, "no memory for the configuration");
    config->reader = reader;
    int rc = 0;
    for (int key = 0; key < CFG_KEYS && !rc; key++)
        if (config_row[key].readers & (int)reader)
            rc = config_set(config, config_row[key].name, config_row[key].preset, err);
    for (int at = 1; at < argc && !rc; at++)
        rc = config_argument(config, argv, &at, err);
    if (rc)
        return rc;
    *ret_config = config;
    config = NULL;
    return 0;
}

void config_destroy(struct config **config)
{
    if (!*config)
        return;
    for (int key = 0; key < CFG_KEYS; key++)
        free((*config)->text[key]);
    free(*config);
    *config = NULL;
}

const char *config_text(const struct config *config, enum config_key key)
{
    assert(config->text[key]);
    return config->text[key];
}

int64_t config_int(const struct config *config, enum config_key key)
{
    assert(config->text[key] && row_is_number(&config_row[key]));
    return config->number[key];
}

const char *config_key_name(enum config_key key)
{
    return config_row[key].name;
}
