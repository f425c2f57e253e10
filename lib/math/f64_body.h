/* SPDX-License-Identifier: MIT
 * f64_body.h - the loops of f64.h, written once over a few macros.
 *
 * The including file names its registers: vec, LANES doubles; ROWS, VECS with VECS x LANES = MO_F64_COLS; load,
 * store, all (a number in every lane), plus, times, max and fma (a x b + c); exp_of, or twice (x times 2 to the power that
 * stands in the low bits of n). */
static inline void whole(const mo_f64_tile *t, vec (*sum)[VECS])
{
    for (size_t i = 0; i < t->m; i++)
        for (size_t v = 0; v < VECS; v++) {
            double *c = t->c + i * t->ldc + v * LANES;
            store(c, t->add ? plus(load(c), sum[i][v]) : sum[i][v]);
        }
}

static inline void edge(const mo_f64_tile *t, vec (*sum)[VECS])
{
    double row[MO_F64_COLS];
    for (size_t i = 0; i < t->m; i++) {
        for (size_t v = 0; v < VECS; v++) store(row + v * LANES, sum[i][v]);
        double *c = t->c + i * t->ldc;
        for (size_t j = 0; j < t->n; j++) c[j] = t->add ? c[j] + row[j] : row[j];
    }
}

static void tile(const mo_f64_tile *t)
{
    vec sum[ROWS][VECS];
    for (size_t i = 0; i < ROWS; i++)
        for (size_t v = 0; v < VECS; v++) sum[i][v] = all(0);
    const double *a = t->a, *b = t->b;
    for (size_t i = 0; i < t->m; i++) {
        __builtin_prefetch(t->c + i * t->ldc, 1);
        __builtin_prefetch(t->c + i * t->ldc + t->n - 1, 1);
    }
    for (size_t p = 0; p < t->k; p++, a += ROWS, b += MO_F64_COLS) {
        vec w[VECS];
#pragma GCC unroll 8
        for (size_t v = 0; v < VECS; v++) w[v] = load(b + v * LANES);
#pragma GCC unroll 12
        for (size_t i = 0; i < ROWS; i++) {
            const vec x = all(a[i]);
#pragma GCC unroll 8
            for (size_t v = 0; v < VECS; v++) sum[i][v] = fma(x, w[v], sum[i][v]);
        }
    }
    if (t->n == MO_F64_COLS)
        whole(t, sum);
    else
        edge(t, sum);
}

static void pack(double *to, const double *from, size_t ars, size_t acs, size_t depth)
{
    for (size_t p = 0; p < depth; p++)
#pragma GCC unroll 12
        for (size_t i = 0; i < ROWS; i++) to[p * ROWS + i] = from[i * ars + p * acs];
}

#ifndef exp_of
/* e^x of x <= 0: 2^n e^r with |r| <= ln 2 / 2, by Taylor's series; below -700 about 0.  1 ulp.  What is no number stays so. */
static inline vec exp_of(vec x)
{
    static const double series[] = {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800,
        1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1};
    x = max(all(-700), x);
    const vec n = fma(x, all(0x1.71547652b82fep+0), all(0x1.8p52)); /* n stands in its low bits */
    const vec whole = plus(n, all(-0x1.8p52));
    const vec r = fma(whole, all(-0x1.abc9e3b39803fp-56), fma(whole, all(-0x1.62e42fefa39efp-1), x));
    vec p = all(series[0]);
#pragma GCC unroll 16
    for (size_t k = 1; k < sizeof series / sizeof *series; k++) p = fma(p, r, all(series[k]));
    return twice(p, n);
}
#endif

/* n numbers, at most LANES, and zeros. */
static inline vec part(const double *x, size_t n)
{
    if (n >= LANES) return load(x);
    double row[LANES] = {0};
    memcpy(row, x, n * sizeof *x);
    return load(row);
}

static inline double total(vec x)
{
    double row[LANES], sum = 0;
    store(row, x);
    for (size_t i = 0; i < LANES; i++) sum += row[i];
    return sum;
}

static double most_of(const mo_f64_blend *t)
{
    vec most = all(-INFINITY);
    double row[LANES], high = -INFINITY;
    size_t i = 0;
    for (; i + LANES <= t->n; i += LANES)
        most = max(most, fma(all(t->a), load(t->x + i), times(all(t->b), load(t->z + i))));
    store(row, most);
    for (size_t k = 0; k < LANES; k++) high = row[k] > high ? row[k] : high;
    for (; i < t->n; i++) {
        const double logit = t->a * t->x[i] + t->b * t->z[i];
        high = logit > high ? logit : high;
    }
    return high;
}

static mo_f64_sums blend(const mo_f64_blend *t)
{
    static const double ones[16] = {1, 1, 1, 1, 1, 1, 1, 1}; /* and eight zeros */
    const double high = most_of(t);
    vec sum[6];
    for (size_t k = 0; k < 6; k++) sum[k] = all(0);
    for (size_t i = 0; i < t->n; i += LANES) {
        const size_t n = t->n - i < LANES ? t->n - i : LANES;
        vec x = part(t->x + i, n), z = part(t->z + i, n);
        const vec logit = fma(all(t->a), x, fma(all(t->b), z, all(-high)));
        const vec e = times(load(ones + 8 - n), exp_of(logit));
        x = plus(x, all(-t->x[t->y]));
        z = plus(z, all(-t->z[t->y]));
        const vec ex = times(e, x), ez = times(e, z);
        sum[0] = plus(sum[0], e);
        sum[1] = plus(sum[1], ex);
        sum[2] = plus(sum[2], ez);
        sum[3] = fma(ex, x, sum[3]);
        sum[4] = fma(ex, z, sum[4]);
        sum[5] = fma(ez, z, sum[5]);
    }
    return (mo_f64_sums){
        high, total(sum[0]), total(sum[1]), total(sum[2]), total(sum[3]), total(sum[4]), total(sum[5])};
}
