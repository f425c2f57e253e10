/* SPDX-License-Identifier: MIT
 * test_torture.c - every function of the zero-shot headers while memory runs out, through the shared library.
 *
 * The last test reads those headers: a function that is declared there and not called here is a failure. */
#include <unistd.h>

#include "support/tiny.h"
#include "test.h"

static char model[512], picture[512], text_file[512]; /* paths that stay */
static unsigned char picture_bytes[256];
static size_t n_picture_bytes;

/* A 2 x 1 picture. */
static const unsigned char png[] = {137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 2,
    0, 0, 0, 1, 8, 2, 0, 0, 0, 123, 64, 232, 221, 0, 0, 0, 15, 73, 68, 65, 84, 120, 156, 99, 96, 100, 98, 102,
    97, 101, 3, 0, 0, 63, 0, 22, 33, 186, 212, 84, 0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96, 130};

static mopd_status open_model(mopd_encoder **encoder, const char *path)
{
    mopd_encoder_options o;
    mopd_status st = mopd_encoder_options_init(&o, sizeof o);
    o.n_threads = 2;
    return st == MOPD_OK ? mopd_encoder_open(encoder, path, &o) : st;
}

static mopd_status pictures(void *ctx)
{
    (void)ctx;
    mopd_image *image[5] = {0};
    mopd_image_options o;
    mopd_frame frame;
    double looks;
    float signature[MOPD_IMAGE_SIGNATURE];
    mopd_pair pair;
    size_t n_pairs = 1;
    static const uint8_t samples[4 * 5 * 3];
    mopd_status st = mopd_image_options_init(&o, sizeof o);
    if (st == MOPD_OK) st = mopd_image_open(&image[0], picture, &o);
    if (st == MOPD_OK) st = mopd_image_decode(&image[1], picture_bytes, n_picture_bytes, NULL);
    if (st == MOPD_OK) st = mopd_image_create(&image[2], samples, 4, 5, 3, 0);
    if (st == MOPD_OK) st = mopd_frame_init(&frame, sizeof frame);
    frame.flags = MOPD_FRAME_BORROW;
    frame.layout = MOPD_LAYOUT_RGB;
    frame.width = 5, frame.height = 3;
    frame.planes[0] = samples;
    frame.row_bytes[0] = 20;
    if (st == MOPD_OK) st = mopd_image_create_frame(&image[3], &frame);
    if (st == MOPD_OK && !mopd_image_samples(image[3])) st = MOPD_E_NOMEM;
    if (st == MOPD_OK) st = mopd_image_crop(&image[4], image[3], 1, 1, 2, 2);
    if (st == MOPD_OK) assert_int_equal(mopd_image_width(image[2]), 5);
    if (st == MOPD_OK) assert_int_equal(mopd_image_height(image[2]), 4);
    if (st == MOPD_OK) assert_non_null(mopd_image_samples(image[0]));
    if (st != MOPD_OK) assert_null(image[4]);
    if (st == MOPD_OK) st = mopd_image_sharpness(image[0], &looks);
    if (st == MOPD_OK) st = mopd_image_signature(image[0], signature);
    if (st == MOPD_OK) st = mopd_pairs_find(signature, 1, MOPD_IMAGE_SIGNATURE, 0.9, &pair, &n_pairs);
    for (int i = 0; i < 5; i++) mopd_image_close(image[i]);
    return st;
}

static int go_on(void *context, size_t done, size_t total)
{
    *(size_t *)context = total - done;
    return 0;
}

/* A share outlives what it was made of. */
static mopd_status shares(void *ctx)
{
    (void)ctx;
    mopd_encoder *e = NULL, *share = NULL;
    mopd_share_options o;
    float f[2 * TINY_DIM];
    size_t left = 1;
    static const char *const texts[] = {"a photo of a cat.", "dog"};
    mopd_status st = mopd_share_options_init(&o, sizeof o);
    o.n_threads = 2;
    o.progress = go_on;
    o.context = &left;
    if (st == MOPD_OK) st = open_model(&e, model);
    if (st == MOPD_OK) st = mopd_encoder_share(&share, e, &o);
    mopd_encoder_close(e);
    if (st == MOPD_OK) st = mopd_encoder_encode_texts(share, texts, 2, f);
    if (st == MOPD_OK) assert_int_equal(left, 0);
    mopd_encoder_close(share);
    return st;
}

