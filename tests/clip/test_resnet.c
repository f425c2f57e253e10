/* SPDX-License-Identifier: MIT
 * test_resnet.c - the ResNet tower and its pool against the plainest program, and what must not change its bits. */
#include "test.h"

#include "support/plain.h"
#include "support/vision.h"

/* A map [side x side x channels]. */
typedef struct map {
    double *x;
    size_t side, channels;
} map;

static map make_map(size_t side, size_t channels)
{
    return (map){plain_make(side * side * channels), side, channels};
}

static void scale_and_shift(map *m, const mo_weights *w, const char *norm)
{
    double *gamma = plain_get(w, norm, ".weight"), *beta = plain_get(w, norm, ".bias"),
           *mean = plain_get(w, norm, ".running_mean"), *var = plain_get(w, norm, ".running_var");
    for (size_t i = 0; i < m->side * m->side * m->channels; i++) {
        const size_t o = i % m->channels;
        m->x[i] = (m->x[i] - mean[o]) / sqrt(var[o] + 1e-5) * gamma[o] + beta[o];
    }
    free(gamma), free(beta), free(mean), free(var);
}

/* in's convolution with a weight and the batch norm behind it; size: channels out, kernel, stride. */
static map convolve(
    const map *in, const mo_weights *w, const char *conv, const char *norm, const size_t size[3])
{
    const size_t k = size[1], stride = size[2], pad = k / 2;
    map out = make_map(in->side / stride, size[0]);
    double *f = plain_get(w, conv, ".weight");
    for (size_t i = 0; i < out.side * out.side * out.channels; i++) {
        const size_t o = i % out.channels, y = i / out.channels / out.side, x = i / out.channels % out.side;
        for (size_t a = 0; a < k * k; a++) {
            const size_t row = y * stride + a / k - pad, col = x * stride + a % k - pad; /* wrap when < 0 */
            if (row >= in->side || col >= in->side) continue;
            for (size_t c = 0; c < in->channels; c++)
                out.x[i] +=
                    f[(o * in->channels + c) * k * k + a] * in->x[(row * in->side + col) * in->channels + c];
        }
    }
    free(f);
    scale_and_shift(&out, w, norm);
    return out;
}

static void rectify(map *m)
{
    for (size_t i = 0; i < m->side * m->side * m->channels; i++) m->x[i] = plain_act(m->x[i], MO_ACT_RELU);
}

/* m becomes its convolution, rectified. */
static void step(map *m, const mo_weights *w, const char *conv, const char *norm, const size_t size[3])
{
    map out = convolve(m, w, conv, norm, size);
    rectify(&out);
    free(m->x);
    *m = out;
}

static map halved(const map *m)
{
    map out = make_map(m->side / 2, m->channels);
    for (size_t i = 0; i < out.side * out.side * out.channels; i++) {
        const size_t c = i % out.channels, y = i / out.channels / out.side, x = i / out.channels % out.side;
        for (size_t a = 0; a < 4; a++)
            out.x[i] += m->x[((2 * y + a / 2) * m->side + 2 * x + a % 2) * m->channels + c] / 4;
    }
    return out;
}

static void halve(map *m)
{
    map out = halved(m);
    free(m->x);
    *m = out;
}

static map copy_of(const map *m)
{
    map out = make_map(m->side, m->channels);
    memcpy(out.x, m->x, m->side * m->side * m->channels * sizeof *m->x);
    return out;
}

/* What goes around a bottleneck. */
static map around_of(
    const map *m, const mo_weights *w, const char *prefix, size_t inner, bool first, bool shrinks)
{
    char conv[80], norm[80];
    if (!first) return copy_of(m);
    map in = shrinks ? halved(m) : copy_of(m);
    snprintf(conv, sizeof conv, "%sdownsample.0", prefix),
        snprintf(norm, sizeof norm, "%sdownsample.1", prefix);
    map out = convolve(&in, w, conv, norm, (size_t[]){4 * inner, 1, 1});
    free(in.x);
    return out;
}

static void bottleneck(map *m, const mo_weights *w, size_t stage, size_t i, size_t inner)
{
    char prefix[40], conv[80], norm[80];
    snprintf(prefix, sizeof prefix, "resnet.layer%zu.%zu.", stage + 1, i);
    map around = around_of(m, w, prefix, inner, i == 0, stage > 0);
#define NAMES(n)                                                                                             \
    (snprintf(conv, sizeof conv, "%sconv" n, prefix), snprintf(norm, sizeof norm, "%sbn" n, prefix))
    NAMES("1");
    step(m, w, conv, norm, (size_t[]){inner, 1, 1});
    NAMES("2");
    step(m, w, conv, norm, (size_t[]){inner, 3, 1});
    if (i == 0 && stage > 0) halve(m);
    NAMES("3");
#undef NAMES
    map out = convolve(m, w, conv, norm, (size_t[]){4 * inner, 1, 1});
    for (size_t k = 0; k < out.side * out.side * out.channels; k++) out.x[k] += around.x[k];
    rectify(&out);
    free(around.x);
    free(m->x);
    *m = out;
}

