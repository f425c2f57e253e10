/* SPDX-License-Identifier: MIT
 * cmd_encode.c - mopd encode: features of pictures or texts as a .npy file, n x D float32, rows of length 1; of
 * pictures, a list that says which row is which. */
#include "pictures.h"

#include <stdlib.h>
#include <string.h>

#include "sys.h"

static const cli_command command = {"encode",
    "(--image FILE... | -d STORE | --text TEXT... | --text-file F) -o OUT.npy",
    "Writes features of pictures or texts, n x D float32, rows of length 1.  Of pictures it also writes "
    "OUT.paths.csv,\n"
    "whose line below the header is the path of the first row, and so on.",
    "  mopd encode --image a.jpg b.png -o images.npy\n"
    "  mopd encode --image photos/ --skip-bad -o photos.npy\n"
    "  mopd encode -d photos.safetensors -o photos.npy\n"
    "  mopd encode --text \"a photo of a cat.\" \"a photo of a dog.\" -o texts.npy\n"};

typedef struct job {
    cli_common common;
    cli_data data;
    cli_pictures pictures;
    cli_list texts;
    const char *text_file, *out;
    float *features; /* n x dim */
    size_t n, dim;
    char **path; /* n: the rows' pictures, owned by `pictures` */
    mopd_status failed;
    cli_progress progress;
} job;

static int encoded(void *context, size_t index, mopd_status status, const char *message, const float *feature)
{
    job *j = context;
    if (status != MOPD_OK) {
        cli_progress_end(&j->progress);
        if (!j->data.skip_bad) {
            cli_fail("%s; --skip-bad leaves it out", message);
            j->failed = status;
            return 1;
        }
        cli_skipped(message);
        j->data.n_bad++;
    } else {
        cli_remarks_file(j->pictures.files.item[index], message);
        j->path[j->n] = j->pictures.files.item[index];
        memcpy(j->features + j->n++ * j->dim, feature, j->dim * sizeof *feature);
    }
    cli_progress_update(&j->progress, index + 1);
    return cli_interrupted();
}

static int encode_pictures(job *j, const mopd_encoder *encoder)
{
    int status = cli_pictures_ready(&j->pictures, &j->data, encoder, &j->common);
    if (status >= 0) return status;
    const size_t n = j->pictures.files.n;
    j->features = cli_alloc(n * j->dim, sizeof *j->features);
    j->path = cli_alloc(n, sizeof *j->path);
    cli_progress_start(&j->progress, &j->common, "encode", n);
    mopd_status st = cli_pictures_each(&j->pictures, encoder, encoded, j);
    cli_progress_end(&j->progress);
    if (j->failed) return EXIT_FAILED;
    if (st != MOPD_OK) return cli_fail_status(st);
    if (!j->n) return cli_fail("none of the %zu pictures can be read", n);
    if (!j->pictures.data && j->data.n_bad)
        cli_note(&j->common, "%zu unreadable pictures left out", j->data.n_bad);
    return -1;
}

static int encode_texts(job *j, const mopd_encoder *encoder)
{
    j->n = j->texts.n;
    j->features = cli_alloc(j->n * j->dim, sizeof *j->features);
    cli_interrupt_ends(true);
    mopd_status st =
        mopd_encoder_encode_texts(encoder, (const char *const *)j->texts.item, j->texts.n, j->features);
    cli_interrupt_ends(false);
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}

/* "images.paths.csv" for "images.npy"; NULL for a pipe or device.  To be freed. */
static char *list_path(const char *out)
{
    static const char ending[] = ".paths.csv";
    if (!strncmp(out, "/dev/", 5) || sys_kind_of(out) > SYS_FILE) return NULL;
    size_t n = strlen(out);
    if (n > 4 && !strcmp(out + n - 4, ".npy")) n -= 4;
    char *path = cli_alloc(n + sizeof ending, 1);
    memcpy(path, out, n);
    memcpy(path + n, ending, sizeof ending);
    return path;
}

static void put_field(FILE *f, const char *text)
{
    const bool quoted = strpbrk(text, ",\"\r\n") != NULL;
    if (quoted) fputc('"', f);
    for (; *text; text++) {
        if (*text == '"') fputc('"', f);
        fputc(*text, f);
    }
    fputs(quoted ? "\"\n" : "\n", f);
}

/* The pictures of the rows, as a list that -d takes too. */
static void write_rows(FILE *f, const void *context)
{
    const job *j = context;
    fputs("path\n", f);
    for (size_t i = 0; i < j->n; i++) put_field(f, j->path[i]);
}

