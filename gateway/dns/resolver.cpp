#include "gateway/dns/resolver.h"

#include "protocols/wire/ip_address.h"
#include "protocols/wire/text.h"

#include <poll.h>
#include <unbound.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <mutex>
#include <random>
#include <set>
#include <thread>

namespace postern::dns {

using Clock = std::chrono::steady_clock;

namespace {

constexpr int poll_interval_ms = 100;
constexpr int class_in = 1;
constexpr int rcode_name_error = 3;

struct DeleteContext {
    void operator()(ub_ctx* context) const { ub_ctx_delete(context); }
};

}  // namespace

// What a callback of libunbound gets. Answered once, by it or by the time-out.
struct Ticket {
    std::function<void(Result<Answer>)> done;
    std::atomic<bool> finished{false};
};

// One question under way.
struct Query {
    std::function<void(Result<Answer>)> done;  // does nothing the second time
    int id = 0;
    Clock::time_point deadline;
};

struct Resolver::State {
    struct Call {
        State* state;
        std::shared_ptr<Ticket> ticket;
    };
    std::unique_ptr<ub_ctx, DeleteContext> context;
    std::chrono::milliseconds timeout{0};
    std::mutex mutex;
    std::list<Query> queries;
    std::set<Call*> outstanding;  // owned by libunbound until it calls back
    std::atomic<bool> ending{false};
    std::thread thread;

