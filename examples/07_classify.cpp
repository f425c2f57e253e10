/* SPDX-License-Identifier: MIT
 * 07_classify.cpp - the first lesson again, from C++: no handle to free, no status to read.
 *
 *     07_classify "cat,dog,cup of coffee" one.jpg two.png ...
 *
 * mopd.hpp is headers alone.  Objects free themselves, lists of texts are ordinary containers, failures are
 * exceptions; a picture that cannot be read is no reason to stop, so it comes to the callback as a status. */
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include <mopd/mopd.hpp>

static std::vector<std::string> split(const std::string &list)
{
    std::vector<std::string> parts;
    std::istringstream in(list);
    for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
    return parts;
}

int main(int argc, char **argv)
{
    if (argc < 3) return std::fprintf(stderr, "usage: %s CLASS,CLASS... PICTURE...\n", argv[0]), 2;
    try {
        const std::vector<const char *> paths(argv + 2, argv + argc);
        const mopd::Encoder encoder; /* the built-in model; mopd::Encoder("folder") opens another */
        const mopd::Bank bank(encoder, split(argv[1]));
        std::size_t n_bad = 0;
        encoder.files(paths,
            [&](std::size_t i, mopd_status status, const char *message, mopd::span<const float> feature) {
                if (status != MOPD_OK) {
                    std::fprintf(stderr, "%s\n", message);
                    n_bad++;
                    return;
                }
                const mopd_match best = bank.top(feature)[0][0];
                std::printf("%s: %s, %.1f %%\n", paths[i], bank.class_name(best.index).c_str(),
                    100.0 * double(best.probability));
            });
        return n_bad ? 1 : 0;
    } catch (const mopd::error &e) {
        std::fprintf(stderr, "%s: %s\n", e.name(), e.what());
        return 1;
    }
}
