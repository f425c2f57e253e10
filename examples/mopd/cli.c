/* SPDX-License-Identifier: MIT
 * cli.c - errors, notes, Ctrl-C, memory. */
#include "cli.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"

static volatile sig_atomic_t interrupts, at_once;

static void on_interrupt(void)
{
    if (interrupts++ || at_once) sys_end(EXIT_INTERRUPTED);
}

static int is_interrupted(void *context)
{
    (void)context;
    return interrupts > 0;
}

void cli_catch_interrupt(void)
{
    sys_prepare(on_interrupt);
    mopd_runtime_set_stop(is_interrupted, NULL);
}

bool cli_interrupted(void)
{
    return interrupts > 0;
}

void cli_interrupt_ends(bool ends)
{
    at_once = ends;
    if (ends && interrupts) sys_end(EXIT_INTERRUPTED);
}

int cli_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    cli_say("error", "", format, args);
    va_end(args);
    return EXIT_FAILED;
}

int cli_usage(const char *command, const char *format, ...)
{
    char help[64];
    va_list args;
    va_start(args, format);
    snprintf(help, sizeof help, "; see 'mopd %s%s--help'", command, *command ? " " : "");
    cli_say("error", help, format, args);
    va_end(args);
    return EXIT_USAGE;
}

void cli_note(const cli_common *common, const char *format, ...)
{
    if (common->quiet) return;
    va_list args;
    va_start(args, format);
    cli_say("note", "", format, args);
    va_end(args);
}

int cli_fail_status(mopd_status status)
{
    if (status == MOPD_E_CANCELLED) return EXIT_INTERRUPTED;
    const char *message = mopd_last_error();
    return cli_fail("%s", *message ? message : mopd_status_text(status));
}

void *cli_alloc(size_t n, size_t size)
{
    void *block = calloc(n ? n : 1, size ? size : 1);
    if (!block) exit(cli_fail("out of memory: %zu x %zu bytes", n, size));
    return block;
}

char *cli_strdup(const char *text)
{
    size_t n = strlen(text) + 1;
    return memcpy(cli_alloc(n, 1), text, n);
}
