/* SPDX-License-Identifier: MIT
 * test_mat.c - packed matrices: where each weight lies, what is packed from, turned, multiplied from the left,
 * and what becomes of a matrix that is quantized, viewed or freed. */
#include "test.h"

#include "base/floats.h"
#include "base/half.h"
#include "support/kinds.h"
#include "support/paths.h"

/* Where weight [o][i] of a matrix with k inputs lies among its panels. */
static size_t place(size_t k, size_t o, size_t i)
{
    return o / MO_PANEL * MO_PANEL * k + i * MO_PANEL + o % MO_PANEL;
}

static const size_t sizes[][2] = {
    {1, 1}, {1, 700}, {15, 3}, {16, 16}, {17, 1}, {33, 50}, {48, 7}, {100, 513}, {700, 2}};
#define N_SIZES (sizeof sizes / sizeof *sizes)

static void panels_hold_sixteen_outputs_side_by_side(void **state)
{
    (void)state;
    for (size_t s = 0; s < N_SIZES; s++) {
        const size_t n = sizes[s][0], k = sizes[s][1], floats = mo_mat_floats(n, k);
        float *w = test_floats(n * k, 1);
        mo_mat mat = test_pack(w, n, k);
        const float *panels = mat.packed;
        assert_int_equal(mat.n, n);
        assert_int_equal(mat.k, k);
        assert_int_equal(floats, (n + 15) / 16 * 16 * k);
        assert_int_equal((uintptr_t)panels % 64, 0);
        size_t sum = 0;
        for (size_t o = 0; o < (n + 15) / 16 * 16; o++)
            for (size_t i = 0; i < k; i++) {
                assert_true(panels[place(k, o, i)] == (o < n ? w[o * k + i] : 0)); /* zeros beyond n */
                sum += place(k, o, i);
            }
        assert_int_equal(sum, floats * (floats - 1) / 2); /* each place once */
        mo_mat_free(&mat);
        mo_mem_free(w);
    }
}

/* In halves every stored type says the same numbers. */
static void stored_types_are_read(void **state)
{
    (void)state;
    enum { N = 19, K = 7 };
    static const mo_dtype types[] = {MO_F32, MO_F16, MO_BF16, MO_F64};
    float w[N * K], row[K];
    double room[N * K];
    test_random(w, N * K, 7);
    for (size_t i = 0; i < N * K; i++) w[i] = rintf(w[i] * 60) / 2;
    for (size_t t = 0; t < 4; t++) {
        mo_view v = test_view(w, N, K);
        v.dtype = types[t], v.data = room;
        if (types[t] == MO_F64)
            for (size_t i = 0; i < N * K; i++) room[i] = w[i];
        else
            mo_floats_store(w, N * K, types[t], room);
        mo_mat mat;
        assert_ok(mo_mat_pack(&mat, &(mo_mat_part){&v, false}, 1));
        for (size_t o = 0; o < N; o++) {
            mo_mat_row(&mat, o, row);
            assert_memory_equal(row, w + o * K, sizeof row);
        }
        mo_mat_free(&mat);
    }
}

/* [inputs][outputs] is the same matrix turned; lines longer than what is read at once. */
static void orientations_are_read(void **state)
{
    (void)state;
    for (size_t s = 0; s < N_SIZES; s++) {
        const size_t n = sizes[s][0], k = sizes[s][1];
        float *w = test_floats(n * k, 1), *turned = test_floats(n * k, 2);
        for (size_t o = 0; o < n; o++)
            for (size_t i = 0; i < k; i++) turned[i * n + o] = w[o * k + i];
        mo_mat mat = test_pack(w, n, k), other;
        const mo_view v = test_view(turned, k, n);
        assert_ok(mo_mat_pack(&other, &(mo_mat_part){&v, true}, 1));
        assert_int_equal(other.n, n);
        assert_int_equal(other.k, k);
        assert_memory_equal(mat.packed, other.packed, mo_mat_floats(n, k) * sizeof(float));
        mo_mat_free(&mat), mo_mat_free(&other);
        mo_mem_free(w), mo_mem_free(turned);
    }
}

