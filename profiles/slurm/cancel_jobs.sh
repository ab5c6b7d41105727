#!/usr/bin/env bash
# Cancels your jobs that work in a folder, and returns when none is left there.
#   profiles/slurm/cancel_jobs.sh [FOLDER]      (the current one)
# To be called before a run is started anew whose Snakemake died: its jobs go on, and a new run knows
# nothing of them and would submit what they are making a second time.
set -euo pipefail
folder=$(cd "${1:-.}" && pwd -P)

# An id and a folder in each line; SLURM keeps the folder as it was named, by links or not.
jobs_here() {
    local id place
    squeue --me --noheader --states=PENDING,RUNNING,CONFIGURING,COMPLETING,SUSPENDED --format="%A %Z" | while read -r id place; do
        if [ "$(cd "$place" 2> /dev/null && pwd -P)" = "$folder" ]; then echo "$id"; fi
    done
}

found=$(jobs_here)
[ -n "$found" ] || { echo "No job of yours works in $folder."; exit 0; }
echo "Cancelling $(wc -w <<< "$found") jobs in $folder"
xargs scancel <<< "$found"
while [ -n "$(jobs_here)" ]; do sleep 1; done
echo "Now: snakemake --unlock, and start the run again."
