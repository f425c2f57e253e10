/* SPDX-License-Identifier: MIT
 * cmd_models.c - `mopd models`: which published models open, and what each costs.  The same table stands in
 * docs/models.md; tests/cli/test_models.c holds them against each other.
 *
 *     multiply-adds   of one picture and of one text of full length, as this library computes them
 *     memory          the weights in f32
 *     ImageNet        zero-shot accuracy in percent, from open_clip's docs/openclip_results.csv and,
 *                     of SigLIP 2 and PE, the pages of their makers; 0: not there */
#include "cli.h"

#include <stdlib.h>

#define SOURCE                                                                                               \
    "open_clip, docs/openclip_results.csv (commit 0a1cc15); SigLIP 2: big_vision's page of it (commit "      \
    "1659d42); PE: perception_models' page of it (commit 3e352cc); MobileCLIP2: Apple's ml-mobileclip, "     \
    "results "                                                                                               \
    "(commit e15d36e)"

static const struct {
    const char *model, *weights, *layouts;
    long parameters;
    int dim, side;
    double picture, text; /* 1e9 multiply-adds */
    int megabytes;
    double imagenet;
    const char *licence;
} models[] = {
    /* clang-format off */
    {"built-in", "this project", "packed", 9886986, 512, 224, 0.4, 0.05, 40, 0, "MIT; image tower see README"},
    {"ViT-B/32", "OpenAI", ".pt, huggingface, open_clip", 151277313, 512, 224, 4.4, 2.9, 605, 63.3, "MIT"},
    {"ViT-B/32", "LAION-2B", "open_clip, huggingface", 151277313, 512, 224, 4.4, 2.9, 605, 66.6, "MIT"},
    {"ViT-B/32", "DataComp-XL", "open_clip", 151277313, 512, 224, 4.4, 2.9, 605, 69.2, "MIT"},
    {"ViT-B/32 at 256", "DataComp", "open_clip", 151288833, 512, 256, 5.7, 2.9, 605, 72.8, "MIT"},
    {"ViT-B/16", "OpenAI", ".pt, huggingface, open_clip", 149620737, 512, 224, 17.6, 2.9, 598, 68.3, "MIT"},
    {"ViT-B/16", "LAION-2B", "open_clip, huggingface", 149620737, 512, 224, 17.6, 2.9, 598, 70.2, "MIT"},
    {"ViT-B/16", "DataComp-XL", "open_clip", 149620737, 512, 224, 17.6, 2.9, 598, 73.5, "MIT"},
    {"ViT-L/14", "OpenAI", ".pt, huggingface, open_clip", 427616513, 768, 224, 81.0, 6.6, 1710, 75.5, "MIT"},
    {"ViT-L/14", "LAION-2B", "open_clip, huggingface", 427616513, 768, 224, 81.0, 6.6, 1710, 75.3, "MIT"},
    {"ViT-L/14", "DataComp-XL", "open_clip", 427616513, 768, 224, 81.0, 6.6, 1710, 79.2, "MIT"},
    {"ViT-L/14 at 336", "OpenAI", ".pt, huggingface, open_clip", 427944193, 768, 336, 191.0, 6.6, 1712, 76.6, "MIT"},
    {"ViT-H/14", "LAION-2B", "open_clip, huggingface", 986109441, 1024, 224, 167.3, 23.4, 3944, 78.0, "MIT"},
    {"RN50", "OpenAI", ".pt, open_clip", 102060385, 1024, 224, 5.4, 2.9, 408, 59.8, "MIT"},
    {"RN101", "OpenAI", ".pt, open_clip", 119793505, 512, 224, 9.1, 2.9, 479, 62.3, "MIT"},
    {"RN50x4", "OpenAI", ".pt, open_clip", 178410361, 640, 288, 19.5, 4.6, 714, 66.3, "MIT"},
    {"RN50x16", "OpenAI", ".pt, open_clip", 291173137, 768, 384, 70.2, 6.6, 1165, 70.7, "MIT"},
    {"RN50x64", "OpenAI", ".pt, open_clip", 623668929, 1024, 448, 253.7, 11.7, 2495, 73.9, "MIT"},
    {"MobileCLIP2-S0", "Apple", "open_clip", 74885761, 512, 256, 2.4, 2.9, 300, 71.5, "Apple; research only"},
    {"MobileCLIP2-S2", "Apple", "open_clip", 99367809, 512, 256, 7.8, 2.9, 397, 77.2, "Apple; research only"},
    {"MobileCLIP2-B", "Apple", "open_clip", 149777921, 512, 224, 17.7, 2.9, 599, 79.4, "Apple; research only"},
    {"MobileCLIP2-S3", "Apple", "open_clip", 249051457, 768, 256, 14.8, 6.6, 996, 80.7, "Apple; research only"},
    {"MobileCLIP2-S4", "Apple", "open_clip", 445664001, 768, 256, 27.8, 6.6, 1783, 81.9, "Apple; research only"},
    {"MobileCLIP2-L/14", "Apple", "open_clip", 427617281, 768, 224, 81.0, 6.6, 1710, 81.9, "Apple; research only"},
    {"SigLIP B/16", "WebLI", "huggingface, open_clip", 203155970, 768, 224, 17.5, 5.5, 813, 0, "Apache-2.0"},
    {"SigLIP B/16 at 384", "WebLI", "huggingface, open_clip", 203447810, 768, 384, 55.4, 5.5, 814, 0, "Apache-2.0"},
    {"SigLIP L/16 at 256", "WebLI", "huggingface, open_clip", 652150786, 1024, 256, 80.8, 19.5, 2609, 0, "Apache-2.0"},
    {"SigLIP So400m/14 at 384", "WebLI", "huggingface, open_clip", 877960498, 1152, 384, 333.3, 26.6, 3512, 0, "Apache-2.0"},
    {"SigLIP 2 B/32 at 256", "WebLI", "huggingface, open_clip", 376856066, 768, 256, 5.7, 5.5, 1507, 74.0, "Apache-2.0"},
    {"SigLIP 2 B/16", "WebLI", "huggingface, open_clip", 375187970, 768, 224, 17.5, 5.5, 1501, 78.2, "Apache-2.0"},
    {"SigLIP 2 B/16 at 256", "WebLI", "huggingface, open_clip", 375234050, 768, 256, 23.1, 5.5, 1501, 79.1, "Apache-2.0"},
    {"SigLIP 2 B/16 at 384", "WebLI", "huggingface, open_clip", 375479810, 768, 384, 55.4, 5.5, 1502, 80.6, "Apache-2.0"},
    {"SigLIP 2 L/16 at 256", "WebLI", "huggingface, open_clip", 881526786, 1024, 256, 80.8, 19.5, 3526, 82.5, "Apache-2.0"},
    {"SigLIP 2 So400m/14", "WebLI", "huggingface, open_clip", 1135463602, 1152, 224, 109.5, 26.6, 4542, 83.2, "Apache-2.0"},
    {"SigLIP 2 So400m/14 at 384", "WebLI", "huggingface, open_clip", 1136008498, 1152, 384, 333.3, 26.6, 4544, 84.1, "Apache-2.0"},
    {"PE-Core T/16 at 384", "Meta", "open_clip", 69546113, 512, 384, 4.7, 1.2, 278, 62.1, "Apache-2.0"},
    {"PE-Core S/16 at 384", "Meta", "open_clip", 87188225, 512, 384, 15.5, 1.2, 349, 72.7, "Apache-2.0"},
    {"PE-Core B/16", "Meta", "open_clip", 447660545, 1024, 224, 17.6, 9.7, 1791, 78.4, "Apache-2.0"},
    {"PE-Core L/14 at 336", "Meta", "open_clip", 671138817, 1024, 336, 191.0, 9.7, 2685, 83.5, "Apache-2.0"},
    /* clang-format on */
};
#define N_MODELS (sizeof models / sizeof *models)

