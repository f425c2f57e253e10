/* SPDX-License-Identifier: MIT
 * test_cores.c - which processors are worth a thread, in trees that look like the system's. */
#include "test.h"

#include "base/cores.h"
#include "base/os_thread.h"
#include "base/pool.h"
#include "support/rooted.h"

static bool all(size_t processor)
{
    (void)processor;
    return true;
}

static bool first_four(size_t processor)
{
    return processor < 4;
}

static bool odd(size_t processor)
{
    return processor % 2 == 1;
}

static bool none(size_t processor)
{
    (void)processor;
    return false;
}

/* One file a processor, of what was told of some machine. */
static void put_all(const char *const *capacities, size_t n)
{
    char path[64];
    for (size_t i = 0; i < n; i++) {
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%zu/cpu_capacity", i);
        put(path, capacities[i]);
    }
}

/* Four little ones, three of the middle, a big one. */
static void those_of_half_the_best_ones_capacity_count(void **state)
{
    (void)state;
    static const char *const phone[] = {
        "290\n", "290\n", "290\n", "290\n", "871\n", "871\n", "871\n", "1024\n"};
    assert_int_equal(make_root("phone"), 0);
    put_all(phone, 8);
    assert_int_equal(mo_cores_fast(root, 8, all), 4);
    put("/sys/devices/system/cpu/cpu3/cpu_capacity", "512\n");
    assert_int_equal(mo_cores_fast(root, 8, all), 5);
    put("/sys/devices/system/cpu/cpu3/cpu_capacity", "511\n");
    assert_int_equal(mo_cores_fast(root, 8, all), 4);
}

/* A process that is held to the little ones takes them all. */
static void they_are_held_against_those_of_this_process(void **state)
{
    (void)state;
    static const char *const phone[] = {"430", "430", "430", "430", "1024", "1024", "1024", "1024"};
    assert_int_equal(make_root("held"), 0);
    put_all(phone, 8);
    assert_int_equal(mo_cores_fast(root, 4, first_four), 4);
    assert_int_equal(mo_cores_fast(root, 4, odd), 2);
    assert_int_equal(mo_cores_fast(root, 1, odd), 1);
    assert_int_equal(mo_cores_fast(root, 8, none), 0);
}

static void where_it_is_not_told_none_is_chosen(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "0", "-", "fast"};
    assert_int_equal(make_root("untold"), 0);
    assert_int_equal(mo_cores_fast(root, 4, all), 0);
    put_all((const char *const[]){"1024", "1024", "1024"}, 3);
    assert_int_equal(mo_cores_fast(root, 3, all), 3);
    assert_int_equal(mo_cores_fast(root, 4, all), 0); /* the fourth has no file */
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put("/sys/devices/system/cpu/cpu1/cpu_capacity", wrong[i]);
        assert_int_equal(mo_cores_fast(root, 3, all), 0);
    }
}

static void this_process_may_run_where_it_is_said_to(void **state)
{
    (void)state;
    size_t n = 0;
    for (size_t i = 0; i < 1024; i++) n += mo_os_may_run_on(i);
    assert_int_equal(n, mo_os_processors());
    assert_false(mo_os_may_run_on((size_t)1 << 20));
    assert_in_range(mo_pool_processors(), 1, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_of_half_the_best_ones_capacity_count),
        cmocka_unit_test(they_are_held_against_those_of_this_process),
        cmocka_unit_test(where_it_is_not_told_none_is_chosen),
        cmocka_unit_test(this_process_may_run_where_it_is_said_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
