/* SPDX-License-Identifier: MIT
 * pixels.c - the way of one picture to the tower: background, resize, centre crop, floats.
 *
 * The resized picture never exists as a whole: only what the crop shows is computed, so a strip of 1 x 5000
 * pixels costs no more than another picture.  Bytes become floats through a table of 3 x 256. */
#include "pixel/pixels.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/wide.h"

#define MAX_SIDE 16384
#define FIXED_SHARE 0.8 /* of the sides that the closer fixed views show */

void mo_pixels_clip(mo_pixels *p, uint32_t side)
{
    *p = (mo_pixels){.fit = MO_FIT_SHORTEST,
        .filter = MO_FILTER_BICUBIC,
        .centre = MO_CENTRE_FLOOR,
        .alpha = MO_ALPHA_WHITE,
        .resize_h = side,
        .resize_w = side,
        .crop_h = side,
        .crop_w = side,
        .do_normalize = 1,
        .rescale = 1.0 / 255.0,
        .mean = {0.48145466, 0.4578275, 0.40821073},
        .std = {0.26862954, 0.26130258, 0.27577711}};
}

void mo_pixels_siglip(mo_pixels *p, uint32_t side)
{
    mo_pixels_clip(p, side);
    p->fit = MO_FIT_EXACT;
    p->crop_h = p->crop_w = 0;
    for (int c = 0; c < 3; c++) p->mean[c] = p->std[c] = 0.5;
}

void mo_pixels_openai(mo_pixels *p, uint32_t side)
{
    mo_pixels_clip(p, side);
    p->centre = MO_CENTRE_ROUND;
    p->alpha = MO_ALPHA_DROP;
}

void mo_pixels_effnet(mo_pixels *p, uint32_t side)
{
    mo_pixels_openai(p, side);
    p->rescale = 1.0;
    for (int c = 0; c < 3; c++) {
        p->mean[c] = 127.0;
        p->std[c] = 128.0;
    }
}

static mopd_status check_side(const char *name, uint32_t side)
{
    if (side >= 1 && side <= MAX_SIDE) return MOPD_OK;
    return mo_fail(MOPD_E_FORMAT, "preprocessing: %s is %u, must be 1 to %d", name, (unsigned)side, MAX_SIDE);
}

static mopd_status check_sides(const mo_pixels *p)
{
    mopd_status st = MOPD_OK;
    if (p->fit != MO_FIT_NONE) {
        st = check_side("the resize height", p->resize_h);
        if (st == MOPD_OK && p->fit != MO_FIT_SHORTEST) st = check_side("the resize width", p->resize_w);
    }
    if (st == MOPD_OK && (p->crop_h || p->crop_w)) {
        st = check_side("the crop height", p->crop_h);
        if (st == MOPD_OK) st = check_side("the crop width", p->crop_w);
    }
    return st;
}

static mopd_status check_code(const char *name, uint32_t value, uint32_t most)
{
    if (value <= most) return MOPD_OK;
    return mo_fail(
        MOPD_E_FORMAT, "preprocessing: %s is %u, known are 0 to %u", name, (unsigned)value, (unsigned)most);
}

mopd_status mo_pixels_check(const mo_pixels *p)
{
    mopd_status st;
    if ((st = check_code("the fit", p->fit, MO_FIT_COVER)) != MOPD_OK) return st;
    if ((st = check_code("the resampling filter", p->filter, MO_FILTER_HAMMING)) != MOPD_OK) return st;
    if ((st = check_code("the centre rule", p->centre, MO_CENTRE_ROUND)) != MOPD_OK) return st;
    if ((st = check_code("the alpha rule", p->alpha, MO_ALPHA_DROP)) != MOPD_OK) return st;
    if ((st = check_code("the fill", p->fill, 255)) != MOPD_OK) return st;
    if ((st = check_sides(p)) != MOPD_OK) return st;
    if (!isfinite(p->rescale))
        return mo_fail(MOPD_E_FORMAT, "preprocessing: the rescale factor is %g", p->rescale);
    for (int c = 0; c < 3 && p->do_normalize; c++) {
        if (!isfinite(p->mean[c]) || !isfinite(p->std[c]) || (float)p->std[c] == 0.0f)
            return mo_fail(
                MOPD_E_FORMAT, "preprocessing: mean %g and std %g of channel %d", p->mean[c], p->std[c], c);
    }
    size_t h, w;
    if (!mo_pixels_size(p, &h, &w))
        return mo_fail(MOPD_E_FORMAT,
            "preprocessing: neither a crop nor a fixed size, so pictures would differ in size");
    return MOPD_OK;
}

