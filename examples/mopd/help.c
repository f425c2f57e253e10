/* SPDX-License-Identifier: MIT
 * help.c - the lines of --help: what the library says of its settings, and the defaults that options hold. */
#include "cli.h"

#include <string.h>

bool cli_setting(const char *name, mopd_setting *setting)
{
    char field[64];
    snprintf(field, sizeof field, "%s", name);
    for (char *at = field; *at; at++)
        if (*at == '-') *at = '_';
    *setting = (mopd_setting){.struct_size = sizeof *setting};
    for (size_t i = 0; mopd_setting_get(i, setting) == MOPD_OK; i++)
        if (!strcmp(setting->name, field)) return true;
    return false;
}

static void print_choices(const mopd_setting *s)
{
    for (size_t i = 0; i <= (size_t)s->most; i++) printf("%s%s", i ? ", " : ": ", s->choices[i]);
    printf(" (default: %s)", s->choices[(size_t)s->preset]);
}

/* "(default: 50; from 1 to 1048576)"; limits beyond all use are not worth a word. */
static void print_numbers(const mopd_setting *s)
{
    if (s->open)
        printf(" (default: %s", s->open);
    else
        printf(" (default: %g", s->preset);
    if (s->most < 4294967296.0)
        printf("; from %.7g to %.7g)", s->least, s->most);
    else
        printf(")");
}

static void print_setting(const mopd_setting *s)
{
    fputs(s->text, stdout);
    if (s->kind == MOPD_SETTING_CHOICE)
        print_choices(s);
    else if (s->kind == MOPD_SETTING_COUNT || s->kind == MOPD_SETTING_REAL)
        print_numbers(s);
    else if (s->kind == MOPD_SETTING_TEXT)
        printf(" (default: \"%s\")", s->preset_text);
}

/* The value that an option holds before the command line is read; nothing where the option says so by itself. */
static void print_default(const cli_option *o)
{
    const char *text = o->kind == CLI_TEXT ? *(const char **)o->value : NULL;
    if (text) printf(" (default: %s)", text);
    if (o->kind == CLI_UINT && *(uint64_t *)o->value)
        printf(" (default: %llu)", (unsigned long long)*(uint64_t *)o->value);
    if (o->kind == CLI_REAL && *(double *)o->value != 0) printf(" (default: %g)", *(double *)o->value);
    if (o->kind == CLI_LIST || o->kind == CLI_LIMIT) fputs(" (may be repeated)", stdout);
}

void cli_print_option(const cli_option *o)
{
    mopd_setting s;
    char left[64], letter[8] = "    ";
    if (o->letter) snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, o->name, o->arg ? " " : "", o->arg ? o->arg : "");
    printf("  %-32s ", left);
    if (o->help) {
        fputs(o->help, stdout);
        print_default(o);
    } else if (cli_setting(o->name, &s)) {
        print_setting(&s);
    }
    putchar('\n');
}
