/* SPDX-License-Identifier: MIT
 * run_windows.c - a child process on Windows.
 *
 * Ctrl-C reaches all programs of a console.  So who is to be interrupted gets a console of its own, without a window, and this
 * program comes into it for as long as it takes. */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include "support/run_program.h"

/* -- words ---------------------------------------------------------------------------------------------------- */

/* As CommandLineToArgvW takes it apart: backslashes before a quote stand twice. */
static char *quote(char *to, const char *word)
{
    *to++ = '"';
    for (size_t backslashes = 0; *word; word++) {
        for (size_t i = 0; *word == '"' && i <= backslashes; i++) *to++ = '\\';
        backslashes = *word == '\\' ? backslashes + 1 : 0;
        *to++ = *word;
    }
    for (const char *last = to; last[-1] == '\\'; last--) *to++ = '\\';
    *to++ = '"';
    return to;
}

static void join(wchar_t *line, size_t room, char **words)
{
    char text[1 << 14], *to = text;
    for (; *words; words++) {
        assert_true(to + 2 * strlen(*words) + 4 < text + sizeof text);
        to = quote(to, *words);
        *to++ = words[1] ? ' ' : 0;
    }
    assert_true(MultiByteToWideChar(CP_UTF8, 0, text, -1, line, (int)room) > 0);
}

/* -- streams -------------------------------------------------------------------------------------------------- */

static HANDLE open_inherited(const char *path, DWORD access, DWORD how)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    wchar_t wide[1024];
    assert_true(MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, 1024) > 0);
    const DWORD shared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    HANDLE handle = CreateFileW(wide, access, shared, &inherited, how, 0, NULL);
    if (handle == INVALID_HANDLE_VALUE) fail_msg("cannot open %s: error %lu", path, GetLastError());
    return handle;
}

/* The end to write into of a pipe that nobody reads. */
static HANDLE dead_pipe(void)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    HANDLE from, to;
    assert_true(CreatePipe(&from, &to, &inherited, 0));
    CloseHandle(from);
    return to;
}

static bool to_be_interrupted(const run_setup *setup)
{
    return setup->interrupt_at || setup->interrupt_cpu > 0;
}

static HANDLE start(char **words, const run_setup *setup, STARTUPINFOW *streams, DWORD *number)
{
    wchar_t line[1 << 14];
    PROCESS_INFORMATION process;
    join(line, sizeof line / sizeof *line, words);
    const DWORD flags = to_be_interrupted(setup) ? CREATE_NO_WINDOW : 0;
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, flags, NULL, NULL, streams, &process))
        fail_msg("cannot start %s: error %lu", words[0], GetLastError());
    CloseHandle(process.hThread);
    *number = process.dwProcessId;
    return process.hProcess;
}

/* -- Ctrl-C --------------------------------------------------------------------------------------------------- */

static double computed(HANDLE process)
{
    FILETIME t[4];
    if (!GetProcessTimes(process, t, t + 1, t + 2, t + 3)) return 0;
    const double high = (double)t[2].dwHighDateTime + (double)t[3].dwHighDateTime;
    return 1e-7 * (4294967296.0 * high + (double)t[2].dwLowDateTime + (double)t[3].dwLowDateTime);
}

static bool stands_in(const char *path, const char *words)
{
    static char text[1 << 16];
    FILE *f = fopen(path, "rb");
    const size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f) fclose(f);
    text[n] = 0;
    return strstr(text, words) != NULL;
}

static bool is_reached(HANDLE process, const run_setup *setup, const char *out)
{
    struct stat info;
    if (!setup->interrupt_at) return computed(process) >= setup->interrupt_cpu;
    return strchr(setup->interrupt_at, '/') ? !stat(setup->interrupt_at, &info)
                                            : stands_in(out, setup->interrupt_at);
}

static void press(DWORD number)
{
    FreeConsole();
    if (!AttachConsole(number)) fail_msg("no way to its console: error %lu", GetLastError());
    SetConsoleCtrlHandler(NULL, TRUE); /* not for us */
    if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0)) fail_msg("no Ctrl-C: error %lu", GetLastError());
    FreeConsole();
}

static void interrupt(HANDLE process, DWORD number, const run_setup *setup, const char *out)
{
    const time_t begun = time(NULL);
    while (!is_reached(process, setup, out)) {
        if (!WaitForSingleObject(process, 0)) fail_msg("the command ended before it could be interrupted");
        if (test_pause(begun)) continue;
        TerminateProcess(process, 255);
        fail_msg("waited in vain for the command to come to where it is interrupted");
    }
    press(number);
}

int run_program(char **words, const run_setup *setup, const char *out, const char *err)
{
    STARTUPINFOW streams = {.cb = sizeof streams, .dwFlags = STARTF_USESTDHANDLES};
    streams.hStdInput = open_inherited(setup->in ? setup->in : "NUL", GENERIC_READ, OPEN_EXISTING);
    streams.hStdOutput = setup->closed_pipe
                             ? dead_pipe()
                             : open_inherited(out, GENERIC_WRITE, setup->out ? OPEN_ALWAYS : CREATE_ALWAYS);
    streams.hStdError = open_inherited(err, GENERIC_WRITE, CREATE_ALWAYS);
    DWORD number, status = 0;
    HANDLE process = start(words, setup, &streams, &number);
    CloseHandle(streams.hStdInput);
    CloseHandle(streams.hStdOutput);
    CloseHandle(streams.hStdError);
    if (to_be_interrupted(setup)) interrupt(process, number, setup, out);
    if (WaitForSingleObject(process, TEST_PATIENCE * 1000)) {
        TerminateProcess(process, 255);
        fail_msg("waited in vain for the command to end");
    }
    SetConsoleCtrlHandler(NULL, FALSE); /* or the next one would be deaf, too */
    GetExitCodeProcess(process, &status);
    CloseHandle(process);
    return (int)status;
}
