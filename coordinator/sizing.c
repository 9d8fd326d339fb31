/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Every constant says who measured it. All that grows with pages and documents is linear in them, so a million pages are a workload like any
 * other. */
#include "coordinator/sizing.h"

#include <math.h>

/* ---- what a page and a document leave behind: bench/capacity ---- */

/* Objects of a document, and how large they are beside the scan: 14 real documents; the PDF's of synthetic ones, since real ones'
 * often came out smaller than the source. */
static const struct blob {
    bool meta, scan; /* in the metadata pool; holds the scan, too */
    double document_bytes, page_bytes;
} blob_row[] = {
    {false, true,  0,    0    }, /* src */
    {false, true,  350,  6400 }, /* out/pdf: layer of text, XMP */
    {false, false, 0,    65000}, /* out/alto, which is not compressed */
    {false, false, 0,    2700 }, /* out/text */
    {false, false, 0,    6500 }, /* out/words */
    {false, false, 4500, 450  }, /* out/done */
    {true,  false, 7300, 680  }, /* rec */
};

enum { BLOBS = sizeof blob_row / sizeof blob_row[0] };

/* Of a document. Appended are ledger, layout and manifest; with its record they and the index are written to, by a busy coordinator for many
 * documents at once. */
#define META_APPENDED_BYTES 600.0
#define META_WRITES         4.0

/* Of a page in a document of several jobs: its bundle is written, read and removed, and a worker without the scan fetches it. */
#define SPLIT_WRITES  0.3
#define SPLIT_READS   0.55
#define SPLIT_FETCHES 1.0    /* of the scan; 0.8 with two workers */
#define BUNDLE_BYTES  6500.0 /* as out/words */

/* With CURVE, without TCP's own headers. */
#define WIRE_DOCUMENT_BYTES 560.0
#define WIRE_PAGE_BYTES     60.0
#define WIRE_NODE_BYTES_S   85.0 /* heartbeats */

/* ---- memory and the coordinator ---- */

#define WORKER_BYTES      160e6 /* without its slots, on Ceph: bench/capacity */
#define NODE_SYSTEM_BYTES 1e9   /* Debian and what goes with it: assumed */
#define FETCHED_AHEAD     2.0   /* jobs whose sources wait in memory: prefetch_jobs */
#define NODES_LEAST       2.0   /* a page that failed is tried again on another node */

/* bench/backlog with 94 million pages queued; a document takes 124 bytes once it is read (bench/backlog) and 312 to find others like it
 * (bench/duplicates). */
#define COORDINATOR_BYTES          53e6
#define COORDINATOR_DOCUMENT_BYTES 436.0
#define COORDINATOR_DOCUMENT_S     7.47e-6 /* bench/dispatch, from its documents of 1 and of 7 pages */
#define COORDINATOR_PAGE_S         0.63e-6
#define REDIS_BYTES                1.8e6         /* with its stream of events full: bench/soak */
#define REDIS_PAGE_BYTES           (24e6 / 94e6) /* bench/store */
#define OSD_MEMORY_BYTES           4294967296.0  /* osd_memory_target as Ceph presets it */

/* ---- figures ---- */

/* clang-format off */
#define FIGURE(field, text, meta, whole, least, most, preset, doc, source) \
    {text, meta, doc, source, offsetof(struct workload, field), least, most, preset, whole}

static const struct figure figure_row[] = {
    FIGURE(pages, "pages", "N", true, 1, 1e12, 94e6, "pages in all", "the city's plan"),
    FIGURE(pages_a_document, "pages-a-document", "N", false, 1, 20000, 7, "pages of a document, in the mean", "assumed, as in bench/backlog"),
    FIGURE(split_percent, "split-percent", "P", false, 0, 100, 50, "percent of pages in documents of several jobs", "assumed (lengths spread geometrically)"),
    FIGURE(source_bytes_page, "source-bytes-page", "B", false, 1, 1e9, 530e3, "bytes of a scan, a page", "14 real documents"),
    FIGURE(result_bytes_page, "result-bytes-page", "B", false, 0, 1e9, 0, "bytes of results beside the scan, a page; 0: as measured", "bench/capacity, 14 real documents"),
    FIGURE(cpu_s_page, "cpu-s-page", "S", false, 1e-4, 3600, 0.8, "seconds of one core to read a page, all told", "bench/capacity, 14 real documents"),
    FIGURE(slot_bytes, "slot-bytes", "B", false, 1e6, 1e12, 150e6, "memory that a slot needs at most", "bench/capacity, 14 real documents"),
    FIGURE(cores_a_node, "cores-a-node", "N", true, 1, 1024, 16, "cores of a worker's node, a slot each", "assumed"),
    FIGURE(hours_a_day, "hours-a-day", "H", false, 0.1, 24, 24, "hours of a day that nodes work", "assumed"),
    FIGURE(spare_percent, "spare-percent", "P", false, 0, 1000, 25, "percent of cores more than are needed", "assumed"),
    FIGURE(replicas, "replicas", "N", true, 1, 10, 3, "copies of the metadata pool, and of a replicated data pool", "Ceph's preset"),
    FIGURE(alloc_bytes, "alloc-bytes", "B", true, 512, 1 << 20, 4096, "bluestore_min_alloc_size, and stripe unit of erasure coding", "Ceph's preset"),
    FIGURE(osd_bytes, "osd-bytes", "B", false, 1e9, 1e15, 16e12, "size of an OSD", "assumed"),
    FIGURE(osd_write_iops, "osd-write-iops", "N", false, 1, 1e7, 100, "writes a second that an OSD takes", "assumed: a spinning disk"),
    FIGURE(osd_full_percent, "osd-full-percent", "P", false, 1, 95, 70, "percent of an OSD that are full in the end", "assumed (Ceph warns at 85)"),
};
/* clang-format on */

