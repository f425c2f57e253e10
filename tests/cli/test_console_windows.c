/* SPDX-License-Identifier: MIT
 * test_console_windows.c - the command gives a console back as it was: its code page and its mode.
 *
 * A console without a window belongs to a child of this program, which is this program with one word. */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include "test.h"

enum { CODE = 437, MODE = ENABLE_PROCESSED_OUTPUT | ENABLE_WRAP_AT_EOL_OUTPUT };

static int run(const wchar_t *words, DWORD flags, STARTUPINFOW *streams)
{
    wchar_t line[2048];
    PROCESS_INFORMATION process;
    DWORD status = 255;
    wcscpy(line, words);
    streams->cb = sizeof *streams;
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, flags, NULL, NULL, streams, &process)) return 254;
    if (WaitForSingleObject(process.hProcess, TEST_PATIENCE * 1000)) TerminateProcess(process.hProcess, 253);
    GetExitCodeProcess(process.hProcess, &status);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return (int)status;
}

static HANDLE open_console(void)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    return CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
        &inherited, OPEN_EXISTING, 0, NULL);
}

/* The exit status: 0, or the number of what is wrong. */
static int look_inside(void)
{
    static const struct {
        const wchar_t *words;
        int status;
    } cases[] = {{L" --version", 0}, {L" nonsense", 2}};
    STARTUPINFOW streams = {.dwFlags = STARTF_USESTDHANDLES, .hStdInput = INVALID_HANDLE_VALUE};
    streams.hStdOutput = open_console();
    streams.hStdError = open_console();
    if (!SetConsoleOutputCP(CODE) || !SetConsoleMode(streams.hStdOutput, MODE)) return 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wchar_t line[2048];
        DWORD mode = 0;
        swprintf(line, 2048, L"\"%hs/mopd.exe\"%ls", MOPD_BINARY_DIR, cases[i].words);
        if (run(line, 0, &streams) != cases[i].status) return 2;
        if (!GetConsoleMode(streams.hStdOutput, &mode) || mode != MODE) return 3;
        if (GetConsoleOutputCP() != CODE) return 4;
    }
    return 0;
}

static void a_console_is_given_back_as_it_was(void **state)
{
    (void)state;
    wchar_t self[1024], line[2048];
    STARTUPINFOW streams = {0};
    assert_true(GetModuleFileNameW(NULL, self, 1024) > 0);
    swprintf(line, 2048, L"\"%ls\" inside", self);
    assert_int_equal(run(line, CREATE_NO_WINDOW, &streams), 0);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) return look_inside();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_console_is_given_back_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
