/* SPDX-License-Identifier: MIT
 * trainer_step.c - one step: logits, losses, gradients, update.
 *
 *     d s = a (dz)^T f;   d G = f^T dh       (docs/method.md 3.5; a: logit scale)
 *
 * Nothing is allocated here when all classes are one chunk.
 *
 * On many processes every rank computes logits and losses from the same s.  Their bits may still differ where
 * CPUs do.  What moves the prompt may not differ: the gradients of the context are sums over the ranks, all
 * else is rank 0's. */
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

/* The K teachers of each picture and their weights: work's h, chosen and alpha. */
static void choose_teachers(mopd_trainer *t, const float *features, size_t n)
{
    mo_trainer_work *w = &t->work;
    size_t m = t->set.n_templates, k = t->set.kept;
    mo_gate_kind gate = t->set.method->gate;
    switch (gate) {
    case MO_GATE_IMAGE:
    case MO_GATE_STATIC:
        mo_gate_scores(t->state.gate.p, gate == MO_GATE_IMAGE ? t->dim : 0, m, features, n, w->h);
        for (size_t i = 0; i < n; i++) mo_gate_pick(w->h + i * m, m, k, w->chosen + i * k, w->alpha + i * k);
        return;
    case MO_GATE_RANDOM:
        mo_sampler_teachers(t->set.o.seed, t->state.total, w->chosen, n * k, m);
        break;
    case MO_GATE_NONE:
        memset(w->chosen, 0, n * k * sizeof *w->chosen);
        break;
    }
    for (size_t i = 0; i < n * k; i++) w->alpha[i] = 1 / (double)k;
}

/* Losses, and their gradients at the logits and gate scores: work's dz, dh and dz2. */
static void losses(mopd_trainer *t, const int32_t *labels, size_t n, mopd_step *out)
{
    const mo_loss_weights *weights = &t->weights;
    mo_trainer_work *w = &t->work;
    mo_loss_sums sums;
    mo_loss_args a = {
        .weights = *weights,
        .n = n,
        .n_classes = t->n_classes,
        .n_templates = t->set.n_templates,
        .kept = t->set.kept,
        .student = w->z,
        .teachers = w->u,
        .labels = labels,
        .chosen = w->chosen,
        .alpha = w->alpha,
        .d_student = w->dz,
        .d_scores = t->state.gate.n ? w->dh : NULL,
        .work = w->loss,
    };
    mo_loss_run(t->encoder->pool, &a, &sums);
    out->ce = sums.ce;
    out->mpd = sums.mpd;
    out->mps = sums.mps;
    out->n_correct = (uint32_t)sums.n_correct;
    out->loss = weights->ce * sums.ce + weights->mpd * sums.mpd + weights->mps * sums.mps;
    if (!t->set.method->project) return;
    /* ProGrad: the divergence from the teacher alone, for the direction that gradients may not oppose. */
    a.weights = (mo_loss_weights){.mpd = 1, .temperature = weights->temperature};
    a.d_student = w->dz2;
    mo_loss_run(t->encoder->pool, &a, &sums);
    out->reg = sums.mpd;
}

