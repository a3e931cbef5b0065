// A fixed number of values, all zero at first, in memory of their own that asks for large pages: a
// table that is read at random would else wait for the processor's page tables as often as for its
// memory. Internal to filters/models. Pages that nobody wrote to take no memory.
#pragma once

#include <cstddef>
#include <type_traits>

namespace postern::filters {

// Zeroed; given back with the same size. Throws std::bad_alloc.
void* take_pages(std::size_t bytes);
void give_pages_back(void* pages, std::size_t bytes) noexcept;

template <class T>
class LargeArray {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

public:
    explicit LargeArray(std::size_t size)
        : size_(size), items_(static_cast<T*>(take_pages(size * sizeof(T)))) {}
    ~LargeArray() { give_pages_back(items_, size_ * sizeof(T)); }
    LargeArray(const LargeArray&) = delete;
    LargeArray& operator=(const LargeArray&) = delete;

    std::size_t size() const { return size_; }
    T& operator[](std::size_t index) { return items_[index]; }
    const T& operator[](std::size_t index) const { return items_[index]; }
    T* begin() { return items_; }
    T* end() { return items_ + size_; }
    const T* begin() const { return items_; }
    const T* end() const { return items_ + size_; }

private:
    std::size_t size_;
    T* items_;
};

}  // namespace postern::filters
