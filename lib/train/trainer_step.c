/* SPDX-License-Identifier: MIT
 * trainer_step.c - one step: logits, losses, gradients, update.
 *
 *     d s = a (dz)^T f;   d G = f^T dh   (docs/method.md 3.5).  Nothing is allocated here when all classes are one
 * chunk.
 *
 * On many processes every rank computes logits and losses from the same s.  Their bits may still differ where CPUs do;
 * what moves the prompt may not: gradients of the context are sums over the ranks, all else is rank 0's. */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/rng.h"
#include "math/gemm.h"
#include "prompt/gate.h"
#include "train/sampler.h"
#include "train/trainer.h"

void mo_trainer_logits(
    const mopd_trainer *t, const float *features, size_t n, const float *rows, size_t n_rows, float *logits)
{
    mo_gemm_raw(t->encoder->pool, &(mo_gemm_raw_args){.c = logits,
                                      .ldc = n_rows,
                                      .a = features,
                                      .ars = t->dim,
                                      .acs = 1,
                                      .b = rows,
                                      .brs = 1,
                                      .bcs = t->dim,
                                      .m = n,
                                      .n = n_rows,
                                      .k = t->dim,
                                      .alpha = t->encoder->logit_scale});
}

/* c [m x n] = alpha a^T b with a [k x m], b [k x n] dense. */
static void transposed_product(const mopd_trainer *t, float *c, const float *a, const float *b, size_t m,
    size_t n, size_t k, float alpha)
{
    mo_gemm_raw(t->encoder->pool, &(mo_gemm_raw_args){.c = c,
                                      .ldc = n,
                                      .a = a,
                                      .ars = 1,
                                      .acs = m,
                                      .b = b,
                                      .brs = n,
                                      .bcs = 1,
                                      .m = m,
                                      .n = n,
                                      .k = k,
                                      .alpha = alpha});
}

/* The K teachers of each picture and their weights. */
static void choose_teachers(mopd_trainer *t, const float *features, size_t n)
{
    size_t m = t->set.n_templates, k = t->set.kept;
    switch (t->set.method->gate) {
    case MO_GATE_IMAGE:
    case MO_GATE_STATIC:
        mo_gate_scores(t->gate.p, t->set.method->gate == MO_GATE_IMAGE ? t->dim : 0, m, features, n, t->h);
        for (size_t i = 0; i < n; i++) mo_gate_pick(t->h + i * m, m, k, t->chosen + i * k, t->alpha + i * k);
        return;
    case MO_GATE_RANDOM:
        mo_sampler_teachers(t->set.o.seed, t->total, t->chosen, n * k, m);
        break;
    case MO_GATE_NONE:
        memset(t->chosen, 0, n * k * sizeof *t->chosen);
        break;
    }
    for (size_t i = 0; i < n * k; i++) t->alpha[i] = 1 / (double)k;
}

/* Losses and their gradients at the logits and gate scores. */
static void losses(mopd_trainer *t, const int32_t *labels, size_t n, mopd_step *out)
{
    mo_loss_sums sums;
    mo_loss_args a = {
        .weights = t->weights,
        .n = n,
        .n_classes = t->n_classes,
        .n_templates = t->set.n_templates,
        .kept = t->set.kept,
        .student = t->z,
        .teachers = t->u,
        .labels = labels,
        .chosen = t->chosen,
        .alpha = t->alpha,
        .d_student = t->dz,
        .d_scores = t->gate.n ? t->dh : NULL,
        .work = t->work,
    };
    mo_loss_run(t->encoder->pool, &a, &sums);
    out->ce = sums.ce;
    out->mpd = sums.mpd;
    out->mps = sums.mps;
    out->n_correct = (uint32_t)sums.n_correct;
    out->loss = t->weights.ce * sums.ce + t->weights.mpd * sums.mpd + t->weights.mps * sums.mps;
    if (!t->set.method->project) return;
    a.weights =
        (mo_loss_weights){.mpd = 1, .temperature = t->weights.temperature}; /* KL from the teacher alone */
    a.d_student = t->dz2;
    mo_loss_run(t->encoder->pool, &a, &sums);
    out->reg = sums.mpd;
}

