/* SPDX-License-Identifier: MIT
 * test_buf.c - texts and bytes that grow. */
#include "test.h"

#include "base/buf.h"
#include "base/mem.h"

static mopd_status build_text(void *ctx)
{
    mo_buf b = {0};
    mopd_status st = mo_buf_adds(&b, "start");
    for (int i = 0; st == MOPD_OK && i < 200; i++) st = mo_buf_addf(&b, " %d", i);
    if (st == MOPD_OK && strlen(b.data) != b.size) st = MOPD_E_INTERNAL;
    *(size_t *)ctx = b.size;
    mo_buf_free(&b);
    return st;
}

static void buffer_grows_or_says_no_memory(void **state)
{
    (void)state;
    size_t n;
    test_torture(build_text, &n);
    assert_int_equal(n, 5 + 10 * 2 + 90 * 3 + 100 * 4);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

static void always_ends_with_a_zero(void **state)
{
    (void)state;
    mo_buf b = {0};
    for (size_t i = 0; i < 2000; i++) {
        assert_ok(mo_buf_add(&b, "x", 1));
        assert_int_equal(b.size, i + 1);
        assert_int_equal(b.data[b.size], 0);
        assert_true(b.cap > b.size);
    }
    mo_buf_free(&b);
    assert_null(b.data);
    assert_int_equal(mo_mem_live(), 0);
}

static void bytes_may_hold_zeros(void **state)
{
    (void)state;
    mo_buf b = {0};
    assert_ok(mo_buf_add(&b, "a\0b", 3));
    assert_ok(mo_buf_add(&b, "", 0));
    assert_ok(mo_buf_add(&b, NULL, 0));
    assert_int_equal(b.size, 3);
    assert_memory_equal(b.data, "a\0b", 4);
    mo_buf_free(&b);
}

static void room_is_there_but_not_counted(void **state)
{
    (void)state;
    mo_buf b = {0};
    char *room = mo_buf_room(&b, 1000);
    assert_non_null(room);
    assert_int_equal(b.size, 0);
    assert_int_equal(room[0], 0);
    memset(room, 'y', 1000);
    b.size += 10; /* as much as was used */
    assert_ok(mo_buf_adds(&b, "z"));
    assert_string_equal(b.data, "yyyyyyyyyyz");
    b.size = SIZE_MAX - 5;
    assert_null(mo_buf_room(&b, 10));
    assert_non_null(strstr(mopd_last_error(), "out of memory"));
    b.size = 0;
    mo_buf_free(&b);
}

static void formats_of_any_length(void **state)
{
    (void)state;
    mo_buf b = {0};
    char want[600] = "";
    for (int n = 0; n < 400; n += 37) {
        b.size = 0;
        assert_ok(mo_buf_addf(&b, "%*d|%s", n, 7, "end"));
        snprintf(want, sizeof want, "%*d|%s", n, 7, "end");
        assert_string_equal(b.data, want);
    }
    mo_buf_free(&b);
}

static void taking_hands_the_block_over(void **state)
{
    (void)state;
    mo_buf b = {0};
    assert_null(mo_buf_take(&b)); /* nothing was ever added */
    assert_ok(mo_buf_adds(&b, ""));
    char *empty = mo_buf_take(&b);
    assert_string_equal(empty, "");
    assert_ok(mo_buf_adds(&b, "second"));
    char *text = mo_buf_take(&b);
    assert_string_equal(text, "second");
    assert_int_equal(b.size, 0);
    mo_mem_free(empty);
    mo_mem_free(text);
    assert_int_equal(mo_mem_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_grows_or_says_no_memory),
        cmocka_unit_test(always_ends_with_a_zero),
        cmocka_unit_test(bytes_may_hold_zeros),
        cmocka_unit_test(room_is_there_but_not_counted),
        cmocka_unit_test(formats_of_any_length),
        cmocka_unit_test(taking_hands_the_block_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
