# make run: set up, build, benchmark all methods on the embedded sample data set.
# make test: set up, build, run the tests.
.PHONY: setup build run test check-all

export CCACHE_SLOPPINESS = pch_defines,time_macros
bin := build/release/bin

setup:
	@tools/setup

build: setup
	@test -f build/release/build.ninja || cmake --preset release
	@cmake --build build/release

run: build
	@$(bin)/adbench weights fetch efficientnet_lite0 || \
	  echo "going on with random features: the pretrained weights could not be fetched" >&2
	@$(bin)/adbench run --methods all

test: build
	@OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive ctest --test-dir build/release --output-on-failure --no-tests=error --label-exclude slow -j 2

check-all: build
	@tools/check_layers
	@tools/check_format
	@tools/check_headers
	@cmake --preset asan-light && cmake --build build/asan-light && ctest --preset asan-light -j 2 --exclude-regex '^cli/'
	@cmake --preset tsan && cmake --build build/tsan && ctest --preset tsan -R '^(results|images|datasets)/' -j 2
	@cmake --preset release-no-pch && cmake --build build/release-no-pch
	@cmake --preset golden-only && cmake --build build/golden-only
