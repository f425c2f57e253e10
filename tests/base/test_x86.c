/* SPDX-License-Identifier: MIT
 * test_x86.c - what the processor is said to have. */
#include "test.h"

#include "base/x86.h"

static void each_set_has_those_before_it(void **state)
{
    (void)state;
    assert_true(mo_x86_has(MO_X86_AVX2) || !mo_x86_has(MO_X86_AVX512));
    assert_true(mo_x86_has(MO_X86_AVX512) || !mo_x86_has(MO_X86_VNNI));
#if !defined(__x86_64__)
    assert_false(mo_x86_has(MO_X86_AVX2));
#endif
}

/* GCC's and clang's libraries on Linux have the compilers' own word. */
static void the_compiler_says_the_same(void **state)
{
    (void)state;
#if defined(__x86_64__) && defined(__linux__)
    const bool narrow = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool wide = narrow && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    assert_int_equal(mo_x86_has(MO_X86_AVX2), narrow);
    assert_int_equal(mo_x86_has(MO_X86_AVX512), wide);
    assert_int_equal(mo_x86_has(MO_X86_VNNI), wide && __builtin_cpu_supports("avx512vnni"));
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_set_has_those_before_it),
        cmocka_unit_test(the_compiler_says_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
