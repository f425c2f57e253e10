/* SPDX-License-Identifier: MIT
 * mem.c - blocks at multiples of 64 bytes over any allocator that aligns as malloc does.
 *
 *     raw block:  | 1..64 bytes, the last one tells how many | user bytes ... |
 *
 * A user address is the first multiple of 64 beyond the raw start. */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/fence.h"
#include "base/os.h"

#if defined(__has_feature)
#define MO_HAS_FEATURE(x) __has_feature(x)
#else
#define MO_HAS_FEATURE(x) 0
#endif

/* Sanitizers watch what malloc gives. */
#if MO_OS_BLOCKS_RESIZE && !defined(__SANITIZE_ADDRESS__) && !MO_HAS_FEATURE(address_sanitizer) &&           \
    !MO_HAS_FEATURE(memory_sanitizer)
#define MO_MAPPINGS 1
#else
#define MO_MAPPINGS 0
#endif

#define ALIGN 64u

/* In front of each block of the system's. */
typedef struct head {
    size_t mapped; /* bytes of the mapping, from here on; 0: by malloc */
    size_t unused; /* keeps what follows aligned as malloc aligns */
} head;

/* Large blocks, such as weights, are mappings of their own: their memory goes back to the system when a model is
 * closed, while malloc would keep it for its next blocks.  They begin where a huge page may: one look-up of an
 * address instead of 512. */
static void *system_get(size_t n, void *context)
{
    (void)context;
    if (n > SIZE_MAX / 2) return NULL;
#if MO_MAPPINGS
    if (n >= MO_OS_HUGE_PAGE) {
        head *mapped = mo_os_block_get(n + sizeof *mapped);
        if (!mapped) return NULL;
        mapped->mapped = n + sizeof *mapped;
        return mapped + 1;
    }
#endif
    head *h = malloc(n + sizeof *h);
    if (!h) return NULL;
    h->mapped = 0;
    return h + 1;
}

static void *system_resize(void *block, size_t n, void *context)
{
    head *h = (head *)block - 1;
    (void)context;
    if (n > SIZE_MAX / 2) return NULL;
#if MO_MAPPINGS
    if (h->mapped) {
        head *moved = mo_os_block_resize(h, h->mapped, n + sizeof *h);
        if (!moved) return NULL;
        moved->mapped = n + sizeof *h;
        return moved + 1;
    }
#endif
    h = realloc(h, n + sizeof *h);
    return h ? h + 1 : NULL;
}

static void system_free(void *block, void *context)
{
    (void)context;
    if (!block) return;
    head *h = (head *)block - 1;
#if MO_MAPPINGS
    if (h->mapped) {
        mo_os_block_free(h, h->mapped);
        return;
    }
#endif
    free(h);
}

static mopd_allocator allocator = {system_get, system_resize, system_free, NULL};
static atomic_size_t live;

size_t mo_mem_live(void)
{
    return atomic_load(&live);
}

mopd_status mo_mem_set_allocator(const mopd_allocator *a)
{
    if (mo_mem_live())
        return mo_fail(MOPD_E_STATE, "allocator: %zu blocks of the former one still live", mo_mem_live());
    if (!a) {
        allocator = (mopd_allocator){system_get, system_resize, system_free, NULL};
        return MOPD_OK;
    }
    if (!a->get || !a->resize || !a->free)
        return mo_fail(MOPD_E_ARG, "allocator: get, resize and free are all needed");
    allocator = *a;
    return MOPD_OK;
}

bool mo_mem_left(size_t n)
{
    return !n || (n <= PTRDIFF_MAX && mo_os_has_room(n));
}

bool mo_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool mo_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

/* Bytes of the raw block that carries n x size user bytes. */
static bool raw_size(size_t n, size_t size, size_t *out)
{
    return mo_mul(n, size, out) && mo_add(*out, ALIGN, out);
}

static void *no_room(size_t n, size_t size)
{
    mo_fail(MOPD_E_NOMEM, "out of memory: no room for %zu x %zu bytes", n, size);
    return NULL;
}

void mo_mem_fence(const void *start, size_t n)
{
    if (MO_FENCE && allocator.get == system_get) mo_fence_set(start, n);
}

static void fence(const unsigned char *raw, size_t shift, size_t total)
{
    mo_mem_fence(raw, shift);
    mo_mem_fence(raw + shift + total - ALIGN, ALIGN - shift);
}

/* The block in raw bytes, `total` of them. */
static unsigned char *place(unsigned char *raw, size_t total)
{
    size_t shift = ALIGN - (size_t)((uintptr_t)raw % ALIGN);
    raw[shift - 1] = (unsigned char)shift;
    fence(raw, shift, total);
    return raw + shift;
}

MO_FENCE_UNSEEN static unsigned char *raw_of(void *block)
{
    unsigned char *user = block;
    return user - user[-1];
}

void *mo_mem_alloc(size_t n, size_t size)
{
    size_t total;
    if (!raw_size(n, size, &total)) return no_room(n, size);
    unsigned char *raw = allocator.get(total, allocator.context);
    if (!raw) return no_room(n, size);
    atomic_fetch_add(&live, 1);
    return place(raw, total);
}

void *mo_mem_calloc(size_t n, size_t size)
{
    void *block = mo_mem_alloc(n, size);
    if (block) memset(block, 0, n * size);
    return block;
}

void *mo_mem_realloc(void *block, size_t n, size_t size)
{
    if (!block) return mo_mem_alloc(n, size);
    size_t total;
    if (!raw_size(n, size, &total)) return no_room(n, size);
    unsigned char *raw = raw_of(block);
    size_t old_shift = (size_t)((unsigned char *)block - raw);
    unsigned char *moved = allocator.resize(raw, total, allocator.context);
    if (!moved) return no_room(n, size);
    size_t shift = ALIGN - (size_t)((uintptr_t)moved % ALIGN);
    if (shift != old_shift) memmove(moved + shift, moved + old_shift, total - ALIGN);
    return place(moved, total);
}

void mo_mem_free(void *block)
{
    if (!block) return;
    allocator.free(raw_of(block), allocator.context);
    atomic_fetch_sub(&live, 1);
}

char *mo_mem_strndup(const char *text, size_t n)
{
    char *copy = n < SIZE_MAX ? mo_mem_alloc(n + 1, 1) : no_room(n, 1);
    if (!copy) return NULL;
    memcpy(copy, text, n);
    copy[n] = 0;
    return copy;
}

char *mo_mem_strdup(const char *text)
{
    return mo_mem_strndup(text, strlen(text));
}
