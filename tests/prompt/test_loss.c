/* SPDX-License-Identifier: MIT
 * test_loss.c - the unit numbers of the method (docs/method.md 3.7), an independent reference
 * in double, differences. */
#include "test.h"

#include "prompt/gate.h"
#include "prompt/loss.h"

enum { B = 2, D = 2, C = 3, M = 4, K = 2 };

static const double scale = 5;
static const mo_loss_weights weights = {.ce = 0.8, .mpd = 0.2, .mps = 0.1, .temperature = 2};
static const int32_t labels[B] = {0, 2};

static const double images[B][D] = {{1, 0.5}, {-0.3, 1}};
static const double texts[C][D] = {{1, 0.1}, {0.2, -1}, {0.1, 1}};
static const double hard[M][C][D] = {{{1, .2}, {0, -1}, {-.2, 1}}, {{.8, .6}, {.3, -.9}, {.3, 1}},
    {{.5, -.5}, {.4, -.4}, {-1, .4}}, {{.9, -.1}, {-.6, -.8}, {-.5, .9}}};
static const double gate[D][M] = {{.3, -.2, .5, .1}, {.25, .4, -.1, .6}};

/* ---- the reference: straight from the formulae, in double ---- */

typedef struct reference {
    double z[B][C], u[B][M][C], h[B][M], alpha[B][K], kl[B][K], teacher_ce[B][K];
    int kept[B][K];
    double ce, mpd, mps, loss;
    double dz[B][C], dh[B][M], d_gate[D][M], d_text[C][D];
} reference;

static double cosine(const double *a, const double *b)
{
    return (a[0] * b[0] + a[1] * b[1]) / (hypot(a[0], a[1]) * hypot(b[0], b[1]));
}

static double log_softmax(const double *x, int c, double t)
{
    double sum = 0;
    for (int i = 0; i < C; i++) sum += exp((x[i] - x[c]) / t);
    return -log(sum);
}

static void rank(reference *r, int i)
{
    bool used[M] = {false};
    for (int j = 0; j < K; j++) {
        int best = -1;
        for (int m = 0; m < M; m++)
            if (!used[m] && (best < 0 || r->h[i][m] > r->h[i][best])) best = m;
        used[best] = true;
        r->kept[i][j] = best;
    }
    double sum = 0;
    for (int j = 0; j < K; j++) sum += exp(r->h[i][r->kept[i][j]]);
    for (int j = 0; j < K; j++) r->alpha[i][j] = exp(r->h[i][r->kept[i][j]]) / sum;
}

static void losses_of(reference *r, int i)
{
    double t = weights.temperature, mean = 0;
    r->ce -= log_softmax(r->z[i], labels[i], 1) / B;
    for (int j = 0; j < K; j++) {
        const double *u = r->u[i][r->kept[i][j]];
        r->kl[i][j] = 0;
        for (int c = 0; c < C; c++) {
            double p = exp(log_softmax(u, c, t));
            r->kl[i][j] += t * t * p * (log_softmax(u, c, t) - log_softmax(r->z[i], c, t));
        }
        r->teacher_ce[i][j] = -log_softmax(u, labels[i], 1);
        r->mpd += r->alpha[i][j] * r->kl[i][j] / B;
        r->mps += r->alpha[i][j] * r->teacher_ce[i][j] / B;
        mean += r->alpha[i][j] * (weights.mpd * r->kl[i][j] + weights.mps * r->teacher_ce[i][j]);
    }
    for (int j = 0; j < K; j++)
        r->dh[i][r->kept[i][j]] =
            r->alpha[i][j] * (weights.mpd * r->kl[i][j] + weights.mps * r->teacher_ce[i][j] - mean) / B;
    for (int c = 0; c < C; c++) {
        double mix = 0;
        for (int j = 0; j < K; j++) mix += r->alpha[i][j] * exp(log_softmax(r->u[i][r->kept[i][j]], c, t));
        r->dz[i][c] = weights.ce / B * (exp(log_softmax(r->z[i], c, 1)) - (c == labels[i])) +
                      weights.mpd * t / B * (exp(log_softmax(r->z[i], c, t)) - mix);
    }
}

