#include "appliance/cli/sizes.h"
#include "appliance/cli/store_commands.h"
#include "appliance/cli/terminal.h"
#include "store/care/train_dictionary.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

int train_dictionary(Context& context, const StoreOptions&) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    ProgressBar bar("training");
    const auto report = care::train_dictionary(
        *(*store)->kv, [&](std::uint64_t done, std::uint64_t total, std::uint64_t messages) {
            bar.update(done, total, messages);
        });
    if (!report) return fail(report.error());
    if (context.json) {
        print_json(nlohmann::json{{"dictionary", blob::name_of(report->id)},
                                  {"kept", report->kept},
                                  {"dictionary_bytes", report->dictionary_bytes},
                                  {"samples", report->samples},
                                  {"sample_bytes", report->sample_bytes},
                                  {"tested_bytes", report->tested_bytes},
                                  {"before_bytes", report->before_bytes},
                                  {"after_bytes", report->after_bytes}});
        return exit_ok;
    }
    print("dictionary " + blob::name_of(report->id) + " of " + size_text(report->dictionary_bytes) +
          ", from " + std::to_string(report->samples) + " messages (" +
          size_text(report->sample_bytes) + ")\n" +
          "messages not learned from: " + size_text(report->tested_bytes) + ", stored so far in " +
          size_text(report->before_bytes) + ", with it in " + size_text(report->after_bytes) +
          "\n" +
          (report->kept ? "New mail is compressed with it from now on.\n"
                        : "Not kept: it gains too little over what there is.\n"));
    return exit_ok;
}

}  // namespace postern::cli
