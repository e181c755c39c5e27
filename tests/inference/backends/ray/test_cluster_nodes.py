"""Why a device is not in a cluster, in words."""

from __future__ import annotations

import pytest

from inference.backends.ray.cluster_nodes import ClusterNodes

NODES = ClusterNodes({"head": [], "pc2": ["pc2/cuda:1", "pc2/cuda:0"], "pc3": ["pc3/cpu"]})


@pytest.mark.parametrize("name", ["pc2/cuda:1", "pc3/cpu", "cluster"])
def test_nothing_is_said_of_a_device_that_is_there(name: str) -> None:
    assert NODES.why_missing(name) == ""


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("pc2/cpu", "pc2 is in the cluster, but lends no cpu; it lends pc2/cuda:0, pc2/cuda:1."),
        ("head/cpu", "head is in the cluster, but lends no devices. The cluster has pc2/cuda:0, pc2/cuda:1, pc3/cpu."),
        (
            "pc4/cpu",
            "No machine with the name pc4 is in the cluster. The cluster has pc2/cuda:0, pc2/cuda:1, pc3/cpu.",
        ),
    ],
)
def test_a_device_that_is_missing_is_told_with_those_that_are_there(name: str, sentence: str) -> None:
    assert NODES.why_missing(name) == sentence


def test_a_cluster_without_devices_is_told_with_the_next_step() -> None:
    sentence = "The cluster has no devices yet. Start Ray on the machines that have some."
    assert ClusterNodes({"head": []}).why_missing("cluster") == sentence