/* The gradient of the gate.  Static scores are the same for all pictures: theirs is the sum over the pictures. */
static void gate_gradient(mopd_trainer *t, const float *features, size_t n)
{
    mo_learned *gate = &t->state.gate;
    const float *dh = t->work.dh;
    size_t m = t->set.n_templates;
    if (t->set.method->gate == MO_GATE_IMAGE) {
        transposed_product(t, gate->g, features, dh, t->dim, m, n, 1);
        return;
    }
    for (size_t j = 0; j < gate->n; j++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) sum += (double)dh[i * m + j];
        gate->g[j] = (float)sum;
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

/* What ranks must have in common before a step: all that is learned, and the number of steps. */
static uint64_t state_bits(const mo_trainer_state *state)
{
    const mo_learned *context = &state->context, *gate = &state->gate;
    uint64_t bits = mo_rng_mix(mo_hash_bytes(context->p, context->n * sizeof(float)), state->total);
    return gate->n ? mo_rng_mix(bits, mo_hash_bytes(gate->p, gate->n * sizeof(float))) : bits;
}

mopd_status mo_trainer_features(mopd_trainer *t, mopd_status st)
{
    size_t n, at = own_vectors(t, &n);
    float *s = t->work.s, *own = s + t->group.first * t->dim;
    if (st == MOPD_OK && n) st = mo_student_fwd(t->student, t->state.context.p + at, own);
    if (t->group.ranks < 2) return st;
    mo_group_check check = {state_bits(&t->state), "their prompts; does reduce give all the same bits?"};
    return mo_group_rows(&t->group, st, check, &(mo_group_table){own, s, t->n_classes, t->dim});
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

/* Adds up the gradients over the ranks.  Payload: gradient of the context | d_context2 | gradient of the gate | losses;
 * of the first two each rank gives its own classes' part, the rest is rank 0's. */
static mopd_status share_gradients(mopd_trainer *t, mopd_status st, mopd_step *out)
{
    mo_learned *context = &t->state.context, *gate = &t->state.gate;
    float *second = t->work.d_context2;
    size_t n_own, at = own_vectors(t, &n_own), n = context->n, n_second = second ? n : 0;
    size_t n_all = n + n_second + gate->n + MO_GROUP_STEP;
    double *payload = mo_group_payload(&t->group, n_all), *rest = payload + n + n_second;
    double correct = out->n_correct, *const numbers[MO_GROUP_STEP] = {&out->lr, &out->loss, &out->ce,
                                         &out->mpd, &out->mps, &out->reg, &correct};
    if (st == MOPD_OK) {
        put(payload + at, context->g + at, n_own);
        if (second) put(payload + n + at, second + at, n_own);
        if (t->group.rank == 0) {
            rest = put(rest, gate->g, gate->n);
            for (size_t i = 0; i < MO_GROUP_STEP; i++) rest[i] = *numbers[i];
        }
    }
    if ((st = mo_group_sum(&t->group, st, (mo_group_check){0, "steps"}, n_all)) != MOPD_OK) return st;
    const double *sum = take(context->g, payload, n);
    sum = take(second, sum, n_second);
    sum = take(gate->g, sum, gate->n);
    for (size_t i = 0; i < MO_GROUP_STEP; i++) *numbers[i] = sum[i];
    out->n_correct = (uint32_t)correct;
    return MOPD_OK;
}

/* Gradients of the student features: work's ds, and ds2 for ProGrad. */
static void feature_gradients(mopd_trainer *t, const float *features, size_t n, mopd_step *out)
{
    mo_trainer_work *w = &t->work;
    size_t c = t->n_classes;
    float scale = t->encoder->logit_scale;
    transposed_product(t, w->ds, w->dz, features, c, t->dim, n, scale);
    if (w->ds2) transposed_product(t, w->ds2, w->dz2, features, c, t->dim, n, scale);
    if (t->weights.kg == 0) return;
    out->reg = mo_loss_kg(w->s, t->teachers, c, t->dim, t->weights.kg, w->ds);
    out->loss += t->weights.kg * out->reg;
}

static mopd_status gradients(mopd_trainer *t, const float *features, size_t n, mopd_step *out)
{
    mo_trainer_work *w = &t->work;
    mo_learned *context = &t->state.context;
    bool second = w->ds2 != NULL;
    feature_gradients(t, features, n, out);
    if (t->state.gate.n) gate_gradient(t, features, n);
    size_t n_own, at = own_vectors(t, &n_own), row = t->group.first * t->dim;
    float *const d_features[] = {w->ds + row, second ? w->ds2 + row : NULL};
    float *const d_context[] = {context->g + at, second ? w->d_context2 + at : NULL};
    mopd_status st = MOPD_OK;
    if (n_own)
        st = mo_student_bwd(t->student, context->p + at, w->s + row, second ? 2 : 1, d_features, d_context);
    if (t->group.ranks > 1) st = share_gradients(t, st, out);
    if (st == MOPD_OK && second)
        mo_loss_project(context->g, w->d_context2, context->n, (double)t->set.o.lambda);
    return st;
}

/* One step of descent, of all that learns or of nothing. */
static mopd_status update(mo_trainer_state *state, const mopd_trainer_options *o, double lr)
{
    mo_sgd sgd = {(float)lr, o->momentum, o->weight_decay};
    if (!mo_sgd_try(&sgd, &state->context))
        return mo_fail(MOPD_E_NUMERIC, "the gradient of the context is not finite");
    if (state->gate.n) {
        if (!mo_sgd_try(&sgd, &state->gate))
            return mo_fail(MOPD_E_NUMERIC, "the gradient of the gate is not finite");
        mo_sgd_take(&state->gate);
    }
    mo_sgd_take(&state->context);
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
    const mo_trainer_work *w = &t->work;
    mopd_status st = mo_trainer_features(t, MOPD_OK);
    if (st != MOPD_OK) return st;
    mo_trainer_logits(t, features, n, w->s, t->n_classes, w->z);
    if (w->u) mo_trainer_logits(t, features, n, t->teachers, t->set.n_templates * t->n_classes, w->u);
    choose_teachers(t, features, n);
    losses(t, labels, n, out);
    if ((st = gradients(t, features, n, out)) != MOPD_OK) return st;
    if (!isfinite(out->loss) || !isfinite(out->reg)) return mo_fail(MOPD_E_NUMERIC, "the loss is not finite");
    return update(&t->state, &t->set.o, out->lr);
}

mopd_status mo_trainer_step(
    mopd_trainer *t, const float *features, const int32_t *labels, size_t n, mopd_step *out)
{
    mo_trainer_state *state = &t->state;
    *out = (mopd_step){.struct_size = sizeof *out,
        .epoch = (uint32_t)state->epoch + 1,
        .step = (uint32_t)state->step + 1,
        .lr = mo_trainer_lr(t, state->epoch)};
    mopd_status st = step_inner(t, features, labels, n, out);
    if (st != MOPD_OK) return mo_fail_at(st, "epoch %u, step %u", (unsigned)out->epoch, (unsigned)out->step);
    add_sums(&state->sums, out, n);
    state->step++;
    state->total++;
    return MOPD_OK;
}
