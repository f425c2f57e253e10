/* SPDX-License-Identifier: MIT
 * hash.c - FNV-1a with a final mix; SipHash-1-3 and the key of this process. */
#include "base/hash.h"

#include <string.h>

#include "base/os.h"
#include "base/os_thread.h"

uint64_t mo_hash_bytes(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 32;
}

static mo_hash_key drawn;

uint64_t mo_hash_random(void)
{
    uint64_t x;
    if (mo_os_random(&x)) return x;
    int64_t now[2];
    mo_os_now(now);
    const uint64_t seen[4] = {(uint64_t)now[0], (uint64_t)now[1], mo_os_process(), (uint64_t)(uintptr_t)&now};
    return mo_hash_bytes(seen, sizeof seen);
}

static void draw_key(void)
{
    for (int i = 0; i < 2; i++) drawn.k[i] = mo_hash_random();
}

mo_hash_key mo_hash_key_get(void)
{
    static mo_os_once once = MO_OS_ONCE;
    mo_os_once_run(&once, draw_key);
    return drawn;
}

static uint64_t turned(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1], v[1] = turned(v[1], 13) ^ v[0], v[0] = turned(v[0], 32);
    v[2] += v[3], v[3] = turned(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = turned(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = turned(v[1], 17) ^ v[2], v[2] = turned(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

/* n bytes, at most eight, the first one lowest. */
static uint64_t little(const unsigned char *p, size_t n)
{
    uint64_t x = 0;
    while (n) x = x << 8 | p[--n];
    return x;
}

uint64_t mo_hash_keyed(const mo_hash_key *key, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t v[4] = {key->k[0] ^ UINT64_C(0x736f6d6570736575), key->k[1] ^ UINT64_C(0x646f72616e646f6d),
        key->k[0] ^ UINT64_C(0x6c7967656e657261), key->k[1] ^ UINT64_C(0x7465646279746573)};
    size_t at = 0;
    for (; n - at >= 8; at += 8) sip_word(v, little(p + at, 8));
    sip_word(v, (uint64_t)n << 56 | little(p + at, n - at));
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
