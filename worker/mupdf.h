/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the MuPDF files share: render.c (the flow of reading), tap.c (bytes of the source), tree.c (pages of a PDF),
 * tiff.c and picture.c (pictures as sources), look.c (what is on a page), pixels.c, bits.c and wavelet.c (a page's picture), words.c
 * (a page's own text), signature.c; pdf.c (the flow of writing), sheet.c (a picture as a PDF page), layer.c (the
 * invisible text), strip.c (an older layer); archive.c (the flow to PDF/A), objects.c, mend.c (what must not be),
 * usage.c (what is in use), substitute.c (fonts), conform.c and jpx.c (the rules), profile.c (colour), claim.c (XMP).
 *
 * A function that takes an fz_context may throw: fz_throw is a longjmp, so it is called only inside fz_try or from a
 * function that throws itself, and no frame in between owns anything but through fz_always. Lengths called pt are in
 * 1/72 inch of the page as displayed, origin top left, y down: MuPDF's own page space. */
#ifndef SOHOA_MUPDF_H
#define SOHOA_MUPDF_H

#include <mupdf/fitz.h>
#include <mupdf/pdf.h>
#include <stdbool.h>

#include "proto/err.h"
#include "proto/limits.h"
#include "worker/page.h"
#include "worker/pdf.h"
#include "worker/raster.h"
#include "worker/render.h"

enum {
    STORE_BYTES = 32 << 20, /* MuPDF's cache of decoded things */
    RENDER_DPI = 300,       /* where a page has no resolution of its own */
    DEGRADED_DPI = 150,
    SEEN_DPI = 100,
    DPI_MIN = 10, /* a page that exceeds max_pixels even so is refused */
    SIDE_MAX_PX = 32000,
    DECODED_WHOLE_PX = 20000000, /* images above are decoded reduced where that serves */
};

struct picture;

struct render {
    fz_context *ctx;
    fz_buffer *font; /* pdf.ttf, Tesseract's font without glyphs */
    uint64_t max_pixels;
    int fd; /* borrowed while a document is open; else -1 */
    uint64_t bytes;
    Sohoa__SourceKind kind;
    uint32_t pages;
    pdf_document *pdf; /* one of the two while a document is open */
    struct picture *picture;
    unsigned complaints; /* warnings and errors that MuPDF spoke of */
};

/* In fz_catch: the error that was thrown, as E_MEMORY or code. */
int render_caught(fz_context *ctx, int code, const char *what, struct err *err);

/* tap.c */

/* A stream over fd by lseek and read alone, the only calls that the sandbox has for it; fd stays open. */
fz_stream *tap_open(fz_context *ctx, int fd, uint64_t bytes);

/* By the first bytes, never by a name; SOURCE_UNKNOWN when it is none of ours. */
Sohoa__SourceKind tap_sniff(fz_context *ctx, fz_stream *stream);

/* tree.c */

/* The source as a PDF document of its own, its page tree put right. */
pdf_document *tree_open(fz_context *ctx, int fd, uint64_t bytes);

/* tiff.c: also EXIF, which is a TIFF without pixels */

struct tiff {
    const uint8_t *data; /* borrowed */
    size_t bytes;
    bool big_endian;
    size_t ifd;       /* offset of the image file directory in use */
    unsigned entries; /* in it */
};

bool tiff_open(struct tiff *tiff, const void *data, size_t bytes); /* at the first directory */
bool tiff_next(struct tiff *tiff);                                 /* at the next one; false at the end */
uint32_t tiff_count(const struct tiff *tiff, unsigned tag);        /* values that tag has; 0: not there */
uint32_t tiff_number(const struct tiff *tiff, unsigned tag, uint32_t index, uint32_t fallback);
double tiff_dpi(const struct tiff *tiff, unsigned tag); /* 0: not said */
/* Borrowed; NULL: not there or cut off. */
const uint8_t *tiff_bytes(const struct tiff *tiff, unsigned tag, size_t *ret_bytes);

/* picture.c */

enum frame_data {
    FRAME_DECODED, /* only as pixels */
    FRAME_JPEG,
    FRAME_G4,
    FRAME_PNG, /* a zlib stream with PNG predictors, in pieces */
};

/* One picture of a source. */
struct frame {
    uint32_t width_px, height_px;
    uint32_t bits;        /* a pixel: 1, 8, 24 */
    double xdpi, ydpi;    /* as the file says, else RENDER_DPI */
    uint32_t orientation; /* EXIF: 1 upright ... 8 */
    uint32_t subimage;    /* number of the directory in a TIFF */
    enum frame_data how;
    const uint8_t *data; /* JPEG and G4: as in the file, borrowed */
    size_t bytes;
    const uint8_t *tables; /* JPEG in TIFF: tables to put in after SOI */
    size_t tables_bytes;
    uint32_t components, component_bits;
    bool inverted;          /* JPEG: Adobe CMYK; G4: coded black is white */
    bool bits_reversed;     /* G4: lowest bit first */
    bool plain_rgb;         /* JPEG: the three components are RGB, with no marker to say so */
    const uint8_t *palette; /* PNG */
    size_t palette_bytes;
};

struct picture *picture_open(fz_context *ctx, Sohoa__SourceKind kind, fz_stream *stream, uint64_t bytes);
void picture_drop(fz_context *ctx, struct picture *picture);
uint32_t picture_pages(const struct picture *picture);
/* index from 0. Throws when the picture's head does not make sense. */
void picture_frame(fz_context *ctx, const struct picture *picture, uint32_t index, struct frame *frame);
fz_image *picture_image(fz_context *ctx, const struct picture *picture, uint32_t index);
/* Of a frame that is not FRAME_DECODED: its coded data as a PDF's filters take it, the caller's. */
fz_buffer *picture_coded(fz_context *ctx, const struct picture *picture, const struct frame *frame);
void frame_size(const struct frame *frame, double *ret_width_pt, double *ret_height_pt); /* as displayed */
fz_matrix frame_turn(const struct frame *frame); /* unit square as stored -> as displayed, y down */

/* wavelet.c */

enum { WAVELETS_MAX = 8 };

/* A page's large JPEG 2000 images, which MuPDF takes from its store instead of decoding them whole. */
struct wavelets {
    fz_image *image[WAVELETS_MAX];
    unsigned count;
};

/* To be called before the page is run, and dropped after. degraded: decoded within that profile's memory. */
void wavelets_load(fz_context *ctx, pdf_obj *page, bool degraded, struct wavelets *wavelets);
void wavelets_drop(fz_context *ctx, struct wavelets *wavelets);

/* look.c */

/* A page of either kind of source. */
struct leaf {
    fz_page *page;   /* or: */
    fz_image *image; /* ... of a picture, with its place in pt */
    fz_matrix place;
    struct frame frame;
    fz_rect box; /* pt; starts at 0,0 */
    struct wavelets wavelets;
};

void leaf_load(struct render *render, uint32_t page_no, bool degraded, struct leaf *leaf);
void leaf_drop(fz_context *ctx, struct leaf *leaf);
void leaf_paint(fz_context *ctx, const struct leaf *leaf, fz_device *dev, fz_matrix to_px, fz_cookie *cookie);

enum { LOOK_CELLS = 64 };

/* What a page's contents (not its annotations) are made of. Shares are parts of the page's area. */
struct look {
    fz_rect box;
    unsigned images;
    unsigned covers; /* images that each cover the page */
    double others;   /* share of images beside the first cover */
    fz_image *cover; /* the first one, kept */
    fz_matrix cover_place;
    bool cover_stencil; /* it is a mask painted dark */
    bool cover_clipped;
    bool painted_over; /* drawings lie over it */
    bool odd;          /* transparency: what is seen is not what is stored */
    bool paths;
    bool colour;
    double dpi; /* of the finest image that matters */
    uint32_t bits;
    uint8_t cell[LOOK_CELLS][LOOK_CELLS];
    unsigned texts;            /* text operations */
    unsigned texts_under;      /* the first of them, which lie under the cover */
    unsigned chars;            /* that are to be seen */
    unsigned chars_unreadable; /* ... but whose meaning the file does not tell */
    unsigned chars_hidden;     /* invisible, or under the cover */
    int errors;
};

void look_at(fz_context *ctx, const struct leaf *leaf, struct look *look);
void look_drop(fz_context *ctx, struct look *look);
double look_covered(const struct look *look); /* share of the page under images */

/* pixels.c */

struct view {
    double width_pt, height_pt;
    uint32_t dpi, width_px, height_px;
};

/* false: over max_pixels even at DPI_MIN. */
bool view_fit(const struct leaf *leaf, double dpi, uint64_t max_pixels, struct view *view);

/* The cover's own pixels, turned as displayed; NULL when they are not simply what is seen. Above max_pixels its sides are
 * halved, as often as it takes, mostly while it is decoded: it is never whole in memory then. Two shades become gray so. */
struct raster *pixels_take(fz_context *ctx, const struct look *look, const struct view *view, uint64_t max_pixels);
/* An image's pixels as they are stored; two shades as bilevel. */
struct raster *pixels_of(fz_context *ctx, fz_image *image, bool bilevel);

enum drawn {
    DRAWN_PICTURES, /* the contents without their own text */
    DRAWN_CONTENTS,
    DRAWN_ALL, /* annotations, too */
};

/* The page as displayed, at dpi. */
struct raster *pixels_draw(fz_context *ctx, const struct leaf *leaf, const struct view *view, uint32_t dpi, bool colour,
                           enum drawn drawn);

/* The number in so many bytes, at most 4, first byte highest: PNG, JPEG, JPEG 2000 and CFF have them so. */
static inline uint32_t big_endian(const uint8_t *data, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | data[i];
    return value;
}

/* bits.c */

/* An image of one bit a pixel, straight from its decoder, as stored; NULL when it is no such image. What is missing at
 * the end is paper. */
struct raster *bits_take(fz_context *ctx, fz_image *image);

/* words.c */

/* The page's own visible text: of its contents from text operation number under on, and of its annotations. hidden: what
 * is invisible there or comes before that operation, an older recogniser's layer. */
struct words {
    fz_stext_page *contents, *notes, *hidden;
};
void words_load(fz_context *ctx, const struct leaf *leaf, unsigned under, bool contents, struct words *words);
void words_load_hidden(fz_context *ctx, const struct leaf *leaf, unsigned under, struct words *words);
void words_drop(fz_context *ctx, struct words *words);
/* What is visible, and what is hidden. They throw nothing. Errors: E_LIMIT (PAGE_MAX_WORDS). */
int words_add(const struct words *words, const struct view *view, Sohoa__Page *page, struct err *err);
int words_add_hidden(const struct words *words, const struct view *view, Sohoa__Page *layer, struct err *err);

/* signature.c */

/* glance.c: dpi and bits of the first page's largest image, where it has one. Throws. */
void glance(fz_context *ctx, pdf_document *pdf, Sohoa__Probe *probe);

void signatures_note(fz_context *ctx, pdf_document *pdf, Sohoa__Probe *probe);
void signatures_strip(fz_context *ctx, pdf_document *pdf);
/* "D:20210105081524+07'00'" (ISO 32000-1, 7.9.4) -> "2021-01-05T08:15:24+07:00"; malloc'd, "" when it is not one. */
char *signature_time(const char *date);

/* sheet.c */

/* Adds picture index as the last page; blank: when it can't be decoded, leave the page empty instead of throwing. */
void sheet_add(fz_context *ctx, pdf_document *pdf, const struct picture *picture, uint32_t index, bool blank);

/* layer.c */

struct layer; /* the font and what its codes mean */
struct layer *layer_new(fz_context *ctx, pdf_document *pdf, fz_buffer *font);
void layer_drop(fz_context *ctx, struct layer *layer);
void layer_add(fz_context *ctx, struct layer *layer, pdf_obj *page_obj, const Sohoa__Page *page);
void layer_finish(fz_context *ctx, struct layer *layer); /* after the last page */

/* Takes key out of dict, if dict is one (pdf_dict_del() throws when it is not). */
void dict_forget(fz_context *ctx, pdf_obj *dict, const char *key);

/* A copy of from, or an empty dictionary when it is none; the caller's. */
pdf_obj *dict_copy(fz_context *ctx, pdf_document *pdf, pdf_obj *from);

/* Gives holder a copy of from, or an empty dictionary, under key, which it does not share with others; borrowed. */
pdf_obj *dict_own(fz_context *ctx, pdf_document *pdf, pdf_obj *holder, pdf_obj *key, pdf_obj *from);

/* strip.c */

/* Takes invisible text out of a page's contents: text mode 3, and, when a cover of that size lies over it, what is
 * shown before it. Where that would move other text it stays, marked as standing for no text. false: the page is as it was,
 * since its contents are not understood well enough. */
bool strip_page(fz_context *ctx, pdf_document *pdf, pdf_obj *page_obj, const struct look *look);

/* objects.c */

typedef void object_visit(fz_context *ctx, void *user, pdf_obj *object);

/* Every object that the catalog leads to, also those inside others, each once. Objects made meanwhile may be left out. */
void objects_visit(fz_context *ctx, pdf_document *pdf, object_visit *visit, void *user);

/* usage.c */

enum { CIDS_MAX = 65536 };

struct used_font {
    pdf_obj *dict;
    pdf_font_desc *desc;
    unsigned char *cids; /* CIDS_MAX bits: letters that are to be seen */
};

struct usage {
    struct used_font *font;
    int fonts;
    unsigned nesting; /* deepest q */
    bool cmyk;        /* colours in contents */
    bool smooth;      /* an interpolated inline image */
    bool odd_intent;
    bool unknown;  /* operators or fonts that are not known */
    bool borrowed; /* a form uses the page's resources */
    bool broken;   /* contents could not be read to their end */
};

void usage_scan(fz_context *ctx, pdf_document *pdf, struct usage *usage); /* usage is empty before */
void usage_drop(fz_context *ctx, struct usage *usage);

/* mend.c */

void mend_document(fz_context *ctx, pdf_document *pdf);
void mend_for_2b(fz_context *ctx, pdf_document *pdf); /* what PDF/A-1 asks for and PDF/A-2 had better be without */
bool action_is_allowed(fz_context *ctx, pdf_obj *action, bool first_part); /* first_part: of ISO 19005 */
bool intent_is_known(fz_context *ctx, pdf_obj *name);                      /* also NULL */

/* substitute.c */

/* Embeds a program for a font that has none, if there is one that fits; the font stays as it is if not. */
void substitute_font(fz_context *ctx, pdf_document *pdf, const struct used_font *used);

/* conform.c, jpx.c */

bool font_is_embedded(fz_context *ctx, const struct used_font *font);
/* warnings: counts what MuPDF complains about. why: "" or the first rule that is broken. */
void conform_check(fz_context *ctx, pdf_document *pdf, const struct usage *usage, const unsigned *warnings,
                   bool first_part, char why[PDFA_WHY_BYTES]);
void jpx_check(fz_context *ctx, pdf_obj *stream, char why[PDFA_WHY_BYTES]);

/* profile.c */

/* A stream with the profile for sRGB (3 components) or CMYK (4). */
pdf_obj *profile_add(fz_context *ctx, pdf_document *pdf, unsigned components);
bool profile_is_rgb(fz_context *ctx, pdf_obj *stream); /* an output profile of version 2, which both levels allow */

/* claim.c */

/* Metadata, output intent and version for that level; PDFA_NONE: all but the claim. */
void claim_write(fz_context *ctx, pdf_document *pdf, enum pdfa level);

/* archive.c */

/* The last step before writing. */
void archive_make(fz_context *ctx, pdf_document *pdf, enum pdfa wanted, struct pdf_said *said);

#endif
