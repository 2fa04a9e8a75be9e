#pragma once

/// The catalogue: each block of a result describes its numbers once, and whatever shows, compares, resamples or explains
/// them walks these descriptions.
///
///     struct Norms {
///       double mean = undefined;
///
///       template <class Visit>
///       static constexpr void fields(Visit&& visit) {
///         visit(field("mean", &Norms::mean, {.label = "mean", .tells = "mean length of the rows"}));
///       }
///     };
///
/// `fields` calls visit with one Field for each member, in the order of the JSON keys. It is a template, so a source
/// that walks no block compiles none of it. See path.hpp for references to a field and walk.hpp for whole results.

/// What is never in a hurry, and would cost the compiler most: it is compiled for size. `NOINLINE` moreover keeps what
/// is called from dozens of places out of all of them.
#if defined(__GNUC__)
#define COLLAPSE_COLD __attribute__((cold))
#define COLLAPSE_NOINLINE __attribute__((noinline, cold))
#else
#define COLLAPSE_COLD
#define COLLAPSE_NOINLINE
#endif

namespace collapse {

/// What is to be said of a number. All but the last three are texts; an empty one has nothing to say.
struct FieldInfo {
  const char* label = "";    ///< its name on a page, blanks first where it belongs to the one above; empty: not listed
  const char* remark = "";   ///< beside it on a page, in a few words
  const char* tells = "";    ///< what it tells, a phrase
  const char* range = "";    ///< the values that it can have
  const char* healthy = "";  ///< its value where nothing is wrong
  const char* cost = "";     ///< multiplications, beside those that its block needs anyway
  const char* source = "";   ///< who introduced it
  const char* formula = "";  ///< the header that has the formula, from include/collapse on
  const char* repeats = "";  ///< of a block: which other one has the same numbers
  bool resampled = false;    ///< varies smoothly with the rows, so a jackknife tells its error; of a block: some do
  bool of_pairs = false;     ///< of the sampled pairs, with a standard error of its own where these are not all
  bool on_demand = false;    ///< measured only where it is asked for; left out of a page otherwise
};

/// One member of a block.
template <class Owner, class Type>
struct Field {
  using Value = Type;

  const char* name;  ///< its JSON key
  Type Owner::*member;
  FieldInfo info;
};

template <class Owner, class Type>
[[nodiscard]] constexpr Field<Owner, Type> field(const char* name, Type Owner::*member, const FieldInfo& info = {}) {
  return {name, member, info};
}

namespace detail {

struct AnyVisit {
  template <class Owner, class Type>
  constexpr void operator()(const Field<Owner, Type>&) const {}
};

}  // namespace detail

/// A struct with a catalogue of its members.
template <class Type>
concept Block = requires {
  &Type::template fields<detail::AnyVisit>;
};

}  // namespace collapse
