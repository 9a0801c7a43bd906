# What there is to do here, one word each.  The build itself is CMake's: see CMakePresets.json.
JOBS ?= 2
DIR ?= /usr/include
PREFIX ?= /usr/local
ARGS ?=

.PHONY: help demo test verify mutants bench install docs coverage soak fuzz deps clean

help:
	@echo 'make demo     build, then count /usr/include (or DIR=...) with a few thousand actors'
	@echo 'make test     the whole suite'
	@echo 'make verify   the suite under clang, ASan+UBSan and TSan; models; mutants; format'
	@echo 'make mutants  every way we know to break the code; make verify tries a part'
	@echo 'make bench    the benchmarks (ARGS=...)'
	@echo 'make install  into PREFIX (/usr/local), respecting DESTDIR'
	@echo 'make docs     what there is to read, and whether its links hold'
	@echo 'make coverage the suite under gcov, per file'
	@echo 'make soak     half an hour under load; MINUTES=600 for longer'
	@echo 'make fuzz     ten minutes of libFuzzer for each decoder; SECONDS=36000 for longer'
	@echo 'make deps     install what make test and make verify need (Debian)'
	@echo 'make clean    remove build/'

demo:
	@tools/deps.sh build
	@tools/build.sh release $(JOBS)
	build/release/examples/census/census $(DIR)
	build/release/examples/census/census $(DIR) --check

test:
	@tools/deps.sh build test
	@tools/build.sh dev $(JOBS)
	ctest --preset dev -j $(JOBS) --output-log build/dev/ctest.log

verify:
	@tools/deps.sh build test verify
	@tools/verify.sh $(JOBS)

mutants:
	@tools/deps.sh build test verify
	tests/mutants/run.sh

bench:
	@tools/deps.sh build
	@tools/build.sh release $(JOBS)
	build/release/bench/thespis-bench $(ARGS)

install:
	@tools/deps.sh build
	@tools/build.sh release $(JOBS)
	cmake --install build/release --prefix $(PREFIX)

docs:
	@tools/docs.sh

coverage:
	@tools/deps.sh build test
	@tools/coverage.sh $(JOBS)

soak:
	@tools/deps.sh build test
	@tests/soak/run.sh $(MINUTES)

fuzz:
	@tools/deps.sh build test verify
	@tests/fuzz/run.sh $(or $(SECONDS),600)

deps:
	@tools/deps.sh build test verify

clean:
	rm -rf build
