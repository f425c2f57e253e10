/* SPDX-License-Identifier: MIT
 * test_recognizer_fit.c - Gaussian classes with names for a prior: every formula against its plainest form, and
 * leaving out against fitting again. */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "prompt/blend.h"
#include "prompt/recognizer_inner.h"

enum { D = 7, C = 4, MOST = 140, V = 3 };

#define G 1.7 /* what views differ counts so many times */

typedef struct pictures {
    float x[MOST * D], views[MOST * V * D], text[C * D];
    double z[MOST * D]; /* what stands for each picture: x, or the mean of its views */
    double w[D][D];     /* G times the scatter of views */
    int32_t y[MOST];
    mo_recognizer_data data;
} pictures;

static void unit(float *row)
{
    double s = 0;
    for (int k = 0; k < D; k++) s += (double)row[k] * (double)row[k];
    for (int k = 0; k < D; k++) row[k] = (float)((double)row[k] / sqrt(s));
}

/* count[c] pictures of class c near a centre that its name is not far from. */
static void draw(pictures *p, const int count[C], uint64_t seed)
{
    mo_rng r;
    mo_rng_seed(&r, seed);
    size_t n = 0;
    for (int c = 0; c < C; c++) {
        float centre[D];
        for (int k = 0; k < D; k++) p->text[c * D + k] = (float)mo_rng_normal(&r);
        for (int k = 0; k < D; k++) centre[k] = p->text[c * D + k] + 0.7f * (float)mo_rng_normal(&r);
        unit(p->text + c * D);
        for (int i = 0; i < count[c]; i++, n++) {
            for (int k = 0; k < D; k++) p->x[n * D + (size_t)k] = centre[k] + 0.8f * (float)mo_rng_normal(&r);
            unit(p->x + n * D);
            p->y[n] = c;
        }
    }
    for (size_t i = 0; i < n * D; i++) p->z[i] = (double)p->x[i];
    memset(p->w, 0, sizeof p->w);
    p->data = (mo_recognizer_data){n, C, D, 1, p->x, p->y, p->text, 15};
}

/* The same pictures with views that lie around them, by `far`; the first view is x. */
static void draw_views(pictures *p, float far, uint64_t seed)
{
    mo_rng r;
    mo_rng_seed(&r, seed);
    for (size_t i = 0; i < p->data.n; i++) {
        float *view = p->views + i * V * D;
        for (int v = 0; v < V; v++) {
            for (int k = 0; k < D; k++)
                view[v * D + k] = p->x[i * D + (size_t)k] + (v ? far * (float)mo_rng_normal(&r) : 0);
            if (v && far > 0) unit(view + v * D);
        }
        for (size_t k = 0; k < D; k++) {
            p->z[i * D + k] = 0;
            for (size_t v = 0; v < V; v++) p->z[i * D + k] += (double)view[v * D + k] / V;
        }
        for (size_t v = 0; v < V; v++)
            for (size_t a = 0; a < D; a++)
                for (size_t b = 0; b < D; b++)
                    p->w[a][b] += G / V * ((double)view[v * D + a] - p->z[i * D + a]) *
                                  ((double)view[v * D + b] - p->z[i * D + b]);
    }
    p->data.n_views = V;
    p->data.features = p->views;
}

/* ---- the plainest form ---- */

static void means_of(const pictures *p, double mean[C][D], double count[C], size_t without)
{
    memset(mean, 0, C * sizeof *mean);
    memset(count, 0, C * sizeof *count);
    for (size_t i = 0; i < p->data.n; i++) {
        if (i == without) continue;
        for (int k = 0; k < D; k++) mean[p->y[i]][k] += p->z[i * D + (size_t)k];
        count[p->y[i]]++;
    }
    for (int c = 0; c < C; c++)
        for (int k = 0; k < D && count[c] > 0; k++) mean[c][k] /= count[c];
}

/* m_c of all pictures. */
static double prior_of(const pictures *p, double m[C][D])
{
    double mean[C][D], count[C], g[D] = {0}, tau[D] = {0}, along = 0, square = 0, n = 0;
    means_of(p, mean, count, SIZE_MAX);
    for (int c = 0; c < C; c++) n += count[c] > 0;
    for (int c = 0; c < C; c++)
        for (int k = 0; k < D && count[c] > 0; k++) {
            g[k] += mean[c][k] / n;
            tau[k] += (double)p->text[c * D + k] / n;
        }
    for (int c = 0; c < C; c++)
        for (int k = 0; k < D && count[c] > 0; k++) {
            along += (mean[c][k] - g[k]) * ((double)p->text[c * D + k] - tau[k]);
            square += pow((double)p->text[c * D + k] - tau[k], 2);
        }
    const double s = square > 0 && along > 0 ? along / square : 0;
    for (int c = 0; c < C; c++)
        for (int k = 0; k < D; k++) m[c][k] = g[k] + s * ((double)p->text[c * D + k] - tau[k]);
    return s;
}

