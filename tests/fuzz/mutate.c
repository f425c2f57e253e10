/* SPDX-License-Identifier: MIT
 * mutate.c - changes that know where lengths and check sums stand. */
#include "mutate.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "base/ints.h"
#include "base/mem.h"
#include "base/rng.h"

enum { LONGEST = 1 << 17, MOST_DATA = 1 << 14 };

typedef size_t (*change_fn)(uint8_t *data, size_t n, size_t most, unsigned seed);

static size_t change_any(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    (void)seed;
    return most ? LLVMFuzzerMutate(data, n, most) : n;
}

/* Changes data[from .. from + n_part) of n bytes by itself; that may again be a part of the part. */
static size_t change_part(
    uint8_t *data, size_t n, size_t most, const size_t part[2], change_fn change, unsigned seed)
{
    static uint8_t copies[2][LONGEST];
    static size_t depth;
    const size_t from = part[0], n_part = part[1], rest = n - n_part;
    if (n_part > LONGEST || most <= rest || depth == 2) return change_any(data, n, most, seed);
    uint8_t *copy = copies[depth++];
    memcpy(copy, data + from, n_part);
    const size_t n_new = change(copy, n_part, mo_min(most - rest, LONGEST), seed);
    depth--;
    memmove(data + from + n_new, data + from + n_part, rest - from);
    memcpy(data + from, copy, n_new);
    return rest + n_new;
}

/* -- safetensors --------------------------------------------------------------------------------------------- */

static uint64_t header_length(const uint8_t *data, size_t n)
{
    uint64_t length = 0;
    if (n < 8) return UINT64_MAX;
    for (int i = 7; i >= 0; i--) length = length << 8 | data[i];
    return length;
}

static void put_header_length(uint8_t *data, uint64_t length)
{
    for (int i = 0; i < 8; i++) data[i] = (uint8_t)(length >> 8 * i);
}

/* What stands between `before` and `end` within the next bytes of a text; NULL: it does not. */
static char *between(char *text, const char *before, char end, char **stop)
{
    char *at = strstr(text, before);
    if (!at || at - text > 200) return NULL;
    at += strlen(before);
    *stop = strchr(at, end);
    return *stop ? at : NULL;
}

static size_t elements(const char *shape)
{
    size_t n = 1;
    while (*shape && *shape != ']') {
        char *end;
        const unsigned long dim = strtoul(shape, &end, 10);
        if (end == shape || !mo_mul(n, dim, &n)) return 0;
        shape = end + (*end == ',');
    }
    return n;
}

/* Bytes of the tensor that a text describes; *offsets: where its offsets stand, NULL: it is none. */
static size_t tensor_bytes(char *text, char **offsets, char **stop)
{
    char *end, word[16] = "";
    const char *type = between(text, "\"dtype\":\"", '"', &end), *shape;
    mo_dtype dtype;
    *offsets = NULL;
    if (!type || end - type >= (ptrdiff_t)sizeof word) return 0;
    memcpy(word, type, (size_t)(end - type));
    shape = between(end, "\"shape\":[", ']', &end);
    if (!shape || !mo_dtype_find(&dtype, word)) return 0;
    *offsets = between(end, "\"data_offsets\":[", ']', stop);
    const size_t n = elements(shape) * mo_dtype_size(dtype);
    return n < MOST_DATA ? n : 0;
}

/* to = the header, its tensors one behind the other; the bytes of all of them. */
static size_t lay_out(char *to, size_t room, char *header)
{
    size_t at = 0;
    *to = 0;
    for (char *next; (next = strstr(header, "\"dtype\":\""));) {
        char *offsets, *stop;
        const size_t n = tensor_bytes(next, &offsets, &stop);
        char *from = offsets ? offsets : next + 1, *rest = offsets ? stop : next + 1;
        const size_t used = strlen(to);
        if (used + (size_t)(from - header) + 64 > room) break;
        memcpy(to + used, header, (size_t)(from - header));
        to[used + (size_t)(from - header)] = 0;
        if (offsets) sprintf(strchr(to, 0), "%zu,%zu", at, at + n);
        at += offsets ? n : 0;
        header = rest;
    }
    if (strlen(to) + strlen(header) < room) strcat(to, header);
    return at;
}

