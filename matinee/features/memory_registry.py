"""A Feast registry that is in no file: Feast makes it from its name in the configuration."""

from typing import Any

from feast.infra.registry.registry_store import RegistryStore
from feast.protos.feast.core.Registry_pb2 import Registry


class MemoryRegistryStore(RegistryStore):  # type: ignore[misc]
    """Holds the registry of one opened store."""

    def __init__(self, config: Any, repo_path: Any) -> None:
        self._registry = Registry()

    def get_registry_proto(self) -> Registry:
        return self._registry

    def update_registry_proto(self, registry_proto: Registry) -> None:
        self._registry = registry_proto

    def teardown(self) -> None:
        self._registry = Registry()


CONFIG = {
    "registry_type": "file",
    "registry_store_type": f"{__name__}.{MemoryRegistryStore.__name__}",
    "path": "in memory",
    "cache_ttl_seconds": 0,
}
"""The section `registry` of a Feast configuration."""
