"""Which devices the nodes of a cluster lend, and in words why one is not among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inference.limits import WHOLE_CLUSTER


@dataclass(frozen=True, slots=True)
class ClusterNodes:
    """The nodes that are in the cluster now, by name, each with the devices that it lends."""

    by_name: Mapping[str, Sequence[str]]

    @property
    def devices(self) -> list[str]:
        return sorted(device for devices in self.by_name.values() for device in devices)

    def why_missing(self, name: str) -> str:
        """Return why a device is not in the cluster, and which ones are; empty if it is there."""
        if name in self.devices or (name == WHOLE_CLUSTER and self.devices):
            return ""
        node, _, device = name.rpartition("/")
        there = f"The cluster has {', '.join(self.devices) or 'no devices yet'}."
        if name == WHOLE_CLUSTER:
            return f"{there} Start Ray on the machines that have some."
        if node not in self.by_name:
            return f"No machine with the name {node} is in the cluster. {there}"
        if devices := self.by_name[node]:
            return f"{node} is in the cluster, but lends no {device}; it lends {', '.join(sorted(devices))}."
        return f"{node} is in the cluster, but lends no devices. {there}"
