/* SPDX-License-Identifier: MIT
 * test_recognizer_sizes.c - recognisers of one class and of 2,000, of one picture and of 100 a class, as wide as real models:
 * pictures are given their class, and a class without pictures is known by its name. */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "prompt/recognizer.h"

typedef struct world {
    size_t dim, n_classes, n;
    float *centre, *text, *x; /* C x D, C x D, N x D */
    int32_t *y;
} world;

/* row = unit(from + a random vector of this length); from NULL: the origin. */
static void near(float *row, const float *from, size_t dim, double length, mo_rng *r)
{
    double square = 0;
    for (size_t k = 0; k < dim; k++) {
        const double at = from ? (double)from[k] : 0,
                     off = length / sqrt((double)dim) * (double)mo_rng_normal(r);
        row[k] = (float)(at + off);
        square += (double)row[k] * (double)row[k];
    }
    for (size_t k = 0; k < dim; k++) row[k] = (float)((double)row[k] / sqrt(square));
}

/* count[c % n_counts] pictures of class c. */
static world world_of(size_t dim, size_t n_classes, const size_t *count, size_t n_counts)
{
    world w = {.dim = dim, .n_classes = n_classes};
    mo_rng r;
    mo_rng_seed(&r, dim + n_classes);
    for (size_t c = 0; c < n_classes; c++) w.n += count[c % n_counts];
    w.centre = mo_mem_alloc(n_classes * dim, sizeof(float));
    w.text = mo_mem_alloc(n_classes * dim, sizeof(float));
    w.x = mo_mem_alloc(w.n * dim, sizeof(float));
    w.y = mo_mem_alloc(w.n, sizeof *w.y);
    assert_true(w.centre && w.text && w.x && w.y);
    for (size_t c = 0, i = 0; c < n_classes; c++) {
        near(w.centre + c * dim, NULL, dim, 1, &r);
        near(w.text + c * dim, w.centre + c * dim, dim, 0.7, &r);
        for (size_t k = 0; k < count[c % n_counts]; k++, i++) {
            near(w.x + i * dim, w.centre + c * dim, dim, 0.7, &r);
            w.y[i] = (int32_t)c;
        }
    }
    return w;
}

static void world_free(world *w)
{
    mo_mem_free(w->centre), mo_mem_free(w->text), mo_mem_free(w->x), mo_mem_free(w->y);
}

static size_t answer_of(const mo_recognizer_fit *f, const world *w, const float *x)
{
    size_t best = 0;
    double most = -INFINITY;
    for (size_t c = 0; c < w->n_classes; c++) {
        double logit = -f->bias[c];
        for (size_t k = 0; k < w->dim; k++) logit += f->weight[c * w->dim + k] * (double)x[k];
        assert_true(isfinite(logit));
        if (logit > most) most = logit, best = c;
    }
    return best;
}

/* Every class is answered at its centre, and each picture left out gets a number for each class. */
static void check(size_t dim, size_t n_classes, const size_t *count, size_t n_counts)
{
    world w = world_of(dim, n_classes, count, n_counts);
    const mo_recognizer_data data = {w.n, n_classes, dim, 1, w.x, w.y, w.text, 15};
    mo_recognizer_sums sums;
    mo_recognizer_fit fit;
    double *loo;
    assert_ok(mo_recognizer_sums_create(&sums, &data, false, NULL));
    assert_ok(mo_recognizer_fit_create(&fit, &data, &sums, &(mo_recognizer_settings){0}, NULL));
    size_t right = 0, step = n_classes > 50 ? n_classes / 50 : 1, asked = 0;
    for (size_t c = 0; c < n_classes; c += step, asked++)
        right += answer_of(&fit, &w, w.centre + c * dim) == c;
    if (10 * right < 9 * asked) fail_msg("%zu of %zu classes of %zu numbers are known", right, asked, dim);
    assert_ok(mo_recognizer_fit_leave_out(&loo, NULL, &data, &sums, &fit.settings, NULL));
    for (size_t i = 0; loo && i < w.n * n_classes; i++) assert_true(isfinite(loo[i]));
    mo_mem_free(loo);
    mo_recognizer_fit_free(&fit);
    mo_recognizer_sums_free(&sums);
    world_free(&w);
}

static void from_none_to_a_hundred_pictures_a_class(void **state)
{
    (void)state;
    check(48, 8, (const size_t[]){1, 100, 0, 7, 33, 0, 2, 60}, 8);
    check(48, 5, (const size_t[]){0, 0, 100, 0, 1}, 5);
}

static void one_class_and_two(void **state)
{
    (void)state;
    for (size_t n_classes = 1; n_classes <= 2; n_classes++) {
        check(48, n_classes, (const size_t[]){1}, 1);
        check(48, n_classes, (const size_t[]){12}, 1);
    }
    check(48, 2, (const size_t[]){1, 0}, 2); /* one picture in all */
    check(48, 2, (const size_t[]){9, 1}, 2);
}

static void hundreds_and_thousands_of_classes(void **state)
{
    (void)state;
    size_t count[100] = {3, 0, 1}; /* of the rest the names alone are known */
    check(96, TEST_TIMES(2000, 300), count, 100);
}

static void as_wide_as_real_models(void **state)
{
    (void)state;
    check(512, 4, (const size_t[]){4, 2, 0, 5}, 4);
    for (size_t dim = 768; dim <= TEST_TIMES(1024, 0); dim += 256)
        check(dim, 3, (const size_t[]){3, 2, 0}, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_none_to_a_hundred_pictures_a_class),
        cmocka_unit_test(one_class_and_two),
        cmocka_unit_test(hundreds_and_thousands_of_classes),
        cmocka_unit_test(as_wide_as_real_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
