"""What privacy requests must look like: each is a person with a right."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.freshness import lands_as_before
from matinee.validation.volume import newest_day_at_most

SUITE = gx.ExpectationSuite(
    name="stg_accounts__privacy_requests",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="Nobody ever asked: true of a young service, else the desk's export is lost.",
            severity="info",
        ),
        newest_day_at_most(
            5,
            notes="Far more than a usual day is a repeated export, or a robot, until proven true.",
        ),
        lands_as_before(notes="Requests came every day and then did not: the export is down."),
        gxe.ExpectColumnValuesToBeUnique(
            column="event_id",
            notes="An event that counts twice: deduplication is not working.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="request_id",
            notes="One request told twice under two events: it is answered twice.",
            severity="warning",
        ),
    ],
)
