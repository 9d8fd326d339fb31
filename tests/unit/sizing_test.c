/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Sizing: what follows from given figures by hand, whatever documents were measured to leave behind. */
#include "coordinator/sizing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Documents of ten pages, whose objects are all far larger than a unit of allocation. */
static struct workload large_documents(void)
{
    struct workload w;
    workload_init(&w);
    w.pages = 1e6;
    w.pages_a_document = 10;
    w.source_bytes_page = 500e3;
    w.result_bytes_page = 100e3;
    w.cpu_s_page = 0.864;
    w.cores_a_node = 8;
    w.hours_a_day = 12;
    w.spare_percent = 50;
    w.replicas = 3;
    w.erasure_k = 4;
    w.erasure_m = 2;
    w.alloc_bytes = 1024;
    w.osd_bytes = 1e12;
    w.osd_full_percent = 50;
    return w;
}

static void near(double got, double wanted)
{
    if (!(fabs(got - wanted) <= 1e-9 * fabs(wanted)))
        fail_msg("%.17g, not %.17g", got, wanted);
}

/* 864,000 core-seconds in 5 days of 12 hours are 4 cores, 6 with half of them to spare. */
static void cores_and_nodes_follow_from_days(void **state)
{
    (void)state;
    struct workload w = large_documents();
    struct pace p;
    sizing_pace(&w, 5, &p);
    near(p.pages_s, 1e6 / 216e3);
    near(p.cores, 6);
    near(p.nodes, 2);
    sizing_pace(&w, 1, &p);
    near(p.cores, 30);
    near(p.nodes, 4);
    w.hours_a_day = 24;
    sizing_pace(&w, 1, &p);
    near(p.cores, 15);
    near(p.nodes, 2);
}

/* A page that failed goes to another node, so there are two. */
static void one_node_is_never_enough(void **state)
{
    (void)state;
    struct workload w = large_documents();
    struct pace p;
    w.cores_a_node = 1000;
    sizing_pace(&w, 365, &p);
    near(p.nodes, 2);
    near(p.cores, 1);
}

static void what_is_stored_adds_up(void **state)
{
    (void)state;
    struct workload w = large_documents();
    struct sizing s;
    sizing_compute(&w, &s);
    near(s.documents, 1e5);
    near(s.core_s, 864e3);
    near(s.source_bytes, 500e9);
    near(s.intake_bytes, 1000e9);
    near(s.usable_bytes, s.source_bytes + s.result_bytes + s.meta_bytes);
    near(s.data_objects + s.meta_objects, 7 * s.documents);
    /* the scan twice, and 100 kB a page; the rest of the metadata pool is small */
    double records = s.usable_bytes - 2 * 500e9 - 100e9;
    assert_true(records > 0 && records < 1e5 * 5000.0);
}

/* A tenth of the pages: a tenth of all that grows with them. */
static void all_is_linear(void **state)
{
    (void)state;
    struct workload w = large_documents();
    struct sizing ten, one, none;
    sizing_compute(&w, &ten);
    w.pages /= 10;
    sizing_compute(&w, &one);
    w.pages = 0;
    sizing_compute(&w, &none);
    assert_true(none.redis_bytes > 0 && none.coordinator_bytes > 0);
    near(ten.redis_bytes - none.redis_bytes, 10 * (one.redis_bytes - none.redis_bytes));
    near(ten.coordinator_bytes - none.coordinator_bytes, 10 * (one.coordinator_bytes - none.coordinator_bytes));
    near(ten.wire_bytes, 10 * one.wire_bytes);
    near(ten.data_writes, 10 * one.data_writes);
    near(ten.coordinator_core_s, 10 * one.coordinator_core_s);
}

static double padding_of(const struct workload *w, enum scheme scheme)
{
    struct protection p;
    sizing_protect(w, scheme, &p);
    return p.padding_bytes;
}

/* Of an object half a unit is empty in the mean; an erasure-coded one has units of k, and m more. */
static void units_are_half_empty_in_the_mean(void **state)
{
    (void)state;
    struct workload w = large_documents();
    near(padding_of(&w, SCHEME_REPLICATED), 1e5 * 7 * 512.0 * 3);
    near(padding_of(&w, SCHEME_ERASURE), 1e5 * (6 * 512.0 * 6 + 512.0 * 3));
}

/* Where nobody says what results take, it is what was measured; said so, it is the same. */
static void measured_results_are_a_preset(void **state)
{
    (void)state;
    struct workload w = large_documents();
    struct sizing measured, said;
    const struct figure *figure = sizing_figure(0);
    for (size_t i = 0; strcmp(figure->name, "result-bytes-page"); i++)
        figure = sizing_figure(i);
    near(sizing_value(&w, figure), 100e3);
    w.result_bytes_page = 0;
    sizing_compute(&w, &measured);
    w.result_bytes_page = sizing_value(&w, figure);
    sizing_compute(&w, &said);
    near(measured.usable_bytes, said.usable_bytes);
    assert_true(measured.usable_bytes > 2 * measured.source_bytes + w.pages * 10e3);
}

/* A document of several jobs is fetched again, and its bundles come and go; what stays is the same. */
static void several_jobs_cost_reads_and_writes(void **state)
{
    (void)state;
    struct workload w = large_documents();
    struct sizing one, several;
    w.split_percent = 0;
    sizing_compute(&w, &one);
    w.split_percent = 40;
    sizing_compute(&w, &several);
    assert_true(one.data_reads == 0 && one.ceph_out_bytes == 0);
    near(one.data_writes, one.data_objects);
    near(one.ceph_in_bytes, one.usable_bytes);
    assert_true(several.ceph_out_bytes > 0.4 * one.source_bytes && several.ceph_out_bytes < 0.5 * one.source_bytes);
    assert_true(several.data_reads > 0 && several.data_writes > one.data_writes);
    near(several.usable_bytes, one.usable_bytes);
    near(several.data_objects, one.data_objects);
}

