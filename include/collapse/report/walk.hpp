#pragma once

#include <collapse/report/field.hpp>
#include <collapse/report/path.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace collapse {

/// One line of the catalogue: a number, or a block of them.
struct CatalogueEntry {
  std::string path;     ///< from the root
  FieldInfo info;       ///< `resampled` only where all blocks around it are
  bool block = false;   ///< holds other entries: those that follow it and begin with its path and a dot
  bool inside = false;  ///< of each element of the list before it, not a number of its own
};

namespace detail {

template <class Value>
inline constexpr bool is_block_list = false;

template <Block Element>
inline constexpr bool is_block_list<std::vector<Element>> = true;

/// Adds one of them. Not inlined: a block has dozens of fields.
COLLAPSE_NOINLINE inline void list_field(const std::string& prefix, const char* name, const FieldInfo& info,
                                         bool resampled, bool block, bool inside, std::vector<CatalogueEntry>& to) {
  to.push_back({prefix + name, info, block, inside});
  to.back().info.resampled = info.resampled && resampled;
}

/// Adds the entries of a block, whose path with a dot at its end is `prefix`.
template <Block In>
void list_fields(const std::string& prefix, bool resampled, bool inside, std::vector<CatalogueEntry>& to) {
  In::fields([&](const auto& field) {
    using Value = typename std::remove_cvref_t<decltype(field)>::Value;
    list_field(prefix, field.name, field.info, resampled, Block<Value> || is_block_list<Value>, inside, to);
    if constexpr (Block<Value>) list_fields<Value>(to.back().path + '.', to.back().info.resampled, inside, to);
    if constexpr (is_block_list<Value>) list_fields<typename Value::value_type>(to.back().path + '.', false, true, to);
  });
}

}  // namespace detail

/// All numbers and blocks of a result, in the order of its JSON keys; a list is followed by the numbers of its elements.
/// Cost: listed at the first call.
template <Block Result>
[[nodiscard]] const std::vector<CatalogueEntry>& entries_of() {
  static const std::vector<CatalogueEntry> entries = [] {
    std::vector<CatalogueEntry> result;
    detail::list_fields<Result>(std::string(root_of(static_cast<const Result*>(nullptr))), true, false, result);
    return result;
  }();
  return entries;
}

namespace detail {

/// Makes the references that a walk hands out.
struct Paths {
  [[nodiscard]] static MetricPath of(const CatalogueEntry& entry, std::size_t root) { return {entry.path, root}; }
};

/// Walks a value along the entries of its result.
template <class Visit>
class Walk {
 public:
  Walk(const std::vector<CatalogueEntry>& entries, std::size_t root, Visit& visit)
      : entries_(entries), root_(root), visit_(visit) {}

  template <Block In>
  void walk(const In& block) {
    In::fields([&](const auto& field) {
      using Value = typename std::remove_cvref_t<decltype(field)>::Value;
      while (entries_[next_].inside) ++next_;
      const CatalogueEntry& entry = entries_[next_++];
      if constexpr (Block<Value>) {
        walk(block.*field.member);
      } else {
        visit_(Paths::of(entry, root_), entry.info, block.*field.member);
      }
    });
  }

 private:
  const std::vector<CatalogueEntry>& entries_;
  std::size_t root_;
  std::size_t next_ = 0;
  Visit& visit_;
};

}  // namespace detail

/// visit(MetricPath, const FieldInfo&, const Value&) for each number of a result that is no block, in the order of its
/// JSON keys. A list of blocks, such as the findings, is one value. Nothing is allocated but at the first walk.
template <Block Result, class Visit>
void for_each_field(const Result& result, Visit&& visit) {
  detail::Walk<std::remove_reference_t<Visit>> walk(entries_of<Result>(),
                                                    root_of(static_cast<const Result*>(nullptr)).size(), visit);
  walk.walk(result);
}

}  // namespace collapse
