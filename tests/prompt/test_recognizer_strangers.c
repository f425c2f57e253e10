/* SPDX-License-Identifier: MIT
 * test_recognizer_strangers.c - what tells strangers best, against the same choice written plainly. */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "prompt/recognizer_handle.h"

enum { C = 13, EACH = 6, N = C * EACH, D = 12, TRIED = 3 };

static const double tried[TRIED] = {0, 1, 3};

typedef struct world {
    float x[N * D], text[C * D];
    int32_t y[N];
    mopd_recognizer r;
} world;

static void unit(float *row)
{
    float s = 0;
    for (int k = 0; k < D; k++) s += row[k] * row[k];
    for (int k = 0; k < D; k++) row[k] /= sqrtf(s);
}

/* Classes of `kinds` kinds: those of one kind lie near each other.  Class 5 has no picture. */
static void create(world *w, size_t n_classes, int kinds, float apart, uint64_t seed)
{
    float kind[C][D], centre[D];
    mo_rng r;
    mo_rng_seed(&r, seed);
    memset(w, 0, sizeof *w);
    for (int k = 0; k < kinds; k++)
        for (int d = 0; d < D; d++) kind[k][d] = (float)mo_rng_normal(&r);
    size_t n = 0;
    for (size_t c = 0; c < n_classes; c++) {
        for (size_t d = 0; d < D; d++)
            centre[d] = kind[c % (size_t)kinds][d] + apart * (float)mo_rng_normal(&r);
        for (size_t d = 0; d < D; d++) w->text[c * D + d] = centre[d] + (float)mo_rng_normal(&r);
        unit(w->text + c * D);
        for (int i = 0; i < EACH && c != 5; i++, n++) {
            for (size_t d = 0; d < D; d++) w->x[n * D + d] = centre[d] + 0.4f * (float)mo_rng_normal(&r);
            unit(w->x + n * D);
            w->y[n] = (int32_t)c;
        }
    }
    w->r.data = (mo_recognizer_data){n, n_classes, D, 1, w->x, w->y, w->text, 10};
    w->r.features = w->x;
    w->r.text = w->text;
    w->r.labels = w->y;
    assert_ok(mo_recognizer_sums_create(&w->r.sums, &w->r.data, false, NULL));
    assert_ok(
        mo_recognizer_fit_create(&w->r.fit, &w->r.data, &w->r.sums, &(mo_recognizer_settings){0}, NULL));
}

static void end(world *w)
{
    mo_recognizer_sums_free(&w->r.sums);
    mo_recognizer_fit_free(&w->r.fit);
}

/* ---- plainly ---- */

static double energy_and_most(const double *logit, size_t n, double *most)
{
    double sum = 0;
    *most = -INFINITY;
    for (size_t c = 0; c < n; c++) *most = fmax(*most, logit[c]);
    for (size_t c = 0; c < n; c++) sum += exp(logit[c] - *most);
    return *most + log(sum);
}

typedef struct side {
    double energy[N], most[N];
    size_t n;
} side;

static void put(side *s, const double *logit, size_t n)
{
    s->energy[s->n] = energy_and_most(logit, n, &s->most[s->n]);
    s->n++;
}

/* Known pictures and those of a third of the classes, which the fit has never seen. */
static void split(const world *w, size_t which, side *known, side *strange)
{
    static float x[N * D], text[C * D];
    static int32_t y[N];
    size_t place[C], nth = 0, classes = 0, n = 0;
    double *loo, logit[C];
    for (size_t c = 0; c < w->r.data.n_classes; c++) {
        place[c] = c != 5 && nth++ % 3 == which ? SIZE_MAX : classes++;
        if (place[c] != SIZE_MAX) memcpy(text + place[c] * D, w->text + c * D, D * sizeof *text);
    }
    for (size_t i = 0; i < w->r.data.n; i++) {
        if (place[w->y[i]] == SIZE_MAX) continue;
        memcpy(x + n * D, w->x + i * D, D * sizeof *x);
        y[n++] = (int32_t)place[w->y[i]];
    }
    const mo_recognizer_data d = {n, classes, D, 1, x, y, text, 10};
    mo_recognizer_sums sums;
    mo_recognizer_fit fit;
    assert_ok(mo_recognizer_sums_create(&sums, &d, false, NULL));
    assert_ok(mo_recognizer_fit_leave_out(&loo, NULL, &d, &sums, &w->r.fit.settings, NULL));
    assert_ok(mo_recognizer_fit_create(&fit, &d, &sums, &w->r.fit.settings, NULL));
    known->n = strange->n = 0;
    for (size_t i = 0; i < n; i++) put(known, loo + i * classes, classes);
    for (size_t i = 0; i < w->r.data.n; i++) {
        if (place[w->y[i]] != SIZE_MAX) continue;
        for (size_t c = 0; c < classes; c++) {
            logit[c] = -fit.bias[c];
            for (size_t k = 0; k < D; k++) logit[c] += fit.weight[c * D + k] * (double)w->x[i * D + k];
        }
        put(strange, logit, classes);
    }
    mo_mem_free(loo);
    mo_recognizer_sums_free(&sums);
    mo_recognizer_fit_free(&fit);
}

