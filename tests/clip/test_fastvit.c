/* SPDX-License-Identifier: MIT
 * test_fastvit.c - the FastViT tower against the plainest program, which keeps all branches apart, and what must not
 * change its bits. */
#include "test.h"

#include "support/plain.h"
#include "support/vision.h"

/* A map [side x side x channels]. */
typedef struct map {
    double *x;
    size_t side, channels;
} map;

typedef struct tower {
    const mo_config *c;
    const mo_weights *w;
    char prefix[64]; /* of the names at work */
} tower;

static const char *at(const tower *t, const char *name)
{
    static char full[2][160];
    static int turn;
    turn = !turn;
    snprintf(full[turn], sizeof full[turn], "fastvit.%s%s", t->prefix, name);
    return full[turn];
}

static size_t numbers(const map *m)
{
    return m->side * m->side * m->channels;
}

static map make_map(size_t side, size_t channels)
{
    return (map){plain_make(side * side * channels), side, channels};
}

static map copy_of(const map *m)
{
    map out = make_map(m->side, m->channels);
    memcpy(out.x, m->x, numbers(m) * sizeof *m->x);
    return out;
}

static void become(map *m, map other)
{
    free(m->x);
    *m = other;
}

/* m += times other, which is freed. */
static void add(map *m, map other, double times)
{
    assert_int_equal(numbers(m), numbers(&other));
    for (size_t i = 0; i < numbers(m); i++) m->x[i] += times * other.x[i];
    free(other.x);
}

static void gelu(map *m)
{
    for (size_t i = 0; i < numbers(m); i++) m->x[i] = plain_act(m->x[i], MO_ACT_GELU);
}

/* The convolution of k x k at `stride`; size: channels out, k, stride.  As many inputs as the weights have. */
static map convolve(const tower *t, const map *in, const char *name, const size_t size[3])
{
    const size_t n = size[0], k = size[1], pad = k / 2;
    const mo_weight *p;
    assert_ok(mo_weights_get(t->w, at(t, name), &p));
    const size_t per = p->view.n / n / k / k, group = n / (in->channels / per);
    double *f = plain_get(t->w, at(t, name), "");
    map out = make_map((in->side + size[2] - 1) / size[2], n);
    for (size_t i = 0; i < numbers(&out); i++) {
        const size_t o = i % n, y = i / n / out.side, x = i / n % out.side;
        for (size_t a = 0; a < k * k; a++) {
            const size_t row = y * size[2] + a / k - pad, col = x * size[2] + a % k - pad; /* wrap when < 0 */
            if (row >= in->side || col >= in->side) continue;
            const double *px = in->x + (row * in->side + col) * in->channels + o / group * per;
            for (size_t c = 0; c < per; c++) out.x[i] += f[(o * per + c) * k * k + a] * px[c];
        }
    }
    free(f);
    return out;
}

static map normed(const tower *t, const map *in, const char *name)
{
    map m = copy_of(in);
    double *gamma = plain_get(t->w, at(t, name), ".weight"), *beta = plain_get(t->w, at(t, name), ".bias"),
           *mean = plain_get(t->w, at(t, name), ".running_mean"),
           *var = plain_get(t->w, at(t, name), ".running_var");
    for (size_t i = 0; i < numbers(&m); i++) {
        const size_t o = i % m.channels;
        m.x[i] = (m.x[i] - mean[o]) / sqrt(var[o] + 1e-5) * gamma[o] + beta[o];
    }
    free(gamma), free(beta), free(mean), free(var);
    return m;
}

/* A convolution and its norm. */
static map branch(const tower *t, const map *in, const char *name, const size_t size[3])
{
    char part[64];
    snprintf(part, sizeof part, "%s.conv.weight", name);
    map m = convolve(t, in, part, size);
    snprintf(part, sizeof part, "%s.bn", name);
    become(&m, normed(t, &m, part));
    return m;
}

/* A layer with a bias: of k x k. */
static map layer(const tower *t, const map *in, const char *name, const size_t size[3])
{
    char part[64];
    snprintf(part, sizeof part, "%s.weight", name);
    map m = convolve(t, in, part, size);
    double *bias = plain_get(t->w, at(t, name), ".bias");
    for (size_t i = 0; i < numbers(&m); i++) m.x[i] += bias[i % m.channels];
    free(bias);
    return m;
}

