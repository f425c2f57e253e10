/* SPDX-License-Identifier: MIT
 * 04_new_classes.c - the fourth lesson: a learned prompt meets classes it was never trained on.
 *
 *     04_new_classes prompt.safetensors photo.jpg fox wolf "red panda"
 *
 * The prompt file holds no class.  A bank is made from the prompt and any list of names; beside it stands a
 * bank of the hand-written prompt, to see what learning changed, and the gate tells which teachers it trusts
 * for this picture. */
#include <stdio.h>
#include <stdlib.h>

#include <mopd/mopd.h>

static mopd_status print_best(const char *title, const mopd_bank *bank, const float *feature)
{
    mopd_match match[3];
    size_t n = mopd_bank_n_classes(bank), top = n < 3 ? n : 3;
    mopd_status st = mopd_bank_top(bank, feature, 1, top, match);
    if (st != MOPD_OK) return st;
    printf("%s\n", title);
    for (size_t i = 0; i < top; i++)
        printf("  %5.1f %%  %s\n", 100.0 * (double)match[i].probability,
            mopd_bank_class_name(bank, match[i].index));
    return MOPD_OK;
}

/* The hand-written prompts that the gate would have learned from here. */
static mopd_status print_teachers(const mopd_prompt *prompt, const float *feature)
{
    mopd_gate *gate = NULL;
    mopd_status st = mopd_gate_create(&gate, prompt);
    if (st == MOPD_E_STATE) return MOPD_OK; /* a method without a gate */
    if (st != MOPD_OK) return st;
    size_t k = mopd_gate_top_k(gate);
    uint32_t *index = calloc(k, sizeof *index);
    float *weight = calloc(k, sizeof *weight);
    st = index && weight ? mopd_gate_select(gate, feature, 1, index, weight) : MOPD_E_NOMEM;
    for (size_t i = 0; st == MOPD_OK && i < k; i++)
        printf("teacher %.2f  %s\n", (double)weight[i], mopd_prompt_template(prompt, index[i]));
    free(weight);
    free(index);
    mopd_gate_free(gate);
    return st;
}

int main(int argc, char **argv)
{
    if (argc < 4) return fprintf(stderr, "usage: %s PROMPT PICTURE CLASS...\n", argv[0]), 2;
    const char *const *classes = (const char *const *)argv + 3;
    size_t n = (size_t)argc - 3;
    mopd_encoder *encoder = NULL;
    mopd_prompt *prompt = NULL;
    mopd_bank *learned = NULL, *written = NULL;
    mopd_image *image = NULL;
    float feature[4096]; /* D floats; models have 192 to 1280 */

    mopd_status st = mopd_encoder_open(&encoder, NULL, NULL);
    if (st == MOPD_OK)
        st = mopd_prompt_open(&prompt, argv[1], encoder); /* MISMATCH if made with another model */
    if (st ==
        MOPD_OK) /* classes that it was not trained on go half-way back to the words that it started from */
        st = mopd_bank_create_prompt_unseen(&learned, encoder, classes, n, prompt, 0.5f);
    if (st == MOPD_OK) st = mopd_bank_create(&written, encoder, classes, n, NULL, 0);
    if (st == MOPD_OK) st = mopd_image_open(&image, argv[2], NULL);
    if (st == MOPD_OK)
        st = mopd_encoder_encode_images(encoder, (const mopd_image *const *)&image, 1, feature);
    if (st == MOPD_OK) st = print_best("learned prompt", learned, feature);
    if (st == MOPD_OK) st = print_best("a photo of a {}.", written, feature);
    if (st == MOPD_OK) st = print_teachers(prompt, feature);
    if (st != MOPD_OK) fprintf(stderr, "%s\n", mopd_last_error());

    mopd_image_close(image);
    mopd_bank_free(written);
    mopd_bank_free(learned);
    mopd_prompt_close(prompt);
    mopd_encoder_close(encoder);
    return st == MOPD_OK ? 0 : 1;
}
