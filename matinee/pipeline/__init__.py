"""The steps of a night in plain functions: flows decorate them, the command line calls them."""