static void times_gamma(const tower *t, map *m, const char *name)
{
    double *gamma = plain_get(t->w, at(t, name), ".gamma");
    for (size_t i = 0; i < numbers(m); i++) m->x[i] *= gamma[i % m->channels];
    free(gamma);
}

/* The mean of each channel, as a map of one position. */
static map mean_of(const map *m)
{
    map out = make_map(1, m->channels);
    for (size_t i = 0; i < numbers(m); i++) out.x[i % m->channels] += m->x[i] / (double)(m->side * m->side);
    return out;
}

static void squeeze(const tower *t, map *m, const char *name, size_t reduced)
{
    char part[64];
    map gate = mean_of(m);
    snprintf(part, sizeof part, "%s.fc1", name);
    become(&gate, layer(t, &gate, part, (size_t[]){reduced, 1, 1}));
    for (size_t i = 0; i < reduced; i++) gate.x[i] = plain_act(gate.x[i], MO_ACT_RELU);
    snprintf(part, sizeof part, "%s.fc2", name);
    become(&gate, layer(t, &gate, part, (size_t[]){m->channels, 1, 1}));
    for (size_t i = 0; i < numbers(m); i++) m->x[i] /= 1 + exp(-gate.x[i % m->channels]);
    free(gate.x);
}

static void plain_stem(tower *t, map *m)
{
    const size_t n = t->c->fastvit.width[0];
    const bool scales = t->c->fastvit.form == MO_FASTVIT_SMALL;
    snprintf(t->prefix, sizeof t->prefix, "stem.");
    map sum = branch(t, m, "0.conv_kxk.0", (size_t[]){n, 3, 2});
    if (scales) add(&sum, branch(t, m, "0.conv_scale", (size_t[]){n, 1, 2}), 1);
    gelu(&sum);
    become(m, sum);
    sum = branch(t, m, "1.conv_kxk.0", (size_t[]){n, 3, 2});
    if (scales) add(&sum, branch(t, m, "1.conv_scale", (size_t[]){n, 1, 2}), 1);
    gelu(&sum);
    become(m, sum);
    sum = branch(t, m, "2.conv_kxk.0", (size_t[]){n, 1, 1});
    add(&sum, normed(t, m, "2.identity"), 1);
    gelu(&sum);
    become(m, sum);
}

static void plain_shrink(tower *t, map *m, size_t s)
{
    const size_t n = t->c->fastvit.width[s];
    snprintf(t->prefix, sizeof t->prefix, "stages.%zu.downsample.proj.", s);
    map sum = branch(t, m, "0.large_conv", (size_t[]){n, 7, 2});
    add(&sum, branch(t, m, "0.small_conv", (size_t[]){n, 3, 2}), 1);
    if (s >= 2 && t->c->fastvit.form == MO_FASTVIT_SMALL) squeeze(t, &sum, "0.se", 8);
    gelu(&sum);
    become(m, sum);
    sum = branch(t, m, "1.conv_kxk.0", (size_t[]){n, 1, 1});
    add(&sum, normed(t, m, "1.identity"), 1);
    gelu(&sum);
    become(m, sum);
}

static void plain_mixer(const tower *t, map *m)
{
    const size_t n = m->channels;
    map sum = branch(t, m, "token_mixer.mixer.conv_kxk.0", (size_t[]){n, 3, 1});
    add(&sum, branch(t, m, "token_mixer.mixer.conv_scale", (size_t[]){n, 1, 1}), 1);
    add(&sum, normed(t, m, "token_mixer.mixer.identity"), 1);
    add(&sum, normed(t, m, "token_mixer.norm.identity"), -1);
    times_gamma(t, &sum, "token_mixer.layer_scale");
    add(m, sum, 1);
}

static void plain_attend(const tower *t, map *m)
{
    const size_t n = m->channels, rows = m->side * m->side;
    const mo_stack_config stack = {.width = (uint32_t)n, .heads = (uint32_t)(n / 32)};
    map norm = make_map(m->side, n), q = make_map(m->side, n), k = make_map(m->side, n),
        v = make_map(m->side, n);
    if (t->c->fastvit.form == MO_FASTVIT_LARGE)
        plain_norm(norm.x, m->x, t->w, at(t, "norm"), 1e-5, (size_t[]){rows, n});
    else
        become(&norm, normed(t, m, "norm"));
    double *w = plain_get(t->w, at(t, "token_mixer.qkv"), ".weight");
    plain_product(q.x, norm.x, w, NULL, (size_t[]){rows, n, n});
    plain_product(k.x, norm.x, w + n * n, NULL, (size_t[]){rows, n, n});
    plain_product(v.x, norm.x, w + 2 * n * n, NULL, (size_t[]){rows, n, n});
    plain_attention(norm.x, (const double *const[]){q.x, k.x, v.x}, rows, &stack, false);
    map out = layer(t, &norm, "token_mixer.proj", (size_t[]){n, 1, 1});
    times_gamma(t, &out, "layer_scale_1");
    add(m, out, 1);
    free(w), free(norm.x), free(q.x), free(k.x), free(v.x);
}

