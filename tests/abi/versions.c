/* SPDX-License-Identifier: MIT
 * versions.c - a program of one release on the library of another: versions_KIND FOLDER LIBRARY.
 *
 * Compiled with today's headers and with those of versions.py, each program runs with libmopd.so.0 of FOLDER:
 * LIBRARY is "today", or "newer" where every struct has one more field.  Structs end where readable memory
 * ends, so neither can touch what the other has not. */
#define _GNU_SOURCE
#include <mopd/mopd.h>

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, ADDED = 8, N = 4, DIM = 12 };

static int n_failed;
static bool newer; /* the library */

#define EXPECT(fact, ...)                                                                                    \
    do {                                                                                                     \
        if (!(fact)) {                                                                                       \
            fprintf(stderr, "versions.c:%d: not so: %s: ", __LINE__, #fact);                                 \
            fprintf(stderr, __VA_ARGS__);                                                                    \
            fprintf(stderr, " (%s)\n", mopd_last_error());                                                   \
            n_failed++;                                                                                      \
        }                                                                                                    \
    } while (0)

/* -- what the calls are given --------------------------------------------------------------------------- */

static mopd_encoder *encoder;
static mopd_dataset *data;
static float features[N * DIM];
static const int32_t labels[N] = {0, 1, 0, 1};
static const char *const classes[] = {"cat", "dog"}, *const templates[] = {"a {}."};
static char list[] = "/tmp/mopd-versions-XXXXXX";

static const char *const picture = MOPD_TEST_DIR "/gold/pixels/420.jpg";
static const char *const model = MOPD_TEST_DIR "/gold/towers/hf";

static void make_data(void)
{
    int file = mkstemp(list);
    if (file < 0 ||
        dprintf(file, "path,label\n%s,cat\n%s/gold/pixels/drawn.png,dog\n", picture, MOPD_TEST_DIR) < 0)
        exit(2);
    close(file);
    for (int i = 0; i < N; i++) features[i * DIM + i] = 1;
}

/* The bytes of a struct that the library knows: those of today's layout, and one field more. */
static const struct layout {
    const char *name;
    size_t bytes;
    bool sized;
} layouts[] = {
#define FIELD(type, field, at, size) {#type, 0, sizeof #field == sizeof "struct_size" && !(at)},
#define STRUCT(type, size) {#type, size, false},
#include "layout.h"
#undef FIELD
#undef STRUCT
};
enum { N_LAYOUTS = sizeof layouts / sizeof *layouts };

static size_t known_bytes(const char *name)
{
    for (int i = 0; i < N_LAYOUTS; i++)
        if (layouts[i].bytes && !strcmp(layouts[i].name, name)) return layouts[i].bytes + (newer ? ADDED : 0);
    EXPECT(false, "%s is not in layout.h", name);
    return 0;
}

/* -- options: how the library reads them ---------------------------------------------------------------- */

static mopd_status read_image(void *options)
{
    mopd_image *made = NULL;
    mopd_status st = mopd_image_open(&made, picture, options);
    mopd_image_close(made);
    return st;
}

static mopd_status read_frame(void *options)
{
    static const uint8_t samples[4];
    mopd_image *made = NULL;
    mopd_frame *f = options;
    f->layout = MOPD_LAYOUT_GREY;
    f->width = f->height = 2;
    f->planes[0] = samples;
    mopd_status st = mopd_image_create_frame(&made, f);
    mopd_image_close(made);
    return st;
}

static mopd_status read_encoder(void *options)
{
    mopd_encoder *made = NULL;
    mopd_status st = mopd_encoder_open(&made, model, options);
    mopd_encoder_close(made);
    return st;
}

static mopd_status read_limits(void *limits)
{
    mopd_status st = mopd_runtime_set_limits(limits);
    mopd_runtime_set_limits(NULL);
    return st;
}

static mopd_status read_share(void *options)
{
    mopd_encoder *made = NULL;
    mopd_status st = mopd_encoder_share(&made, encoder, options);
    mopd_encoder_close(made);
    return st;
}

static mopd_status read_dataset(void *options)
{
    mopd_dataset *made = NULL;
    mopd_status st = mopd_dataset_open(&made, list, options);
    mopd_dataset_close(made);
    return st;
}

static mopd_status read_selection(void *options)
{
    mopd_dataset *made = NULL;
    mopd_status st = mopd_dataset_select(&made, data, options);
    mopd_dataset_close(made);
    return st;
}

static mopd_status read_encode(void *options)
{
    mopd_dataset *made = NULL;
    mopd_status st = mopd_dataset_encode(&made, data, NULL, encoder, options);
    mopd_dataset_close(made);
    return st;
}

static mopd_status fill_counts(void *counts)
{
    mopd_encode_options o;
    mopd_dataset *made = NULL;
    mopd_status st = mopd_encode_options_init(&o, sizeof o);
    o.counts = counts;
    if (st == MOPD_OK) st = mopd_dataset_encode(&made, data, NULL, encoder, &o);
    mopd_dataset_close(made);
    return st;
}

static void set_training(mopd_trainer_options *o)
{
    o->templates = templates;
    o->n_templates = 1;
    o->top_k = 1;
    o->context = NULL;
    o->n_context = 1;
    o->epochs = 2;
    o->batch = 2;
}

static mopd_status read_trainer(void *options)
{
    mopd_trainer *made = NULL;
    set_training(options);
    mopd_status st = mopd_trainer_create(&made, encoder, classes, 2, options);
    mopd_trainer_free(made);
    return st;
}

static mopd_status make_trainer(mopd_trainer **out)
{
    mopd_trainer_options o;
    *out = NULL;
    mopd_status st = mopd_trainer_options_init(&o, sizeof o);
    set_training(&o);
    return st == MOPD_OK ? mopd_trainer_create(out, encoder, classes, 2, &o) : st;
}

static int n_steps, n_epochs;

/* A callback's struct is the library's own: as long as it says, with the fields that both know in their places. */
static int on_step(void *context, const mopd_step *step)
{
    (void)context;
    n_steps++;
    EXPECT(step->struct_size == known_bytes("mopd_step"), "%u bytes", (unsigned)step->struct_size);
    EXPECT(step->step == (uint32_t)(n_steps + 1) % 2 + 1 && step->loss > 0, "step %u", (unsigned)step->step);
    return 0;
}

static int on_epoch(void *context, const mopd_epoch *epoch)
{
    (void)context;
    n_epochs++;
    EXPECT(epoch->struct_size == known_bytes("mopd_epoch"), "%u bytes", (unsigned)epoch->struct_size);
    EXPECT(epoch->epoch == (uint32_t)n_epochs && epoch->n_steps == 2, "epoch %u", (unsigned)epoch->epoch);
    return 0;
}

static mopd_status read_run(void *options)
{
    mopd_trainer *trainer;
    mopd_run *run = options;
    run->n = N;
    run->n_views = 1;
    run->features = features;
    run->labels = labels;
    run->on_step = on_step;
    run->on_epoch = on_epoch;
    n_steps = n_epochs = 0;
    mopd_status st = make_trainer(&trainer);
    if (st == MOPD_OK) st = mopd_trainer_run(trainer, run);
    EXPECT(st != MOPD_OK || (n_steps == 4 && n_epochs == 2), "%d steps", n_steps);
    mopd_trainer_free(trainer);
    return st;
}

/* -- results: how the library fills them ---------------------------------------------------------------- */

static mopd_status fill_encoder_info(void *info)
{
    return mopd_encoder_get_info(encoder, info);
}

static mopd_status fill_dataset_info(void *info)
{
    return mopd_dataset_get_info(data, info);
}

static mopd_status fill_item(void *item)
{
    return mopd_dataset_get_item(data, 1, item);
}

/* Labels that are numbers are worth a remark. */
static mopd_status fill_remark(void *remark)
{
    static mopd_dataset *numbers;
    char path[] = "/tmp/mopd-versions-XXXXXX";
    int file = numbers ? -1 : mkstemp(path);
    mopd_status st = MOPD_OK;
    if (file >= 0) {
        if (dprintf(file, "path,label\na.png,1\nb.png,2\n") < 0) exit(2);
        close(file);
        st = mopd_dataset_open(&numbers, path, NULL);
        unlink(path);
    }
    return st == MOPD_OK ? mopd_dataset_get_remark(numbers, 0, remark) : st;
}

static mopd_status fill_prompt_info(void *info)
{
    mopd_trainer *trainer;
    mopd_prompt *prompt = NULL;
    mopd_status st = make_trainer(&trainer);
    if (st == MOPD_OK) st = mopd_prompt_create_trainer(&prompt, trainer);
    if (st == MOPD_OK) st = mopd_prompt_get_info(prompt, info);
    mopd_prompt_close(prompt);
    mopd_trainer_free(trainer);
    return st;
}

static mopd_status fill_setting(void *setting)
{
    return mopd_setting_get(3, setting);
}

static mopd_status fill_metrics(void *metrics)
{
    static const uint32_t confusion[] = {5, 1, 2, 4};
    return mopd_confusion_get_metrics(confusion, 2, metrics);
}

static mopd_status fill_step(void *step)
{
    mopd_trainer *trainer;
    mopd_status st = make_trainer(&trainer);
    if (st == MOPD_OK) st = mopd_trainer_step(trainer, features, labels, 2, step);
    mopd_trainer_free(trainer);
    return st;
}

static mopd_status make_recognizer(mopd_recognizer **out, const void *options)
{
    static const char *const names[] = {"a", "b"};
    static const int32_t whose[] = {0, 1};
    return mopd_recognizer_create(out, encoder, names, 2, features, whose, 2, options);
}

static mopd_status read_recognizer(void *options)
{
    mopd_recognizer *recognizer = NULL;
    mopd_status st = make_recognizer(&recognizer, options);
    mopd_recognizer_close(recognizer);
    return st;
}

static mopd_status fill_recognizer_info(void *info)
{
    mopd_recognizer *recognizer = NULL;
    mopd_status st = make_recognizer(&recognizer, NULL);
    if (st == MOPD_OK) st = mopd_recognizer_get_info(recognizer, info);
    mopd_recognizer_close(recognizer);
    return st;
}

/* -- every struct, of every size ------------------------------------------------------------------------ */

/* One struct: its bytes as this program was compiled and in the first release. */
typedef struct probe {
    const char *name;
    size_t bytes, first;
    mopd_status (*init)(void *, size_t); /* NULL: a result */
    mopd_status (*use)(void *);
} probe;

#define INIT(type)                                                                                           \
    static mopd_status init_##type(void *options, size_t struct_size)                                        \
    {                                                                                                        \
        return type##_init(options, struct_size);                                                            \
    }
INIT(mopd_limits)
INIT(mopd_image_options)
INIT(mopd_frame)
INIT(mopd_encoder_options)
INIT(mopd_share_options)
INIT(mopd_dataset_options)
INIT(mopd_selection)
INIT(mopd_encode_options)
INIT(mopd_trainer_options)
INIT(mopd_run)
INIT(mopd_recognizer_options)

#define OPTIONS(type, first, read)                                                                           \
    {                                                                                                        \
#type, sizeof(type), first, init_##type, read                                                        \
    }
#define RESULT(type, first, fill)                                                                            \
    {                                                                                                        \
#type, sizeof(type), first, NULL, fill                                                               \
    }
static const probe probes[] = {
    OPTIONS(mopd_limits, 64, read_limits),
    OPTIONS(mopd_image_options, 16, read_image),
    OPTIONS(mopd_frame, 120, read_frame),
    OPTIONS(mopd_encoder_options, 16, read_encoder),
    OPTIONS(mopd_share_options, 24, read_share),
    OPTIONS(mopd_dataset_options, 16, read_dataset),
    OPTIONS(mopd_selection, 24, read_selection),
    OPTIONS(mopd_encode_options, 40, read_encode),
    OPTIONS(mopd_trainer_options, 104, read_trainer),
    OPTIONS(mopd_run, 96, read_run),
    RESULT(mopd_encoder_info, 56, fill_encoder_info),
    RESULT(mopd_dataset_info, 48, fill_dataset_info),
    RESULT(mopd_encode_counts, 64, fill_counts),
    RESULT(mopd_item, 40, fill_item),
    RESULT(mopd_remark, 24, fill_remark),
    RESULT(mopd_prompt_info, 56, fill_prompt_info),
    RESULT(mopd_setting, 72, fill_setting),
    RESULT(mopd_metrics, 40, fill_metrics),
    RESULT(mopd_step, 64, fill_step),
    OPTIONS(mopd_recognizer_options, 72, read_recognizer),
    RESULT(mopd_recognizer_info, 104, fill_recognizer_info),
};
enum { N_PROBES = sizeof probes / sizeof *probes };

/* `bytes` that end in front of memory nobody may touch, all 0xab; guard_free takes them back. */
static unsigned char *guard(size_t bytes)
{
    unsigned char *pages =
        mmap(NULL, (size_t)2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + PAGE, PAGE, PROT_NONE)) exit(2);
    memset(pages, 0xab, PAGE);
    return pages + PAGE - bytes;
}

