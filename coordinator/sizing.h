/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a backlog needs, before there is a cluster: processors, memory, disks, network. Pure arithmetic over figures of a page and of a
 * document that benches measured; bench/capacity looks whether they still hold. deploy/CAPACITY.md is the guide.
 *
 * Bytes are decimal (a TB is 10^12) but where a unit of allocation is meant. "Usable" is before copies or coding chunks, "raw" is what
 * OSDs hold. */
#ifndef SOHOA_SIZING_H
#define SOHOA_SIZING_H

#include <stdbool.h>
#include <stddef.h>

struct workload {
    double pages;
    double pages_a_document;  /* in the mean */
    double split_percent;     /* of the pages are in documents of several jobs (range_ms) */
    double source_bytes_page; /* of a scan */
    double result_bytes_page; /* beside the scan that the PDF repeats; 0: as it was measured */
    double cpu_s_page;        /* of all processes of a worker */
    double slot_bytes;        /* the most memory that a page needs */
    double cores_a_node;
    double hours_a_day;   /* that nodes work */
    double spare_percent; /* of cores: for what is read again, for nodes that are down */
    double replicas;      /* of the metadata pool, and of the data pool where that is replicated */
    double erasure_k, erasure_m;
    double alloc_bytes; /* bluestore_min_alloc_size, and the stripe unit of erasure-coded pools */
    double osd_bytes;
    double osd_write_iops;
    double osd_full_percent; /* at most so full is an OSD planned to be */
};

/* A figure of struct workload that a person may give. */
struct figure {
    const char *name; /* as an option */
    const char *meta; /* what its value is */
    const char *doc;
    const char *source; /* where the preset is from */
    size_t offset;      /* of a double in struct workload */
    double least, most, preset;
    bool whole;
};

/* NULL behind the last one. */
const struct figure *sizing_figure(size_t i);

/* What is reckoned with. */
double sizing_value(const struct workload *workload, const struct figure *figure);

/* All as it is preset: the plan of 94 million pages. */
void workload_init(struct workload *workload);

struct sizing { /* of all pages */
    double pages, documents;
    double core_s;
    double source_bytes, result_bytes; /* usable; the PDFs' scans are in results */
    double meta_bytes;                 /* usable, in the metadata pool: records, ledger, layouts, manifests */
    double usable_bytes;               /* all of these */
    double data_objects, meta_objects; /* that stay */
    double data_writes, meta_writes;   /* operations of clients that change something, removals included */
    double data_reads;   /* operations: who has no scan or bundle of a document of several jobs fetches it */
    double intake_bytes; /* from where the scans lie to the workers: looked at, then copied */
    double ceph_in_bytes, ceph_out_bytes; /* into Ceph and out of it, without what OSDs tell each other */
    double wire_bytes;                    /* between workers and coordinator, both ways */
    double coordinator_core_s, coordinator_bytes, redis_bytes;
};

void sizing_compute(const struct workload *workload, struct sizing *ret_sizing);

struct protection {
    double data_raw_bytes, meta_raw_bytes;
    double padding_bytes; /* of them: what no byte of an object is in */
    double overhead;      /* raw by usable bytes */
    double osd_writes;    /* operations on OSDs */
    double osd_net_bytes; /* that OSDs send to each other while all is written */
    double osds;          /* that all fits on */
    double osd_memory_bytes;
    double hosts; /* at least: one for each copy or chunk */
    double lost;  /* so many hosts or OSDs may be lost at once, and no byte is */
    double down;  /* with so many down everything is still read and written */
};

/* The data pool with copies, or with k data and m coding chunks; the metadata pool has copies in either case, since erasure-coded pools
 * have no omap. */
enum scheme { SCHEME_REPLICATED, SCHEME_ERASURE };
void sizing_protect(const struct workload *workload, enum scheme scheme, struct protection *ret_protection);

struct pace { /* to be through within so many days */
    double days;
    double pages_s, documents_s; /* in the hours of work, as all of what follows */
    double cores, nodes, node_bytes;
    double ceph_writes_s, ceph_reads_s; /* operations of clients */
    double ceph_in_bytes_s, ceph_out_bytes_s, intake_bytes_s, wire_bytes_s;
    double node_net_bytes_s; /* of one node, all of that */
    /* of OSDs: operations, what they tell each other, and so many that all fits on and that take the writes */
    double replicated_writes_s, replicated_net_bytes_s, replicated_osds;
    double erasure_writes_s, erasure_net_bytes_s, erasure_osds;
};

void sizing_pace(const struct workload *workload, double days, struct pace *ret_pace);

#endif
