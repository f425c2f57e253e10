/* SPDX-License-Identifier: MIT
 * main.c - `mopd SUBCOMMAND`: the table of subcommands. */
#include "cli.h"

#include <string.h>

#include "sys.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"classify", cmd_classify, "tell which of your classes each picture shows"},
    {"fit", cmd_fit, "a recogniser from a few pictures a class, in a second"},
    {"doctor", cmd_doctor, "what is wrong with labelled pictures: wrong labels, copies and more"},
    {"suggest", cmd_suggest, "which pictures of a pool to label next"},
    {"train", cmd_train, "learn prompts from a few pictures a class"},
    {"eval", cmd_eval, "accuracy on a data set, zero-shot or with learned prompts"},
    {"bench-new", cmd_bench_new, "the base-to-new protocol, several methods side by side"},
    {"bench-shots", cmd_bench_shots, "all methods on all classes, with few and more pictures"},
    {"features", cmd_features, "encode a data set once into a feature store"},
    {"search", cmd_search, "find the pictures of a store that are like a text or a picture"},
    {"encode", cmd_encode, "features of pictures or texts as a .npy file"},
    {"preprocess", cmd_preprocess, "the tensor that the vision tower sees as a .npy file"},
    {"tokenize", cmd_tokenize, "token ids of texts"},
    {"inspect", cmd_inspect, "what a model, prompt file, checkpoint or store holds"},
    {"models", cmd_models, "published models that open, and what each costs"},
    {"pack", cmd_pack, "a model as one mappable file"},
    {"bench", cmd_bench, "speed, load time and memory on this machine"},
};

enum { N_COMMANDS = sizeof commands / sizeof *commands };

static void print_help(void)
{
    puts("Usage: mopd SUBCOMMAND [options]\n\n"
         "Few-shot prompt learning and zero-shot classification with CLIP.\n\nSubcommands:");
    for (size_t i = 0; i < N_COMMANDS; i++) printf("  %-11s %s\n", commands[i].name, commands[i].summary);
    puts("\n'mopd SUBCOMMAND --help' tells each one's options; 'mopd --version' what this is.\n\n"
         "Examples:\n"
         "  mopd classify --classes \"cat,dog,bicycle\" photo.jpg\n"
         "  mopd fit -d pictures/ -o birds.safetensors\n"
         "  mopd classify -r birds.safetensors --none garden/");
}

static int unknown(const char *name)
{
    const char *known[N_COMMANDS];
    for (size_t i = 0; i < N_COMMANDS; i++) known[i] = commands[i].name;
    return cli_usage("", "unknown subcommand '%s'%s", name, cli_hint("", name, known, N_COMMANDS));
}

int main(int argc, char **argv)
{
    sys_arguments(&argc, &argv);
    cli_catch_interrupt();
    if (argc < 2) return cli_usage("", "no subcommand");
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_help();
        return cli_flush() ? EXIT_DONE : EXIT_FAILED;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("mopd %s\n%s\n", mopd_version_string(), mopd_build_info());
        return cli_flush() ? EXIT_DONE : EXIT_FAILED;
    }
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) != 0) continue;
        const int status = commands[i].run(argc - 1, argv + 1);
        return status == EXIT_DONE && cli_remarks_left_out() ? EXIT_FAILED : status;
    }
    return unknown(argv[1]);
}
