"""Assets: artwork, trailers and synopses of titles."""

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
            notes="Half of the assets are gone: the snapshot is not complete.",
            severity="warning",
            days_to_know=1,
        ),
        newest_day_at_most(
            10,
            notes="There are ten times as many assets as usual. "
            "Cause: the export ran more than once into one file. "
            "Action: land one clean snapshot, or accept the volume if it is right.",
            days_to_know=1,
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["asset_id", "landed_on"],
            notes="An asset is twice in one snapshot: which title it belongs to is undefined. "
            "Cause: the export joins assets with something they have several of. "
            "Action: export one row per asset and land the snapshot again.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every asset of the newest snapshot with an algorithmic "
            "digital_source_type has a "
            "disclosure_label.",
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
            notes="A generated picture has no label, which the law and members ask for.",
            severity="warning",
        ),
    ],
)