/* inverse of a by Gauss and Jordan. */
static void invert(double a[D][D], double inverse[D][D])
{
    for (int i = 0; i < D; i++)
        for (int k = 0; k < D; k++) inverse[i][k] = i == k;
    for (int i = 0; i < D; i++) {
        const double pivot = a[i][i];
        for (int k = 0; k < D; k++) a[i][k] /= pivot, inverse[i][k] /= pivot;
        for (int r = 0; r < D; r++) {
            const double f = a[r][i];
            for (int k = 0; k < D && r != i; k++) a[r][k] -= f * a[i][k], inverse[r][k] -= f * inverse[i][k];
        }
    }
}

/* to -= G times the scatter of a picture's views. */
static void take_views(const pictures *p, size_t i, double to[D][D])
{
    const float *view = p->views + i * V * D;
    for (size_t v = 0; v < V && p->data.n_views > 1; v++)
        for (size_t a = 0; a < D; a++)
            for (size_t b = 0; b < D; b++)
                to[a][b] -= G / V * ((double)view[v * D + a] - p->z[i * D + a]) *
                            ((double)view[v * D + b] - p->z[i * D + b]);
}

/* S of the pictures but one, with the prior as it is. */
static double scatter_of(
    const pictures *p, const double m[C][D], double kappa, size_t without, double s[D][D])
{
    double mean[C][D], count[C], trace = 0;
    means_of(p, mean, count, without);
    memcpy(s, p->w, D * sizeof *s);
    if (without != SIZE_MAX) take_views(p, without, s);
    for (size_t i = 0; i < p->data.n; i++)
        for (int a = 0; a < D && i != without; a++)
            for (int b = 0; b < D; b++)
                s[a][b] += (p->z[i * D + (size_t)a] - mean[p->y[i]][a]) *
                           (p->z[i * D + (size_t)b] - mean[p->y[i]][b]);
    for (int c = 0; c < C; c++)
        for (int a = 0; a < D; a++)
            for (int b = 0; b < D; b++)
                s[a][b] +=
                    count[c] * kappa / (count[c] + kappa) * (mean[c][a] - m[c][a]) * (mean[c][b] - m[c][b]);
    for (int k = 0; k < D; k++) trace += s[k][k];
    return trace;
}

/* Logits of x when picture `without` was never there; prior and shrinking target are those of all. */
static void plain_logits(
    const pictures *p, const mo_recognizer_settings *s, size_t without, const float *x, double logit[C])
{
    double m[C][D], mean[C][D], count[C], scatter[D][D], whole[D][D], inverse[D][D];
    const double n = (double)p->data.n;
    prior_of(p, m);
    const double trace = scatter_of(p, (const double(*)[D])m, s->kappa, SIZE_MAX, whole);
    scatter_of(p, (const double(*)[D])m, s->kappa, without, scatter);
    for (int a = 0; a < D; a++)
        for (int b = 0; b < D; b++) {
            scatter[a][b] *= (1 - s->lambda) / n;
            if (a == b) scatter[a][b] += s->lambda * trace / n / D;
        }
    invert(scatter, inverse);
    means_of(p, mean, count, without);
    for (int c = 0; c < C; c++) {
        double mu[D], cosine = 0, score = 0;
        for (int k = 0; k < D; k++) {
            mu[k] = (count[c] * mean[c][k] + s->kappa * m[c][k]) / (count[c] + s->kappa);
            cosine += (double)x[k] * (double)p->text[c * D + k];
        }
        for (int a = 0; a < D; a++)
            for (int b = 0; b < D; b++) score += ((double)x[a] - mu[a] / 2) * inverse[a][b] * mu[b];
        logit[c] = s->a * p->data.scale * cosine + s->b * score;
    }
}

/* ---- the library's ---- */

static mo_recognizer_sums sums_of(const pictures *p)
{
    mo_recognizer_sums s;
    assert_ok(mo_recognizer_sums_create(&s, &p->data, true, NULL));
    return s;
}

static mo_recognizer_fit fit_of(const pictures *p, const mo_recognizer_settings *settings, mo_pool *pool)
{
    mo_recognizer_fit f;
    mo_recognizer_sums s = sums_of(p);
    assert_ok(mo_recognizer_fit_create(&f, &p->data, &s, settings, pool));
    mo_recognizer_sums_free(&s);
    return f;
}

