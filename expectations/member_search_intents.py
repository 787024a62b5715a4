"""What search intents must look like."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.freshness import keeps_up_with, none_from_the_future

SUITE = gx.ExpectationSuite(
    name="member_search_intents",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="Nobody searched, or searches do not arrive.",
            severity="warning",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="search_count_28d",
            max_value=20_000,
            mostly=0.999,
            notes="A search every two minutes for four weeks is a script.",
            severity="warning",
        ),
        keeps_up_with(
            "stg_engagement__searches",
            notes="Acts go on and this does not: a night added nothing to what was there.",
        ),
        none_from_the_future(
            notes="A feature from the future: what is learned from it will not be there to use."
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["member_id", "observed_at"],
            notes="Two rows for one instant: which one a model gets is chance.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="no_result_ratio_28d",
            min_value=0,
            max_value=1,
            notes="A share outside 0 to 1 was counted on two clocks.",
            severity="critical",
        ),
    ],
)
