"""URLs of stores are checked, and their secrets are masked."""

import pytest

from matinee.errors import ConfigError, StorageError
from matinee.releases.remote import Remote, mask_secrets
from tests.releases import objects
from tests.releases.mirrors import push
from tests.releases.objects import Fake
from tests.releases.samples import promote, publish


def test_an_error_of_a_store_contains_no_secret(store, fake):
    promote(store, publish(store))
    Fake.fail_from(1)
    with pytest.raises(StorageError) as error:
        push(store, fake)
    assert "https://***@host/" in str(error.value)
    assert "secret" not in str(error.value)
    assert "sig=abc" not in str(error.value)


@pytest.mark.parametrize("url", ["live", "/mnt/releases", "simplecache::s3://bucket/x", ""])
def test_an_invalid_url_is_refused(url):
    with pytest.raises(ConfigError, match="is not the URL of a store: give one like s3://"):
        Remote.open(url)


def test_an_unknown_kind_of_store_is_refused():
    with pytest.raises(ConfigError, match="nonsense://bucket cannot be opened: Protocol not known"):
        Remote.open("nonsense://bucket")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("sftp://ada:pw@host/x", "sftp://***@host/x"),
        ("sftp://ada:p@ss/w@host/x", "sftp://***@host/x"),
        ("az://c/x?sv=2&sig=abc", "az://c/x?***"),
        ("GET 'https://h/x?sig=abc' failed", "GET 'https://h/x?***' failed"),
        ("s3://bucket/prefix", "s3://bucket/prefix"),
    ],
)
def test_secrets_in_urls_are_masked(text, masked):
    assert mask_secrets(text) == masked


def test_the_repr_of_a_store_contains_no_secrets():
    objects.register()
    assert "pw" not in repr(Remote.open("fake://ada:pw@bucket/x"))