/* Parts of 5, 16, 1 and 20 outputs, one of them turned: as if they were one. */
static void parts_stand_one_below_the_other(void **state)
{
    (void)state;
    enum { K = 9, N = 42 };
    static const size_t counts[] = {5, 16, 1, 20};
    float w[N * K], turned[16 * K];
    test_random(w, N * K, 1);
    for (size_t o = 0; o < 16; o++)
        for (size_t i = 0; i < K; i++) turned[i * 16 + o] = w[(5 + o) * K + i];
    mo_view views[4];
    mo_mat_part parts[4];
    for (size_t p = 0, o = 0; p < 4; o += counts[p++]) {
        views[p] = p == 1 ? test_view(turned, K, 16) : test_view(w + o * K, counts[p], K);
        parts[p] = (mo_mat_part){&views[p], p == 1};
    }
    mo_mat mat, whole = test_pack(w, N, K);
    assert_ok(mo_mat_pack(&mat, parts, 4));
    assert_int_equal(mat.n, N);
    assert_memory_equal(mat.packed, whole.packed, mo_mat_floats(N, K) * sizeof(float));
    mo_mat_free(&mat), mo_mat_free(&whole);
}

/* A convolution's weight: all dims but the first are inputs; one dim: a column. */
static void dims_after_the_first_are_inputs(void **state)
{
    (void)state;
    float w[4 * 3 * 2 * 5];
    test_random(w, 120, 1);
    mo_view v = {.data = w, .dtype = MO_F32, .n_dims = 4, .shape = {4, 3, 2, 5}, .n = 120};
    mo_mat mat, flat = test_pack(w, 4, 30);
    assert_ok(mo_mat_pack(&mat, &(mo_mat_part){&v, false}, 1));
    assert_int_equal(mat.n, 4);
    assert_int_equal(mat.k, 30);
    assert_memory_equal(mat.packed, flat.packed, mo_mat_floats(4, 30) * sizeof(float));
    mo_mat_free(&mat), mo_mat_free(&flat);
    v.n_dims = 1, v.shape[0] = 120;
    assert_ok(mo_mat_pack(&mat, &(mo_mat_part){&v, false}, 1));
    assert_int_equal(mat.n, 120);
    assert_int_equal(mat.k, 1);
    mo_mat_free(&mat);
}

static void what_is_no_matrix_is_refused(void **state)
{
    (void)state;
    float w[24] = {0};
    mo_view a = test_view(w, 4, 6), b = test_view(w, 6, 4), c = test_view(w, 0, 6), d = test_view(w, 4, 6);
    mo_view e = test_view(w, 4, 6), f = test_view(w, 4, 6), g = test_view(w, 4, 6);
    e.dtype = MO_I32, d.shape[1] = SIZE_MAX / 2, f.n = 23, g.n_dims = 3, g.shape[2] = 1;
    mo_mat mat;
    assert_fails(
        mo_mat_pack(&mat, (mo_mat_part[]){{&a, false}, {&b, false}}, 2), MOPD_E_MISMATCH, "6 and 4 inputs");
    assert_fails(mo_mat_pack(&mat, &(mo_mat_part){&c, false}, 1), MOPD_E_MISMATCH, "no matrix");
    assert_fails(mo_mat_pack(&mat, &(mo_mat_part){&d, false}, 1), MOPD_E_MISMATCH, "no matrix");
    assert_fails(mo_mat_pack(&mat, &(mo_mat_part){&e, false}, 1), MOPD_E_UNSUPPORTED, "weights of type I32");
    assert_fails(mo_mat_pack(&mat, &(mo_mat_part){&f, false}, 1), MOPD_E_MISMATCH, "23 elements");
    assert_fails(
        mo_mat_pack(&mat, &(mo_mat_part){&g, true}, 1), MOPD_E_MISMATCH, "3 dims"); /* which are inputs? */
    assert_fails(mo_mat_pack(&mat, NULL, 0), MOPD_E_MISMATCH, "0 x 0");
    assert_null(mat.ops);
    mo_mat_free(&mat); /* a matrix that failed is empty */
}

static void sizes_that_overflow_are_none(void **state)
{
    (void)state;
    assert_int_equal(mo_mat_floats(SIZE_MAX, 2), 0);
    assert_int_equal(mo_mat_floats(SIZE_MAX - 14, 1), 0);
    assert_int_equal(mo_mat_floats(SIZE_MAX / 16, 64), 0);
    assert_int_equal(mo_mat_floats(0, 5), 0);
    assert_int_equal(mo_mat_floats(17, 5), 160);
}

