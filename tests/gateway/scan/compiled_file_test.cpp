#include "gateway/scan/compiled_file.h"

#include "tests/gateway/temporary_folder.h"

namespace postern::scan {
namespace {

TEST(CompiledFile, IsReadAsItWasWrittenAndMadeWithItsFolder) {
    const TemporaryFolder folder;
    CompiledFile file(folder.path("filter/compiled"), nullptr);
    EXPECT_FALSE(file.load().has_value());
    file.save(std::string("a\0b", 3));
    EXPECT_EQ(file.load(), std::string("a\0b", 3));
    file.save("new");
    EXPECT_EQ(file.load(), "new");
}

TEST(CompiledFile, SizesAtTheLimit) {
    static_assert(max_compiled_bytes == 512ull * 1024 * 1024);
    constexpr std::size_t limit = 100;
    const TemporaryFolder folder;
    for (const std::size_t size : {limit - 1, limit, limit + 1}) {
        const std::string bytes(size, 'x');
        CompiledFile written(folder.path("written"), nullptr, limit);
        written.save("before");
        written.save(bytes);
        EXPECT_EQ(written.load(), size <= limit ? bytes : "before");
        CompiledFile found(folder.write("found", bytes), nullptr, limit);
        EXPECT_EQ(found.load().has_value(), size <= limit) << size;
    }
}

TEST(CompiledFile, AFileThatCannotBeWrittenIsTold) {
    const TemporaryFolder folder;
    std::string told;
    CompiledFile file(folder.write("plain", "x") + "/compiled",
                      [&](std::string_view text) { told = text; });
    file.save("bytes");
    EXPECT_NE(told.find("cannot be kept"), std::string::npos);
    EXPECT_FALSE(file.load().has_value());
}

}  // namespace
}  // namespace postern::scan