static void guard_free(unsigned char *at, size_t bytes)
{
    munmap(at + bytes - PAGE, (size_t)2 * PAGE);
}

static mopd_status fill(const probe *p, unsigned char *at, size_t bytes)
{
    if (p->init) return p->init(at, bytes);
    const uint32_t size = (uint32_t)bytes;
    memcpy(at, &size, sizeof size);
    return p->use(at);
}

/* A caller's struct of some size: as much of the whole one as it holds, zeroes behind, or ARG and untouched. */
static void try_size(const probe *p, size_t bytes, const unsigned char *whole, size_t known)
{
    unsigned char *at = guard(bytes);
    mopd_status st = fill(p, at, bytes);
    uint32_t size;
    memcpy(&size, at, sizeof size);
    if (bytes < p->first) {
        EXPECT(st == MOPD_E_ARG, "%s of %zu bytes", p->name, bytes);
        for (size_t i = 4; i < bytes; i++)
            EXPECT(at[i] == 0xab, "%s of %zu bytes: byte %zu", p->name, bytes, i);
    } else {
        EXPECT(st == MOPD_OK && size == bytes, "%s of %zu bytes", p->name, bytes);
        for (size_t i = 4; i < bytes; i++)
            EXPECT(at[i] == (i < known ? whole[i] : 0), "%s of %zu bytes: byte %zu", p->name, bytes, i);
    }
    guard_free(at, bytes);
}