static void logits_of(const mo_recognizer_fit *f, const float *x, double logit[C])
{
    for (int c = 0; c < C; c++) {
        logit[c] = -f->bias[c];
        for (int k = 0; k < D; k++) logit[c] += f->weight[c * D + k] * (double)x[k];
    }
}

static void near(const double *a, const double *b, size_t n, double most, const char *what)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs(a[i] - b[i]) <= most * (1 + fabs(b[i]))))
            fail_msg("%s %zu: %.17g, not %.17g", what, i, a[i], b[i]);
}

static const int some[C] = {6, 3, 8, 5}, with_an_empty_class[C] = {4, 0, 7, 2};
static const mo_recognizer_settings given = {.kappa = 3, .lambda = 0.4, .a = 0.3, .b = 0.08};

static void logits_are_those_of_the_formula(void **state)
{
    (void)state;
    static pictures p;
    for (uint64_t seed = 0; seed < 6; seed++) {
        draw(&p, seed % 2 ? some : with_an_empty_class, seed);
        mo_recognizer_fit f = fit_of(&p, &given, NULL);
        double m[C][D], got[C], want[C];
        near(&f.shift, (double[]){prior_of(&p, m)}, 1, 1e-12, "shift");
        near(f.prior, &m[0][0], C * D, 1e-12, "prior");
        for (size_t i = 0; i < p.data.n; i++) {
            logits_of(&f, p.x + i * D, got);
            plain_logits(&p, &given, SIZE_MAX, p.x + i * D, want);
            near(got, want, C, 1e-10, "logit");
        }
        mo_recognizer_fit_free(&f);
    }
}

static void leaving_out_equals_fitting_without(void **state)
{
    (void)state;
    static pictures p;
    for (uint64_t seed = 0; seed < 6; seed++) {
        draw(&p, seed % 2 ? some : with_an_empty_class, seed);
        mo_recognizer_sums s = sums_of(&p);
        double *loo, want[C];
        assert_ok(mo_recognizer_fit_leave_out(&loo, NULL, &p.data, &s, &given, NULL));
        for (size_t i = 0; i < p.data.n; i++) {
            plain_logits(&p, &given, i, p.x + i * D, want);
            near(loo + i * C, want, C, 1e-9, "left out");
        }
        mo_mem_free(loo);
        mo_recognizer_sums_free(&s);
    }
}

/* The fit that comes with it is the one of these settings. */
static void leaving_out_gives_the_fit(void **state)
{
    (void)state;
    static pictures p;
    draw(&p, some, 3);
    mo_recognizer_sums s = sums_of(&p);
    mo_recognizer_fit want = fit_of(&p, &given, NULL), got;
    double *loo;
    assert_ok(mo_recognizer_fit_leave_out(&loo, &got, &p.data, &s, &given, NULL));
    assert_memory_equal(&got.settings, &want.settings, sizeof want.settings);
    assert_true(got.shift == want.shift);
    assert_memory_equal(got.weight, want.weight, C * D * sizeof *want.weight);
    assert_memory_equal(got.bias, want.bias, C * sizeof *want.bias);
    assert_memory_equal(got.mean, want.mean, C * D * sizeof *want.mean);
    assert_memory_equal(got.prior, want.prior, C * D * sizeof *want.prior);
    mo_mem_free(loo);
    mo_recognizer_fit_free(&got);
    mo_recognizer_fit_free(&want);
    mo_recognizer_sums_free(&s);
}

/* The sum that the settings are chosen by. */
static double loss_of(const pictures *p, const double *loo, const mo_recognizer_settings *s)
{
    double loss = pow(log(s->a / 0.3), 2) + pow(log(s->b / 0.08), 2);
    for (size_t i = 0; i < p->data.n; i++) {
        double sum = 0;
        for (int c = 0; c < C; c++) sum += exp(loo[i * C + (size_t)c] - loo[i * C + (size_t)p->y[i]]);
        loss += log(sum);
    }
    return loss / (double)p->data.n;
}

static double loss_with(const pictures *p, mo_recognizer_settings s)
{
    mo_recognizer_sums sums = sums_of(p);
    double *loo;
    assert_ok(mo_recognizer_fit_leave_out(&loo, NULL, &p->data, &sums, &s, NULL));
    const double loss = loss_of(p, loo, &s);
    mo_mem_free(loo);
    mo_recognizer_sums_free(&sums);
    return loss;
}