static void plain_stage_block(tower *t, map *m, size_t s, size_t i)
{
    const size_t n = m->channels;
    snprintf(t->prefix, sizeof t->prefix, "stages.%zu.blocks.%zu.", s, i);
    if (s < 3)
        plain_mixer(t, m);
    else
        plain_attend(t, m);
    map mlp = branch(t, m, "mlp.conv", (size_t[]){n, 7, 1});
    become(&mlp, layer(t, &mlp, "mlp.fc1", (size_t[]){n * t->c->fastvit.ratio, 1, 1}));
    gelu(&mlp);
    become(&mlp, layer(t, &mlp, "mlp.fc2", (size_t[]){n, 1, 1}));
    times_gamma(t, &mlp, s < 3 ? "layer_scale" : "layer_scale_2");
    add(m, mlp, 1);
}

static void plain_stage(tower *t, map *m, size_t s)
{
    if (s) plain_shrink(t, m, s);
    snprintf(t->prefix, sizeof t->prefix, "stages.%zu.", s);
    if (s >= 3) add(m, layer(t, m, "pos_emb.pos_enc", (size_t[]){m->channels, 7, 1}), 1);
    for (size_t i = 0; i < t->c->fastvit.layers[s]; i++) plain_stage_block(t, m, s, i);
}

static void plain_fastvit(double *feature, const mo_config *c, const mo_weights *w, const float *picture)
{
    tower t = {.c = c, .w = w};
    map m = make_map(c->image, 3);
    for (size_t i = 0; i < numbers(&m); i++) m.x[i] = (double)picture[i % 3 * m.side * m.side + i / 3];
    plain_stem(&t, &m);
    for (size_t s = 0; s < c->fastvit.n_stages; s++) plain_stage(&t, &m, s);
    *t.prefix = '\0';
    const size_t n = 2 * m.channels;
    map sum = branch(&t, &m, "final_conv.conv_kxk.0", (size_t[]){n, 3, 1});
    add(&sum, branch(&t, &m, "final_conv.conv_scale", (size_t[]){n, 1, 1}), 1);
    squeeze(&t, &sum, "final_conv.se", n / 16);
    gelu(&sum);
    become(&m, mean_of(&sum));
    free(sum.x);
    plain_linear(feature, m.x, w, "fastvit.head.fc", true, (size_t[]){1, c->dim, n});
    free(m.x);
}

static void fastvit_equals_the_plain_program(void **state)
{
    (void)state;
    for (uint32_t form = 0; form < MO_FASTVIT_FORMS; form++) {
        const mo_config c = tower_fastvit_config(form);
        assert_ok(mo_config_check(&c, "shape"));
        vision_equals_plain(&c, 40 + form, 2e-5, plain_fastvit);
    }
}

static void fastvit_bits_do_not_depend_on_company(void **state)
{
    (void)state;
    for (uint32_t form = 0; form < MO_FASTVIT_FORMS; form++) {
        const mo_config c = tower_fastvit_config(form);
        vision_bits_hold(&c, 50 + form);
    }
}

static void fastvit_survives_failing_memory(void **state)
{
    (void)state;
    mo_config c = tower_fastvit_config(MO_FASTVIT_LARGE);
    c.image = 16;
    c.fastvit.layers[1] = 1;
    mo_pixels_openai(&c.pixels, c.image);
    vision_survives_failing_memory(&c);
}

static void quantized_features_are_near(void **state)
{
    (void)state;
    const mo_config c = tower_fastvit_config(MO_FASTVIT_SMALL);
    vision_quantized_is_near(&c, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fastvit_equals_the_plain_program),
        cmocka_unit_test(fastvit_bits_do_not_depend_on_company),
        cmocka_unit_test(fastvit_survives_failing_memory),
        cmocka_unit_test(quantized_features_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
