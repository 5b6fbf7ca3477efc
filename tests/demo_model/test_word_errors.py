"""The English listener's count of errors."""

from demo_model.transcriber import word_errors, words


def test_insertions_deletions_and_substitutions_count_one_each() -> None:
    said = words("The train leaves at nine o'clock.")
    assert word_errors(said, words("the train leaves at nine o'clock")) == 0
    assert word_errors(said, words("train leaves at five o'clock today")) == 3
    assert word_errors(said, []) == 6
