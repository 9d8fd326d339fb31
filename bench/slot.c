/* SPDX-License-Identifier: AGPL-3.0-or-later
 * bench-slot DIR: one slot of a real crew reads page after page over the sources in DIR, and is asked what memory it has. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proto/auto.h"
#include "proto/sohoa.pb-c.h"
#include "worker/crew.h"

enum { FILES_MAX = 1000, PATIENT_MS = 120000, EARLY_PAGES = 100, TELL_PAGES = 100 };

struct bench {
    struct crew *crew;
    int source[FILES_MAX];
    uint32_t sources;
    uint32_t pages, read, documents;
    uint32_t tell_at; /* pages at which memory is looked at next */
    bool answered;
    int rc;
    uint32_t doc_pages;
    uint64_t rss_early, pss_early, rss, pss;
    struct err err;
};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench-slot: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* ---- sources ---- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void sources_load(struct bench *bench, const char *folder)
{
    struct dirent **entry;
    int entries = scandir(folder, &entry, NULL, by_name);
    if (entries < 0)
        fail(folder, "can't be listed");
    for (int i = 0; i < entries; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entry[i]->d_name);
        /* hidden: the folder itself and its parent, too */
        if (entry[i]->d_name[0] != '.' && bench->sources < FILES_MAX) {
            int fd = open(path, O_RDONLY | O_CLOEXEC);
            if (fd < 0)
                fail(path, strerror(errno));
            bench->source[bench->sources++] = fd;
        }
        free(entry[i]);
    }
    free(entry);
    if (!bench->sources)
        fail(folder, "no sources");
}

/* ---- the slot ---- */

static void answered(const struct slot_answer *answer, void *user)
{
    struct bench *bench = user;
    bench->answered = true;
    bench->rc = answer->rc;
    bench->err = answer->err;
    Sohoa__Probe *probe = sohoa__probe__unpack(NULL, answer->section[0].bytes, answer->section[0].data);
    bench->doc_pages = probe ? probe->pages : 0;
    if (probe)
        sohoa__probe__free_unpacked(probe, NULL);
}

static void ask(struct bench *bench, struct slot *slot, struct slot_request request, int fd)
{
    struct err err;
    bench->answered = false;
    slot_send(slot, &request, fd, PAGE_MAX_BYTES, PATIENT_MS, answered, bench);
    while (!bench->answered) {
        struct pollfd ready = {.fd = crew_fd(bench->crew), .events = POLLIN};
        poll(&ready, 1, -1);
        if (crew_dispatch(bench->crew, &err))
            fail("crew", err.text);
    }
    if (bench->rc)
        fail("slot", bench->err.text);
}

/* The process whose parent's parent we are; 0: none. */
static pid_t slot_pid(void)
{
    DIR *proc = opendir("/proc");
    pid_t parent[2] = {0, 0}, found = 0;
    for (int pass = 0; proc && pass < 2; pass++, rewinddir(proc))
        for (struct dirent *entry = readdir(proc); entry; entry = readdir(proc)) {
            char path[300];
            int of = 0;
            snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
            FILE *stat = fopen(path, "re");
            if (stat && fscanf(stat, "%*d (%*[^)]) %*c %d", &of) == 1 && of == (pass ? parent[1] : getpid()))
                *(pass ? &found : &parent[1]) = (pid_t)strtol(entry->d_name, NULL, 10);
            if (stat)
                fclose(stat);
        }
    closedir(proc);
    return found;
}

static void memory_look(struct bench *bench)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)slot_pid());
    FILE *file = fopen(path, "re");
    uint64_t kib = 0;
    bench->rss = bench->pss = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "Rss: %" SCNu64, &kib) == 1)
            bench->rss = kib << 10;
        else if (sscanf(line, "Pss: %" SCNu64, &kib) == 1)
            bench->pss = kib << 10;
    }
    if (file)
        fclose(file);
    if (!bench->rss)
        fail(path, "says nothing");
}

/* Between two documents: what the slot keeps, not what a page happens to need. */
static void memory_tell(struct bench *bench)
{
    memory_look(bench);
    if (!bench->rss_early) {
        bench->rss_early = bench->rss;
        bench->pss_early = bench->pss;
    }
    fprintf(stderr, "%u pages: RSS %" PRIu64 " KiB, PSS %" PRIu64 " KiB\n", bench->read, bench->rss >> 10,
            bench->pss >> 10);
}

static void document_read(struct bench *bench, int fd)
{
    struct slot *slot = crew_take(bench->crew, false);
    if (!slot)
        fail("crew", "no slot");
    ask(bench, slot, (struct slot_request){.op = SLOT_OPEN, .source_bytes = (uint64_t)lseek(fd, 0, SEEK_END)}, fd);
    if (bench->read >= bench->tell_at) {
        memory_tell(bench);
        bench->tell_at += TELL_PAGES;
    }
    for (uint32_t page_no = 1, last = bench->doc_pages; page_no <= last; page_no++) {
        ask(bench, slot, (struct slot_request){.op = SLOT_PAGE, .page_no = page_no}, -1);
        bench->read++;
    }
    bench->documents++;
    slot_release(&slot);
}

static void crew_start(struct bench *bench, const char *setting)
{
    AUTO(config_destroy) struct config *config = NULL;
    struct err err;
    uint8_t pipeline[SHA256_BYTES];
    char *argv[] = {(char *)"bench-slot", (char *)setting, (char *)"--slot_growth_bytes=1099511627776", NULL};
    if (config_load(FOR_WORKER, 3, argv, &config, &err) || crew_new(config, 1, &bench->crew, pipeline, &err))
        fail("crew", err.text);
}

/* Of the processes that the crew had; they must have ended. */
static double children_cpu_s(void)
{
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"pages", required_argument, NULL, 'p'},
        {"max-pages",   required_argument, NULL, 'm'},
        {0      }
    };
    static struct bench bench = {.pages = 1000, .tell_at = EARLY_PAGES};
    const char *max_pages = "1000000";
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'p')
            bench.pages = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 'm')
            max_pages = optarg;
        else
            return 2;
    }
    if (optind + 1 != argc || bench.pages < EARLY_PAGES) {
        fprintf(stderr, "usage: bench-slot [--pages N, at least %d] [--max-pages N] DIR\n", EARLY_PAGES);
        return 2;
    }
    char setting[64];
    snprintf(setting, sizeof setting, "--slot_max_pages=%s", max_pages);
    crew_start(&bench, setting); /* what loading the models costs */
    crew_destroy(&bench.crew);
    double start_s = children_cpu_s();
    crew_start(&bench, setting);
    sources_load(&bench, argv[optind]);
    while (bench.read < bench.pages || bench.tell_at <= bench.pages)
        document_read(&bench, bench.source[bench.documents % bench.sources]);
    crew_destroy(&bench.crew);
    printf("{\"pages\":%u,\"rss_100_bytes\":%" PRIu64 ",\"rss_%u_bytes\":%" PRIu64 ",\"pss_100_bytes\":%" PRIu64
           ",\"pss_%u_bytes\":%" PRIu64 ",\"growth\":%.3f,\"cpu_s_per_page\":%.4f}\n",
           bench.pages, bench.rss_early, bench.pages, bench.rss, bench.pss_early, bench.pages, bench.pss,
           (double)bench.rss / (double)bench.rss_early - 1, (children_cpu_s() - 2 * start_s) / bench.read);
    return 0;
}
