/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Damage in the order in which it happens: the paper wears, the back shines through, the sheet lies askew, the optics
 * blur, lamp and sensor add their shade and noise. */
#include "bench/damage.h"

#include <assert.h>
#include <math.h>

#include "bench/print.h"
#include "proto/auto.h"

enum { NOISE_TABLE = 4096, GAIN_ONE = 1 << 14, CHANNELS_MAX = 3 };

static const double mark_pt = 0.4;

const char *damage_level_name(enum damage_level level)
{
    static const char *const name[DAMAGE_LEVEL_NR] = {"none", "light", "mixed", "heavy"};
    return name[level];
}

double damage_strength(struct chance *chance, enum damage_level level)
{
    static const double mixed[] = {0.2, 0.5, 1};
    switch (level) {
    case DAMAGE_NONE: return 0;
    case DAMAGE_LIGHT: return 0.2;
    case DAMAGE_HEAVY: return 1;
    default: return mixed[chance_weighed(chance, (const unsigned[]){45, 35, 20, 0})];
    }
}

static void damage_draw_paper(struct chance *chance, double strength, struct damage *d)
{
    d->specks = chance_below(chance, (uint32_t)(80 * strength * strength) + 4);
    d->holes = chance_percent(chance, 20);
    d->fold = chance_percent(chance, 35 * strength);
    d->fade = chance_percent(chance, 50 * strength) ? chance_real(chance, 0.05, 0.45 * strength) : 0;
    d->bleed = chance_percent(chance, 10 + 45 * strength) ? chance_real(chance, 0.03, 0.06 + 0.16 * strength) : 0;
    double age = chance_real(chance, 0, strength);
    d->tint[0] = 0.985 - 0.03 * age;
    d->tint[1] = 0.98 - 0.06 * age;
    d->tint[2] = 0.97 - 0.16 * age;
}

static void damage_draw_scanner(struct chance *chance, double strength, struct damage *d)
{
    double reach = 0.35 + 3.1 * strength * strength;
    d->skew_deg = chance_real(chance, -reach, reach);
    d->dark_edges = chance_percent(chance, 45 * strength);
    d->blur_px = chance_percent(chance, 55 * strength) ? 1 : 0;
    d->noise = chance_real(chance, 1, 3 + 12 * strength);
    d->light = chance_percent(chance, 30 + 50 * strength) ? chance_real(chance, 0.03, 0.06 + 0.3 * strength) : 0;
    d->light_angle = chance_real(chance, 0, 2 * M_PI);
    d->streaks = chance_percent(chance, 25 * strength) ? 1 + chance_below(chance, 3) : 0;
}

void damage_draw(struct chance *chance, double strength, struct damage *damage)
{
    *damage = (struct damage){
        .tint = {1, 1, 1}
    };
    damage->chance = chance_branch(chance_next(chance), 0);
    if (strength <= 0)
        return;
    damage_draw_paper(chance, strength, damage);
    damage_draw_scanner(chance, strength, damage);
}

void damage_list(const struct damage *d, const struct damage_ink *ink, struct buf *names)
{
    const struct {
        const char *name;
        bool has;
    } row[] = {
        {"rotation",    d->rotation_deg != 0    },
        {"skew",        fabs(d->skew_deg) >= 0.1},
        {"blur",        d->blur_px > 0          },
        {"noise",       d->noise > 0            },
        {"light",       d->light > 0            },
        {"bleed",       d->bleed > 0            },
        {"fade",        d->fade > 0             },
        {"specks",      d->specks > 0           },
        {"streaks",     d->streaks > 0          },
        {"holes",       d->holes                },
        {"fold",        d->fold                 },
        {"edges",       d->dark_edges           },
        {"handwriting", ink && ink->hand        },
        {"seal",        ink && ink->seal        },
        {"stamp",       ink && ink->stamp       },
        {"urgent",      ink && ink->urgent      },
    };
    size_t before = names->size;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        if (row[i].has)
            buf_printf(names, "%s%s", names->size > before ? "," : "", row[i].name);
    if (names->size == before)
        buf_puts(names, "none");
}

static void wear_dot(cairo_t *cr, double x, double y, double radius)
{
    cairo_new_path(cr);
    cairo_arc(cr, x, y, radius, 0, 2 * M_PI);
    cairo_fill(cr);
}

