/* SPDX-License-Identifier: MIT
 * test_abi.c - what a compiled program relies on: struct layouts, status values, exported names. */
#include "test.h"

#include <dirent.h>
#include <dlfcn.h>

#if UINTPTR_MAX == UINT64_MAX
#define FIELD(type, field, at, size)                                                                         \
    _Static_assert(                                                                                          \
        offsetof(type, field) == (at) && sizeof(((type *)0)->field) == (size), #type "." #field " moved");
#define STRUCT(type, size) _Static_assert(sizeof(type) == (size), #type " has another size");
#include "layout.h"
#undef FIELD
#undef STRUCT
#endif

_Static_assert(MOPD_OK == 0 && MOPD_E_ARG == -1 && MOPD_E_NOMEM == -2 && MOPD_E_IO == -3 &&
                   MOPD_E_FORMAT == -4 && MOPD_E_VERSION == -5 && MOPD_E_MISMATCH == -6 &&
                   MOPD_E_UNSUPPORTED == -7 && MOPD_E_STATE == -8 && MOPD_E_CANCELLED == -9 &&
                   MOPD_E_NUMERIC == -10 && MOPD_E_INTERNAL == -11,
    "status values are pinned");

static const struct pin {
    const char *type, *field; /* field NULL: the struct as a whole, its size in `at` */
    size_t at, size;
} pins[] = {
#define FIELD(type, field, at, size) {#type, #field, at, size},
#define STRUCT(type, size) {#type, NULL, size, 0},
#include "layout.h"
#undef FIELD
#undef STRUCT
};
enum { N_PINS = sizeof pins / sizeof *pins };

static void structs_have_no_padding_holes(void **state)
{
    (void)state;
    size_t end = 0;
    for (size_t i = 0; i < N_PINS; i++) {
        if (pins[i].at != end)
            fail_msg("%s: a hole before %s", pins[i].type, pins[i].field ? pins[i].field : "its end");
        end = pins[i].field ? end + pins[i].size : 0;
    }
}

static char *header(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/include/mopd/%s", MOPD_SOURCE_DIR, name);
    return test_read(path);
}

/* fn(word) of every identifier behind `before` and in front of `after` on a line. */
static size_t each_word(char *text, const char *before, const char *after, void (*fn)(const char *word))
{
    size_t n = 0;
    for (char *at = text; (at = strstr(at, before)); at++) {
        char *line = at + strlen(before), *end = strstr(line, after), word[128];
        if (!end) break;
        char *start = end;
        while (start > line && (start[-1] == '_' || (start[-1] >= 'a' && start[-1] <= 'z') ||
                                   (start[-1] >= '0' && start[-1] <= '9')))
            start--;
        snprintf(word, sizeof word, "%.*s", (int)(end - start), start);
        fn(word);
        n++;
    }
    return n;
}

static char *map;
static void *library;
static size_t n_declared;

static void is_listed_and_exported(const char *name)
{
    char line[160];
    snprintf(line, sizeof line, "\n        %s;\n", name);
    if (!strstr(map, line)) fail_msg("lib/mopd.map does not list %s", name);
    if (!dlsym(library, name)) fail_msg("libmopd.so does not export %s", name);
}

static void is_pinned(const char *type)
{
    for (size_t i = 0; i < N_PINS; i++)
        if (!strcmp(pins[i].type, type)) return;
    fail_msg("tests/abi/layout.h does not pin %s", type);
}

static size_t each_header(const char *before, const char *after, void (*fn)(const char *word))
{
    size_t n = 0;
    DIR *dir = opendir(MOPD_SOURCE_DIR "/include/mopd");
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.' || !strcmp(e->d_name, "export.h")) continue;
        char *text = header(e->d_name);
        n += each_word(text, before, after, fn);
        free(text);
    }
    closedir(dir);
    return n;
}

static void declared_names_are_listed_and_exported(void **state)
{
    (void)state;
    map = test_read(MOPD_SOURCE_DIR "/lib/mopd.map");
    library = dlopen(MOPD_BINARY_DIR "/libmopd.so", RTLD_NOW);
    if (!library) fail_msg("%s", dlerror());
    n_declared = each_header("\nMOPD_API ", "(", is_listed_and_exported);
    assert_true(n_declared > 60);
    size_t n_listed = 0;
    for (char *at = map; (at = strstr(at, "\n        mopd_")); at++) n_listed++;
    assert_int_equal(n_listed, n_declared);
    assert_null(strstr(map, "mopd_*"));
    assert_null(dlsym(library, "mo_mem_alloc"));
    dlclose(library);
    free(map);
}

static void every_public_struct_is_pinned(void **state)
{
    (void)state;
    assert_true(each_header("\ntypedef struct ", " {", is_pinned) >= 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structs_have_no_padding_holes),
        cmocka_unit_test(declared_names_are_listed_and_exported),
        cmocka_unit_test(every_public_struct_is_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
