/* SPDX-License-Identifier: MIT
 * test_os.c - what every system has to do alike: files, folders, locks, pages, threads. */
#define _GNU_SOURCE /* pthread_setattr_default_np */
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "base/os_thread.h"
#include "test.h"

static void a_file_is_written_cut_and_read(void **state)
{
    (void)state;
    char got[16];
    mo_os_info info;
    const char *path = test_path("grows");
    const int file = mo_os_open_growing(path);
    assert_true(file >= 0);
    assert_true(mo_os_write(file, "0123456789", 10) && mo_os_sync(file));
    assert_true(mo_os_cut(file, 4) && mo_os_write(file, "abc", 3));
    assert_true(mo_os_info_file(&info, file));
    assert_int_equal(info.kind, MO_OS_REGULAR);
    assert_int_equal(info.size, 7);
    mo_os_close(file);
    const int again = mo_os_open(path);
    assert_int_equal(mo_os_read(again, got, sizeof got), 7);
    assert_memory_equal(got, "0123abc", 7);
    assert_int_equal(mo_os_read(again, got, sizeof got), 0);
    mo_os_close(again);
    assert_true(mo_os_remove(path));
    assert_int_equal(mo_os_open(path), -1);
    assert_int_equal(errno, ENOENT);
}

static void a_file_is_held_once(void **state)
{
    (void)state;
    const char *path = test_path("held");
    const int a = mo_os_open_growing(path), b = mo_os_open_growing(path);
    assert_int_equal(mo_os_hold(a), MO_OS_HELD);
    assert_int_equal(mo_os_hold(b), MO_OS_TAKEN);
    assert_true(mo_os_write(a, "x", 1)); /* a lock is no hindrance */
    mo_os_close(a);
    assert_int_equal(mo_os_hold(b), MO_OS_HELD);
    mo_os_close(b);
}

static void a_file_takes_the_place_of_another(void **state)
{
    (void)state;
    mo_os_info info;
    test_write("old", "old one", 7);
    const mo_os_dir dir = mo_os_dir_open(test_path(""));
    assert_true(dir != MO_OS_NO_DIR && mo_os_dir_writable(dir));
    const int file = mo_os_dir_create(dir, "new", 0600);
    assert_true(file >= 0);
    assert_int_equal(mo_os_dir_create(dir, "new", 0600), -1);
    assert_int_equal(errno, EEXIST);
    assert_true(mo_os_write(file, "new", 3));
    assert_true(mo_os_dir_replace(dir, "new", "old")); /* while it is open */
    mo_os_close(file);
    assert_false(mo_os_dir_info(dir, &info, "new"));
    assert_true(mo_os_dir_info(dir, &info, "old"));
    assert_int_equal(info.size, 3);
    assert_true(mo_os_dir_remove(dir, "old"));
    mo_os_dir_close(dir);
}