static void the_weights_are_the_best_there_are(void **state)
{
    (void)state;
    static pictures p;
    for (uint64_t seed = 10; seed < 16; seed++) {
        draw(&p, some, seed);
        mo_recognizer_fit f = fit_of(&p, &(mo_recognizer_settings){0}, NULL);
        assert_true(f.settings.kappa == 3 && f.settings.lambda == 0.85); /* less than 100 pictures */
        const double best = loss_with(&p, f.settings);
        for (int k = 0; k < 8; k++) {
            mo_recognizer_settings other = f.settings;
            other.a *= exp((k % 3 - 1) * (k < 4 ? 0.001 : 0.5));
            other.b *= exp((k / 3 - 1) * (k < 4 ? 0.001 : 0.5));
            assert_true(loss_with(&p, other) >= best - 1e-12);
        }
        mo_recognizer_fit_free(&f);
    }
}

/* Every candidate by itself: the one chosen is that of least loss. */
static void many_pictures_choose_among_nine(void **state)
{
    (void)state;
    static pictures p;
    static const double kappas[] = {1, 3, 10}, lambdas[] = {0.25, 0.5, 0.85};
    for (uint64_t seed = 20; seed < 24; seed++) {
        draw(&p, (const int[C]){seed % 2 ? 6 : 40, 40, 25, 30}, seed);
        mo_recognizer_fit f = fit_of(&p, &(mo_recognizer_settings){0}, NULL);
        double best = INFINITY;
        mo_recognizer_settings want = {0};
        for (int i = 0; i < 9; i++) {
            mo_recognizer_fit g =
                fit_of(&p, &(mo_recognizer_settings){kappas[i / 3], lambdas[i % 3], 0, 0, 0}, NULL);
            const double loss = loss_with(&p, g.settings);
            if (loss < best) want = g.settings;
            best = fmin(best, loss);
            mo_recognizer_fit_free(&g);
        }
        near(&f.settings.kappa, &want.kappa, 4, 1e-12, "setting");
        mo_recognizer_fit_free(&f);
    }
}

/* What candidates are compared by first is what they are compared by at last, but for single precision. */
static void scores_in_single_precision_are_near(void **state)
{
    (void)state;
    static pictures p;
    static double exact[MOST * C], rough[MOST * C];
    mo_pool *pool;
    assert_ok(mo_pool_create(&pool, 2));
    for (uint64_t seed = 70; seed < 76; seed++) {
        draw(&p, seed % 3 ? some : with_an_empty_class, seed);
        if (seed % 2) draw_views(&p, 0.3f, seed);
        mo_recognizer_sums s = sums_of(&p);
        mo_recognizer_parts parts;
        mo_recognizer_gauss g;
        mo_recognizer_rough r;
        assert_ok(mo_recognizer_parts_create(&parts, &p.data, &s, seed % 2 ? G : 0, pool));
        assert_ok(mo_recognizer_parts_rows(&parts));
        assert_ok(mo_recognizer_gauss_create(&g, C, D));
        assert_ok(mo_recognizer_rough_create(&r, &parts));
        for (int k = 0; k < 4; k++) {
            assert_ok(mo_recognizer_gauss_fit(&g, &parts, k < 2 ? 1 : 3, k % 2 ? 0.25 : 0.85));
            assert_ok(mo_recognizer_leave_out(exact, &g, &parts));
            assert_ok(mo_recognizer_leave_roughly(rough, &r, &g, &parts));
            near(rough, exact, p.data.n * C, 1e-4, "rough score");
        }
        mo_recognizer_rough_free(&r);
        mo_recognizer_gauss_free(&g);
        mo_recognizer_parts_free(&parts);
        mo_recognizer_sums_free(&s);
    }
    mo_pool_free(pool);
}

/* What is given stays, alone or with others; the rest is the best beside it. */
static void what_is_given_stays(void **state)
{
    (void)state;
    static pictures p;
    for (int counts = 0; counts < 3; counts++)
        for (int mask = 0; mask < 16; mask++) {
            const int most[3] = {1, 5, 30}, n = most[counts];
            draw(&p, (const int[C]){n, n, n, n}, 30);
            const double want[4] = {2, 0.3, 0.7, 0.02};
            double s[4];
            for (int k = 0; k < 4; k++) s[k] = mask >> k & 1 ? want[k] : 0;
            mo_recognizer_fit f = fit_of(&p, &(mo_recognizer_settings){s[0], s[1], s[2], s[3], 0}, NULL);
            const mo_recognizer_settings got = f.settings;
            const double is[4] = {got.kappa, got.lambda, got.a, got.b};
            for (int k = 0; k < 4; k++) assert_true(s[k] > 0 ? is[k] == s[k] : is[k] > 0 && isfinite(is[k]));
            for (int side = -1; side <= 1 && n > 1; side += 2) {
                mo_recognizer_settings other = got;
                if (!(s[2] > 0)) other.a *= exp(0.01 * side);
                if (!(s[3] > 0)) other.b *= exp(0.01 * side);
                assert_true(loss_with(&p, other) >= loss_with(&p, got) - 1e-12);
            }
            mo_recognizer_fit_free(&f);
        }
}