static mopd_status towers(void *ctx)
{
    (void)ctx;
    mopd_encoder *e = NULL;
    mopd_image *image = NULL;
    mopd_encoder_info info = {.struct_size = sizeof info};
    float x[3 * TINY_IMAGE * TINY_IMAGE], f[2 * TINY_DIM];
    static const char *const texts[] = {"a photo of a cat.", "dog"};
    uint32_t *ids = NULL;
    size_t n;
    mopd_status st = open_model(&e, model);
    if (st == MOPD_OK) assert_int_equal(strlen(mopd_encoder_fingerprint(e)), 64);
    if (st == MOPD_OK) st = mopd_encoder_get_info(e, &info);
    if (st == MOPD_OK) st = mopd_image_open(&image, picture, NULL);
    if (st == MOPD_OK) st = mopd_encoder_preprocess(e, image, x);
    if (st == MOPD_OK) st = mopd_encoder_preprocess_view(e, image, 3, x);
    if (st == MOPD_OK) st = mopd_encoder_encode_pixels(e, x, 1, f);
    if (st == MOPD_OK) st = mopd_encoder_encode_images(e, (const mopd_image *const *)&image, 1, f);
    if (st == MOPD_OK) st = mopd_encoder_encode_views(e, (const mopd_image *const *)&image, 1, 2, f);
    if (st == MOPD_OK) st = mopd_encoder_encode_texts(e, texts, 2, f);
    if (st == MOPD_OK) st = mopd_encoder_tokenize(e, texts[0], &ids, &n);
    mopd_free(ids);
    mopd_image_close(image);
    mopd_encoder_close(e);
    return st;
}

/* A picture for which there was no memory is told as such, or the call fails as a whole. */
static int told(void *context, size_t index, mopd_status status, const char *message, const float *feature)
{
    assert_true((status == MOPD_OK) == (feature != NULL));
    assert_true(index < 3 && (status == MOPD_OK || *message));
    if (index == 1)
        assert_true(status == MOPD_E_IO || status == MOPD_E_NOMEM);
    else if (status != MOPD_OK)
        assert_int_equal(status, MOPD_E_NOMEM);
    *(bool *)context |= status == MOPD_E_NOMEM;
    return 0;
}

static mopd_status files(void *ctx)
{
    (void)ctx;
    mopd_encoder *e = NULL;
    bool no_memory = false;
    const char *const paths[] = {picture, "/nonexistent/a.png", picture};
    mopd_status st = open_model(&e, model);
    if (st == MOPD_OK) st = mopd_encoder_encode_files(e, paths, 3, told, &no_memory);
    mopd_encoder_close(e);
    return st == MOPD_OK && no_memory ? MOPD_E_NOMEM : st;
}

static mopd_status descriptions(void *ctx)
{
    char *json[2] = {0};
    mopd_encoder *e = NULL;
    mopd_status st = mopd_inspect(ctx ? ctx : model, &json[0]);
    if (st == MOPD_OK) st = open_model(&e, ctx ? ctx : model);
    if (st == MOPD_OK) st = mopd_encoder_describe(e, &json[1]);
    mopd_free(json[0]);
    mopd_free(json[1]);
    mopd_encoder_close(e);
    return st;
}

static mopd_status packing(void *ctx)
{
    mopd_encoder *e = NULL;
    mopd_status st = open_model(&e, model);
    if (st == MOPD_OK) st = mopd_encoder_pack(e, ctx, MOPD_DTYPE_BF16);
    const char *const seen[] = {picture};
    if (st == MOPD_OK) st = mopd_encoder_pack_calibrated(e, ctx, MOPD_DTYPE_I8, seen, 1);
    mopd_encoder_close(e);
    return st;
}

/* The packed model at a path, from memory; copied, so that the bytes may go at once. */
static mopd_status memory(void *ctx)
{
    mopd_encoder *e = NULL;
    float f[TINY_DIM];
    static const char *const text[] = {"dog"};
    mopd_encoder_options o;
    FILE *in = fopen(ctx, "rb");
    char *bytes = malloc(1 << 20);
    assert_true(in && bytes);
    const size_t n = fread(bytes, 1, 1 << 20, in);
    fclose(in);
    assert_true(n < 1 << 20);
    mopd_status st = mopd_encoder_options_init(&o, sizeof o);
    o.n_threads = 2;
    o.flags = MOPD_OPEN_READ;
    if (st == MOPD_OK) st = mopd_encoder_open_memory(&e, bytes, n, &o);
    if (st != MOPD_OK) assert_null(e);
    free(bytes);
    if (st == MOPD_OK) st = mopd_encoder_encode_texts(e, text, 1, f);
    mopd_encoder_close(e);
    return st;
}

