/* SPDX-License-Identifier: MIT
 * test_bf16.c - what computes products in bf16: by name, else by the processor; and which matrices. */
#include "test.h"

#include "math/i16.h"
#include "math/kern.h"
#include "support/onednn.h"

static void another_name_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    assert_ok(mo_bf16_set("integers"));
    assert_fails(mo_bf16_set("amx"), MOPD_E_ARG, "bf16 by \"amx\": not one of onednn, integers");
    assert_fails(mo_bf16_set(""), MOPD_E_ARG, "bf16 by \"\"");
    assert_int_equal(mo_bf16_kind(), MO_ONEDNN_NONE);
}

static void integers_can_be_asked_for_anywhere(void **state)
{
    (void)state;
    assert_ok(mo_bf16_set("integers"));
    assert_int_equal(mo_bf16_kind(), MO_ONEDNN_NONE);
    assert_false(mo_bf16_wanted(768, 768));
    assert_string_equal(mo_bf16_name(), mo_i16_get()->name);
    assert_true(mo_bf16_as_wished());
    assert_ok(mo_bf16_check());
}

/* Unasked, oneDNN has what AMX makes fast, and no small products even there. */
static void unasked_it_is_by_the_processor(void **state)
{
    (void)state;
    assert_ok(mo_bf16_set(NULL));
    const mo_onednn_kind kind = mo_bf16_kind();
    assert_true(kind == MO_ONEDNN_AMX || kind == MO_ONEDNN_NONE);
    assert_int_equal(mo_bf16_wanted(768, 768), kind == MO_ONEDNN_AMX);
    assert_false(mo_bf16_wanted(96, 16));
    assert_false(mo_bf16_wanted(127, 129));
    assert_int_equal(mo_bf16_wanted(128, 128), kind == MO_ONEDNN_AMX);
    assert_int_equal(mo_bf16_wanted(SIZE_MAX, 2), kind == MO_ONEDNN_AMX); /* whose product overflows */
    assert_ok(mo_bf16_check());
}

static void asked_for_by_name_onednn_has_all(void **state)
{
    (void)state;
    TEST_NEED_ONEDNN();
    assert_true(mo_bf16_wanted(96, 16));
    assert_true(mo_bf16_wanted(1, 1));
    assert_memory_equal(mo_bf16_name(), "onednn ", 7);
    assert_string_equal(mo_bf16_name(), mo_bf16_kind() == MO_ONEDNN_AMX ? "onednn amx" : "onednn avx512");
}

/* A CPU path below AVX-512 has none of its instructions. */
static void narrower_paths_hide_bfloat16(void **state)
{
    (void)state;
    TEST_NEED_ONEDNN();
    assert_ok(mo_kern_cpu_set("avx2"));
    assert_false(mo_bf16_wanted(768, 768));
    assert_string_equal(mo_bf16_name(), "avx2");
    assert_fails(mo_bf16_set("onednn"), MOPD_E_UNSUPPORTED, "MOPD_CPU");
    assert_ok(mo_kern_cpu_set("plain"));
    assert_string_equal(mo_bf16_name(), "plain");
    assert_ok(mo_kern_cpu_set(NULL));
}
#define test(name) cmocka_unit_test_setup_teardown(name, test_onednn_default, test_onednn_default)

int main(void)
{
    unsetenv("MOPD_BF16");
    const struct CMUnitTest tests[] = {
        test(another_name_is_refused_and_changes_nothing),
        test(integers_can_be_asked_for_anywhere),
        test(unasked_it_is_by_the_processor),
        test(asked_for_by_name_onednn_has_all),
        test(narrower_paths_hide_bfloat16),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
