#include "explain.hpp"

#include <collapse/text/explain.hpp>

#include <fmt/format.h>

int explain(std::string_view path, bool ascii, bool markdown) {
  const auto style = ascii ? collapse::TextStyle::ascii : collapse::TextStyle::utf8;
  fmt::print("{}", markdown ? collapse::catalogue_table() : collapse::explain(path, style));
  return 0;
}