enum { FIGURES = sizeof figure_row / sizeof figure_row[0] };

const struct figure *sizing_figure(size_t i)
{
    return i < FIGURES ? &figure_row[i] : NULL;
}

void workload_init(struct workload *w)
{
    for (size_t i = 0; i < FIGURES; i++)
        *(double *)((char *)w + figure_row[i].offset) = figure_row[i].preset;
    w->erasure_k = 4;
    w->erasure_m = 2;
}

/* ---- bytes ---- */

/* Of results as they were measured, a page. */
static double measured_bytes_page(const struct workload *w)
{
    double bytes = 0;
    for (int i = 0; i < BLOBS; i++)
        bytes += blob_row[i].document_bytes / w->pages_a_document + blob_row[i].page_bytes;
    return bytes;
}

double sizing_value(const struct workload *w, const struct figure *figure)
{
    double value = *(const double *)((const char *)w + figure->offset);
    bool measured = figure->offset == offsetof(struct workload, result_bytes_page) && value <= 0;
    return measured ? measured_bytes_page(w) : value;
}

/* One document's object. */
static double blob_bytes(const struct workload *w, const struct blob *blob)
{
    double scale = w->result_bytes_page > 0 ? w->result_bytes_page / measured_bytes_page(w) : 1;
    return (blob->scan ? w->source_bytes_page * w->pages_a_document : 0) +
           scale * (blob->document_bytes + blob->page_bytes * w->pages_a_document);
}

struct document { /* what stays of one; usable bytes */
    double data_bytes, data_objects;
    double meta_bytes,
        meta_objects; /* with what is appended to ledger, layout and manifest, which are no objects of its own */
};

static struct document document_of(const struct workload *w)
{
    struct document d = {.meta_bytes = META_APPENDED_BYTES};
    for (int i = 0; i < BLOBS; i++) {
        bool meta = blob_row[i].meta;
        *(meta ? &d.meta_bytes : &d.data_bytes) += blob_bytes(w, &blob_row[i]);
        *(meta ? &d.meta_objects : &d.data_objects) += 1;
    }
    return d;
}

void sizing_compute(const struct workload *w, struct sizing *s)
{
    const struct document d = document_of(w);
    double documents = w->pages / w->pages_a_document, source_bytes = w->pages * w->source_bytes_page;
    double usable_bytes = documents * (d.data_bytes + d.meta_bytes), split_pages = w->pages * w->split_percent / 100;
    *s = (struct sizing){
        .pages = w->pages,
        .documents = documents,
        .core_s = w->pages * w->cpu_s_page,
        .source_bytes = source_bytes,
        .result_bytes = documents * d.data_bytes - source_bytes,
        .meta_bytes = documents * d.meta_bytes,
        .usable_bytes = usable_bytes,
        .data_objects = documents * d.data_objects,
        .meta_objects = documents * d.meta_objects,
        .data_writes = documents * d.data_objects + split_pages * SPLIT_WRITES,
        .meta_writes = documents * META_WRITES,
        .data_reads = split_pages * SPLIT_READS,
        .intake_bytes = 2 * source_bytes,
        .ceph_in_bytes = usable_bytes + split_pages * BUNDLE_BYTES,
        .ceph_out_bytes = split_pages * (w->source_bytes_page * SPLIT_FETCHES + BUNDLE_BYTES),
        .wire_bytes = documents * WIRE_DOCUMENT_BYTES + w->pages * WIRE_PAGE_BYTES,
        .coordinator_core_s = documents * COORDINATOR_DOCUMENT_S + w->pages * COORDINATOR_PAGE_S,
        .coordinator_bytes = COORDINATOR_BYTES + documents * COORDINATOR_DOCUMENT_BYTES,
        .redis_bytes = REDIS_BYTES + w->pages * REDIS_PAGE_BYTES,
    };
}

/* ---- copies or coding chunks ---- */

/* What an object takes where space comes in units: the last one is half full in the mean, and none is less than one. */
static double allocated_bytes(double bytes, double unit_bytes)
{
    return fmax(unit_bytes, bytes + unit_bytes / 2);
}

/* Of one document in a pool that cuts an object into so many parts, in units that are a stripe of these, and makes shards of them: copies are
 * shards of one part. */
