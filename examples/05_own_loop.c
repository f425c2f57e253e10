/* SPDX-License-Identifier: MIT
 * 05_own_loop.c - the fifth lesson: the host drives the steps, with fresh views of the pictures in every epoch.
 *
 *     05_own_loop pictures/ prompt.safetensors
 *
 * mopd_trainer_step takes features and labels from wherever they come: a camera, a database, augmentations of
 * your own.  Here each epoch cuts and flips every picture anew, as the method's released recipe does, and
 * encodes it again. */
#include <stdio.h>
#include <stdlib.h>

#include <mopd/mopd.h>

enum { EPOCHS = 10, BATCH = 32 };

typedef struct loop {
    const mopd_encoder *encoder;
    const mopd_dataset *data;
    size_t n, dim, n_pixels;
    float *pixels;   /* one view, 3 x S x S */
    float *features; /* BATCH x dim */
    int32_t labels[BATCH];
} loop;

/* One fresh view of picture i, as row `row` of the batch.  The seed is all that the cut depends on. */
static mopd_status add_view(loop *l, size_t i, size_t row, uint64_t seed)
{
    mopd_item item = {.struct_size = sizeof item};
    mopd_image *image = NULL;
    mopd_status st = mopd_dataset_get_item(l->data, i, &item);
    if (st == MOPD_OK) st = mopd_image_open(&image, item.file, NULL);
    if (st == MOPD_OK) st = mopd_encoder_preprocess_view(l->encoder, image, seed, l->pixels);
    if (st == MOPD_OK) st = mopd_encoder_encode_pixels(l->encoder, l->pixels, 1, l->features + row * l->dim);
    if (st == MOPD_OK) l->labels[row] = item.label;
    mopd_image_close(image);
    return st;
}

/* Batches take every k-th picture, so that each has pictures of many classes; a last short batch is used too. */
static mopd_status one_epoch(loop *l, mopd_trainer *trainer, unsigned epoch)
{
    size_t n_batches = (l->n + BATCH - 1) / BATCH;
    mopd_step step = {.struct_size = sizeof step};
    mopd_status st = MOPD_OK;
    for (size_t b = 0; st == MOPD_OK && b < n_batches; b++) {
        size_t rows = 0;
        for (size_t i = b; st == MOPD_OK && i < l->n; i += n_batches)
            st = add_view(l, i, rows++, (uint64_t)epoch * l->n + i);
        if (st == MOPD_OK) st = mopd_trainer_step(trainer, l->features, l->labels, rows, &step);
    }
    if (st == MOPD_OK) printf("epoch %2u  lr %.4f  last loss %.4f\n", epoch, step.lr, step.loss);
    return st == MOPD_OK ? mopd_trainer_end_epoch(trainer) : st;
}

static mopd_status learn(loop *l, const char *path)
{
    mopd_trainer_options options;
    mopd_trainer *trainer = NULL;
    mopd_prompt *prompt = NULL;
    mopd_dataset_info info = {.struct_size = sizeof info};
    mopd_dataset_get_info(l->data, &info);
    mopd_trainer_options_init(&options, sizeof options);
    options.epochs = EPOCHS; /* the learning rate's schedule runs over these */
    mopd_status st = mopd_trainer_create(
        &trainer, l->encoder, mopd_dataset_class_names(l->data), info.n_classes, &options);
    for (unsigned epoch = 1; st == MOPD_OK && epoch <= EPOCHS; epoch++) st = one_epoch(l, trainer, epoch);
    if (st == MOPD_OK) st = mopd_prompt_create_trainer(&prompt, trainer);
    if (st == MOPD_OK) st = mopd_prompt_save(prompt, path);
    mopd_prompt_close(prompt);
    mopd_trainer_free(trainer);
    return st;
}

static mopd_status prepare(loop *l)
{
    mopd_encoder_info model = {.struct_size = sizeof model};
    mopd_dataset_info info = {.struct_size = sizeof info};
    mopd_encoder_get_info(l->encoder, &model);
    mopd_dataset_get_info(l->data, &info);
    l->n = (size_t)info.n_items;
    l->dim = model.dim;
    l->pixels = calloc((size_t)3 * model.image_size * model.image_size, sizeof(float));
    l->features = calloc(BATCH * l->dim, sizeof(float));
    return l->pixels && l->features ? MOPD_OK : MOPD_E_NOMEM;
}

int main(int argc, char **argv)
{
    if (argc != 3) return fprintf(stderr, "usage: %s FOLDER PROMPT\n", argv[0]), 2;
    mopd_encoder *encoder = NULL;
    mopd_dataset *data = NULL;
    mopd_status st = mopd_encoder_open(&encoder, NULL, NULL);
    if (st == MOPD_OK) st = mopd_dataset_open(&data, argv[1], NULL);
    loop l = {.encoder = encoder, .data = data};
    if (st == MOPD_OK) st = prepare(&l);
    if (st == MOPD_OK) st = learn(&l, argv[2]);
    if (st != MOPD_OK) fprintf(stderr, "%s\n", *mopd_last_error() ? mopd_last_error() : mopd_status_text(st));
    free(l.pixels);
    free(l.features);
    mopd_dataset_close(data);
    mopd_encoder_close(encoder);
    return st == MOPD_OK ? 0 : 1;
}
