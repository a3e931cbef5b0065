// UidSet: a compressed ordered set of 32-bit numbers with rank and select; the one door to
// CRoaring.
//
// Sequence number <-> UID, SELECT, STATUS and SEARCH by flag are set operations on it, so that
// their cost does not grow with the mailbox. A value type; copies share their memory until one of
// them is changed, also between threads. One set is not safe for concurrent writes.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern {

class UidSet {
public:
    using Value = std::uint32_t;
    using Range = std::pair<Value, Value>;  // first and last, both included

    UidSet() = default;
    UidSet(std::initializer_list<Value> values);
    UidSet(const UidSet& other);
    UidSet(UidSet&& other) noexcept;
    UidSet& operator=(UidSet other) noexcept;
    ~UidSet();

    void add(Value value);
    void add_range(Value first, Value last);  // both included; first > last adds nothing
    void remove(Value value);
    void clear();
    // The same members in less memory, where neighbours are many.
    void pack();

    bool contains(Value value) const;
    bool empty() const;
    std::uint64_t size() const;
    Value min() const;  // 0 when empty
    Value max() const;  // 0 when empty

    // 1-based position of value among the members; 0 when it is not a member.
    Value position(Value value) const;
    // Member at a 1-based position; 0 when position is 0 or over size().
    Value at(Value position) const;
    // How many members are <= value.
    Value count_up_to(Value value) const;

    // Members within [first, last].
    UidSet slice(Value first, Value last) const;

    UidSet& operator|=(const UidSet& other);
    UidSet& operator&=(const UidSet& other);
    UidSet& operator-=(const UidSet& other);
    friend UidSet operator|(UidSet a, const UidSet& b) { return a |= b; }
    friend UidSet operator&(UidSet a, const UidSet& b) { return a &= b; }
    friend UidSet operator-(UidSet a, const UidSet& b) { return a -= b; }
    bool operator==(const UidSet& other) const;

    // Calls visit for each member in ascending order while it returns true.
    void for_each(const std::function<bool(Value)>& visit) const;
    std::vector<Value> to_vector() const;
    std::vector<Range> ranges() const;
    // "1:3,7,9:12" (RFC 9051 sequence-set, ascending); empty string when empty.
    std::string to_string() const;

    // Roaring's portable format, with runs where they are smaller.
    std::string serialize() const;
    // False when bytes are not a whole serialized set; the set is then unchanged.
    bool deserialize(std::string_view bytes);

private:
    struct Shared;
    explicit UidSet(Shared* shared) : shared_(shared) {}

    Shared* shared_ = nullptr;  // null: empty
};

}  // namespace postern
