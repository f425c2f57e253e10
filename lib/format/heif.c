/* SPDX-License-Identifier: MIT
 * heif.c - the primary picture of a HEIF or AVIF file to 8-bit RGB and, where the file has transparency, 8-bit alpha, through
 * libheif.
 *
 * What turns and mirrors a picture stands in the file's properties, and its EXIF data only repeat it.  pillow-heif has HEIF
 * turned by libheif whenever it reads, Pillow reads AVIF as it lies and tells its orientation; so it is here.  More than 8 bits are
 * brought to 8 by libheif. */
#include "format/heif.h"

#include <libheif/heif.h>
#include <string.h>

#include "base/ints.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/wide.h"
#include "format/heif_parts.h"

enum {
    ROOM = 32 << 20, /* bytes that libheif takes beside the next two: stacks of its threads, too */
    FILE_BYTES = 16, /* for each of the file's */
    PIXEL_BYTES = 28,
    MOST_SIDE = 32768,
    LEAST_SIDE = 4096,
    LEAST_LIMIT = 1 << 20,
    MOST_DECODERS = 8,
    MOST_BRANDS = 64,
    MOST_AUXILIARIES = 16,
    BEYOND = 8 /* what is decoded for a picture, against the largest */
};

typedef struct decoder {
    struct heif_context *context;
    struct heif_image_handle *handle;
    struct heif_image *picture;
    struct heif_image *alpha;
    const char *kind; /* for messages */
    bool as_it_lies;
    bool apart; /* a plane for each colour */
    int width, height;
} decoder;

/* Whether the file says to be of one of these brands, four letters each. */
static bool has_brand(const char *b, size_t n_bytes, const char *const *brands, size_t n_brands)
{
    if (n_bytes < 16 || memcmp(b + 4, "ftyp", 4) != 0) return false;
    const unsigned char *size = (const unsigned char *)b;
    const size_t box = (size_t)size[0] << 24 | (size_t)size[1] << 16 | (size_t)size[2] << 8 | size[3];
    const size_t end = mo_min(mo_min(box, n_bytes), 16 + 4 * (size_t)MOST_BRANDS);
    for (size_t at = 8; at + 4 <= end; at += at == 8 ? 8 : 4) /* a version stands behind the first */
        for (size_t i = 0; i < n_brands; i++)
            if (!memcmp(b + at, brands[i], 4)) return true;
    return false;
}

bool mo_heif_is_avif(const void *bytes, size_t n_bytes)
{
    static const char *const brands[] = {"avif", "avis"};
    return has_brand(bytes, n_bytes, brands, 2);
}

