#include "filters/models/large_array.h"

#include <sys/mman.h>

#include <new>

namespace postern::filters {

void* take_pages(std::size_t bytes) {
    if (bytes == 0) return nullptr;
    void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    // A wish: without large pages it is slower, that is all.
    (void)madvise(pages, bytes, MADV_HUGEPAGE);
    return pages;
}

void give_pages_back(void* pages, std::size_t bytes) noexcept {
    if (pages != nullptr) munmap(pages, bytes);
}

}  // namespace postern::filters
