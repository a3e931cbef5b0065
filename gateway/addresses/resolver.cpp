#include "gateway/addresses/resolver.h"

#include "gateway/clock/wall_clock.h"
#include "protocols/mime/idna.h"
#include "protocols/wire/text.h"
#include "store/directory/names.h"

#include <algorithm>

namespace postern::addresses {

namespace {

constexpr const char* postmaster_name = "postmaster";

}  // namespace

struct Resolver::Walk {
    Resolved out;
    std::set<std::string> seen;

    Result<void> add(directory::User user) {
        const bool known = std::any_of(out.users.begin(), out.users.end(),
                                       [&](const auto& other) { return other.id == user.id; });
        if (!known) out.users.push_back(std::move(user));
        return check();
    }
    Result<void> add_other(const std::string& address) {
        if (std::find(out.others.begin(), out.others.end(), address) == out.others.end()) {
            out.others.push_back(address);
        }
        return check();
    }
    Result<void> check() const {
        if (out.users.size() + out.others.size() <= max_expansion) return {};
        return Error{Errc::limit, "an alias stands for more than " + std::to_string(max_expansion) +
                                      " addresses"};
    }
};

std::string ascii_address(std::string_view address) {
    const auto at = address.rfind('@');
    if (at == std::string_view::npos || wire::is_ascii(address.substr(at))) {
        return std::string(address);
    }
    const auto domain = mime::domain_to_ascii(address.substr(at + 1));
    if (!domain) return std::string(address);
    return std::string(address.substr(0, at + 1)) + *domain;
}

Result<Resolved> Resolver::resolve(std::string_view address) {
    Walk walk;
    if (wire::equals_ignoring_case(address, postmaster_name)) {
        walk.out.local_domain = true;
        auto found = postmaster(walk);
        if (!found) return found.error();
        if (!*found) {
            if (auto first = first_user(walk, ""); !first) return first.error();
        }
        return std::move(walk.out);
    }
    const auto given = ascii_address(address);
    const auto before = is_ours(given, walk.out.domain);
    if (!before) return before.error();
    // Before the rules: a bounce of forwarded mail finds its way back whatever they say.
    if (*before && srs_ != nullptr && Srs::is_srs(given)) {
        auto original = srs_->reverse(given, wall_clock());
        if (original) {
            walk.out.local_domain = true;
            walk.out.others.push_back(std::move(*original));
            walk.out.only_bounces = true;
            return std::move(walk.out);
        }
    }
    auto target = rewritten(directory::RewriteOf::recipient, given);
    if (!target) return target.error();
    const auto ascii = std::move(*target);
    const auto after = is_ours(ascii, walk.out.domain);
    if (!after) return after.error();
    walk.out.local_domain = *before || *after;
    if (!*after) {
        if (ascii.find('@') != std::string::npos) walk.out.others.push_back(ascii);
        return std::move(walk.out);
    }
    if (auto expanded = expand(walk, ascii, 0); !expanded) return expanded.error();
    return std::move(walk.out);
}

// Whether the address is at a domain of ours; `domain` becomes that one.
Result<bool> Resolver::is_ours(std::string_view ascii, std::string& domain) {
    const auto at = ascii.rfind('@');
    if (at == std::string_view::npos) return false;
    auto name = directory::canonical_domain(ascii.substr(at + 1));
    if (!name) return false;
    const auto ours = directory_.has_domain(*name);
    if (ours && *ours) domain = std::move(*name);
    return ours;
}

Result<std::string> Resolver::rewritten(directory::RewriteOf of, std::string address) {
    if (rewrites_ == nullptr) return address;
    auto done = rewrites_->apply(of, address);
    if (!done) return done.error();
    return std::move(done->address);
}

Result<std::string> Resolver::sender(std::string_view address) {
    const auto ascii = ascii_address(address);
    auto made = rewritten(directory::RewriteOf::sender, ascii);
    // Where no rule says otherwise it stays as it was written.
    if (made && *made == ascii) return std::string(address);
    return made;
}

Result<std::string> Resolver::forwarding_path(std::string_view sender, std::string_view domain,
                                              Time now) {
    const auto ascii = ascii_address(sender);
    const auto from = directory::canonical_domain(ascii.substr(ascii.rfind('@') + 1));
    const auto to = directory::canonical_domain(ascii_address("@" + std::string(domain)).substr(1));
    if (srs_ == nullptr || sender.empty() || !from || !to) return std::string(sender);
    const auto ours = directory_.has_domain(*from);
    if (!ours) return ours.error();
    return *ours ? std::string(sender) : srs_->forward(ascii, *to, now);
}

Result<Ownership> Resolver::ownership(AccountId account, std::string_view address) {
    const auto resolved = resolve(address);
    if (!resolved && resolved.error().code == Errc::limit) return Ownership::others;
    if (!resolved) return resolved.error();
    const bool reached = std::any_of(resolved->users.begin(), resolved->users.end(),
                                     [&](const auto& user) { return user.id == account; });
    if (reached) return Ownership::own;
    return resolved->local_domain ? Ownership::others : Ownership::foreign;
}

Result<void> Resolver::expand(Walk& walk, const std::string& address, std::size_t depth) {
    const auto parts = directory::canonical_address(address);
    if (!parts) {
        // The directory holds no such names of its own domains, but other servers may.
        const auto at = address.rfind('@');
        const auto domain = directory::canonical_domain(address.substr(at + 1));
        if (!domain) return walk.add_other(address);
        const auto ours = directory_.has_domain(*domain);
        if (!ours) return ours.error();
        return *ours ? Result<void>() : walk.add_other(address);
    }
    const auto name = parts->local_part + "@" + parts->domain;
    if (depth > directory::max_alias_depth || !walk.seen.insert(name).second) return {};
    const auto ours = directory_.has_domain(parts->domain);
    if (!ours) return ours.error();
    if (!*ours) return walk.add_other(address);

    auto done = exact(walk, name, depth);
    if (!done || *done) return done ? Result<void>() : done.error();
    const auto plus = parts->local_part.find(detail_separator, 1);
    if (plus != std::string::npos) {
        done = exact(walk, parts->local_part.substr(0, plus) + "@" + parts->domain, depth);
        if (!done || *done) return done ? Result<void>() : done.error();
    }
    if (parts->local_part == postmaster_name) {
        done = postmaster(walk);
        if (!done || *done) return done ? Result<void>() : done.error();
    }
    auto through = through_domain(walk, parts->local_part, parts->domain, depth);
    if (!through || parts->local_part != postmaster_name || walk.out.found()) return through;
    return first_user(walk, parts->domain);
}

// An alias of that name, or a mailbox. False: neither.
Result<bool> Resolver::exact(Walk& walk, const std::string& address, std::size_t depth) {
    const auto alias = aliases_.find(address);
    if (!alias) return alias.error();
    bool mailbox = !*alias;
    if (*alias) {
        for (const auto& target : (*alias)->targets) {
            // Its own name means its own mailbox.
            if (target == address) {
                mailbox = true;
            } else if (auto expanded = expand(walk, target, depth + 1); !expanded) {
                return expanded.error();
            }
        }
    }
    if (mailbox) {
        auto user = directory_.find(address);
        if (!user && user.error().code == Errc::invalid) return alias->has_value();
        if (!user) return user.error();
        if (*user) {
            if (auto added = walk.add(std::move(**user)); !added) return added.error();
            return true;
        }
    }
    return alias->has_value();
}

Result<void> Resolver::through_domain(Walk& walk, const std::string& local,
                                      const std::string& domain, std::size_t depth) {
    const auto alias = aliases_.find("@" + domain);
    if (!alias) return alias.error();
    if (!*alias) return {};
    for (const auto& target : (*alias)->targets) {
        const bool whole_domain = target.starts_with('@');
        auto expanded = expand(walk, whole_domain ? local + target : target, depth + 1);
        if (!expanded) return expanded;
    }
    return {};
}

// A domain without a postmaster shares the first one there is.
Result<bool> Resolver::postmaster(Walk& walk) {
    const auto domains = directory_.domains();
    if (!domains) return domains.error();
    for (const auto& domain : *domains) {
        const auto address = std::string(postmaster_name) + "@" + domain;
        const bool first_time = walk.seen.insert(address).second;
        auto found = exact(walk, address, 1);
        if (!found || *found) return found;
        // An alias domain may still lead there.
        if (first_time) walk.seen.erase(address);
    }
    return false;
}

// Ids ascend.
Result<void> Resolver::first_user(Walk& walk, const std::string& domain) {
    std::lock_guard lock(mutex_);
    auto& known = first_users_[domain];
    if (!known.empty()) {
        auto user = directory_.find(known);
        if (!user) return user.error();
        if (*user) return walk.add(std::move(**user));
    }
    auto all = directory_.users(domain);
    if (!all) return all.error();
    if (all->empty()) return {};
    auto& first = *std::min_element(all->begin(), all->end(),
                                    [](const auto& a, const auto& b) { return a.id < b.id; });
    known = first.address;
    return walk.add(std::move(first));
}

}  // namespace postern::addresses
