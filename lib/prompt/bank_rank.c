/* SPDX-License-Identifier: MIT
 * bank_rank.c - what a bank says of pictures: logits, probabilities, the best classes.
 *
 *     logits [n x C] = scale x features . feature^T       probabilities = softmax over the classes
 *     sigmoids = 1 / (1 + exp(-(logits + bias)))          each class for itself (Zhai et al. 2023, SigLIP)
 *
 * A row's bits do not depend on the rows beside it. */
#include <math.h>

#include "base/ints.h"
#include "base/mem.h"
#include "math/kern.h"
#include "prompt/bank.h"

#define ROWS 32 /* of a call to mo_bank_top that are worked on at once */

void mo_bank_logits(const mopd_bank *bank, const float *features, size_t n, float *logits)
{
    if (!n) return;
    mo_gemm_args args = {.c = logits, .ldc = bank->n_classes, .a = features, .lda = bank->dim, .m = n};
    mo_gemm(NULL, &bank->packed, &args);
    for (size_t i = 0; i < n * bank->n_classes; i++) logits[i] *= bank->scale;
}

void mo_bank_softmax(float *logits, size_t n, size_t n_classes)
{
    const mo_kern *k = mo_kern_get();
    for (size_t i = 0; i < n; i++) k->softmax(logits + i * n_classes, logits + i * n_classes, 1, n_classes);
}

mopd_status mo_bank_sigmoids(const mopd_bank *bank, const float *features, size_t n, float *sigmoids)
{
    if (!bank->has_bias)
        return mo_fail(MOPD_E_UNSUPPORTED, "this bank has no logit bias: its model was not trained with a "
                                           "sigmoid loss (as SigLIP is), so its "
                                           "logits compare classes and say nothing of one alone");
    mo_bank_logits(bank, features, n, sigmoids);
    for (size_t i = 0; i < n * bank->n_classes; i++)
        sigmoids[i] = 1.0f / (1.0f + expf(-(sigmoids[i] + bank->bias)));
    return MOPD_OK;
}

/* Whether class a of a row comes before class b. */
static bool before(const float *logits, uint32_t a, uint32_t b)
{
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
}

/* Moves the class at the root of a heap, worst on top, to its place. */
static void sift(mopd_match *heap, size_t n, const float *logits)
{
    for (size_t i = 0, child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && before(logits, heap[child].index, heap[child + 1].index)) child++;
        if (!before(logits, heap[i].index, heap[child].index)) break;
        mopd_match x = heap[i];
        heap[i] = heap[child];
        heap[child] = x;
    }
}

void mo_bank_best(
    const float *logits, const float *probability, size_t n_classes, size_t top, mopd_match *matches)
{
    size_t n = 0;
    if (top > n_classes) top = n_classes;
    for (uint32_t c = 0; c < n_classes; c++) {
        if (n == top) {
            if (!before(logits, c, matches[0].index)) continue;
            matches[0].index = c;
            sift(matches, n, logits);
            continue;
        }
        size_t i = n++;
        matches[i].index = c;
        for (; i && before(logits, matches[(i - 1) / 2].index, matches[i].index); i = (i - 1) / 2) {
            mopd_match x = matches[i];
            matches[i] = matches[(i - 1) / 2];
            matches[(i - 1) / 2] = x;
        }
    }
    while (n > 1) { /* the worst to the end, again and again */
        mopd_match x = matches[--n];
        matches[n] = matches[0];
        matches[0] = x;
        sift(matches, n, logits);
    }
    for (size_t i = 0; i < top; i++) {
        matches[i].logit = logits[matches[i].index];
        matches[i].probability = probability[matches[i].index];
    }
}

mopd_status mo_bank_top(
    const mopd_bank *bank, const float *features, size_t n, size_t top, mopd_match *matches)
{
    size_t n_classes = bank->n_classes, kept = mo_min(top, n_classes);
    size_t rows = mo_min(n, ROWS);
    float *logits = mo_mem_alloc(rows + 1, n_classes * sizeof *logits);
    if (!logits) return MOPD_E_NOMEM;
    float *probability = logits + rows * n_classes;
    for (size_t first = 0; first < n; first += rows) {
        size_t m = mo_min(rows, n - first);
        mo_bank_logits(bank, features + first * bank->dim, m, logits);
        for (size_t i = 0; i < m; i++) {
            const float *row = logits + i * n_classes;
            mo_kern_get()->softmax(probability, row, 1, n_classes);
            mo_bank_best(row, probability, n_classes, top, matches + (first + i) * kept);
        }
    }
    mo_mem_free(logits);
    return MOPD_OK;
}
