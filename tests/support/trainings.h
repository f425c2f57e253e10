/* SPDX-License-Identifier: MIT
 * trainings.h - what the tests of tests/train share: the tiny model with pictures of its classes, trainers and
 * runs on them, and the files they leave. */
#ifndef MOPD_TESTS_SUPPORT_TRAININGS_H
#define MOPD_TESTS_SUPPORT_TRAININGS_H

#include "test.h"

#include "support/tiny.h"
#include "train/trainer.h"

/* Classes, pictures of each, pictures; templates; D and W of the model; pictures in a batch. */
enum {
    C = TINY_CLASSES,
    SHOTS = 4,
    N = C * SHOTS,
    M = 5,
    D = TINY_DIM,
    W = TINY_WIDTH,
    B = 8,
    MOST_VIEWS = 3
};

typedef struct training {
    mopd_encoder *encoder;
    size_t n_views;
    float features[N * MOST_VIEWS * D]; /* N x n_views x D */
    int32_t labels[N];
} training;

static inline void training_open(training *x, uint32_t model, uint32_t n_threads, size_t n_views)
{
    x->encoder = tiny_open(model, n_threads);
    x->n_views = n_views;
    tiny_features(x->encoder, SHOTS, n_views, 1, x->features, x->labels);
}

static inline void training_close(training *x)
{
    mopd_encoder_close(x->encoder);
    x->encoder = NULL;
}

static inline mopd_trainer *training_create(const training *x, const mopd_trainer_options *o)
{
    mopd_trainer *t = NULL;
    assert_ok(mopd_trainer_create(&t, x->encoder, tiny_classes, C, o));
    return t;
}

/* Of a method, for some epochs. */
static inline mopd_trainer *training_of(const training *x, int32_t method, uint32_t epochs)
{
    const mopd_trainer_options o = tiny_training(method, epochs);
    return training_create(x, &o);
}

static inline void training_refused(
    const training *x, const mopd_trainer_options *o, mopd_status st, const char *words)
{
    mopd_trainer *t = NULL;
    assert_fails(mopd_trainer_create(&t, x->encoder, tiny_classes, C, o), st, words);
    assert_null(t);
}

/* A run on all pictures. */
static inline mopd_run training_run(const training *x)
{
    mopd_run run;
    assert_ok(mopd_run_init(&run, sizeof run));
    run.n = N;
    run.n_views = x->n_views;
    run.features = x->features;
    run.labels = x->labels;
    return run;
}

static inline void training_finish(const training *x, mopd_trainer *t)
{
    const mopd_run run = training_run(x);
    assert_ok(mopd_trainer_run(t, &run));
}

/* A batch of every third picture's first view: features B x D and labels B. */
static inline void training_batch(const training *x, float *features, int32_t *labels)
{
    for (size_t i = 0; i < B; i++) {
        memcpy(features + i * D, x->features + 3 * i * x->n_views * D, D * sizeof *features);
        labels[i] = x->labels[3 * i];
    }
}

/* Both have learned the same, to the bit. */
static inline void training_same(const mopd_trainer *a, const mopd_trainer *b)
{
    assert_int_equal(a->state.context.n, b->state.context.n);
    assert_int_equal(a->state.gate.n, b->state.gate.n);
    assert_memory_equal(a->state.context.p, b->state.context.p, a->state.context.n * sizeof(float));
    if (a->state.gate.n)
        assert_memory_equal(a->state.gate.p, b->state.gate.p, a->state.gate.n * sizeof(float));
}

/* The prompt as a file at test_path(name). */
static inline const char *training_save(const mopd_trainer *t, const char *name)
{
    mopd_prompt *p = NULL;
    const char *path = test_path(name);
    assert_ok(mo_trainer_prompt(t, &p));
    assert_ok(mopd_prompt_save(p, path));
    mopd_prompt_close(p);
    return path;
}

static inline size_t training_read(const char *path, char *out, size_t room)
{
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("cannot read %s", path);
    size_t n = fread(out, 1, room, f);
    fclose(f);
    assert_true(n > 0 && n < room);
    return n;
}

static inline bool training_same_files(const char *a, const char *b)
{
    static char x[65536], y[65536];
    size_t n = training_read(a, x, sizeof x);
    return training_read(b, y, sizeof y) == n && !memcmp(x, y, n);
}

#endif
