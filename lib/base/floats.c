/* SPDX-License-Identifier: MIT
 * floats.c - rows of floats: stored as another type, checked. */
#include "base/floats.h"

#include <math.h>
#include <string.h>

#include "base/bits.h"
#include "base/dtype.h"
#include "base/half.h"
#include "base/stop.h"

#define LENGTH_SLACK 1e-3 /* of the squared length of a row */
#define SOME 256          /* numbers looked at together */

void mo_floats_store(const float *x, size_t n, mo_dtype dtype, void *out)
{
    if (dtype == MO_F32) {
        memcpy(out, x, n * sizeof *x);
        return;
    }
    uint16_t (*convert)(float) = dtype == MO_F16 ? mo_half_f32_to_f16 : mo_half_f32_to_bf16;
    for (size_t i = 0; i < n; i++) {
        uint16_t h = convert(x[i]);
        memcpy((unsigned char *)out + 2 * i, &h, sizeof h);
    }
}

/* Without a way out of the loop, which compilers make several numbers at once of. */
static bool are_finite(const float *x, size_t n)
{
    const uint32_t top = 0x7f800000; /* the exponent of infinities and of what is no number */
    uint32_t odd = 0;
    for (size_t i = 0; i < n; i++) odd |= (mo_bits_of(x[i]) & top) == top;
    return !odd;
}

bool mo_floats_finite(const float *x, size_t n)
{
    size_t i = 0;
    for (; i + SOME <= n; i += SOME)
        if (!are_finite(x + i, SOME)) return false;
    return are_finite(x + i, n - i);
}

static double squared(const float *row, size_t dim)
{
    double sum = 0;
    for (size_t d = 0; d < dim; d++) sum += (double)row[d] * (double)row[d];
    return sum;
}

mopd_status mo_floats_check_rows(const char *what, const float *rows, size_t n, size_t dim)
{
    for (size_t i = 0; i < n; i++) {
        const double sum = squared(rows + i * dim, dim);
        if (!isfinite(sum)) return mo_fail(MOPD_E_NUMERIC, "%s %zu is not finite", what, i);
        if (sum > MO_FLOATS_LONGEST * MO_FLOATS_LONGEST)
            return mo_fail(
                MOPD_E_NUMERIC, "%s %zu has length %.3g: rows of length 1 are expected", what, i, sqrt(sum));
    }
    return MOPD_OK;
}

mopd_status mo_floats_check_unit(const char *what, const float *rows, size_t n, size_t dim)
{
    for (size_t i = 0; i < n; i++) {
        const double sum = squared(rows + i * dim, dim);
        mopd_status st = mo_stop_check(dim * sizeof *rows);
        if (st != MOPD_OK) return st;
        if (!isfinite(sum)) return mo_fail(MOPD_E_NUMERIC, "%s %zu is not finite", what, i);
        if (!(fabs(sum - 1) <= LENGTH_SLACK))
            return mo_fail(MOPD_E_ARG, "%s %zu has length %.6g, not 1; are they %zu numbers wide?", what, i,
                sqrt(sum), dim);
    }
    return MOPD_OK;
}
