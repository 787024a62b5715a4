"""Where the feature tables lie: dbt's marts/features, exported once a night."""

from feast import FileSource

from matinee.settings import Settings


def exported(table: str) -> FileSource:
    """The Parquet files of one feature table, one a month, on the feature clock."""
    home = Settings().home.resolve()
    return FileSource(
        name=f"{table}_source",
        description=f"The dbt model {table}, exported by the night.",
        path=str(home / "features" / f"{table}.parquet"),
        timestamp_field="observed_at",
    )