static void compute(reference *r, const double text[C][D], const double g[D][M])
{
    *r = (reference){0};
    for (int i = 0; i < B; i++) {
        double f[D] = {images[i][0] / hypot(images[i][0], images[i][1]),
            images[i][1] / hypot(images[i][0], images[i][1])};
        for (int c = 0; c < C; c++) r->z[i][c] = scale * cosine(images[i], text[c]);
        for (int m = 0; m < M; m++)
            for (int c = 0; c < C; c++) r->u[i][m][c] = scale * cosine(images[i], hard[m][c]);
        for (int m = 0; m < M; m++) r->h[i][m] = f[0] * g[0][m] + f[1] * g[1][m];
        rank(r, i);
        losses_of(r, i);
        for (int d = 0; d < D; d++)
            for (int m = 0; m < M; m++) r->d_gate[d][m] += f[d] * r->dh[i][m];
        for (int c = 0; c < C; c++) {
            double n = hypot(text[c][0], text[c][1]), s[D] = {text[c][0] / n, text[c][1] / n};
            double along = s[0] * f[0] + s[1] * f[1];
            for (int d = 0; d < D; d++) r->d_text[c][d] += scale * r->dz[i][c] * (f[d] - s[d] * along) / n;
        }
    }
    r->loss = weights.ce * r->ce + weights.mpd * r->mpd + weights.mps * r->mps;
}

static void near(double x, double want, double slack)
{
    if (!(fabs(x - want) <= slack)) fail_msg("%.9g is not %.9g", x, want);
}

static void reference_gives_the_numbers_of_the_method(void **state)
{
    (void)state;
    static const double z[B][C] = {{4.672439, -1.315587, 2.669965}, {-0.953073, -4.977898, 4.622403}};
    static const double h[B][M] = {
        {0.380132, 0, 0.402492, 0.357771}, {0.153252, 0.440600, -0.239457, 0.545961}};
    static const int kept[B][K] = {{2, 0}, {3, 1}};
    static const double alpha[B][K] = {{0.505590, 0.494410}, {0.526316, 0.473684}};
    static const double kl[B][K] = {{3.955396, 0.172734}, {0.052328, 0.623054}};
    static const double teacher_ce[B][K] = {{0.696853, 0.030344}, {0.001456, 0.082849}};
    static const double d_gate[D][M] = {
        {-0.0920232, -0.0043801, 0.0920232, 0.0043801}, {-0.0460116, 0.0146004, 0.0460116, -0.0146004}};
    static const double d_text[C][D] = {
        {0.0123255, -0.1232551}, {-0.1986132, -0.0397226}, {0.3145912, -0.0314591}};
    reference r;
    compute(&r, texts, gate);
    for (int i = 0; i < B; i++) {
        for (int c = 0; c < C; c++) near(r.z[i][c], z[i][c], 1e-6);
        for (int m = 0; m < M; m++) near(r.h[i][m], h[i][m], 1e-6);
        for (int j = 0; j < K; j++) {
            assert_int_equal(r.kept[i][j], kept[i][j]);
            near(r.alpha[i][j], alpha[i][j], 1e-6);
            near(r.kl[i][j], kl[i][j], 1e-6);
            near(r.teacher_ce[i][j], teacher_ce[i][j], 1e-6);
        }
    }
    near(r.ce, 0.06634560, 1e-8);
    near(r.mpd, 1.20394086, 1e-8);
    near(r.mps, 0.20366739, 1e-8);
    near(r.loss, 0.31423139, 1e-8);
    for (int d = 0; d < D; d++)
        for (int m = 0; m < M; m++) near(r.d_gate[d][m], d_gate[d][m], 1e-7);
    for (int c = 0; c < C; c++)
        for (int d = 0; d < D; d++) near(r.d_text[c][d], d_text[c][d], 1e-7);
}

