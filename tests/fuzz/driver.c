/* SPDX-License-Identifier: MIT
 * driver.c - a main for the fuzz targets where there is no libFuzzer: runs files, and changed copies of each.
 *
 *     fuzz_NAME [-mutations=N] PATH...       PATH: a file, or a folder whose files are taken in the order of their names
 *
 * The changes depend on the bytes of a file alone: every run makes the same ones. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/rng.h"

#define LONGEST (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t most);
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed);

static long n_mutations;
static mo_rng rng;

static size_t below(size_t n)
{
    return (size_t)mo_rng_below(&rng, n);
}

static size_t erase(uint8_t *data, size_t n, size_t at, size_t count)
{
    if (count > n - at) count = n - at;
    memmove(data + at, data + at + count, n - at - count);
    return n - count;
}

/* Puts count bytes from elsewhere in the data before place `at`. */
static size_t insert(uint8_t *data, size_t n, size_t most, size_t at, size_t count)
{
    size_t from = below(n);
    if (count > n - from) count = n - from;
    if (n + count > most) return n;
    memmove(data + at + count, data + at, n - at);
    memmove(data + at, data + (from < at ? from : from + count),
        from < at && count > at - from ? at - from : count);
    return n + count;
}

/* Overwrites with a number that programs stumble over, in binary or in decimal. */
static void put_number(uint8_t *data, size_t n, size_t at)
{
    static const char *const texts[] = {"0", "-1", "255", "65536", "2147483648", "4294967295",
        "9223372036854775807", "18446744073709551616", "1e400", "null", "[]", "{}", "\"\""};
    static const uint64_t numbers[] = {
        0, 1, 127, 128, 255, 256, 32767, 65535, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX};
    const char *text = texts[below(sizeof texts / sizeof *texts)];
    uint64_t number = numbers[below(sizeof numbers / sizeof *numbers)];
    size_t bytes = (size_t)1 << below(4);
    bool decimal = below(2);
    for (size_t i = 0; at + i < n && i < (decimal ? strlen(text) : bytes); i++)
        data[at + i] = decimal ? (uint8_t)text[i] : (uint8_t)(number >> 8 * i);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* A number that a size of 32 bits cannot hold, or only as another one: some of them small when their upper half is lost. */
static uint64_t wide_number(void)
{
    static const uint64_t tops[] = {
        UINT64_C(1) << 31, UINT32_MAX, UINT64_C(1) << 32, UINT64_C(1) << 33, UINT64_C(1) << 63};
    return tops[below(sizeof tops / sizeof *tops)] + below(2) * below(64);
}

/* Puts a wide number in the place of the one at `at`: the digits there, or else eight bytes.  The low half of the latter may stay. */
static size_t put_wide(uint8_t *data, size_t n, size_t most, size_t at)
{
    char digits[24];
    size_t first = at, last = at;
    while (first && is_digit(data[first - 1])) first--;
    while (last < n && is_digit(data[last])) last++;
    const uint64_t number = wide_number();
    if (first == last) {
        const size_t from = below(2) * 4;
        for (size_t i = from; i < 8 && at + i < n; i++) data[at + i] = (uint8_t)(number >> 8 * i);
        return n;
    }
    const size_t n_digits = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    if (n - (last - first) + n_digits > most) return n;
    memmove(data + first + n_digits, data + last, n - last);
    memcpy(data + first, digits, n_digits);
    return n - (last - first) + n_digits;
}

/* One change; the new length. */
static size_t change(uint8_t *data, size_t n, size_t most)
{
    size_t at = below(n);
    switch (below(9)) {
    case 0:
        return at;
    case 1:
        return erase(data, n, at, 1 + below(16));
    case 2:
        return insert(data, n, most, at, 1 + below(64));
    case 3:
        put_number(data, n, at);
        return n;
    case 4:
        data[at] = (uint8_t)below(256);
        return n;
    case 5:
        data[at]++;
        return n;
    case 6:
        return put_wide(data, n, most, at);
    default:
        data[at] ^= (uint8_t)(1u << below(8));
        return n;
    }
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t most)
{
    return n ? change(data, n, most) : n;
}

/* The same by the target, where it knows better. */
static size_t change_well(uint8_t *data, size_t n)
{
    if (!LLVMFuzzerCustomMutator) return change(data, n, LONGEST);
    return LLVMFuzzerCustomMutator(data, n, LONGEST, (unsigned)mo_rng_below(&rng, UINT32_MAX));
}

/* Runs a copy that is exactly as long as the bytes, so that a sanitizer sees a step outside. */
static void run(const uint8_t *data, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);
    if (!exact) abort();
    memcpy(exact, data, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

static int run_file(const char *path)
{
    static uint8_t original[LONGEST], changed[LONGEST];
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    size_t n = fread(original, 1, sizeof original, f);
    fclose(f);
    run(original, n);
    mo_rng_seed(&rng, mo_hash_bytes(original, n));
    for (long i = 0; i < n_mutations; i++) {
        size_t left = n;
        memcpy(changed, original, n);
        for (size_t k = 1 + below(4); k && left; k--) left = change_well(changed, left);
        run(changed, left);
    }
    return 0;
}

static int run_path(const char *path)
{
    struct dirent **entry = NULL;
    struct stat info;
    if (stat(path, &info) || !S_ISDIR(info.st_mode)) return run_file(path);
    int failed = 0, n = scandir(path, &entry, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char inner[4096];
        snprintf(inner, sizeof inner, "%s/%s", path, entry[i]->d_name);
        if (entry[i]->d_name[0] != '.') failed |= run_path(inner);
        free(entry[i]);
    }
    free(entry);
    if (n > 2) return failed;
    fprintf(stderr, "%s: no files\n", path);
    return 1;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;
    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "-mutations=", 11))
            n_mutations = atol(argv[i] + 11);
        else
            failed |= run_path(argv[i]);
    }
    return failed;
}
