/* SPDX-License-Identifier: MIT
 * run_posix.c - a child process on a system like POSIX. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/interrupt.h"
#include "support/run_program.h"

extern char **environ;

static int finish(pid_t pid, const run_setup *setup, const char *out, int from)
{
    int status = 0;
    if (setup->interrupt_at || setup->interrupt_cpu > 0)
        status = interrupt_and_wait(pid, setup, out, from);
    else
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A descriptor to write into that nobody reads. */
static int dead_pipe(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    return ends[1];
}

/* Standard output that is no file, or -1.  `from` reads what is written there, unless negative. */
static int open_output(const run_setup *setup, int *from)
{
    int ends[2] = {-1, -1};
    if (setup->closed_pipe)
        ends[1] = dead_pipe();
    else if (setup->interrupt_at && !strchr(setup->interrupt_at, '/'))
        interrupt_open_output(ends);
    *from = ends[0];
    return ends[1];
}

static pid_t start(char **words, const run_setup *setup, int output, const char *out, const char *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, setup->in ? setup->in : "/dev/null", O_RDONLY, 0);
    if (output >= 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1);
    else
        posix_spawn_file_actions_addopen(
            &actions, 1, out, O_WRONLY | O_CREAT | (setup->out ? 0 : O_TRUNC), 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t pid;
    assert_int_equal(posix_spawn(&pid, words[0], &actions, NULL, words, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

int run_program(char **words, const run_setup *setup, const char *out, const char *err)
{
    int from, output = open_output(setup, &from);
    pid_t pid = start(words, setup, output, out, err);
    if (output >= 0) close(output);
    const int status = finish(pid, setup, out, from);
    if (from >= 0) close(from);
    return status;
}
