"""The routes of the API, and the documentation of their answers."""