static void gate_gradient(mopd_trainer *t, const float *features, size_t n)
{
    size_t m = t->set.n_templates;
    if (t->set.method->gate == MO_GATE_IMAGE) {
        transposed_product(t, t->gate.g, features, t->dh, t->dim, m, n, 1);
        return;
    }
    for (size_t j = 0; j < t->gate.n;
         j++) { /* the same scores for all pictures: the sum of their gradients */
        double sum = 0;
        for (size_t i = 0; i < n; i++) sum += (double)t->dh[i * m + j];
        t->gate.g[j] = (float)sum;
    }
}

uint64_t mo_trainer_bits(const float *features, size_t n_floats, const int32_t *labels, size_t n)
{
    uint64_t bits = mo_rng_mix(n_floats, n);
    if (features) bits = mo_rng_mix(bits, mo_hash_bytes(features, n_floats * sizeof *features));
    return labels ? mo_rng_mix(bits, mo_hash_bytes(labels, n * sizeof *labels)) : bits;
}

/* Where this rank's vectors stand among all, and how many floats they are. */
static size_t own_vectors(const mopd_trainer *t, size_t *n)
{
    size_t one = mo_context_vectors(&t->shape, 1) * t->width;
    *n = t->group.n ? mo_context_vectors(&t->shape, t->group.n) * t->width : 0;
    return t->shape.per_class ? t->group.first * one : 0;
}

mopd_status mo_trainer_features(mopd_trainer *t, mopd_status st)
{
    size_t n, at = own_vectors(t, &n);
    float *own = t->s + t->group.first * t->dim;
    if (st == MOPD_OK && n) st = mo_student_fwd(t->student, t->context.p + at, own);
    if (t->group.ranks < 2) return st;
    uint64_t bits = mo_rng_mix(mo_hash_bytes(t->context.p, t->context.n * sizeof(float)), t->total);
    if (t->gate.n) bits = mo_rng_mix(bits, mo_hash_bytes(t->gate.p, t->gate.n * sizeof(float)));
    return mo_group_rows(&t->group, st,
        (mo_group_check){bits, "their prompts; does reduce give all the same bits?"},
        &(mo_group_table){own, t->s, t->n_classes, t->dim});
}

static double *put(double *to, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] = (double)from[i];
    return to + n;
}

static const double *take(float *to, const double *from, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] = (float)from[i];
    return from + n;
}

/* Payload: context.g | context2 | gate.g | losses; of the first two own classes' part, the rest from rank 0. */
static mopd_status share_gradients(mopd_trainer *t, mopd_status st, mopd_step *out)
{
    size_t n_own, at = own_vectors(t, &n_own), n = t->context.n, n_second = t->context2 ? n : 0;
    size_t n_all = n + n_second + t->gate.n + MO_GROUP_STEP;
    double *payload = mo_group_payload(&t->group, n_all), *rest = payload + n + n_second;
    double correct = out->n_correct, *const numbers[] = {&out->lr, &out->loss, &out->ce, &out->mpd, &out->mps,
                                         &out->reg, &correct};
    if (st == MOPD_OK) {
        put(payload + at, t->context.g + at, n_own);
        if (n_second) put(payload + n + at, t->context2 + at, n_own);
        if (t->group.rank == 0) {
            rest = put(rest, t->gate.g, t->gate.n);
            for (size_t i = 0; i < MO_GROUP_STEP; i++) rest[i] = *numbers[i];
        }
    }
    if ((st = mo_group_sum(&t->group, st, (mo_group_check){0, "steps"}, n_all)) != MOPD_OK) return st;
    const double *sum = take(t->context.g, payload, n);
    sum = take(t->context2, sum, n_second);
    sum = take(t->gate.g, sum, t->gate.n);
    for (size_t i = 0; i < MO_GROUP_STEP; i++) *numbers[i] = sum[i];
    out->n_correct = (uint32_t)correct;
    return MOPD_OK;
}