static void print_json(void)
{
    json_t *list = json_array();
    for (size_t i = 0; i < N_MODELS; i++) {
        json_t *m = json_pack("{s:s, s:s, s:s, s:I, s:i, s:i, s:f, s:f, s:i, s:s}", "model", models[i].model,
            "weights", models[i].weights, "layouts", models[i].layouts, "parameters",
            (json_int_t)models[i].parameters, "dim", models[i].dim, "image_size", models[i].side,
            "picture_gmac", models[i].picture, "text_gmac", models[i].text, "memory_mb", models[i].megabytes,
            "licence", models[i].licence);
        json_object_set_new(
            m, "imagenet", models[i].imagenet > 0 ? json_real(models[i].imagenet) : json_null());
        json_array_append_new(list, m);
    }
    cli_print_json(json_pack("{s:s, s:o}", "imagenet_source", SOURCE, "models", list));
}

static void print_csv(void)
{
    fputs("model,weights,layouts,parameters,dim,image_size,picture_gmac,text_gmac,memory_mb,imagenet,"
          "licence\r\n",
        stdout);
    for (size_t i = 0; i < N_MODELS; i++) {
        char numbers[160], imagenet[16] = "";
        if (models[i].imagenet > 0) snprintf(imagenet, sizeof imagenet, "%.1f", models[i].imagenet);
        snprintf(numbers, sizeof numbers, "%ld,%d,%d,%g,%g,%d,%s,", models[i].parameters, models[i].dim,
            models[i].side, models[i].picture, models[i].text, models[i].megabytes, imagenet);
        cli_csv_field(models[i].model, false);
        cli_csv_field(models[i].weights, false);
        cli_csv_field(models[i].layouts, false);
        fputs(numbers, stdout);
        cli_csv_field(models[i].licence, true);
    }
}

