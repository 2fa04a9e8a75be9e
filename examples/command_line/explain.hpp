#pragma once

#include <string_view>

/// `collapse explain [PATH|BLOCK]`: what a number means, or the README's table of all.
/// @param path      as in JSON and in findings; empty: all blocks
/// @param ascii     without signs beyond ASCII
/// @param markdown  the table of all numbers instead
/// @return the exit status
/// @throws collapse::Error for a path that nothing has, naming those near it
int explain(std::string_view path, bool ascii, bool markdown);
