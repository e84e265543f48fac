#!/bin/sh
# The test suite of the array API standard, over tarazu. Its folder, with the `array-api` submodule in it, is not part
# of this repository: take a checkout of data-apis/array-api-tests.
# ARRAY_API_TESTS names it; other arguments for pytest may follow: --max-examples 200 array_api_tests/test_fft.py.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${ARRAY_API_TESTS:-}" ] || [ -z "$(ls "$ARRAY_API_TESTS/array-api" 2>/dev/null)" ]; then
    echo "set ARRAY_API_TESTS to a checkout of data-apis/array-api-tests with its submodule" >&2
    exit 2
fi
cd "$ARRAY_API_TESTS"
[ $# -gt 0 ] || set -- --max-examples 30 array_api_tests
# no deadline: the suite compares element by element, and how long that takes says nothing about tarazu
ARRAY_API_TESTS_MODULE=tarazu PYTHONPATH="$here/../..${PYTHONPATH:+:$PYTHONPATH}" exec "${PYTHON:-python}" -m pytest -q \
    -c pytest.ini --rootdir . -p no:cacheprovider --disable-warnings --disable-deadline --xfails-file "$here/xfails.txt" "$@"