/* Options of some size, read; `beyond`: what stands in its last field. */
static mopd_status read_size(const probe *p, size_t bytes, uint64_t beyond)
{
    unsigned char *at = guard(bytes);
    mopd_status st = p->init(at, bytes);
    if (st == MOPD_OK && beyond) memcpy(at + bytes - ADDED, &beyond, ADDED);
    if (st == MOPD_OK) st = p->use(at);
    guard_free(at, bytes);
    return st;
}

static void check_options(const probe *p, size_t known)
{
    for (size_t bytes = p->first; bytes <= p->bytes; bytes += 8)
        EXPECT(read_size(p, bytes, 0) == MOPD_OK, "%s of %zu bytes", p->name, bytes);
    unsigned char *at = guard(p->bytes);
    memset(at, 0, p->bytes);
    EXPECT(p->use(at) == MOPD_E_ARG && strstr(mopd_last_error(), "initialised"), "%s", p->name);
    guard_free(at, p->bytes);
#ifdef PROGRAM_NEWER
    /* The field that only this program has is a wish that today's library cannot meet. */
    EXPECT(read_size(p, p->bytes, 1) == (newer ? MOPD_OK : MOPD_E_VERSION), "%s", p->name);
    EXPECT(newer || strstr(mopd_last_error(), p->name), "%s", p->name);
#endif
    EXPECT(read_size(p, known + ADDED, UINT64_C(1) << 63) == MOPD_E_VERSION, "%s", p->name);
}