/* One picture of each of many classes, of which the names tell a share. */
enum { MANY = 60, WIDE = 24 };

static void draw_singles(float *x, float *text, int32_t *y, float share)
{
    mo_rng r;
    mo_rng_seed(&r, 7);
    for (int c = 0; c < MANY; c++) {
        float *t = text + c * WIDE, *to = x + c * WIDE, size = 0, length = 0;
        for (int k = 0; k < WIDE; k++) t[k] = (float)mo_rng_normal(&r);
        for (int k = 0; k < WIDE; k++) size += t[k] * t[k];
        for (int k = 0; k < WIDE; k++) t[k] /= sqrtf(size);
        for (int k = 0; k < WIDE; k++) to[k] = share * t[k] + 0.2f * (float)mo_rng_normal(&r);
        for (int k = 0; k < WIDE; k++) length += to[k] * to[k];
        for (int k = 0; k < WIDE; k++) to[k] /= sqrtf(length);
        y[c] = c;
    }
}

/* The weight of least loss for the text alone. */
static double text_weight(const mo_recognizer_data *d)
{
    static double logits[MANY * MANY];
    double weights[2] = {0}, loss;
    for (size_t i = 0; i < d->n; i++)
        for (size_t c = 0; c < d->n_classes; c++) {
            double z = 0;
            for (size_t k = 0; k < d->dim; k++)
                z += d->scale * (double)mo_recognizer_picture(d, i)[k] * (double)d->text[c * d->dim + k];
            logits[i * d->n_classes + c] = z;
        }
    assert_ok(mo_blend_fit(weights, &loss,
        &(mo_blend_rows){.labels = d->labels, .n = d->n, .n_classes = d->n_classes, .text = logits}));
    return weights[0];
}

/* How far the logits by pictures set a picture's own class apart from the mean of the others. */
static double apart(const mo_recognizer_fit *f, const mo_recognizer_data *d)
{
    double sum = 0;
    for (size_t i = 0; i < d->n; i++)
        for (size_t c = 0; c < d->n_classes; c++) {
            double logit = -f->bias[c];
            for (size_t k = 0; k < d->dim; k++)
                logit +=
                    (f->weight[c * d->dim + k] - f->settings.a * d->scale * (double)d->text[c * d->dim + k]) *
                    (double)mo_recognizer_picture(d, i)[k];
            sum += c == (size_t)d->labels[i] ? logit : -logit / (double)(d->n_classes - 1);
        }
    return sum / (double)d->n;
}

/* The share of the text's best weight that is used, and how far pictures set apart. */
static void of_singles(const mo_recognizer_data *d, double *share, double *far)
{
    mo_recognizer_sums s;
    mo_recognizer_fit f;
    assert_ok(mo_recognizer_sums_create(&s, d, d->n_views > 1, NULL));
    assert_ok(mo_recognizer_fit_create(
        &f, d, &s, &(mo_recognizer_settings){.views = d->n_views > 1 ? G : 0}, NULL));
    *share = f.settings.a / text_weight(d);
    *far = apart(&f, d);
    mo_recognizer_sums_free(&s);
    mo_recognizer_fit_free(&f);
}

static void is_near(double x, double want)
{
    if (!(fabs(x / want - 1) < 1e-9)) fail_msg("%.12g, not %.12g", x, want);
}

static void single_pictures_count_little_where_names_tell_much(void **state)
{
    (void)state;
    static float x[MANY * WIDE], text[MANY * WIDE];
    static int32_t y[MANY];
    double share, far;
    draw_singles(x, text, y, 1);
    mo_recognizer_data d = {MANY, MANY, WIDE, 1, x, y, text, 10};
    of_singles(&d, &share, &far);
    is_near(share, 1);
    is_near(far, 5);
    draw_singles(x, text, y, 0.1f); /* names that tell next to nothing */
    of_singles(&d, &share, &far);
    is_near(share, 0.25);
    is_near(far, 15);
    draw_singles(x, text, y, 1); /* too few to tell */
    d.n = d.n_classes = 39;
    of_singles(&d, &share, &far);
    is_near(share, 0.25);
    is_near(far, 8);
}