/* Objects of nothing take a unit each: k + m of them where they are erasure-coded. */
static void small_objects_take_a_unit_each(void **state)
{
    (void)state;
    struct workload w = large_documents();
    struct protection p;
    w.source_bytes_page = 1e-9;
    w.result_bytes_page = 1e-9;
    sizing_protect(&w, SCHEME_REPLICATED, &p);
    near(p.data_raw_bytes, 1e5 * 6 * 3 * 1024.0);
    sizing_protect(&w, SCHEME_ERASURE, &p);
    near(p.data_raw_bytes, 1e5 * 6 * 6 * 1024.0);
    assert_true(p.overhead > 6);
}

static void raw_is_usable_times_copies_or_chunks(void **state)
{
    (void)state;
    struct workload w = large_documents();
    struct sizing s;
    struct protection p;
    sizing_compute(&w, &s);
    double data_bytes = s.source_bytes + s.result_bytes;
    sizing_protect(&w, SCHEME_REPLICATED, &p);
    near(p.data_raw_bytes + p.meta_raw_bytes - p.padding_bytes, 3 * s.usable_bytes);
    near(p.osd_writes, 3 * (s.data_writes + s.meta_writes));
    near(p.osd_net_bytes, 2 * s.usable_bytes);
    double replicated_meta_bytes = p.meta_raw_bytes;
    sizing_protect(&w, SCHEME_ERASURE, &p);
    near(p.data_raw_bytes + p.meta_raw_bytes - p.padding_bytes, 1.5 * data_bytes + 3 * s.meta_bytes);
    near(p.osd_writes, 6 * s.data_writes + 3 * s.meta_writes);
    near(p.osd_net_bytes, 1.25 * data_bytes + 2 * s.meta_bytes);
    near(p.meta_raw_bytes, replicated_meta_bytes);
}

static void check_losses(double replicas, double k, double m, enum scheme scheme, double hosts, double lost,
                         double down)
{
    struct workload w = large_documents();
    struct protection p;
    w.replicas = replicas;
    w.erasure_k = k;
    w.erasure_m = m;
    sizing_protect(&w, scheme, &p);
    near(p.hosts, hosts);
    near(p.lost, lost);
    near(p.down, down);
}

static void schemes_survive_what_they_should(void **state)
{
    (void)state;
    check_losses(3, 4, 2, SCHEME_REPLICATED, 3, 2, 1);
    check_losses(1, 4, 2, SCHEME_REPLICATED, 1, 0, 0);
    check_losses(3, 4, 2, SCHEME_ERASURE, 6, 2, 1);
    check_losses(3, 2, 1, SCHEME_ERASURE, 3, 1, 0);
    check_losses(3, 8, 4, SCHEME_ERASURE, 12, 2, 1); /* no more than the metadata pool */
    check_losses(5, 8, 4, SCHEME_ERASURE, 12, 4, 2);
}

/* 3.3 TB and what records need, raw, on OSDs of 1 TB that are half full: seven; a slow OSD's writes ask for more. */
static void osds_hold_all_and_take_all_writes(void **state)
{
    (void)state;
    struct workload w = large_documents();
    struct protection p;
    struct pace pace;
    sizing_protect(&w, SCHEME_REPLICATED, &p);
    double raw_bytes = p.data_raw_bytes + p.meta_raw_bytes;
    assert_true(raw_bytes > 3.3e12 && raw_bytes < 3.5e12);
    near(p.osds, 7);
    w.osd_write_iops = 1;
    sizing_pace(&w, 1, &pace);
    near(pace.replicated_osds, ceil(p.osd_writes / 43200));
    assert_true(pace.replicated_osds > 7);
    w.osd_bytes = 1e15;
    sizing_protect(&w, SCHEME_ERASURE, &p);
    near(p.osds, 6); /* one for each chunk */
}

/* A table of what may be given: each row reaches a field of its own, and its preset is one that could be given. */
static void figures_are_fields(void **state)
{
    (void)state;
    struct workload w;
    const struct figure *figure, *other;
    workload_init(&w);
    for (size_t i = 0; (figure = sizing_figure(i)); i++) {
        assert_true(figure->least <= figure->preset && figure->preset <= figure->most);
        assert_true(!figure->whole || figure->preset == floor(figure->preset));
        assert_true(sizing_value(&w, figure) > 0);
        for (size_t j = 0; j < i && (other = sizing_figure(j)); j++)
            assert_true(other->offset != figure->offset && strcmp(other->name, figure->name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cores_and_nodes_follow_from_days),
        cmocka_unit_test(one_node_is_never_enough),
        cmocka_unit_test(what_is_stored_adds_up),
        cmocka_unit_test(all_is_linear),
        cmocka_unit_test(units_are_half_empty_in_the_mean),
        cmocka_unit_test(measured_results_are_a_preset),
        cmocka_unit_test(several_jobs_cost_reads_and_writes),
        cmocka_unit_test(small_objects_take_a_unit_each),
        cmocka_unit_test(raw_is_usable_times_copies_or_chunks),
        cmocka_unit_test(schemes_survive_what_they_should),
        cmocka_unit_test(osds_hold_all_and_take_all_writes),
        cmocka_unit_test(figures_are_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
