/* SPDX-License-Identifier: MIT
 * run.c - a child process with its output in files: nothing can block.  run_posix.c or run_windows.c starts it. */
#include <unistd.h>

#include "support/run.h"
#include "support/run_program.h"

enum { MAX_WORDS = 64, ROOM = 4096, SLOTS = 3, OUTPUT = 1 << 20 };

#ifdef _WIN32
#define ENDING ".exe"
#else
#define ENDING ""
#endif

/* words[]: a program of the build, and line, each "@" replaced by the next argument. */
static size_t split(char **words, char *room, const char *program, const char *line, va_list args)
{
    size_t n = 0;
    char *at = room, *end = room + ROOM - 1;
    words[n++] = at;
    at += snprintf(at, (size_t)(end - at), "%s/%s" ENDING, MOPD_TEST_BINARY_DIR, program) + 1;
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
    run_result r = {.status = run_program(words, setup, out, err)};
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
