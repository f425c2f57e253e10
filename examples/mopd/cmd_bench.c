/* SPDX-License-Identifier: MIT
 * cmd_bench.c - mopd bench: what encoding, prompt building and training cost on this machine.
 *
 * Each figure is the median of at least five rounds and --seconds, of one round with --seconds 0.  A machine is noisy: compare ratios
 * measured side by side, not these figures with those of another day. */
#include "cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"

static const cli_command command = {"bench", "[options]",
    "Measures speed, load time and memory of a model here.",
    "  mopd bench -m ViT-B-16/ --threads 1 --format json\n"};

enum { BATCH = 16, TEXTS = 64, CLASSES = 50, STEP_BATCH = 128, ROUNDS = 200 };

typedef struct bench {
    const mopd_encoder *encoder;
    mopd_encoder_info info;
    float *pixels;   /* BATCH x 3 x S x S */
    float *features; /* STEP_BATCH x D */
    int32_t labels[STEP_BATCH];
    char *names[TEXTS], *texts[TEXTS];
    mopd_trainer *trainer;
    double seconds; /* that each figure takes, at least */
    mopd_status st; /* the first failure */
} bench;

typedef mopd_status (*work_fn)(bench *b);

static mopd_status one_image(bench *b)
{
    return mopd_encoder_encode_pixels(b->encoder, b->pixels, 1, b->features);
}

static mopd_status many_images(bench *b)
{
    return mopd_encoder_encode_pixels(b->encoder, b->pixels, BATCH, b->features);
}

static mopd_status one_text(bench *b)
{
    return mopd_encoder_encode_texts(b->encoder, (const char *const *)b->texts, 1, b->features);
}

static mopd_status many_texts(bench *b)
{
    return mopd_encoder_encode_texts(b->encoder, (const char *const *)b->texts, TEXTS, b->features);
}

static mopd_status one_step(bench *b)
{
    return mopd_trainer_step(b->trainer, b->features, b->labels, STEP_BATCH, NULL);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median seconds of a call, after one that warms up; 0 once anything failed. */
static double measure(bench *b, work_fn work)
{
    double seconds[ROUNDS];
    const size_t least = b->seconds > 0 ? 5 : 1;
    size_t n = 0;
    if (b->st == MOPD_OK && !cli_interrupted()) b->st = work(b);
    for (double start = cli_seconds(); b->st == MOPD_OK && !cli_interrupted() && n < ROUNDS;) {
        double before = cli_seconds();
        b->st = work(b);
        seconds[n++] = cli_seconds() - before;
        if (n >= least && cli_seconds() - start >= b->seconds) break;
    }
    if (b->st != MOPD_OK || !n) return 0;
    qsort(seconds, n, sizeof *seconds, by_value);
    return n % 2 ? seconds[n / 2] : 0.5 * (seconds[n / 2 - 1] + seconds[n / 2]);
}

static double uniform(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 33) / 2147483648.0 - 1.0;
}

/* TEXTS different names of one to three words; the texts put them into one template. */
static void make_texts(bench *b)
{
    static const char *const first[] = {"red", "small", "old", "wild"},
                             *const second[] = {"cat", "car", "tree", "house"},
                             *const third[] = {"", " at night", " in snow", " by the sea"};
    for (size_t i = 0; i < TEXTS; i++) {
        b->names[i] = cli_alloc(64, 1);
        b->texts[i] = cli_alloc(96, 1);
        snprintf(b->names[i], 64, "%s %s%s", first[i % 4], second[i / 4 % 4], third[i / 16]);
        snprintf(b->texts[i], 96, "a photo of a %s.", b->names[i]);
    }
}

static void make_inputs(bench *b)
{
    uint64_t state = 1;
    size_t n = (size_t)BATCH * 3 * b->info.image_size * b->info.image_size, dim = b->info.dim;
    b->pixels = cli_alloc(n, sizeof *b->pixels);
    b->features = cli_alloc((size_t)STEP_BATCH * dim, sizeof *b->features);
    for (size_t i = 0; i < n; i++) b->pixels[i] = (float)uniform(&state);
    for (size_t i = 0; i < STEP_BATCH; i++) b->labels[i] = (int32_t)(i % CLASSES);
    make_texts(b);
}

static void make_features(bench *b)
{
    uint64_t state = 2;
    for (size_t i = 0; i < STEP_BATCH; i++) {
        float *row = b->features + i * b->info.dim;
        double square = 0;
        for (size_t d = 0; d < b->info.dim; d++)
            row[d] = (float)uniform(&state), square += (double)row[d] * (double)row[d];
        for (size_t d = 0; d < b->info.dim; d++) row[d] /= (float)sqrt(square);
    }
}

