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

/* A server of 2021 has all words; each that is missing leaves out what stands on it. */
static void a_missing_word_leaves_out_what_stands_on_it(void **state)
{
    (void)state;
    enum { ALL = MO_X86_AVX2 | MO_X86_AVX512 | MO_X86_VNNI };
    const unsigned first = 0x18001000u, wide = 0xc0030020u, vnni = 0x800u, kept = 0xe7u;
    assert_int_equal(mo_x86_sets(first, kept, wide, vnni), ALL);
    assert_int_equal(mo_x86_sets(first, kept, wide, 0), MO_X86_AVX2 | MO_X86_AVX512);
    assert_int_equal(mo_x86_sets(first, kept, wide & ~(1u << 30), vnni), MO_X86_AVX2); /* no BW */
    assert_int_equal(mo_x86_sets(first, 0x67, wide, vnni), MO_X86_AVX2); /* registers 16 to 31 are not kept */
    assert_int_equal(mo_x86_sets(first, 0x7, wide, vnni), MO_X86_AVX2);
    assert_int_equal(mo_x86_sets(first, 0x3, wide, vnni), 0);
    assert_int_equal(mo_x86_sets(first, kept, wide & ~0x20u, vnni), 0);
    assert_int_equal(mo_x86_sets(first & ~0x1000u, kept, wide, vnni), 0); /* no FMA */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_set_has_those_before_it),
        cmocka_unit_test(the_compiler_says_the_same),
        cmocka_unit_test(a_missing_word_leaves_out_what_stands_on_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
