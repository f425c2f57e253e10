/* SPDX-License-Identifier: MIT
 * test_file.c - files written whole or not at all, mapped, listed. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/map.h"
#include "base/os.h"
#include "base/path.h"
#include "base/names.h"
#include "base/out.h"
#include "base/buf.h"
#include "base/mem.h"

static void write_file(const char *path, const char *text)
{
    mo_out out;
    assert_ok(mo_out_open(&out, path));
    assert_ok(mo_out_write(&out, text, strlen(text)));
    assert_ok(mo_out_commit(&out));
}

static void assert_file_is(const char *path, const char *text)
{
    mo_buf b = {0};
    assert_ok(mo_file_read(&b, path, 1000));
    assert_string_equal(b.data, text);
    mo_buf_free(&b);
}

static void out_replaces_only_when_committed(void **state)
{
    (void)state;
    const char *path = test_path("kept");
    struct stat info;
    mo_out out;
    write_file(path, "old");
    assert_ok(mo_out_open(&out, path));
    assert_ok(mo_out_write(&out, "half", 4));
    mo_out_drop(&out);
    assert_file_is(path, "old");
    write_file(path, "new");
    assert_file_is(path, "new");
    assert_int_equal(stat(path, &info), 0);
    assert_true(info.st_mode & 0400);
    assert_false(info.st_mode & 0111);
    assert_int_equal(chmod(path, 0640), 0);
    write_file(path, "newer"); /* the mode of what is replaced stays */
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