/* Minus log p of the pictures that are not alone in their class, each left out by fitting without it, and how far the weights
 * are from the usual ones. */
static double loss_of_others(const pictures *p, const mo_recognizer_settings *s, const double usual[2])
{
    double loss = 3 * (pow(log(s->a / usual[0]), 2) + pow(log(s->b / usual[1]), 2));
    for (size_t i = 0; i < p->data.n; i++) {
        double logit[C], sum = 0;
        size_t same = 0;
        for (size_t k = 0; k < p->data.n; k++) same += p->y[k] == p->y[i];
        if (same < 2) continue;
        plain_logits(p, s, i, p->x + i * D, logit);
        for (int c = 0; c < C; c++) sum += exp(logit[c] - logit[p->y[i]]);
        loss += log(sum);
    }
    return loss;
}

static void single_pictures_heed_classes_that_have_more(void **state)
{
    (void)state;
    static pictures p;
    for (uint64_t seed = 60; seed < 64; seed++)
        for (int views = 0; views < 2; views++) {
            draw(&p, (const int[C]){1, seed % 2 ? 5 : 2, 1, seed % 2 ? 1 : 0}, seed);
            p.y[0] = 1; /* so that not all is certain */
            p.y[1] = 0;
            if (views) draw_views(&p, 0.3f, seed);
            const mo_recognizer_settings none = {.views = views ? G : 0},
                                         fixed = {.a = 0.7, .views = none.views};
            mo_recognizer_fit f = fit_of(&p, &none, NULL), g = fit_of(&p, &fixed, NULL);
            assert_true(f.settings.kappa == 1 && g.settings.a == 0.7);
            const double usual[] = {
                0.25 * text_weight(&p.data), fmin(1, 8 * f.settings.b / apart(&f, &p.data))};
            const double best[] = {
                loss_of_others(&p, &f.settings, usual), loss_of_others(&p, &g.settings, usual)};
            const mo_recognizer_settings alone = {1, 0.85, usual[0], usual[1], none.views};
            assert_true(best[0] <= best[1] && best[0] < loss_of_others(&p, &alone, usual));
            for (int k = 0; k < 8; k++) {
                mo_recognizer_settings other = f.settings, beside = g.settings;
                other.a *= exp((k % 3 - 1) * (k < 4 ? 0.001 : 0.5));
                other.b *= exp((k / 3 - 1) * (k < 4 ? 0.001 : 0.5));
                beside.b *= exp((k - 4) * 0.1);
                assert_true(loss_of_others(&p, &other, usual) >= best[0] - 1e-9);
                assert_true(loss_of_others(&p, &beside, usual) >= best[1] - 1e-9);
            }
            mo_recognizer_fit_free(&f);
            mo_recognizer_fit_free(&g);
        }
}

static void views_do_not_change_what_names_are_held_to_tell(void **state)
{
    (void)state;
    static float x[MANY * WIDE], text[MANY * WIDE], views[MANY * 2 * WIDE];
    static int32_t y[MANY];
    static const float shares[] = {0.1f, 1};
    for (int s = 0; s < 2; s++) {
        draw_singles(x, text, y, shares[s]);
        for (size_t i = 0; i < MANY; i++)
            for (size_t k = 0; k < WIDE; k++) { /* the second view looks a little like another class's name */
                views[2 * i * WIDE + k] = x[i * WIDE + k];
                views[(2 * i + 1) * WIDE + k] = x[i * WIDE + k] + 0.3f * text[(i + 1) % MANY * WIDE + k];
            }
        mo_recognizer_data d = {MANY, MANY, WIDE, 1, x, y, text, 10};
        double share, far, with, apart_with;
        of_singles(&d, &share, &far);
        of_singles(&(mo_recognizer_data){MANY, MANY, WIDE, 2, views, y, text, 10}, &with, &apart_with);
        is_near(with, share);
        is_near(apart_with, far);
    }
}

