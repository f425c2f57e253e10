/* SPDX-License-Identifier: MIT
 * cholesky.c - row by row, so that inner products run over contiguous memory; sums in a fixed order. */
#include "math/cholesky.h"

#include <math.h>

/* Four running sums: a fixed order that the compiler may keep in registers. */
static double dot(const double *a, const double *b, size_t n)
{
    double s[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (size_t k = 0; k < 4; k++) s[k] += a[i + k] * b[i + k];
    }
    for (; i < n; i++) s[0] += a[i] * b[i];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

bool mo_cholesky(double *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double *row = a + i * n;
        for (size_t j = 0; j < i; j++) row[j] = (row[j] - dot(row, a + j * n, j)) / a[j * n + j];
        double rest = row[i] - dot(row, row, i);
        if (!(rest > 0) || !isfinite(rest)) return false;
        row[i] = sqrt(rest);
    }
    return true;
}

void mo_cholesky_solve(const double *l, size_t n, double *x)
{
    for (size_t i = 0; i < n; i++) x[i] = (x[i] - dot(l + i * n, x, i)) / l[i * n + i];
    for (size_t i = n; i-- > 0;) {
        x[i] /= l[i * n + i];
        for (size_t j = 0; j < i; j++) x[j] -= l[i * n + j] * x[i];
    }
}
