/* SPDX-License-Identifier: MIT
 * utf8.c - UTF-8 as Unicode defines it (table 3-7). */
#include "base/utf8.h"

int32_t mo_utf8_next(const char *text, size_t n_bytes, size_t *at)
{
    const unsigned char *p = (const unsigned char *)text + *at;
    size_t left = n_bytes - *at;
    if (!left) return -1;
    if (p[0] < 0x80) {
        *at += 1;
        return p[0];
    }
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < n) return -1;
    uint32_t cp = p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) return -1;
        cp = cp << 6 | (p[i] & 0x3fu);
    }
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000)) return -1;
    *at += n;
    return (int32_t)cp;
}

size_t mo_utf8_put(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, cp >>= 6) out[i] = (char)(0x80 | (cp & 0x3f));
    out[0] = (char)((0xf00u >> n & 0xf0) | cp);
    return n;
}

size_t mo_utf8_prefix(const char *text, size_t n)
{
    size_t at = 0;
    while (at < n && mo_utf8_next(text, n, &at) >= 0) {
    }
    return at;
}

bool mo_utf8_valid(const char *text, size_t n)
{
    return mo_utf8_prefix(text, n) == n;
}