bool mo_pixels_size(const mo_pixels *p, size_t *height, size_t *width)
{
    if (p->crop_h && p->crop_w) {
        *height = p->crop_h;
        *width = p->crop_w;
        return true;
    }
    *height = p->resize_h;
    *width = p->resize_w;
    return p->fit == MO_FIT_EXACT;
}

/* The resized picture, and where in it the output begins (negative: inside the border of `fill`). */
typedef struct plan {
    uint64_t height, width;
    size_t out_h, out_w;
    int64_t top, left;
} plan;

/* int(side x a / b) as Python computes it: the quotient in double precision, cut. */
static uint64_t scaled(uint32_t side, size_t a, size_t b)
{
    return (uint64_t)((double)side * (double)a / (double)b);
}

/* timm's ResizeKeepRatio: both sides divided by one ratio, rounded, halves to even. */
static void keep_ratio(plan *r, size_t h, size_t w, const mo_pixels *p, bool longest)
{
    double down = (double)h / p->resize_h, across = (double)w / p->resize_w;
    double ratio = longest == (down > across) ? down : across;
    r->height = (uint64_t)rint((double)h / ratio);
    r->width = (uint64_t)rint((double)w / ratio);
}

static void fit(plan *r, const mo_pixels *p, size_t h, size_t w)
{
    r->height = h;
    r->width = w;
    switch (p->fit) {
    case MO_FIT_SHORTEST:
        r->height = w <= h ? scaled(p->resize_h, h, w) : p->resize_h;
        r->width = w <= h ? p->resize_h : scaled(p->resize_h, w, h);
        break;
    case MO_FIT_EXACT:
        r->height = p->resize_h;
        r->width = p->resize_w;
        break;
    case MO_FIT_LONGEST:
        keep_ratio(r, h, w, p, true);
        break;
    case MO_FIT_COVER:
        keep_ratio(r, h, w, p, false);
        break;
    default:
        break;
    }
}

static int64_t centre(uint32_t rule, uint64_t size, size_t crop)
{
    int64_t d = (int64_t)size - (int64_t)crop;
    if (rule == MO_CENTRE_FLOOR) return d >= 0 ? d / 2 : -((1 - d) / 2);
    return d >= 0 ? (int64_t)rint((double)d / 2.0) : -(-d / 2);
}

static mopd_status make_plan(plan *r, const mo_pixels *p, size_t height, size_t width)
{
    if (!mo_pixels_size(p, &r->out_h, &r->out_w))
        return mo_fail(MOPD_E_UNSUPPORTED, "preprocessing: the output has no fixed size");
    fit(r, p, height, width);
    if (r->height == 0 || r->width == 0)
        return mo_fail(MOPD_E_UNSUPPORTED,
            "a picture of %zu x %zu pixels would be resized to %" PRIu64 " x %" PRIu64, width, height,
            r->width, r->height);
    r->top = centre(p->centre, r->height, r->out_h);
    r->left = centre(p->centre, r->width, r->out_w);
    return MOPD_OK;
}

/* out = over white, as Pillow's alpha_composite rounds it. */
static void over_white(uint8_t *out, const mo_image *picture, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t a = picture->alpha[i];
        for (int c = 0; c < 3; c++, out++) {
            uint32_t t = ((picture->rgb[3 * i + (size_t)c] * a + 255 * (255 - a)) << 7) + (0x80 << 7);
            *out = (uint8_t)(((((t >> 8) + t) >> 8)) >> 7);
        }
    }
}

