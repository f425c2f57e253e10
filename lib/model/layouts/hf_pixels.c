/* SPDX-License-Identifier: MIT
 * hf_pixels.c - preprocessor_config.json as transformers reads it.
 *
 * A key that is absent has the value of the processor's own class (CLIPImageProcessor, SiglipImageProcessor). */
#include <string.h>

#include "model/layouts/config_read.h"
#include "model/layouts/hf_config.h"

/* "size": 224, {"shortest_edge": 224} or {"height": 224, "width": 224}. */
static mopd_status read_size(mo_pixels *p, const mo_json *root, const char *path)
{
    const mo_json *v = mo_config_read_member(root, "size");
    int64_t side, h, w;
    if (!v) return MOPD_OK;
    bool one = mo_json_as_int(v, &side), edge = mo_json_as_int(mo_json_get(v, "shortest_edge"), &side);
    if ((one || (edge && mo_json_count(v) == 1)) && side >= 1 && side <= INT32_MAX) {
        p->fit = MO_FIT_SHORTEST;
        p->resize_h = p->resize_w = (uint32_t)side;
        return MOPD_OK;
    }
    if (mo_json_count(v) == 2 && mo_json_as_int(mo_json_get(v, "height"), &h) &&
        mo_json_as_int(mo_json_get(v, "width"), &w) && h >= 1 && w >= 1 && h <= INT32_MAX && w <= INT32_MAX) {
        p->fit = MO_FIT_EXACT;
        p->resize_h = (uint32_t)h;
        p->resize_w = (uint32_t)w;
        return MOPD_OK;
    }
    return mo_fail(
        MOPD_E_UNSUPPORTED, "%s: size: a side, shortest_edge, or height and width are known", path);
}

static mopd_status read_crop(mo_pixels *p, const mo_json *root, const char *path)
{
    const mo_json *v = mo_config_read_member(root, "crop_size");
    int64_t h, w;
    if (!v) return MOPD_OK;
    if (mo_json_as_int(v, &h))
        w = h;
    else if (!mo_json_as_int(mo_json_get(v, "height"), &h) || !mo_json_as_int(mo_json_get(v, "width"), &w))
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: crop_size: a side, or height and width are known", path);
    if (h < 1 || w < 1 || h > INT32_MAX || w > INT32_MAX)
        return mo_fail(MOPD_E_FORMAT, "%s: crop_size is %lld x %lld", path, (long long)h, (long long)w);
    p->crop_h = (uint32_t)h;
    p->crop_w = (uint32_t)w;
    return MOPD_OK;
}

/* The processor that the file names has its own defaults. */
static mopd_status read_processor(mo_pixels *p, const mo_json *root, bool siglip, const char *path)
{
    static const struct {
        const char *name;
        bool siglip;
    } known[] = {{"CLIPImageProcessor", false}, {"CLIPImageProcessorFast", false},
        {"CLIPImageProcessorPil", false}, {"CLIPFeatureExtractor", false}, {"SiglipImageProcessor", true},
        {"SiglipImageProcessorFast", true}, {"SiglipImageProcessorPil", true}};
    const char *type = known[siglip ? 4 : 0].name;
    mopd_status st = mo_json_may_string(root, "feature_extractor_type", path, &type);
    if (st == MOPD_OK) st = mo_json_may_string(root, "image_processor_type", path, &type);
    if (st != MOPD_OK) return st;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(type, known[i].name) != 0) continue;
        (known[i].siglip ? mo_pixels_siglip : mo_pixels_clip)(p, 224);
        return MOPD_OK;
    }
    return mo_fail(MOPD_E_UNSUPPORTED,
        "%s: image processor \"%s\"; CLIPImageProcessor and SiglipImageProcessor are known", path, type);
}

mopd_status mo_hf_pixels(mo_pixels *pixels, const mo_json *root, bool siglip, const char *path)
{
    bool resize = true, crop, rescale = true, normalize = true, rgb = true, pad = false, square = false;
    const struct {
        const char *key;
        bool *value;
    } flags[] = {{"do_resize", &resize}, {"do_center_crop", &crop}, {"do_rescale", &rescale},
        {"do_normalize", &normalize}, {"do_convert_rgb", &rgb}, {"do_pad", &pad},
        {"use_square_size", &square}};
    mopd_status st;
    if ((st = read_processor(pixels, root, siglip, path)) != MOPD_OK) return st;
    crop = pixels->crop_h != 0;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if ((st = mo_json_may_bool(root, flags[i].key, path, flags[i].value)) != MOPD_OK) return st;
    if (!rgb) return mo_fail(MOPD_E_UNSUPPORTED, "%s: do_convert_rgb is false", path);
    if (pad) return mo_fail(MOPD_E_UNSUPPORTED, "%s: do_pad is true", path);
    if (square) return mo_fail(MOPD_E_UNSUPPORTED, "%s: use_square_size is true", path);
    int64_t filter = MO_FILTER_BICUBIC;
    if ((st = mo_json_may_int(root, "resample", path, &filter)) != MOPD_OK) return st;
    if (filter < MO_FILTER_NEAREST || filter > MO_FILTER_HAMMING)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: resample is %lld; 0 to 5 are known", path, (long long)filter);
    pixels->filter = (uint32_t)filter;
    if ((st = mo_json_may_number(root, "rescale_factor", path, &pixels->rescale)) != MOPD_OK) return st;
    if ((st = read_size(pixels, root, path)) != MOPD_OK) return st;
    if ((st = read_crop(pixels, root, path)) != MOPD_OK) return st;
    if ((st = mo_config_read_colours(pixels->mean, root, "", "image_mean", path)) != MOPD_OK) return st;
    if ((st = mo_config_read_colours(pixels->std, root, "", "image_std", path)) != MOPD_OK) return st;
    if (!resize) pixels->fit = MO_FIT_NONE;
    if (!crop) pixels->crop_h = pixels->crop_w = 0;
    if (!rescale) pixels->rescale = 1;
    pixels->do_normalize = normalize;
    return MOPD_OK;
}
