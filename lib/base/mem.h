/* SPDX-License-Identifier: MIT
 * mem.h - the one allocator.  Every block starts at a multiple of 64 bytes; sizes are count x size, checked. */
#ifndef MO_BASE_MEM_H
#define MO_BASE_MEM_H

#include <stdbool.h>

#include "base/fail.h"
#include "mopd/runtime.h"

/* n x size bytes (uninitialised, or zero); NULL and a message when there is no room or the product overflows.
 * n x size == 0 gives a valid block. */
void *mo_mem_alloc(size_t n, size_t size);
void *mo_mem_calloc(size_t n, size_t size);

/* Resizes a block to n x size bytes, contents kept; NULL and the old block untouched on failure. */
void *mo_mem_realloc(void *block, size_t n, size_t size);
void mo_mem_free(void *block);

/* Copies of a text, or of its first n bytes with a zero behind. */
char *mo_mem_strdup(const char *text);
char *mo_mem_strndup(const char *text, size_t n);

/* *out = a x b, *out = a + b; false on overflow. */
bool mo_mul(size_t a, size_t b, size_t *out);
bool mo_add(size_t a, size_t b, size_t *out);

/* Replaces the allocator (NULL: malloc).  STATE while blocks live. */
mopd_status mo_mem_set_allocator(const mopd_allocator *allocator);

/* Blocks that live now: zero at the end of a test that leaks nothing. */
size_t mo_mem_live(void);

/* Sets a fence (base/fence.h) within a block, of the system's blocks alone: another allocator may copy the bytes, or hand them
 * out again, without a word. */
void mo_mem_fence(const void *start, size_t n);

/* Whether the system would give n bytes now.  For libraries that take their memory past the allocator and end the process
 * where there is none, or call a file damaged; another thread may take it meanwhile. */
bool mo_mem_left(size_t n);

#endif
