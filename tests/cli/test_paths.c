/* SPDX-License-Identifier: MIT
 * test_paths.c - what the paths of a command line must be: nothing is written over what is read, over a picture or over
 * another output, and an empty path is told with its option. */
#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#endif
#include <sys/stat.h>
#include <unistd.h>

#include "support/labelled.h"

static void no_path_is_empty(void **state)
{
    (void)state;
    static const struct {
        const char *line, *option;
    } cases[] = {{"fit --data= -o x", "--data ''"}, {"fit -d d --output=", "--output ''"},
        {"fit -d d --names= -o x", "--names ''"}, {"eval -d d --recognizer=", "--recognizer ''"},
        {"eval -d d --prompt=", "--prompt ''"}, {"train -d d -o x --report=", "--report ''"},
        {"classify --classes a,b --model= x.png", "--model ''"}, {"search -d d --image=", "--image ''"},
        {"classify --class-file= x.png", "--class-file ''"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_result r = run_mopd(NULL, cases[i].line);
        assert_one_error(&r, 2, cases[i].option, "a path is needed");
    }
    run_result r = run_mopd(NULL, "classify -m @ --classes a,b @", tiny_model(1), "");
    assert_one_error(&r, 1, "the path of the file to read is empty", "");
}

static void inputs_are_not_written_over(void **state)
{
    (void)state;
    const char *store = test_path("in.safetensors"), *linked = test_path("linked.safetensors");
    assert_run(run_mopd(NULL, "features -m @ -d @ -o @ -q", tiny_model(1), labelled_data("apart"), store), 0);
    assert_int_equal(link(store, linked), 0);
    static const char *const lines[] = {"fit -m @ -d @ -o @", "train -m @ -d @ -o @",
        "train -m @ -d @ -o p --checkpoint @", "train -m @ -d @ -o p --report @", "features -m @ -d @ -o @",
        "doctor -m @ -d @ --fix @", "encode -m @ -d @ -o @"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        run_result r = run_mopd(NULL, lines[i], tiny_model(1), store, linked);
        assert_one_error(
            &r, 1, "linked.safetensors: would be written over what --data reads", "another name");
    }
    assert_run(run_mopd(NULL, "eval -m @ -d @", tiny_model(1), store), 0);
    run_result r = run_mopd(NULL, "pack -m @ -o @", store, store);
    assert_one_error(&r, 1, "--output", "what --model reads");
    r = run_mopd(NULL, "train -m @ -d @ -o @ --report @", tiny_model(1), store, "p", "p");
    assert_one_error(&r, 1, "p: both --output and --report", "would be written there");
}

static void pictures_are_not_written_over(void **state)
{
    (void)state;
    const char *picture = test_png("mine.png", 9, 12, 1);
    run_result r = run_mopd(NULL, "preprocess -m @ @ -o @", tiny_model(1), picture, picture);
    assert_one_error(&r, 1, "--output", "is a picture by its name");
    r = run_mopd(NULL, "fit -m @ -d d -o @", tiny_model(1), picture);
    assert_one_error(&r, 1, "mine.png: is a picture by its name", "nothing is written over it");
    const char *odd = test_path("odd");
    assert_int_equal(rename(picture, odd), 0); /* a picture that has no picture's name */
    r = run_mopd(NULL, "preprocess -m @ @ -o @", tiny_model(1), odd, odd);
    assert_one_error(&r, 1, "would be written over", "which is read");
    r = run_mopd(NULL, "encode -m @ --image @ -o @", tiny_model(1), odd, odd);
    assert_one_error(&r, 1, "would be written over", "which is read");
    r = run_mopd(NULL, "preprocess -m @ @ -o @", tiny_model(1), odd, test_path("new.png"));
    assert_run(r, 0); /* a name is no matter where nothing is lost */
}

static void a_training_goes_on_in_its_checkpoint(void **state)
{
    (void)state;
    const char *data = labelled_data("on"), *checkpoint = test_path("run.safetensors"),
               *prompt = test_path("p.safetensors");
    run_result r = run_mopd(NULL, "train -m @ -d @ --template {} --epochs 1 --checkpoint @ -o @ -q",
        tiny_model(1), data, checkpoint, prompt);
    assert_run(r, 0);
    r = run_mopd(NULL, "train -m @ -d @ --template {} --epochs 1 --resume @ --checkpoint @ -o @ -q",
        tiny_model(1), data, checkpoint, checkpoint, prompt);
    assert_run(r, 0);
    r = run_mopd(NULL, "train -m @ -d @ --template {} --epochs 1 --resume @ -o @ -q", tiny_model(1), data,
        checkpoint, checkpoint);
    assert_one_error(&r, 1, "--output", "what --resume reads");
}

static void what_belongs_to_data_goes_with_data(void **state)
{
    (void)state;
    run_result r = run_mopd(NULL, "classify --classes a,b --names n.csv x.png");
    assert_one_error(&r, 2, "--names goes with -d", "classify");
    r = run_mopd(NULL, "classify --classes a,b --pictures p x.png");
    assert_one_error(&r, 2, "--pictures goes with -d", "classify");
    r = run_mopd(NULL, "fit -d @ --pictures @ -o x", labelled_data("at"), test_path("absent"));
    assert_one_error(&r, 1, "--pictures", "No such file");
    r = run_mopd(NULL, "fit -d @ --pictures @ -o x", test_path("at"), test_text("file", ""));
    assert_one_error(&r, 1, "--pictures", "is no folder");
    r = run_mopd(NULL, "encode --text a --names n.csv -o x.npy");
    assert_one_error(&r, 2, "--names goes with -d", "encode");
    r = run_mopd(NULL, "features -d @ --names @ -o x", test_path("at"), test_text("no-names", ""));
    assert_one_error(&r, 1, "no-names", "is empty");
    assert_null(strstr(r.err, "--unlabelled")); /* which has no use for names */
    r = run_mopd(NULL, "search photos.safetensors --text x");
    assert_one_error(&r, 2, "unexpected argument 'photos.safetensors'", "data is named by -d");
    r = run_mopd(NULL, "search -d d --text a boat");
    assert_one_error(&r, 2, "unexpected argument 'boat'", "stand in quotes");
}

/* On Windows each would lead to a device, or to a file that nobody finds again. */
static void outputs_have_names_of_files(void **state)
{
    (void)state;
    static const char *const names[] = {
        "aux.npy", "nul.json", "CON .npy", "out.", "out ", "out.npy:x", "a?b"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = test_path(names[i]);
        run_result r = run_mopd(NULL, "encode -m @ --text a -o @", tiny_model(1), path);
#ifdef _WIN32
        assert_one_error(&r, 1, path, "Windows");
#else
        struct stat info;
        assert_run(r, 0);
        assert_int_equal(stat(path, &info), 0);
#endif
    }
}

/* Quotes and backslashes are parts of a text. */
static void words_of_a_command_line_are_taken_as_they_are(void **state)
{
    (void)state;
    static const char *const texts[] = {"a \"cat\"", "a\\b\\", "\\\\\"x\\\\ y\\", "'%PATH%' ^&|", "*.* ?"};
    char want[4096];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        run_result r =
            run_mopd(NULL, "tokenize -m @ --text-file @", tiny_model(1), test_text("one.txt", texts[i]));
        assert_run(r, 0);
        snprintf(want, sizeof want, "%s", r.out);
        r = run_mopd(NULL, "tokenize -m @ @", tiny_model(1), texts[i]);
        assert_run(r, 0);
        assert_string_equal(r.out, want);
    }
}