    ~State() {
        context.reset();
        for (auto* each : outstanding) delete each;
    }
    void work();
    void start(const std::string& name, Type type, std::function<void(Result<Answer>)> done);
    void expire(bool all);
    static void answered(void* data, int failure, ub_result* result);
};

namespace {

Result<Answer> read_result(int failure, const ub_result* result) {
    if (failure != 0 || result == nullptr) {
        return Error{Errc::unavailable, std::string("DNS: ") + ub_strerror(failure)};
    }
    const std::string name(result->qname);
    if (result->bogus != 0) {
        return Error{Errc::corrupt, "DNS: " + name + " fails DNSSEC validation: " +
                                        (result->why_bogus ? result->why_bogus : "bogus")};
    }
    if (result->rcode != 0 && result->rcode != rcode_name_error) {
        return Error{Errc::unavailable, "DNS: no answer for " + name + " (rcode " +
                                            std::to_string(result->rcode) + ")"};
    }
    Answer answer;
    answer.secure = result->secure != 0;
    answer.no_such_name = result->nxdomain != 0;
    if (result->canonname != nullptr) {
        answer.canonical = wire::lower_case(result->canonname);
        if (answer.canonical.ends_with('.')) answer.canonical.pop_back();
        if (wire::equals_ignoring_case(answer.canonical, name)) answer.canonical.clear();
    }
    if (result->havedata == 0) return answer;
    for (std::size_t i = 0; result->data[i] != nullptr; ++i) {
        answer.data.emplace_back(result->data[i], static_cast<std::size_t>(result->len[i]));
    }
    return answer;
}

}  // namespace

// On the resolver's own thread, inside ub_process.
void Resolver::State::answered(void* data, int failure, ub_result* result) {
    auto* call = static_cast<Call*>(data);
    const std::unique_ptr<Call> owned(call);
    {
        std::lock_guard lock(call->state->mutex);
        call->state->outstanding.erase(call);
    }
    auto answer = read_result(failure, result);
    ub_resolve_free(result);
    if (!call->ticket->finished.exchange(true)) call->ticket->done(std::move(answer));
}

void Resolver::State::start(const std::string& name, Type type,
                            std::function<void(Result<Answer>)> done) {
    auto ticket = std::make_shared<Ticket>();
    ticket->done = std::move(done);
    const auto fail = [&](const char* text) {
        if (!ticket->finished.exchange(true)) {
            ticket->done(Error{Errc::unavailable, std::string("DNS: ") + text});
        }
    };
    if (ending) return fail("the gateway is ending");
    Query query;
    query.deadline = Clock::now() + timeout;
    query.done = [ticket](Result<Answer> answer) {
        if (!ticket->finished.exchange(true)) ticket->done(std::move(answer));
    };
    auto* call = new Call{this, ticket};
    {
        std::lock_guard lock(mutex);
        outstanding.insert(call);
    }
    const int failure = ub_resolve_async(context.get(), name.c_str(), static_cast<int>(type),
                                         class_in, call, answered, &query.id);
    std::lock_guard lock(mutex);
    if (failure == 0) return queries.push_back(std::move(query));
    outstanding.erase(call);
    delete call;
    fail(ub_strerror(failure));
}

void Resolver::State::work() {
    while (!ending) {
        pollfd descriptor{ub_fd(context.get()), POLLIN, 0};
        const int ready = ::poll(&descriptor, 1, poll_interval_ms);
        if (ready > 0) ub_process(context.get());
        expire(false);
    }
}

// A lookup that takes too long is answered; what libunbound still does for it goes on in vain.
void Resolver::State::expire(bool all) {
    std::list<Query> over;
    {
        std::lock_guard lock(mutex);
        const auto now = Clock::now();
        for (auto each = queries.begin(); each != queries.end();) {
            const auto next = std::next(each);
            if (all || each->deadline <= now) over.splice(over.end(), queries, each);
            each = next;
        }
    }
    for (auto& query : over) query.done(Error{Errc::unavailable, "DNS: timed out"});
}

Resolver::Resolver(std::unique_ptr<State> state) : state_(std::move(state)) {
    state_->thread = std::thread([this] { state_->work(); });
}

Resolver::~Resolver() {
    shut_down();
}

void Resolver::shut_down() {
    state_->ending = true;
    if (state_->thread.joinable()) state_->thread.join();
    state_->expire(true);
}

Result<std::unique_ptr<Resolver>> Resolver::make(const Options& options) {
    auto state = std::make_unique<State>();
    state->context.reset(ub_ctx_create());
    state->timeout = options.timeout;
    ub_ctx* context = state->context.get();
    if (context == nullptr) return Error{Errc::unavailable, "DNS: no memory"};
    ub_ctx_async(context, 1);
    ub_ctx_debuglevel(context, 0);
    for (const auto& server : options.servers) {
        if (ub_ctx_set_fwd(context, server.c_str()) != 0) {
            return Error{Errc::invalid, "DNS: " + server + ": expected ADDRESS or ADDRESS@PORT"};
        }
        // Servers on this machine, in tests and beside it, are to be asked as any other.
        ub_ctx_set_option(context, "do-not-query-localhost:", "no");
    }
    if (!options.trust_anchor_file.empty() &&
        ub_ctx_add_ta_file(context, options.trust_anchor_file.c_str()) != 0) {
        return Error{Errc::invalid, options.trust_anchor_file + ": no trust anchor of DNSSEC"};
    }
    return std::unique_ptr<Resolver>(new Resolver(std::move(state)));
}

net::Awaitable<Result<Answer>> Resolver::look_up(std::string name, Type type) {
    return net::from_store<Answer>([&](std::function<void(Result<Answer>)> done) {
        state_->start(name, type, std::move(done));
    });
}

std::optional<std::string> name_from_rdata(std::string_view rdata, std::size_t offset) {
    std::string out;
    while (offset < rdata.size()) {
        const std::size_t size = static_cast<unsigned char>(rdata[offset++]);
        if (size == 0) return out;
        if (size > 63 || offset + size > rdata.size() || out.size() > 255) return std::nullopt;
        if (!out.empty()) out += '.';
        for (const char c : rdata.substr(offset, size)) {
            out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        }
        offset += size;
    }
    return std::nullopt;
}

net::Awaitable<Result<MxAnswer>> Resolver::mx(std::string domain) {
    const auto answer = co_await look_up(std::move(domain), Type::mx);
    if (!answer) co_return answer.error();
    MxAnswer out;
    out.secure = answer->secure;
    out.no_such_domain = answer->no_such_name;
    for (const auto& rdata : answer->data) {
        auto host = name_from_rdata(rdata, 2);
        if (rdata.size() < 3 || !host) continue;
        const auto preference = static_cast<std::uint16_t>(
            static_cast<unsigned char>(rdata[0]) * 256 + static_cast<unsigned char>(rdata[1]));
        out.hosts.push_back({preference, std::move(*host)});
    }
    // RFC 5321 section 5.1: the load is spread over servers of one preference.
    thread_local std::minstd_rand chance{std::random_device{}()};
    std::shuffle(out.hosts.begin(), out.hosts.end(), chance);
    std::stable_sort(out.hosts.begin(), out.hosts.end(),
                     [](const Mx& a, const Mx& b) { return a.preference < b.preference; });
    co_return out;
}

net::Awaitable<Result<Addresses>> Resolver::addresses(std::string host) {
    const auto v6 = co_await look_up(host, Type::aaaa);
    const auto v4 = co_await look_up(host, Type::a);
    if (!v6 && !v4) co_return v4.error();
    Addresses out;
    // A lookup that failed says nothing, so that nobody gets rid of DANE by breaking one of them.
    out.secure = (!v6 || v6->secure) && (!v4 || v4->secure);
    out.aliased = (v6 && !v6->canonical.empty()) || (v4 && !v4->canonical.empty());
    const auto& canonical = v6 ? v6->canonical : v4->canonical;
    if (!v6 || !v4 || v6->canonical == v4->canonical) out.canonical = canonical;
    std::vector<std::string> numeric[2];
    const auto add = [](const Result<Answer>& answer, std::size_t size,
                        std::vector<std::string>& to) {
        if (!answer) return;
        for (const auto& rdata : answer->data) {
            if (rdata.size() != size) continue;
            wire::IpAddress address;
            address.v6 = size == 16;
            std::copy(rdata.begin(), rdata.end(), address.bytes.begin());
            to.push_back(wire::to_string(address));
        }
    };
    add(v6, 16, numeric[0]);
    add(v4, 4, numeric[1]);
    // In turns: who tries a few must not meet one kind alone (RFC 8305 section 4).
    for (std::size_t i = 0; i < std::max(numeric[0].size(), numeric[1].size()); ++i) {
        for (auto& kind : numeric) {
            if (i < kind.size()) out.numeric.push_back(std::move(kind[i]));
        }
    }
    co_return out;
}

net::Awaitable<Result<std::vector<net::Tlsa>>> Resolver::tlsa(std::string host,
                                                              std::uint16_t port) {
    auto name = "_" + std::to_string(port) + "._tcp." + host;
    const auto answer = co_await look_up(std::move(name), Type::tlsa);
    if (!answer) co_return answer.error();
    std::vector<net::Tlsa> out;
    if (!answer->secure) co_return out;
    for (const auto& rdata : answer->data) {
        if (rdata.size() < 4) continue;
        out.push_back({static_cast<std::uint8_t>(rdata[0]), static_cast<std::uint8_t>(rdata[1]),
                       static_cast<std::uint8_t>(rdata[2]), rdata.substr(3)});
    }
    co_return out;
}

net::Awaitable<Result<std::vector<std::string>>> Resolver::txt(std::string name) {
    const auto answer = co_await look_up(std::move(name), Type::txt);
    if (!answer) co_return answer.error();
    std::vector<std::string> out;
    for (const auto& rdata : answer->data) {
        std::string text;
        for (std::size_t at = 0; at < rdata.size();) {
            const std::size_t size = static_cast<unsigned char>(rdata[at]);
            text += rdata.substr(at + 1, size);
            at += 1 + size;
        }
        out.push_back(std::move(text));
    }
    co_return out;
}

}  // namespace postern::dns
