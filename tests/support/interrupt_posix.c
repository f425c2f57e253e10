/* SPDX-License-Identifier: MIT
 * interrupt_posix.c - SIGINT at a place in the work of a command, whatever the speed of the machine.
 *
 * Words on standard output: it is a socket of the smallest size, read up to the words only.  A command that
 * prints more than the socket holds is still at work when the signal comes.  A FIFO: the command reads from it,
 * and nothing is ever written.  A file, and processor time: the work must be endless. */
#include "support/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIECE = 4096 };

void interrupt_open_output(int ends[2])
{
    const int smallest = 1;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    for (int i = 0; i < 2; i++) fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &smallest, sizeof smallest), 0);
    assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_RCVBUF, &smallest, sizeof smallest), 0);
}

static void give_up(pid_t pid, const char *what)
{
    kill(pid, SIGKILL);
    fail_msg("waited in vain for the command to %s", what);
}

static void wait_a_turn(pid_t pid, time_t begun, const char *what)
{
    if (!test_pause(begun)) give_up(pid, what);
}

/* Processor time of a process, in seconds.  Load is no matter here: who is kept waiting uses none. */
static double computed(pid_t pid)
{
#ifdef __APPLE__ /* which has no clock of other processes */
    (void)pid;
    return 0;
#else
    clockid_t id;
    struct timespec t;
    if (clock_getcpuclockid(pid, &id) || clock_gettime(id, &t)) return 0;
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
#endif
}

/* Lets the command run until it seems to wait for a reader: the hardest place to be interrupted at, though any
 * other has the same outcome. */
static void let_it_block(pid_t pid)
{
    const time_t begun = time(NULL);
    double before = -1;
    for (int idle = 0; idle < 50; idle++) {
        const double now = computed(pid);
        if (now != before) idle = 0;
        before = now;
        wait_a_turn(pid, begun, "print more than its reader takes");
    }
}

/* The file is there; or it is a FIFO and somebody reads, who has taken what was in it and will find it open and empty from
 * now on. */
static bool is_reached(const char *path, int *fifo)
{
    struct stat info;
    if (stat(path, &info)) return false;
    if (!S_ISFIFO(info.st_mode)) return true;
    int left = 0;
    if (*fifo < 0) *fifo = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    return *fifo >= 0 && !ioctl(*fifo, FIONREAD, &left) && !left;
}

/* The next piece of the output is copied; its length, 0 at the end. */
static size_t copy(pid_t pid, int from, int to, char piece[PIECE], const char *what)
{
    struct pollfd ready = {.fd = from, .events = POLLIN};
    if (poll(&ready, 1, TEST_PATIENCE * 1000) != 1) give_up(pid, what);
    ssize_t n = read(from, piece, PIECE);
    if (n > 0) assert_int_equal(write(to, piece, (size_t)n), n);
    return n > 0 ? (size_t)n : 0;
}

static void copy_until(pid_t pid, const char *words, int from, int to)
{
    static char text[1 << 16];
    for (size_t n = 0; text[n] = 0, !strstr(text, words);) {
        assert_true(n + PIECE < sizeof text);
        const size_t more = copy(pid, from, to, text + n, "print");
        if (!more) fail_msg("the command ended without \"%s\" in: %.2000s", words, text);
        n += more;
    }
}

static int wait_for(pid_t pid)
{
    int status = 0;
    const time_t begun = time(NULL);
    while (waitpid(pid, &status, WNOHANG) != pid) wait_a_turn(pid, begun, "end when it is interrupted");
    return status;
}

static int interrupt_at_words(pid_t pid, const char *words, const char *out, int from)
{
    char piece[PIECE];
    int to = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(to >= 0);
    copy_until(pid, words, from, to);
    let_it_block(pid);
    kill(pid, SIGINT);
    while (copy(pid, from, to, piece, "end when it is interrupted")) continue;
    close(to);
    return wait_for(pid);
}

int interrupt_and_wait(pid_t pid, const run_setup *setup, const char *out, int from)
{
    if (from >= 0) return interrupt_at_words(pid, setup->interrupt_at, out, from);
    int fifo = -1, status;
    const time_t begun = time(NULL);
    while (setup->interrupt_at ? !is_reached(setup->interrupt_at, &fifo)
                               : computed(pid) < setup->interrupt_cpu) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            fail_msg("the command ended before it could be interrupted");
        wait_a_turn(pid, begun, "come to where it is interrupted");
    }
    kill(pid, SIGINT);
    status = wait_for(pid);
    if (fifo >= 0) close(fifo);
    return status;
}
