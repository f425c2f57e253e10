/* SPDX-License-Identifier: MIT
 * paths.c - what the paths of a command line must be, told before anything is read: nothing is written over what is
 * read, and nothing over a picture. */
#include "cli.h"

#include <string.h>

#include "sys.h"

static const char *path_of(const cli_option *o)
{
    return o->kind == CLI_IN || o->kind == CLI_OUT ? *(const char **)o->value : NULL;
}

/* Devices, pipes and folders are nobody's work; what is not there yet is told by its name. */
static bool same_file(const char *a, const char *b)
{
    if (!strcmp(a, b)) return strncmp(a, "/dev/", 5) != 0 && sys_kind_of(a) <= SYS_FILE;
    return sys_same(a, b);
}

int cli_check_apart(const char *option, const char *written, const char *path)
{
    if (!same_file(written, path)) return -1;
    return cli_fail(
        "--%s %s: would be written over %s, which is read: give it another name", option, written, path);
}

/* A training goes on in the checkpoint that it came from. */
static bool may_be_one(const cli_option *out, const cli_option *in)
{
    return !strcmp(out->name, "checkpoint") && !strcmp(in->name, "resume");
}

static int check_pair(const cli_option *out, const cli_option *other)
{
    const char *written = path_of(out), *path = path_of(other);
    if (!path || out == other || may_be_one(out, other) || !same_file(written, path)) return -1;
    if (other->kind == CLI_OUT)
        return cli_fail("%s: both --%s and --%s would be written there", written, out->name, other->name);
    return cli_fail("--%s %s: would be written over what --%s reads: give it another name", out->name,
        written, other->name);
}

static int check_written(const cli_option *out, const cli_option *all, size_t n)
{
    const char *path = path_of(out);
    if (mopd_image_takes(path) && sys_kind_of(path) == SYS_FILE)
        return cli_fail("--%s %s: is a picture by its name: nothing is written over it", out->name, path);
    int status = -1;
    for (size_t i = 0; i < n && status < 0; i++) status = check_pair(out, all + i);
    return status;
}

int cli_check_paths(const char *command, const cli_option *options, size_t n)
{
    int status = -1;
    for (size_t i = 0; i < n && status < 0; i++) {
        const char *path = path_of(options + i);
        if (path && !*path)
            status = cli_usage(command, "--%s '': a path is needed, this one is empty", options[i].name);
        else if (path && options[i].kind == CLI_OUT)
            status = check_written(options + i, options, n);
    }
    return status;
}

int cli_no_arguments(const char *command, char **rest, size_t n_rest, const char *data)
{
    if (!n_rest) return -1;
    return cli_usage(command, "unexpected argument '%s'%s", rest[0],
        data ? ": texts of several words stand in quotes" : ": data is named by -d");
}
