/* SPDX-License-Identifier: MIT
 * test_out.c - who may write where, what is kept of the file that is replaced, and what killed writers leave. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/out.h"

static void assert_holds(const char *path, const char *text)
{
    char *now = test_read(path);
    assert_string_equal(now, text);
    free(now);
}

static const char *folder_of(const char *name)
{
    const char *path = test_path(name);
    assert_int_equal(mkdir(path, 0700), 0);
    return path;
}

/* Names in a folder that begin so. */
static int count_names(const char *folder, const char *beginning)
{
    int n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) n += !strncmp(e->d_name, beginning, strlen(beginning));
    closedir(dir);
    return n;
}

/* A process that has written half of a file and waits; its end of the pipe says when it has come so far. */
static pid_t half_written(const char *path)
{
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (!child) {
        mo_out out;
        if (mo_out_open(&out, path) || mo_out_write(&out, "half", 4) || fflush(out.stream)) _exit(1);
        if (write(ends[1], "x", 1) != 1) _exit(1);
        for (;;) pause();
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return child;
}

static void end(pid_t child)
{
    int status;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
}

static void modes_are_kept_and_new_ones_are_the_umask_s(void **state)
{
    (void)state;
    struct stat info;
    const char *folder = folder_of("modes"), *old = test_write("modes/old", "old", 3),
               *new = test_path("modes/new");
    const mode_t before = umask(027);
    assert_int_equal(chmod(old, 0604), 0);
    mo_out out;
    assert_ok(mo_out_open(&out, old));
    assert_int_equal(fstat(fileno(out.stream), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600); /* nobody else reads what is not finished */
    assert_ok(mo_out_write(&out, "newer", 5));
    assert_ok(mo_out_commit(&out));
    assert_ok(mo_out_save(new, "new", 3));
    umask(before);
    assert_int_equal(stat(old, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0604);
    assert_int_equal(stat(new, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_holds(old, "newer");
    assert_int_equal(count_names(folder, "."), 2); /* . and .. */
}

/* As root: the file stays its owner's. */
static void owners_are_kept(void **state)
{
    (void)state;
    struct stat info;
    const char *path = test_write("owned", "old", 3);
    if (geteuid()) skip();
    assert_int_equal(chown(path, 12, 34), 0);
    assert_int_equal(chmod(path, 0660), 0);
    assert_ok(mo_out_save(path, "new", 3));
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_uid, 12);
    assert_int_equal(info.st_gid, 34);
    assert_int_equal(info.st_mode & 0777, 0660);
}

/* As cp does: what a link leads to must be there. */
static void links_that_lead_nowhere_are_refused(void **state)
{
    (void)state;
    struct stat info;
    const char *dead = test_path("dead"), *loop = test_path("loop");
    assert_int_equal(symlink(test_path("not-there"), dead), 0);
    assert_int_equal(symlink("loop", loop), 0);
    mo_out out;
    assert_fails(mo_out_open(&out, dead), MOPD_E_IO, "dead: a symbolic link that leads to nothing");
    assert_fails(mo_out_open(&out, loop), MOPD_E_IO, strerror(ELOOP));
    assert_fails(mopd_file_check(dead), MOPD_E_IO, "leads to nothing");
    const char *const links[] = {dead, loop};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(lstat(links[i], &info), 0);
        assert_true(S_ISLNK(info.st_mode));
    }
    assert_int_equal(access(test_path("not-there"), F_OK), -1);
}

/* Two writers of one file have each its own, and the last one wins whole. */
static void two_writers_share_nothing(void **state)
{
    (void)state;
    const char *folder = folder_of("two"), *path = test_path("two/file");
    mo_out a, b;
    assert_ok(mo_out_open(&a, path));
    assert_ok(mo_out_open(&b, path));
    assert_string_not_equal(a.temp, b.temp);
    assert_int_equal(count_names(folder, ".mopd-"), 2);
    assert_ok(mo_out_write(&a, "first", 5));
    assert_ok(mo_out_write(&b, "second", 6));
    assert_ok(mo_out_commit(&b));
    assert_holds(path, "second");
    assert_ok(mo_out_commit(&a));
    assert_holds(path, "first");
    assert_int_equal(count_names(folder, ".mopd-"), 0);
    assert_int_equal(mo_mem_live(), 0);
}

/* A file of this name that somebody has put there is never opened: not a link, not a file. */
static void names_that_are_taken_are_not_opened(void **state)
{
    (void)state;
    const char *folder = folder_of("taken"), *victim = test_write("victim", "mine", 4);
    const int fd = open(folder, O_RDONLY | O_DIRECTORY);
    char name[MO_OUT_TEMP];
    for (int i = 0; i < 50; i++) {
        const int file = mo_out_temp_open(fd, name, 0600);
        assert_true(file >= 0);
        assert_int_equal(unlinkat(fd, name, 0), 0);
        assert_int_equal(symlinkat(victim, fd, name), 0);
        assert_int_equal(openat(fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600), -1);
        close(file);
    }
    close(fd);
    assert_ok(mo_out_save(test_path("taken/file"), "new", 3));
    assert_holds(victim, "mine");
    assert_int_equal(count_names(folder, ".mopd-"), 50); /* links are not ours to remove */
}

static void devices_and_sockets(void **state)
{
    (void)state;
    struct stat info;
    mo_out out;
    const char *disk = test_path("disk");
    assert_ok(mopd_file_save("/dev/null", "x", 1));
    assert_int_equal(stat("/dev/null", &info), 0);
    assert_true(S_ISCHR(info.st_mode));
    assert_fails(mopd_file_check("/tmp"), MOPD_E_IO, "is a directory, cannot write there");
    assert_fails(mopd_file_check(test_path("no/where")), MOPD_E_IO, "No such file");
    if (mknod(disk, S_IFBLK | 0600, makedev(7, 250))) return; /* not root */
    assert_fails(mo_out_open(&out, disk), MOPD_E_IO, "is a block device, what is on it would be destroyed");
}

static void what_cannot_be_written_to_is_told(void **state)
{
    (void)state;
    mo_out out;
    const char *pipe = test_path("pipe"), *socket = test_path("socket"), *late = test_path("late");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(mknod(socket, S_IFSOCK | 0600, 0), 0);
    assert_fails(mo_out_open(&out, ""), MOPD_E_ARG, "the path to write to is empty");
    assert_fails(mo_out_open(&out, pipe), MOPD_E_IO, "pipe: cannot write: a pipe that nobody reads");
    assert_fails(mo_out_open(&out, socket), MOPD_E_IO, "socket: is a socket");
    assert_ok(mo_out_check("/dev/stdout"));
    assert_ok(mo_out_check("/dev/stderr"));
    assert_ok(mo_out_open(&out, late));
    assert_ok(mo_out_write(&out, "x", 1));
    assert_int_equal(mkdir(late, 0700), 0); /* meanwhile */
    assert_fails(
        mo_out_commit(&out), MOPD_E_IO, "late: cannot put the finished file in place: Is a directory");
}

/* Names that only begin as those of open files, and a name without a folder. */
static void names_that_are_read_as_they_stand(void **state)
{
    (void)state;
    static const char *const names[] = {"/dev/fd/x", "/dev/fd/12345", "/proc/self/fd/1x"};
    char before[PATH_MAX];
    for (size_t i = 0; i < 3;
         i++) { /* no open file: whether a new one may be made there is the system's to say */
        const mopd_status st = mo_out_check(names[i]);
        assert_true(st == MOPD_OK || st == MOPD_E_IO);
    }
    assert_fails(mo_out_check(NULL), MOPD_E_ARG, "the path to write to is empty");
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder_of("here")), 0);
    const mopd_status st = mo_out_save("bare", "x", 1);
    assert_int_equal(chdir(before), 0);
    assert_ok(st);
    assert_holds(test_path("here/bare"), "x");
}

/* /dev/fd/N and its sisters are the open file itself, wherever it stands. */
static void open_files_are_gone_on_with(void **state)
{
    (void)state;
    char name[32];
    const char *path = test_path("open");
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, "head ", 5), 5);
    snprintf(name, sizeof name, "/dev/fd/%d", fd);
    assert_ok(mopd_file_check(name));
    assert_ok(mopd_file_save(name, "body", 4));
    assert_int_equal(write(fd, " tail", 5), 5);
    close(fd);
    assert_holds(path, "head body tail");
    assert_fails(mopd_file_save(name, "body", 4), MOPD_E_IO, "Bad file descriptor");
}

