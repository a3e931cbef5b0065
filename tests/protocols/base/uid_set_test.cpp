#include "protocols/base/uid_set.h"

#include <functional>
#include <limits>
#include <random>
#include <set>
#include <thread>

namespace postern {
namespace {

TEST(UidSet, RanksAndSelectsAreOneBasedAndInverse) {
    UidSet set{7, 3, 100000};
    EXPECT_EQ(set.size(), 3u);
    EXPECT_EQ(set.at(0), 0u);
    EXPECT_EQ(set.at(1), 3u);
    EXPECT_EQ(set.at(3), 100000u);
    EXPECT_EQ(set.at(4), 0u);
    EXPECT_EQ(set.position(7), 2u);
    EXPECT_EQ(set.position(8), 0u);
    EXPECT_EQ(set.count_up_to(8), 2u);
    EXPECT_EQ(set.count_up_to(2), 0u);
}

TEST(UidSet, EmptySetAnswersZero) {
    const UidSet set;
    EXPECT_TRUE(set.empty());
    EXPECT_EQ(set.min(), 0u);
    EXPECT_EQ(set.max(), 0u);
    EXPECT_EQ(set.to_string(), "");
    EXPECT_TRUE(set.ranges().empty());
}

TEST(UidSet, RangesIncludeBothEndsUpToTheLargestUid) {
    constexpr auto largest = std::numeric_limits<UidSet::Value>::max();
    UidSet set;
    set.add_range(largest - 1, largest);
    set.add_range(5, 4);
    EXPECT_EQ(set.size(), 2u);
    EXPECT_TRUE(set.contains(largest));
    EXPECT_EQ(set.ranges(), (std::vector<UidSet::Range>{{largest - 1, largest}}));
}

TEST(UidSet, PrintsAsSequenceSet) {
    UidSet set{1, 2, 3, 7, 9, 10};
    EXPECT_EQ(set.to_string(), "1:3,7,9:10");
}

TEST(UidSet, CopiesAreDeepAndMovesLeaveAUsableSet) {
    UidSet first{1, 2};
    UidSet copy = first;
    copy.add(3);
    EXPECT_EQ(first.size(), 2u);
    UidSet moved = std::move(copy);
    EXPECT_EQ(moved.size(), 3u);
    copy = UidSet{9};
    EXPECT_TRUE(copy.contains(9));
}

TEST(UidSet, ACopyKeepsWhatItWasThroughEveryChangeOfTheOther) {
    const UidSet other{2, 9};
    const std::function<void(UidSet&)> changes[] = {
        [](UidSet& set) { set.add(7); },        [](UidSet& set) { set.add_range(7, 8); },
        [](UidSet& set) { set.remove(2); },     [](UidSet& set) { set.clear(); },
        [](UidSet& set) { set.pack(); },        [&](UidSet& set) { set |= other; },
        [&](UidSet& set) { set &= other; },     [&](UidSet& set) { set -= other; },
        [](UidSet& set) { set -= UidSet(set); }, [&](UidSet& set) { set = other; },
        [&](UidSet& set) { EXPECT_TRUE(set.deserialize(other.serialize())); },
    };
    for (const auto& change : changes) {
        UidSet first{1, 2, 3};
        const UidSet copy = first;
        change(first);
        EXPECT_EQ(copy, (UidSet{1, 2, 3}));
        UidSet back = copy;
        change(back);
        EXPECT_EQ(back, first);
    }
}

TEST(UidSet, CombinesWithItsOwnCopiesAndWithNothing) {
    const UidSet nothing;
    const UidSet some{4, 5};
    const UidSet same = some;
    EXPECT_EQ(some | same, some);
    EXPECT_EQ(some & same, some);
    EXPECT_TRUE((some - same).empty());
    EXPECT_EQ(some | nothing, some);
    EXPECT_EQ(nothing | some, some);
    EXPECT_EQ(some - nothing, some);
    EXPECT_TRUE((some & nothing).empty());
    EXPECT_TRUE((nothing & some).empty());
    EXPECT_TRUE((nothing - some).empty());
    EXPECT_EQ(nothing, UidSet());
    EXPECT_TRUE(nothing.slice(1, 9).empty());
    UidSet removed{1};
    removed.remove(1);
    EXPECT_EQ(removed, nothing);
}

TEST(UidSet, PackedSetsHoldTheSame) {
    UidSet set;
    for (UidSet::Value value = 1; value <= 100'000; ++value) set.add(value);
    const UidSet before = set;
    set.pack();
    EXPECT_EQ(set, before);
    set.add(100'002);
    set.remove(50'000);
    EXPECT_EQ(set.size(), 100'000u);
    EXPECT_EQ(before.size(), 100'000u);
    UidSet().pack();
}

TEST(UidSet, CopiesMayBeChangedByAnotherThread) {
    UidSet whole;
    whole.add_range(1, 10'000);
    std::thread other([copy = whole]() mutable {
        for (UidSet::Value value = 1; value <= 10'000; value += 2) copy.remove(value);
        EXPECT_EQ(copy.size(), 5'000u);
    });
    for (UidSet::Value value = 2; value <= 10'000; value += 2) {
        UidSet copy = whole;
        copy.remove(value);
        EXPECT_EQ(copy.size(), 9'999u);
    }
    other.join();
    EXPECT_EQ(whole.size(), 10'000u);
}

TEST(UidSet, VisitsInOrderUntilTold) {
    const UidSet set{4, 1, 8};
    std::vector<UidSet::Value> seen;
    set.for_each([&](UidSet::Value value) {
        seen.push_back(value);
        return seen.size() < 2;
    });
    EXPECT_EQ(seen, (std::vector<UidSet::Value>{1, 4}));
}

TEST(UidSet, AgreesWithAnOrderedSetUnderRandomOperations) {
    std::mt19937 random(1);
    UidSet ours;
    std::set<UidSet::Value> model;
    for (int i = 0; i < 20000; ++i) {
        const UidSet::Value value = random() % 70000;
        if (random() % 3 == 0) {
            ours.remove(value);
            model.erase(value);
        } else {
            ours.add(value);
            model.insert(value);
        }
    }
    EXPECT_EQ(ours.to_vector(), std::vector<UidSet::Value>(model.begin(), model.end()));
    EXPECT_EQ(ours.min(), *model.begin());
    EXPECT_EQ(ours.max(), *model.rbegin());
}

TEST(UidSet, SetAlgebra) {
    const UidSet a{1, 2, 3};
    const UidSet b{3, 4};
    EXPECT_EQ(a | b, (UidSet{1, 2, 3, 4}));
    EXPECT_EQ(a & b, (UidSet{3}));
    EXPECT_EQ(a - b, (UidSet{1, 2}));
}

TEST(UidSet, SlicesKeepBothEnds) {
    const UidSet set{1, 5, 65535, 65536, 70000};
    EXPECT_EQ(set.slice(5, 65535), (UidSet{5, 65535}));
    EXPECT_EQ(set.slice(65536, 131071), (UidSet{65536, 70000}));
    EXPECT_TRUE(set.slice(6, 5).empty());
}

TEST(UidSet, PacksRunsWhenSerialized) {
    UidSet set;
    for (UidSet::Value value = 1; value <= 100000; ++value) set.add(value);
    EXPECT_LT(set.serialize().size(), 100u);
}

TEST(UidSet, SurvivesSerializationAndRefusesDamage) {
    UidSet set;
    set.add_range(1, 200000);
    set.remove(77);
    const std::string bytes = set.serialize();
    UidSet read;
    ASSERT_TRUE(read.deserialize(bytes));
    EXPECT_EQ(read, set);
    EXPECT_FALSE(read.deserialize(""));
    EXPECT_FALSE(read.deserialize(bytes.substr(0, bytes.size() - 1)));
    EXPECT_FALSE(read.deserialize(bytes + "x"));
    EXPECT_EQ(read, set) << "a refused image must leave the set as it was";
}

}  // namespace
}  // namespace postern
