import subprocess
import sys

import textgen
from tests.processes import MOST_SECONDS


def test_exports() -> None:
    assert textgen.__all__ == [
        *("CorpusConfig", "Evaluation", "GRU", "GenerationConfig", "LSTM", "ModelConfig", "Moment"),
        *("RNN", "RNNModel", "RNNModelScratch", "RandomBatches", "Result", "Run", "SGD"),
        *("SequentialBatches", "Settings", "TextgenError", "Trained", "TrainingConfig", "Vocab"),
        *("__version__", "clip_gradients", "evaluate", "generate", "load", "load_batches"),
        *("resume", "train"),
    ]
    for name in textgen.__all__:
        assert getattr(textgen, name).__doc__
    assert dir(textgen) == textgen.__all__


def test_importing_it_imports_no_heavy_library() -> None:
    program = (
        "import sys, textgen; assert not {'torch', 'visdom', 'jieba', 'plotly'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=MOST_SECONDS)


def test_a_whole_training_does_not_import_visdom_or_jieba() -> None:
    program = (
        "import sys, textgen.training.start, textgen.evaluation.judge, textgen.dashboard.mirror\n"
        "assert not {'visdom', 'jieba', 'plotly', 'tornado', 'tensorboard'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=MOST_SECONDS)
