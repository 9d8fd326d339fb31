/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Digital signatures of a PDF source: noted as they speak of themselves, and taken out of what is written from it, since
 * every change breaks them. What people see of them stays: the widget becomes a stamp annotation with the same appearance.
 * Nothing here verifies a signature. */
#include "worker/mupdf.h"

#include <openssl/cms.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIELD_DEPTH_MAX = 32,
    NAME_MAX_BYTES = 512, /* of a signer or field */
};

/* The certificate's common name, in UTF-8; malloc'd, NULL when there is none. */
static char *certificate_name(X509 *certificate)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0)
        return NULL;
    unsigned char *utf8 = NULL;
    int bytes = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    char *name = bytes > 0 && bytes < NAME_MAX_BYTES && !memchr(utf8, 0, (size_t)bytes)
                     ? strndup((const char *)utf8, (size_t)bytes)
                     : NULL;
    OPENSSL_free(utf8);
    return name;
}

static char *signer_name(CMS_ContentInfo *cms)
{
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
    STACK_OF(X509) *certificates = CMS_get1_certs(cms);
    char *name = NULL;
    for (int i = 0; !name && signers && sk_CMS_SignerInfo_num(signers) > 0 && i < sk_X509_num(certificates); i++)
        if (!CMS_SignerInfo_cert_cmp(sk_CMS_SignerInfo_value(signers, 0), sk_X509_value(certificates, i)))
            name = certificate_name(sk_X509_value(certificates, i));
    sk_X509_pop_free(certificates, X509_free);
    return name;
}

/* From the signature's own data: CMS, or for adbe.x509.rsa_sha1 the certificate beside it. */
static char *signer_of(fz_context *ctx, pdf_obj *value)
{
    size_t bytes;
    const unsigned char *der = (const unsigned char *)pdf_dict_get_string(ctx, value, PDF_NAME(Contents), &bytes);
    CMS_ContentInfo *cms = bytes ? d2i_CMS_ContentInfo(NULL, &der, (long)bytes) : NULL;
    char *name = cms ? signer_name(cms) : NULL;
    CMS_ContentInfo_free(cms);
    pdf_obj *cert = pdf_dict_get(ctx, value, PDF_NAME(Cert));
    if (pdf_is_array(ctx, cert))
        cert = pdf_array_get(ctx, cert, 0);
    der = (const unsigned char *)pdf_to_string(ctx, cert, &bytes);
    X509 *certificate = !name && bytes ? d2i_X509(NULL, &der, (long)bytes) : NULL;
    if (certificate)
        name = certificate_name(certificate);
    X509_free(certificate);
    return name;
}

/* The number that count digits at *at are, if it lies between least and most; else -1. Moves *at behind them. */
static int take_digits(const char **at, unsigned count, int least, int most)
{
    int number = 0;
    for (unsigned i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return -1;
        number = 10 * number + (**at - '0');
    }
    return number < least || number > most ? -1 : number;
}

/* "+07'00'" -> "+07:00", "Z" -> "Z"; "" when the zone is not said. */
static void iso_zone(const char *at, char zone[8])
{
    char sign = *at;
    zone[0] = '\0';
    if (sign == 'Z')
        snprintf(zone, 8, "Z");
    if (sign != '+' && sign != '-')
        return;
    at++;
    int hours = take_digits(&at, 2, 0, 23), minutes = 0;
    if (*at == '\'')
        at++;
    if (*at)
        minutes = take_digits(&at, 2, 0, 59);
    if (hours >= 0 && minutes >= 0)
        snprintf(zone, 8, "%c%02u:%02u", sign, (unsigned)hours % 24, (unsigned)minutes % 60);
}

char *signature_time(const char *date)
{
    if (!strncmp(date, "D:", 2))
        date += 2;
    int year = take_digits(&date, 4, 1, 9999), month = take_digits(&date, 2, 1, 12), day = take_digits(&date, 2, 1, 31);
    int hour = take_digits(&date, 2, 0, 23), minute = take_digits(&date, 2, 0, 59),
        second = take_digits(&date, 2, 0, 60);
    if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0)
        return strdup("");
    char iso[96], zone[8];
    iso_zone(date, zone);
    snprintf(iso, sizeof iso, "%04d-%02d-%02dT%02d:%02d:%02d%s", year, month, day, hour, minute, second, zone);
    return strdup(iso);
}

/* At most NAME_MAX_BYTES, cut before the letter that does not fit. */
static char *name_copy(const char *name)
{
    size_t bytes = strlen(name);
    if (bytes >= NAME_MAX_BYTES)
        for (bytes = NAME_MAX_BYTES - 1; bytes && ((unsigned char)name[bytes] & 0xc0) == 0x80;)
            bytes--;
    return strndup(name, bytes);
}

static void signature_note(fz_context *ctx, pdf_obj *field, pdf_obj *value, Sohoa__Probe *probe)
{
    char *field_name = pdf_field_name(ctx, field);
    Sohoa__Signature *note = malloc(sizeof *note);
    Sohoa__Signature **list = realloc(probe->signatures, (probe->n_signatures + 1) * sizeof(void *));
    if (list)
        probe->signatures = list;
    if (!note || !list) {
        free(note);
        fz_free(ctx, field_name);
        fz_throw(ctx, FZ_ERROR_MEMORY, "no memory for a signature");
    }
    sohoa__signature__init(note);
    note->field = name_copy(field_name ? field_name : "");
    fz_free(ctx, field_name);
    note->time = strdup("");
    note->signer = strdup("");
    probe->signatures[probe->n_signatures++] = note;

    char *signer = signer_of(ctx, value);
    if (!signer)
        signer = name_copy(pdf_dict_get_text_string(ctx, value, PDF_NAME(Name)));
    free(note->signer);
    note->signer = signer;
    free(note->time);
    note->time = signature_time(pdf_dict_get_text_string(ctx, value, PDF_NAME(M)));
}

