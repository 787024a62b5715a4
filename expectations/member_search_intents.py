"""What search intents must look like."""

import great_expectations as gx
import great_expectations.expectations as gxe

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
    ],
)
