/* SPDX-License-Identifier: MIT
 * api_gemm.c - the rate of one matrix product of a tower's shape: c [256 x 3072] = a [256 x 768] W^T. */
#include "api/api.h"
#include "base/mem.h"
#include "base/os.h"
#include "math/gemm.h"
#include "model/encoder.h"

enum { ROWS = 256, INPUTS = 768, OUTPUTS = 3072, ROUNDS = 12 };
static const double LONG_ENOUGH = 0.1; /* seconds: after two rounds no other begins */

static double best_rate(mo_pool *pool, const mo_mat *w, const mo_gemm_args *args)
{
    double best = 0;
    const double begin = mo_os_clock();
    for (int i = 0; i < ROUNDS && (i < 2 || mo_os_clock() - begin < LONG_ENOUGH); i++) {
        double start = mo_os_clock();
        mo_gemm(pool, w, args);
        const double operations = 2.0 * (double)((size_t)ROWS * INPUTS * OUTPUTS);
        const double rate = 1e-9 * operations / (mo_os_clock() - start);
        if (rate > best) best = rate;
    }
    return best;
}

mopd_status mopd_encoder_gemm_rate(const mopd_encoder *encoder, double *gflops)
{
    MO_API_NEED(encoder);
    MO_API_NEED(gflops);
    float *panels = mo_mem_calloc(mo_mat_floats(OUTPUTS, INPUTS), sizeof *panels);
    float *a = mo_mem_calloc((size_t)ROWS * INPUTS, sizeof *a),
          *c = mo_mem_calloc((size_t)ROWS * OUTPUTS, sizeof *c);
    bool ok = panels && a && c;
    if (ok) {
        mo_mat w;
        ok = mo_mat_view(&w, panels, OUTPUTS, INPUTS) == MOPD_OK;
        ok = ok && mo_mat_quantize(&w, mo_encoder_products(encoder)) == MOPD_OK;
        if (ok)
            *gflops = best_rate(
                encoder->pool, &w, &(mo_gemm_args){.c = c, .ldc = OUTPUTS, .a = a, .lda = INPUTS, .m = ROWS});
        mo_mat_free(&w);
    }
    mo_mem_free(panels);
    mo_mem_free(a);
    mo_mem_free(c);
    return ok ? MOPD_OK : MOPD_E_NOMEM;
}
