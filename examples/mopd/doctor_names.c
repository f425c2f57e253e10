/* SPDX-License-Identifier: MIT
 * doctor_names.c - classes whose names say nearly the same: to the model, whose texts hardly differ, or to the eye, when
 * only case, blanks, hyphens or a plural do. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

/* A picture just like one name is told from the other with this probability at most. */
#define HARDLY_TOLD 0.6

/* Letters and digits of a name, in lower case and without the s of a plural, to be freed. */
static char *bare(const char *name)
{
    char *text = cli_strdup(name), *to = text;
    for (const char *s = name; *s; s++)
        if ((unsigned char)*s >= 128 || isalnum((unsigned char)*s)) *to++ = (char)tolower((unsigned char)*s);
    if (to - text > 3 && to[-1] == 's' && to[-2] != 's') to--;
    *to = 0;
    return text;
}

static double cosine_of(const mopd_bank *bank, size_t a, size_t b)
{
    const size_t dim = mopd_bank_dim(bank);
    const float *x = mopd_bank_features(bank) + a * dim, *y = mopd_bank_features(bank) + b * dim;
    double sum = 0;
    for (size_t k = 0; k < dim; k++) sum += (double)x[k] * (double)y[k];
    return sum;
}

/* The cosine above which the text classifier hardly tells two names apart: softmax of scale x (1, cosine). */
static double limit_of(const mopd_encoder *encoder)
{
    mopd_encoder_info info = {.struct_size = sizeof info};
    if (mopd_encoder_get_info(encoder, &info) != MOPD_OK || !(info.logit_scale > 0)) return 2;
    return 1 - log(HARDLY_TOLD / (1 - HARDLY_TOLD)) / (double)info.logit_scale;
}

static void compare(doctor *d, const mopd_bank *bank)
{
    const double limit = limit_of(d->encoder);
    char **name = cli_alloc(d->n_classes, sizeof *name);
    for (size_t c = 0; c < d->n_classes; c++) name[c] = bare(mopd_bank_class_name(bank, c));
    for (size_t a = 0; a < d->n_classes; a++)
        for (size_t b = a + 1; b < d->n_classes; b++) {
            const double cosine = cosine_of(bank, a, b);
            if (cosine < limit && (strcmp(name[a], name[b]) != 0 || !*name[a])) continue;
            if (d->n_names == d->n_classes) break; /* names that say nothing: enough is told */
            d->names[d->n_names++] = (doctor_names){a, b, cosine};
        }
    for (size_t c = 0; c < d->n_classes; c++) free(name[c]);
    free(name);
}

int doctor_class_names(doctor *d)
{
    mopd_bank *bank = NULL;
    d->names = cli_alloc(d->n_classes, sizeof *d->names);
    cli_interrupt_ends(true);
    mopd_status st = mopd_bank_create(&bank, d->encoder, mopd_dataset_class_names(d->all), d->n_classes,
        (const char *const *)d->prompts.templates.item, d->prompts.templates.n);
    cli_interrupt_ends(false);
    if (st == MOPD_OK) compare(d, bank);
    mopd_bank_free(bank);
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}