static void the_callers_memory_is_packed_into(void **state)
{
    (void)state;
    const size_t n = 20, k = 6;
    float *w = test_floats(n * k, 1), *room = test_floats(mo_mat_floats(n, k) + 1, 2), behind = room[32 * 6];
    const mo_view v = test_view(w, n, k);
    mo_mat mat, own = test_pack(w, n, k);
    assert_ok(mo_mat_pack_at(&mat, room, &(mo_mat_part){&v, false}, 1));
    assert_ptr_equal(mat.packed, room);
    assert_null(mat.owned);
    assert_memory_equal(room, own.packed, mo_mat_floats(n, k) * sizeof *room);
    assert_true(room[32 * 6] == behind);
    mo_mat_free(&mat); /* leaves the room alone */
    assert_ok(mo_mat_view(&mat, room, n, k));
    assert_ptr_equal(mat.ops, own.ops);
    float row[6];
    mo_mat_row(&mat, 19, row);
    assert_memory_equal(row, w + 19 * k, sizeof row);
    mo_mat_free(&mat);
    assert_memory_equal(room, own.packed, mo_mat_floats(n, k) * sizeof *room);
    mo_mat_free(&own);
    mo_mem_free(w), mo_mem_free(room);
}

static void turning_a_matrix_twice_gives_it_back(void **state)
{
    (void)state;
    for (size_t s = 0; s < N_SIZES; s++) {
        const size_t n = sizes[s][0], k = sizes[s][1];
        float *w = test_floats(n * k, 1), *row = test_floats(n, 2);
        mo_mat mat = test_pack(w, n, k), turned, again;
        assert_ok(mo_mat_transpose(&turned, &mat));
        assert_int_equal(turned.n, k);
        assert_int_equal(turned.k, n);
        for (size_t i = 0; i < k; i++) {
            mo_mat_row(&turned, i, row);
            for (size_t o = 0; o < n; o++) assert_true(row[o] == w[o * k + i]);
        }
        const float *panels = turned.packed;
        for (size_t i = k; i < (k + 15) / 16 * 16; i++)
            for (size_t o = 0; o < n; o++) assert_true(panels[place(n, i, o)] == 0);
        assert_ok(mo_mat_transpose(&again, &turned));
        assert_memory_equal(mat.packed, again.packed, mo_mat_floats(n, k) * sizeof(float));
        mo_mat_free(&mat), mo_mat_free(&turned), mo_mat_free(&again);
        mo_mem_free(w), mo_mem_free(row);
    }
}

/* y = q W over outputs first .. first+n-1, for all that are whole panels. */
static void from_the_left(void)
{
    enum { N = 96, K = 64 };
    float w[N * K], q[N], y[K + 1];
    test_random(w, N * K, 1);
    test_random(q, N, 2);
    mo_mat mat = test_pack(w, N, K);
    for (size_t first = 0; first < N; first += 16)
        for (size_t n = 16; first + n <= N; n += 16) {
            y[K] = 7;
            mo_mat_product_transposed(y, q, &mat, first, n);
            for (size_t i = 0; i < K; i++) {
                double want = 0;
                for (size_t o = 0; o < n; o++) want += (double)q[o] * (double)w[(first + o) * K + i];
                assert_near_at(y[i], want, 1e-5, "outputs %zu to %zu, input %zu", first, first + n, i);
            }
            assert_true(y[K] == 7);
        }
    mo_mat_free(&mat);
}

static void rows_are_multiplied_from_the_left(void **state)
{
    (void)state;
    test_each_path(from_the_left);
}

static void quantized(const test_kind *kind)
{
    if (!test_kind_precision(kind)) return;
    float *w = test_floats(40 * 50, 1);
    mo_mat mat = test_kind_pack(kind, w, 40, 50), other;
    assert_int_equal(mat.n, 40);
    assert_int_equal(mat.k, 50);
    assert_false(mo_mat_has_floats(&mat));
    assert_fails(mo_mat_transpose(&other, &mat), MOPD_E_INTERNAL, "matrix 40 x 50 without floats transposed");
    assert_null(other.ops);
    const mo_mat was = mat;
    assert_fails(mo_mat_quantize(&mat, MO_PRECISION_16), MOPD_E_INTERNAL, "without floats quantized");
    assert_memory_equal(&mat, &was, sizeof mat);
    mo_mat_free(&mat);
    mo_mem_free(w);
}