static int report(const job *j, const char *list)
{
    if (cli_is_json(&j->common)) {
        json_t *document = json_pack("{s:o, s:I, s:I}", "path", cli_json_text(j->out), "n", (json_int_t)j->n,
            "dim", (json_int_t)j->dim);
        if (list) json_object_set_new(document, "paths", cli_json_text(list));
        if (j->path) json_object_set_new(document, "skipped", json_integer((json_int_t)j->data.n_bad));
        cli_print_json(document);
    } else if (!j->common.quiet) {
        printf("%s: %zu x %zu%s%s\n", cli_shown(j->out), j->n, j->dim,
            list ? "; the rows' pictures are in " : "", list ? cli_shown(list) : "");
    }
    return cli_flush() ? EXIT_DONE : EXIT_FAILED;
}

static int save(const job *j)
{
    const size_t shape[2] = {j->n, j->dim};
    mopd_status st = mopd_array_save(j->out, j->features, shape, 2);
    if (st != MOPD_OK) return cli_fail_status(st);
    char *list = j->path ? list_path(j->out) : NULL;
    int status = list ? cli_write_file(list, write_rows, j) : -1;
    if (status < 0) status = report(j, list);
    free(list);
    return status;
}

static int run(job *j)
{
    mopd_encoder *encoder;
    if (cli_check_writable(j->out) >= 0) return EXIT_FAILED;
    int status = cli_open_encoder(&encoder, &j->common, 0);
    if (status >= 0) return status;
    mopd_encoder_info info = {.struct_size = sizeof info};
    mopd_encoder_get_info(encoder, &info);
    j->dim = info.dim;
    status = j->texts.n ? encode_texts(j, encoder) : encode_pictures(j, encoder);
    if (status < 0) status = save(j);
    mopd_encoder_close(encoder);
    return status;
}

/* The lines of a file, one text each, so that row i is line i.  Blank lines at the end are none. */
static int read_texts(job *j)
{
    if (!cli_list_lines(&j->texts, j->text_file)) return EXIT_FAILED;
    const size_t n_lines = j->texts.n;
    while (j->texts.n && !*j->texts.item[j->texts.n - 1]) free(j->texts.item[--j->texts.n]);
    if (!j->texts.n) return cli_fail("%s: no texts", j->text_file);
    if (j->texts.n < n_lines)
        cli_note(&j->common, "%s: %zu blank lines at the end left out", j->text_file, n_lines - j->texts.n);
    size_t n_blank = 0, first = 0;
    for (size_t i = 0; i < j->texts.n; i++) {
        if (!*j->texts.item[i] && !n_blank++) first = i + 1;
    }
    if (n_blank)
        cli_note(&j->common,
            "%s: %zu blank lines, the first is line %zu; each has its row, that of the empty text",
            j->text_file, n_blank, first);
    return -1;
}

/* What is to be encoded: one kind of thing. */
static int read_arguments(job *j, cli_list *images, char **rest, size_t n_rest)
{
    const int kinds = (images->n > 0) + (j->texts.n > 0) + (j->text_file != NULL) + (j->data.path != NULL);
    if (kinds != 1) return cli_usage(command.name, "give one of --image, -d, --text, --text-file");
    if (!j->out) return cli_usage(command.name, "no -o OUT.npy");
    if (!j->data.path && (j->data.names || j->data.pictures))
        return cli_usage(command.name, "--%s goes with -d DATA", j->data.names ? "names" : "pictures");
    if (n_rest && (j->text_file || j->data.path))
        return cli_usage(command.name, "'%s' is left over", rest[0]);
    for (size_t i = 0; i < n_rest; i++) cli_list_add(images->n ? images : &j->texts, rest[i]);
    for (size_t i = 0; i < images->n; i++) {
        if (cli_check_apart("output", j->out, images->item[i]) >= 0) return EXIT_FAILED;
    }
    if (j->text_file) return read_texts(j);
    return j->texts.n ? -1 : cli_pictures_open(&j->pictures, &j->data, images->item, images->n, command.name);
}

int cmd_encode(int argc, char **argv)
{
    job j = {.failed = MOPD_OK};
    cli_list images = {0};
    const cli_option options[] = {
        {"image", 0, CLI_LIST, &images, "FILE", "picture or folder; those that follow belong to it", NULL},
        CLI_DATA_OPTIONS(j.data),
        {"text", 0, CLI_LIST, &j.texts, "TEXT", "text; those that follow belong to it", NULL},
        {"text-file", 0, CLI_IN, &j.text_file, "FILE", "texts, one a line", NULL},
        {"output", 'o', CLI_OUT, &j.out, "OUT.npy", "where to write", NULL},
        {0},
    };
    char **rest;
    size_t n_rest;
    int status = cli_parse(&command, &j.common, options, argc, argv, &rest, &n_rest);
    if (status < 0) status = read_arguments(&j, &images, rest, n_rest);
    if (status < 0) status = run(&j);
    free(j.features);
    free(j.path);
    cli_pictures_close(&j.pictures);
    cli_list_free(&images);
    cli_list_free(&j.texts);
    return status;
}
