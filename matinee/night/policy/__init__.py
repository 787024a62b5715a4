"""What an operator asks of lists and pages, read from the project."""
