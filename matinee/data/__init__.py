"""Data that ships with the package; README.md says where it came from and on what terms."""
