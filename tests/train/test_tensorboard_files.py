"""What TensorBoard itself reads of the files of the callback: scalars, histograms, the graph, images."""

import numpy as np
import pytest

import tarazu as tz

pytestmark = pytest.mark.extras


def test_tensorboard_reads_scalars_histograms_the_graph_and_images(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    x = np.random.default_rng(0).uniform(size=(40, 6, 6, 1)).astype(np.float32)
    y = np.arange(40) % 2
    model = tz.nn.Sequential([tz.nn.Conv2D(4, 3, activation="relu"), tz.nn.Flatten(), tz.nn.Dense(2)])
    model.compile("adam", loss="cross_entropy", metrics=["accuracy"])
    board = tz.train.TensorBoard(tmp_path, histograms=1, graph=True, images={"digits": x[:3]})
    history = model.fit(x, y, epochs=3, validation_split=0.25, seed=0, callbacks=board, verbose=0)
    read = EventAccumulator(str(tmp_path), size_guidance={"images": 0, "scalars": 0, "histograms": 0}).Reload()
    tags = read.Tags()
    assert {"train/loss", "train/accuracy", "validation/loss", "validation/accuracy"} <= set(tags["scalars"])
    assert [event.step for event in read.Scalars("train/loss")] == [1, 2, 3]
    np.testing.assert_allclose([event.value for event in read.Scalars("validation/loss")],
                               history.history["val_loss"], rtol=1e-6)
    assert set(tags["histograms"]) == {"0/weight", "0/bias", "2/weight", "2/bias"}
    assert read.Histograms("2/weight")[-1].histogram_value.num == model[2].weight.size
    assert len(read.Images("digits")) == 1 and tags["graph"]
    nodes = {node.name: node for node in read.Graph().node}
    assert any(node.op == "conv" for node in nodes.values())
    assert all(name in nodes for node in nodes.values() for name in node.input)
