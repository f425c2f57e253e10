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
 * container's limit), rounded up.  Where some are slow (ARM's big and little ones), those count that have at least half the
 * capacity of the best (Linux), or the performance cores (Apple).  Encoders that are open keep theirs.  Results do not
 * depend on it.  ARG above 1024.  Since 0.1. */
MOPD_API mopd_status mopd_runtime_set_threads(uint32_t n_threads);

/* Limits the instruction sets used: "avx512", "avx2" (x86), "neon" (64-bit ARM), "simd128" (WebAssembly), "plain", or NULL
 * for what the CPU has.  ARG for another word, UNSUPPORTED when the CPU lacks it, STATE once an encoder has been opened.  The environment variable MOPD_CPU does
 * the same where no call was made; mopd_encoder_open then fails as this would, and mopd_build_info says "MOPD_CPU
 * ignored".  On "plain" the products use BLIS's micro-kernel, which tells the CPU itself.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_runtime_set_cpu(const char *path);

/* What files may be and may take before they are refused, in the whole process: by mopd_image_open,
 * mopd_encoder_encode_files, mopd_dataset_open and every other function that reads a file or bytes.  A host that reads
 * strangers' files lowers them to what its own need; one that has larger files than most raises them.  Fields are
 * numbers of bytes where nothing else is said, and none is 0. */
typedef struct mopd_limits {
    uint32_t struct_size; /* set by mopd_limits_init */
    uint32_t flags;       /* none are known: 0 */
    uint64_t max_pixels;  /* width x height of a picture, where its mopd_image_options say 0: 178,956,970 */
    uint64_t picture_file_bytes; /* of a picture's file: 4 GiB */
    /* Of another file that is read whole, JSON, vocabularies, lists of pictures and names: 1 GiB, of which some kinds
     * take less. */
    uint64_t text_file_bytes;
    uint64_t header_bytes; /* of what describes the tensors of a file, JSON or a pickle: 100,000,000 */
    uint64_t tensors;      /* number of tensors in one file: 262,144 */
    /* Memory that reading a file other than a picture takes beside the file: this, or 14 bytes for each of the file's
     * where they are more: 192 MiB. */
    uint64_t reading_memory;
    /* Memory for one picture, or for one text, on its way through a model's tower: 256 MiB.  A model that needs more
     * is refused when it opens or at the first picture or text. */
    uint64_t tower_memory;
} mopd_limits;

/* Fills in the numbers above, as far as the caller's struct of struct_size bytes reaches.  ARG: a size below that of the
 * first release.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_limits_init(mopd_limits *limits, size_t struct_size);

/* Sets the field of a name ("max_pixels"; "-" does for "_") to a number as people write it: "50000000", "50M", "1.5Gi"
 * (k, M, G, T: powers of 1000; Ki, Mi, Gi, Ti: of 1024).  For options of programs.  ARG: another name, in which case the
 * message lists them; no such number, or 0.  Any thread, a struct being one thread's at a time.  Since 0.1. */
MOPD_API mopd_status mopd_limits_set(mopd_limits *limits, const char *name, const char *value);

/* Holds files that are opened from now on to these limits; NULL returns to those of mopd_limits_init.  What is open
 * stays.  A file beyond a limit is UNSUPPORTED, and the message names the limit.  ARG: a limit of 0.  Any thread.
 * Since 0.1. */
MOPD_API mopd_status mopd_runtime_set_limits(const mopd_limits *limits);

/* The limits that hold.  limits->struct_size must be set.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_runtime_get_limits(mopd_limits *limits);

/* Asked on the calling thread whether to go on: return 0 to go on, anything else to stop.  The call that asks then ends
 * with CANCELLED. */
typedef int (*mopd_stop_fn)(void *context);

/* From now on fn is asked now and then by what this thread opens: mopd_encoder_open and _open_memory, mopd_inspect,
 * mopd_dataset_open, mopd_bank_open, mopd_prompt_open, mopd_gda_open, mopd_recognizer_open and mopd_array_load.
 * Opening a good model takes milliseconds; a folder of a million pictures, a file on a slow disk and a file
 * that was made to cost much take seconds.  What is stopped is CANCELLED, hands out nothing and leaves nothing behind.
 * context is handed to fn; NULL for fn: nobody is asked.  What fn itself opens asks nobody.  STATE: called by fn.
 * Any thread, each for itself.  Since 0.1. */
MOPD_API mopd_status mopd_runtime_set_stop(mopd_stop_fn fn, void *context);

/* Frees what the library handed out as "free with mopd_free": texts and lists.  The host's own free() will not
 * do, as the block comes from the library's allocator.  Takes NULL.  Any thread.  Since 0.1. */
MOPD_API void mopd_free(void *block);

MOPD_END_DECLS

#endif