static mopd_status rate(void *ctx)
{
    (void)ctx;
    double gflops;
    mopd_encoder *e = NULL;
    mopd_status st = open_model(&e, model);
    if (st == MOPD_OK) st = mopd_encoder_gemm_rate(e, &gflops);
    mopd_encoder_close(e);
    return st;
}

static mopd_status banks(void *ctx)
{
    static const char *const classes[] = {"cat", "sea_lake", "dog"}, *const templates[] = {
                                                                         "a photo of a {}.", "{}"};
    float f[3 * TINY_DIM], logits[9];
    mopd_match match[6];
    mopd_encoder *e = NULL;
    mopd_bank *bank = NULL, *given = NULL, *kept = NULL, *tuned = NULL;
    const int32_t labels[] = {0, 1, 2};
    const char *const *pool;
    size_t n, same[2];
    test_random(f, 3 * TINY_DIM, 5);
    mopd_status st = open_model(&e, model);
    if (st == MOPD_OK) st = mopd_classes_check(classes, 3, same);
    if (st == MOPD_OK) st = mopd_bank_create(&bank, e, classes, 3, templates, 2);
    if (st == MOPD_OK) st = mopd_bank_create_features(&given, classes, 3, f, TINY_DIM, 20);
    if (st == MOPD_OK) assert_int_equal(mopd_bank_n_classes(bank) + mopd_bank_dim(given), 3 + TINY_DIM);
    if (st == MOPD_OK) assert_string_equal(mopd_bank_class_name(bank, 1), "sea_lake");
    if (st == MOPD_OK) st = mopd_bank_logits(bank, mopd_bank_features(given), 3, logits);
    if (st == MOPD_OK) st = mopd_bank_probabilities(bank, mopd_bank_features(given), 3, logits);
    if (st == MOPD_OK) st = mopd_bank_top(bank, mopd_bank_features(given), 3, 2, match);
    if (st == MOPD_OK) assert_true(isnan(mopd_bank_logit_bias(bank)));
    if (st == MOPD_OK)
        assert_int_equal(mopd_bank_sigmoids(bank, mopd_bank_features(given), 3, logits), MOPD_E_UNSUPPORTED);
    if (st == MOPD_OK) st = mopd_bank_create_calibrated(&tuned, bank, mopd_bank_features(given), labels, 3);
    if (st == MOPD_OK) st = mopd_templates_for("DTD", &pool, &n);
    if (st == MOPD_OK) st = mopd_bank_save(bank, ctx);
    if (st == MOPD_OK) st = mopd_bank_open(&kept, ctx, e);
    if (st == MOPD_OK) assert_string_equal(mopd_bank_template(kept, 1), "{}");
    if (st == MOPD_OK) assert_string_equal(mopd_bank_fingerprint(kept), mopd_encoder_fingerprint(e));
    if (st == MOPD_OK) assert_true(mopd_bank_logit_scale(kept) == mopd_bank_logit_scale(bank));
    mopd_bank_free(kept);
    mopd_bank_free(tuned);
    mopd_bank_free(bank);
    mopd_bank_free(given);
    mopd_encoder_close(e);
    return st;
}

static mopd_status arrays(void *ctx)
{
    float x[6] = {0}, *back = NULL;
    size_t shape[MOPD_ARRAY_DIMS], n_dims;
    mopd_status st = mopd_array_save(ctx, x, (const size_t[]){2, 3}, 2);
    if (st == MOPD_OK) st = mopd_array_load(ctx, &back, shape, &n_dims);
    if (st == MOPD_OK) assert_true(n_dims == 2 && shape[0] == 2 && shape[1] == 3 && back[5] == x[5]);
    if (st != MOPD_OK) assert_null(back);
    mopd_free(back);
    return st;
}

/* Failing calls need no memory for their message either. */
static mopd_status failures(void *ctx)
{
    (void)ctx;
    mopd_encoder *e = NULL;
    mopd_status st = mopd_encoder_open(&e, text_file, NULL);
    assert_null(e);
    if (st == MOPD_E_NOMEM) return st;
    assert_int_equal(st, MOPD_E_FORMAT);
    assert_non_null(strstr(mopd_last_error(), "text-file"));
    assert_string_equal(mopd_status_name(st), "MOPD_E_FORMAT");
    assert_non_null(mopd_status_text(st));
    return MOPD_OK;
}

