// Command lines of the load programs: `--name value` pairs alone.
#pragma once

#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

namespace postern::bench {

class Options {
public:
    Options(int count, char** words) {
        for (int i = 1; i + 1 < count; i += 2) values_[words[i]] = words[i + 1];
    }
    std::string text(const std::string& name) const {
        const auto found = values_.find(name);
        if (found != values_.end()) return found->second;
        std::cerr << "missing option " << name << '\n';
        std::exit(2);
    }
    std::string text(const std::string& name, const std::string& otherwise) const {
        const auto found = values_.find(name);
        return found == values_.end() ? otherwise : found->second;
    }
    unsigned long number(const std::string& name, unsigned long otherwise) const {
        const auto found = values_.find(name);
        return found == values_.end() ? otherwise
                                      : std::strtoul(found->second.c_str(), nullptr, 10);
    }

private:
    std::map<std::string, std::string> values_;
};

}  // namespace postern::bench