static void reference_gradients_match_differences(void **state)
{
    (void)state;
    reference r, up, down;
    double text[C][D], g[D][M], eps = 1e-6;
    compute(&r, texts, gate);
    for (int k = 0; k < C * D; k++) {
        memcpy(text, texts, sizeof text);
        text[k / D][k % D] += eps;
        compute(&up, (const double(*)[D])text, gate);
        text[k / D][k % D] -= 2 * eps;
        compute(&down, (const double(*)[D])text, gate);
        near(r.d_text[k / D][k % D], (up.loss - down.loss) / (2 * eps), 1e-8);
    }
    for (int k = 0; k < D * M; k++) {
        memcpy(g, gate, sizeof g);
        g[k / M][k % M] += eps;
        compute(&up, texts, (const double(*)[M])g);
        g[k / M][k % M] -= 2 * eps;
        compute(&down, texts, (const double(*)[M])g);
        near(r.d_gate[k / M][k % M], (up.loss - down.loss) / (2 * eps), 1e-8);
    }
}

/* ---- the library ---- */

typedef struct library {
    float z[B * C], u[B * M * C], h[B * M], dz[B * C], dh[B * M];
    uint32_t kept[B * K];
    double alpha[B * K], work[B * (4 + K)];
    mo_loss_sums sums;
} library;

static void run_library(library *l, const mo_loss_weights *w)
{
    reference r;
    compute(&r, texts, gate);
    for (int i = 0; i < B; i++) {
        for (int c = 0; c < C; c++) l->z[i * C + c] = (float)r.z[i][c];
        for (int m = 0; m < M; m++) l->h[i * M + m] = (float)r.h[i][m];
        for (int k = 0; k < M * C; k++) l->u[i * M * C + k] = (float)r.u[i][k / C][k % C];
        mo_gate_pick(l->h + i * M, M, K, l->kept + i * K, l->alpha + i * K);
    }
    assert_true(mo_loss_work(B, K) * sizeof(double) <= sizeof l->work);
    mo_loss_run(NULL,
        &(mo_loss_args){.weights = *w,
            .n = B,
            .n_classes = C,
            .n_templates = M,
            .kept = K,
            .student = l->z,
            .teachers = l->u,
            .labels = labels,
            .chosen = l->kept,
            .alpha = l->alpha,
            .d_student = l->dz,
            .d_scores = l->dh,
            .work = l->work},
        &l->sums);
}

static void loss_equals_the_reference(void **state)
{
    (void)state;
    library l;
    reference r;
    run_library(&l, &weights);
    compute(&r, texts, gate);
    near(l.sums.ce, r.ce, 1e-6);
    near(l.sums.mpd, r.mpd, 1e-6);
    near(l.sums.mps, r.mps, 1e-6);
    assert_int_equal(l.sums.n_correct, 2);
    for (int i = 0; i < B; i++) {
        for (int c = 0; c < C; c++) near((double)l.dz[i * C + c], r.dz[i][c], 1e-6);
        for (int m = 0; m < M; m++) near((double)l.dh[i * M + m], r.dh[i][m], 1e-6);
    }
}

static void loss_gate_gradient_stays_among_the_kept(void **state)
{
    (void)state;
    library l;
    run_library(&l, &weights);
    for (int i = 0; i < B; i++) {
        float sum = 0;
        for (int m = 0; m < M; m++) {
            bool kept = l.kept[i * K] == (uint32_t)m || l.kept[i * K + 1] == (uint32_t)m;
            if (kept)
                assert_true(l.dh[i * M + m] != 0);
            else
                assert_true(l.dh[i * M + m] == 0);
            sum += l.dh[i * M + m];
        }
        near((double)sum, 0, 1e-8);
        near(l.alpha[i * K] + l.alpha[i * K + 1], 1, 1e-15);
    }
}

static void loss_without_distillation_is_cross_entropy(void **state)
{
    (void)state;
    library l;
    reference r;
    run_library(&l, &(mo_loss_weights){.ce = 1, .temperature = 1});
    compute(&r, texts, gate);
    near(l.sums.ce, r.ce, 1e-6);
    assert_true(l.sums.mpd == 0 && l.sums.mps == 0);
    for (int i = 0; i < B; i++) {
        for (int c = 0; c < C; c++)
            near((double)l.dz[i * C + c], (exp(log_softmax(r.z[i], c, 1)) - (c == labels[i])) / B, 1e-7);
        for (int m = 0; m < M; m++) assert_true(l.dh[i * M + m] == 0);
    }
}

