/* SPDX-License-Identifier: MIT
 * doctor_looks.c - picture files that are tiny or blurred.  Blurred is what is far less sharp than the pictures of its class
 * (sky and water are never sharp), where the class has enough of them to say what is usual, and else than all. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

#define DEVIATIONS 5.0    /* below the median, of the normal deviation that the median deviation stands for */
#define LEAST_SPREAD 0.03 /* pictures that are all alike say nothing of the next one */

enum { TINY = 32, ENOUGH = 8 };

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median_of(double *x, size_t n)
{
    qsort(x, n, sizeof *x, ascending);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

/* The sharpness below which one of these n is blurred; x is changed. */
static double limit_of(double *x, size_t n)
{
    if (!n) return 0;
    const double middle = median_of(x, n);
    for (size_t i = 0; i < n; i++) x[i] = fabs(x[i] - middle);
    return middle - DEVIATIONS * fmax(1.4826 * median_of(x, n), LEAST_SPREAD);
}

/* label -1: of all classes. */
static double limit_among(const doctor *d, int32_t label, size_t *n)
{
    double *x = cli_alloc(d->n, sizeof *x);
    *n = 0;
    for (size_t i = 0; i < d->n; i++)
        if (d->look[i].width && (label < 0 || d->label[i] == label)) x[(*n)++] = d->look[i].sharpness;
    const double limit = limit_of(x, *n);
    free(x);
    return limit;
}

static void find_blurred(doctor *d)
{
    size_t n;
    const double of_all = limit_among(d, -1, &n);
    double *limit = cli_alloc(d->n_classes, sizeof *limit);
    for (size_t c = 0; c < d->n_classes; c++) {
        limit[c] = limit_among(d, (int32_t)c, &n);
        if (n < ENOUGH) limit[c] = of_all;
    }
    for (size_t i = 0; i < d->n; i++) {
        doctor_look *look = d->look + i;
        look->blurred = look->width && !look->tiny && look->sharpness < limit[d->label[i]];
        d->n_blurred += look->blurred;
    }
    free(limit);
}

static void look_at(doctor *d, size_t i)
{
    mopd_image *image = NULL;
    doctor_look look = {0};
    if (cli_open_item(&image, &d->common, d->all, i) != MOPD_OK) return;
    if (mopd_image_sharpness(image, &look.sharpness) == MOPD_OK &&
        mopd_image_signature(image, d->signature + i * MOPD_IMAGE_SIGNATURE) == MOPD_OK) {
        look.width = mopd_image_width(image);
        look.height = mopd_image_height(image);
        look.tiny = look.width < TINY || look.height < TINY;
        d->n_tiny += look.tiny;
        d->n_looked++;
        d->look[i] = look;
    }
    mopd_image_close(image);
}

int doctor_looks(doctor *d)
{
    cli_progress progress;
    d->look = cli_alloc(d->n, sizeof *d->look);
    d->signature = cli_alloc(d->n, MOPD_IMAGE_SIGNATURE * sizeof *d->signature);
    cli_progress_start(&progress, &d->common, "look", d->n);
    for (size_t i = 0; i < d->n && !cli_interrupted(); i++) {
        look_at(d, i);
        cli_progress_update(&progress, i + 1);
    }
    cli_progress_end(&progress);
    if (cli_interrupted()) return EXIT_INTERRUPTED;
    if (d->n_looked) find_blurred(d);
    return -1;
}
