#pragma once

#include <collapse/error.hpp>
#include <collapse/io/printable.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace collapse::io {

/// Some columns of a table, as a text names them: positions from 0 on, ranges of them, and names of a header, separated
/// by commas, "0-7,9,12-" or "id,dim_0-dim_7". A range holds both of its ends; without a second it goes to the last
/// column. Numbers are names where all of them are names in the header, and positions otherwise; "3-" is a position.
class Columns {
 public:
  /// None named.
  Columns() = default;

  /// @param list  as above
  /// @throws OptionError for an empty item
  explicit Columns(std::string_view list) {
    for (;;) {
      const std::size_t comma = list.find(',');
      std::string_view item = list.substr(0, comma);
      while (item.starts_with(' ')) item.remove_prefix(1);
      while (item.ends_with(' ')) item.remove_suffix(1);
      if (item.empty()) throw OptionError("a list of columns has an empty item; it is like 0-7,9,name");
      items_.emplace_back(item);
      if (comma == std::string_view::npos) return;
      list.remove_prefix(comma + 1);
    }
  }

  /// True where no list was given.
  [[nodiscard]] bool empty() const noexcept { return items_.empty(); }

  /// Whether an item is no number and no range of numbers, so that only a header can tell what it is.
  [[nodiscard]] bool needs_names() const {
    return std::any_of(items_.begin(), items_.end(), [](const std::string& item) { return !positions(item, 0); });
  }

  /// The columns that are meant.
  /// @param count  columns of the table
  /// @param names  of its header; none where it has no header
  /// @return positions from 0 on, ascending, each once
  /// @throws OptionError for a name that no column bears, and for positions of `count` or more
  /// Cost: O(items * count).
  [[nodiscard]] std::vector<Eigen::Index> positions_in(Eigen::Index count,
                                                       std::span<const std::string> names = {}) const {
    bool numbers_are_names = true;
    for (const std::string& item : items_) {
      numbers_are_names = numbers_are_names && (!positions(item, 0) || named(item, names));
    }
    std::vector<Eigen::Index> result;
    for (const std::string& item : items_) {
      std::optional<Range> range = positions(item, count);
      if (numbers_are_names || !range) range = named(item, names);
      if (!range) throw OptionError(unknown(item, names));
      if (range->first >= count || range->last >= count) {
        throw OptionError(
            fmt::format("column {} was asked for, there are {} (counted from 0)", detail::printable(item), count));
      }
      if (range->last < range->first) {
        throw OptionError(fmt::format("the columns {} run backwards", detail::printable(item)));
      }
      for (Eigen::Index i = range->first; i <= range->last; ++i) result.push_back(i);
    }
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
    return result;
  }

 private:
  struct Range {
    Eigen::Index first;
    Eigen::Index last;
  };

  [[nodiscard]] static std::optional<Eigen::Index> position(std::string_view text) {
    Eigen::Index value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = !text.empty() && text[0] != '-' && stop == text.data() + text.size();
    if (whole && error == std::errc::result_out_of_range) return std::numeric_limits<Eigen::Index>::max();
    if (!whole || error != std::errc()) return std::nullopt;
    return value;
  }

  /// "3", "3-5" or "3-" by position.
  [[nodiscard]] static std::optional<Range> positions(std::string_view item, Eigen::Index count) {
    const std::size_t dash = item.find('-');
    const std::optional<Eigen::Index> first = position(item.substr(0, dash));
    if (!first) return std::nullopt;
    if (dash == std::string_view::npos) return Range{*first, *first};
    if (dash + 1 == item.size()) return Range{*first, std::max(*first, count - 1)};
    const std::optional<Eigen::Index> last = position(item.substr(dash + 1));
    if (!last) return std::nullopt;
    return Range{*first, *last};
  }

  /// A name, or two of them with a dash between: the dash may be any, as names hold some.
  [[nodiscard]] static std::optional<Range> named(std::string_view item, std::span<const std::string> names) {
    const auto find = [&](std::string_view name) -> std::optional<Eigen::Index> {
      const auto found = std::find(names.begin(), names.end(), name);
      if (found == names.end()) return std::nullopt;
      return static_cast<Eigen::Index>(found - names.begin());
    };
    if (const auto alone = find(item)) return Range{*alone, *alone};
    for (std::size_t dash = item.find('-'); dash != std::string_view::npos; dash = item.find('-', dash + 1)) {
      const auto first = find(item.substr(0, dash));
      if (!first) continue;
      // "0-" is every column, whatever they are called.
      if (dash + 1 == item.size()) {
        if (position(item.substr(0, dash))) return std::nullopt;
        return Range{*first, static_cast<Eigen::Index>(names.size()) - 1};
      }
      if (const auto last = find(item.substr(dash + 1))) return Range{*first, *last};
    }
    return std::nullopt;
  }

  [[nodiscard]] static std::string unknown(std::string_view item, std::span<const std::string> names) {
    if (names.empty()) {
      return fmt::format("column {} was asked for, and no header names the columns; give positions, counted from 0",
                         detail::printable(item));
    }
    constexpr std::size_t most = 8;
    std::string list;
    for (const std::string& name : names.first(std::min(names.size(), most))) {
      list += (list.empty() ? "" : ", ") + detail::printable(name);
    }
    return fmt::format("no column is called {}; the header has {}{}", detail::printable(item), list,
                       names.size() > most ? fmt::format(" and {} more", names.size() - most) : "");
  }

  std::vector<std::string> items_;
};

/// The columns that stay when some are named and others are to be left out.
/// @param keep  those to keep; all where it is empty
/// @param drop  those to leave out
/// @return positions from 0 on, ascending
/// @throws OptionError as Columns::positions_in, and when nothing stays
[[nodiscard]] inline std::vector<Eigen::Index> kept_columns(const Columns& keep, const Columns& drop,
                                                            Eigen::Index count,
                                                            std::span<const std::string> names = {}) {
  std::vector<Eigen::Index> kept;
  if (keep.empty()) {
    for (Eigen::Index i = 0; i < count; ++i) kept.push_back(i);
  } else {
    kept = keep.positions_in(count, names);
  }
  if (!drop.empty()) {
    const std::vector<Eigen::Index> dropped = drop.positions_in(count, names);
    std::erase_if(kept, [&](Eigen::Index i) { return std::binary_search(dropped.begin(), dropped.end(), i); });
  }
  if (kept.empty() && count > 0) throw OptionError("no column is left of those asked for");
  return kept;
}

}  // namespace collapse::io
