/* SPDX-License-Identifier: MIT
 * prompts.c - class names and templates as the options of several subcommands give them. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

/* The line of a file that holds its name number `index`; blank lines hold none. */
static size_t line_of(const char *path, size_t index)
{
    cli_list lines = {0};
    size_t line = 0, n = 0;
    cli_list_lines(&lines, path);
    while (line < lines.n && n <= index) n += *lines.item[line++] != 0;
    cli_list_free(&lines);
    return line;
}

/* Names that cannot stand beside each other: -1 when all can. */
static int check_classes(const cli_prompts *p)
{
    size_t same[2], n = p->class_list.n;
    if (mopd_classes_check((const char *const *)p->class_list.item, n, same) == MOPD_OK) return -1;
    const char *message = mopd_last_error();
    if (!p->class_file) return cli_fail("--classes: %s", message);
    char first;
    if (same[1] == n || !cli_file_head(p->class_file, &first, 1))
        return cli_fail("%s: %s", p->class_file, message);
    return cli_fail("%s: lines %zu and %zu: %s", p->class_file, line_of(p->class_file, same[0]),
        line_of(p->class_file, same[1]), message);
}

int cli_prompts_classes(cli_prompts *prompts, const char *command)
{
    if (prompts->classes && prompts->class_file)
        return cli_usage(command, "--classes and --class-file exclude each other");
    if (!prompts->classes && !prompts->class_file)
        return cli_usage(command, "no classes: give --classes \"a,b\" or --class-file FILE");
    if (prompts->classes)
        cli_list_split(&prompts->class_list, prompts->classes);
    else if (!cli_list_file(&prompts->class_list, prompts->class_file))
        return EXIT_FAILED;
    if (!prompts->class_list.n) return cli_fail("%s: no class in this file", prompts->class_file);
    return check_classes(prompts);
}

/* Each template says where the class name goes: -1, else what --template, or which line of the file, does not. */
static int check_templates(const cli_prompts *p, const char *file, size_t first)
{
    for (size_t i = first; i < p->templates.n; i++) {
        const char *text = p->templates.item[i];
        if (strstr(text, "{}")) continue;
        if (!file) return cli_fail("--template \"%s\" has no {} for the class name", text);
        return cli_fail(
            "%s: line %zu: \"%.40s\" has no {} for the class name", file, line_of(file, i - first), text);
    }
    return -1;
}

static int read_templates(cli_prompts *p)
{
    const char *file = p->template_file;
    int status = check_templates(p, NULL, 0);
    if (!file || status >= 0) return status;
    const size_t before = p->templates.n;
    if (!cli_list_file(&p->templates, file)) return EXIT_FAILED;
    if (p->templates.n == before) return cli_fail("%s: no template in this file", file);
    return check_templates(p, file, before);
}

int cli_prompts_templates(cli_prompts *prompts)
{
    int status = read_templates(prompts);
    if (status >= 0 || !prompts->templates_for) return status;
    const char *const *pool;
    size_t n;
    mopd_status st = mopd_templates_for(prompts->templates_for, &pool, &n);
    if (st != MOPD_OK) return cli_fail("--templates-for: %s", mopd_last_error());
    for (size_t i = 0; i < n; i++) cli_list_add(&prompts->templates, pool[i]);
    return -1;
}

void cli_prompts_free(cli_prompts *prompts)
{
    cli_list_free(&prompts->templates);
    cli_list_free(&prompts->class_list);
}