static double plain_sure(const world *w)
{
    double shares[TRIED] = {0};
    size_t best = 0;
    for (size_t which = 0; which < 3; which++) {
        side a, b;
        split(w, which, &a, &b);
        for (size_t t = 0; t < TRIED; t++)
            for (size_t i = 0; i < a.n; i++)
                for (size_t k = 0; k < b.n; k++) {
                    const double x = a.energy[i] + tried[t] * (a.most[i] - a.energy[i]),
                                 y = b.energy[k] + tried[t] * (b.most[k] - b.energy[k]);
                    shares[t] += (x > y ? 1 : x < y ? 0 : 0.5) / (double)(a.n * b.n) / 3;
                }
    }
    for (size_t t = 1; t < TRIED; t++)
        if (shares[t] > shares[best]) best = t;
    return shares[best] >= shares[0] + 0.02 ? tried[best] : 0;
}

static void the_score_is_chosen_by_classes_left_out(void **state)
{
    (void)state;
    static world w;
    int energy_alone = 0, more = 0;
    mo_pool *pool;
    assert_ok(mo_pool_create(&pool, 3));
    for (uint64_t seed = 0; seed < 8; seed++) {
        create(&w, C, seed % 2 ? 2 : C, seed % 2 ? 0.5f : 1, seed);
        double sure, again;
        assert_ok(mo_recognizer_find_sure(&sure, &w.r, NULL));
        assert_ok(mo_recognizer_find_sure(&again, &w.r, pool));
        assert_true(sure == again);
        assert_true(sure == plain_sure(&w));
        energy_alone += sure == 0;
        more += sure > 0;
        end(&w);
    }
    mo_pool_free(pool);
    assert_true(energy_alone && more);
}

static void few_classes_or_pictures_do_not_choose(void **state)
{
    (void)state;
    static world w;
    double sure;
    create(&w, 4, 2, 0.5f, 1);
    assert_ok(mo_recognizer_find_sure(&sure, &w.r, NULL));
    assert_true(sure == 0);
    end(&w);
    create(&w, 7, 2, 0.5f, 1); /* 36 pictures */
    assert_ok(mo_recognizer_find_sure(&sure, &w.r, NULL));
    assert_true(sure == 0);
    end(&w);
}

static mopd_status find(void *context)
{
    mopd_recognizer *r = context;
    double sure;
    r->sums = (mo_recognizer_sums){0};
    r->fit = (mo_recognizer_fit){0};
    mopd_status st = mo_recognizer_sums_create(&r->sums, &r->data, false, NULL);
    if (st == MOPD_OK)
        st = mo_recognizer_fit_create(
            &r->fit, &r->data, &r->sums, &(mo_recognizer_settings){3, 0.5, 0.3, 0.08, 0}, NULL);
    if (st == MOPD_OK) st = mo_recognizer_find_sure(&sure, r, NULL);
    mo_recognizer_sums_free(&r->sums);
    mo_recognizer_fit_free(&r->fit);
    return st;
}

static void choosing_survives_lack_of_memory(void **state)
{
    (void)state;
    static world w;
    create(&w, C, 2, 0.5f, 1);
    end(&w);
    test_torture(find, &w.r);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_score_is_chosen_by_classes_left_out),
        cmocka_unit_test(few_classes_or_pictures_do_not_choose),
        cmocka_unit_test(choosing_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
