/* SPDX-License-Identifier: MIT
 * bf16.h - what computes the products asked for in bf16: 16-bit integers (i16.h) or oneDNN (onednn.h).
 *
 * oneDNN where the CPU has AMX for bfloat16 and the library is there, integers elsewhere: without AMX they
 * are several times faster, and nearer to float. */
#ifndef MO_MATH_BF16_H
#define MO_MATH_BF16_H

#include "math/onednn.h"

/* Chooses "onednn" or "integers"; NULL: what suits the CPU.  ARG for another word, UNSUPPORTED when there is
 * no oneDNN, or no bfloat16 for it.  Call while nothing is computing. */
mopd_status mo_bf16_set(const char *name);

/* False when the environment's MOPD_BF16 asks for what is not there (and mo_bf16_set was not called). */
bool mo_bf16_as_wished(void);
/* The same as a status: ARG for another word, UNSUPPORTED. */
mopd_status mo_bf16_check(void);

/* NONE: integers. */
mo_onednn_kind mo_bf16_kind(void);
/* Are these products oneDNN's?  Small ones are not, unless it was asked for by name. */
bool mo_bf16_wanted(size_t n, size_t k);
/* In words: "onednn amx", "vnni". */
const char *mo_bf16_name(void);

#endif