static void killed_writers_are_cleaned_up_after(void **state)
{
    (void)state;
    const char *folder = folder_of("killed-ones"), *path = test_path("killed-ones/file"),
               *other = test_path("killed-ones/other");
    assert_ok(mo_out_save(path, "old", 3));
    const pid_t dead = half_written(path), alive = half_written(other);
    end(dead);
    assert_int_equal(count_names(folder, ".mopd-"), 2);
    assert_ok(
        mo_out_save(path, "new", 3)); /* whose file it is does not matter, but that it is nobody's any more */
    assert_int_equal(count_names(folder, ".mopd-"), 1);
    end(alive);
    assert_ok(mo_out_save(path, "newer", 5));
    assert_int_equal(count_names(folder, ".mopd-"), 0);
    assert_holds(path, "newer");
    assert_int_equal(access(other, F_OK), -1);
}

/* One that was written under another kernel: its lock is not seen here, so its age has to speak too. */
static void files_of_other_machines_are_given_a_day(void **state)
{
    (void)state;
    const char *folder = folder_of("others"), *path = test_path("others/file"),
               *theirs = test_write("others/.mopd-00000000-0123456789abcdef.part", "half", 4);
    assert_ok(mo_out_save(path, "x", 1));
    assert_int_equal(count_names(folder, ".mopd-"), 1);
    const struct timespec old[2] = {{.tv_sec = time(NULL) - 2 * 86400}, {.tv_sec = time(NULL) - 2 * 86400}};
    assert_int_equal(utimensat(AT_FDCWD, theirs, old, 0), 0);
    assert_ok(mo_out_save(path, "x", 1));
    assert_int_equal(count_names(folder, ".mopd-"), 0);
}

