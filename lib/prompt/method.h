/* SPDX-License-Identifier: MIT
 * method.h - what each training method is made of: where its teachers come from and which losses it adds up.
 *
 *     loss = ce CE + mpd MPD + mps MPS + kg (1 - mean cosine to the teacher)            (prompt/loss.h)
 *
 * ProGrad alone does more with gradients than add them: it takes from the gradient of CE what opposes the
 * gradient of the divergence from the teacher. */
#ifndef MO_PROMPT_METHOD_H
#define MO_PROMPT_METHOD_H

#include <stdbool.h>

#include "base/fail.h"
#include "mopd/prompt.h"

#define MO_METHODS 7

/* Weights of the regularisers as their papers give them; what an option left open becomes. */
#define MO_METHOD_KGCOOP_LAMBDA 8
#define MO_METHOD_PROGRAD_LAMBDA 1

typedef enum mo_teachers_kind { MO_TEACHERS_NONE, MO_TEACHERS_FIRST, MO_TEACHERS_ALL } mo_teachers_kind;

/* How the K teachers of a picture are found. */
typedef enum mo_gate_kind {
    MO_GATE_NONE,   /* no gate: the first teacher alone, or none */
    MO_GATE_IMAGE,  /* scores G^T f, docs/method.md 3.3 */
    MO_GATE_STATIC, /* one learned score a template */
    MO_GATE_RANDOM  /* drawn with replacement, equal weights */
} mo_gate_kind;

typedef struct mo_method {
    mo_teachers_kind teachers;
    mo_gate_kind gate;
    bool distils; /* w CE + (1 - w) MPD; else CE alone */
    bool mps;     /* + w2 MPS */
    bool kg;      /* + lambda x (1 - mean cosine) */
    bool project; /* ProGrad */
    float lambda; /* default */
} mo_method;

/* The names of MOPD_METHOD_... 0 to MO_METHODS - 1. */
extern const char *const mo_method_names[MO_METHODS];

/* NULL for an unknown number. */
const mo_method *mo_method_get(int32_t method);
const char *mo_method_name(int32_t method);

/* ARG for an unknown name; the message lists the known ones. */
mopd_status mo_method_find(const char *name, int32_t *method);

#endif
