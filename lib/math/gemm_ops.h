/* SPDX-License-Identifier: MIT
 * gemm_ops.h - the table of operations that stands behind a packed matrix, one for each way to multiply.
 *
 *     gemm_f32.c      panels of floats, the micro-kernel of this CPU path
 *     gemm_blis.c     the same panels, BLIS's micro-kernel, on the plain path, where the build has it
 *     gemm_i16.c      16-bit integers with scales
 *     gemm_bf16.c     bfloat16, on AMX
 *     gemm_i8.c       8-bit integers with scales
 *
 * A new kind is a new file and a line of the list in mat.c.  What follows a product (bias, activation,
 * residual) is the same for all of them: gemm_epilogue.h. */
#ifndef MO_MATH_GEMM_OPS_H
#define MO_MATH_GEMM_OPS_H

#include "base/fail.h"
#include "base/pool.h"
#include "math/gemm_args.h"
#include "math/kern.h"

struct mo_mat;
struct mo_mat_part;

/* One product: `plan` may change the lower half, which says how gemm.c cuts it into tasks. */
typedef struct mo_gemm_job {
    const struct mo_mat *w;
    const mo_kern *kern;
    mo_gemm_args g; /* m and n not 0 */

    size_t row_parts, col_parts; /* the tasks: so many by so many; 1 and 1 */
    size_t row_step, col_step;   /* what no cut divides: so many rows, so many columns; 1 and 16 */
    size_t group;                /* columns of one call of run, at most; all */
    bool ready;                  /* the rows stand in g.room as `run` wants them */
} mo_gemm_job;

/* Rows r0 .. r1-1 and columns c0 .. c1-1 of c; column 0 is output g.first, c0 a multiple of 16. */
typedef struct mo_gemm_area {
    size_t r0, r1, c0, c1;
} mo_gemm_area;

typedef struct mo_gemm_ops {
    const char *name;

    /* What has to be there before takes is asked.  NOMEM.  NULL: nothing. */
    mopd_status (*prepare)(void);
    /* Of floats: may these weights be multiplied so, here and now?  It depends on the weights alone, so that a
     * row's bits are the same in any company.  NULL: this kind is not of floats. */
    bool (*takes)(size_t n, size_t k);
    /* Other kinds: out = from, a matrix of floats; or *out stays zero, when it is better done by the
     * next kind.  NOMEM. */
    mopd_status (*quantize)(struct mo_mat *out, const struct mo_mat *from);
    /* *out, whose n and k are set, = the parts as they are stored, where they are numbers of this kind: where they lie in a
     * file, or copied; or *out stays without ops.  NOMEM.  NULL: never. */
    mopd_status (*lay)(struct mo_mat *out, const struct mo_mat_part *parts, size_t n_parts);

    void (*plan)(mo_gemm_job *job, size_t threads);
    /* Before all tasks; NULL: nothing. */
    void (*prepare_rows)(mo_gemm_job *job, mo_pool *pool);
    void (*run)(const mo_gemm_job *job, const mo_gemm_area *area);
    void (*row)(const struct mo_mat *mat, size_t o, float *row); /* see mo_mat_row */
} mo_gemm_ops;

extern const mo_gemm_ops mo_gemm_f32_ops, mo_gemm_blis_ops, mo_gemm_i16_ops, mo_gemm_bf16_ops, mo_gemm_i8_ops;

/* Output o of a matrix in 8 bits: k whole numbers, and what they are multiplied by.  INTERNAL: it is of another kind. */
mopd_status mo_gemm_i8_row(const struct mo_mat *mat, size_t o, int8_t *row, float *scale);

/* From output `first` of such a matrix on, a multiple of 16, as they lie there: panels, and a scale and a sum for each output. */
const int8_t *mo_gemm_i8_panels(const struct mo_mat *mat, size_t first);
const float *mo_gemm_i8_scales(const struct mo_mat *mat, size_t first);
const int32_t *mo_gemm_i8_sums(const struct mo_mat *mat, size_t first);

/* Plan and row of all kinds whose weights are panels of floats; no task has fewer than `least` panels. */
void mo_gemm_f32_plan(mo_gemm_job *job, size_t threads, size_t least);
void mo_gemm_f32_row(const struct mo_mat *mat, size_t o, float *row);

#endif
