"""What a run takes: jobs, pairs, hours, memory and disk, told before anything is run."""
