# SPDX-License-Identifier: MIT
"""Labels and the words that stand for them in prompts.

A model knows words.  Labels that are numbers or ids say nothing to it, and scikit-learn's meta-estimators make numbers
of words behind the user's back: BaggingClassifier and others give an estimator 0, 1, 2 ... in the order of the sorted
labels.  `class_names`, which is a parameter and so outlives cloning, brings the words back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Sequence, Union

import numpy as np
from numpy.typing import NDArray

from ._core import as_list, warn

if TYPE_CHECKING:
    from ._encoder import Encoder

Names = Optional[Union[Mapping[Any, str], Sequence[str]]]

_ADVICE = (
    "scikit-learn's BaggingClassifier, StackingClassifier, VotingClassifier and others make such numbers of words: give "
    "the estimator class_names=sorted(set(y)) there"
)


class Words(List[str]):
    """Names of classes that have been looked at: nobody need warn of them again."""


def label_list(labels: Any, what: str = "classes") -> List[Any]:
    """Labels that were to be a list."""
    if isinstance(labels, (str, bytes)) or not hasattr(labels, "__iter__"):
        raise TypeError(f"{what}: a list of labels is expected, not one {as_list(labels)}")
    out = np.asarray(labels).tolist() if isinstance(labels, np.ndarray) else list(labels)
    if not out:
        raise ValueError(f"{what}: no class")
    return out


def label_array(labels: Sequence[Any]) -> NDArray[Any]:
    """Labels as an array, (n,), that keeps their types apart: numbers beside words stay numbers."""
    kinds = {type(x) for x in labels}
    if len(kinds) > 1 and not kinds <= {str, np.str_}:
        out = np.empty(len(labels), object)
        out[:] = labels
        return out
    return np.asarray(labels)


def _is_number(x: Any) -> bool:
    return isinstance(x, (bool, int, float, np.number, np.bool_))


def _shown(labels: Sequence[Any]) -> str:
    return ", ".join(map(str, labels[:3])) + (" ..." if len(labels) > 3 else "")


def are_ids(names: Sequence[str]) -> bool:
    """Whether class names are numbers or ids: digits alone, long hexadecimal numbers, or the same few letters before
    each number, as in n01440001 or class_7."""
    if not names:
        return False
    if all(re.fullmatch(r"[-+]?\d+([._]\d+)?|True|False", name) for name in names):
        return True
    if all(re.fullmatch(r"(?=.*\d)[0-9a-fA-F-]{8,}", name) for name in names):
        return True
    parts = [re.fullmatch(r"(\w{1,3}?|class|label|category|id|group|type|object|item)[_-]?\d+", n) for n in names]
    return len(names) > 1 and all(parts) and len({part[1] for part in parts if part}) == 1


def warn_of_ids(names: Sequence[str]) -> None:
    """Warns where names of classes say nothing to a model."""
    if isinstance(names, Words) or not are_ids(names):
        return
    warn(
        f"the classes are numbers or ids ({_shown(names)}), which become prompts such as \"a photo of a {names[0]}.\": the "
        f"model cannot know what they mean.  Give words: class_names as a list in the order of the sorted labels, or as a "
        f"mapping from label to words.  {_ADVICE}"
    )


def _is_spelled(encoder: "Encoder", word: str) -> bool:
    return 3 * (len(encoder.tokenize(word)) - 2) >= 2 * len(word)  # without start and end


def warn_of_spelled(encoder: "Encoder", names: Sequence[str]) -> None:
    """Warns of words of at least four letters that the vocabulary has only letter by letter, as the command does; of
    the first thousand names, and where the vocabulary is not so small that it has hardly a word."""
    if encoder.vocab_size < 4096:
        return
    words = dict.fromkeys(word for name in names[:1000] for word in re.findall(r"[^\W\d_]{4,31}", name))
    spelled = [word for word in words if _is_spelled(encoder, word)]
    if spelled:
        warn(f"not in the model's vocabulary, which spells them letter by letter: {_shown(spelled)}")


def words_of(labels: Sequence[Any], names: Names) -> Words:
    """The words that stand for all labels of a fit, which are sorted."""
    if isinstance(names, (str, bytes)):
        raise TypeError(f"class_names: a list or a mapping is expected, not one {type(names).__name__}")
    if names is None:
        words = [str(x) for x in labels]
        warn_of_ids(words)
    elif isinstance(names, Mapping):
        words = _mapped(labels, names)
    else:
        words = _listed(labels, list(names))
    for label, word in zip(labels, words):
        if not isinstance(word, str):
            raise TypeError(f"class_names: words are expected, but {label!r} stands for {word!r}")
    return Words(words)


def _mapped(labels: Sequence[Any], names: Mapping[Any, str]) -> List[str]:
    missing = [x for x in labels if x not in names]
    if not missing:
        _refuse_rest(labels, len(names))
        return [names[x] for x in labels]
    if len(missing) == len(labels) == len(names) and list(labels) == list(range(len(labels))):
        return [names[x] for x in sorted(names)]
    if any(_is_number(x) for x in missing):
        raise ValueError(f"class_names has no words for the labels {_shown(missing)}; {_ADVICE}")
    warn_of_ids([str(x) for x in missing])
    return [names[x] if x in names else str(x) for x in labels]


def _listed(labels: Sequence[Any], names: List[str]) -> List[str]:
    if all(x in names for x in labels):
        return [str(x) for x in labels]
    if len(labels) == len(names):
        return names
    if not all(_is_number(x) and x == int(x) and 0 <= x < len(names) for x in labels):
        raise ValueError(
            f"{len(names)} class_names for {len(labels)} labels ({_shown(labels)}): give one for each, in the order of the "
            "sorted labels, or a mapping from label to words"
        )
    _refuse_rest(labels, len(names))
    if labels[0] != 0:
        warn(
            f"labels {_shown(labels)} with {len(names)} class_names are taken for places in them, which count from 0; give "
            "a mapping from label to words where they are something else"
        )
    return [names[int(x)] for x in labels]


def _refuse_rest(labels: Sequence[Any], n_names: int) -> None:
    """One class against the rest, or one against another: nobody can tell which classes 0 and 1 are."""
    if n_names > 2 and list(labels) == [0, 1] and all(_is_number(x) for x in labels):
        raise ValueError(
            f"the labels are 0 and 1, but there are {n_names} class_names: OneVsRestClassifier and OneVsOneClassifier do "
            "not say which class 1 is.  The estimator tells many classes apart by itself: use it without them.  Where "
            "there are two classes, give two class_names"
        )


def words_for(labels: Sequence[Any], names: Names, known: Mapping[Any, str]) -> Words:
    """The words that stand for other labels than those of the fit, whose words are `known`."""

    def word(label: Any) -> str:
        if label in known:
            return known[label]
        if isinstance(names, Mapping):
            return names.get(label, str(label))
        if names is not None and _is_number(label) and 0 <= label < len(names):
            return names[int(label)]
        return str(label)

    words = [word(x) for x in labels]
    warn_of_ids([w for w, x in zip(words, labels) if x not in known])
    return Words(words)
