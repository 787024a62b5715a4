"""The hazard of cancelling: a planted driver that must be first, refusals, and a telco table."""

import csv
import io

import numpy as np
import pytest

from matinee.errors import DataError
from matinee.evaluation.metrics import binary
from matinee.insights import churn, logistic, telco


def renewals(seed, *, n=3000, strength=4.0):
    """Renewals whose only driver is how much of what they start members watch to the end."""
    random = np.random.default_rng(seed)
    plays = random.poisson(12, n).astype(float)
    completion = random.beta(4, 3, n)
    design = churn.columns(
        titles=random.binomial(plays.astype(int), 0.8).astype(float),
        plays=plays,
        recent_plays=random.binomial(plays.astype(int), 0.25).astype(float),
        completion_milli=np.round(1000 * completion * plays),
        ratings=random.poisson(1, n).astype(float),
        stars_milli=random.poisson(1, n) * 6000.0,
        searches=random.poisson(3, n).astype(float),
        no_result_ratio=random.random(n) * 0.3,
        tenure_days=random.integers(1, 400, n).astype(float),
        is_ads_plan=random.random(n) < 0.4,
        payment_failures=random.poisson(0.1, n).astype(float),
    )
    odds = -2.0 - strength * (np.nan_to_num(design[:, 1], nan=0.57) - 0.57)
    cancelled = random.random(n) < 1 / (1 + np.exp(-odds))
    return design, cancelled, np.arange(n) / 30.0


def test_the_planted_driver_comes_first_and_beats_both_baselines_later():
    found = churn.fit(*renewals(1))
    name, coefficient = found.model.ranked()[0]
    assert (name, coefficient < 0) == ("completion", True)
    assert found.verdict == churn.SUPPORTED
    own, *others = found.evaluation.scores
    assert {one.model for one in others} == {"tenure only", "recency only", "mean rate"}
    assert own.auc > 0.6 > max(one.auc for one in others)
    assert own.brier < min(one.brier for one in others)
    assert binary.calibration_error(list(found.evaluation.calibration)) < 0.04


def test_without_a_driver_there_is_no_verdict_in_most_draws():
    verdicts = [churn.fit(*renewals(seed, n=1200, strength=0.0)).verdict for seed in range(12)]
    assert sum(one.startswith("no verdict: AUC") for one in verdicts) >= 6


def test_few_cancellations_are_no_model():
    design, cancelled, days = renewals(1, n=100)
    cancelled[:] = np.arange(100) < 29
    found = churn.fit(design, cancelled, days)
    assert found.model is None
    assert "29 of 100 renewals are cancellations, a model needs 30" in found.verdict


def test_later_renewals_alone_evaluate():
    """The fault that this sees: a driver that works early only is not borne out later."""
    design, cancelled, days = renewals(1)
    late = days >= np.quantile(days, 1 - churn.LATER_SHARE)
    cancelled[late] = np.random.default_rng(1).permutation(cancelled[late])
    assert churn.fit(design, cancelled, days).evaluation.scores[0].auc < 0.56


def test_a_member_without_plays_has_no_completion_and_unknown_values_add_nothing():
    one = np.ones(1)
    nan = np.full(1, np.nan)
    design = churn.columns(
        titles=nan, plays=nan, recent_plays=nan, completion_milli=nan, ratings=nan,
        stars_milli=nan, searches=nan, no_result_ratio=nan, tenure_days=10 * one,
        is_ads_plan=one > 0, payment_failures=one,
    )  # fmt: skip
    by_name = dict(zip(churn.FEATURES, design[0], strict=True))
    assert np.isnan(by_name["completion"])
    assert np.isnan(by_name["rating"])
    assert by_name["plays"] == by_name["failed_searches"] == 0
    assert by_name["first_period"] == by_name["ads_plan"] == 1
    model = churn.fit(*renewals(1)).model
    added = dict(zip(churn.FEATURES, model.contributions(design)[0], strict=True))
    assert added["completion"] == added["rating"] == 0


