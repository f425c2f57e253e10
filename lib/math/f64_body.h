/* SPDX-License-Identifier: MIT
 * f64_body.h - the tile of f64.h, written once over a few macros.
 *
 * The including file names its registers: vec, LANES doubles; ROWS, VECS with VECS x LANES = MO_F64_COLS; load,
 * store, all (a number in every lane) and fma (a x b + c). */
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
    edge(t, sum);
}
