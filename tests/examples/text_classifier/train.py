"""Tell from the words of a docstring which package it comes from."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-not-found]
from sklearn.metrics import f1_score, log_loss  # type: ignore[import-not-found]

import repro


def parse_words() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=("mlp", "logistic", "bayes"), default="mlp")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--alpha", type=float, default=1e-4)
    parser.add_argument("--ngrams", type=int, default=1)
    parser.add_argument("--features", type=int, default=1024)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def softmax(scores: np.ndarray) -> np.ndarray:
    exps = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances: np.ndarray = exps / exps.sum(axis=1, keepdims=True)
    return chances


def train_mlp(words, x, y, x_val) -> Iterator[np.ndarray]:
    """One hidden layer with dropout, by Adam; the probabilities of `x_val` after each epoch."""
    chance = np.random.default_rng(words.seed)
    x, x_val = x.toarray().astype(np.float32), x_val.toarray().astype(np.float32)
    n_classes, width, batch = y.max() + 1, 64, 32
    weights = [
        chance.normal(0, (2 / n) ** 0.5, (n, m)).astype(np.float32)
        for n, m in ((x.shape[1], width), (width, n_classes))
    ]
    moments = [(np.zeros_like(w), np.zeros_like(w)) for w in weights]
    turn = 0
    for _ in range(words.epochs):
        order = chance.permutation(len(y))
        for start in range(0, len(y), batch):
            chosen = order[start : start + batch]
            hidden = np.maximum(x[chosen] @ weights[0], 0)
            mask = (chance.random(hidden.shape) >= words.dropout) / (1 - words.dropout)
            dropped = (hidden * mask).astype(np.float32)
            error = softmax(dropped @ weights[1])
            error[np.arange(len(chosen)), y[chosen]] -= 1
            error /= len(chosen)
            below = (error @ weights[1].T) * mask * (hidden > 0)
            gradients = (x[chosen].T @ below, dropped.T @ error)
            turn += 1
            for w, g, (mean, square) in zip(weights, gradients, moments, strict=True):
                mean += 0.1 * (g - mean)
                square += 0.001 * (g * g - square)
                size = words.lr * (1 - 0.999**turn) ** 0.5 / (1 - 0.9**turn)
                w -= size * mean / (np.sqrt(square) + 1e-8)
        yield softmax(np.maximum(x_val @ weights[0], 0) @ weights[1])


def train_sklearn(words, x, y, x_val) -> Iterator[np.ndarray]:
    """A model of scikit-learn; the probabilities of `x_val` after each epoch."""
    if words.model == "bayes":
        from sklearn.naive_bayes import MultinomialNB  # type: ignore[import-not-found]  # noqa: PLC0415

        yield MultinomialNB(alpha=words.alpha).fit(x, y).predict_proba(x_val)
        return
    from sklearn.linear_model import SGDClassifier  # type: ignore[import-not-found]  # noqa: PLC0415

    model = SGDClassifier(
        loss="log_loss", alpha=words.alpha, learning_rate="constant", eta0=words.lr,
        random_state=words.seed,
    )  # fmt: skip
    for _ in range(words.epochs):
        model.partial_fit(x, y, classes=np.arange(y.max() + 1))
        yield model.predict_proba(x_val)


def main() -> None:
    words = parse_words()
    rows = json.loads(Path("data/docstrings.json").read_text())
    names = sorted({label for label, _ in rows})
    y = np.array([names.index(label) for label, _ in rows])
    cut = len(rows) * 3 // 4
    texts = [text for _, text in rows]
    vectorizer = TfidfVectorizer(
        ngram_range=(1, words.ngrams), max_features=words.features, sublinear_tf=True
    )
    x, x_val = vectorizer.fit_transform(texts[:cut]), vectorizer.transform(texts[cut:])
    run = repro.init()
    run.define_metric("val_loss", goal="minimize")
    run.define_metric("f1", goal="maximize")
    train = train_mlp if words.model == "mlp" else train_sklearn
    for epoch, guess in enumerate(train(words, x, y[:cut], x_val)):
        score = f1_score(y[cut:], guess.argmax(axis=1), average="macro", zero_division=0)
        loss = log_loss(y[cut:], guess, labels=range(len(names)))
        repro.log({"val_loss": float(loss), "f1": float(score)}, step=epoch)


if __name__ == "__main__":
    main()
