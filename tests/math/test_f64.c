/* SPDX-License-Identifier: MIT
 * test_f64.c - the sums over classes of a likelihood of two weights against sums written plainly, on every path. */
#include "test.h"

#include <math.h>

#include "base/rng.h"
#include "math/f64.h"
#include "math/kern.h"

enum { MOST = 70 };

static const char *const paths[] = {"plain", "avx2", "avx512"};

static double x[MOST], z[MOST];

static void draw(uint64_t seed, double spread)
{
    mo_rng r;
    mo_rng_seed(&r, seed);
    for (int i = 0; i < MOST; i++) {
        x[i] = spread * mo_rng_normal(&r);
        z[i] = spread * mo_rng_normal(&r);
    }
}

static mo_f64_sums plainly(const mo_f64_blend *t)
{
    mo_f64_sums s = {.most = -INFINITY};
    for (size_t c = 0; c < t->n; c++) s.most = fmax(s.most, t->a * t->x[c] + t->b * t->z[c]);
    for (size_t c = 0; c < t->n; c++) {
        const double e = exp(t->a * t->x[c] + t->b * t->z[c] - s.most), p = t->x[c] - t->x[t->y],
                     q = t->z[c] - t->z[t->y];
        s.e += e;
        s.ex += e * p;
        s.ez += e * q;
        s.exx += e * p * p;
        s.exz += e * p * q;
        s.ezz += e * q * q;
    }
    return s;
}

static void near(double a, double b, double size, const char *what)
{
    if (!(fabs(a - b) <= 4e-14 * size)) fail_msg("%s: %.17g, not %.17g", what, a, b);
}

/* The larger the logits, the more their own rounding counts. */
static void compare(const mo_f64_blend *t)
{
    const mo_f64_sums got = mo_f64_get()->blend(t), want = plainly(t);
    const double size = 1 + fabs(want.most), wide = size * want.e * 1e3;
    near(got.most, want.most, size, "most");
    near(got.e, want.e, size * want.e, "e");
    near(got.ex, want.ex, wide, "ex");
    near(got.ez, want.ez, wide, "ez");
    near(got.exx, want.exx, wide * 1e3, "exx");
    near(got.exz, want.exz, wide * 1e3, "exz");
    near(got.ezz, want.ezz, wide * 1e3, "ezz");
}

static void sums_of_any_number_of_classes_on_every_path(void **state)
{
    (void)state;
    static const double spreads[] = {0, 1, 30, 2000};
    for (int path = 0; path < 3; path++) {
        if (mo_kern_cpu_set(paths[path]) != MOPD_OK) continue;
        for (size_t n = 1; n <= MOST; n++)
            for (int k = 0; k < 4; k++) {
                draw(n, spreads[k]);
                compare(&(mo_f64_blend){n, n / 2, x, z, 0.3, 0.08});
            }
    }
    assert_ok(mo_kern_cpu_set(NULL));
}

/* The largest term is 1 and the others fall to nothing; nothing overflows. */
static void terms_far_below_the_largest_are_nothing(void **state)
{
    (void)state;
    for (int path = 0; path < 3; path++) {
        if (mo_kern_cpu_set(paths[path]) != MOPD_OK) continue;
        for (int i = 0; i < MOST; i++) x[i] = -1e6 * i, z[i] = 0;
        const mo_f64_sums s = mo_f64_get()->blend(&(mo_f64_blend){MOST, 0, x, z, 1e3, 1});
        assert_true(s.most == 0 && s.e == 1 && fabs(s.ex) < 1e-280 && s.exx < 1e-280 && s.ezz == 0);
    }
    assert_ok(mo_kern_cpu_set(NULL));
}

/* It must not pass for the best candidate. */
static void what_is_no_number_stays_so(void **state)
{
    (void)state;
    for (int path = 0; path < 3; path++) {
        if (mo_kern_cpu_set(paths[path]) != MOPD_OK) continue;
        draw(1, 1);
        z[20] = NAN;
        assert_true(isnan(mo_f64_get()->blend(&(mo_f64_blend){MOST, 3, x, z, 0.3, 0.08}).e));
    }
    assert_ok(mo_kern_cpu_set(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_any_number_of_classes_on_every_path),
        cmocka_unit_test(terms_far_below_the_largest_are_nothing),
        cmocka_unit_test(what_is_no_number_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
