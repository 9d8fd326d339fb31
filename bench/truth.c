/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Tables and texts. Values hold no tabs, newlines or quotation marks by construction. */
#include "bench/truth.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/auto.h"

enum table { TABLE_FIELDS, TABLE_PAGES, TABLE_MANIFEST, TABLE_NR };

static const struct {
    const char *name, *header;
} table_rule[TABLE_NR] = {
    [TABLE_FIELDS] = {"truth/truth.tsv",
                      "file\tcodeNumber\tcodeNotation\tissuedDate\ttypeName\torganName\tsubject\tsigner\n"             },
    [TABLE_PAGES] = {"truth/pages.tsv",
                      "file\tpage\tdamage\trotation_deg\tskew_deg\tdpi\tcolour\tblank\tduplicate_of\n"                 },
    [TABLE_MANIFEST] = {"manifest.csv",    "source,unit,bloc,fonds,file_code,ordinal,retention,priority,deadline,pages\n"},
};

struct truth {
    char *dir;
    FILE *tables[TABLE_NR];
};

struct truth_page *truth_document_add(struct truth_document *d, const char *text, const char *parts)
{
    if (d->page_count == d->page_capacity) {
        d->page_capacity = d->page_capacity ? 2 * d->page_capacity : 8;
        d->pages = realloc(d->pages, d->page_capacity * sizeof *d->pages);
        assert(d->pages);
    }
    if (d->page_count) {
        buf_puts(&d->text, "\f");
        buf_puts(&d->parts, "\f");
    }
    buf_puts(&d->text, text);
    buf_puts(&d->parts, parts);
    struct truth_page *page = &d->pages[d->page_count++];
    *page = (struct truth_page){0};
    return page;
}

void truth_document_clear(struct truth_document *d)
{
    free(d->pages);
    buf_destroy(&d->text);
    buf_destroy(&d->parts);
    *d = (struct truth_document){0};
}

static char *truth_path(const struct truth *truth, const char *place, const char *name, const char *suffix)
{
    AUTO(buf_destroy) struct buf path = {0};
    buf_printf(&path, "%s/%s%s%s", truth->dir, place, name, suffix);
    return strdup(buf_text(&path));
}

static int truth_mkdir(const struct truth *truth, const char *place, const char *name, bool may_exist, struct err *err)
{
    AUTO(mem_destroy) char *path = truth_path(truth, place, name, "");
    if (!mkdir(path, 0777) || (may_exist && errno == EEXIST))
        return 0;
    return err_errno(err, errno == EEXIST ? E_EXISTS : E_IO, "%s", path);
}

static int truth_open_tables(struct truth *truth, struct err *err)
{
    for (enum table t = 0; t < TABLE_NR; t++) {
        AUTO(mem_destroy) char *path = truth_path(truth, table_rule[t].name, "", "");
        truth->tables[t] = fopen(path, "wb");
        if (!truth->tables[t] || fputs(table_rule[t].header, truth->tables[t]) < 0)
            return err_errno(err, E_IO, "%s", path);
    }
    return 0;
}

int truth_new(const char *dir, struct truth **ret_truth, struct err *err)
{
    AUTO(truth_destroy) struct truth *truth = calloc(1, sizeof *truth);
    assert(truth);
    truth->dir = strdup(dir);
    int rc = truth_mkdir(truth, "", "", true, err);
    if (!rc)
        rc = truth_mkdir(truth, "scans", "", false, err);
    if (!rc)
        rc = truth_mkdir(truth, "truth", "", false, err);
    if (!rc)
        rc = truth_open_tables(truth, err);
    if (rc)
        return rc;
    *ret_truth = truth;
    truth = NULL;
    return 0;
}

void truth_destroy(struct truth **slot)
{
    struct truth *truth = *slot;
    if (!truth)
        return;
    for (enum table t = 0; t < TABLE_NR; t++)
        if (truth->tables[t])
            fclose(truth->tables[t]);
    free(truth->dir);
    free(truth);
    *slot = NULL;
}

int truth_folder(const struct truth *truth, const char *folder, struct err *err)
{
    int rc = truth_mkdir(truth, "scans/", folder, true, err);
    return rc ? rc : truth_mkdir(truth, "truth/", folder, true, err);
}

static int truth_write_text(const struct truth *truth, const struct truth_document *d, const struct buf *text,
                            const char *suffix, struct err *err)
{
    AUTO(mem_destroy) char *path = truth_path(truth, "truth/", d->file, suffix);
    FILE *file = fopen(path, "wb");
    if (!file)
        return err_errno(err, E_IO, "%s", path);
    size_t written = fwrite(buf_text(text), 1, text->size, file);
    if (fclose(file) || written < text->size)
        return err_errno(err, E_IO, "%s", path);
    return 0;
}

static void truth_write_fields(FILE *table, const struct truth_document *d)
{
    const struct letter_fields *f = &d->fields;
    fprintf(table, "%s\t%s\t%s\t%04d-%02d-%02d\t%s\t%s\t%s\t%s\n", d->file, f->number, f->notation, f->year, f->month,
            f->day, f->type_name, d->organ_name, f->subject, f->signer);
}

static void truth_write_pages(FILE *table, const struct truth_document *d)
{
    for (size_t i = 0; i < d->page_count; i++) {
        const struct truth_page *page = &d->pages[i];
        fprintf(table, "%s\t%zu\t%s\t%u\t%.2f\t%u\t%s\t%d\t%s\n", d->file, i + 1, page->damage, page->rotation_deg,
                page->skew_deg, d->form.dpi, source_colour_name(d->form.colour), page->blank,
                d->duplicate_of ? d->duplicate_of : "");
    }
}

static void truth_write_manifest(FILE *table, const struct truth_document *d, const struct truth_place *p)
{
    fprintf(table, "\"scans/%s\",%s,%s,%s,%s,%u,%s,%u,%s,%zu\n", d->file, p->unit, p->bloc, p->fonds, p->file_code,
            p->ordinal, p->retention, p->priority, p->deadline, d->page_count);
}

static int truth_check(const struct truth *truth, struct err *err)
{
    for (enum table t = 0; t < TABLE_NR; t++)
        if (fflush(truth->tables[t]) || ferror(truth->tables[t]))
            return err_errno(err, E_IO, "%s/%s", truth->dir, table_rule[t].name);
    return 0;
}

int truth_write(struct truth *truth, const struct truth_document *document, const struct truth_place *place,
                struct err *err)
{
    truth_write_fields(truth->tables[TABLE_FIELDS], document);
    truth_write_pages(truth->tables[TABLE_PAGES], document);
    truth_write_manifest(truth->tables[TABLE_MANIFEST], document, place);
    int rc = truth_check(truth, err);
    if (!rc)
        rc = truth_write_text(truth, document, &document->text, ".txt", err);
    return rc ? rc : truth_write_text(truth, document, &document->parts, ".parts", err);
}
