// Runs a fuzz target without a fuzzer: every seed as it is, cut short, and with a few bytes
// changed. The mutations depend on the seed's bytes alone, so that a failure comes back on every
// run.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t max_truncations = 64;
constexpr std::size_t mutations = 128;
constexpr std::size_t max_changes = 4;

void run(const std::string& input) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

void run_truncations(const std::string& seed) {
    const std::size_t stride = std::max<std::size_t>(1, seed.size() / max_truncations);
    for (std::size_t size = 0; size < seed.size(); size += stride) run(seed.substr(0, size));
}

void run_mutations(const std::string& seed) {
    using namespace std::string_view_literals;
    static constexpr auto interesting = "\r\n. \0(){}<>\"\\:;=,*\x7f\x80\xff"sv;
    std::mt19937 random(static_cast<std::uint32_t>(std::hash<std::string>{}(seed)));
    const auto below = [&random](std::size_t bound) { return random() % bound; };
    for (std::size_t i = 0; i < mutations && !seed.empty(); ++i) {
        std::string input = seed;
        for (std::size_t changes = 1 + below(max_changes); changes != 0; --changes) {
            const std::size_t at = below(input.size());
            const char byte =
                below(2) ? interesting[below(interesting.size())] : static_cast<char>(below(256));
            switch (below(4)) {
                case 0:
                    input.insert(at, 1, byte);
                    break;
                case 1:
                    input.erase(at, input.size() > 1 ? 1 : 0);
                    break;
                case 2:
                    input.insert(at, input.substr(below(input.size()), 16));
                    break;
                default:
                    input[at] = byte;
            }
        }
        run(input);
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::filesystem::path> files;
    for (int i = 1; i < argc; ++i) {
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(argv[i], error)) {
            if (entry.is_regular_file()) files.push_back(entry.path());
        }
        if (error) files.emplace_back(argv[i]);
    }
    std::sort(files.begin(), files.end());
    run("");
    std::size_t replayed = 0;
    for (const auto& file : files) {
        std::ifstream in(file, std::ios::binary);
        if (!in) {
            std::fprintf(stderr, "cannot read %s\n", file.c_str());
            return 1;
        }
        const std::string seed{std::istreambuf_iterator<char>(in), {}};
        std::fprintf(stderr, "%s\n", file.c_str());
        run(seed);
        run_truncations(seed);
        run_mutations(seed);
        ++replayed;
    }
    std::fprintf(stderr, "%zu seeds replayed\n", replayed);
    return replayed == 0 ? 1 : 0;
}
