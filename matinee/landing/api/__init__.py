"""Events that come one by one, over the API, and leave as landing files."""
