/* SPDX-License-Identifier: MIT
 * loss.c - the losses of one picture after another, and their gradients. */
#include "prompt/loss.h"

#include <math.h>
#include <string.h>

/* A direction this much shorter than the gradient is rounding: student and teacher are the same. */
#define NOISE 1e-6

/* Work of a picture: its losses, whether it is classified rightly, and behind these the weighted loss of
 * each teacher kept. */
enum { CE, MPD, MPS, CORRECT, PER_ROW };

size_t mo_loss_work(size_t n, size_t kept)
{
    return n * (PER_ROW + kept);
}

/* log sum exp(x / t) */
static double log_sum(const float *x, size_t n, double t)
{
    double top = (double)x[0], sum = 0;
    for (size_t c = 1; c < n; c++)
        if ((double)x[c] > top) top = (double)x[c];
    for (size_t c = 0; c < n; c++) sum += exp(((double)x[c] - top) / t);
    return top / t + log(sum);
}

/* Whether the label has the largest logit; of equal ones the lowest class is taken. */
static bool is_best(const float *z, size_t n, size_t label)
{
    for (size_t c = 0; c < n; c++)
        if (c < label ? z[c] >= z[label] : z[c] > z[label]) return false;
    return isfinite(z[label]);
}

/* dz += weight softmax(z / t), given lse = log sum exp(z / t). */
static void add_softmax(float *dz, const float *z, size_t n, double t, double lse, double weight)
{
    for (size_t c = 0; c < n; c++) dz[c] += (float)(weight * exp((double)z[c] / t - lse));
}

/* KL(P || Q) of one teacher with logits u; dz -= weight P. */
static double divergence(
    const float *u, const float *z, size_t n, double t, double lse_z, double weight, float *dz)
{
    double lse_u = log_sum(u, n, t), kl = 0;
    for (size_t c = 0; c < n; c++) {
        double log_p = (double)u[c] / t - lse_u, p = exp(log_p);
        kl += p * (log_p - ((double)z[c] / t - lse_z));
        if (dz) dz[c] -= (float)(weight * p);
    }
    return kl;
}

/* What the K teachers of picture i add to its row and to the gradients of its logits and scores. */
static void distil_row(const mo_loss_args *a, size_t i, double row[PER_ROW], float *dz)
{
    const mo_loss_weights *w = &a->weights;
    size_t n = a->n_classes;
    const float *z = a->student + i * n;
    const double *alpha = a->alpha + i * a->kept;
    double t = w->temperature, scale = w->mpd * t / (double)a->n, mean = 0, *each = row + PER_ROW;
    double lse = w->mpd != 0 ? log_sum(z, n, t) : 0;
    if (w->mpd != 0 && dz) add_softmax(dz, z, n, t, lse, scale);
    for (size_t j = 0; j < a->kept; j++) {
        const float *u = a->teachers + (i * a->n_templates + a->chosen[i * a->kept + j]) * n;
        double kl = w->mpd != 0 ? t * t * divergence(u, z, n, t, lse, scale * alpha[j], dz) : 0;
        double ce = w->mps != 0 ? log_sum(u, n, 1) - (double)u[a->labels[i]] : 0;
        row[MPD] += alpha[j] * kl;
        row[MPS] += alpha[j] * ce;
        mean += alpha[j] * (each[j] = w->mpd * kl + w->mps * ce);
    }
    if (!a->d_scores) return;
    float *dh = a->d_scores + i * a->n_templates;
    memset(dh, 0, a->n_templates * sizeof *dh);
    for (size_t j = 0; j < a->kept; j++)
        dh[a->chosen[i * a->kept + j]] = (float)(alpha[j] * (each[j] - mean) / (double)a->n);
}

static void one_row(void *ctx, size_t i)
{
    const mo_loss_args *a = ctx;
    size_t n = a->n_classes, label = (size_t)a->labels[i];
    const float *z = a->student + i * n;
    float *dz = a->d_student ? a->d_student + i * n : NULL;
    double *row = a->work + (PER_ROW + a->kept) * i, lse = log_sum(z, n, 1);
    row[CE] = lse - (double)z[label];
    row[MPD] = row[MPS] = 0;
    row[CORRECT] = is_best(z, n, label);
    if (dz) {
        double weight = a->weights.ce / (double)a->n;
        memset(dz, 0, n * sizeof *dz);
        if (weight != 0) {
            add_softmax(dz, z, n, 1, lse, weight);
            dz[label] -= (float)weight;
        }
    }
    if (a->weights.mpd != 0 || a->weights.mps != 0)
        distil_row(a, i, row, dz);
    else if (a->d_scores)
        memset(a->d_scores + i * a->n_templates, 0, a->n_templates * sizeof(float));
}

void mo_loss_run(mo_pool *pool, const mo_loss_args *args, mo_loss_sums *out)
{
    mo_loss_args a = *args;
    mo_pool_run(pool, a.n, one_row, &a);
    double sum[PER_ROW] = {0};
    for (size_t i = 0; i < a.n; i++)
        for (size_t j = 0; j < PER_ROW; j++) sum[j] += a.work[(PER_ROW + a.kept) * i + j];
    double n = (double)a.n;
    *out = (mo_loss_sums){sum[CE] / n, sum[MPD] / n, sum[MPS] / n, (size_t)sum[CORRECT]};
}

double mo_loss_kg(const float *s, const float *t, size_t n_classes, size_t dim, double kg, float *d_s)
{
    double sum = 0, weight = -kg / (double)n_classes;
    for (size_t i = 0; i < n_classes * dim; i++) {
        sum += (double)s[i] * (double)t[i];
        d_s[i] += (float)(weight * (double)t[i]);
    }
    return 1 - sum / (double)n_classes;
}

void mo_loss_project(float *a, const float *b, size_t n, double lambda)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        aa += (double)a[i] * (double)a[i];
        ab += (double)a[i] * (double)b[i];
        bb += (double)b[i] * (double)b[i];
    }
    if (!(ab < 0) || !(bb > NOISE * NOISE * aa)) return;
    for (size_t i = 0; i < n; i++) a[i] = (float)((double)a[i] - lambda * (ab / bb) * (double)b[i]);
}
