/* SPDX-License-Identifier: MIT
 * interrupt.h - SIGINT for a running command, at a place that it has come to and cannot leave meanwhile. */
#ifndef MOPD_TESTS_SUPPORT_INTERRUPT_H
#define MOPD_TESTS_SUPPORT_INTERRUPT_H

#include <sys/types.h>

#include "support/run.h"

/* A standard output that takes a few lines and then blocks its writer until they are read: ends[0] reads, ends[1] writes. */
void interrupt_open_output(int ends[2]);

/* Interrupts `pid` where `setup` says and waits for its end: its wait status.  `out` is the file that keeps
 * what it prints; `from`, unless negative, reads from interrupt_open_output and is copied there. */
int interrupt_and_wait(pid_t pid, const run_setup *setup, const char *out, int from);

#endif
