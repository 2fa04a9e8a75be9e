#pragma once

#include "format.hpp"
#include "output.hpp"
#include "parser.hpp"

#include <collapse/io/text_options.hpp>
#include <collapse/options.hpp>

#include <string>
#include <vector>

/// Arguments that several subcommands share.
namespace command_line {

/// Files and how they are read.
struct Input {
  std::vector<std::string> paths;
  Format format = Format::automatic;
  std::string tensor;
  collapse::io::TextOptions text;  ///< `columns` and `drop_columns` hold for all formats
};

/// "a.npy", or "a.npy and 3 more".
[[nodiscard]] std::string name_of(const std::vector<std::string>& paths);

/// The end of the help of all commands.
[[nodiscard]] std::string verdicts_and_status();

void declare_format(Arguments& arguments, Input& input);
void declare_output(Arguments& arguments, Output& output);
void declare_saving(Arguments& arguments, std::string& path);

/// Which pairs of rows the quantiles of the cosines are taken over.
void declare_pairs(Arguments& arguments, collapse::Options& options);

/// What holds for whatever is measured of a matrix.
void declare_measuring(Arguments& arguments, collapse::Options& options);

/// Where findings begin: a preset, and single thresholds on top of it.
void declare_thresholds(Arguments& arguments, collapse::Thresholds& thresholds);

/// Prints what was decided on reading an input, a line each on standard error.
void print_remarks(const std::string& name, const std::vector<std::string>& remarks);

}  // namespace command_line
