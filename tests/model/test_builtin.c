/* SPDX-License-Identifier: MIT
 * test_builtin.c - where the built-in model is looked for. */
#include "test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "model/builtin.h"
#include "support/folders.h"
#include "support/needs.h"

static void the_environment_names_the_model(void **state)
{
    (void)state;
    char *path;
    assert_int_equal(setenv("MOPD_MODEL", "/some/where", 1), 0);
    assert_ok(mo_builtin_path(&path));
    assert_string_equal(path, "/some/where");
    mo_mem_free(path);
    assert_fails(folder_try(NULL), MOPD_E_IO, "/some/where");
    assert_int_equal(setenv("MOPD_MODEL", FOLDERS_GOLD "hf", 1), 0);
    mopd_encoder *named = folder_open(NULL, 1), *same = folder_open(FOLDERS_GOLD "hf", 1);
    assert_string_equal(named->path, FOLDERS_GOLD "hf");
    assert_string_equal(named->fingerprint, same->fingerprint);
    mo_encoder_close(same);
    mo_encoder_close(named);
    unsetenv("MOPD_MODEL");
}

/* An empty variable names nothing: the places are looked at, and all of them are listed when none has it. */
static void the_search_lists_its_places(void **state)
{
    (void)state;
    char *path = (char *)(uintptr_t)1;
    assert_int_equal(setenv("MOPD_MODEL", "", 1), 0);
    mopd_status st = mo_builtin_path(&path);
    unsetenv("MOPD_MODEL");
    if (st == MOPD_OK) {
        assert_true(mo_file_exists(path));
        assert_non_null(strstr(path, "builtin.safetensors"));
        mo_mem_free(path);
        return;
    }
    assert_null(path);
    static const char *const words[] = {"no built-in model", "../share/mopd/builtin.safetensors, ",
        "../../share/mopd/builtin.safetensors, ", "name one with MOPD_MODEL", "scripts/model.sh"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strstr(mopd_last_error(), words[i])) fail_msg("%s is not in: %s", words[i], mopd_last_error());
}

static mopd_status look(void *ctx)
{
    (void)ctx;
    char *path;
    mopd_status st = mo_builtin_path(&path);
    if (st == MOPD_OK) mo_mem_free(path);
    return st == MOPD_E_IO ? MOPD_OK : st; /* no memory was short; there is none here */
}

static void the_search_survives_failing_memory(void **state)
{
    (void)state;
    test_torture(look, NULL);
    assert_int_equal(setenv("MOPD_MODEL", "/some/where", 1), 0);
    test_torture(look, NULL);
    unsetenv("MOPD_MODEL");
    assert_ok(mopd_runtime_set_allocator(NULL));
}

/* The search of a program in another folder than that in which it was started, and by a relative path: 0 when it
 * looked at whole paths beside the program, as this test's folder has them. */
static int search_elsewhere(void)
{
    char *path = NULL;
    unsetenv("MOPD_MODEL");
    if (chdir("/")) return 2;
    const mopd_status st = mo_builtin_path(&path);
    const bool whole = strstr(st == MOPD_OK ? path : mopd_last_error(), MOPD_BINARY_DIR "/") != NULL;
    if (!whole) fprintf(stderr, "%s\n", st == MOPD_OK ? path : mopd_last_error());
    if (st == MOPD_OK) mo_mem_free(path);
    return whole ? 0 : 1;
}

static void a_program_may_change_its_folder(void **state)
{
    (void)state;
    TEST_NEEDS("processes");
    int status = -1;
    const pid_t child = fork();
    if (!child) {
        if (chdir(MOPD_BINARY_DIR)) _exit(3);
        execl("./test_model_builtin", "./test_model_builtin", "elsewhere", (char *)NULL);
        _exit(4);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "elsewhere")) return search_elsewhere();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_names_the_model),
        cmocka_unit_test(the_search_lists_its_places),
        cmocka_unit_test(the_search_survives_failing_memory),
        cmocka_unit_test(a_program_may_change_its_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
