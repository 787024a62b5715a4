"""Privacy requests of members."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.events import of_events

SUITE = gx.ExpectationSuite(
    name="stg_accounts__privacy_requests",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No request ever: right for a young service, else the export of the desk is "
            "lost.",
            severity="info",
        ),
        *of_events(
            silence="Requests came every day and then did not: the export is down.", torn=None
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="request_id",
            notes="One request arrived as two events: it is carried out twice.",
            severity="warning",
        ),
    ],
)
