"""
Benchmarks by wing: each measures what is beside it against a baseline.

`run.py` names them and prints their tables. All say `bench.…` for one another, `atlas.…` for the
library and `<wing>.<rule>` for a rule's script. What is measured is a module with a `main`, which
runs in a process of its own: `bench.common.measuring.run("bench.<wing>.<module>", …)`.
"""
