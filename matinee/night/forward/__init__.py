"""Evaluates last night's release on the day that followed, and decides what tonight needs."""
