/* SPDX-License-Identifier: MIT
 * student.h - class features as a function of the context vectors, and the gradient back to them.
 *
 *     s_c = g(V, c) / |g(V, c)|        C x D from vectors x W
 *
 * Token sequences never change, so their plan is made once.  When one forward pass of all classes would keep
 * more than the memory limit, classes go in chunks: the way back computes each chunk forward again.  Features
 * do not depend on the chunks; gradients are sums over them and may differ in the last bits. */
#ifndef MO_PROMPT_STUDENT_H
#define MO_PROMPT_STUDENT_H

#include "prompt/context.h"

typedef struct mo_student mo_student;

#define MO_STUDENT_MIB 1024
#define MO_STUDENT_MEMORY ((size_t)MO_STUDENT_MIB << 20)

/* limit: bytes of the text tower's work, 0: MO_STUDENT_MEMORY.  for_training: mo_student_bwd will be called.
 * progress: told by mo_student_fwd of each chunk, which then has few classes; or NULL.  The encoder must
 * outlive it.  ARG: a prompt too long, or one class alone needs more than the limit. */
typedef struct mo_student_args {
    const mopd_encoder *encoder;
    mo_context_shape shape;
    const char *const *classes;
    size_t n_classes;
    size_t limit;
    bool for_training;
    mo_progress *progress;
} mo_student_args;

mopd_status mo_student_create(mo_student **out, const mo_student_args *args);
void mo_student_free(mo_student *student);
size_t mo_student_chunks(const mo_student *student);

/* mo_student_fwd and _bwd ask `stop` many times, on the calling thread.  Any answer but 0 ends them with
 * CANCELLED, and their results are undefined.  NULL: nobody is asked.  For training only. */
void mo_student_watch(mo_student *student, int (*stop)(void *context), void *context);

/* features (C x D, rows of length 1) with vectors ctx.  NUMERIC names a class whose feature is zero
 * or not finite. */
mopd_status mo_student_fwd(mo_student *student, const float *ctx, float *features);

/* d_ctx[g] (vectors x W) = gradient given d_features[g] (C x D, overwritten), for g = 0 .. n_grads - 1 (1 or
 * 2), after mo_student_fwd with the same ctx; features as it left them. */
mopd_status mo_student_bwd(mo_student *student, const float *ctx, const float *features, size_t n_grads,
    float *const *d_features, float *const *d_ctx);

#endif
