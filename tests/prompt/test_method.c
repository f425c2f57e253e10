/* SPDX-License-Identifier: MIT
 * test_method.c - the table of methods: names both ways, and what each one is made of (docs/method.md 3.4, 4). */
#include "test.h"

#include "prompt/method.h"

static const char *const names[] = {"mopd", "mopd-static", "mopd-random", "kd", "coop", "kgcoop", "prograd"};

static void names_and_numbers_belong_together(void **state)
{
    (void)state;
    assert_int_equal(MO_METHODS, sizeof names / sizeof *names);
    for (int32_t i = 0; i < MO_METHODS; i++) {
        int32_t found = -1;
        assert_string_equal(mopd_method_name(i), names[i]);
        assert_string_equal(mo_method_names[i], names[i]);
        assert_ok(mopd_method_find(names[i], &found));
        assert_int_equal(found, i);
    }
}

static void unknown_methods_have_neither(void **state)
{
    (void)state;
    int32_t found = 77;
    static const int32_t wrong[] = {-1, MO_METHODS, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < 4; i++) {
        assert_null(mopd_method_name(wrong[i]));
        assert_null(mo_method_get(wrong[i]));
    }
    static const char *const none[] = {"", "mop", "mopd ", "MoPD", "gd", "zero-shot "};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_fails(mopd_method_find(none[i], &found), MOPD_E_ARG,
            "is unknown; there are mopd, mopd-static, mopd-random, kd, coop, kgcoop, prograd");
    assert_fails(
        mopd_method_find("gda", &found), MOPD_E_ARG, "method \"gda\" learns no prompt: fit a recogniser");
    assert_fails(mopd_method_find("fit", &found), MOPD_E_ARG, "mopd_recognizer_create");
    assert_fails(mopd_method_find("zero-shot", &found), MOPD_E_ARG, "mopd_bank_create");
    assert_fails(mopd_method_find(NULL, &found), MOPD_E_ARG, "mopd_method_find");
    assert_fails(mopd_method_find("mopd", NULL), MOPD_E_ARG, "mopd_method_find");
    assert_int_equal(found, 77);
}

/* Teachers, gate, losses: distillation, MPS, KgCoOp's, ProGrad's. */
static void methods_are_made_of_their_parts(void **state)
{
    (void)state;
    static const mo_method want[] = {
        {MO_TEACHERS_ALL, MO_GATE_IMAGE, true, true, false, false, 0},
        {MO_TEACHERS_ALL, MO_GATE_STATIC, true, false, false, false, 0},
        {MO_TEACHERS_ALL, MO_GATE_RANDOM, true, false, false, false, 0},
        {MO_TEACHERS_FIRST, MO_GATE_NONE, true, false, false, false, 0},
        {MO_TEACHERS_NONE, MO_GATE_NONE, false, false, false, false, 0},
        {MO_TEACHERS_FIRST, MO_GATE_NONE, false, false, true, false, 8},
        {MO_TEACHERS_FIRST, MO_GATE_NONE, false, false, false, true, 1},
    };
    for (int32_t i = 0; i < MO_METHODS; i++) {
        const mo_method *m = mo_method_get(i);
        assert_int_equal(m->teachers, want[i].teachers);
        assert_int_equal(m->gate, want[i].gate);
        assert_int_equal(m->distils, want[i].distils);
        assert_int_equal(m->mps, want[i].mps);
        assert_int_equal(m->kg, want[i].kg);
        assert_int_equal(m->project, want[i].project);
        assert_true(m->lambda == want[i].lambda);
    }
}

/* What the trainer relies on: a part that needs teachers has some, and a gate has several to choose from. */
static void parts_do_not_contradict_each_other(void **state)
{
    (void)state;
    for (int32_t i = 0; i < MO_METHODS; i++) {
        const mo_method *m = mo_method_get(i);
        if (m->distils || m->mps || m->kg || m->project) assert_int_not_equal(m->teachers, MO_TEACHERS_NONE);
        if (m->gate != MO_GATE_NONE) assert_int_equal(m->teachers, MO_TEACHERS_ALL);
        if (m->mps) assert_true(m->distils && m->gate == MO_GATE_IMAGE);
        assert_true((m->lambda > 0) == (m->kg || m->project));
        assert_false(m->kg && m->project);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_numbers_belong_together),
        cmocka_unit_test(unknown_methods_have_neither),
        cmocka_unit_test(methods_are_made_of_their_parts),
        cmocka_unit_test(parts_do_not_contradict_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