/* The picture's colours as the settings want them; *own is to be freed. */
static mopd_status colours(mo_rect *rect, uint8_t **own, const mo_pixels *p, const mo_image *picture)
{
    *rect = (mo_rect){picture->rgb, picture->width, picture->height, mo_image_row_bytes(picture)};
    *own = NULL;
    if (!picture->alpha || p->alpha != MO_ALPHA_WHITE) return MOPD_OK;
    *own = mo_mem_alloc(picture->height, picture->width * 3);
    if (!*own) return MOPD_E_NOMEM;
    over_white(*own, picture, picture->height * picture->width);
    rect->rgb = *own;
    return MOPD_OK;
}

/* What part of [0, size) the output [at, at + n) shows, and where in the output it begins. */
static void overlap(int64_t at, size_t n, uint64_t size, uint64_t *from, size_t *count, size_t *to)
{
    const int64_t end = at + (int64_t)n;
    *from = at > 0 ? (uint64_t)at : 0;
    *to = at < 0 ? (size_t)-at : 0;
    *count = (size_t)(mo_wide_min((uint64_t)end, size) - *from);
}

static mopd_status run_plan(uint8_t *out, const mo_rect *in, const mo_pixels *p, const plan *r)
{
    mo_resize to = {.width = r->width, .height = r->height, .filter = p->filter};
    size_t x, y;
    overlap(r->top, r->out_h, r->height, &to.y, &to.h, &y);
    overlap(r->left, r->out_w, r->width, &to.x, &to.w, &x);
    if (to.h == r->out_h && to.w == r->out_w) return mo_resample(out, in, &to);
    uint8_t *part = mo_mem_alloc(to.h, to.w * 3);
    if (!part) return MOPD_E_NOMEM;
    mopd_status st = mo_resample(part, in, &to);
    memset(out, (int)p->fill, r->out_h * r->out_w * 3);
    for (size_t i = 0; st == MOPD_OK && i < to.h; i++)
        memcpy(out + ((y + i) * r->out_w + x) * 3, part + i * to.w * 3, to.w * 3);
    mo_mem_free(part);
    return st;
}

/* The part of a picture that a fixed view shows: all of it, its middle, or a corner. */
static void cut_fixed(mo_rect *in, size_t number)
{
    if (number < 2) return;
    const size_t h = (size_t)rint(FIXED_SHARE * (double)in->height),
                 w = (size_t)rint(FIXED_SHARE * (double)in->width);
    size_t top = in->height - (h ? h : 1), left = in->width - (w ? w : 1);
    in->height -= top;
    in->width -= left;
    if (number == 2) top /= 2, left /= 2;
    if (number == 3) top = left = 0;
    in->rgb += top * in->stride + left * 3;
}

/* The bytes of a fixed view, not yet mirrored. */
static mopd_status fixed_bytes(const mo_pixels *p, const mo_image *picture, size_t number, uint8_t *out)
{
    plan r = {0};
    mo_rect in;
    uint8_t *own;
    mopd_status st = colours(&in, &own, p, picture);
    if (st != MOPD_OK) return st;
    cut_fixed(&in, number);
    st = make_plan(&r, p, in.height, in.width);
    if (st == MOPD_OK) st = run_plan(out, &in, p, &r);
    mo_mem_free(own);
    return st;
}

mopd_status mo_pixels_bytes(const mo_pixels *p, const mo_image *picture, uint8_t *out)
{
    return fixed_bytes(p, picture, 0, out);
}

/* out, 3 x height x width, from bytes, height x width x 3: rescaled in double, then float as numpy and
 * torch do it. */
static void to_floats(float *out, const uint8_t *bytes, const mo_pixels *p, bool flip)
{
    size_t height, width;
    mo_pixels_size(p, &height, &width);
    for (size_t c = 0; c < 3; c++) {
        float table[256];
        for (int v = 0; v < 256; v++) {
            table[v] = (float)(v * p->rescale);
            if (p->do_normalize) table[v] = (table[v] - (float)p->mean[c]) / (float)p->std[c];
        }
        for (size_t y = 0; y < height; y++) {
            const uint8_t *row = bytes + y * width * 3 + c;
            if (flip)
                for (size_t x = 0; x < width; x++) *out++ = table[row[3 * (width - 1 - x)]];
            else
                for (size_t x = 0; x < width; x++) *out++ = table[row[3 * x]];
        }
    }
}