static void wear_line(cairo_t *cr, double x0, double y0, double x1, double y1, double width, double dark)
{
    cairo_set_source_rgba(cr, 0.2, 0.2, 0.2, dark);
    cairo_set_line_width(cr, width);
    cairo_move_to(cr, x0, y0);
    cairo_line_to(cr, x1, y1);
    cairo_stroke(cr);
}

void damage_wear(const struct damage *d, cairo_t *cr)
{
    struct chance chance = chance_branch(d->chance.state, 1);
    for (unsigned i = 0; i < d->specks; i++) {
        cairo_set_source_rgba(cr, 0.1, 0.1, 0.1, chance_real(&chance, 0.3, 1));
        double x = chance_real(&chance, 0, PRINT_WIDTH_PT), y = chance_real(&chance, 0, PRINT_HEIGHT_PT);
        wear_dot(cr, x, y, chance_real(&chance, 0.15, 2.5 * mark_pt));
    }
    for (unsigned i = 0; i < d->streaks; i++) {
        double x = chance_real(&chance, 0, PRINT_WIDTH_PT), width = chance_real(&chance, 0.2, 0.8);
        wear_line(cr, x, 0, x, PRINT_HEIGHT_PT, width, chance_real(&chance, 0.1, 0.5));
    }
    if (d->fold) {
        double y = PRINT_HEIGHT_PT / 2 + chance_real(&chance, -40, 40);
        wear_line(cr, 0, y, PRINT_WIDTH_PT, y + chance_real(&chance, -3, 3), 2, 0.15);
        wear_line(cr, 0, y + 1, PRINT_WIDTH_PT, y + 1, mark_pt, 0.4);
    }
    if (d->holes) {
        cairo_set_source_rgb(cr, 0.12, 0.12, 0.12);
        double x = chance_real(&chance, 26, 34), apart = 40 * PRINT_PT_PER_MM;
        wear_dot(cr, x, PRINT_HEIGHT_PT / 2 - apart, 8);
        wear_dot(cr, x, PRINT_HEIGHT_PT / 2 + apart, 8);
    }
}

void pix_destroy(PIX **pix)
{
    pixDestroy(pix);
}

static void pix_replace(PIX **slot, PIX *pix)
{
    assert(pix); /* Leptonica fails here only for want of memory */
    pixDestroy(slot);
    *slot = pix;
}

static unsigned pix_channels(const PIX *pix)
{
    return pixGetDepth((PIX *)pix) == 32 ? 3 : 1;
}

/* What is left of a pixel's channel of value, where part / 256 of the dark behind it shines through. */
static inline uint32_t bleed_value(uint32_t value, uint32_t behind, uint32_t part)
{
    return value * (256 - ((255 - behind) * part >> 8)) >> 8;
}

/* What shines through takes light away: from all channels alike, or from each its own where it is coloured. */
static void scan_bleed(PIX *page, PIX *back, double strength)
{
    AUTO(pix_destroy) PIX *mirrored = pixFlipLR(NULL, back);
    AUTO(pix_destroy) PIX *through = pixScaleToSize(mirrored, pixGetWidth(page), pixGetHeight(page));
    assert(through);
    uint32_t part = (uint32_t)(strength * 256);
    for (int y = 0; y < pixGetHeight(page); y++) {
        l_uint32 *line = pixGetData(page) + (size_t)y * (size_t)pixGetWpl(page);
        const l_uint32 *behind = pixGetData(through) + (size_t)y * (size_t)pixGetWpl(through);
        for (int x = 0; x < pixGetWidth(page); x++) {
            if (pix_channels(page) == 1) {
                SET_DATA_BYTE(line, x, bleed_value(GET_DATA_BYTE(line, x), GET_DATA_BYTE(behind, x), part));
                continue;
            }
            uint32_t rgb = pix_channels(through) == 3 ? behind[x] : GET_DATA_BYTE(behind, x) * 0x1010100u;
            line[x] = bleed_value(line[x] >> 24, rgb >> 24, part) << 24 |
                      bleed_value(line[x] >> 16 & 255, rgb >> 16 & 255, part) << 16 |
                      bleed_value(line[x] >> 8 & 255, rgb >> 8 & 255, part) << 8;
        }
    }
}

