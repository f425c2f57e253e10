/* SPDX-License-Identifier: MIT
 * driver.c - a main for the fuzz entry points without libFuzzer: runs each file named to it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    uint8_t *bytes = NULL;
    size_t n = 0, got = 1;
    while (got) {
        uint8_t *more = realloc(bytes, n + 65536);
        if (!more) break;
        bytes = more;
        got = fread(bytes + n, 1, 65536, f);
        n += got;
    }
    fclose(f);
    uint8_t *exact = malloc(n ? n : 1); /* exactly as long, so that a sanitizer sees a step outside */
    for (size_t i = 0; exact && i < n; i++) exact[i] = bytes[i];
    if (exact) LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    free(bytes);
    return exact ? 0 : 1;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) failed |= run_file(argv[i]);
    return failed;
}
