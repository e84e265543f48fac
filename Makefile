.PHONY: check test extras xla long docs browser bench array-api dist

check:  ## linter, types and the core's tests: under a minute
	ruff check .
	mypy
	pytest -n auto -x tests/ir tests/ops tests/transform tests/runtime tests/nn tests/optim tests/*.py

test:  ## everything that must pass before a change lands
	pytest -n auto

extras:  ## ONNX, Keras files, plots, serving: pip install '.[test,extras]'
	pytest -n auto -m extras

xla:  ## the XLA backend, which needs JAX: pip install '.[test,xla]'
	pytest -n auto -m 'xla and not long'

long:  ## sweeps that take minutes
	pytest -m long

docs:  ## the site in docs/_build/html, checked; needs pip install '.[docs]'. Runs the notebooks of pages that changed
	sphinx-build --fail-on-warning --keep-going -j auto docs docs/_build/html
	python docs/check.py docs/_build/html

browser:  ## the site in headless Chromium; after make docs
	pytest -m browser

dist:  ## wheel and source archive in dist/, checked; needs pip install build twine
	rm -rf build dist
	python -m build
	twine check --strict dist/*

array-api:  ## the array API standard's own suite; ARRAY_API_TESTS=its checkout, submodule included
	tests/array_api/run.sh

bench:  ## figures, with those of torch, JAX and Keras beside them where they are installed
	python bench/overhead.py
	python bench/step.py
	python bench/eager.py
	python bench/compile.py
	python bench/training.py
