#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/html/page.h"
#include "tests/reports/sample_page.h"

namespace adb {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::sample_page;
using testing::sample_report_run;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t number = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++number;
  }
  return number;
}

// From the first `begin` to the next `end` after it.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const auto from = text.find(begin);
  EXPECT_NE(from, std::string::npos) << begin;
  return from == std::string::npos ? "" : text.substr(from, text.find(end, from) - from);
}

// The attribute's value after `at`.
std::string attribute(const std::string& text, const std::string& name, std::size_t at) {
  const std::size_t from = text.find(name + "=\"", at) + name.size() + 2;
  return text.substr(from, text.find('"', from) - from);
}

// Every measured figure of the leaderboard: "METHOD KEY" -> value to sort by. A method's later
// rows (another setting, say) are told apart by their number.
std::map<std::string, std::string> leaderboard_figures(const std::string& page) {
  const std::string section = between(page, "<section id=\"leaderboard\">", "</section>");
  std::map<std::string, std::string> figures;
  std::map<std::string, int> rows;
  for (auto at = section.find("<tbody"); at != std::string::npos;
       at = section.find("<tbody", at + 1)) {
    const std::string method = attribute(section, "data-method", at);
    const int number = ++rows[method];
    const auto end = section.find("</tr>", at);
    for (auto cell = section.find("<td data-k", at); cell < end;
         cell = section.find("<td data-k", cell + 1)) {
      figures[fmt::format("{} {} {}", method, number, attribute(section, "data-k", cell))] =
          attribute(section, "data-v", cell);
    }
  }
  return figures;
}

// No std::regex here: it recurses once a character, which a page overflows.
bool has_inline_handler(const std::string& page) {
  bool in_tag = false;
  bool quoted = false;
  const auto end = page.find("<script");
  for (auto i = page.find("<body>"); i < end; ++i) {
    quoted = in_tag && (page[i] == '"' ? !quoted : quoted);
    in_tag = quoted || (page[i] == '<' ? true : page[i] == '>' ? false : in_tag);
    if (in_tag && !quoted && page.compare(i, 3, " on") == 0) {
      return true;
    }
  }
  return false;
}