static double raw_bytes(const struct workload *w, bool meta, double parts, double shards)
{
    double bytes = meta ? META_APPENDED_BYTES : 0;
    for (int i = 0; i < BLOBS; i++)
        if (blob_row[i].meta == meta)
            bytes += allocated_bytes(blob_bytes(w, &blob_row[i]), w->alloc_bytes * parts);
    return bytes * shards / parts;
}

/* min_size: k + 1 of an erasure-coded pool; of a replicated one Ceph presets what half the copies, rounded down, leave. */
static void losses_set(const struct workload *w, bool erasure, struct protection *p)
{
    double copies_lost = w->replicas - 1, copies_down = floor(w->replicas / 2);
    p->lost = erasure ? fmin(w->erasure_m, copies_lost) : copies_lost;
    p->down = erasure ? fmin(w->erasure_m - 1, copies_down) : copies_down;
}

void sizing_protect(const struct workload *w, enum scheme scheme, struct protection *p)
{
    bool erasure = scheme == SCHEME_ERASURE;
    double parts = erasure ? w->erasure_k : 1, shards = erasure ? w->erasure_k + w->erasure_m : w->replicas;
    const struct document d = document_of(w);
    double data_raw_bytes = raw_bytes(w, false, parts, shards), meta_raw_bytes = raw_bytes(w, true, 1, w->replicas);
    double all_raw_bytes = data_raw_bytes + meta_raw_bytes;
    double full_bytes = d.data_bytes * shards / parts + d.meta_bytes * w->replicas;
    struct sizing s;
    sizing_compute(w, &s);
    *p = (struct protection){
        .data_raw_bytes = s.documents * data_raw_bytes,
        .meta_raw_bytes = s.documents * meta_raw_bytes,
        .padding_bytes = s.documents * (all_raw_bytes - full_bytes),
        .overhead = all_raw_bytes / (d.data_bytes + d.meta_bytes),
        .osd_writes = s.data_writes * shards + s.meta_writes * w->replicas,
        /* a shard stays on the OSD that clients talk to */
        .osd_net_bytes = s.documents * (d.data_bytes * (shards - 1) / parts + d.meta_bytes * (w->replicas - 1)),
        .hosts = fmax(shards, w->replicas),
    };
    p->osds = fmax(p->hosts, ceil(s.documents * all_raw_bytes / (w->osd_bytes * w->osd_full_percent / 100)));
    p->osd_memory_bytes = p->osds * OSD_MEMORY_BYTES;
    losses_set(w, erasure, p);
}

/* ---- time ---- */

/* Its slots all at their most, and the scans that they read or will read next, each in memory once. */
static double node_bytes(const struct workload *w)
{
    double jobs = w->cores_a_node + FETCHED_AHEAD;
    return NODE_SYSTEM_BYTES + WORKER_BYTES + w->cores_a_node * w->slot_bytes +
           jobs * w->pages_a_document * w->source_bytes_page;
}

/* That all fits on and that take the writes. */
static double osds(const struct workload *w, const struct protection *protection, double seconds)
{
    return fmax(protection->osds, ceil(protection->osd_writes / seconds / w->osd_write_iops));
}

void sizing_pace(const struct workload *w, double days, struct pace *p)
{
    struct sizing s;
    struct protection replicated, erasure;
    sizing_compute(w, &s);
    sizing_protect(w, SCHEME_REPLICATED, &replicated);
    sizing_protect(w, SCHEME_ERASURE, &erasure);
    double seconds = days * w->hours_a_day * 3600, cores = s.core_s / seconds * (1 + w->spare_percent / 100);
    double nodes = fmax(NODES_LEAST, ceil(cores / w->cores_a_node));
    double wire_bytes_s = s.wire_bytes / seconds + nodes * WIRE_NODE_BYTES_S;
    double store_bytes_s = (s.intake_bytes + s.ceph_in_bytes + s.ceph_out_bytes) / seconds;
    *p = (struct pace){
        .days = days,
        .pages_s = w->pages / seconds,
        .documents_s = s.documents / seconds,
        .cores = ceil(cores),
        .nodes = nodes,
        .node_bytes = node_bytes(w),
        .node_net_bytes_s = (store_bytes_s + wire_bytes_s) / nodes,
        .ceph_writes_s = (s.data_writes + s.meta_writes) / seconds,
        .ceph_reads_s = s.data_reads / seconds,
        .ceph_in_bytes_s = s.ceph_in_bytes / seconds,
        .ceph_out_bytes_s = s.ceph_out_bytes / seconds,
        .intake_bytes_s = s.intake_bytes / seconds,
        .wire_bytes_s = wire_bytes_s,
        .replicated_writes_s = replicated.osd_writes / seconds,
        .replicated_net_bytes_s = replicated.osd_net_bytes / seconds,
        .replicated_osds = osds(w, &replicated, seconds),
        .erasure_writes_s = erasure.osd_writes / seconds,
        .erasure_net_bytes_s = erasure.osd_net_bytes / seconds,
        .erasure_osds = osds(w, &erasure, seconds),
    };
}