static void few_pictures_choose_little(void **state)
{
    (void)state;
    static pictures p;
    draw(&p, (const int[C]){1, 1, 1, 1}, 3);
    mo_recognizer_fit f = fit_of(&p, &(mo_recognizer_settings){0}, NULL);
    assert_true(f.settings.kappa == 1 && f.settings.lambda == 0.85 && f.settings.a > 0);
    is_near(apart(&f, &p.data), 8);
    mo_recognizer_fit_free(&f);
    mo_recognizer_sums s = sums_of(&p);
    double *loo;
    assert_ok(mo_recognizer_fit_leave_out(&loo, NULL, &p.data, &s, &given, NULL));
    assert_null(loo); /* nothing would be left */
    mo_recognizer_sums_free(&s);
    draw(&p, (const int[C]){2, 2, 2, 2}, 3);
    f = fit_of(&p, &(mo_recognizer_settings){0}, NULL);
    assert_true(f.settings.kappa == 1 && f.settings.lambda == 0.85);
    mo_recognizer_fit_free(&f);
}

static void odd_data_give_finite_answers(void **state)
{
    (void)state;
    static const int counts[][C] = {
        {1, 0, 0, 0}, {5, 0, 0, 0}, {1, 20, 1, 1}, {2, 2, 0, 0}, {10, 10, 10, 10}};
    static pictures p;
    for (size_t t = 0; t < sizeof counts / sizeof *counts; t++)
        for (int alike = 0; alike < 2; alike++) {
            draw(&p, counts[t], t);
            for (size_t i = 0; i < p.data.n && alike; i++) memcpy(p.x + i * D, p.x, D * sizeof *p.x);
            mo_recognizer_fit f = fit_of(&p, &(mo_recognizer_settings){0}, NULL);
            double logit[C];
            logits_of(&f, p.x, logit);
            for (int c = 0; c < C; c++) assert_true(isfinite(logit[c]));
            mo_recognizer_fit_free(&f);
        }
}

static void threads_do_not_change_bits(void **state)
{
    (void)state;
    static pictures p;
    draw(&p, some, 5);
    mo_recognizer_fit one = fit_of(&p, &(mo_recognizer_settings){0}, NULL);
    for (size_t threads = 2; threads <= 3; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        mo_recognizer_fit more = fit_of(&p, &(mo_recognizer_settings){0}, pool);
        assert_memory_equal(&one.settings, &more.settings, sizeof one.settings);
        assert_memory_equal(one.weight, more.weight, C * D * sizeof(double));
        assert_memory_equal(one.bias, more.bias, C * sizeof(double));
        mo_recognizer_fit_free(&more);
        mo_pool_free(pool);
    }
    mo_recognizer_fit_free(&one);
}

static void views_are_left_out_with_their_picture(void **state)
{
    (void)state;
    static pictures p;
    mo_recognizer_settings with = given;
    with.views = G;
    for (uint64_t seed = 0; seed < 6; seed++) {
        draw(&p, seed % 2 ? some : with_an_empty_class, seed);
        draw_views(&p, 0.3f, seed);
        mo_recognizer_sums s = sums_of(&p);
        mo_recognizer_fit f = fit_of(&p, &with, NULL);
        double *loo, got[C], want[C];
        assert_ok(mo_recognizer_fit_leave_out(&loo, NULL, &p.data, &s, &with, NULL));
        for (size_t i = 0; i < p.data.n; i++) {
            plain_logits(&p, &with, i, p.x + i * D, want);
            near(loo + i * C, want, C, 1e-9, "left out");
            logits_of(&f, p.x + i * D, got);
            plain_logits(&p, &with, SIZE_MAX, p.x + i * D, want);
            near(got, want, C, 1e-10, "logit");
        }
        mo_mem_free(loo);
        mo_recognizer_fit_free(&f);
        mo_recognizer_sums_free(&s);
    }
}

static void views_that_are_alike_are_one(void **state)
{
    (void)state;
    static pictures p, one;
    draw(&p, some, 4);
    one = p;
    one.data.features = one.x;
    one.data.labels = one.y;
    one.data.text = one.text;
    draw_views(&p, 0, 1);
    mo_recognizer_fit f = fit_of(&p, &(mo_recognizer_settings){.views = G}, NULL),
                      g = fit_of(&one, &(mo_recognizer_settings){0}, NULL);
    near(f.weight, g.weight, C * D, 1e-7, "weight");
    mo_recognizer_fit_free(&f);
    mo_recognizer_fit_free(&g);
}

