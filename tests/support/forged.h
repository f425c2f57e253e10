/* SPDX-License-Identifier: MIT
 * forged.h - for tests of readers of safetensors files: a good file kept in memory, and copies of it that lie. */
#ifndef MOPD_TESTS_SUPPORT_FORGED_H
#define MOPD_TESTS_SUPPORT_FORGED_H

#include "test.h"

#define FORGED_ROOM (1 << 18)

/* A file, its header from byte 8 on. */
typedef struct forged {
    char *bytes;
    size_t n, n_header;
} forged;

/* Free with forged_free. */
static inline forged forged_read(const char *path)
{
    forged f = {.bytes = malloc(FORGED_ROOM)};
    uint64_t header = 0;
    FILE *file = fopen(path, "rb");
    assert_true(file && f.bytes);
    f.n = fread(f.bytes, 1, FORGED_ROOM, file);
    fclose(file);
    assert_true(f.n > 100 && f.n < FORGED_ROOM - 5000); /* room for a longer header */
    memcpy(&header, f.bytes, sizeof header);
    assert_true(header < f.n);
    f.n_header = (size_t)header;
    return f;
}

static inline void forged_free(forged *f)
{
    free(f->bytes);
    *f = (forged){0};
}

/* A file of this name with the first `from` of the header replaced by `to`, whose length may be another. */
static inline const char *forged_header(const forged *f, const char *name, const char *from, const char *to)
{
    static char bytes[FORGED_ROOM];
    const char *at = NULL;
    for (size_t i = 8; i + strlen(from) <= 8 + f->n_header && !at; i++)
        if (!memcmp(f->bytes + i, from, strlen(from))) at = f->bytes + i;
    if (!at) fail_msg("the header has no %s", from);
    const size_t before = (size_t)(at - f->bytes), rest = before + strlen(from), n = strlen(to);
    const uint64_t header = f->n_header + n - strlen(from);
    memcpy(bytes, f->bytes, before);
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + before, to, n);
    memcpy(bytes + before + n, f->bytes + rest, f->n - rest);
    return test_write(name, bytes, f->n + n - strlen(from));
}

#endif