static void names_are_listed_and_end(void **state)
{
    (void)state;
    int n = 0;
    test_write("listed", "", 0);
    const mo_os_dir dir = mo_os_dir_open(test_path(""));
    mo_os_names *names = mo_os_names_open_dir(dir);
    for (const char *name; (name = mo_os_names_next(names));) {
        assert_true(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
        n += !strcmp(name, "listed");
    }
    assert_int_equal(errno, 0);
    assert_int_equal(n, 1);
    mo_os_names_close(names);
    mo_os_dir_close(dir);
    assert_null(mo_os_names_open(test_path("no folder")));
    assert_int_equal(errno, ENOENT);
}

static void a_mapped_file_reads_the_same_after_its_pages_went(void **state)
{
    (void)state;
    static char bytes[3 << 16];
    memset(bytes, 'm', sizeof bytes);
    const int file = mo_os_open(test_write("mapped", bytes, sizeof bytes));
    char *map = mo_os_map(file, sizeof bytes);
    mo_os_close(file);
    assert_non_null(map);
    assert_memory_equal(map, bytes, sizeof bytes);
    assert_true(mo_os_page() >= 4096 && mo_os_page() <= 1 << 16);
    mo_os_forget(map + (1 << 16), 1 << 16);
    assert_memory_equal(map, bytes, sizeof bytes);
    mo_os_unmap(map, sizeof bytes);
}

static void clocks_run_forward(void **state)
{
    (void)state;
    int64_t now[2];
    const double before = mo_os_clock();
    mo_os_now(now);
    assert_true(mo_os_clock() >= before);
    assert_true(now[0] > 1700000000 && now[1] >= 0 && now[1] < 1000000000);
}

static void errors_have_texts(void **state)
{
    (void)state;
    char text[64];
    mo_os_error_text(ENOENT, text, sizeof text);
    assert_string_equal(text, "No such file or directory");
}

#if MO_OS_BLOCKS_RESIZE
static void blocks_of_pages_grow_and_shrink_with_what_is_in_them(void **state)
{
    (void)state;
    const size_t some = 2 * MO_OS_HUGE_PAGE + 5, more = 5 * MO_OS_HUGE_PAGE + 1;
    unsigned char *block = mo_os_block_get(some);
    assert_non_null(block);
    memset(block, 0x5a, some);
    block = mo_os_block_resize(block, some, more);
    assert_non_null(block);
    for (size_t i = 0; i < some; i += 4093) assert_int_equal(block[i], 0x5a);
    block[more - 1] = 1;
    block = mo_os_block_resize(block, more, some);
    assert_non_null(block);
    for (size_t i = 0; i < some; i += 4093) assert_int_equal(block[i], 0x5a);
    mo_os_block_free(block, some);
    assert_null(mo_os_block_get(SIZE_MAX - 4 * MO_OS_HUGE_PAGE)); /* in 32 bits a quarter may be had */
}
#endif

/* KiB, more than the smallest default stack has; ThreadSanitizer puts its own half a megabyte there. */
#if defined(__SANITIZE_THREAD__)
enum { FRAME = 1 };
#else
enum { FRAME = 400 };
#endif

static void *use_stack(void *sum)
{
    volatile char frame[FRAME << 10];
    for (size_t i = 0; i < sizeof frame; i += 1024) frame[i] = 1;
    for (size_t i = 0; i < sizeof frame; i += 1024) *(int *)sum += frame[i];
    return NULL;
}

static void a_thread_has_a_stack_for_our_frames(void **state)
{
    (void)state;
    mo_os_thread thread;
    int sum = 0;
#ifdef __linux__
    pthread_attr_t usual, small;
    assert_int_equal(pthread_getattr_default_np(&usual), 0);
    assert_int_equal(pthread_getattr_default_np(&small), 0);
    assert_int_equal(pthread_attr_setstacksize(&small, 128 << 10), 0);
    assert_int_equal(pthread_setattr_default_np(&small), 0);
#endif
    const int why = mo_os_thread_start(&thread, use_stack, &sum);
#ifdef __linux__
    assert_int_equal(pthread_setattr_default_np(&usual), 0);
    pthread_attr_destroy(&usual);
    pthread_attr_destroy(&small);
#endif
    if (why == ENOSYS) return; /* no threads here */
    assert_int_equal(why, 0);
    mo_os_thread_join(thread);
    assert_int_equal(sum, FRAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_written_cut_and_read),
        cmocka_unit_test(a_file_is_held_once),
#if MO_OS_BLOCKS_RESIZE
        cmocka_unit_test(blocks_of_pages_grow_and_shrink_with_what_is_in_them),
#endif
        cmocka_unit_test(a_file_takes_the_place_of_another),
        cmocka_unit_test(names_are_listed_and_end),
        cmocka_unit_test(a_mapped_file_reads_the_same_after_its_pages_went),
        cmocka_unit_test(clocks_run_forward),
        cmocka_unit_test(errors_have_texts),
        cmocka_unit_test(a_thread_has_a_stack_for_our_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
