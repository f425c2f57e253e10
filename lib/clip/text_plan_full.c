/* SPDX-License-Identifier: MIT
 * text_plan_full.c - texts of a tower without a mask: each fills the context, pads behind its tokens.
 *
 *     "cat"   cat </s> <pad> <pad> ... <pad>      every row sees every row, the pads' too
 *
 * So a beginning that two texts share is not the same in both, a text cannot be cut at its end, and the pads cannot
 * be left out: what the tree of text_plan.c saves would be wrong here.  Only texts that are equal are computed once. */
#include "base/mem.h"
#include "clip/text_inner.h"

/* Whether a sequence is the same text as the one before it. */
static bool repeats(const mo_text_sequence *s, size_t i)
{
    return i && s[i].n == s[i - 1].n && s[i].shared == s[i].n;
}

static size_t count_different(const mo_text_sequence *s, size_t n)
{
    size_t different = 0;
    for (size_t i = 0; i < n; i++) different += !repeats(s, i);
    return different;
}

/* The rows of the k-th different text, and which of them is read. */
static void make_text(mo_text_plan *plan, const mo_text *text, const mo_text_sequence *s, size_t k)
{
    const size_t context = text->config.context, first = k * context;
    for (size_t d = 0; d < context; d++) {
        plan->token[first + d] = d < s->n ? s->token[d] : text->config.pad_id;
        plan->depth[first + d] = (uint32_t)d;
    }
    plan->select[k] = (uint32_t)(first + mo_text_end(text, s->token, s->n));
}

mopd_status mo_text_plan_full(mo_text_plan *plan, const mo_text *text, const mo_text_sequence *s)
{
    const size_t context = text->config.context, n = count_different(s, plan->n);
    if (n >= INT32_MAX / context) return mo_fail(MOPD_E_ARG, "%zu texts of %zu rows in one plan", n, context);
    plan->rows = (mo_rows){.rows = n * context, .n_seqs = n, .seq_len = context};
    plan->token = mo_mem_alloc(plan->rows.rows, sizeof *plan->token);
    plan->depth = mo_mem_alloc(plan->rows.rows, sizeof *plan->depth);
    plan->select = mo_mem_alloc(n, sizeof *plan->select);
    plan->text_at = mo_mem_alloc(plan->n, sizeof *plan->text_at);
    if (!plan->token || !plan->depth || !plan->select || !plan->text_at) return MOPD_E_NOMEM;
    for (size_t i = 0; i < plan->n; i++) {
        if (!repeats(s, i)) make_text(plan, text, &s[i], plan->n_select++);
        plan->text_at[s[i].index] = (uint32_t)(plan->n_select - 1);
    }
    return MOPD_OK;
}