static mopd_status gradients(mopd_trainer *t, const float *features, size_t n, mopd_step *out)
{
    bool second = t->set.method->project;
    size_t c = t->n_classes;
    transposed_product(t, t->ds, t->dz, features, c, t->dim, n, t->encoder->logit_scale);
    if (second) transposed_product(t, t->ds2, t->dz2, features, c, t->dim, n, t->encoder->logit_scale);
    if (t->weights.kg != 0) {
        out->reg = mo_loss_kg(t->s, t->teachers, c, t->dim, t->weights.kg, t->ds);
        out->loss += t->weights.kg * out->reg;
    }
    if (t->gate.n) gate_gradient(t, features, n);
    size_t n_own, at = own_vectors(t, &n_own), row = t->group.first * t->dim;
    float *const d_features[] = {t->ds + row, second ? t->ds2 + row : NULL};
    float *const d_context[] = {t->context.g + at, second ? t->context2 + at : NULL};
    mopd_status st = MOPD_OK;
    if (n_own)
        st = mo_student_bwd(t->student, t->context.p + at, t->s + row, second ? 2 : 1, d_features, d_context);
    if (t->group.ranks > 1) st = share_gradients(t, st, out);
    if (st != MOPD_OK) return st;
    if (second) mo_loss_project(t->context.g, t->context2, t->context.n, (double)t->set.o.lambda);
    return MOPD_OK;
}

static mopd_status update(mopd_trainer *t, double lr)
{
    mo_sgd sgd = {(float)lr, t->set.o.momentum, t->set.o.weight_decay};
    if (!mo_sgd_try(&sgd, &t->context))
        return mo_fail(MOPD_E_NUMERIC, "the gradient of the context is not finite");
    if (t->gate.n) {
        if (!mo_sgd_try(&sgd, &t->gate))
            return mo_fail(MOPD_E_NUMERIC, "the gradient of the gate is not finite");
        mo_sgd_take(&t->gate);
    }
    mo_sgd_take(&t->context);
    return MOPD_OK;
}

static void add_sums(mo_sums *s, const mopd_step *step, size_t n)
{
    s->loss += step->loss;
    s->ce += step->ce;
    s->mpd += step->mpd;
    s->mps += step->mps;
    s->reg += step->reg;
    s->n_correct += step->n_correct;
    s->n_seen += n;
}

static mopd_status step_inner(
    mopd_trainer *t, const float *features, const int32_t *labels, size_t n, mopd_step *out)
{
    mopd_status st = mo_trainer_features(t, MOPD_OK);
    if (st != MOPD_OK) return st;
    mo_trainer_logits(t, features, n, t->s, t->n_classes, t->z);
    if (t->u) mo_trainer_logits(t, features, n, t->teachers, t->set.n_templates * t->n_classes, t->u);
    choose_teachers(t, features, n);
    losses(t, labels, n, out);
    if ((st = gradients(t, features, n, out)) != MOPD_OK) return st;
    if (!isfinite(out->loss) || !isfinite(out->reg)) return mo_fail(MOPD_E_NUMERIC, "the loss is not finite");
    return update(t, out->lr);
}

mopd_status mo_trainer_step(
    mopd_trainer *t, const float *features, const int32_t *labels, size_t n, mopd_step *out)
{
    *out = (mopd_step){.struct_size = sizeof *out,
        .epoch = (uint32_t)t->epoch + 1,
        .step = (uint32_t)t->step + 1,
        .lr = mo_trainer_lr(t, t->epoch)};
    mopd_status st = step_inner(t, features, labels, n, out);
    if (st != MOPD_OK) return mo_fail_at(st, "epoch %u, step %u", (unsigned)out->epoch, (unsigned)out->step);
    add_sums(&t->sums, out, n);
    t->step++;
    t->total++;
    return MOPD_OK;
}
