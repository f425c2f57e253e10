/* SPDX-License-Identifier: MIT
 * runtime.h - what holds for the whole process: memory, default threads, CPU path.  Set before first use. */
#ifndef MOPD_RUNTIME_H
#define MOPD_RUNTIME_H

#include "status.h"

MOPD_BEGIN_DECLS

/* Where memory comes from.  get and resize return NULL when there is none; free takes NULL.  Any alignment
 * that malloc gives will do.  context is handed to each call.  Must be safe from any thread. */
typedef struct mopd_allocator {
    void *(*get)(size_t n_bytes, void *context);
    void *(*resize)(void *block, size_t n_bytes, void *context);
    void (*free)(void *block, void *context);
    void *context;
} mopd_allocator;

/* Takes all memory of the library from `allocator`, which is copied; NULL returns to malloc.  For hosts with an
 * arena, a budget or an account of their own: get may refuse, and every call that needed the memory then fails
 * with MOPD_E_NOMEM and leaves nothing behind.  ARG when a function is missing, STATE when blocks of the former
 * allocator still live.  Not thread safe: call before anything else.  libpng's and libjpeg's tables, jansson's
 * values, what BLIS takes once on the CPU path "plain", and thread stacks stay with the system.  Since 0.1. */
MOPD_API mopd_status mopd_runtime_set_allocator(const mopd_allocator *allocator);

/* The number of threads that an encoder uses when its options say 0; 0 returns to the number of processors that
 * this process may use: those of its affinity mask, and no more than the CPU quota of its control group (a
 * container's limit), rounded up.  Encoders that are open keep theirs.  Results do not
 * depend on it.  ARG above 1024.  Since 0.1. */
MOPD_API mopd_status mopd_runtime_set_threads(uint32_t n_threads);

/* Limits the instruction sets used: "avx512", "avx2", "plain", or NULL for what the CPU has.  ARG for another word,
 * UNSUPPORTED when the CPU lacks it, STATE once an encoder has been opened.  The environment variable MOPD_CPU does
 * the same where no call was made; mopd_encoder_open then fails as this would, and mopd_build_info says "MOPD_CPU
 * ignored".  On "plain" the products use BLIS's micro-kernel, which tells the CPU itself.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_runtime_set_cpu(const char *path);

/* Frees what the library handed out as "free with mopd_free": texts and lists.  The host's own free() will not
 * do, as the block comes from the library's allocator.  Takes NULL.  Any thread.  Since 0.1. */
MOPD_API void mopd_free(void *block);

MOPD_END_DECLS

#endif
