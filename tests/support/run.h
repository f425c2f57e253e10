/* SPDX-License-Identifier: MIT
 * run.h - runs the built `mopd`, or a lesson of examples/, as a user would and keeps what it printed. */
#ifndef MOPD_TESTS_SUPPORT_RUN_H
#define MOPD_TESTS_SUPPORT_RUN_H

#include "test.h"

typedef struct run_setup {
    const char *out;  /* a file or device for standard output; NULL: kept */
    const char *in;   /* a file for standard input; NULL: /dev/null */
    bool closed_pipe; /* standard output is a pipe that nobody reads */
    const char *
        interrupt_at; /* SIGINT where the command has come to (interrupt.h); NULL: none.  With a '/' in it: a file
                               * of this name is there, or a FIFO of this name is read from; other words: they stand on
                               * standard output */
    double interrupt_cpu; /* SIGINT when it has computed for so many seconds of processor time; 0: none */
} run_setup;

typedef struct run_result {
    int status;      /* exit status, 128 + signal when one ended it */
    const char *out; /* ended by a zero byte; valid until the next run but one */
    const char *err;
} run_result;

/* Runs the command with the words of `line`, split at spaces, "@" in a word replaced by the next of the further
 * arguments, all const char *. */
run_result run_mopd(const run_setup *setup, const char *line, ...);

/* The same of a lesson in examples/: "01_classify". */
run_result run_lesson(const run_setup *setup, const char *name, const char *line, ...);

/* Asserts the exit status and shows everything otherwise. */
#define assert_run(r, want)                                                                                  \
    do {                                                                                                     \
        if ((r).status != (want))                                                                            \
            fail_msg("exit %d, expected %d\nstdout: %.2000s\nstderr: %.2000s", (r).status, (want), (r).out,  \
                (r).err);                                                                                    \
    } while (0)

/* Asserts a failure: exit status, and on standard error one line only, "mopd: error: " with both words in it. */
void assert_one_error(const run_result *r, int status, const char *word, const char *word2);

/* Asserts that words stand in a text. */
#define assert_has(text, words)                                                                              \
    do {                                                                                                     \
        if (!strstr(text, words)) fail_msg("\"%s\" does not stand in: %.2000s", words, text);                \
    } while (0)

#endif