static void a_quantized_matrix_has_no_floats(void **state)
{
    (void)state;
    test_each_kind(quantized);
}

static void quantized_finely(const test_kind *kind)
{
    if (test_kind_precision(kind)) return;
    float *w = test_floats(40 * 64, 1), row[64];
    mo_mat mat = test_kind_pack(kind, w, 40, 64);
    assert_ok(mo_mat_quantize_finely(&mat, MO_PRECISION_16));
    assert_string_equal(mat.ops->name, "i16");
    mo_mat_row(&mat, 39, row);
    assert_true(test_max_diff(row, w + 39 * 64, 64) < 1e-4);
    assert_fails(mo_mat_quantize_finely(&mat, MO_PRECISION_16), MOPD_E_INTERNAL, "without floats quantized");
    mo_mat_free(&mat);
    mo_mem_free(w);
}

/* In integers, whatever the processor has and the environment asks for. */
static void fine_quantizing_knows_no_choice(void **state)
{
    (void)state;
    test_each_kind(quantized_finely);
}

/* What lies in a mapped file is quantized into memory of its own, and stays. */
static void a_view_is_quantized_into_its_own_memory(void **state)
{
    (void)state;
    float *w = test_floats(20 * 30, 1);
    mo_mat own = test_pack(w, 20, 30), view;
    assert_ok(mo_mat_view(&view, own.packed, 20, 30));
    assert_ok(mo_mat_quantize(&view, MO_PRECISION_16));
    assert_non_null(view.owned);
    assert_ptr_not_equal(view.packed, own.packed);
    mo_mat_free(&view);
    float row[30];
    mo_mat_row(&own, 11, row);
    assert_memory_equal(row, w + 11 * 30, sizeof row);
    mo_mat_free(&own);
    mo_mem_free(w);
}

static void nothing_is_freed_quietly(void **state)
{
    (void)state;
    mo_mat none = {0};
    mo_mat_free(NULL);
    mo_mat_free(&none);
    assert_false(mo_mat_has_floats(&none));
}

static mopd_status pack_and_turn(void *ctx)
{
    mo_mat mat, turned = {0};
    mopd_status st = mo_mat_pack(&mat, &(mo_mat_part){ctx, false}, 1);
    if (st == MOPD_OK) st = mo_mat_transpose(&turned, &mat);
    mo_mat_free(&mat), mo_mat_free(&turned);
    return st;
}

static mopd_status quantize_or_keep(void *ctx, mo_precision precision)
{
    mo_mat mat;
    mopd_status st = mo_mat_pack(&mat, &(mo_mat_part){ctx, false}, 1);
    if (st != MOPD_OK) return st;
    const mo_mat was = mat;
    st = mo_mat_quantize(&mat, precision);
    if (st != MOPD_OK) assert_memory_equal(&mat, &was, sizeof mat);
    mo_mat_free(&mat);
    return st;
}

static mopd_status quantize_to_16(void *ctx)
{
    return quantize_or_keep(ctx, MO_PRECISION_16);
}

static mopd_status quantize_to_8(void *ctx)
{
    return quantize_or_keep(ctx, MO_PRECISION_8);
}

/* Torture: the kinds differ in what they allocate. */
static void no_memory(const test_kind *kind)
{
    float w[20 * 30];
    test_random(w, 600, 1);
    mo_view v = test_view(w, 20, 30);
    static mopd_status (*const bodies[])(void *) = {[MO_PRECISION_F32] = pack_and_turn,
        [MO_PRECISION_16] = quantize_to_16,
        [MO_PRECISION_8] = quantize_to_8};
    test_torture(bodies[test_kind_precision(kind)], &v);
}

static void lack_of_memory_leaves_a_matrix_as_it_was(void **state)
{
    (void)state;
    test_each_kind(no_memory);
}

/* n x k in panels, as a file has it. */
static mo_view panels_of(const float *panels, size_t n, size_t k)
{
    return (mo_view){.data = panels, .n_dims = 2, .shape = {n, k}, .n = n * k, .panel_inputs = k};
}