static void loss_of_equal_student_and_teacher_is_zero(void **state)
{
    (void)state;
    float z[C] = {30, -2, 7}, dz[C];
    uint32_t kept = 0;
    double alpha = 1, work[5];
    mo_loss_sums sums;
    mo_loss_run(NULL,
        &(mo_loss_args){.weights = {.mpd = 1, .temperature = 1},
            .n = 1,
            .n_classes = C,
            .n_templates = 1,
            .kept = 1,
            .student = z,
            .teachers = z,
            .labels = labels,
            .chosen = &kept,
            .alpha = &alpha,
            .d_student = dz,
            .work = work},
        &sums);
    assert_true(sums.mpd == 0);
    for (int c = 0; c < C; c++) assert_true(dz[c] == 0);
}

static void loss_permuted_classes_permute_gradients(void **state)
{
    (void)state;
    float z[C] = {3, -2, 7}, p[C] = {7, 3, -2}, dz[C], dp[C];
    int32_t label = 0, moved = 1;
    double work[4];
    mo_loss_sums a, b;
    mo_loss_args args = {.weights = {.ce = 1, .temperature = 1}, .n = 1, .n_classes = C, .work = work};
    args.student = z, args.labels = &label, args.d_student = dz;
    mo_loss_run(NULL, &args, &a);
    args.student = p, args.labels = &moved, args.d_student = dp;
    mo_loss_run(NULL, &args, &b);
    near(a.ce, b.ce, 1e-14);
    near((double)dz[0], (double)dp[1], 1e-8);
    near((double)dz[1], (double)dp[2], 1e-8);
    near((double)dz[2], (double)dp[0], 1e-8);
    assert_int_equal(a.n_correct, 0);
}

static void kg_and_its_gradient(void **state)
{
    (void)state;
    float s[4] = {1, 0, 0.6f, 0.8f}, t[4] = {0, 1, 0.6f, 0.8f}, ds[4] = {1, 1, 1, 1};
    near(mo_loss_kg(s, t, 2, 2, 8, ds), 0.5, 1e-7);
    near((double)ds[0], 1, 1e-6);
    near((double)ds[1], 1 - 4, 1e-6);
    near((double)ds[2], 1 - 4 * 0.6, 1e-6);
    near((double)ds[3], 1 - 4 * 0.8, 1e-6);
}

static void project_takes_away_what_opposes(void **state)
{
    (void)state;
    float a[2] = {-3, 4}, b[2] = {2, 0}, agree[2] = {3, 4}, half[2] = {-3, 4}, none[2] = {0, 0},
          tiny[2] = {1e-6f, 0};
    mo_loss_project(a, b, 2, 1);
    assert_true(a[0] == 0 && a[1] == 4);
    mo_loss_project(agree, b, 2, 1);
    assert_true(agree[0] == 3 && agree[1] == 4);
    mo_loss_project(half, b, 2, 0.5);
    assert_true(half[0] == -1.5f && half[1] == 4);
    mo_loss_project(half, none, 2, 1);
    mo_loss_project(half, tiny, 2, 1);
    assert_true(half[0] == -1.5f && half[1] == 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_gives_the_numbers_of_the_method),
        cmocka_unit_test(reference_gradients_match_differences),
        cmocka_unit_test(loss_equals_the_reference),
        cmocka_unit_test(loss_gate_gradient_stays_among_the_kept),
        cmocka_unit_test(loss_without_distillation_is_cross_entropy),
        cmocka_unit_test(loss_of_equal_student_and_teacher_is_zero),
        cmocka_unit_test(loss_permuted_classes_permute_gradients),
        cmocka_unit_test(kg_and_its_gradient),
        cmocka_unit_test(project_takes_away_what_opposes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
