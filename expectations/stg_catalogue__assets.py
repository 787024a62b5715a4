"""What assets must look like: pictures, trailers and words of titles."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.volume import newest_day_at_least, newest_day_at_most

SUITE = gx.ExpectationSuite(
    name="stg_catalogue__assets",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No assets: artwork cannot be chosen, nor its origin shown.",
            severity="info",
        ),
        newest_day_at_least(
            0.5,
            notes="Half of the assets are gone: the snapshot is torn.",
            severity="warning",
            days_to_know=1,
        ),
        newest_day_at_most(
            10,
            notes="Assets do not grow tenfold overnight: the export was repeated.",
            days_to_know=1,
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["asset_id", "landed_on"],
            notes="An asset twice in one snapshot: which title it is of is chance.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="What was made by a model says so.",
            unexpected_rows_query="""
                select asset_id, digital_source_type
                from {batch}
                where digital_source_type in (
                    'trainedAlgorithmicMedia', 'compositeWithTrainedAlgorithmicMedia'
                )
                    and disclosure_label is null
                    and landed_on = (select max(landed_on) from {batch})
                order by asset_id
            """,
            notes="A made picture without a label: the law and the viewers ask for one.",
            severity="warning",
        ),
    ],
)
