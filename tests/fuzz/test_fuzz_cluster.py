"""A run on a local Dask cluster of two processes."""

import pytest

distributed = pytest.importorskip("distributed")

from fuzz import cluster  # noqa: E402


@pytest.fixture
def local_cluster():
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as made:
        yield made


@pytest.mark.slow
def test_two_processes_and_the_loss_of_one(local_cluster, monkeypatch):
    """Both work; one is killed on the way; what was found and reached comes back merged."""
    monkeypatch.setattr(cluster, "SLICE", 2.0)
    run = cluster.ClusterRun(local_cluster.scheduler_address, "jit", "cluster", seconds=7.0)
    killed = []

    def show(summary, left):
        if not killed and summary.programs:
            name, worker = next(iter(local_cluster.workers.items()))
            worker.process.process.kill()
            killed.append(name)

    run.show = show
    summary = run.run()
    assert killed and summary.programs > 50 and len(summary.features) > 100
    assert not summary.findings


def test_no_cluster():
    with pytest.raises(RuntimeError, match="no Dask cluster"):
        cluster.ClusterRun("not-an-address", "jit", "1", seconds=1.0)
