# The playground's commands. `make help` lists them.
#
# Everything installs into .venv, once: a stamp file per extra remembers what is there, and pip runs again only when
# pyproject.toml or constraints.txt has changed. Works with the make 3.81 that macOS has, and in Git Bash on Windows.

SHELL := bash
# Which GPU: auto (the one with the most free memory, or the CPU where there is none), none, or numbers such as 0,1
GPU ?= auto
# Another index for PyTorch, such as https://download.pytorch.org/whl/cpu (no CUDA: 200 MB instead of gigabytes)
TORCH_INDEX ?=
# The Python that .venv is made with; by default the first of 3.10 to 3.13 that is found
BASE_PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.10 python; do \
	"$$p" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null && { echo "$$p"; break; }; done)

BIN := $(if $(filter Windows_NT,$(OS)),.venv/Scripts,.venv/bin)
PYTHON := $(BIN)/python
PIP := $(PYTHON) -m pip --disable-pip-version-check
RUN := GPU=$(GPU) bash shared_scripts/select_gpu.sh -- $(CURDIR)/$(PYTHON)
PROJECTS := neural_style fast_style_transfer cyclegan_pix2pix dcgan_tf stargan progan
TENSORFLOW_PROJECTS := fast_style_transfer dcgan_tf

.DEFAULT_GOAL := help
.PHONY: help setup demo test-all lint bench gallery clean $(PROJECTS:%=demo-%) demo-dcgan_tf-train demo-progan-train $(PROJECTS:%=test-%) $(PROJECTS:%=download-%)

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9_-]+:.*## / {printf "  make %-31s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '  make test-%-26s %s\n' shared_scripts "that folder's tests alone" $(foreach p,$(PROJECTS) benchmarks,$(p) "likewise")
	@echo "Options: GPU=auto|none|0,1 (now $(GPU)), TORCH_INDEX=URL, BASE_PYTHON=python3.12"

# --- installing ---------------------------------------------------------------------------------------------------