static double measure_step(bench *b)
{
    if (b->st != MOPD_OK) return 0;
    mopd_trainer_options o;
    mopd_trainer_options_init(&o, sizeof o);
    o.epochs = 1000000;
    b->st = mopd_trainer_create(&b->trainer, b->encoder, (const char *const *)b->names, CLASSES, &o);
    make_features(b);
    double seconds = measure(b, one_step);
    mopd_trainer_free(b->trainer);
    return seconds;
}

static const char *name_of(int32_t precision)
{
    if (precision == MOPD_PRECISION_INT8) return "int8";
    return precision == MOPD_PRECISION_BF16 ? "bf16" : "f32";
}

static json_t *measure_all(bench *b, double open_seconds, const char *precision)
{
    double image = measure(b, one_image), images = measure(b, many_images);
    double text = measure(b, one_text), texts = measure(b, many_texts), step = measure_step(b);
    double gemm = 0;
    if (b->st == MOPD_OK) b->st = mopd_encoder_gemm_rate(b->encoder, &gemm);
    const double peak = sys_peak_mb();
    if (b->st != MOPD_OK || cli_interrupted()) return NULL;
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:i, s:s, s:s}", "image_ms_b1", 1e3 * image,
        "images_per_s_b16", BATCH / images, "text_ms_1", 1e3 * text, "texts_per_s_64", TEXTS / texts,
        "train_step_ms", 1e3 * step, "open_ms", 1e3 * open_seconds, "peak_rss_mb", peak, "gemm_gflops", gemm,
        "threads", (int)b->info.n_threads, "precision", precision, "cpu", mopd_build_info());
}

static void print_text(const json_t *figures)
{
    static const char *const heads[] = {"figure", "value"};
    cli_table *table = cli_table_new(2, heads);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)figures, key, value)
    {
        cli_table_cell(table, "%s", key);
        if (json_is_string(value))
            cli_table_cell(table, "%s", json_string_value(value));
        else
            cli_table_cell(table, "%.5g", json_number_value(value));
    }
    cli_table_print_free(table);
}

static void print_csv(const json_t *figures)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)figures, key, value)
    {
        char number[32];
        snprintf(number, sizeof number, "%.9g", json_number_value(value));
        cli_csv_field(key, false);
        cli_csv_field(json_is_string(value) ? json_string_value(value) : number, true);
    }
}

static void free_inputs(bench *b)
{
    for (size_t i = 0; i < TEXTS; i++) {
        free(b->names[i]);
        free(b->texts[i]);
    }
    free(b->pixels);
    free(b->features);
}

int cmd_bench(int argc, char **argv)
{
    cli_common common;
    bench b = {.info = {.struct_size = sizeof b.info}, .seconds = 0.5, .st = MOPD_OK};
    const cli_option options[] = {
        {"seconds", 0, CLI_REAL, &b.seconds, "S", "that each figure takes at least (0.5); 0: one round",
            NULL},
        {0},
    };
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &common, options, argc, argv, &rest, &n_rest);
    if (status >= 0) return status;
    if (!(b.seconds >= 0 && b.seconds <= 3600))
        return cli_usage(command.name, "--seconds %.10g: from 0 to 3600", b.seconds);
    if (n_rest) return cli_usage(command.name, "'%s' is left over", rest[0]);
    mopd_encoder *encoder;
    double start = cli_seconds();
    if ((status = cli_open_encoder(&encoder, &common, MOPD_TEXT_TRUNCATE)) >= 0) return status;
    b.encoder = encoder;
    double open_seconds = cli_seconds() - start;
    mopd_encoder_get_info(encoder, &b.info);
    make_inputs(&b);
    json_t *figures = measure_all(&b, open_seconds, name_of(b.info.precision));
    if (b.st != MOPD_OK)
        status = cli_fail_status(b.st);
    else if (!figures)
        status = EXIT_INTERRUPTED;
    else {
        if (cli_is_json(&common))
            cli_print_json(json_incref(figures));
        else if (cli_is_csv(&common))
            print_csv(figures);
        else
            print_text(figures);
        status = cli_flush() ? EXIT_DONE : EXIT_FAILED;
    }
    json_decref(figures);
    free_inputs(&b);
    mopd_encoder_close(encoder);
    return status;
}
