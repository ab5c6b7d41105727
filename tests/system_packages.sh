#!/usr/bin/env bash
# Installs the system packages that some tests use; says which tests are skipped where it can't.
set -euo pipefail
command -v chromium > /dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    apt-get update -qq > /dev/null && apt-get install -qq --no-install-recommends -y chromium > /dev/null &&
        exit 0
fi
echo "Chromium is not installed and can't be here: the tests of pages in a browser are skipped."
