/* SPDX-License-Identifier: MIT
 * gemm.c - a product cut into tasks, which a pool's threads share and the matrix's own operations run.
 *
 *     task       rows r0..r1 and columns c0..c1 of the result
 *       group    so many columns that their part of c and the weights at work stay in the second cache */
#include "math/gemm.h"

#include "base/ints.h"
#include "math/gemm_ops.h"
#if defined(MOPD_BLIS)
#include "math/ukernel.h"
#endif

/* Where part i of n things begins, cut between steps; parts are as equal as can be. */
static size_t begin_of(size_t n, size_t step, size_t parts, size_t i)
{
    return mo_min(mo_cut(mo_ceil_div(n, step), parts, i) * step, n);
}

static size_t column_of(const mo_gemm_job *j, size_t part)
{
    return begin_of(j->g.n, j->col_step, j->col_parts, part);
}

static void do_task(void *ctx, size_t task)
{
    const mo_gemm_job *j = ctx;
    const size_t row = task / j->col_parts, col = task % j->col_parts;
    const size_t begin = column_of(j, col), end = column_of(j, col + 1);
    const size_t panels = mo_ceil_div(end - begin, MO_PANEL), groups = mo_ceil_div(end - begin, j->group);
    mo_gemm_area area = {.r0 = begin_of(j->g.m, j->row_step, j->row_parts, row),
        .r1 = begin_of(j->g.m, j->row_step, j->row_parts, row + 1)};
    for (size_t i = 0; i < groups; i++) {
        area.c0 = begin + mo_cut(panels, groups, i) * MO_PANEL;
        area.c1 = mo_min(begin + mo_cut(panels, groups, i + 1) * MO_PANEL, end);
        j->w->ops->run(j, &area);
    }
}

void mo_gemm(mo_pool *pool, const mo_mat *w, const mo_gemm_args *args)
{
    mo_gemm_job j = {.w = w, .kern = mo_kern_get(), .g = *args};
    if (!j.g.n) j.g.n = w->n - j.g.first;
    if (!j.g.m || !j.g.n || !w->k) return;
    j.row_parts = j.col_parts = j.row_step = 1;
    j.col_step = MO_PANEL;
    j.group = j.g.n;
    w->ops->plan(&j, mo_pool_now(pool));
    if (w->ops->prepare_rows) w->ops->prepare_rows(&j, pool);
    mo_pool_run(pool, j.row_parts * j.col_parts, do_task, &j);
}

const char *mo_gemm_name(void)
{
    const mo_kern *kern = mo_kern_get();
#if defined(MOPD_BLIS)
    if (kern == mo_kern_plain()) return mo_ukernel_name();
#endif
    return kern->tile_name;
}
