/* SPDX-License-Identifier: MIT
 * blend.c - the weights of text and pictures by likelihood: Newton's method in their logarithms.
 *
 *     f(z) = mean_i -log softmax(e^z0 text_i + e^z1 scores_i)[y_i] + pull |z - ln centre|^2 / N */
#include "prompt/blend.h"

#include <math.h>

#include "base/ints.h"
#include "base/mem.h"
#include "math/f64.h"

enum { MOST_STEPS = 60, ROWS_A_TASK = 16 };

#define CLOSE 1e-5
#define ROUGH 1e-3 /* a step after which the next one changes the loss by less than 1e-9 */

/* Of one picture: -log p, its derivatives by a and b, and the second ones. */
typedef struct terms {
    double loss, d[2], h[3];
} terms;

typedef struct job {
    const mo_blend_rows *of;
    const mo_f64_kern *kern;
    double centre[2]; /* of the prior on z */
    double weight[2];
    bool fixed[2]; /* given, not chosen */
    terms *rows;   /* N */
} job;

static terms row_terms(const job *j, size_t i)
{
    const size_t n = j->of->n_classes, y = (size_t)j->of->labels[i];
    const double *t = j->of->text + i * n, *v = j->of->scores ? j->of->scores + i * n : NULL;
    const double a = j->weight[0], b = v ? j->weight[1] : 0;
    const mo_f64_sums s = j->kern->blend(&(mo_f64_blend){n, y, t, v ? v : t, a, b});
    terms r = {.loss = s.most + log(s.e) - a * t[y] - (v ? b * v[y] : 0)};
    r.d[0] = s.ex / s.e;
    r.h[0] = s.exx / s.e - r.d[0] * r.d[0];
    if (!v) return r;
    r.d[1] = s.ez / s.e;
    r.h[1] = s.exz / s.e - r.d[0] * r.d[1];
    r.h[2] = s.ezz / s.e - r.d[1] * r.d[1];
    return r;
}

static void do_rows(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t end = mo_min((task + 1) * ROWS_A_TASK, j->of->n);
    for (size_t i = task * ROWS_A_TASK; i < end; i++) j->rows[i] = row_terms(j, i);
}

/* f as a function in which direction k does not matter: no step goes there. */
static void hold(terms *f, int k, bool fixed)
{
    if (!fixed) return;
    f->d[k] = 0;
    f->h[1] = 0;
    f->h[2 * k] = 1;
}

/* f, its gradient and its matrix of second derivatives in z; sums in the pictures' order. */
static terms at(job *j, const double z[2])
{
    const size_t n = j->of->n;
    terms f = {0};
    for (int k = 0; k < 2; k++) j->weight[k] = exp(z[k]);
    mo_pool_run(j->of->pool, mo_ceil_div(n, ROWS_A_TASK), do_rows, j);
    for (size_t i = 0; i < n; i++) {
        f.loss += j->rows[i].loss;
        for (int k = 0; k < 2; k++) f.d[k] += j->rows[i].d[k];
        for (int k = 0; k < 3; k++) f.h[k] += j->rows[i].h[k];
    }
    const double *w = j->weight, share = 1 / (double)n;
    f.h[0] = (f.h[0] * w[0] * w[0] + fmax(0, f.d[0] * w[0])) * share;
    f.h[1] *= w[0] * w[1] * share;
    f.h[2] = (f.h[2] * w[1] * w[1] + fmax(0, f.d[1] * w[1])) * share;
    f.loss *= share;
    for (int k = 0; k < 2; k++) f.d[k] *= w[k] * share;
    const double pull = share * (j->of->pull > 0 ? j->of->pull : 1);
    for (int k = 0; k < 2 && j->of->centre; k++) {
        f.loss += (z[k] - j->centre[k]) * (z[k] - j->centre[k]) * pull;
        f.d[k] += 2 * (z[k] - j->centre[k]) * pull;
        f.h[2 * k] += 2 * pull;
    }
    for (int k = 0; k < 2; k++) hold(&f, k, j->fixed[k]);
    return f;
}

/* The step that Newton's method takes, at most 2 long in each direction. */
static void newton_step(const terms *f, bool both, double step[2])
{
    const double det = f->h[0] * f->h[2] - f->h[1] * f->h[1];
    if (both && det > 1e-300) {
        step[0] = -(f->h[2] * f->d[0] - f->h[1] * f->d[1]) / det;
        step[1] = -(f->h[0] * f->d[1] - f->h[1] * f->d[0]) / det;
    } else {
        step[0] = f->h[0] > 0 ? -f->d[0] / f->h[0] : 0;
        step[1] = 0;
    }
    for (int k = 0; k < 2; k++) step[k] = fmin(2, fmax(-2, step[k]));
}

/* Newton's method with steps halved until f falls. */
static terms descend(job *j, double z[2])
{
    terms f = at(j, z);
    for (int i = 0; i < MOST_STEPS; i++) {
        double step[2], next[2] = {z[0], z[1]};
        newton_step(&f, j->of->scores != NULL, step);
        double length = fabs(step[0]) + fabs(step[1]);
        terms g = f;
        const bool close_by = length < CLOSE; /* f says no more there, its gradient does */
        for (; length > 1e-13; length /= 2) {
            for (int k = 0; k < 2; k++)
                next[k] = fmin(4, z[k] + step[k]); /* where all is certain there is no least f */
            g = at(j, next);
            if (close_by || g.loss <= f.loss) break;
            for (int k = 0; k < 2; k++) step[k] /= 2;
        }
        if (!(length > 1e-13)) break;
        f = g;
        for (int k = 0; k < 2; k++) z[k] = next[k];
        if (length < (j->of->rough ? ROUGH : 1e-12)) break;
    }
    return f;
}

mopd_status mo_blend_fit(double weights[2], double *loss, const mo_blend_rows *rows)
{
    job j = {.of = rows, .kern = mo_f64_get(), .rows = mo_mem_alloc(rows->n, sizeof(terms))};
    if (!j.rows) return MOPD_E_NOMEM;
    double z[2];
    for (int k = 0; k < 2; k++) {
        j.centre[k] = rows->centre ? log(rows->centre[k]) : 0;
        j.fixed[k] = weights[k] > 0;
        z[k] = j.fixed[k] ? log(weights[k]) : rows->start ? log(rows->start[k]) : j.centre[k];
    }
    *loss = descend(&j, z).loss;
    for (int k = 0; k < 2; k++)
        if (!j.fixed[k]) weights[k] = exp(z[k]);
    mo_mem_free(j.rows);
    return MOPD_OK;
}

void mo_blend_losses(double *losses, const double weights[2], const mo_blend_rows *rows)
{
    const job j = {.of = rows, .kern = mo_f64_get(), .weight = {weights[0], weights[1]}};
    for (size_t i = 0; i < rows->n; i++) losses[i] = row_terms(&j, i).loss;
}

mopd_status mo_blend_temperature(double *temperature, const mo_blend_rows *rows)
{
    static const double one[2] = {1, 1};
    mo_blend_rows own = *rows;
    own.scores = NULL;
    own.centre = one;
    double weights[2] = {0}, loss;
    mopd_status st = mo_blend_fit(weights, &loss, &own);
    if (st == MOPD_OK) *temperature = 1 / weights[0];
    return st;
}
