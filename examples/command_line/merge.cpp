#include "command.hpp"
#include "groups.hpp"
#include "parser.hpp"
#include "score.hpp"

#include <collapse/options.hpp>

#include <memory>
#include <string>
#include <vector>

namespace command_line {

namespace {

struct MergeArguments {
  std::vector<std::string> paths;
  std::string save_state;
  Output output;
  collapse::Thresholds thresholds;  ///< a state has none
};

}  // namespace

Command merge_command(Arguments& arguments) {
  const auto told = std::make_shared<MergeArguments>();
  arguments.footer(verdicts_and_status() +
                   "Examples:\n"
                   "  collapse score monday.npy --save-state monday.state\n"
                   "  collapse merge monday.state tuesday.state --save-state week.state");
  arguments.files("STATE", "Files written by --save-state", told->paths);
  declare_output(arguments, told->output);
  declare_thresholds(arguments, told->thresholds);
  declare_saving(arguments, told->save_state);
  return {[told] { return name_of(told->paths); },
          [told] { return merge(told->paths, told->save_state, told->output, told->thresholds); }};
}

}  // namespace command_line
