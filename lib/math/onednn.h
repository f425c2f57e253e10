/* SPDX-License-Identifier: MIT
 * onednn.h - bfloat16 products by oneDNN, whose library is loaded when it is first asked for.
 *
 * A plan is one product of a fixed shape, c [MO_ONEDNN_ROWS x width] = a [MO_ONEDNN_ROWS x depth] w, sums
 * in float.  Whoever has fewer rows adds zeros: every call does the same, so that a row's bits depend on
 * the row and on W alone.  Plans are shared by all matrices of their k and width, made under a lock, and
 * used by any number of threads at once, each with a mo_onednn_work of its own.  oneDNN keeps to the
 * calling thread meanwhile. */
#ifndef MO_MATH_ONEDNN_H
#define MO_MATH_ONEDNN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"

#define MO_ONEDNN_ROWS 64
#define MO_ONEDNN_BLOCKS 4 /* of rows in a mo_onednn_work at most */

/* What oneDNN would multiply with here, NONE also where its library is missing or not as expected. */
typedef enum mo_onednn_kind { MO_ONEDNN_NONE, MO_ONEDNN_AVX512, MO_ONEDNN_AMX } mo_onednn_kind;
mo_onednn_kind mo_onednn_load(void);

/* For tests: the library to load from now on (NULL: the usual one).  Call while no plan lives. */
void mo_onednn_set_library(const char *name);

typedef struct mo_onednn_plan {
    size_t k, depth; /* inputs; the same and zeros up to a multiple of 32 */
    size_t width;    /* outputs of one product */
    size_t blocks;   /* of MO_ONEDNN_ROWS rows in one mo_onednn_work, 1..MO_ONEDNN_BLOCKS */
    size_t bytes;    /* of packed weights, a multiple of 64 */
} mo_onednn_plan;

/* A plan to be released, or *out = NULL where oneDNN has none as wanted or the trial product came
 * out wrong.  NOMEM. */
mopd_status mo_onednn_plan_get(const mo_onednn_plan **out, size_t k, size_t width);
void mo_onednn_plan_release(const mo_onednn_plan *shape);

/* packed = w [depth x width]; false when oneDNN refuses. */
bool mo_onednn_pack(const mo_onednn_plan *plan, void *packed, const float *w);

typedef struct mo_onednn_work {
    uint16_t *a; /* blocks x MO_ONEDNN_ROWS x depth */
    float *c;    /* MO_ONEDNN_ROWS x width */
} mo_onednn_work;

/* Room for one thread, to be given back by it.  There is always one; it may have to wait for another's. */
mo_onednn_work *mo_onednn_take(const mo_onednn_plan *shape);
void mo_onednn_give(const mo_onednn_plan *shape, mo_onednn_work *room);

/* room->c = block `block` of room->a times packed weights; NaN should oneDNN refuse. */
void mo_onednn_multiply(const mo_onednn_plan *shape, mo_onednn_work *room, size_t block, const void *packed);

/* to = x in bfloat16, rounded to nearest even; for CPUs with AVX-512. */
void mo_bf16_round(uint16_t *to, const float *x, size_t n);

#endif
