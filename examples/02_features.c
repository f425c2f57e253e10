/* SPDX-License-Identifier: MIT
 * 02_features.c - the second lesson: pictures as vectors, and which are alike.
 *
 *     02_features wanted.jpg one.jpg two.jpg three.png ...
 *
 * A feature is D floats of length 1; the dot product of two is their cosine.  mopd_encoder_encode_files
 * decodes and encodes side by side and hands over one feature at a time, in order: a million files need no
 * more memory than ten. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mopd/mopd.h>

typedef struct gallery {
    size_t dim;
    float *feature;   /* n x dim */
    double *likeness; /* n, to picture 0 */
    char **path;
} gallery;

/* Called once a file.  A picture that cannot be read is no reason to stop: it is reported and gets the worst place. */
static int keep(void *context, size_t index, mopd_status status, const char *message, const float *feature)
{
    gallery *g = context;
    float *mine = g->feature + index * g->dim;
    g->likeness[index] = -2;
    if (status != MOPD_OK) {
        fprintf(stderr, "%s\n", message);
        return index == 0; /* without the wanted picture there is nothing to compare */
    }
    memcpy(mine, feature, g->dim * sizeof *mine);
    double cosine = 0;
    for (size_t d = 0; d < g->dim; d++) cosine += (double)mine[d] * (double)g->feature[d];
    g->likeness[index] = cosine;
    return 0;
}

static void print_nearest(const gallery *g, size_t n, size_t how_many)
{
    for (size_t k = 0; k < how_many; k++) {
        size_t best = 0;
        for (size_t i = 1; i < n; i++) {
            if (g->likeness[i] > g->likeness[best] || best == 0) best = i;
        }
        if (best == 0 || g->likeness[best] < -1) return;
        printf("%.3f  %s\n", g->likeness[best], g->path[best]);
        g->likeness[best] = -3;
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) return fprintf(stderr, "usage: %s WANTED PICTURE...\n", argv[0]), 2;
    size_t n = (size_t)argc - 1;
    mopd_encoder *encoder = NULL;
    mopd_encoder_info info = {.struct_size = sizeof info};
    mopd_status st = mopd_encoder_open(&encoder, NULL, NULL);
    if (st == MOPD_OK) st = mopd_encoder_get_info(encoder, &info);

    gallery g = {info.dim, calloc(n * info.dim + 1, sizeof(float)), calloc(n, sizeof(double)), argv + 1};
    if (st == MOPD_OK && g.feature && g.likeness)
        st = mopd_encoder_encode_files(encoder, (const char *const *)g.path, n, keep, &g);
    if (st == MOPD_OK)
        print_nearest(&g, n, 5);
    else
        fprintf(stderr, "%s\n", mopd_last_error());

    free(g.feature);
    free(g.likeness);
    mopd_encoder_close(encoder);
    return st == MOPD_OK ? 0 : 1;
}
