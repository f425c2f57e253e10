/* SPDX-License-Identifier: MIT
 * zipmake.h - small zip archives of stored entries, whose fields a test can then spoil. */
#ifndef MO_TESTS_ZIPMAKE_H
#define MO_TESTS_ZIPMAKE_H

#include <stdint.h>
#include <string.h>

typedef struct zip_part {
    const char *name;
    const void *data;
    size_t n;
    unsigned method; /* written as it is; the data is never compressed */
} zip_part;

static inline uint32_t zip_crc(const unsigned char *p, size_t n)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

#ifndef ZIP_CRC /* a program that makes many archives may leave the sum of what only lies in them */
#define ZIP_CRC zip_crc
#endif

static inline unsigned char *zip_put(unsigned char *p, uint64_t x, int n)
{
    for (int i = 0; i < n; i++) *p++ = (unsigned char)(i < 8 ? x >> (8 * i) : 0);
    return p;
}

/* version, flags, method, time, date, crc, packed, size, name length, extra length: in both headers */
static inline unsigned char *zip_put_common(unsigned char *p, const zip_part *part)
{
    p = zip_put(p, 20, 2);
    p = zip_put(p, 0, 2);
    p = zip_put(p, part->method, 2);
    p = zip_put(p, 0, 4);
    p = zip_put(p, ZIP_CRC(part->data, part->n), 4);
    p = zip_put(p, part->n, 4);
    p = zip_put(p, part->n, 4);
    p = zip_put(p, strlen(part->name), 2);
    return zip_put(p, 0, 2);
}

/* Local headers and data, directory, end record (22 bytes).  Returns the archive's size; out has room enough. */
static inline size_t zip_compose(unsigned char *out, const zip_part *parts, size_t n)
{
    unsigned char *p = out;
    size_t at[16];
    for (size_t i = 0; i < n; i++) {
        at[i] = (size_t)(p - out);
        p = zip_put_common(zip_put(p, 0x04034b50u, 4), &parts[i]);
        memcpy(p, parts[i].name, strlen(parts[i].name));
        p += strlen(parts[i].name);
        if (parts[i].n) memcpy(p, parts[i].data, parts[i].n);
        p += parts[i].n;
    }
    unsigned char *directory = p;
    for (size_t i = 0; i < n; i++) {
        p = zip_put(zip_put(p, 0x02014b50u, 4), 20, 2);
        p = zip_put(zip_put_common(p, &parts[i]), 0, 10); /* comment length, disk, attributes */
        p = zip_put(p, at[i], 4);
        memcpy(p, parts[i].name, strlen(parts[i].name));
        p += strlen(parts[i].name);
    }
    size_t n_directory = (size_t)(p - directory);
    p = zip_put(zip_put(p, 0x06054b50u, 4), 0, 4);
    p = zip_put(zip_put(p, n, 2), n, 2);
    p = zip_put(zip_put(p, n_directory, 4), (size_t)(directory - out), 4);
    return (size_t)(zip_put(p, 0, 2) - out);
}

#endif