static size_t tidy_header(uint8_t *data, size_t n, size_t most)
{
    static char header[LONGEST + 1], laid_out[LONGEST + 1];
    const size_t length = (size_t)header_length(data, n);
    if (n < 8 || length > n - 8 || length > LONGEST) return n;
    memcpy(header, data + 8, length);
    header[length] = 0;
    if (strlen(header) != length) return n;
    const size_t n_data = lay_out(laid_out, LONGEST, header), n_header = strlen(laid_out);
    if (8 + n_header + n_data > most) return n;
    const size_t kept = mo_min(n - 8 - length, n_data);
    memmove(data + 8 + n_header, data + 8 + length, kept);
    memset(data + 8 + n_header + kept, 0, n_data - kept);
    memcpy(data + 8, laid_out, n_header);
    put_header_length(data, n_header);
    return 8 + n_header + n_data;
}

/* The place of a text in the bytes, one of all by chance; n: it is not there. */
static size_t find_any(const uint8_t *data, size_t n, const char *text, mo_rng *rng)
{
    const size_t n_text = strlen(text);
    size_t found = n, n_found = 0;
    for (size_t at = 0; at + n_text <= n; at++)
        if (!memcmp(data + at, text, n_text) && !mo_rng_below(rng, ++n_found)) found = at;
    return found;
}

/* A header: a size or any digit one larger or smaller, or two names of a list made one. */
static size_t change_header(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    static const char shape[] = "\"shape\":[", names[] = "\\\",\\\"";
    mo_rng rng;
    mo_rng_seed(&rng, seed);
    const uint64_t way = mo_rng_below(&rng, 8);
    const char digits[] = {(char)('1' + mo_rng_below(&rng, 8)), 0};
    const size_t at = find_any(data, n, way > 1 ? digits : way ? shape : names, &rng);
    if (way > 2 || at == n) return change_any(data, n, most, seed);
    if (way) {
        const size_t digit = way > 1 ? at : at + sizeof shape - 1 + 2 * (size_t)mo_rng_below(&rng, 3);
        if (digit < n && data[digit] >= '1' && data[digit] < '9')
            data[digit] = (uint8_t)(data[digit] + (mo_rng_below(&rng, 2) ? 1 : 255));
        return n;
    }
    memmove(data + at, data + at + sizeof names - 1, n - at - (sizeof names - 1));
    return n - (sizeof names - 1);
}

size_t fuzz_mutate_tensors(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    const uint64_t length = header_length(data, n);
    if (n < 8 || length > n - 8 || length > LONGEST || seed % 8 == 0) return change_any(data, n, most, seed);
    const size_t head[2] = {8, (size_t)length}, rest[2] = {8 + (size_t)length, n - 8 - (size_t)length};
    if (seed % 8 < 3) return change_part(data, n, most, rest, fuzz_mutate_words, seed / 8);
    const size_t changed = change_part(data, n, most, head, change_header, seed / 8);
    if (most <= n - head[1]) return changed;
    put_header_length(data, changed - (n - head[1]));
    return seed % 8 > 3 ? tidy_header(data, changed, most) : changed;
}

/* -- numbers ------------------------------------------------------------------------------------------------- */

size_t fuzz_mutate_words(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    static const int32_t steps[] = {-4, -1, 1, 2, 4, 256};
    mo_rng rng;
    mo_rng_seed(&rng, seed);
    if (n < 4 || mo_rng_below(&rng, 2)) return change_any(data, n, most, seed);
    const size_t at = 4 * (size_t)mo_rng_below(&rng, n / 4);
    uint32_t word;
    memcpy(&word, data + at, sizeof word);
    word += (uint32_t)steps[mo_rng_below(&rng, sizeof steps / sizeof *steps)];
    memcpy(data + at, &word, sizeof word);
    return n;
}

