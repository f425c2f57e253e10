/* SPDX-License-Identifier: MIT
 * choice.h - how to compute, chosen by name: by a call, else by a variable of the environment, else by the machine.
 *
 * A call that asks for a word that is not known, or for what this machine cannot do, fails.  An environment
 * that does is passed over while nobody can be told, and mo_choice_check tells whoever opens something. */
#ifndef MO_BASE_CHOICE_H
#define MO_BASE_CHOICE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/fail.h"

enum { MO_CHOICE_ANY = -1, MO_CHOICE_UNKNOWN = -2, MO_CHOICE_UNREAD = -3 };

typedef struct mo_choice {
    const char *variable; /* of the environment; empty: nothing is asked for */
    const char *what;     /* in messages, before the word: "CPU path" */
    const char *const *words;
    size_t n_words;
    const char *(*lacks)(int32_t word); /* why this machine cannot do it, or NULL: it can */
    atomic_int wish;                    /* begins as MO_CHOICE_UNREAD */
    atomic_bool called;                 /* by mo_choice_set: the environment does not count */
} mo_choice;

/* The number of the word asked for, whether this machine can do it or not; MO_CHOICE_ANY when none was, or when
 * the environment's is unknown. */
int32_t mo_choice_get(mo_choice *choice);

/* Chooses; NULL: what suits the machine.  ARG for a word that is not in the list, UNSUPPORTED when the machine
 * lacks it: then nothing changes.  Call while nothing is computing. */
mopd_status mo_choice_set(mo_choice *choice, const char *word);

/* Is what was asked for known and there? */
bool mo_choice_granted(mo_choice *choice);
/* The same as a status, whose message names the environment. */
mopd_status mo_choice_check(mo_choice *choice);

#endif
