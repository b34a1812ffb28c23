"""Layers along the steps of sequences."""

from .bidirectional import Bidirectional
from .cell import RecurrentCell
from .gru import GRU, GRUCell
from .lstm import LSTM, LSTMCell
from .rnn import RNN
from .simple_rnn import SimpleRNN, SimpleRNNCell
from .stacked_rnn_cells import StackedRNNCells
from .time_distributed import TimeDistributed

__all__ = [
    "GRU", "LSTM", "RNN", "Bidirectional", "GRUCell", "LSTMCell", "RecurrentCell", "SimpleRNN", "SimpleRNNCell",
    "StackedRNNCells", "TimeDistributed",
]  # fmt: skip
