/* SPDX-License-Identifier: MIT
 * ukernel.c - the only file that sees blis.h.
 *
 * BLIS tells the CPU itself; its other kernel sets cannot be asked for from outside (the environment's
 * BLIS_ARCH_TYPE can).  It takes its memory from malloc and aborts where malloc gives none.  It does so when it
 * starts, which is tried beforehand here, and in its products, which are not used. */
#include "math/ukernel.h"

#include <blis.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/os_thread.h"

#define ROOM ((size_t)2 << 20) /* several times what BLIS takes when it starts */

typedef void (*kernel_fn)(dim_t m, dim_t n, dim_t k, float *alpha, float *a, float *b, float *beta, float *c,
    inc_t rs, inc_t cs, auxinfo_t *data, cntx_t *cntx);

static mo_os_mutex lock = MO_OS_MUTEX;
static atomic_bool started;
static mo_ukernel found;
static kernel_fn kernel;
static cntx_t *cntx;

static mo_ukernel_side side_of(bszid_t id)
{
    return (mo_ukernel_side){(size_t)bli_cntx_get_blksz_def_dt(BLIS_FLOAT, id, cntx),
        (size_t)bli_cntx_get_blksz_max_dt(BLIS_FLOAT, id, cntx)};
}

static void look(void)
{
    void_fp any;
    cntx = (cntx_t *)bli_gks_query_cntx(); /* starts BLIS */
#ifdef MOPD_BLIS_1
    any = bli_cntx_get_ukr_dt(BLIS_FLOAT, BLIS_GEMM_UKR, cntx);
    found.by_rows = bli_cntx_ukr_prefers_rows_dt(BLIS_FLOAT, BLIS_GEMM_UKR, cntx);
#else
    any = bli_cntx_get_l3_nat_ukr_dt(BLIS_FLOAT, BLIS_GEMM_UKR, cntx);
    found.by_rows = bli_cntx_l3_nat_ukr_prefers_rows_dt(BLIS_FLOAT, BLIS_GEMM_UKR, cntx);
#endif
    memcpy(&kernel, &any, sizeof kernel);
    found.rows = side_of(BLIS_MR);
    found.cols = side_of(BLIS_NR);
}

/* Is there room now?  Another thread may take it before BLIS does, within microseconds, once in a process. */
static mopd_status try_room(void)
{
    if (mo_mem_left(ROOM)) return MOPD_OK;
    return mo_fail(MOPD_E_NOMEM, "out of memory: no room for %zu bytes of BLIS", ROOM);
}

mopd_status mo_ukernel_prepare(void)
{
    mopd_status st = MOPD_OK;
    if (atomic_load(&started)) return MOPD_OK;
    mo_os_mutex_lock(&lock);
    if (!atomic_load(&started)) {
        st = try_room();
        if (st == MOPD_OK) {
            look();
            atomic_store(&started, true);
        }
    }
    mo_os_mutex_unlock(&lock);
    return st;
}

const mo_ukernel *mo_ukernel_get(void)
{
    return &found;
}

void mo_ukernel_run(const mo_ukernel_tile *t)
{
    float one = 1, beta = t->add ? 1 : 0, *a, *b;
    auxinfo_t data;
    memset(&data, 0, sizeof data);
    memcpy(&a, &t->a, sizeof a); /* BLIS only reads them */
    memcpy(&b, &t->b, sizeof b);
    bli_auxinfo_set_next_ab(a, b, &data);
    kernel((dim_t)t->m, (dim_t)t->n, (dim_t)t->k, &one, a, b, &beta, t->c, (inc_t)t->rs, (inc_t)t->cs, &data,
        cntx);
}

mopd_status mo_ukernel_product(float *c, const float *a, const float *b, size_t m, size_t n, size_t k)
{
    if (!m || !n || !k || m > INT_MAX || n > INT_MAX || k > INT_MAX)
        return mo_fail(MOPD_E_ARG, "product of %zu x %zu x %zu", m, n, k);
    rntm_t rntm = BLIS_RNTM_INITIALIZER;
    bli_rntm_set_num_threads(1, &rntm);
    bli_rntm_disable_l3_sup(&rntm);
    float one = 1, zero = 0, *x, *y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    bli_sgemm_ex(BLIS_NO_TRANSPOSE, BLIS_NO_TRANSPOSE, (dim_t)m, (dim_t)n, (dim_t)k, &one, x, (inc_t)k, 1, y,
        (inc_t)n, 1, &zero, c, (inc_t)n, 1, NULL, &rntm);
    return MOPD_OK;
}

const char *mo_ukernel_name(void)
{
    static _Thread_local char name[32];
    if (mo_ukernel_prepare() != MOPD_OK) return "BLIS";
    snprintf(name, sizeof name, "BLIS %s", bli_arch_string(bli_arch_query_id()));
    return name;
}
