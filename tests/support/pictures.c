/* SPDX-License-Identifier: MIT
 * pictures.c - writes PNG files by hand: stored (uncompressed) deflate blocks need no library. */
#include "pictures.h"

#include <sys/stat.h>

static void make_parents(const char *path)
{
    char part[512];
    for (size_t i = 1; path[i] && i < sizeof part; i++) {
        if (path[i] != '/') continue;
        memcpy(part, path, i);
        part[i] = 0;
        mkdir(part, 0777);
    }
}

const char *test_folder(const char *name)
{
    const char *path = test_path(name);
    make_parents(path);
    mkdir(path, 0777);
    return path;
}

const char *test_text(const char *name, const char *text)
{
    make_parents(test_path(name));
    return test_write(name, text, strlen(text));
}

static uint32_t crc_of(const unsigned char *bytes, size_t n)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static unsigned char *put32(unsigned char *at, uint32_t x)
{
    for (int k = 3; k >= 0; k--) *at++ = (unsigned char)(x >> 8 * k);
    return at;
}

/* Length, kind, body, check sum. */
static unsigned char *put_chunk(unsigned char *at, const char *kind, const unsigned char *body, size_t n)
{
    unsigned char *start = put32(at, (uint32_t)n);
    memcpy(start, kind, 4);
    if (n) memcpy(start + 4, body, n);
    return put32(start + 4 + n, crc_of(start, n + 4));
}

/* zlib around one stored block of at most 65535 bytes. */
static size_t store(unsigned char *out, const unsigned char *raw, size_t n)
{
    uint32_t a = 1, b = 0;
    const unsigned char head[7] = {
        0x78, 1, 1, (unsigned char)n, (unsigned char)(n >> 8), (unsigned char)~n, (unsigned char)(~n >> 8)};
    memcpy(out, head, 7);
    memcpy(out + 7, raw, n);
    for (size_t i = 0; i < n; i++) {
        a = (a + raw[i]) % 65521;
        b = (b + a) % 65521;
    }
    put32(out + 7 + n, b << 16 | a);
    return n + 11;
}

/* n bytes of rows, each behind a zero that says "no filter". */
static const char *write_png(
    const char *name, unsigned width, unsigned height, const unsigned char *raw, size_t n)
{
    static unsigned char body[65600], file[66000];
    unsigned char head[13] = {0, 0, (unsigned char)(width >> 8), (unsigned char)width, 0, 0,
        (unsigned char)(height >> 8), (unsigned char)height, 8, 2, 0, 0, 0};
    memcpy(file, "\x89PNG\r\n\x1a\n", 8);
    unsigned char *end = put_chunk(file + 8, "IHDR", head, sizeof head);
    end = put_chunk(end, "IDAT", body, store(body, raw, n));
    end = put_chunk(end, "IEND", NULL, 0);
    make_parents(test_path(name));
    return test_write(name, file, (size_t)(end - file));
}

const char *test_png_of(const char *name, unsigned width, unsigned height, const uint8_t *rgb)
{
    static unsigned char raw[65536];
    const size_t row = 3 * (size_t)width, n = (size_t)height * (1 + row);
    assert_true(n < sizeof raw);
    for (size_t y = 0; y < height; y++) {
        raw[y * (1 + row)] = 0;
        memcpy(raw + y * (1 + row) + 1, rgb + y * row, row);
    }
    return write_png(name, width, height, raw, n);
}

const char *test_png(const char *name, unsigned width, unsigned height, uint32_t seed)
{
    static unsigned char raw[65536];
    size_t n = (size_t)height * (1 + 3 * (size_t)width);
    assert_true(n < 65536);
    uint64_t s = seed * UINT64_C(0x9e3779b97f4a7c15) + 99;
    for (size_t y = 0; y < height; y++) {
        unsigned char *row = raw + y * (1 + 3 * (size_t)width);
        row[0] = 0;
        for (size_t x = 0; x < 3 * (size_t)width; x++) {
            if (x % 12 == 0) s = s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            row[1 + x] = (unsigned char)(s >> (40 + x % 3 * 4));
        }
    }
    return write_png(name, width, height, raw, n);
}