static void panels_one_behind_the_other_are_used_where_they_lie(void **state)
{
    (void)state;
    enum { N = 32, K = 24 };
    float *w = test_floats((size_t)3 * N * K, 3), row[K];
    mo_mat mat = test_pack(w, (size_t)3 * N, K), again;
    const float *panels = mat.packed;
    const mo_view views[] = {
        panels_of(panels, N, K), panels_of(panels + N * K, N, K), panels_of(panels + 2 * N * K, N, K)};
    const mo_mat_part parts[] = {{&views[0], false}, {&views[1], false}, {&views[2], false}};
    assert_ok(mo_mat_pack(&again, parts, 3));
    assert_ptr_equal(again.packed, panels);
    assert_null(again.owned);
    for (int i = 0; i < 3; i++) assert_true(mo_mat_lies_in(&again, &views[i]));
    assert_false(mo_mat_lies_in(&mat, &views[0])); /* it owns them */
    mo_mat_free(&again);

    const mo_mat_part turned[] = {{&views[2], false}, {&views[0], false}};
    assert_ok(mo_mat_pack(&again, turned, 2));
    assert_ptr_not_equal(again.packed, panels);
    assert_false(mo_mat_lies_in(&again, &views[2]));
    for (size_t o = 0; o < 2 * N; o++) {
        mo_mat_row(&again, o, row);
        assert_memory_equal(row, w + (o < N ? o + 2 * N : o - N) * K, sizeof row);
    }
    mo_mat_free(&again);
    mo_mat_free(&mat);
    mo_mem_free(w);
}

/* Behind a part that ends within a panel, at an odd address, of another type. */
static void panels_elsewhere_are_packed_anew(void **state)
{
    (void)state;
    enum { N = 16, K = 5, FIRST = 3 };
    float w[(FIRST + N) * K], row[K];
    _Alignas(64) float shifted[N * K + 16]; /* so that the next float is at no multiple of 64 */
    uint16_t half[N * K];
    test_random(w, (FIRST + N) * K, 9);
    for (size_t i = 0; i < (FIRST + N) * K; i++) w[i] = rintf(w[i] * 60) / 2;
    mo_mat mat = test_pack(w + FIRST * K, N, K), out;
    memcpy(shifted + 1, mat.packed, N * K * sizeof *shifted);
    mo_floats_store(mat.packed, N * K, MO_F16, half);
    mo_view rows = test_view(w, FIRST, K), odd = panels_of(shifted + 1, N, K), f16 = panels_of(NULL, N, K);
    f16.data = half;
    f16.dtype = MO_F16;
    const mo_view *const behind[] = {&odd, &f16};
    for (int v = 0; v < 2; v++)
        for (size_t first = 0; first < 2; first++) {
            const mo_mat_part parts[] = {{&rows, false}, {behind[v], false}};
            assert_ok(mo_mat_pack(&out, parts + 1 - first, 1 + first));
            assert_non_null(out.owned);
            for (size_t o = 0; o < out.n; o++) {
                mo_mat_row(&out, o, row);
                assert_memory_equal(row, w + (o + (first ? 0 : FIRST)) * K, sizeof row);
            }
            mo_mat_free(&out);
        }
    mo_mat_free(&mat);
}

int main(void)
{
    unsetenv("MOPD_BF16");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(panels_hold_sixteen_outputs_side_by_side),
        cmocka_unit_test(stored_types_are_read),
        cmocka_unit_test(orientations_are_read),
        cmocka_unit_test(parts_stand_one_below_the_other),
        cmocka_unit_test(dims_after_the_first_are_inputs),
        cmocka_unit_test(what_is_no_matrix_is_refused),
        cmocka_unit_test(sizes_that_overflow_are_none),
        cmocka_unit_test(the_callers_memory_is_packed_into),
        cmocka_unit_test(turning_a_matrix_twice_gives_it_back),
        cmocka_unit_test(rows_are_multiplied_from_the_left),
        cmocka_unit_test(a_quantized_matrix_has_no_floats),
        cmocka_unit_test(fine_quantizing_knows_no_choice),
        cmocka_unit_test(a_view_is_quantized_into_its_own_memory),
        cmocka_unit_test(nothing_is_freed_quietly),
        cmocka_unit_test(lack_of_memory_leaves_a_matrix_as_it_was),
        cmocka_unit_test(panels_one_behind_the_other_are_used_where_they_lie),
        cmocka_unit_test(panels_elsewhere_are_packed_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
