"""The two-way story, walked over HTTP by its people, each step checked and timed: `python -m infra.local.demo`."""
