/* SPDX-License-Identifier: MIT
 * fence.h - bytes that nobody may touch, told to AddressSanitizer; in other builds the functions do nothing.
 *
 * What aligns a block or lets it grow lies inside of what malloc gave, and the last page of a mapped file is longer than the
 * file.  Without a fence the sanitizer takes a step there for a good one.
 *
 *     mo_fence_set(p, n)   the n bytes from p on are not to be read or written
 *     mo_fence_lift(p, n)  they are again */
#ifndef MO_BASE_FENCE_H
#define MO_BASE_FENCE_H

#include <stddef.h>

#if defined(__has_feature)
#define MO_FENCE_CLANG __has_feature(address_sanitizer)
#else
#define MO_FENCE_CLANG 0
#endif

#if defined(__SANITIZE_ADDRESS__) || MO_FENCE_CLANG
#define MO_FENCE 1
#define MO_FENCE_UNSEEN __attribute__((no_sanitize("address"))) /* of a function that may step over a fence */

/* As the sanitizer names them. NOLINTBEGIN(bugprone-reserved-identifier) */
void __asan_poison_memory_region(void const volatile *start, size_t n);
void __asan_unpoison_memory_region(void const volatile *start, size_t n);
/* NOLINTEND(bugprone-reserved-identifier) */

static inline void mo_fence_set(const void *start, size_t n)
{
    __asan_poison_memory_region(start, n);
}

static inline void mo_fence_lift(const void *start, size_t n)
{
    __asan_unpoison_memory_region(start, n);
}
#else
#define MO_FENCE 0
#define MO_FENCE_UNSEEN

static inline void mo_fence_set(const void *start, size_t n)
{
    (void)start, (void)n;
}

static inline void mo_fence_lift(const void *start, size_t n)
{
    (void)start, (void)n;
}
#endif

#endif
