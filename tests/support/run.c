/* SPDX-License-Identifier: MIT
 * run.c - a child process with its output in files: nothing can block. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/interrupt.h"
#include "support/run.h"

extern char **environ;

enum { MAX_WORDS = 64, ROOM = 4096, SLOTS = 3, OUTPUT = 1 << 20 };

/* words[]: a program of the build, and line, each "@" replaced by the next argument. */
static size_t split(char **words, char *room, const char *program, const char *line, va_list args)
{
    size_t n = 0;
    char *at = room, *end = room + ROOM - 1;
    words[n++] = at;
    at += snprintf(at, (size_t)(end - at), "%s/%s", MOPD_TEST_BINARY_DIR, program) + 1;
    while (*line) {
        while (*line == ' ') line++;
        if (!*line) break;
        assert_true(n + 1 < MAX_WORDS);
        words[n++] = at;
        for (; *line && *line != ' '; line++) {
            const char *piece = *line == '@' ? va_arg(args, const char *) : NULL;
            size_t length = piece ? strlen(piece) : 1;
            assert_true(at + length < end);
            memcpy(at, piece ? piece : line, length);
            at += length;
        }
        *at++ = 0;
    }
    words[n] = NULL;
    return n;
}

static const char *slurp(const char *path)
{
    static char text[2 * SLOTS][OUTPUT];
    static size_t next;
    char *to = text[next++ % (2 * SLOTS)];
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(to, 1, OUTPUT - 1, f) : 0;
    if (f) fclose(f);
    to[n] = 0;
    return to;
}

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

static run_result run(const run_setup *setup, const char *program, const char *line, va_list args)
{
    static const run_setup plain;
    static unsigned count;
    setenv("MOPD_PROGRESS", "0", 0); /* lines of progress come by time, which no test may depend on */
    char room[ROOM], *words[MAX_WORDS], name[32];
    if (!setup) setup = &plain;
    split(words, room, program, line, args);
    snprintf(name, sizeof name, "run-%u-out", count);
    const char *kept = test_path(name), *out = setup->out ? setup->out : kept;
    snprintf(name, sizeof name, "run-%u-err", count++);
    const char *err = test_path(name);
    int from, output = open_output(setup, &from);
    pid_t pid = start(words, setup, output, out, err);
    if (output >= 0) close(output);
    run_result r = {.status = finish(pid, setup, out, from)};
    if (from >= 0) close(from);
    r.out = setup->out || setup->closed_pipe ? "" : slurp(kept);
    r.err = slurp(err);
    unlink(kept);
    unlink(err);
    return r;
}

run_result run_mopd(const run_setup *setup, const char *line, ...)
{
    va_list args;
    va_start(args, line);
    const run_result r = run(setup, "mopd", line, args);
    va_end(args);
    return r;
}

run_result run_lesson(const run_setup *setup, const char *name, const char *line, ...)
{
    char program[64];
    snprintf(program, sizeof program, "examples/%s", name);
    va_list args;
    va_start(args, line);
    const run_result r = run(setup, program, line, args);
    va_end(args);
    return r;
}

void assert_one_error(const run_result *r, int status, const char *word, const char *word2)
{
    assert_run(*r, status);
    const char *end = strchr(r->err, '\n');
    if (strncmp(r->err, "mopd: error: ", 13) || !end || end[1])
        fail_msg("not one line of \"mopd: error: ...\": %.2000s", r->err);
    assert_has(r->err, word);
    assert_has(r->err, word2);
}