static void print_table(void)
{
    static const char *const heads[] = {"model", "weights", "opens from", "parameters", "feature", "picture",
        "G a picture", "G a text", "MB in f32", "ImageNet", "licence"};
    cli_table *t = cli_table_new(sizeof heads / sizeof *heads, heads);
    for (size_t i = 0; i < N_MODELS; i++) {
        cli_table_cell(t, "%s", models[i].model);
        cli_table_cell(t, "%s", models[i].weights);
        cli_table_cell(t, "%s", models[i].layouts);
        cli_table_cell(t, "%ld", models[i].parameters);
        cli_table_cell(t, "%d", models[i].dim);
        cli_table_cell(t, "%d", models[i].side);
        cli_table_cell(t, "%g", models[i].picture);
        cli_table_cell(t, "%g", models[i].text);
        cli_table_cell(t, "%d", models[i].megabytes);
        if (models[i].imagenet > 0)
            cli_table_cell(t, "%.1f", models[i].imagenet);
        else
            cli_table_cell(t, "%s", "");
        cli_table_cell(t, "%s", models[i].licence);
    }
    cli_table_print_free(t);
    puts("\nG: 1e9 multiply-adds; a text of full length.  ImageNet: zero-shot accuracy in percent, "
         "from " SOURCE ".\n"
         "Fine-tuned models of the same shapes open as well.  Nothing is fetched: docs/models.md says which "
         "files to put where.");
}

int cmd_models(int argc, char **argv)
{
    static const cli_command command = {"models", "",
        "Lists published models that open, and what each costs.",
        "  mopd models\n  mopd models --format csv\n"};
    cli_common common;
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &common, NULL, argc, argv, &rest, &n_rest);
    if (status >= 0) return status;
    if (n_rest) return cli_usage(command.name, "unexpected argument '%s'", rest[0]);
    if (cli_is_json(&common))
        print_json();
    else if (cli_is_csv(&common))
        print_csv();
    else
        print_table();
    return cli_flush() ? EXIT_DONE : EXIT_FAILED;
}
