/* SPDX-License-Identifier: MIT
 * 01_classify.c - the first lesson: what does a picture show?
 *
 *     01_classify photo.jpg cat dog "cup of coffee"
 *
 * A CLIP model puts pictures and texts into one space.  A bank turns each class name into a point there; the
 * picture belongs to the class whose point is nearest.  No class was trained for: any words will do. */
#include <stdio.h>

#include <mopd/mopd.h>

int main(int argc, char **argv)
{
    if (argc < 3) return fprintf(stderr, "usage: %s PICTURE CLASS...\n", argv[0]), 2;
    const char *const *classes = (const char *const *)argv + 2;
    size_t n_classes = (size_t)argc - 2, top = n_classes < 3 ? n_classes : 3;
    mopd_encoder *encoder = NULL;
    mopd_bank *bank = NULL;
    mopd_image *image = NULL;
    float feature[4096]; /* D floats; models have 192 to 1280 */
    mopd_match match[3];

    /* Every call returns a status; the sentence about the first that failed is mopd_last_error(). */
    mopd_status st = mopd_encoder_open(&encoder, NULL, NULL); /* NULL: the built-in model, default options */
    if (st == MOPD_OK) st = mopd_bank_create(&bank, encoder, classes, n_classes, NULL, 0);
    if (st == MOPD_OK) st = mopd_image_open(&image, argv[1], NULL);
    if (st == MOPD_OK)
        st = mopd_encoder_encode_images(encoder, (const mopd_image *const *)&image, 1, feature);
    if (st == MOPD_OK) st = mopd_bank_top(bank, feature, 1, top, match);
    for (size_t i = 0; st == MOPD_OK && i < top; i++)
        printf("%5.1f %%  %s\n", 100.0 * (double)match[i].probability,
            mopd_bank_class_name(bank, match[i].index));
    if (st != MOPD_OK) fprintf(stderr, "%s\n", mopd_last_error());

    mopd_image_close(image); /* free and close take NULL: one exit for all paths */
    mopd_bank_free(bank);
    mopd_encoder_close(encoder);
    return st == MOPD_OK ? 0 : 1;
}
