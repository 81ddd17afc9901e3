#include "runners/schedule/download.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include <curl/curl.h>
#include <strings.h>

#include "core/error.h"
#include "core/files.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

constexpr auto kKind = ErrorKind::kWeights;
constexpr int kMaxRedirects = 5;
constexpr int kMaxRetries = 3;
constexpr long kConnectSeconds = 20;
constexpr long kStallSeconds = 60;  // without a byte

struct CloseCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// One request, from the byte that the file ends at.
struct Transfer {
  const Download* download;
  CURL* curl;
  std::FILE* file;
  std::int64_t start;     // bytes that were there
  std::int64_t received;  // of this transfer
  bool too_large = false;
  bool from_start = false;  // the server sends all of the file although it was asked for the rest
  bool write_failed = false;

  std::int64_t done() const { return start + received; }
};

std::size_t on_data(char* data, std::size_t one, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::size_t bytes = one * count;
  long status = 0;
  curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200 && status != 206) {
    return bytes;  // the text of a redirect or an error page is not the file's
  }
  if (status == 200 && transfer.start > 0) {
    transfer.from_start = true;
    return 0;
  }
  if (static_cast<std::int64_t>(bytes) > transfer.download->max_bytes - transfer.done()) {
    transfer.too_large = true;
    return 0;
  }
  if (std::fwrite(data, 1, bytes, transfer.file) != bytes) {
    transfer.write_failed = true;
    return 0;
  }
  transfer.received += static_cast<std::int64_t>(bytes);
  return bytes;
}

int on_progress(void* user, curl_off_t total, curl_off_t, curl_off_t, curl_off_t) {
  const auto& transfer = *static_cast<const Transfer*>(user);
  if (transfer.download->progress) {
    transfer.download->progress(transfer.done(), total > 0 ? transfer.start + total : 0);
  }
  return 0;
}

void set_up(CURL* curl, const Download& download, const std::string& url, Transfer* transfer) {
  curl_easy_reset(curl);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "adbench");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
  if (transfer->start > 0) {
    // Not CURLOPT_RESUME_FROM, with which libcurl gives up on a redirect that has a body.
    curl_easy_setopt(curl, CURLOPT_RANGE, fmt::format("{}-", transfer->start).c_str());
  }
  if (!download.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, download.ca_file.c_str());
  }
}

bool is_https(const std::string& url) {
  constexpr std::string_view kScheme = "https://";
  return url.size() > kScheme.size() &&
         ::strncasecmp(url.c_str(), kScheme.data(), kScheme.size()) == 0;
}

bool is_offline(CURLcode code) {
  return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY ||
         code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT;
}

// Broke after the server had answered: worth another try.
bool is_cut(CURLcode code) {
  return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING ||
         code == CURLE_HTTP2_STREAM || code == CURLE_OPERATION_TIMEDOUT;
}

enum class Next { kDone, kRedirected, kFromStart, kAgain };

class Fetcher {
 public:
  explicit Fetcher(const Download& download)
      : download_(download), url_(download.url), curl_(curl_easy_init()) {
    ADB_CHECK(curl_ != nullptr, ErrorKind::kInternal, "libcurl does not start");
    ADB_CHECK(is_https(url_), kKind, "'{}' is no https:// address", url_);
  }

  void run() {
    int redirects = 0, retries = 0;
    for (;;) {
      const auto before = size();
      switch (request()) {
        case Next::kDone:
          return;
        case Next::kRedirected:
          ADB_CHECK(++redirects <= kMaxRedirects,
                    kKind,
                    "'{}' redirects more than {} times",
                    download_.url,
                    kMaxRedirects);
          break;
        case Next::kFromStart:
          // Only of a file that is there: with an empty one the server's refusal is final.
          ADB_CHECK(before > 0, kKind, "cannot download '{}': {}", url_, last_);
          fs::resize_file(download_.to, 0);
          break;
        case Next::kAgain:
          ADB_CHECK(
              ++retries <= kMaxRetries,
              kKind,
              "the connection to '{}' broke {} times ({}); {} bytes are kept, the same command "
              "goes on there",
              url_,
              retries,
              last_,
              size());
          break;
      }
    }
  }

 private:
  std::int64_t size() const {
    std::error_code absent;
    const auto bytes = fs::file_size(download_.to, absent);
    return absent ? 0 : static_cast<std::int64_t>(bytes);
  }

  Next request() {
    const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(download_.to.c_str(), "ab"));
    ADB_CHECK(file != nullptr,
              kKind,
              "cannot write '{}': {}",
              download_.to.string(),
              std::strerror(errno));
    Transfer transfer{&download_, curl_.get(), file.get(), size(), 0};
    set_up(curl_.get(), download_, url_, &transfer);
    const CURLcode code = curl_easy_perform(curl_.get());
    ADB_CHECK(!transfer.write_failed && std::fflush(file.get()) == 0,
              kKind,
              "cannot write '{}': {}",
              download_.to.string(),
              std::strerror(errno));
    ADB_CHECK(!transfer.too_large,
              kKind,
              "'{}' sends more than the {} bytes that it should have",
              url_,
              download_.max_bytes);
    long status = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    last_ = code == CURLE_OK ? fmt::format("HTTP status {}", status) : curl_easy_strerror(code);
    if (code == CURLE_OK && status >= 300 && status < 400) {
      return redirect();
    }
    // 416: what is there is not a beginning of what the server has.
    if (transfer.from_start || status == 416) {
      return Next::kFromStart;
    }
    if (code == CURLE_OK && (status == 200 || status == 206)) {
      return Next::kDone;
    }
    if (is_cut(code) && (status == 200 || status == 206)) {
      return Next::kAgain;
    }
    ADB_CHECK(!is_offline(code),
              kKind,
              "cannot reach '{}' ({}): this machine seems to be offline",
              url_,
              last_);
    fail(kKind, "cannot download '{}': {}", url_, last_);
  }

  Next redirect() {
    const char* target = nullptr;
    curl_easy_getinfo(curl_.get(), CURLINFO_REDIRECT_URL, &target);
    ADB_CHECK(target != nullptr, kKind, "'{}' redirects to nowhere", url_);
    ADB_CHECK(is_https(target),
              kKind,
              "'{}' redirects to '{}', which is not HTTPS: refused",
              url_,
              target);
    url_ = target;
    return Next::kRedirected;
  }

  const Download& download_;
  std::string url_;
  std::unique_ptr<CURL, CloseCurl> curl_;
  std::string last_;  // how the last request ended
};

}  // namespace

void fetch_https(const Download& download) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  ADB_CHECK(started == CURLE_OK, ErrorKind::kInternal, "libcurl does not start");
  Fetcher(download).run();
}

}  // namespace adb