bool mo_heif_is(const void *bytes, size_t n_bytes)
{
    static const char *const brands[] = {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"};
    return !mo_heif_is_avif(bytes, n_bytes) &&
           has_brand(bytes, n_bytes, brands, sizeof brands / sizeof *brands);
}

static mopd_status fail_heif(const decoder *d, struct heif_error error)
{
    mopd_status st = MOPD_E_FORMAT;
    if (error.code == heif_error_Memory_allocation_error) st = MOPD_E_NOMEM;
    if (error.code == heif_error_Unsupported_feature || error.code == heif_error_Unsupported_filetype ||
        error.subcode == heif_suberror_Security_limit_exceeded)
        st = MOPD_E_UNSUPPORTED;
    return mo_fail(st, "%s: %s", d->kind, error.message);
}

/* libheif and its decoders are C++: where they get no memory, they end the process. */
static mopd_status check_room(const decoder *d, size_t n, size_t each)
{
    size_t all;
    if (mo_mul(n, each, &all) && mo_add(all, ROOM, &all) && mo_mem_left(all)) return MOPD_OK;
    return mo_fail(MOPD_E_NOMEM, "%s: no memory for libheif", d->kind);
}

static uint64_t limit_of(uint64_t max_pixels)
{
    return mo_wide_min(mo_image_most(max_pixels), mo_limits_preset(MO_LIMIT_PIXELS));
}

/* libheif's own limit, on each side, holds for all that a file claims inside, as tiles of a grid; the picture's size is checked
 * next.  No threads: pictures are shared out among ours. */
static mopd_status open_file(decoder *d, const void *bytes, size_t n_bytes, uint64_t max_pixels)
{
    const uint64_t most = limit_of(max_pixels);
    mopd_status st = mo_heif_parts_check(bytes, n_bytes, BEYOND * mo_wide_max(most, LEAST_LIMIT), d->kind);
    if (st == MOPD_OK) st = check_room(d, n_bytes, FILE_BYTES);
    if (st != MOPD_OK) return st;
    if (!(d->context = heif_context_alloc()))
        return mo_fail(MOPD_E_NOMEM, "%s: no memory for libheif", d->kind);
    heif_context_set_maximum_image_size_limit(
        d->context, (int)mo_wide_max(mo_wide_min(most, MOST_SIDE), LEAST_SIDE));
    heif_context_set_max_decoding_threads(d->context, 0);
    struct heif_error error = heif_context_read_from_memory_without_copy(d->context, bytes, n_bytes, NULL);
    if (error.code == heif_error_Ok) error = heif_context_get_primary_image_handle(d->context, &d->handle);
    return error.code == heif_error_Ok ? MOPD_OK : fail_heif(d, error);
}

static mopd_status check_side(const decoder *d, int width, int height, uint64_t max_pixels)
{
    if (width <= 0 || height <= 0)
        return mo_fail(MOPD_E_FORMAT, "%s: %d x %d pixels", d->kind, width, height);
    return mo_image_check((uint64_t)width, (uint64_t)height, max_pixels);
}

/* The picture's size, and that of what it is cut from: small ones are coded as 64 x 64 pixels. */
static mopd_status check_size(const decoder *d, uint64_t max_pixels)
{
    const int width = heif_image_handle_get_width(d->handle),
              height = heif_image_handle_get_height(d->handle);
    mopd_status st = check_side(d, width, height, max_pixels);
    if (st != MOPD_OK) return st;
    const int coded_w = heif_image_handle_get_ispe_width(d->handle),
              coded_h = heif_image_handle_get_ispe_height(d->handle);
    st = check_side(d, coded_w, coded_h, max_pixels ? mo_wide_max(max_pixels, LEAST_LIMIT) : 0);
    return st == MOPD_OK ? check_room(d, (size_t)coded_w * (size_t)coded_h, PIXEL_BYTES) : st;
}

/* dav1d, which libheif prefers, prints on standard error what is wrong with a file; libaom does not. */
static const char *choose_decoder(void)
{
    const struct heif_decoder_descriptor *all[MOST_DECODERS];
    const int n = heif_get_decoder_descriptors(heif_compression_AV1, all, MOST_DECODERS);
    for (int i = 0; i < n; i++)
        if (!strcmp(heif_decoder_descriptor_get_id_name(all[i]), "aom")) return "aom";
    return NULL;
}

static struct heif_decoding_options *make_options(bool as_it_lies)
{
    struct heif_decoding_options *options = heif_decoding_options_alloc();
    if (!options) return NULL;
    options->ignore_transformations = as_it_lies;
    options->convert_hdr_to_8bit = 1;
    options->decoder_id = choose_decoder();
    return options;
}

/* In turns, as its fastest ways have it, or in planes: for some kinds it has no other way. */
static mopd_status decode_picture(decoder *d)
{
    const enum heif_chroma turns = heif_chroma_interleaved_RGB;
    struct heif_decoding_options *options = make_options(d->as_it_lies);
    if (!options) return mo_fail(MOPD_E_NOMEM, "%s: no memory for libheif", d->kind);
    struct heif_error error = heif_decode_image(d->handle, &d->picture, heif_colorspace_RGB, turns, options);
    d->apart = error.subcode == heif_suberror_Unsupported_color_conversion;
    if (d->apart)
        error = heif_decode_image(d->handle, &d->picture, heif_colorspace_RGB, heif_chroma_444, options);
    heif_decoding_options_free(options);
    return error.code == heif_error_Ok ? MOPD_OK : fail_heif(d, error);
}

static bool is_alpha(const struct heif_image_handle *handle)
{
    const char *type = NULL;
    if (heif_image_handle_get_auxiliary_type(handle, &type).code != heif_error_Ok || !type) return false;
    const bool is = strstr(type, "auxiliary:alpha") || strstr(type, "auxid:1");
    heif_image_handle_free_auxiliary_types(handle, &type);
    return is;
}

/* The picture's alpha, NULL: it has none that libheif hands out. */
static struct heif_image_handle *find_alpha(const decoder *d)
{
    heif_item_id ids[MOST_AUXILIARIES];
    struct heif_image_handle *found = NULL;
    const int n = heif_image_handle_get_list_of_auxiliary_image_IDs(
        d->handle, LIBHEIF_AUX_IMAGE_FILTER_OMIT_DEPTH, ids, MOST_AUXILIARIES);
    for (int i = 0; i < n; i++) {
        struct heif_error error = heif_image_handle_get_auxiliary_image_handle(d->handle, ids[i], &found);
        if (error.code == heif_error_Ok && is_alpha(found)) return found;
        heif_image_handle_release(found);
        found = NULL;
    }
    return NULL;
}

/* Read as a picture of its own: libheif takes it to be as large as the picture, whatever it is, and turns it although it is told
 * not to. */
static mopd_status decode_alpha(decoder *d)
{
    struct heif_image_handle *handle = find_alpha(d);
    struct heif_decoding_options *options = handle ? make_options(d->as_it_lies) : NULL;
    struct heif_error error = {heif_error_Memory_allocation_error, 0, "no memory for its alpha"};
    if (!handle) return mo_fail(MOPD_E_FORMAT, "%s: its alpha is no picture", d->kind);
    if (options) {
        error =
            heif_decode_image(handle, &d->alpha, heif_colorspace_RGB, heif_chroma_interleaved_RGB, options);
        heif_decoding_options_free(options);
    }
    heif_image_handle_release(handle);
    return error.code == heif_error_Ok ? MOPD_OK : fail_heif(d, error);
}

/* Where samples of one colour lie: from row to row, from pixel to pixel. */
typedef struct plane {
    const uint8_t *first;
    size_t down, across;
} plane;

/* One channel of width x height samples of 8 bits, those of interleaved ones `each` apart. */
static mopd_status find_plane(
    const decoder *d, plane *out, const struct heif_image *picture, enum heif_channel channel, size_t each)
{
    int row_bytes = 0;
    const uint8_t *rows = heif_image_get_plane_readonly(picture, channel, &row_bytes);
    const int width = heif_image_get_width(picture, channel),
              height = heif_image_get_height(picture, channel);
    if (!rows || row_bytes < width * (int)each || width != d->width || height != d->height ||
        heif_image_get_bits_per_pixel_range(picture, channel) != 8)
        return mo_fail(MOPD_E_FORMAT, "%s: libheif gives a plane of %d x %d pixels beside one of %d x %d",
            d->kind, width, height, d->width, d->height);
    *out = (plane){rows, (size_t)row_bytes, each};
    return MOPD_OK;
}

/* Red, green, blue and, where there is one, alpha. */
static mopd_status find_planes(const decoder *d, plane *planes, size_t n)
{
    static const enum heif_channel channels[] = {heif_channel_R, heif_channel_G, heif_channel_B};
    mopd_status st = MOPD_OK;
    for (size_t c = 0; c < n && st == MOPD_OK; c++) {
        if (c == 3)
            st = find_plane(d, planes + c, d->alpha, heif_channel_interleaved, 3);
        else if (d->apart)
            st = find_plane(d, planes + c, d->picture, channels[c], 1);
        else if ((st = find_plane(d, planes + c, d->picture, heif_channel_interleaved, 3)) == MOPD_OK)
            planes[c].first += c;
    }
    return st;
}

static void copy_row(mo_image *out, size_t y, const plane *planes)
{
    for (size_t c = 0; c < 3; c++) {
        const uint8_t *in = planes[c].first + y * planes[c].down;
        uint8_t *rgb = out->rgb + y * out->width * 3 + c;
        for (size_t x = 0; x < out->width; x++) rgb[3 * x] = in[x * planes[c].across];
    }
    for (size_t x = 0; out->alpha && x < out->width; x++)
        out->alpha[y * out->width + x] = planes[3].first[y * planes[3].down + x * planes[3].across];
}

static mopd_status copy_picture(decoder *d, mo_image *out, bool alpha, const mo_image_rules *rules)
{
    plane planes[4];
    const enum heif_channel first = d->apart ? heif_channel_R : heif_channel_interleaved;
    d->width = heif_image_get_width(d->picture, first);
    d->height = heif_image_get_height(d->picture, first);
    mopd_status st = check_side(d, d->width, d->height, rules->max_pixels);
    if (st == MOPD_OK) st = find_planes(d, planes, alpha ? 4 : 3);
    if (st == MOPD_OK) st = mo_image_create(out, (size_t)d->width, (size_t)d->height, alpha);
    for (size_t y = 0; st == MOPD_OK && y < out->height; y++) copy_row(out, y, planes);
    return st;
}

mopd_status mo_heif_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules)
{
    *out = (mo_image){0};
    const bool avif = mo_heif_is_avif(bytes, n_bytes);
    decoder d = {.kind = avif ? "AVIF" : "HEIF", .as_it_lies = avif && !rules->upright};
    mopd_status st = open_file(&d, bytes, n_bytes, rules->max_pixels);
    if (st == MOPD_OK) st = check_size(&d, rules->max_pixels);
    const bool alpha = st == MOPD_OK && heif_image_handle_has_alpha_channel(d.handle);
    if (st == MOPD_OK) st = decode_picture(&d);
    if (st == MOPD_OK && alpha) st = decode_alpha(&d);
    if (st == MOPD_OK) st = copy_picture(&d, out, alpha, rules);
    heif_image_release(d.alpha);
    heif_image_release(d.picture);
    heif_image_handle_release(d.handle);
    if (d.context) heif_context_free(d.context);
    return st;
}