static void scan_skew(PIX **page, double degrees, bool dark_edges)
{
    if (fabs(degrees) >= 0.02)
        pix_replace(page, pixRotate(*page, (l_float32)(degrees * M_PI / 180), L_ROTATE_AREA_MAP,
                                    dark_edges ? L_BRING_IN_BLACK : L_BRING_IN_WHITE, 0, 0));
}

static void scan_blur(PIX **page, unsigned radius)
{
    if (radius > 0)
        pix_replace(page, pixBlockconv(*page, (l_int32)radius, (l_int32)radius));
}

/* Shade and noise, prepared so that a pixel costs a few integer operations. */
struct sensor {
    uint16_t level[CHANNELS_MAX][256]; /* what a value becomes on this paper, times 64 */
    int16_t noise[NOISE_TABLE];
    double gain_left, gain_x, gain_y; /* light at the top left corner and its slopes a pixel */
    struct chance chance;
};

static void sensor_init(struct sensor *s, const struct damage *d, int width, int height)
{
    s->chance = chance_branch(d->chance.state, 2);
    for (unsigned c = 0; c < CHANNELS_MAX; c++)
        for (unsigned v = 0; v < 256; v++)
            s->level[c][v] = (uint16_t)(64 * d->tint[c] * (255 - (255 - v) * (1 - d->fade)));
    for (unsigned i = 0; i < NOISE_TABLE; i++) { /* the sum of four uniform draws is near enough to normal */
        double sum = 0;
        for (int k = 0; k < 4; k++)
            sum += chance_real(&s->chance, -1, 1);
        s->noise[i] = (int16_t)lrint(sum * d->noise * sqrt(0.75));
    }
    double across = cos(d->light_angle), down = sin(d->light_angle), span = fabs(across) + fabs(down);
    s->gain_x = -d->light * across / span / width;
    s->gain_y = -d->light * down / span / height;
    double darkest = (across > 0 ? s->gain_x * width : 0) + (down > 0 ? s->gain_y * height : 0);
    s->gain_left = 1 - d->light - darkest;
}

static inline uint32_t sensor_value(const struct sensor *s, unsigned channel, uint32_t value, int32_t gain,
                                    uint32_t draw)
{
    int32_t v = ((int32_t)s->level[channel][value] * gain) / (64 * GAIN_ONE) + s->noise[draw % NOISE_TABLE];
    return v < 0 ? 0 : v > 255 ? 255 : (uint32_t)v;
}

static void sensor_row(struct sensor *s, l_uint32 *line, int width, int y, unsigned channels)
{
    const double left = (s->gain_left + s->gain_y * y) * GAIN_ONE, slope = s->gain_x * GAIN_ONE;
    for (int x = 0; x < width; x++) {
        uint64_t draw = chance_next(&s->chance);
        int32_t g = (int32_t)(left + slope * x);
        if (channels == 1)
            SET_DATA_BYTE(line, x, sensor_value(s, 0, GET_DATA_BYTE(line, x), g, (uint32_t)(draw >> 40)));
        else
            line[x] = sensor_value(s, 0, line[x] >> 24, g, (uint32_t)(draw >> 12)) << 24 |
                      sensor_value(s, 1, line[x] >> 16 & 255, g, (uint32_t)(draw >> 24)) << 16 |
                      sensor_value(s, 2, line[x] >> 8 & 255, g, (uint32_t)(draw >> 40)) << 8;
    }
}

static bool damage_shades(const struct damage *d)
{
    return d->noise > 0 || d->light > 0 || d->fade > 0 || d->tint[0] < 1;
}

static void scan_sense(PIX *page, const struct damage *d)
{
    if (!damage_shades(d))
        return;
    struct sensor sensor;
    int width = pixGetWidth(page), height = pixGetHeight(page);
    sensor_init(&sensor, d, width, height);
    for (int y = 0; y < height; y++)
        sensor_row(&sensor, pixGetData(page) + (size_t)y * (size_t)pixGetWpl(page), width, y, pix_channels(page));
}

void damage_scan(const struct damage *d, PIX **page, PIX *back)
{
    if (back && d->bleed > 0)
        scan_bleed(*page, back, d->bleed);
    scan_skew(page, d->skew_deg, d->dark_edges);
    scan_blur(page, d->blur_px);
    scan_sense(*page, d);
    if (d->rotation_deg)
        pix_replace(page, pixRotateOrth(*page, (l_int32)d->rotation_deg / 90));
}
