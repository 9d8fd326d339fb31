/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Makes the PDF that is about to be written a PDF/A as far as that goes without changing what people see: the flow over
 * mend.c, usage.c, substitute.c, conform.c and claim.c. */
#include "worker/mupdf.h"

#include <string.h>

/* ---- CMYK: no output intent of ours covers it, so that it needs a profile (ISO 19005-2, 6.2.4.3) ---- */

static void name_meet(fz_context *ctx, void *user, pdf_obj *object)
{
    bool *cmyk = user;
    *cmyk = *cmyk || pdf_name_eq(ctx, object, PDF_NAME(DeviceCMYK));
}

struct colours {
    pdf_document *pdf;
    pdf_obj *profile;
};

static pdf_obj *space_new(fz_context *ctx, const struct colours *colours)
{
    pdf_obj *space = pdf_new_array(ctx, colours->pdf, 2);
    pdf_array_push(ctx, space, PDF_NAME(ICCBased));
    pdf_array_push(ctx, space, colours->profile);
    return space;
}

static void resources_colour(fz_context *ctx, const struct colours *colours, pdf_obj *holder)
{
    pdf_obj *resources = pdf_dict_get(ctx, holder, PDF_NAME(Resources));
    if (!pdf_is_dict(ctx, resources))
        return;
    pdf_obj *spaces = pdf_dict_get(ctx, resources, PDF_NAME(ColorSpace));
    if (!pdf_is_dict(ctx, spaces))
        spaces = pdf_dict_put_dict(ctx, resources, PDF_NAME(ColorSpace), 1);
    if (!pdf_dict_get(ctx, spaces, PDF_NAME(DefaultCMYK)))
        pdf_dict_put_drop(ctx, spaces, PDF_NAME(DefaultCMYK), space_new(ctx, colours));
}

static void object_colour(fz_context *ctx, void *user, pdf_obj *object)
{
    const struct colours *colours = user;
    if (!pdf_is_dict(ctx, object))
        return;
    resources_colour(ctx, colours, object);
    pdf_obj *group = pdf_dict_get(ctx, object, PDF_NAME(Group));
    if (pdf_name_eq(ctx, pdf_dict_get(ctx, group, PDF_NAME(CS)), PDF_NAME(DeviceCMYK)))
        pdf_dict_put_drop(ctx, group, PDF_NAME(CS), space_new(ctx, colours));
}

static void cmyk_cover(fz_context *ctx, pdf_document *pdf, const struct usage *usage)
{
    bool cmyk = usage->cmyk;
    objects_visit(ctx, pdf, name_meet, &cmyk);
    if (!cmyk)
        return;
    struct colours colours = {pdf, profile_add(ctx, pdf, 4)};
    fz_try(ctx) objects_visit(ctx, pdf, object_colour, &colours);
    fz_always(ctx) pdf_drop_obj(ctx, colours.profile);
    fz_catch(ctx) fz_rethrow(ctx);
}

/* ---- what MuPDF complains about ---- */

struct watch {
    unsigned warnings;
    fz_warning_cb *before;
    void *user;
};

static void watch_hear(void *user, const char *text)
{
    struct watch *watch = user;
    (void)text;
    watch->warnings++;
}

/* ---- the flow ---- */

static void fonts_lend(fz_context *ctx, pdf_document *pdf, const struct usage *usage)
{
    for (int i = 0; i < usage->fonts; i++)
        if (usage->font[i].desc && !font_is_embedded(ctx, &usage->font[i]))
            substitute_font(ctx, pdf, &usage->font[i]);
    fz_empty_store(ctx); /* it keeps fonts as they were loaded */
}

/* The level reached; why: what stands against the one wanted. */
static enum pdfa level_find(fz_context *ctx, pdf_document *pdf, const struct usage *usage, const struct watch *watch,
                            enum pdfa wanted, char why[PDFA_WHY_BYTES])
{
    char why_not_2b[PDFA_WHY_BYTES];
    if (wanted == PDFA_1B) {
        conform_check(ctx, pdf, usage, &watch->warnings, true, why);
        if (!*why)
            return PDFA_1B;
    }
    mend_for_2b(ctx, pdf);
    conform_check(ctx, pdf, usage, &watch->warnings, false, why_not_2b);
    if (*why_not_2b || wanted == PDFA_2B)
        memcpy(why, why_not_2b, PDFA_WHY_BYTES);
    return *why_not_2b ? PDFA_NONE : PDFA_2B;
}

static void archive_finish(fz_context *ctx, pdf_document *pdf, enum pdfa wanted, struct usage *usage,
                           const struct watch *watch, struct pdf_said *said)
{
    usage_scan(ctx, pdf, usage);
    usage->broken = usage->broken || watch->warnings;
    fonts_lend(ctx, pdf, usage);
    cmyk_cover(ctx, pdf, usage);
    said->level = level_find(ctx, pdf, usage, watch, wanted, said->why);
    claim_write(ctx, pdf, said->level);
}

void archive_make(fz_context *ctx, pdf_document *pdf, enum pdfa wanted, struct pdf_said *said)
{
    struct usage usage = {0};
    fz_var(usage);
    struct watch watch = {0};
    watch.before = fz_warning_callback(ctx, &watch.user);
    fz_set_warning_callback(ctx, watch_hear, &watch);
    fz_try(ctx) archive_finish(ctx, pdf, wanted, &usage, &watch, said);
    fz_always(ctx)
    {
        fz_set_warning_callback(ctx, watch.before, watch.user);
        usage_drop(ctx, &usage);
    }
    fz_catch(ctx) fz_rethrow(ctx);
}