/* No memory is taken here at all. */
static mopd_status settings(void *ctx)
{
    (void)ctx;
    assert_int_equal(mopd_version_number(), MOPD_VERSION_NUMBER);
    assert_string_equal(mopd_version_string(), MOPD_VERSION_STRING);
    assert_non_null(strstr(mopd_build_info(), MOPD_VERSION_STRING));
    assert_int_equal(mopd_image_takes("a.JPG"), 1);
    mopd_limits limits, now = {.struct_size = sizeof now};
    mopd_status st = mopd_limits_init(&limits, sizeof limits);
    if (st == MOPD_OK) st = mopd_limits_set(&limits, "tensors", "262144");
    if (st == MOPD_OK) st = mopd_runtime_set_limits(&limits);
    if (st == MOPD_OK) st = mopd_runtime_get_limits(&now);
    assert_memory_equal(&limits, &now, sizeof now);
    if (st == MOPD_OK) st = mopd_runtime_set_stop(NULL, NULL);
    if (st == MOPD_OK) st = mopd_runtime_set_threads(2);
    if (st == MOPD_OK) st = mopd_runtime_set_threads(0);
    if (st == MOPD_OK) st = mopd_runtime_set_cpu(NULL);
    return st;
}

/* A finished file or nothing: no half of one stays beside it. */
static void assert_no_rest(const char *name)
{
    char command[700];
    snprintf(command, sizeof command, "ls -d %s.?????? >/dev/null 2>&1", test_path(name));
    assert_int_not_equal(system(command), 0);
}

static void every_function_survives_lack_of_memory(void **state)
{
    (void)state;
    static char packed[512], array[512], bank[512];
    snprintf(packed, sizeof packed, "%s", test_path("packed.safetensors"));
    snprintf(array, sizeof array, "%s", test_path("array.npy"));
    test_torture(settings, NULL);
    test_torture(pictures, NULL);
    test_torture(towers, NULL);
    test_torture(shares, NULL);
    test_torture(files, NULL);
    test_torture(descriptions, NULL);
    test_torture(packing, packed);
    assert_no_rest("packed.safetensors");
    test_torture(descriptions, packed);
    test_torture(memory, packed);
    test_torture(rate, NULL);
    snprintf(bank, sizeof bank, "%s", test_path("bank.safetensors"));
    test_torture(banks, bank);
    assert_no_rest("bank.safetensors");
    test_torture(arrays, array);
    assert_no_rest("array.npy");
    test_torture(failures, NULL);
}

static void every_declared_function_is_called_here(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "version", "status", "runtime", "image", "frame", "encoder", "bank", "array"};
    char path[600], call[128];
    char *own = test_read(MOPD_TEST_DIR "/api/test_torture.c"),
         *support = test_read(MOPD_TEST_DIR "/support/torture.c");
    size_t n = 0;
    for (size_t h = 0; h < sizeof headers / sizeof *headers; h++) {
        snprintf(path, sizeof path, "%s/include/mopd/%s.h", MOPD_SOURCE_DIR, headers[h]);
        char *text = test_read(path);
        for (char *at = text; (at = strstr(at, "\nMOPD_API ")); n++) {
            char *end = strchr(at, '('), *start = end;
            while (start[-1] == '_' || (start[-1] >= 'a' && start[-1] <= 'z') ||
                   (start[-1] >= '0' && start[-1] <= '9'))
                start--;
            snprintf(call, sizeof call, "%.*s(", (int)(end - start), start);
            const char *old = strstr(end, " MOPD_DEPRECATED("); /* test_arguments.c calls these */
            at = strchr(end, ';');
            if (!(old && old < at) && !strstr(own, call) && !strstr(support, call))
                fail_msg("%s.h: %s) is not called", headers[h], call);
        }
        free(text);
    }
    assert_true(n >= 40);
    free(own);
    free(support);
}

static int prepare(void **state)
{
    (void)state;
    snprintf(model, sizeof model, "%s", tiny_model(1));
    snprintf(picture, sizeof picture, "%s", test_write("p.png", png, sizeof png));
    snprintf(text_file, sizeof text_file, "%s", test_write("text-file", "this is no model", 16));
    memcpy(picture_bytes, png, n_picture_bytes = sizeof png);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_survives_lack_of_memory),
        cmocka_unit_test(every_declared_function_is_called_here),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
