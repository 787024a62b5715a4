"""How landing files are written: CSV dialects, lists in a field, Parquet types."""