static void what_is_not_ours_stays(void **state)
{
    (void)state;
    static const char *const names[] = {"strangers/.mopd-01234567-0123456789abcde.part",
        "strangers/.mopd-0123456x-0123456789abcdef.part", "strangers/.mopd-01234567-0123456789abcdef.par",
        "strangers/.mopd-01234567_0123456789abcdef.part", "strangers/mopd-01234567-0123456789abcdef.part",
        "strangers/.mopd-01234567-0123456789abcdef.part.bak",
        "strangers/xmopd-01234567-0123456789abcdef.part", "strangers/.mopd-01234567-0123456789abcdex.part",
        "strangers/.mopd-01234567-0123456789abcdef.parx", "strangers/.mopd-01234567-3123456789abcdef.part"};
    const struct timespec old[2] = {{.tv_sec = 86400}, {.tv_sec = 86400}};
    const char *folder = folder_of("strangers"), *victim = test_write("strangers/victim", "v", 1);
    const size_t n = sizeof names / sizeof *names;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(utimensat(AT_FDCWD, test_write(names[i], "x", 1), old, 0), 0);
    if (chown(test_path(names[n - 1]), 65534, 65534))
        unlink(test_path(names[n - 1])); /* another user's, as root */
    assert_int_equal(mkdir(test_path("strangers/.mopd-01234567-0123456789abcdef.part"), 0700), 0);
    assert_int_equal(symlink(victim, test_path("strangers/.mopd-01234567-1123456789abcdef.part")), 0);
    assert_int_equal(mkfifo(test_path("strangers/.mopd-01234567-2123456789abcdef.part"), 0600), 0);
    const int before = count_names(folder, "");
    assert_ok(mo_out_save(test_path("strangers/file"), "x", 1));
    assert_int_equal(count_names(folder, ""), before + 1);
    assert_holds(victim, "v");
}

/* What the disk has no room for, as the system tells it: here by a limit on the size of files. */
static void a_full_disk_leaves_the_old_file_and_nothing_else(void **state)
{
    (void)state;
    static char much[200000];
    const char *folder = folder_of("full"), *path = test_write("full/file", "old", 3);
    int status;
    const pid_t child = fork();
    if (!child) {
        const struct rlimit limit = {1000, 1000};
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit)) _exit(2);
        const mopd_status st = mopd_file_save(path, much, sizeof much);
        _exit(
            st == MOPD_E_IO && strstr(mopd_last_error(), "full/file: cannot write: File too large") ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_holds(path, "old");
    assert_int_equal(count_names(folder, ".mopd-"), 0);
    assert_fails(
        mopd_file_save("/dev/full", much, sizeof much), MOPD_E_IO, "/dev/full: cannot write: No space left");
}

static void names_of_any_length(void **state)
{
    (void)state;
    char name[256];
    memset(name, 'n', 255);
    name[255] = 0;
    const char *path = test_path(name); /* the longest that a name may be */
    assert_ok(mo_out_save(path, "x", 1));
    assert_holds(path, "x");
    assert_ok(mo_out_save(path, "y", 1));
    assert_holds(path, "y");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_are_kept_and_new_ones_are_the_umask_s),
        cmocka_unit_test(owners_are_kept),
        cmocka_unit_test(links_that_lead_nowhere_are_refused),
        cmocka_unit_test(two_writers_share_nothing),
        cmocka_unit_test(names_that_are_taken_are_not_opened),
        cmocka_unit_test(devices_and_sockets),
        cmocka_unit_test(what_cannot_be_written_to_is_told),
        cmocka_unit_test(names_that_are_read_as_they_stand),
        cmocka_unit_test(open_files_are_gone_on_with),
        cmocka_unit_test(killed_writers_are_cleaned_up_after),
        cmocka_unit_test(files_of_other_machines_are_given_a_day),
        cmocka_unit_test(what_is_not_ours_stays),
        cmocka_unit_test(a_full_disk_leaves_the_old_file_and_nothing_else),
        cmocka_unit_test(names_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
