/* SPDX-License-Identifier: MIT
 * test_kern_pick.c - which table of kernels is used: by name, else by the environment, else by the processor;
 * and that every table is whole. */
#include "test.h"

#include "support/paths.h"

/* A table by name, or NULL where this machine has none. */
static const mo_kern *table_of(const char *name)
{
    if (!strcmp(name, "plain")) return mo_kern_plain();
    if (mo_kern_cpu_set(name) != MOPD_OK) return NULL;
    if (!strcmp(name, "neon")) return mo_kern_neon();
    if (!strcmp(name, "simd128")) return mo_kern_simd128();
    return !strcmp(name, "avx2") ? mo_kern_avx2() : mo_kern_avx512();
}

static void a_name_chooses_its_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_N_PATHS; i++) {
        const mo_kern *table = table_of(test_paths[i]);
        if (!table) {
            assert_fails(mo_kern_cpu_set(test_paths[i]), MOPD_E_UNSUPPORTED, test_paths[i]);
            continue;
        }
        assert_ok(mo_kern_cpu_set(test_paths[i]));
        assert_ptr_equal(mo_kern_get(), table);
        assert_string_equal(table->name, test_paths[i]);
        assert_true(mo_kern_cpu_as_wished());
    }
    assert_ok(mo_kern_cpu_set(NULL));
}

static void no_name_chooses_the_widest(void **state)
{
    (void)state;
    const mo_kern *best = mo_kern_plain();
    for (size_t i = 1; i < TEST_N_PATHS; i++)
        if (table_of(test_paths[i])) best = table_of(test_paths[i]);
    assert_ok(mo_kern_cpu_set(NULL));
    assert_ptr_equal(mo_kern_get(), best);
}

static void another_name_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    assert_ok(mo_kern_cpu_set("plain"));
    assert_fails(mo_kern_cpu_set("sse"), MOPD_E_ARG,
        "CPU path \"sse\": not one of avx512, avx2, neon, simd128, plain");
    assert_fails(mo_kern_cpu_set(""), MOPD_E_ARG, "CPU path \"\"");
    assert_ptr_equal(mo_kern_get(), mo_kern_plain());
    assert_ok(mo_kern_cpu_set(NULL));
}

/* Every function is there. */
static void whole(void)
{
    const mo_kern *k = mo_kern_get();
    assert_true(k->max && k->dot && k->axpy && k->scale && k->add && k->softmax);
    assert_true(k->quick_gelu && k->gelu && k->relu6 && k->relu && k->quick_gelu_bwd && k->gelu_bwd);
    assert_true(k->norm && k->norm_bwd && k->dots && k->mix && k->spread);
    assert_true(k->product_transposed && k->pack && k->depthwise && k->tile);
}

static void tables_are_whole(void **state)
{
    (void)state;
    test_each_path(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_chooses_its_table),
        cmocka_unit_test(no_name_chooses_the_widest),
        cmocka_unit_test(another_name_is_refused_and_changes_nothing),
        cmocka_unit_test(tables_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
