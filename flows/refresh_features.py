"""Hourly: take in what has landed and bring the online features up to date. Publishes nothing."""

from datetime import date

from prefect import flow, task
from prefect.client.schemas import State
from prefect.states import Completed

from matinee import pipeline
from matinee.errors import BusyError
from matinee.settings import Settings


@task
def receive(settings: Settings, last_day: date | None) -> pipeline.Receipt:
    return pipeline.receive(settings, last_day=last_day)


@task
def drop_expired(night: pipeline.Night) -> pipeline.Expired:
    return pipeline.drop_expired(night)


@task
def build_warehouse(night: pipeline.Night) -> pipeline.Built:
    return pipeline.build(night)


@task
def validate(night: pipeline.Night) -> None:
    pipeline.stop_if_broken(night, pipeline.validate(night))


@task
def refresh(night: pipeline.Night) -> pipeline.Refreshed:
    return pipeline.refresh_features(night)


@flow(name="refresh-features")
def refresh_features(last_day: date | None = None) -> State:
    """Bring the online store up to the end of `last_day`; skipped while a night holds the lease."""
    settings = Settings()
    try:
        with pipeline.lease(settings, "hourly refresh"):
            receive(settings, last_day)
            night = pipeline.begin(settings, last_day)
            drop_expired(night)
            build_warehouse(night)
            validate(night)
            refresh(night)
    except BusyError as busy:
        # The night refreshes the features itself.
        return Completed(name="Skipped", message=str(busy))
    return Completed(message=f"features as of {night.as_of:%Y-%m-%d %H:%M} UTC")


if __name__ == "__main__":
    refresh_features()