/* feature [D]: one query, the mean, over itself and all positions. */
static void plain_pool(double *feature, const mo_config *c, const mo_weights *w, const map *m)
{
    const size_t e = m->channels, n = m->side * m->side + 1, heads = c->resnet.heads, d = e / heads;
    double *t = plain_make(n * e), *q = plain_make(e), *k = plain_make(n * e), *v = plain_make(n * e),
           *mixed = plain_make(e), *pos = plain_get(w, "resnet.attnpool.positional_embedding", ""),
           *p = plain_make(n);
    for (size_t i = 0; i < (n - 1) * e; i++) t[e + i] = m->x[i], t[i % e] += m->x[i] / (double)(n - 1);
    for (size_t i = 0; i < n * e; i++) t[i] += pos[i];
    plain_linear(q, t, w, "resnet.attnpool.q_proj", true, (size_t[]){1, e, e});
    plain_linear(k, t, w, "resnet.attnpool.k_proj", true, (size_t[]){n, e, e});
    plain_linear(v, t, w, "resnet.attnpool.v_proj", true, (size_t[]){n, e, e});
    for (size_t h = 0; h < heads; h++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            double s = 0;
            for (size_t a = h * d; a < (h + 1) * d; a++) s += q[a] * k[i * e + a];
            sum += p[i] = exp(s / sqrt((double)d));
        }
        for (size_t i = 0; i < n; i++)
            for (size_t a = h * d; a < (h + 1) * d; a++) mixed[a] += p[i] / sum * v[i * e + a];
    }
    plain_linear(feature, mixed, w, "resnet.attnpool.c_proj", true, (size_t[]){1, c->dim, e});
    free(t), free(q), free(k), free(v), free(mixed), free(pos), free(p);
}

static void plain_resnet(double *feature, const mo_config *c, const mo_weights *w, const float *picture)
{
    const mo_resnet_config *r = &c->resnet;
    map m = make_map(c->image, 3);
    for (size_t i = 0; i < m.side * m.side * 3; i++)
        m.x[i] = (double)picture[i % 3 * m.side * m.side + i / 3];
    step(&m, w, "resnet.conv1", "resnet.bn1", (size_t[]){r->width / 2, 3, 2});
    step(&m, w, "resnet.conv2", "resnet.bn2", (size_t[]){r->width / 2, 3, 1});
    step(&m, w, "resnet.conv3", "resnet.bn3", (size_t[]){r->width, 3, 1});
    halve(&m);
    for (size_t s = 0; s < MO_RESNET_STAGES; s++)
        for (size_t i = 0; i < r->layers[s]; i++) bottleneck(&m, w, s, i, (size_t)r->width << s);
    plain_pool(feature, c, w, &m);
    free(m.x);
}

/* Four positions and one, heads of 16 and more, channels beside a panel. */
static mo_config config_of(int i)
{
    mo_config c = tower_resnet_config();
    if (i == 1) {
        c.image = 32;
        c.resnet = (mo_resnet_config){.width = 10, .layers = {1, 2, 1, 2}, .heads = 20, .eps = 1e-5};
        mo_pixels_openai(&c.pixels, c.image);
    }
    assert_ok(mo_config_check(&c, "shape"));
    return c;
}
enum { N_SHAPES = 2 };

static void resnet_equals_the_plain_program(void **state)
{
    (void)state;
    for (int i = 0; i < N_SHAPES; i++) {
        const mo_config c = config_of(i);
        vision_equals_plain(&c, 40 + (uint32_t)i, 1e-5, plain_resnet);
    }
}

static void resnet_bits_do_not_depend_on_company(void **state)
{
    (void)state;
    for (int i = 0; i < N_SHAPES; i++) {
        const mo_config c = config_of(i);
        vision_bits_hold(&c, 50 + (uint32_t)i);
    }
}

static void resnet_survives_failing_memory(void **state)
{
    (void)state;
    const mo_config c = config_of(1);
    vision_survives_failing_memory(&c);
}

static void quantized_features_are_near(void **state)
{
    (void)state;
    const mo_config c = config_of(0);
    vision_quantized_is_near(&c, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resnet_equals_the_plain_program),
        cmocka_unit_test(resnet_bits_do_not_depend_on_company),
        cmocka_unit_test(resnet_survives_failing_memory),
        cmocka_unit_test(quantized_features_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