def test_reasons_are_signs_of_little_satisfaction_only():
    model = churn.fit(*renewals(1)).model
    design = renewals(2)[0]
    low, high = design[np.argmin(design[:, 1])], design[np.argmax(design[:, 1])]
    assert churn.reasons(model, low[None])[0][0] == "does not finish what they start"
    assert "does not finish what they start" not in churn.reasons(model, high[None])[0]
    assert set(churn.REASONS) == set(churn.SATISFACTION)


def test_coefficients_are_those_of_scikit_learn_on_standardised_columns():
    from sklearn.linear_model import LogisticRegression

    design, cancelled, _ = renewals(1)
    known = np.nan_to_num(design, nan=0.5)
    ours = logistic.fit(known, cancelled, churn.FEATURES, penalty=2.0)
    standard = (known - known.mean(axis=0)) / known.std(axis=0)
    theirs = LogisticRegression(C=0.5, tol=1e-8).fit(standard, cancelled)
    np.testing.assert_allclose(ours.coefficients, theirs.coef_[0], atol=1e-3)
    probability = theirs.predict_proba(standard)[:, 1]
    np.testing.assert_allclose(ours.probability(known), probability, atol=1e-3)


def test_labels_that_are_all_alike_are_refused():
    with pytest.raises(DataError, match="0 of 5 labels are true"):
        logistic.fit(np.zeros((5, 1)), np.zeros(5, bool), ["x"])


HEADER = (
    "customerID,gender,SeniorCitizen,Partner,Dependents,tenure,PhoneService,MultipleLines,"
    "InternetService,OnlineSecurity,OnlineBackup,DeviceProtection,TechSupport,StreamingTV,"
    "StreamingMovies,Contract,PaperlessBilling,PaymentMethod,MonthlyCharges,TotalCharges,Churn"
)


def made_telco(n=1500, seed=1):
    """A file made for this test, in the form of the public telco table: 21 columns, blank cells.

    No row is of a real customer. The planted driver is the contract.
    """
    random = np.random.default_rng(seed)
    fields = next(csv.reader([HEADER]))
    assert len(fields) == 21
    file = io.StringIO()
    writer = csv.DictWriter(file, fields)
    writer.writeheader()
    for number in range(n):
        row = {name: random.choice(["Yes", "No"]) for name in fields}
        monthly = random.random() < 0.5
        tenure = int(random.integers(0, 72))
        chance = 1 / (1 + np.exp(-(-2.2 + 2.0 * monthly)))
        row |= {
            "customerID": f"{number:04}-MADE",
            "gender": random.choice(["Female", "Male"]),
            "SeniorCitizen": int(random.random() < 0.2),
            "tenure": tenure,
            "Contract": "Month-to-month" if monthly else random.choice(["One year", "Two year"]),
            "MonthlyCharges": round(float(random.uniform(20, 110)), 2),
            "TotalCharges": " " if tenure == 0 else round(tenure * 60.0, 2),
            "Churn": "Yes" if random.random() < chance else "No",
        }
        writer.writerow(row)
    return file.getvalue()


def test_the_method_runs_on_a_table_in_the_form_of_the_public_telco_file():
    text = made_telco()
    rows = list(csv.DictReader(io.StringIO(text)))
    blank = sum(row["TotalCharges"].strip() == "" for row in rows)
    assert blank > 5
    table = telco.Table.of(rows, label="Churn", positive="Yes")
    assert table.left_out == ("customerID",)
    assert "TotalCharges" in table.names
    assert np.isnan(table.columns[:, table.names.index("TotalCharges")]).sum() == blank
    found = telco.evaluate(table, seed=1)
    assert found.scores[0].auc > 0.65 > found.scores[1].auc
    first = logistic.fit(table.columns, table.label, table.names).ranked()[0]
    assert first[0].startswith("Contract=Month-to-month")
    with pytest.raises(DataError, match="no column Left; there are customerID, gender"):
        telco.Table.of(rows, label="Left", positive="Yes")
    with pytest.raises(DataError, match="the table has no rows"):
        telco.Table.of([], label="Churn", positive="Yes")
