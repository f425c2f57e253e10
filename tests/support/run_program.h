/* SPDX-License-Identifier: MIT
 * run_program.h - what run.c asks of the system. */
#ifndef MOPD_TESTS_SUPPORT_RUN_PROGRAM_H
#define MOPD_TESTS_SUPPORT_RUN_PROGRAM_H

#include "support/run.h"

/* Runs a program, of which words[0] is the path, to its end: its exit status, 128 + signal when one ended it.  out, err: the files
 * that its streams go to, the first where the setup asks for nothing else. */
int run_program(char **words, const run_setup *setup, const char *out, const char *err);

#endif
