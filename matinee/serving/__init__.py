"""The HTTP API: answers from a verified release, the events since, and the refusals.

The warehouse is never opened.
"""