static void sums_of_views_one_by_one_are_the_sums(void **state)
{
    (void)state;
    static pictures p;
    draw(&p, some, 6);
    draw_views(&p, 0.3f, 6);
    mo_recognizer_sums all = sums_of(&p), grown;
    const size_t n = p.data.n;
    p.data.n = 4;
    grown = sums_of(&p);
    for (size_t i = 4; i < n; i++) mo_recognizer_sums_add(&grown, p.views + i * V * D, V, (size_t)p.y[i]);
    near(grown.average, all.average, C * D, 1e-13, "average");
    near(grown.scatter, all.scatter, D * D, 1e-13, "scatter");
    near(grown.within, all.within, D * D, 1e-13, "within");
    for (int k = 0; k < D * D; k++) assert_true(fabs(G * all.within[k] - (&p.w[0][0])[k]) < 1e-12);
    for (size_t i = n; i-- > 0;) mo_recognizer_sums_remove(&grown, p.views + i * V * D, V, (size_t)p.y[i]);
    for (int k = 0; k < D * D; k++) assert_true(fabs(grown.within[k]) < 1e-13);
    assert_int_equal(grown.n, 0);
    mo_recognizer_sums_free(&all);
    mo_recognizer_sums_free(&grown);
}

static void sums_one_by_one_are_the_sums(void **state)
{
    (void)state;
    static pictures p, fewer;
    draw(&p, some, 6);
    fewer = p;
    fewer.data.features = fewer.x;
    fewer.data.labels = fewer.y;
    fewer.data.text = fewer.text;
    fewer.data.n = 4;
    mo_recognizer_sums all = sums_of(&p), grown = sums_of(&fewer), copy;
    for (size_t i = 4; i < p.data.n; i++) mo_recognizer_sums_add(&grown, p.x + i * D, 1, (size_t)p.y[i]);
    near(grown.count, all.count, C, 0, "count");
    near(grown.average, all.average, C * D, 1e-13, "average");
    near(grown.scatter, all.scatter, D * D, 1e-13, "scatter");
    assert_ok(mo_recognizer_sums_copy(&copy, &grown));
    for (size_t i = p.data.n; i-- > 0;) mo_recognizer_sums_remove(&copy, p.x + i * D, 1, (size_t)p.y[i]);
    for (int c = 0; c < C; c++) assert_true(copy.count[c] == 0);
    for (int k = 0; k < D * D; k++) assert_true(fabs(copy.scatter[k]) < 1e-13);
    for (int k = 0; k < C * D; k++) assert_true(copy.average[k] == 0);
    assert_int_equal(copy.n, 0);
    mo_recognizer_sums_free(&all);
    mo_recognizer_sums_free(&grown);
    mo_recognizer_sums_free(&copy);
}

static mopd_status fit_once(void *ctx)
{
    const pictures *p = ctx;
    mo_recognizer_fit f = {0};
    mo_recognizer_sums s = {0};
    double *loo = NULL;
    const mo_recognizer_settings chosen = {.views = p->data.n_views > 1 ? G : 0};
    mopd_status st = mo_recognizer_sums_create(&s, &p->data, true, NULL);
    if (st == MOPD_OK) st = mo_recognizer_fit_create(&f, &p->data, &s, &chosen, NULL);
    if (st == MOPD_OK) st = mo_recognizer_fit_leave_out(&loo, NULL, &p->data, &s, &f.settings, NULL);
    mo_mem_free(loo);
    mo_recognizer_fit_free(&f);
    mo_recognizer_sums_free(&s);
    return st;
}

static void fitting_survives_lack_of_memory(void **state)
{
    (void)state;
    static pictures p;
    draw(&p, (const int[C]){30, 25, 25, 22}, 7); /* enough to choose */
    test_torture(fit_once, &p);
    draw(&p, some, 7);
    test_torture(fit_once, &p);
    draw_views(&p, 0.3f, 7);
    test_torture(fit_once, &p);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_are_those_of_the_formula),
        cmocka_unit_test(leaving_out_equals_fitting_without),
        cmocka_unit_test(leaving_out_gives_the_fit),
        cmocka_unit_test(the_weights_are_the_best_there_are),
        cmocka_unit_test(many_pictures_choose_among_nine),
        cmocka_unit_test(scores_in_single_precision_are_near),
        cmocka_unit_test(what_is_given_stays),
        cmocka_unit_test(single_pictures_count_little_where_names_tell_much),
        cmocka_unit_test(single_pictures_heed_classes_that_have_more),
        cmocka_unit_test(views_do_not_change_what_names_are_held_to_tell),
        cmocka_unit_test(few_pictures_choose_little),
        cmocka_unit_test(odd_data_give_finite_answers),
        cmocka_unit_test(threads_do_not_change_bits),
        cmocka_unit_test(views_are_left_out_with_their_picture),
        cmocka_unit_test(views_that_are_alike_are_one),
        cmocka_unit_test(sums_one_by_one_are_the_sums),
        cmocka_unit_test(sums_of_views_one_by_one_are_the_sums),
        cmocka_unit_test(fitting_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