TEST(Page, IsOneFileWithoutAnythingOutside) {
  const std::string page = html_page(sample_page());
  EXPECT_THAT(page, Not(HasSubstr("http://")));
  EXPECT_THAT(page, Not(HasSubstr("https://")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  for (const char* outside : {"<link", "@import", "url("}) {
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  }
  EXPECT_FALSE(has_inline_handler(page));
  EXPECT_THAT(page, HasSubstr("default-src 'none'; img-src data:;"));
  EXPECT_THAT(page, HasSubstr("script-src 'sha256-"));
  EXPECT_EQ(count(page, "<script"), 1U);
  EXPECT_EQ(page, html_page(sample_page())) << "equal input, equal bytes";
}

TEST(Page, HasEveryPart) {
  const std::string page = html_page(sample_page());
  for (const char* part : {"conditions",
                           "leaderboard",
                           "classes",
                           "cost",
                           "training",
                           "efficiency",
                           "curves",
                           "images",
                           "runs",
                           "notes"}) {
    EXPECT_THAT(page, HasSubstr("<section id=\"" + std::string(part) + "\">"));
    EXPECT_TRUE(part == std::string("conditions") ||
                page.find("<a href=\"#" + std::string(part) + "\">") != std::string::npos)
        << part;
  }
}

TEST(Page, ShowsFiguresOverTheInputSizeWhereThereAreSeveral) {
  PageInput input = sample_page();
  EXPECT_THAT(html_page(input), Not(HasSubstr("<section id=\"resolution\">")));
  testing::add_sample_sizes(input);
  const std::string page = html_page(input);
  EXPECT_THAT(page, HasSubstr("<a href=\"#resolution\">Input size</a>"));
  const std::string section = between(page, "<section id=\"resolution\">", "</section>");
  EXPECT_EQ(count(section, "<figure>"), 8U) << "one a metric";
  EXPECT_EQ(count(section, "<circle"), 8 * 3U) << "RD at three sizes, nothing else";
  EXPECT_THAT(section, HasSubstr("<title>RD</title>"));
}

TEST(Page, EscapesHostileNames) {
  const std::string hostile = "</title><script>alert(1)</script><img src=x onerror='a'>\"&\n";
  PageInput input = sample_page();
  for (auto& run : input.runs) {
    run.run.method += hostile;
    run.run.method_title += hostile;
    run.run.dataset += hostile;
    run.run.protocol += hostile;
    run.run.reason += hostile;
    run.run.notes = run.run.folder = run.run.host = run.run.device = hostile;
    run.run.weights.name = run.run.weights.source = hostile;
    run.run.options[hostile] = hostile;
    run.run.protocol_config[hostile] = {hostile, 1};
    run.run.changed_options = {
        {.path = hostile, .value = hostile, .default_value = hostile, .origin = hostile}};
    run.environment.cpu = run.environment.host = run.environment.code_commit = hostile;
    run.environment.libraries[hostile] = hostile;
    for (auto& name : run.run.classes) {
      name += hostile;
    }
    for (auto& row : run.metrics) {
      row.category += row.category.empty() ? "" : hostile;
      row.reason += row.reason.empty() ? "" : hostile;
    }
    for (auto& row : run.counts) {
      row.category += hostile;
      row.name += hostile;
    }
    for (auto& row : run.efficiency) {
      row.note += hostile;
    }
  }
  for (auto& [id, more] : input.more) {
    for (auto& row : more.curves) {
      row.name += hostile;
    }
    more.artifacts.push_back({.kind = hostile, .path = hostile, .sha256 = hostile});
    more.problems.push_back(hostile);
    for (auto& curves : more.classes) {
      curves.category += hostile;
    }
  }
  for (auto& picture : input.pictures) {
    picture.picture.category += hostile;
    picture.picture.sample += hostile;
  }
  input.store = input.version = hostile;
  const std::string page = html_page(input);
  EXPECT_EQ(count(page, "<script"), 1U);
  EXPECT_FALSE(has_inline_handler(page));
  EXPECT_THAT(page, Not(HasSubstr("alert(1)</script><img")));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)"));
}

TEST(Page, ColumnsAreBoundToMetricKeys) {
  PageInput input = sample_page();
  const auto expected = leaderboard_figures(html_page(input));
  EXPECT_GT(expected.size(), 20U);
  for (auto& run : input.runs) {
    std::reverse(run.metrics.begin(), run.metrics.end());
    std::rotate(run.metrics.begin(),
                run.metrics.begin() + static_cast<std::ptrdiff_t>(run.metrics.size() / 3),
                run.metrics.end());
  }
  std::reverse(input.runs.begin(), input.runs.end());
  EXPECT_EQ(leaderboard_figures(html_page(input)), expected);
  input.options.metrics = {"mad", "pixel.aupro", "image.auroc"};
  for (const auto& [place, value] : leaderboard_figures(html_page(input))) {
    EXPECT_EQ(value, expected.at(place)) << place;
  }
}

TEST(Page, MarksRowsThatDoNotCompareAndTheBestOfThoseThatDo) {
  const std::string page = html_page(sample_page());
  EXPECT_THAT(page, HasSubstr("Rows with different marks do not compare."));
  EXPECT_THAT(page, HasSubstr("<dt id=\"condition-A\">A</dt>"));
  EXPECT_THAT(page, HasSubstr("<dt id=\"condition-B\">B</dt>"));
  const std::string section = between(page, "<section id=\"leaderboard\">", "</section>");
  EXPECT_THAT(section, HasSubstr("class=\"mark\" href=\"#condition-B\""));
  EXPECT_THAT(section, HasSubstr("<b>"));
  EXPECT_THAT(section, HasSubstr("<span class=\"sd\">±"));
  EXPECT_THAT(section, HasSubstr("last epoch"));
}

TEST(Page, SaysWhyAFigureIsUndefinedAndWhatIsMissing) {
  const std::string page = html_page(sample_page());
  EXPECT_THAT(page, HasSubstr("n/a <a href=\"#note-1\">(1)</a>"));
  EXPECT_THAT(page, HasSubstr("<li id=\"note-1\">class carpet: no component"));
  EXPECT_THAT(page, HasSubstr("killed at 24 GiB"));
}

TEST(Page, ShowsTheProvenanceOfEveryRun) {
  const PageInput input = sample_page();
  const std::string page = html_page(input);
  for (const auto& run : input.runs) {
    const std::string block =
        between(page,
                fmt::format("<details class=\"run\" id=\"run-{}\">", to_int(run.run.id)),
                "</details>");
    EXPECT_THAT(block, HasSubstr(run.run.key));
    EXPECT_THAT(block, HasSubstr(run.run.data_manifest));
  }
  EXPECT_THAT(page, HasSubstr("suite.yaml:3:7"));
  EXPECT_THAT(page, HasSubstr("sha256 0123456789abcdef0123"));
  EXPECT_THAT(page, HasSubstr("two cores"));
}

TEST(Page, HasNoBrokenNumber) {
  PageInput input = sample_page();
  for (auto& [id, more] : input.more) {
    more.curves.push_back({.epoch = 3, .name = "loss", .value = 1e308});
    more.curves.push_back({.epoch = 4, .name = "loss", .value = -1e308});
  }
  const std::string page = html_page(input);
  const std::string body =
      page.substr(page.find("<body>"), page.find("<script") - page.find("<body>"));
  for (const char* before : {" ", "\"", "M", "L", "H", "V", ">"}) {
    for (const char* number : {"nan", "-nan", "inf ", "inf\"", "inf<", "-inf"}) {
      EXPECT_EQ(body.find(std::string(before) + number), std::string::npos) << before << number;
    }
  }
}

TEST(Page, KeepsTheWorstImagesThatFit) {
  PageInput input = sample_page();
  const std::string all = html_page(input);
  EXPECT_EQ(count(all, "<div class=\"tile\""), input.pictures.size());
  EXPECT_EQ(count(all, "<image id="), 2 + input.pictures.size())
      << "one input and one truth for all, one heat map each";
  // Within a class the most wrong one first, whatever the order of the input.
  const std::string block =
      between(all, "<details class=\"images\" data-category=\"carpet\"", "</details>");
  EXPECT_LT(block.find("data-sample=\"cut/1\""), block.find("data-sample=\"cut/2\""));
  EXPECT_THAT(block, HasSubstr("<summary>carpet: 4 of 50 images</summary>"));

  input.max_bytes = all.size() - 8'000;
  const std::string fewer = html_page(input);
  EXPECT_LT(count(fewer, "<div class=\"tile\""), input.pictures.size());
  EXPECT_GT(count(fewer, "<div class=\"tile\""), 0U);
  for (auto& run : input.runs) {
    for (auto& counted : run.counts) {
      counted.value = 4;
    }
  }
  input.max_bytes = all.size();
  EXPECT_THAT(html_page(input), HasSubstr("<summary>carpet: 4 images</summary>"));
  input.max_bytes = 1;
  const std::string none = html_page(input);
  EXPECT_EQ(count(none, "<div class=\"tile\""), 0U);
  EXPECT_THAT(none, HasSubstr("Curves left out"));
  EXPECT_EQ(leaderboard_figures(none), leaderboard_figures(all));
}

TEST(Page, OfNoRunsIsAPage) {
  const std::string page = html_page({});
  EXPECT_THAT(page, HasSubstr("0 runs"));
  EXPECT_THAT(page, HasSubstr("</html>"));
}

TEST(WrongShares, CountTheRivalsOnTheWrongSide) {
  std::vector<Thumbnail> images(5);
  const std::vector<std::pair<bool, double>> facts = {
      {false, 0.1}, {false, 0.5}, {true, 0.5}, {true, 0.9}, {true, 0.05}};
  for (std::size_t i = 0; i < facts.size(); ++i) {
    images[i].anomalous = facts[i].first;
    images[i].score = facts[i].second;
  }
  EXPECT_THAT(wrong_shares(images), ::testing::ElementsAre(1.0 / 3, 1.5 / 3, 0.25, 0, 1));
  for (auto& image : images) {
    image.anomalous = true;
  }
  EXPECT_THAT(wrong_shares(images), ::testing::Each(-1));
}

}  // namespace
}  // namespace adb
