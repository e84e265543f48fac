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


class TwoInputs(tz.nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.out = tz.nn.Embedding(10, 4), tz.nn.Dense(2)

    def forward(self, words, size):
        return self.out(tz.concat([self.words(words).mean(1), size], -1))


class OwnSteps(tz.nn.Module):
    def __init__(self):
        super().__init__()
        self.out = tz.nn.Dense(1)

    def forward(self, x):
        return self.out(x)

    def compute_loss(self, batch):
        return (self(batch) ** 2).mean()


WORDS = np.arange(40).reshape(8, 5) % 10
INPUTS = {"embedding": (tz.nn.Sequential([tz.nn.Embedding(10, 4), tz.nn.GlobalAvgPool1D(), tz.nn.Dense(2)]),
                        WORDS),
          "several": (TwoInputs(), (WORDS, np.ones((8, 3), np.float32))),
          "names": (TwoInputs(), {"words": WORDS, "size": np.ones((8, 3), np.float32)})}


@pytest.mark.parametrize("kind", INPUTS)
def test_the_graph_of_words_and_of_several_inputs(kind, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    model, x = INPUTS[kind]
    model.compile("adam", loss="cross_entropy")
    model.fit(x, np.arange(8) % 2, epochs=1, verbose=0, callbacks=tz.train.TensorBoard(tmp_path, graph=True))
    nodes = {node.name: node.op for node in EventAccumulator(str(tmp_path)).Reload().Graph().node}
    places = len(model.parameters()) + (1 if kind == "embedding" else 2)
    assert "gather" in nodes.values() and sum(op == "parameter" for op in nodes.values()) == places


def test_a_model_without_a_graph_warns_and_the_numbers_are_there(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    model = OwnSteps().compile("adam")
    with pytest.warns(tz.train.TrainingWarning, match=r"wrote no graph: the model trains by steps of its own"):
        model.fit(np.ones((8, 3), np.float32), epochs=1, verbose=0,
                  callbacks=tz.train.TensorBoard(tmp_path, graph=True))
    assert EventAccumulator(str(tmp_path)).Reload().Tags()["scalars"]


def test_the_table_of_settings_has_a_row_for_each_run(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    model = tz.nn.Sequential([tz.nn.Dense(2)]).compile(tz.optim.Adam(lr=0.25), loss="cross_entropy")
    board = tz.train.TensorBoard(tmp_path, settings={"width": 2, "data": "ones"})
    model.fit(np.ones((8, 3), np.float32), np.arange(8) % 2, epochs=2, batch_size=4, validation_split=0.25, seed=0,
              callbacks=board, verbose=0)
    read = EventAccumulator(str(tmp_path)).Reload()
    content = {tag: HParamsPluginData.FromString(data) for tag, data in read.PluginTagToContent("hparams").items()}
    started = content["_hparams_/session_start_info"].session_start_info.hparams
    found = {name: value.number_value or value.string_value for name, value in started.items()}
    assert found == {"model": "Sequential", "parameters": 8, "epochs": 2, "batch_size": 4, "steps": 2,
                     "precision": "float32", "optimizer": "Adam", "learning_rate": 0.25, "width": 2, "data": "ones"}
    metrics = {one.name.tag for one in content["_hparams_/experiment"].experiment.metric_infos}
    assert metrics == {"train/loss", "validation/loss"} <= set(read.Tags()["scalars"])
    assert content["_hparams_/session_end_info"].session_end_info.status == 1
