"""WHEN: one file per flow, each a list of steps. What a step does is in `matinee.pipeline`."""
