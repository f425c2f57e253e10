/* SPDX-License-Identifier: MIT
 * test_kern_depthwise.c - the depthwise kernel of every CPU path: against double precision and the plain
 * kernel, any number of channels, taps, groups and columns that are written. */
#include "test.h"

#include "support/near.h"
#include "support/paths.h"

enum { COLUMNS = MO_DEPTHWISE_COLUMNS, TAPS = 3, CHANNELS = 80, GROUPS = 2, STEP = 555 };

static float x[3000], w[TAPS][CHANNELS], bias[CHANNELS];
static float y[GROUPS * COLUMNS * CHANNELS + 1], want[GROUPS * COLUMNS * CHANNELS + 1];
static const float *xs[TAPS][COLUMNS], *ws[TAPS];

static void fill(void)
{
    test_random(x, 3000, 1);
    test_random(w[0], TAPS * CHANNELS, 2);
    test_random(bias, CHANNELS, 3);
    for (size_t i = 0; i < CHANNELS; i++) bias[i] *= 9; /* some below 0, some above 6 */
    for (size_t i = 0; i < TAPS; i++) {
        ws[i] = w[i];
        for (size_t q = 0; q < COLUMNS; q++) xs[i][q] = x + (i * COLUMNS + q) * 101;
    }
}

static mo_depthwise_taps taps_of(size_t channels)
{
    return (mo_depthwise_taps){.y = y,
        .x = xs,
        .w = ws,
        .n = channels % (TAPS + 1),
        .channels = channels,
        .n_groups = 1 + channels % GROUPS,
        .step = STEP,
        .columns = 1 + channels / 2 % COLUMNS,
        .bias = bias,
        .relu6 = channels & 1};
}

/* Output q of a call, channel c. */
static double output(const mo_depthwise_taps *t, size_t q, size_t c)
{
    double sum = (double)bias[c];
    for (size_t i = 0; i < t->n; i++)
        sum += (double)t->x[i][q % COLUMNS][q / COLUMNS * t->step + c] * (double)t->w[i][c];
    return !t->relu6 ? sum : sum < 0 ? 0 : sum > 6 ? 6 : sum;
}

static void every_size(void)
{
    fill();
    for (size_t n = 1; n <= CHANNELS; n++) {
        const mo_depthwise_taps t = taps_of(n);
        memset(y, 0x5a, sizeof y);
        mo_kern_get()->depthwise(&t);
        for (size_t at = 0; at < sizeof y / sizeof *y; at++) {
            const size_t q = at / n;
            if (q < t.n_groups * COLUMNS && q % COLUMNS < t.columns)
                assert_near_at(y[at], output(&t, q, at % n), 2e-6, "%zu channels, output %zu", n, q);
            else /* columns beyond, and what follows */
                assert_int_equal(((unsigned char *)(y + at))[0], 0x5a);
        }
    }
}

static void sums_over_taps_match_double(void **state)
{
    (void)state;
    test_each_path(every_size);
}

/* Without taps every output is the bias; clamped it lies between 0 and 6. */
static void no_taps(void)
{
    fill();
    for (size_t n = 1; n <= CHANNELS; n += 7)
        for (int clamp = 0; clamp < 2; clamp++) {
            mo_depthwise_taps t = taps_of(n);
            t.n = 0, t.relu6 = clamp, t.columns = COLUMNS;
            mo_kern_get()->depthwise(&t);
            for (size_t at = 0; at < t.n_groups * COLUMNS * n; at++) {
                const float b = bias[at % n];
                assert_true(y[at] == (!clamp ? b : b < 0 ? 0 : b > 6 ? 6 : b));
            }
        }
}

static void without_taps_it_is_the_bias(void **state)
{
    (void)state;
    test_each_path(no_taps);
}

/* Groups in one call or one after the other, channels in company or as the last few: the same bits. */
static void one_by_one(void)
{
    fill();
    for (size_t n = 1; n <= CHANNELS; n++) {
        mo_depthwise_taps t = taps_of(n);
        t.n = TAPS, t.n_groups = GROUPS, t.columns = COLUMNS;
        mo_kern_get()->depthwise(&t);
        memcpy(want, y, sizeof y);
        const float *moved[TAPS][COLUMNS];
        for (size_t i = 0; i < TAPS * COLUMNS; i++)
            moved[i / COLUMNS][i % COLUMNS] = xs[i / COLUMNS][i % COLUMNS] + STEP;
        t.n_groups = 1, t.x = moved;
        mo_kern_get()->depthwise(&t);
        assert_memory_equal(y, want + COLUMNS * n, COLUMNS * n * sizeof *y);
        t.x = xs, t.channels = CHANNELS;
        mo_kern_get()->depthwise(&t);
        for (size_t q = 0; q < COLUMNS; q++)
            assert_memory_equal(y + q * CHANNELS, want + q * n, n * sizeof *y);
    }
}

static void bits_depend_on_no_company(void **state)
{
    (void)state;
    test_each_path(one_by_one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_over_taps_match_double),
        cmocka_unit_test(without_taps_it_is_the_bias),
        cmocka_unit_test(bits_depend_on_no_company),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