static void killed_writer_leaves_the_old_file(void **state)
{
    (void)state;
    const char *path = test_path("killed");
    write_file(path, "old");
    pid_t child = fork();
    if (child == 0) {
        mo_out out;
        if (mo_out_open(&out, path) || mo_out_write(&out, "half", 4) || fflush(out.stream)) _exit(1);
        kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_file_is(path, "old");
}

static void full_disk_is_an_error(void **state)
{
    (void)state;
    char block[70000] = {0};
    mo_out out;
    assert_ok(mo_out_open(&out, "/dev/full"));
    mopd_status st = mo_out_write(&out, block, sizeof block);
    if (st == MOPD_OK)
        st = mo_out_commit(&out);
    else
        mo_out_drop(&out);
    assert_int_equal(st, MOPD_E_IO);
    assert_non_null(strstr(mopd_last_error(), "No space left"));
}

static void paths_that_cannot_be_written(void **state)
{
    (void)state;
    mo_out out;
    assert_fails(mo_out_open(&out, "/nonexistent-folder/x"), MOPD_E_IO, "No such file");
    assert_fails(mo_out_open(&out, "/tmp"), MOPD_E_IO, "is a directory");
    assert_fails(mo_out_open(&out, ""), MOPD_E_ARG, "empty");
}

/* A pipe stands for all devices: written in place, still a pipe afterwards. */
static void out_never_replaces_a_device(void **state)
{
    (void)state;
    const char *path = test_path("pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    mo_out out;
    assert_ok(mo_out_open(&out, path));
    assert_ok(mo_out_write(&out, "hello", 5));
    assert_ok(mo_out_commit(&out));
    char text[8] = "";
    assert_int_equal(read(reader, text, sizeof text), 5);
    assert_string_equal(text, "hello");
    struct stat info;
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
    close(reader);
}

/* Who waited for a reader could not even be interrupted. */
static void out_waits_for_no_reader(void **state)
{
    (void)state;
    const char *path = test_path("unread");
    assert_int_equal(mkfifo(path, 0600), 0);
    mo_out out;
    assert_fails(mo_out_open(&out, path), MOPD_E_IO, "unread: cannot write: a pipe that nobody reads");
    assert_ok(mo_out_open(&out, "/dev/null"));
    assert_ok(mo_out_commit(&out));
}

static void sockets_are_named(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = test_path("socket");
    if (strlen(path) >= sizeof address.sun_path) skip();
    memcpy(address.sun_path, path, strlen(path));
    const int s = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(s >= 0);
    assert_int_equal(bind(s, (const struct sockaddr *)&address, sizeof address), 0);
    int fd;
    uint64_t size;
    assert_fails(mo_file_open(&fd, &size, path), MOPD_E_IO, "socket: is a socket, a regular file is needed");
    mo_out out;
    assert_fails(mo_out_open(&out, path), MOPD_E_IO, "is a socket, cannot write there");
    close(s);
}

static void out_keeps_a_link_a_link(void **state)
{
    (void)state;
    const char *file = test_write("behind", "old", 3), *link = test_path("link");
    assert_int_equal(symlink(file, link), 0);
    mo_out out;
    assert_ok(mo_out_open(&out, link));
    assert_ok(mo_out_write(&out, "newer", 5));
    assert_ok(mo_out_commit(&out));
    struct stat info;
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(lstat(file, &info), 0);
    assert_true(S_ISREG(info.st_mode) && info.st_size == 5);
}

static void maps_and_reads_agree(void **state)
{
    (void)state;
    mo_map m;
    mo_buf b = {0};
    const char *path = test_write("bytes", "0123456789", 10);
    for (int read = 0; read < 2; read++) {
        assert_ok(mo_map_open(&m, path, read));
        assert_int_equal(m.size, 10);
        mo_map_release(&m, m.data, m.size);
        assert_memory_equal(m.data, "0123456789", 10);
        mo_map_close(&m);
    }
    assert_fails(mo_map_open(&m, "/nonexistent", false), MOPD_E_IO, "/nonexistent");
    assert_fails(mo_map_open(&m, "/tmp", false), MOPD_E_IO, "directory");
    assert_fails(mo_file_read(&b, path, 9), MOPD_E_UNSUPPORTED, "larger than 9");
    assert_null(b.data);
    assert_ok(mo_map_open(&m, test_write("empty", "", 0), false));
    assert_int_equal(m.size, 0);
    mo_map_close(&m);
    assert_int_equal(mo_mem_live(), 0);
}

static const char *told(int64_t size)
{
    static char text[96];
    snprintf(text, sizeof text, "large: its %lld bytes are more than this %d-bit process can hold",
        (long long)size, (int)(8 * sizeof(size_t)));
    return text;
}

/* With sizes of 32 bits Linux may map 3 GB, in which pointers cannot be subtracted. */
static void no_file_is_mapped_beyond_half_of_all_addresses(void **state)
{
    (void)state;
    static const int64_t sizes[] = {
        INT64_C(1) << 31, INT64_C(3) << 30, UINT32_MAX, INT64_C(1) << 32, INT64_C(5) << 30};
    if (sizeof(size_t) > 4) skip();
    const char *path = test_write("large", "text", 4);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        mo_map map;
        assert_int_equal(truncate(path, (off_t)sizes[i]), 0); /* which takes no room on the disk */
        for (int read = 0; read < 2; read++) {
            assert_fails(mo_map_open(&map, path, read), MOPD_E_NOMEM, told(sizes[i]));
            assert_null(map.data);
            assert_int_equal(map.size, 0);
        }
        mo_buf text = {0};
        assert_fails(mo_file_read(&text, path, SIZE_MAX / 2), MOPD_E_UNSUPPORTED,
            "large: larger than 2147483647 bytes");
    }
}

/* On any machine: the sentence has the file's own size, not one that the machine can have. */
static void sizes_that_memory_has_not_are_told(void **state)
{
    (void)state;
    size_t size;
    assert_ok(mo_file_size(&size, INT32_MAX, INT32_MAX, "full"));
    assert_int_equal(size, INT32_MAX);
    assert_fails(
        mo_file_size(&size, UINT64_C(5) << 30, INT32_MAX, "large"), MOPD_E_NOMEM, told(INT64_C(5) << 30));
    assert_fails(mo_file_size(&size, UINT64_MAX, MO_FILE_MOST, "all"), MOPD_E_NOMEM,
        "all: its 18446744073709551615 bytes");
}

/* Nobody writes to the pipe: who waited for it would wait for ever. */
static void what_is_no_regular_file_is_refused_at_once(void **state)
{
    (void)state;
    const char *pipe = test_path("never");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    const char *path[] = {pipe, "/dev/null", "/dev/zero", "/tmp"};
    const char *const kind[] = {"is a pipe", "is a device", "is a device", "is a directory"};
    mo_map m;
    mo_buf b = {0};
    for (size_t i = 0; i < 4; i++) {
        assert_fails(mo_file_read(&b, path[i], 100), MOPD_E_IO, kind[i]);
        for (int read = 0; read < 2; read++) assert_fails(mo_map_open(&m, path[i], read), MOPD_E_IO, kind[i]);
    }
    assert_fails(mo_file_read(&b, pipe, 100), MOPD_E_IO, "a regular file is needed");
    assert_ok(mo_file_read(&b, "/proc/self/maps", 1 << 20)); /* a regular file without a size */
    assert_true(b.size > 0);
    mo_buf_free(&b);
}

static void names_come_in_byte_order(void **state)
{
    (void)state;
    const char *dir = test_path("names");
    mo_names n;
    mkdir(dir, 0777);
    test_write("names/b", "", 0);
    test_write("names/B", "", 0);
    test_write("names/a", "", 0);
    test_write("names/\xc3\xa4", "", 0);
    assert_ok(mo_names_dir(&n, dir));
    assert_int_equal(n.n, 4);
    assert_string_equal(n.name[0], "B");
    assert_string_equal(n.name[1], "a");
    assert_string_equal(n.name[3], "\xc3\xa4");
    mo_names_free(&n);
    assert_fails(mo_names_dir(&n, "/nonexistent"), MOPD_E_IO, "/nonexistent: cannot list");
}

static void paths_join_and_part(void **state)
{
    (void)state;
    char *joined = mo_path_join("a/", "b"), *whole = mo_path_join("a", "/b"), *dir = mo_path_dir("a/b/c");
    char *here = mo_path_dir("c"), *top = mo_path_dir("/c");
    assert_string_equal(mo_path_name("a/b.c"), "b.c");
    assert_string_equal(mo_path_name("/c"), "c");
    assert_string_equal(mo_path_name("c"), "c");
    assert_string_equal(mo_path_name("a/"), "");
    assert_true(mo_path_is_whole("/a") && !mo_path_is_whole("a/b") && !mo_path_is_whole(""));
    assert_true(
        mo_path_is_whole("C:/a") == MO_OS_DRIVES && mo_path_stays("a/..b/c") && !mo_path_stays("a/.."));
    assert_true(mo_path_stays("a\\..\\b") != MO_OS_DRIVES);
    assert_string_equal(joined, "a/b");
    assert_string_equal(whole, "/b");
    assert_string_equal(dir, "a/b");
    assert_string_equal(here, ".");
    assert_string_equal(top, "/");
    mo_mem_free(joined);
    mo_mem_free(whole);
    mo_mem_free(dir);
    mo_mem_free(here);
    mo_mem_free(top);
}

static void assert_real(const char *path, const char *want)
{
    char *real = mo_path_real(path);
    assert_string_equal(real, want);
    mo_mem_free(real);
}

/* Links are followed as far as there is something; what is behind is taken as it is written. */
static void real_paths_begin_at_the_top(void **state)
{
    (void)state;
    char real[4096], want[5000];
    assert_non_null(realpath(test_path(""), real));
    assert_int_equal(mkdir(test_path("really"), 0700), 0);
    assert_int_equal(symlink("really", test_path("real-link")), 0);
    snprintf(want, sizeof want, "%s/really", real);
    assert_real(test_path("real-link"), want);
    assert_real(test_path("real-link/"), want);
    snprintf(want, sizeof want, "%s/really/no/such", real);
    assert_real(test_path("real-link/no/such"), want);
    assert_real(test_path("real-link/no/such//"), want);
    assert_real("/", "/");
    assert_real("/no such/folder", "/no such/folder");
    assert_non_null(realpath(".", real));
    assert_real("", real);
    assert_real(".", real);
    snprintf(want, sizeof want, "%s/no such", real);
    assert_real("no such", want);
}

static void paths_are_seen_from_folders(void **state)
{
    (void)state;
    static const char *const cases[][3] = {{"/a/b", "/a/b", ""}, {"/a/b", "/a/b/c/d", "c/d"},
        {"/a/b", "/a/bc", "/a/bc"}, {"/", "/a", "a"}, {"/a/b", "/a", "/a"}, {"/", "/", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *seen = mo_path_below(cases[i][0], cases[i][1]);
        assert_string_equal(seen, cases[i][2]);
        mo_mem_free(seen);
    }
}

static mopd_status find_real(void *path)
{
    char *real = mo_path_real(path);
    mo_mem_free(real);
    return real ? MOPD_OK : MOPD_E_NOMEM;
}

static void real_paths_survive_lack_of_memory(void **state)
{
    (void)state;
    test_torture(find_real, (void *)(uintptr_t) "/no such/folder/at/all");
}

static mopd_status list_folder(void *path)
{
    mo_names n;
    mopd_status st = mo_names_dir(&n, path);
    if (st == MOPD_OK) mo_names_free(&n);
    return st;
}

static mopd_status read_and_write(void *path)
{
    mo_buf b = {0};
    mo_map m = {0};
    mo_out out;
    mopd_status st = mo_file_read(&b, path, 1000);
    if (st == MOPD_OK) st = mo_map_open(&m, path, true);
    if (st == MOPD_OK) st = mo_out_open(&out, path);
    if (st == MOPD_OK) {
        st = mo_out_write(&out, b.data, b.size);
        if (st == MOPD_OK)
            st = mo_out_commit(&out);
        else
            mo_out_drop(&out);
    }
    mo_map_close(&m);
    mo_buf_free(&b);
    return st;
}

static void files_survive_no_memory(void **state)
{
    (void)state;
    char dir[512], file[512];
    snprintf(dir, sizeof dir, "%s", test_path("names"));
    snprintf(file, sizeof file, "%s", test_write("torture", "text", 4));
    test_torture(list_folder, dir);
    test_torture(read_and_write, file);
    assert_ok(mopd_runtime_set_allocator(NULL));
    assert_file_is(file, "text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out_never_replaces_a_device),
        cmocka_unit_test(out_waits_for_no_reader),
        cmocka_unit_test(sockets_are_named),
        cmocka_unit_test(out_keeps_a_link_a_link),
        cmocka_unit_test(out_replaces_only_when_committed),
        cmocka_unit_test(killed_writer_leaves_the_old_file),
        cmocka_unit_test(full_disk_is_an_error),
        cmocka_unit_test(paths_that_cannot_be_written),
        cmocka_unit_test(maps_and_reads_agree),
        cmocka_unit_test(no_file_is_mapped_beyond_half_of_all_addresses),
        cmocka_unit_test(sizes_that_memory_has_not_are_told),
        cmocka_unit_test(what_is_no_regular_file_is_refused_at_once),
        cmocka_unit_test(names_come_in_byte_order),
        cmocka_unit_test(paths_join_and_part),
        cmocka_unit_test(real_paths_begin_at_the_top),
        cmocka_unit_test(paths_are_seen_from_folders),
        cmocka_unit_test(real_paths_survive_lack_of_memory),
        cmocka_unit_test(files_survive_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