static mopd_status alloc_bytes(uint8_t **out, const mo_pixels *p)
{
    size_t h, w;
    if (!mo_pixels_size(p, &h, &w))
        return mo_fail(MOPD_E_UNSUPPORTED, "preprocessing: the output has no fixed size");
    *out = mo_mem_alloc(h, w * 3);
    return *out ? MOPD_OK : MOPD_E_NOMEM;
}

mopd_status mo_pixels_fixed(const mo_pixels *p, const mo_image *picture, size_t number, float *out)
{
    uint8_t *bytes = NULL;
    mopd_status st = alloc_bytes(&bytes, p);
    if (st != MOPD_OK) return st;
    st = fixed_bytes(p, picture, number, bytes);
    if (st == MOPD_OK) to_floats(out, bytes, p, number == 1);
    mo_mem_free(bytes);
    return st;
}

mopd_status mo_pixels_run(const mo_pixels *p, const mo_image *picture, float *out)
{
    return mo_pixels_fixed(p, picture, 0, out);
}

static double between(mo_rng *rng, double low, double high)
{
    return low + (high - low) * mo_rng_unit(rng);
}

/* The largest centred part whose ratio is allowed, when ten draws did not fit. */
static void draw_middle(mo_crop *crop, size_t height, size_t width)
{
    double ratio = (double)width / (double)height;
    crop->h = height;
    crop->w = width;
    if (ratio < 3.0 / 4.0)
        crop->h = (size_t)rint((double)width / (3.0 / 4.0));
    else if (ratio > 4.0 / 3.0)
        crop->w = (size_t)rint((double)height * (4.0 / 3.0));
    crop->top = (height - crop->h) / 2;
    crop->left = (width - crop->w) / 2;
}

void mo_pixels_draw(const mo_image *picture, uint64_t seed, mo_crop *crop)
{
    size_t height = picture->height, width = picture->width;
    double area = (double)height * (double)width, low = log(3.0 / 4.0), high = log(4.0 / 3.0);
    mo_rng rng;
    mo_rng_seed(&rng, seed);
    crop->flip = mo_rng_unit(&rng) < 0.5;
    for (int i = 0; i < 10; i++) {
        double target = area * between(&rng, 0.08, 1.0), ratio = exp(between(&rng, low, high));
        double w = rint(sqrt(target * ratio)), h = rint(sqrt(target / ratio));
        if (w < 1 || h < 1 || w > (double)width || h > (double)height) continue;
        crop->w = (size_t)w;
        crop->h = (size_t)h;
        crop->top = (size_t)mo_rng_below(&rng, height - crop->h + 1);
        crop->left = (size_t)mo_rng_below(&rng, width - crop->w + 1);
        return;
    }
    draw_middle(crop, height, width);
}

mopd_status mo_pixels_view(const mo_pixels *p, const mo_image *picture, uint64_t seed, float *out)
{
    size_t h, w;
    uint8_t *bytes = NULL, *own = NULL;
    mo_crop crop;
    mo_rect in;
    mopd_status st = alloc_bytes(&bytes, p);
    if (st != MOPD_OK) return st;
    if ((st = colours(&in, &own, p, picture)) != MOPD_OK) goto done;
    mo_pixels_size(p, &h, &w);
    mo_pixels_draw(picture, seed, &crop);
    in = (mo_rect){in.rgb + crop.top * in.stride + crop.left * 3, crop.w, crop.h, in.stride};
    mo_resize to = {.width = w, .height = h, .w = w, .h = h, .filter = MO_FILTER_BICUBIC};
    st = mo_resample(bytes, &in, &to);
    if (st == MOPD_OK) to_floats(out, bytes, p, crop.flip);
    mo_mem_free(own);
done:
    mo_mem_free(bytes);
    return st;
}
