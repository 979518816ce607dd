#!/bin/sh
# The workflow of this product, executable. Makes .venv on the first run, installs what a command needs, runs it. Asks nothing.
set -eu
cd "$(dirname "$0")"
here=$(pwd -P)

usage() {
    cat <<'TEXT'
./run.sh demo [--reset]    a filled sample world on 127.0.0.1:8000 (PORTAL_PORT changes the port)
./run.sh serve             the product itself, with the PORTAL_* variables of the README
./run.sh test [ARGS]       the quick form of all checks, PORTAL_TEST_WHOLE=1 the whole one; with ARGS just pytest with them
./run.sh lint              style, types, templates and import contracts
./run.sh format            rewrite Python and templates in the house style
./run.sh bench [ARGS]      pages beside the bare floor on 10,000 cases (needs wrk)
./run.sh shots             the README's screenshots, from the sample world (needs chromium)
./run.sh words             gather what the product says into portal/translations, compile what translators wrote there
./run.sh vendor            refresh portal/static/vendor from the npm packages (needs npm)
./run.sh help              this text
TEXT
}

fail() {
    echo "run.sh: $*" >&2
    exit 1
}

find_python() {
    for candidate in python3.13 python3.12 python3.11 python3.14 python3 python; do
        if command -v "$candidate" >/dev/null 2>&1 \
            && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
}

# The environment belongs to this folder: scripts inside name it, so a moved or broken one is made anew.
ensure_venv() {
    if [ -f .venv/made-for ] && [ "$(cat .venv/made-for)" = "$here" ] && .venv/bin/python -c '' >/dev/null 2>&1; then
        return
    fi
    rm -rf .venv
    python=$(find_python)
    if command -v uv >/dev/null 2>&1 && uv venv --quiet --python "${python:-3.12}" .venv; then
        : # uv brings a Python of its own where there is none
    elif [ -z "$python" ]; then
        fail "needs Python 3.11 or newer."
    elif host_pip "$python"; then
        "$python" -m venv --without-pip .venv
    else
        "$python" -m venv .venv || fail "Python cannot make environments here: install python3-venv, python3-pip or uv."
    fi
    echo "$here" >.venv/made-for
}

# pip learnt to install into another environment with 22.3; that spares a second pip inside .venv.
host_pip() {
    "$1" -c 'import pip, sys; sys.exit(tuple(int(n) for n in pip.__version__.split(".")[:2]) < (22, 3))' >/dev/null 2>&1
}

pip_install() {
    if command -v uv >/dev/null 2>&1 && uv pip install --quiet --python .venv/bin/python -c constraints.txt -e "$1"; then
        return
    fi
    set -- install --quiet --disable-pip-version-check -c constraints.txt -e "$1"
    python=$(find_python)
    if [ ! -x .venv/bin/pip ] && host_pip "$python"; then
        "$python" -m pip --python .venv/bin/python "$@"
    else
        .venv/bin/python -m ensurepip >/dev/null 2>&1 || true
        .venv/bin/python -m pip "$@"
    fi
}

# need NAME [EXTRAS]: what is installed is remembered by the text of pyproject.toml and constraints.txt.
need() {
    ensure_venv
    wanted=$(cat pyproject.toml constraints.txt | cksum)
    stamp=.venv/installed-$1
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
        return
    fi
    echo "Installing what '$1' needs into .venv ..." >&2
    pip_install ".${2:-}"
    for covered in "$1" ${3:-}; do echo "$wanted" >".venv/installed-$covered"; done
}

need_product() {
    case ${PORTAL_DATABASE_URL:-} in
    postgres*) need postgres '[postgres]' product ;;
    *) need product ;;
    esac
}

need_checks() {
    need checks '[postgres,pdf,test,dev]' 'product postgres'
}

command=${1:-help}
[ $# -eq 0 ] || shift
case $command in
demo | serve)
    need_product
    exec .venv/bin/portal "$command" "$@"
    ;;
test)
    need_checks
    if [ $# -gt 0 ]; then exec .venv/bin/python -m pytest "$@"; fi
    exec .venv/bin/python -m tests.everything
    ;;
lint)
    need_checks
    exec .venv/bin/python -m pytest -q --no-header tests/house "$@"
    ;;
format)
    need_checks
    .venv/bin/ruff check --fix --quiet . || true
    .venv/bin/ruff format .
    .venv/bin/djlint --reformat --quiet portal/templates || true
    ;;
bench)
    need_checks
    exec .venv/bin/python -m bench.compare "$@"
    ;;
shots)
    need_checks
    exec .venv/bin/python -m bench.shots "$@"
    ;;
words)
    need_checks
    exec .venv/bin/python -m bench.words "$@"
    ;;
vendor)
    need_product
    exec .venv/bin/python -m bench.vendor "$@"
    ;;
help | -h | --help) usage ;;
*)
    usage >&2
    fail "there is no command '$command'."
    ;;
esac