size_t fuzz_mutate_bytes(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    mo_rng rng;
    mo_rng_seed(&rng, seed);
    const size_t way = (size_t)mo_rng_below(&rng, 16), some = 1 + (size_t)mo_rng_below(&rng, 4);
    if (way < 3 && n) {
        uint8_t *byte = data + mo_rng_below(&rng, n);
        *byte = (uint8_t)(*byte + (way == 2 ? 255 : 1));
        return n;
    }
    if (way == 3 && n > some) return n - some;
    if (way == 4 && n + some <= most) {
        memset(data + n, 0, some);
        return n + some;
    }
    return change_any(data, n, most, seed);
}

/* -- PNG ----------------------------------------------------------------------------------------------------- */

static uint32_t check_sum(const uint8_t *data, size_t n)
{
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        sum ^= data[i];
        for (int k = 0; k < 8; k++) sum = sum >> 1 ^ (UINT32_C(0xedb88320) & -(sum & 1));
    }
    return ~sum;
}

size_t fuzz_mutate_png(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    enum { MARK = 8, AROUND = 12 };
    n = change_any(data, n, most, seed);
    for (size_t at = MARK; seed % 4 && at + AROUND <= n;) {
        uint32_t length = 0;
        for (int i = 0; i < 4; i++) length = length << 8 | data[at + (size_t)i];
        if (length > n - at - AROUND) break;
        const uint32_t sum = check_sum(data + at + 4, length + 4);
        for (int i = 0; i < 4; i++) data[at + 8 + length + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
        at += AROUND + length;
    }
    return n;
}

/* -- several files ------------------------------------------------------------------------------------------- */

/* Where the files of an input stand, their lines left out, and their names. */
typedef struct parts {
    size_t place[FUZZ_MOST_FILES][2];
    int name[FUZZ_MOST_FILES];
    size_t n;
} parts;

static void find_parts(parts *p, const fuzz_folder *folder, const uint8_t *data, size_t n)
{
    p->n = 0;
    for (size_t at = 0, n_line; at < n; at++) {
        const int name = fuzz_folder_line(folder, data + at, n - at, &n_line);
        if (name < 0) continue;
        if (p->n) p->place[p->n - 1][1] = at - p->place[p->n - 1][0];
        if (p->n == FUZZ_MOST_FILES) return;
        p->name[p->n] = name;
        p->place[p->n][0] = at + n_line;
        p->place[p->n++][1] = n - at - n_line;
        at += n_line - 1;
    }
}

/* Puts the line and the bytes of a file of the base folder behind the input, where there is such a file. */
static size_t add_base(const fuzz_folder *folder, uint8_t *data, size_t n, size_t most, const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder->base, name);
    FILE *f = fopen(fuzz_base(path), "rb");
    const size_t line = strlen(name) + 3;
    if (f && n + line < most) {
        snprintf(path, sizeof path, "@@%s\n", name);
        memcpy(data + n, path, line);
        n += line + fread(data + n + line, 1, most - n - line, f);
    }
    if (f) fclose(f);
    return n;
}

static bool is_tensors(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && !strcmp(dot, ".safetensors");
}

size_t fuzz_mutate_folder(const fuzz_folder *folder, uint8_t *data, size_t n, size_t most, unsigned seed)
{
    parts p;
    mo_rng rng;
    mo_rng_seed(&rng, seed);
    const uint64_t way = mo_rng_below(&rng, 8);
    find_parts(&p, folder, data, n);
    if (way == 0 && folder->base)
        return add_base(folder, data, n, most, folder->names[mo_rng_below(&rng, folder->n_names)]);
    if (way == 1 || !p.n) return change_any(data, n, most, seed);
    const size_t k = (size_t)mo_rng_below(&rng, p.n);
    const bool tensors = is_tensors(folder->names[p.name[k]]);
    return change_part(data, n, most, p.place[k], tensors ? fuzz_mutate_tensors : change_any, seed / 8);
}