static void check(const probe *p)
{
    const size_t known = known_bytes(p->name);
    unsigned char *whole = guard(known);
    EXPECT(fill(p, whole, known) == MOPD_OK, "%s of %zu bytes", p->name, known);
    for (size_t bytes = 8; bytes <= known + 64; bytes += 8) try_size(p, bytes, whole, known);
    guard_free(whole, known);
    unsigned char *small = guard(p->bytes);
    mopd_status st = fill(p, small, p->bytes); /* the struct as this program has it */
    EXPECT(st == (p->bytes < p->first ? MOPD_E_ARG : MOPD_OK), "%s of %zu bytes", p->name, p->bytes);
    guard_free(small, p->bytes);
    if (p->init) check_options(p, known);
}

static void check_that_all_are_here(void)
{
    for (int i = 0; i < N_LAYOUTS; i++) {
        bool found = !layouts[i].sized || !strcmp(layouts[i].name, "mopd_epoch"); /* read_run sees it */
        for (int k = 0; k < N_PROBES; k++) found |= !strcmp(layouts[i].name, probes[k].name);
        EXPECT(found, "%s", layouts[i].name);
    }
}

int main(int argc, char **argv)
{
    Dl_info info;
    if (argc != 3) return 2;
    newer = !strcmp(argv[2], "newer");
    if (!dladdr((void *)(uintptr_t)mopd_version_number, &info) ||
        strncmp(info.dli_fname, argv[1], strlen(argv[1])) != 0) {
        fprintf(stderr, "versions: runs with %s, not with that of %s\n", info.dli_fname, argv[1]);
        return 2;
    }
    make_data();
    EXPECT(mopd_encoder_open(&encoder, model, NULL) == MOPD_OK, "%s", model);
    EXPECT(mopd_dataset_open(&data, list, NULL) == MOPD_OK, "%s", list);
    if (n_failed) return 1;
    check_that_all_are_here();
    for (int i = 0; i < N_PROBES; i++) check(&probes[i]);
    mopd_dataset_close(data);
    mopd_encoder_close(encoder);
    unlink(list);
    printf("%d structs, %d failed\n", (int)N_PROBES, n_failed);
    return n_failed != 0;
}
