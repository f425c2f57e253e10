/* SPDX-License-Identifier: MIT
 * text_plan.c - texts that begin alike share the rows of their beginning: a prefix tree, written as segments.
 *
 * The texts are sorted, so each shares with the one before it its longest beginning; what is new becomes
 * rows, in the order of a walk through the tree.  A segment ends where paths part:
 *
 *     "a photo of a cat."    <s> a photo of a | cat . </s>
 *     "a photo of a dog."                     | dog . </s>         3 segments, 11 rows instead of 16
 *
 * That holds where a token sees only those before it.  Texts of a tower without a mask go whole: text_plan_full.c. */
#include <stdlib.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "clip/text_inner.h"

#define NO_ROW UINT32_MAX

static int compare(const void *a, const void *b)
{
    const mo_text_sequence *x = a, *y = b;
    size_t n = mo_min(x->n, y->n);
    for (size_t i = 0; i < n; i++)
        if (x->token[i] != y->token[i]) return x->token[i] < y->token[i] ? -1 : 1;
    if (x->n != y->n) return x->n < y->n ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static size_t shared_beginning(const mo_text_sequence *a, const mo_text_sequence *b)
{
    size_t n = mo_min(a->n, b->n), i = 0;
    while (i < n && a->token[i] == b->token[i]) i++;
    return i;
}

size_t mo_text_end(const mo_text *text, const uint32_t *tokens, size_t n)
{
    size_t at = 0;
    uint32_t largest = 0;
    if (text->config.end_rule == MO_END_LAST) return text->config.context - 1;
    for (size_t i = 0; i < n; i++) {
        if (tokens[i] & MO_TEXT_CTX) continue;
        if (text->config.end_rule == MO_END_FIRST) {
            if (tokens[i] == text->config.end_id) return i;
        } else if (tokens[i] > largest) {
            largest = tokens[i];
            at = i;
        }
    }
    return at;
}

/* Checks and cuts the texts; counts the context vectors. */
static mopd_status read_sequences(
    mo_text_sequence *s, mo_text_plan *plan, const mo_text *text, const uint32_t *tokens, const size_t *start)
{
    for (size_t i = 0; i < plan->n; i++) {
        s[i] = (mo_text_sequence){.token = tokens + start[i], .n = start[i + 1] - start[i], .index = i};
        if (start[i + 1] <= start[i]) return mo_fail(MOPD_E_ARG, "text %zu has no tokens", i);
        if (text->config.mask == MO_MASK_CAUSAL) s[i].n = mo_text_end(text, s[i].token, s[i].n) + 1;
        if (s[i].n > text->config.context)
            return mo_fail(
                MOPD_E_ARG, "text %zu has %zu tokens; the model reads %u", i, s[i].n, text->config.context);
        for (size_t j = 0; j < s[i].n; j++) {
            uint32_t t = s[i].token[j];
            if (t & MO_TEXT_CTX) {
                size_t last = (size_t)(t & ~MO_TEXT_CTX) + 1;
                if (last > plan->n_ctx) plan->n_ctx = last;
            } else if (t >= text->config.vocab) {
                return mo_fail(MOPD_E_ARG, "text %zu, token %zu: id %u; the vocabulary ends at %u", i, j, t,
                    text->config.vocab - 1);
            }
        }
    }
    return MOPD_OK;
}

static size_t count_rows(mo_text_sequence *s, size_t n)
{
    size_t rows = 0;
    for (size_t i = 0; i < n; i++) {
        s[i].shared = i ? shared_beginning(&s[i - 1], &s[i]) : 0;
        rows += s[i].n - s[i].shared;
    }
    return rows;
}

/* Rows in tree order with their parents and how many follow each; which row ends each text. */
static void make_rows(
    mo_text_plan *plan, const mo_text_sequence *s, uint32_t *parent, uint32_t *children, uint32_t *path)
{
    uint32_t row = 0;
    for (size_t i = 0; i < plan->n; i++) {
        for (size_t d = s[i].shared; d < s[i].n; d++) {
            plan->token[row] = s[i].token[d];
            plan->depth[row] = (uint32_t)d;
            parent[row] = d ? path[d - 1] : NO_ROW;
            if (d) children[path[d - 1]]++;
            path[d] = row++;
        }
        plan->text_at[s[i].index] = path[s[i].n - 1];
    }
}

/* seg_of[row]: its segment.  A new one starts at a root, where the parent is not the row before, or
 * where it forks. */
static void make_segments(
    mo_text_plan *plan, const uint32_t *parent, const uint32_t *children, uint32_t *seg_of)
{
    size_t n = 0;
    for (uint32_t r = 0; r < plan->rows.rows; r++) {
        uint32_t p = parent[r];
        bool goes_on = r && p == r - 1 && children[p] == 1;
        if (goes_on) {
            plan->segs[n - 1].n++;
        } else {
            plan->segs[n++] =
                (mo_segment){.first = r, .n = 1, .parent = p == NO_ROW ? -1 : (int32_t)seg_of[p]};
        }
        seg_of[r] = (uint32_t)(n - 1);
    }
    plan->rows.segs = plan->segs;
    plan->rows.n_segs = n;
}

typedef struct token_at {
    uint32_t token, depth, row;
} token_at;

static int compare_places(const void *a, const void *b)
{
    const token_at *x = a, *y = b;
    if (x->token != y->token) return x->token < y->token ? -1 : 1;
    if (x->depth != y->depth) return x->depth < y->depth ? -1 : 1;
    return x->row < y->row ? -1 : 1;
}

/* Rows alike before the first block: of each token at each depth the first row, and every row's among these. */
static mopd_status make_twins(mo_text_plan *plan)
{
    const size_t rows = plan->rows.rows;
    token_at *p = mo_mem_alloc(rows, sizeof *p);
    plan->duplicate = mo_mem_alloc(rows, 2 * sizeof *plan->duplicate);
    if (!p || !plan->duplicate) {
        mo_mem_free(p);
        return MOPD_E_NOMEM;
    }
    uint32_t *first = plan->duplicate, *of = first + rows;
    for (uint32_t r = 0; r < rows; r++) p[r] = (token_at){plan->token[r], plan->depth[r], r};
    qsort(p, rows, sizeof *p, compare_places);
    for (size_t i = 0, one = 0; i < rows; i++) {
        if (p[i].token != p[one].token || p[i].depth != p[one].depth) one = i;
        of[p[i].row] = p[one].row;
    }
    mo_mem_free(p);
    for (uint32_t r = 0; r < rows; r++) {
        const bool is_first = of[r] == r;
        if (is_first) first[plan->duplicates.n] = r;
        of[r] = is_first ? (uint32_t)plan->duplicates.n++ : of[of[r]];
    }
    plan->duplicates.first = first;
    plan->duplicates.of = of;
    return MOPD_OK;
}

/* text_at holds rows; the rows that occur become `select`, and text_at their places in it. */
static void make_select(mo_text_plan *plan, uint32_t *place)
{
    size_t rows = plan->rows.rows;
    memset(place, 0, rows * sizeof *place);
    for (size_t i = 0; i < plan->n; i++) place[plan->text_at[i]] = 1;
    for (uint32_t r = 0; r < rows; r++)
        if (place[r]) {
            plan->select[plan->n_select] = r;
            place[r] = (uint32_t)plan->n_select++;
        }
    for (size_t i = 0; i < plan->n; i++) plan->text_at[i] = place[plan->text_at[i]];
}

static mopd_status build_tree(mo_text_plan *plan, const mo_text_sequence *s, size_t longest)
{
    size_t rows = plan->rows.rows;
    mopd_status st = MOPD_E_NOMEM;
    uint32_t *parent = mo_mem_alloc(rows, sizeof *parent), *children = mo_mem_calloc(rows, sizeof *children);
    uint32_t *path = mo_mem_alloc(longest, sizeof *path);
    plan->token = mo_mem_alloc(rows, sizeof *plan->token);
    plan->depth = mo_mem_alloc(rows, sizeof *plan->depth);
    plan->segs = mo_mem_alloc(rows, sizeof *plan->segs);
    plan->select = mo_mem_alloc(rows, sizeof *plan->select);
    plan->text_at = mo_mem_alloc(plan->n, sizeof *plan->text_at);
    if (!parent || !children || !path || !plan->token || !plan->depth || !plan->segs || !plan->select ||
        !plan->text_at)
        goto done;
    make_rows(plan, s, parent, children, path);
    uint32_t *seg_of = mo_mem_alloc(rows, sizeof *seg_of);
    if (!seg_of) goto done;
    make_segments(plan, parent, children, seg_of);
    make_select(plan, seg_of);
    mo_mem_free(seg_of);
    st = MOPD_OK;
done:
    mo_mem_free(path);
    mo_mem_free(children);
    mo_mem_free(parent);
    return st;
}

mopd_status mo_text_plan_create(
    mo_text_plan **out, const mo_text *text, const uint32_t *tokens, const size_t *start, size_t n)
{
    *out = NULL;
    if (n == 0) return mo_fail(MOPD_E_ARG, "a plan of no texts");
    mo_text_plan *plan = mo_mem_calloc(1, sizeof *plan);
    mo_text_sequence *s = mo_mem_alloc(n, sizeof *s);
    mopd_status st = plan && s ? MOPD_OK : MOPD_E_NOMEM;
    if (st != MOPD_OK) goto done;
    plan->n = n;
    if ((st = read_sequences(s, plan, text, tokens, start)) != MOPD_OK) goto done;
    qsort(s, n, sizeof *s, compare);
    plan->rows.rows = count_rows(s, n);
    if (plan->rows.rows >= INT32_MAX)
        st = mo_fail(MOPD_E_ARG, "%zu rows in one plan", plan->rows.rows);
    else if (text->config.mask == MO_MASK_CAUSAL)
        st = build_tree(plan, s, text->config.context);
    else
        st = mo_text_plan_full(plan, text, s);
    if (st == MOPD_OK) st = make_twins(plan);
done:
    mo_mem_free(s);
    if (st == MOPD_OK)
        *out = plan;
    else
        mo_text_plan_free(plan);
    return st;
}

void mo_text_plan_free(mo_text_plan *plan)
{
    if (!plan) return;
    mo_mem_free(plan->token);
    mo_mem_free(plan->depth);
    mo_mem_free(plan->segs);
    mo_mem_free(plan->select);
    mo_mem_free(plan->text_at);
    mo_mem_free(plan->duplicate);
    mo_mem_free(plan);
}

size_t mo_text_plan_most(const mo_text *text, size_t n_tokens)
{
    return text->config.mask == MO_MASK_CAUSAL ? n_tokens : text->config.context;
}

size_t mo_text_plan_rows(const mo_text_plan *plan)
{
    return plan->rows.rows;
}
size_t mo_text_plan_texts(const mo_text_plan *plan)
{
    return plan->n;
}
size_t mo_text_plan_n_ctx(const mo_text_plan *plan)
{
    return plan->n_ctx;
}
