"""Any text file or folder becomes one clean text, with what was found and what was changed."""

from textgen.corpus.reading import Corpus, SourceFile, read_corpus

__all__ = ["Corpus", "SourceFile", "read_corpus"]
