"""What privacy requests must look like: each is a person with a right."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.events import of_events

SUITE = gx.ExpectationSuite(
    name="stg_accounts__privacy_requests",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="Nobody ever asked: true of a young service, else the desk's export is lost.",
            severity="info",
        ),
        *of_events(
            silence="Requests came every day and then did not: the export is down.", torn=None
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="request_id",
            notes="One request told twice under two events: it is answered twice.",
            severity="warning",
        ),
    ],
)