.venv/.created:
	@test -n "$(BASE_PYTHON)" || { echo "error: Python 3.10 to 3.13 is needed; install it or say make BASE_PYTHON=/path/to/python" >&2; exit 2; }
	@echo "Creating .venv with $$($(BASE_PYTHON) --version)"
	@$(BASE_PYTHON) -m venv .venv || { echo "error: this Python cannot make a virtual environment; on Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 2; }
	@touch $@

# torch comes first and alone, so that nothing else can bring another build of it
.venv/.torch: .venv/.created constraints.txt
	@echo "Installing PyTorch …"
	@$(PIP) install --quiet $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $$(grep '^torch==' constraints.txt)
	@touch $@

define install_extra
@echo "Installing what $* needs …"
@$(PIP) install --quiet --constraint constraints.txt --editable '.[$(subst _,-,$*)]'
@touch $@
endef

# the TensorFlow projects do without torch
$(TENSORFLOW_PROJECTS:%=.venv/.extra-%): .venv/.extra-%: .venv/.created pyproject.toml constraints.txt
	$(install_extra)

.venv/.extra-%: .venv/.torch pyproject.toml constraints.txt
	$(install_extra)

setup: .venv/.extra-all  ## install what all projects need
	@echo "Ready. Try: make demo"

# --- running ------------------------------------------------------------------------------------------------------

demo: demo-neural_style  ## a photograph painted in a style, in about a minute

demo-neural_style: .venv/.extra-neural_style  ## the same, by its project's name
	@$(RUN) neural_style/demo.py

demo-fast_style_transfer: .venv/.extra-fast_style_transfer  ## a photograph in four styles at once, in seconds
	@$(RUN) fast_style_transfer/demo.py

demo-cyclegan_pix2pix: .venv/.extra-cyclegan_pix2pix  ## two minutes of pix2pix: outlines become shaded shapes
	@$(RUN) cyclegan_pix2pix/demo.py

demo-dcgan_tf: .venv/.extra-dcgan_tf  ## ten seconds of film through the space that digits come from
	@$(RUN) dcgan_tf/demo.py

demo-dcgan_tf-train: .venv/.extra-dcgan_tf  ## a DCGAN learns to write digits, in a few minutes
	@$(RUN) dcgan_tf/demo_training.py

demo-stargan: .venv/.extra-stargan  ## faces with other hair, glasses, a smile, and a film of it, in seconds
	@$(RUN) stargan/demo.py

demo-progan: .venv/.extra-progan  ## landscapes that nobody drew, and a film of a walk through them, in seconds
	@$(RUN) progan/demo.py

demo-progan-train: .venv/.extra-progan  ## from nothing to shapes of 32 x 32, growing from 4 x 4, in ten minutes
	@$(RUN) progan/demo_training.py

gallery: $(PROJECTS:%=.venv/.extra-%)  ## make the pictures of the READMEs again (half an hour)
	@$(RUN) neural_style/make_figures.py
	@$(RUN) fast_style_transfer/make_figures.py
	@$(RUN) cyclegan_pix2pix/make_figures.py
	@$(RUN) dcgan_tf/make_figures.py
	@$(RUN) stargan/make_figures.py
	@$(RUN) progan/make_figures.py

bench: $(PROJECTS:%=.venv/.extra-%)  ## how fast it is here: prints tables, writes benchmarks/results
	@$(RUN) benchmarks/neural_style.py
	@$(RUN) benchmarks/fast_style_transfer.py
	@$(RUN) benchmarks/cyclegan_pix2pix.py
	@$(RUN) benchmarks/dcgan_tf.py
	@$(RUN) benchmarks/stargan.py
	@$(RUN) benchmarks/progan.py

download-neural_style: .venv/.created  ## fetch the original VGG-19 (500 MB)
	@PYTHON="$(CURDIR)/$(PYTHON)" bash neural_style/scripts/download_network.sh

download-fast_style_transfer: .venv/.created  ## fetch the original's six published styles (120 MB)
	@PYTHON="$(CURDIR)/$(PYTHON)" bash fast_style_transfer/download_styles.sh

download-cyclegan_pix2pix: .venv/.created  ## fetch a published CycleGAN (45 MB) and its pictures (130 MB): horses to zebras
	@cd cyclegan_pix2pix && PYTHON="$(CURDIR)/$(PYTHON)" bash scripts/download_cyclegan_model.sh horse2zebra
	@cd cyclegan_pix2pix && PYTHON="$(CURDIR)/$(PYTHON)" bash datasets/download_cyclegan_dataset.sh horse2zebra

download-dcgan_tf: .venv/.extra-dcgan_tf  ## fetch MNIST (12 MB) into dcgan_tf/data
	@cd dcgan_tf && $(CURDIR)/$(PYTHON) download.py mnist

download-stargan: .venv/.created  ## fetch the original's generator of celebrities' faces
	@cd stargan && PYTHON="$(CURDIR)/$(PYTHON)" bash download.sh pretrained-celeba-128x128

download-progan: .venv/.extra-progan  ## fetch the original's generator of celebrities' faces (280 MB)
	@cd progan && PYTHON="$(CURDIR)/$(PYTHON)" bash scripts/download_network.sh celebahq-1024x1024

# --- testing ------------------------------------------------------------------------------------------------------

test-all: .venv/.extra-all .venv/.extra-dev  ## run every test
	@$(PYTHON) shared_scripts/run_tests.py shared_scripts $(PROJECTS) benchmarks

test-shared_scripts test-benchmarks $(PROJECTS:%=test-%): .venv/.extra-all .venv/.extra-dev
	@$(PYTHON) shared_scripts/run_tests.py $(@:test-%=%)

lint: .venv/.extra-dev  ## check the code's style
	@$(PYTHON) -m ruff check --quiet . && $(PYTHON) -m ruff format --check --quiet . && echo "lint: fine"

clean:  ## remove .venv and what the demos made
	rm -rf .venv $(PROJECTS:%=%/demo)
