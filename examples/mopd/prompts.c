/* SPDX-License-Identifier: MIT
 * prompts.c - class names and templates as the options of several subcommands give them. */
#include "cli.h"

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
    return -1;
}

int cli_prompts_templates(cli_prompts *prompts)
{
    size_t before = prompts->templates.n;
    if (prompts->template_file && !cli_list_file(&prompts->templates, prompts->template_file))
        return EXIT_FAILED;
    if (prompts->template_file && prompts->templates.n == before)
        return cli_fail("%s: no template in this file", prompts->template_file);
    if (!prompts->templates_for) return -1;
    const char *const *pool;
    size_t n;
    mopd_status st = mopd_templates_for(prompts->templates_for, &pool, &n);
    if (st != MOPD_OK) return cli_fail_status(st);
    for (size_t i = 0; i < n; i++) cli_list_add(&prompts->templates, pool[i]);
    return -1;
}

void cli_prompts_free(cli_prompts *prompts)
{
    cli_list_free(&prompts->templates);
    cli_list_free(&prompts->class_list);
}
