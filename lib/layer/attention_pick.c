/* SPDX-License-Identifier: MIT
 * attention_pick.c - which way attention goes: whole sequences by tiles, trees row by row; and room for any way. */
#include "base/ints.h"
#include "layer/attention_full.h"
#include "layer/attention_normed.h"
#include "layer/attention_tree.h"

size_t mo_attention_scratch(const mo_pool *pool, size_t width, size_t n_heads, size_t longest)
{
    const size_t full = mo_attention_full_floats(width / n_heads, longest);
    const size_t normed = mo_attention_normed_floats(width, longest),
                 tree = mo_attention_tree_floats(longest);
    return mo_times(mo_pool_threads(pool), mo_max(tree, mo_max(full, normed)));
}

size_t mo_attention_bwd_scratch(const mo_pool *pool, size_t width, size_t n_heads, const mo_rows *rows)
{
    const size_t longest = mo_attention_longest(rows),
                 one = mo_attention_scratch(NULL, width, n_heads, longest);
    const size_t full = rows->segs ? 0 : mo_attention_full_bwd_floats(width / n_heads, longest);
    return mo_times(mo_pool_threads(pool), mo_max(one, full));
}

void mo_attention_fwd(mo_pool *pool, float *out, const mo_attention *a)
{
    if (a->rows->segs)
        mo_attention_tree_fwd(pool, out, a);
    else
        mo_attention_full(pool, out, a);
}

void mo_attention_bwd(mo_pool *pool, const mo_attention_grad *grad, const mo_attention *a)
{
    if (a->rows->segs)
        mo_attention_tree_bwd(pool, grad, a);
    else
        mo_attention_full_bwd(pool, grad, a);
}
