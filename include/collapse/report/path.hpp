#pragma once

#include <collapse/report/field.hpp>

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <vector>

namespace collapse {

struct ClassCollapse;
struct Comparison;
struct Isotropy;
struct LayerProfile;
struct Neighbourhood;
struct Observation;
struct Report;

/// Where the paths of each result begin: those of a report, and of what a Monitor sees of one, at the root, all others
/// under the name that the command line gives to the block. What is no whole result has no paths of its own.
[[nodiscard]] constexpr std::string_view root_of(const Report*) noexcept { return ""; }
[[nodiscard]] constexpr std::string_view root_of(const Observation*) noexcept { return ""; }
[[nodiscard]] constexpr std::string_view root_of(const Isotropy*) noexcept { return "isotropy."; }
[[nodiscard]] constexpr std::string_view root_of(const Comparison*) noexcept { return "comparison."; }
[[nodiscard]] constexpr std::string_view root_of(const ClassCollapse*) noexcept { return "labels."; }
[[nodiscard]] constexpr std::string_view root_of(const Neighbourhood*) noexcept { return "neighbours."; }
[[nodiscard]] constexpr std::string_view root_of(const LayerProfile*) noexcept { return "profile."; }

namespace detail {
template <auto... Members>
struct PathOf;
struct Paths;
}  // namespace detail

/// Refers to a number, or a block of them, by its path in the catalogue, such as "variance.dispersion". It cannot be
/// made from a text: `metric_path` makes it from members, and a walk hands it out, so that each resolves. A small value.
class MetricPath {
 public:
  /// Refers to nothing.
  constexpr MetricPath() = default;

  /// As it is written: from the root, or from the result that it stands in.
  [[nodiscard]] constexpr std::string_view view() const noexcept { return full_.substr(hidden_); }
  constexpr operator std::string_view() const noexcept { return view(); }

  /// From the root, as `explain` takes it.
  [[nodiscard]] constexpr std::string_view full() const noexcept { return full_; }

  /// The same, written without the name of the result: "nc1" for "labels.nc1".
  [[nodiscard]] constexpr MetricPath in_result() const noexcept {
    MetricPath result = *this;
    result.hidden_ = root_;
    return result;
  }

  [[nodiscard]] constexpr bool empty() const noexcept { return full_.empty(); }

  /// Whether both refer to the same number, however they are written.
  [[nodiscard]] friend constexpr bool operator==(MetricPath a, MetricPath b) noexcept { return a.full_ == b.full_; }
  /// Whether it is written like this.
  [[nodiscard]] friend constexpr bool operator==(MetricPath a, std::string_view b) noexcept { return a.view() == b; }

 private:
  template <auto... Members>
  friend struct detail::PathOf;
  friend struct detail::Paths;

  constexpr MetricPath(std::string_view full, std::size_t root) : full_(full), root_(root) {}

  std::string_view full_;  ///< static
  std::size_t root_ = 0;   ///< length of the name of the result, with its dot
  std::size_t hidden_ = 0;
};

namespace detail {

template <class Member>
struct MemberType;

template <class OwnerType, class ValueType>
struct MemberType<ValueType OwnerType::*> {
  using Owner = OwnerType;
  using Value = ValueType;
};

/// What a path goes on in: the block, or that of each element of a list.
template <class Value>
struct Inner {
  using Type = Value;
};

template <class Element>
struct Inner<std::vector<Element>> {
  using Type = Element;
};

/// Looks for a member in a catalogue.
template <class Owner, class Value>
struct Finder {
  Value Owner::*wanted;
  const char* name = "";
  FieldInfo info{};
  bool found = false;

  constexpr void operator()(const Field<Owner, Value>& candidate) {
    if (candidate.member != wanted) return;
    found = true;
    name = candidate.name;
    info = candidate.info;
  }

  template <class OtherOwner, class OtherValue>
  constexpr void operator()(const Field<OtherOwner, OtherValue>&) {}
};

template <class In, auto Member>
[[nodiscard]] constexpr auto find_field() {
  using Type = MemberType<std::remove_const_t<decltype(Member)>>;
  Finder<typename Type::Owner, typename Type::Value> finder{Member};
  In::fields(finder);
  return finder;
}

template <class In, auto Member>
struct Found {
  static constexpr auto field = find_field<In, Member>();
  static_assert(field.found, "the catalogue of the block does not list this member");
};

template <std::size_t Size>
struct StaticText {
  char chars[Size + 1] = {};

  [[nodiscard]] constexpr std::string_view view() const noexcept { return {chars, Size}; }
};

template <class In, auto Member, auto... Rest>
constexpr void path_parts(std::string_view* out, FieldInfo& info) {
  *out = Found<In, Member>::field.name;
  using Next = typename Inner<typename MemberType<std::remove_const_t<decltype(Member)>>::Value>::Type;
  if constexpr (sizeof...(Rest) > 0) {
    path_parts<Next, Rest...>(out + 1, info);
  } else {
    info = Found<In, Member>::field.info;
  }
}

template <auto First, auto... Rest>
struct PathOf<First, Rest...> {
  using Result = typename MemberType<std::remove_const_t<decltype(First)>>::Owner;

  struct Parts {
    std::string_view names[1 + sizeof...(Rest)];
    FieldInfo info{};
  };

  [[nodiscard]] static constexpr Parts make_parts() {
    Parts result{};
    path_parts<Result, First, Rest...>(result.names, result.info);
    return result;
  }

  static constexpr std::string_view root = root_of(static_cast<const Result*>(nullptr));
  static constexpr Parts parts = make_parts();

  [[nodiscard]] static constexpr std::size_t size() {
    std::size_t total = root.size() + sizeof...(Rest);
    for (const std::string_view name : parts.names) total += name.size();
    return total;
  }

  [[nodiscard]] static constexpr StaticText<size()> make_text() {
    StaticText<size()> result;
    std::size_t at = 0;
    for (const char c : root) result.chars[at++] = c;
    const std::size_t start = at;
    for (const std::string_view name : parts.names) {
      if (at > start) result.chars[at++] = '.';
      for (const char c : name) result.chars[at++] = c;
    }
    return result;
  }

  static constexpr auto text = make_text();
  static constexpr MetricPath path{text.view(), root.size()};
};

}  // namespace detail

/// The path of a number: `metric_path<&Report::variance, &Variance::dispersion>` is "variance.dispersion". The first
/// member is one of a whole result, each other one of the block, or of the elements of the list, before it. A member
/// that the catalogue does not list does not compile.
template <auto... Members>
inline constexpr MetricPath metric_path = detail::PathOf<Members...>::path;

/// What the catalogue says of it.
template <auto... Members>
inline constexpr FieldInfo metric_info = detail::PathOf<Members...>::parts.info;

/// The name of a member in the catalogue of its own block: `member_name<&Thresholds::redundancy>` is "redundancy".
template <auto Member>
inline constexpr const char* member_name =
    detail::Found<typename detail::MemberType<std::remove_const_t<decltype(Member)>>::Owner, Member>::field.name;

/// A member that holds the number of another result: it has its path and its description.
template <auto... Members, class Owner, class Value>
[[nodiscard]] constexpr Field<Owner, Value> same_number(Value Owner::*member) {
  return {detail::PathOf<Members...>::text.chars, member, metric_info<Members...>};
}

}  // namespace collapse
