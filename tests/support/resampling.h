/* SPDX-License-Identifier: MIT
 * resampling.h - pictures for tests of preprocessing: those of tests/gold/pixels with their answers, and random ones. */
#ifndef MOPD_TESTS_SUPPORT_RESAMPLING_H
#define MOPD_TESTS_SUPPORT_RESAMPLING_H

#include "test.h"

#include "base/sha256.h"
#include "format/image_decode.h"
#include "pixel/resample.h"

#define GOLD MOPD_TEST_DIR "/gold/pixels/"

static inline void gold_hash(char hex[65], const void *bytes, size_t n)
{
    mo_sha256 s;
    mo_sha256_init(&s);
    mo_sha256_add(&s, bytes, n);
    mo_sha256_hex(&s, hex);
}

static inline mo_image gold_image(const char *name)
{
    char path[512];
    mo_image p;
    snprintf(path, sizeof path, GOLD "%s", name);
    assert_ok(mo_image_decode_file(&p, path, NULL));
    return p;
}

/* A picture of width x height drawn from a seed. */
static inline mo_image random_image(size_t width, size_t height, uint32_t seed)
{
    mo_image p;
    assert_ok(mo_image_create(&p, width, height, false));
    for (size_t i = 0; i < width * height * 3; i++) {
        seed = seed * 1664525u + 1013904223u;
        p.rgb[i] = (uint8_t)(seed >> 24);
    }
    return p;
}

static inline mo_rect whole_rect(const mo_image *p)
{
    return (mo_rect){p->rgb, p->width, p->height, p->width * 3};
}

static inline mo_resize resize_to(size_t width, size_t height, mo_filter filter)
{
    return (mo_resize){.width = width, .height = height, .w = width, .h = height, .filter = filter};
}

static inline void gold_lines(const char *word, void (*check)(const char *), size_t least)
{
    FILE *answers = fopen(GOLD "answers.txt", "r");
    assert_non_null(answers);
    char line[256];
    size_t n = 0;
    while (fgets(line, sizeof line, answers)) {
        if (strncmp(line, word, strlen(word))) continue;
        check(line);
        n++;
    }
    fclose(answers);
    assert_true(n >= least);
}

#endif