#ifdef _WIN32
static void a_file_that_another_program_holds_is_told(void **state)
{
    (void)state;
    wchar_t wide[1024];
    const char *path = test_text("held.txt", "a cat\n");
    assert_true(MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, 1024) > 0);
    HANDLE other = CreateFileW(wide, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(other != INVALID_HANDLE_VALUE);
    run_result r = run_mopd(NULL, "tokenize -m @ --text-file @", tiny_model(1), path);
    CloseHandle(other);
    assert_one_error(&r, 1, "held.txt: cannot open", "another program has the file open");
}

/* What is printed into a file is gathered in a scratch file. */
static void a_missing_folder_for_scratch_files_is_told(void **state)
{
    (void)state;
    const char *data = labelled_data("scratch"), *list = test_path("fixed.csv");
    wchar_t before[1024] = L"";
    GetEnvironmentVariableW(L"TMP", before, 1024);
    SetEnvironmentVariableW(L"TMP", L"C:\\no such folder");
    run_result r = run_mopd(NULL, "doctor -m @ -d @ --fix @", tiny_model(1), data, list);
    SetEnvironmentVariableW(L"TMP", *before ? before : NULL);
    assert_one_error(&r, 1, "fixed.csv: no room to prepare it", "Not a directory");
}

/* Lists are opened by the command.  scripts/test.sh makes the share; wine 8 does not write into so long folders. */
static void paths_of_shares_may_be_long(void **state)
{
    (void)state;
    static const wchar_t share[] = L"\\\\?\\UNC\\mopd\\share\\";
    wchar_t folder[512];
    char list[1024];
    swprintf(folder, 512, L"%ls%0120d", share, 1);
    if (!CreateDirectoryW(folder, NULL) && GetLastError() != ERROR_ALREADY_EXISTS) skip();
    swprintf(folder, 512, L"%ls%0120d\\%0120d", share, 1, 2);
    assert_true(CreateDirectoryW(folder, NULL) || GetLastError() == ERROR_ALREADY_EXISTS);
    snprintf(list, sizeof list, "//mopd/share/%0120d/%0120d/list.txt", 1, 2);
    wcscat(folder, L"\\list.txt");
    assert_true(CopyFileW(L"C:\\windows\\win.ini", folder, FALSE));
    run_result r =
        run_mopd(NULL, "encode -m @ --text-file @ -o @", tiny_model(1), list, test_path("share.npy"));
    assert_run(r, 0);
    r = run_mopd(NULL, "encode -m @ --text-file @ -o @", tiny_model(1), list, list);
    assert_one_error(&r, 1, "list.txt: would be written over", "what --text-file reads");
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_path_is_empty),
        cmocka_unit_test(inputs_are_not_written_over),
        cmocka_unit_test(pictures_are_not_written_over),
        cmocka_unit_test(a_training_goes_on_in_its_checkpoint),
        cmocka_unit_test(what_belongs_to_data_goes_with_data),
        cmocka_unit_test(outputs_have_names_of_files),
        cmocka_unit_test(words_of_a_command_line_are_taken_as_they_are),
#ifdef _WIN32
        cmocka_unit_test(a_file_that_another_program_holds_is_told),
        cmocka_unit_test(a_missing_folder_for_scratch_files_is_told),
        cmocka_unit_test(paths_of_shares_may_be_long),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
