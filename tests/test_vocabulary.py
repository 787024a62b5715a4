"""Ids map to rows and back, in whatever order they come."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.errors import DataError
from matinee.vocabulary import Vocabulary


def test_rows_follow_the_order_of_the_ids():
    vocabulary = Vocabulary.from_ids(["tt2", "tt1", "tt2", "tt10"])
    assert vocabulary.ids.to_pylist() == ["tt1", "tt10", "tt2"]
    assert len(vocabulary) == 3
    assert vocabulary.rows(["tt2", "tt1"]).tolist() == [2, 0]


def test_an_unknown_or_null_id_has_row_minus_one():
    vocabulary = Vocabulary.from_ids(["a"])
    assert vocabulary.rows(["b", None, "a"]).tolist() == [-1, -1, 0]
    assert "a" in vocabulary
    assert "b" not in vocabulary


def test_the_padding_of_a_slate_becomes_null():
    vocabulary = Vocabulary.from_ids(["a", "b"])
    assert vocabulary.take(np.array([1, -1, 0])).to_pylist() == ["b", None, "a"]


def test_null_ids_are_an_error_that_names_their_number():
    with pytest.raises(DataError, match="1 of 2 ids are null: drop them first"):
        Vocabulary.from_ids(["a", None])


def test_chunked_columns_and_integers_are_ids_too():
    column = pa.chunked_array([[7], [5, 7]])
    assert Vocabulary.from_ids(column).ids.to_pylist() == ["5", "7"]
    assert Vocabulary.from_ids(column).rows(column).tolist() == [1, 0, 1]


def test_an_empty_vocabulary_knows_no_id():
    vocabulary = Vocabulary.from_ids([])
    assert len(vocabulary) == 0
    assert vocabulary.rows(["a"]).tolist() == [-1]


@given(st.lists(st.text()))
def test_ids_sort_by_their_bytes_and_come_back_whole(ids):
    vocabulary = Vocabulary.from_ids(ids)
    assert vocabulary.ids.to_pylist() == sorted(set(ids), key=lambda text: text.encode())
    assert vocabulary.take(vocabulary.rows(ids)).to_pylist() == ids