static bool is_signature(fz_context *ctx, pdf_obj *field)
{
    return pdf_name_eq(ctx, pdf_dict_get_inheritable(ctx, field, PDF_NAME(FT)), PDF_NAME(Sig));
}

static void fields_note(fz_context *ctx, pdf_obj *fields, unsigned depth, Sohoa__Probe *probe)
{
    int n = pdf_array_len(ctx, fields);
    for (int i = 0; i < n && probe->n_signatures < SIGNATURES_MAX; i++) {
        pdf_obj *field = pdf_array_get(ctx, fields, i), *kids = pdf_dict_get(ctx, field, PDF_NAME(Kids));
        pdf_obj *value = pdf_dict_get(ctx, field, PDF_NAME(V));
        if (is_signature(ctx, field) && pdf_is_dict(ctx, value))
            signature_note(ctx, field, value, probe);
        else if (kids && depth < FIELD_DEPTH_MAX && !pdf_mark_obj(ctx, field)) {
            fz_try(ctx) fields_note(ctx, kids, depth + 1, probe);
            fz_always(ctx) pdf_unmark_obj(ctx, field);
            fz_catch(ctx) fz_rethrow(ctx);
        }
    }
}

void signatures_note(fz_context *ctx, pdf_document *pdf, Sohoa__Probe *probe)
{
    fields_note(ctx, pdf_dict_getp(ctx, pdf_trailer(ctx, pdf), "Root/AcroForm/Fields"), 0, probe);
}

/* Removes signature fields, and fields that only held such. */
static void fields_strip(fz_context *ctx, pdf_obj *fields, unsigned depth)
{
    for (int i = pdf_array_len(ctx, fields) - 1; i >= 0; i--) {
        pdf_obj *field = pdf_array_get(ctx, fields, i), *kids = pdf_dict_get(ctx, field, PDF_NAME(Kids));
        bool gone = is_signature(ctx, field);
        dict_forget(ctx, field, "AA");
        if (!gone && pdf_is_array(ctx, kids) && depth < FIELD_DEPTH_MAX && !pdf_mark_obj(ctx, field)) {
            fz_try(ctx) fields_strip(ctx, kids, depth + 1);
            fz_always(ctx) pdf_unmark_obj(ctx, field);
            fz_catch(ctx) fz_rethrow(ctx);
            gone = pdf_array_len(ctx, kids) == 0;
        }
        if (gone)
            pdf_array_delete(ctx, fields, i);
    }
}

/* What a field has and a stamp has not. */
static const char *const field_keys[] = {"FT", "V",  "DV", "T", "TU", "TM",     "Ff",   "Lock", "SV",
                                         "MK", "DA", "DR", "A", "AA", "Parent", "Kids", "H",    "Q"};

static bool widget_is_seen(fz_context *ctx, pdf_obj *widget)
{
    return pdf_is_stream(ctx, pdf_dict_getp(ctx, widget, "AP/N")) &&
           !fz_is_empty_rect(pdf_dict_get_rect(ctx, widget, PDF_NAME(Rect)));
}

static void annotations_strip(fz_context *ctx, pdf_obj *annots)
{
    for (int i = pdf_array_len(ctx, annots) - 1; i >= 0; i--) {
        pdf_obj *widget = pdf_array_get(ctx, annots, i);
        if (!pdf_name_eq(ctx, pdf_dict_get(ctx, widget, PDF_NAME(Subtype)), PDF_NAME(Widget)) ||
            !is_signature(ctx, widget))
            continue;
        if (!widget_is_seen(ctx, widget)) {
            pdf_array_delete(ctx, annots, i);
            continue;
        }
        for (size_t k = 0; k < sizeof field_keys / sizeof *field_keys; k++)
            dict_forget(ctx, widget, field_keys[k]);
        pdf_dict_put(ctx, widget, PDF_NAME(Subtype), PDF_NAME(Stamp));
    }
}

static void form_strip(fz_context *ctx, pdf_obj *root)
{
    pdf_obj *form = pdf_dict_get(ctx, root, PDF_NAME(AcroForm));
    pdf_obj *fields = pdf_dict_get(ctx, form, PDF_NAME(Fields));
    if (!form)
        return;
    fields_strip(ctx, fields, 0);
    dict_forget(ctx, form, "SigFlags");
    dict_forget(ctx, form, "NeedAppearances");
    if (!pdf_array_len(ctx, fields))
        dict_forget(ctx, root, "AcroForm");
}

void signatures_strip(fz_context *ctx, pdf_document *pdf)
{
    pdf_obj *root = pdf_dict_get(ctx, pdf_trailer(ctx, pdf), PDF_NAME(Root));
    int pages = pdf_count_pages(ctx, pdf);
    form_strip(ctx, root); /* first: it knows fields by the type that widgets lose */
    for (int i = 0; i < pages; i++)
        annotations_strip(ctx, pdf_dict_get(ctx, pdf_lookup_page_obj(ctx, pdf, i), PDF_NAME(Annots)));
    dict_forget(ctx, root, "Perms");
    dict_forget(ctx, root, "DSS");
    dict_forget(ctx, root, "Legal");
}
