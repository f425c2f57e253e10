/* SPDX-License-Identifier: MIT
 * sha256.c - SHA-256 as FIPS 180-4 writes it. */
#include "base/sha256.h"

#include <string.h>

#include "base/ints.h"

static const uint32_t K[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
    0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb,
    0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624,
    0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb,
    0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, int k)
{
    return x >> k | x << (32 - k);
}

static void expand(uint32_t w[64], const unsigned char *p)
{
    for (int i = 0; i < 16; i++, p += 4)
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
               (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
}

static void add_block(uint32_t h[8], const unsigned char *p)
{
    uint32_t w[64], v[8];
    expand(w, p);
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
        uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + K[i] + w[i];
        uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
        uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) h[i] += v[i];
}

void mo_sha256_init(mo_sha256 *s)
{
    static const uint32_t start[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    *s = (mo_sha256){0};
    memcpy(s->h, start, sizeof start);
}

void mo_sha256_add(mo_sha256 *s, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    while (n) {
        size_t at = s->n_bytes % 64, step = mo_min(64 - at, n);
        if (at == 0 && n >= 64) {
            add_block(s->h, p);
            step = 64;
        } else {
            memcpy(s->block + at, p, step);
            if (at + step == 64) add_block(s->h, s->block);
        }
        s->n_bytes += step;
        p += step;
        n -= step;
    }
}

void mo_sha256_hex(mo_sha256 *s, char hex[65])
{
    uint64_t n_bits = s->n_bytes * 8;
    unsigned char tail[72] = {0x80};
    size_t pad = (119 - s->n_bytes % 64) % 64 + 1;
    for (int i = 0; i < 8; i++) tail[pad + (size_t)i] = (unsigned char)(n_bits >> (56 - 8 * i));
    mo_sha256_add(s, tail, pad + 8);
    for (int i = 0; i < 64; i++) hex[i] = "0123456789abcdef"[s->h[i / 8] >> (28 - 4 * (i % 8)) & 15];
    hex[64] = 0;
}

void mo_sha256_of(char hex[65], const void *bytes, size_t n)
{
    mo_sha256 s;
    mo_sha256_init(&s);
    mo_sha256_add(&s, bytes, n);
    mo_sha256_hex(&s, hex);
}
