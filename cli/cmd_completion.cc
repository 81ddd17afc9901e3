// Completion scripts, written from the tree of commands and flags that the parser itself has.
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "core/text.h"

namespace adb {
namespace {

// A command as a path of words ("store diff"), with what may follow it.
struct Node {
  std::vector<std::string> path;
  std::vector<std::pair<std::string, std::string>> commands;  // name, summary
  struct Flag {
    std::string name;  // --store
    std::string help;
    bool takes_value = false;
    std::vector<std::string> values;  // when only these are allowed
  };
  std::vector<Flag> flags;
};

// The words of a check such as CLI::IsMember, whose description is "{a,b,c}".
std::vector<std::string> values_of(const CLI::Option& option) {
  const auto text = option.get_type_name();
  const auto open = text.find('{'), close = text.rfind('}');
  return open == std::string::npos || close == std::string::npos || close < open
             ? std::vector<std::string>()
             : split(text.substr(open + 1, close - open - 1), ',');
}

void collect(const CLI::App& app, const std::vector<std::string>& path, std::vector<Node>* nodes) {
  Node node;
  node.path = path;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    node.commands.emplace_back(command->get_name(), command->get_description());
  }
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) {
      node.flags.push_back({"--" + name,
                            option->get_description(),
                            option->get_expected_max() > 0,
                            values_of(*option)});
    }
  }
  nodes->push_back(node);
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    auto deeper = path;
    deeper.push_back(command->get_name());
    collect(*command, deeper, nodes);
  }
}

std::string single_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return quoted + "'";
}

std::string names_of(const Node& node) {
  std::vector<std::string> words;
  for (const auto& [name, summary] : node.commands) {
    words.push_back(name);
  }
  for (const auto& flag : node.flags) {
    words.push_back(flag.name);
  }
  return join(words, " ");
}

// One function that walks the words typed so far; `kind` says how the shell takes the answer.
std::string bash_script(const std::vector<Node>& nodes) {
  std::string words, values;
  for (const auto& node : nodes) {
    const auto path = join(node.path, " ");
    words +=
        fmt::format("    {}) words={} ;;\n", single_quoted(path), single_quoted(names_of(node)));
    for (const auto& flag : node.flags) {
      if (!flag.takes_value) {
        continue;
      }
      values += fmt::format("    {}) values={}; takes=1 ;;\n",
                            single_quoted(path + "|" + flag.name),
                            flag.values.empty() ? "" : single_quoted(join(flag.values, " ")));
    }
  }
  return "# adbench completion for bash: source <(adbench completion bash)\n"
         "_adbench() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local path='' words='' values='' takes='' i\n"
         "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
         "    _adbench_words \"$path\"\n"
         "    case \" $words \" in *\" ${COMP_WORDS[i]} \"*)\n"
         "      case ${COMP_WORDS[i]} in -*) ;; *) path=\"${path:+$path }${COMP_WORDS[i]}\" ;; "
         "esac\n"
         "    esac\n"
         "  done\n"
         "  _adbench_words \"$path\"\n"
         "  _adbench_values \"$path|$previous\"\n"
         "  if [ -n \"$takes\" ]; then\n"
         "    if [ -n \"$values\" ]; then COMPREPLY=($(compgen -W \"$values\" -- \"$current\"))\n"
         "    else COMPREPLY=($(compgen -f -- \"$current\")); fi\n"
         "  else\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  fi\n"
         "}\n"
         "_adbench_words() {\n  words=''\n  case $1 in\n" +
         words + "  esac\n}\n_adbench_values() {\n  case $1 in\n" + values +
         "  esac\n}\ncomplete -o bashdefault -o default -F _adbench adbench\n";
}

// zsh runs bash's completion functions through bashcompinit.
std::string zsh_script(const std::vector<Node>& nodes) {
  return "#compdef adbench\n# adbench completion for zsh: source <(adbench completion zsh)\n"
         "autoload -U +X compinit && compinit\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         bash_script(nodes);
}

std::string fish_script(const std::vector<Node>& nodes) {
  std::string script =
      "# adbench completion for fish: adbench completion fish | source\n"
      "complete -c adbench -f\n";
  for (const auto& node : nodes) {
    std::string seen;  // all words of the path were typed, none of the next commands
    for (const auto& word : node.path) {
      seen += (seen.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + word);
    }
    std::vector<std::string> next;
    for (const auto& [name, summary] : node.commands) {
      next.push_back(name);
    }
    if (!next.empty()) {
      seen +=
          (seen.empty() ? "" : "; and ") + ("not __fish_seen_subcommand_from " + join(next, " "));
    }
    const auto condition = seen.empty() ? "" : " -n " + single_quoted(seen);
    for (const auto& [name, summary] : node.commands) {
      script += fmt::format(
          "complete -c adbench{} -a {} -d {}\n", condition, name, single_quoted(summary));
    }
    for (const auto& flag : node.flags) {
      script +=
          fmt::format("complete -c adbench{} -l {}{} -d {}\n",
                      condition,
                      flag.name.substr(2),
                      !flag.takes_value     ? ""
                      : flag.values.empty() ? " -r -F"
                                            : " -x -a " + single_quoted(join(flag.values, " ")),
                      single_quoted(flag.help));
    }
  }
  return script;
}

}  // namespace

Command completion_command() {
  return {"completion", "a completion script for bash, zsh or fish", [](CLI::App& app) {
            auto shell = std::make_shared<std::string>();
            app.add_option("shell", *shell, "bash, zsh or fish")
                ->required()
                ->check(CLI::IsMember({"bash", "zsh", "fish"}));
            return [shell, &app] {
              std::vector<Node> nodes;
              collect(*app.get_parent(), {}, &nodes);
              fmt::print("{}",
                         *shell == "bash"  ? bash_script(nodes)
                         : *shell == "zsh" ? zsh_script(nodes)
                                           : fish_script(nodes));
              return 0;
            };
          }};
}

}  // namespace adb
