"""Callbacks, early stopping, interrupts, and what is shown."""

from __future__ import annotations

import signal
import threading

import numpy as np
import pytest

from brickwork import layers as L
from brickwork.layers.callbacks import Callback, EarlyStopping
from brickwork.layers.training import progress

R = np.random.default_rng(4)
X = R.normal(size=(40, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def model(**options) -> L.Sequential:
    out = L.Sequential([L.Input((3,)), L.Dense(1)])
    out.compile(L.optimizers.SGD(0.05), "mse", **options)
    return out


class Recorder(Callback):
    def __init__(self, *hooks: str):
        super().__init__()
        self.seen: list[tuple] = []
        for hook in hooks:
            setattr(self, hook, lambda *a, hook=hook: self.seen.append((hook, *a)))


def test_hooks_in_order() -> None:
    names = [f"on_{mode}_{edge}" for mode in ("train", "test") for edge in ("begin", "end")]
    names += ["on_epoch_begin", "on_epoch_end", "on_train_batch_begin", "on_train_batch_end", "on_test_batch_end"]
    recorder = Recorder(*names)
    net = model()
    net.fit(X, Y, batch_size=20, epochs=1, validation_data=(X, Y), callbacks=[recorder], verbose=0)
    assert [s[0] for s in recorder.seen] == [
        "on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end", "on_train_batch_begin",
        "on_train_batch_end",
        "on_test_begin", "on_test_batch_end", "on_test_batch_end", "on_test_end", "on_epoch_end", "on_train_end",
    ]  # fmt: skip
    assert recorder.model is net
    assert recorder.params == {"epochs": 1, "steps": 2, "verbose": 0}
    logs = dict(recorder.seen[-2][2])
    assert set(logs) == {"loss", "val_loss"}
    assert all(type(v) is float for v in logs.values())


def test_predict_hooks() -> None:
    recorder = Recorder("on_predict_begin", "on_predict_batch_end", "on_predict_end")
    model().predict(X, batch_size=20, callbacks=[recorder])
    assert [s[0] for s in recorder.seen] == ["on_predict_begin", *["on_predict_batch_end"] * 2, "on_predict_end"]
    assert recorder.seen[1][2]["outputs"].shape == (20, 1)


def test_batch_hooks_by_their_older_names() -> None:
    class Old(Callback):
        count = 0

        def on_batch_end(self, batch, logs=None):
            self.count += 1

    old = Old()
    model().fit(X, Y, batch_size=20, callbacks=old, verbose=0)
    assert old.count == 2


def test_metrics_are_not_read_in_steps_that_nobody_watches(monkeypatch) -> None:
    net, reads = model(), []
    result = net.get_metrics_result
    monkeypatch.setattr(type(net), "get_metrics_result", lambda self: reads.append(1) or result())
    net.fit(X, Y, batch_size=4, epochs=1, verbose=0)
    in_compute_metrics = 10
    assert len(reads) == in_compute_metrics + 1


class Script(Callback):
    """Makes val_loss what a list says, before others hear of it."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_begin(self, epoch, logs=None):
        self.model.layers[0].bias.assign(np.full(1, epoch, "float32"))

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


def stopped(values, **options):
    net = model()
    net.optimizer.learning_rate = 0.0
    stop = EarlyStopping(**options)
    history = net.fit(X, Y, epochs=len(values), callbacks=[Script(values), stop], verbose=0)
    return len(history.epoch), stop, float(net.layers[0].bias.numpy()[0])


@pytest.mark.parametrize(
    ("values", "options", "epochs", "bias"),
    [
        ([5, 4, 3, 4, 4, 4], {"patience": 2}, 5, 4),
        ([5, 4, 3, 4, 4, 4], {"patience": 2, "restore_best_weights": True}, 5, 2),
        ([5, 4, 3, 4, 2], {"patience": 9, "restore_best_weights": True}, 5, 4),
        ([5, 3, 4], {"patience": 9, "restore_best_weights": True}, 3, 1),
        ([5, 4.9, 4.8, 4.7], {"patience": 1, "min_delta": 0.5}, 2, 1),
        ([1, 2, 3, 4], {"patience": 1, "mode": "max"}, 4, 3),
        ([5, 9, 9, 4, 5, 5], {"patience": 2, "start_from_epoch": 3}, 6, 5),
        ([5, 5, 5, 5], {"patience": 1, "baseline": 4}, 2, 1),
        ([float("nan")] * 4, {"patience": 2, "restore_best_weights": True}, 3, 0),
    ],
)
def test_early_stopping(values, options, epochs, bias) -> None:
    found, _, at = stopped(values, **options)
    assert (found, at) == (epochs, bias)


def test_early_stopping_knows_what_rises() -> None:
    assert EarlyStopping("val_accuracy")._improves(0.9, 0.8)
    assert EarlyStopping("val_top_acc")._improves(0.9, 0.8)
    assert EarlyStopping("val_loss")._improves(0.8, 0.9)
    assert EarlyStopping("val_mae")._improves(0.8, 0.9)


def test_early_stopping_of_a_metric_that_is_not_there() -> None:
    with pytest.warns(UserWarning, match="'val_loss', there are loss"):
        model().fit(X, Y, callbacks=[EarlyStopping()], verbose=0)


def test_stop_training_from_a_batch_hook() -> None:
    class Stop(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    net = model()
    assert len(net.fit(X, Y, batch_size=4, epochs=5, callbacks=[Stop()], verbose=0).epoch) == 1
    assert net.steps_taken() == 2


def test_interrupt_finishes_the_step_and_keeps_the_history() -> None:
    class Interrupting(L.Sequential):
        def compute_loss(self, *args, **kwargs):
            if self.steps_taken() == 5:
                signal.raise_signal(signal.SIGINT)
            return super().compute_loss(*args, **kwargs)

    net = Interrupting([L.Input((3,)), L.Dense(1)])
    net.compile("adam", "mse")
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y, batch_size=10, epochs=9, verbose=0)
    assert net.steps_taken() == 6
    assert net.history.epoch == [0]
    assert len(net.history.history["loss"]) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert net.predict(X).shape == (40, 1)
    reference = L.Sequential([L.Input((3,)), L.Dense(1)])
    reference.compile("adam", "mse")
    reference.fit(X, Y, batch_size=10, verbose=0)


def test_interrupt_by_a_callback_and_fit_off_the_main_thread() -> None:
    class Stop(Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    net = model()
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y, callbacks=[Stop()], verbose=0)
    thread = threading.Thread(target=lambda: net.fit(X, Y, verbose=0))
    thread.start()
    thread.join()
    assert net.history.epoch == [0]


def test_a_log_file_gets_few_lines_and_always_the_last(capsys) -> None:
    model().fit(X, Y, epochs=50)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("Epoch 50/50")
    assert "loss" in lines[0]


def test_lines_are_bounded_by_time(capsys, monkeypatch) -> None:
    clock = iter(np.arange(0, 1000, 0.25))
    monkeypatch.setattr(progress, "perf_counter", lambda: float(next(clock)))
    model().fit(X, Y, batch_size=1, epochs=3)
    out = capsys.readouterr()
    lines = out.out.splitlines()
    seconds = float(next(clock))
    assert 2 < len(lines) <= seconds / progress.LINE_SECONDS + 1
    assert any("step" in line for line in lines)
    assert lines[-1].startswith("Epoch 3/3")
    assert "\x1b" not in out.out
    assert out.err == ""


def test_the_last_epoch_shows_also_when_stopped_early_or_interrupted(capsys) -> None:
    model().fit(X, Y, epochs=50, callbacks=[EarlyStopping("loss", min_delta=1e9)])
    assert capsys.readouterr().out.startswith("Epoch 2/50")


def test_verbose_0_and_2(capsys) -> None:
    net = model()
    net.fit(X, Y, epochs=3, verbose=0)
    net.predict(X)
    net.evaluate(X, Y)
    assert capsys.readouterr().out == ""
    net.fit(X, Y, epochs=3, verbose=2)
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["1/3", "2/3", "3/3"]


def test_live_bar_on_a_terminal() -> None:
    import io

    from rich.console import Console

    from brickwork.layers.training.live import Live

    out = io.StringIO()
    live = Live(9, 10, Console(file=out, force_terminal=True, width=100))
    live.step(0, 5, {"loss": 0.5})
    live.epoch(0, {"loss": 0.25, "accuracy": 0.75})
    for epoch in range(1, 7):
        live.epoch(epoch, {"loss": 0.125})
    live.close()
    text = out.getvalue()
    assert "5/10" in text
    assert "loss 0.2500  accuracy 0.7500" in text
    assert "Epoch 7/9" in text
    assert "Epoch 3/9" not in text
    assert not live.due()


def test_numbers_are_short() -> None:
    assert (
        progress.numbers({"loss": 0.12345678, "tiny": 1.2e-9, "big": 123456789.0})
        == "loss 0.1235  tiny 1.200e-09  big 1.235e+08"
    )
