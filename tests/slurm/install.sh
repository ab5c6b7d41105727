#!/usr/bin/env bash
# Installs what tests/slurm needs; says which tests are skipped where it can't.
set -euo pipefail
install() { # what for, a program of it, packages
    local what=$1 program=$2
    shift 2
    PATH=$PATH:/usr/sbin command -v "$program" > /dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        # packages start daemons that are not wanted: the tests start their own
        apt-get update -qq > /dev/null && apt-get install -qq --no-install-recommends -y "$@" > /dev/null && return
    fi
    echo "$program is not installed and can't be here: $what are skipped."
}
install "all tests on SLURM" slurmctld slurm-wlm munge
install "the tests with accounting" slurmdbd slurmdbd mariadb-server
