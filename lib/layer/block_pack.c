/* SPDX-License-Identifier: MIT
 * block_pack.c - a transformer block from its stored tensors: shapes checked, weights packed. */
#include <string.h>

#include "base/mem.h"
#include "base/view.h"
#include "layer/balance.h"
#include "layer/block.h"

static mopd_status copy_norm(float *to, const mo_view *from, size_t width, const char *what)
{
    if (from->n != width)
        return mo_fail(MOPD_E_MISMATCH, "%s has %zu values, the width is %zu", what, from->n, width);
    if (!mo_view_floats(from, 0, width, to))
        return mo_fail(MOPD_E_UNSUPPORTED, "%s is of type %s", what, mo_dtype_name(from->dtype));
    return MOPD_OK;
}

static mopd_status pack_norms(mo_block *b, const mo_block_parts *p)
{
    const size_t w = p->width;
    b->norms = mo_mem_alloc(w, 4 * sizeof *b->norms);
    if (!b->norms) return MOPD_E_NOMEM;
    mopd_status st;
    if ((st = copy_norm(b->norms, p->ln1_gamma, w, "first norm's weight")) != MOPD_OK) return st;
    if ((st = copy_norm(b->norms + w, p->ln1_beta, w, "first norm's bias")) != MOPD_OK) return st;
    if ((st = copy_norm(b->norms + 2 * w, p->ln2_gamma, w, "second norm's weight")) != MOPD_OK) return st;
    if ((st = copy_norm(b->norms + 3 * w, p->ln2_beta, w, "second norm's bias")) != MOPD_OK) return st;
    b->ln1 = (mo_norm){b->norms, b->norms + w, w, p->eps};
    b->ln2 = (mo_norm){b->norms + 2 * w, b->norms + 3 * w, w, p->eps};
    return MOPD_OK;
}

static mopd_status check(const mo_linear *l, size_t n, size_t k, const char *what)
{
    if (l->w.n == n && l->w.k == k) return MOPD_OK;
    return mo_fail(MOPD_E_MISMATCH, "%s is %zu x %zu, expected %zu x %zu", what, l->w.n, l->w.k, n, k);
}

static mopd_status pack_all(mo_block *b, const mo_block_parts *p)
{
    const size_t w = p->width;
    mopd_status st;
    if ((st = pack_norms(b, p)) != MOPD_OK) return st;
    if ((st = mo_linear_lay(&b->qkv, p->qkv, p->n_qkv, p->laid)) != MOPD_OK) return st;
    if ((st = mo_linear_lay(&b->out, &p->out, 1, p->laid)) != MOPD_OK) return st;
    if ((st = mo_linear_lay(&b->fc1, &p->fc1, 1, p->laid)) != MOPD_OK) return st;
    if ((st = mo_linear_lay(&b->fc2, &p->fc2, 1, p->laid)) != MOPD_OK) return st;
    b->hidden = b->fc1.w.n;
    if ((st = check(&b->qkv, 3 * w, w, "attention's input weight")) != MOPD_OK) return st;
    if ((st = check(&b->out, w, w, "attention's output weight")) != MOPD_OK) return st;
    if ((st = check(&b->fc1, b->hidden, w, "first weight of the MLP")) != MOPD_OK) return st;
    if (b->hidden < w) return mo_fail(MOPD_E_UNSUPPORTED, "MLP of %zu in a tower of width %zu", b->hidden, w);
    return check(&b->fc2, w, b->hidden, "second weight of the MLP");
}

mopd_status mo_block_pack(mo_block *out, const mo_block_parts *p)
{
    *out = (mo_block){.width = p->width, .n_heads = p->n_heads, .act = p->act};
    size_t room;
    if (!p->width || !p->n_heads || p->width % p->n_heads || !mo_mul(p->width, 4 * sizeof(float), &room)) {
        *out = (mo_block){0};
        return mo_fail(MOPD_E_MISMATCH, "width %zu cannot be split into %zu heads", p->width, p->n_heads);
    }
    mopd_status st = pack_all(out, p);
    if (st != MOPD_OK) mo_block_free(out);
    return st;
}

/* What is no floats lies as it has to already. */
static mopd_status quantize(mo_mat *w, mo_precision precision)
{
    return mo_mat_has_floats(w) ? mo_mat_quantize(w, precision) : MOPD_OK;
}

mopd_status mo_block_quantize(mo_block *block, mo_precision precision)
{
    mopd_status st = precision == MO_PRECISION_8 && !block->balanced ? mo_balance_block(block) : MOPD_OK;
    if (st == MOPD_OK) st = quantize(&block->qkv.w, precision);
    if (st == MOPD_OK) st = quantize(&block->out.w, precision);
    if (st == MOPD_OK) st = quantize(&block->fc1.w, precision);
    return st == MOPD_OK ? quantize(&block->fc2.w, precision) : st;
}

void mo_block_free(mo_block *block)
{
    if (!block) return;
    mo_linear_free(&block->qkv);
    mo_linear_free(&block->out);
    mo_linear_free(&block->fc1);
    mo_linear_free(&block->fc2);
    mo_mem_free(block->norms);
    *block = (mo_block){0};
}
