"""Tell which package of the standard library a docstring is from."""

import argparse
import math
import random
import re
import zlib
from pathlib import Path

import numpy as np

import repro

N_BUCKETS = 1 << 14
HERE = Path(__file__).parent


def features(text, arch):
    """Hashed numbers of what a model sees of a text."""
    words = re.findall(r"[a-z]+", text.lower())
    if arch == "chars":
        joined = f" {' '.join(words)} "
        parts = [joined[i : i + 4] for i in range(len(joined) - 3)]
    elif arch == "bigrams":
        parts = words + [" ".join(pair) for pair in zip(words, words[1:], strict=False)]
    else:
        parts = words
    return np.array([zlib.crc32(part.encode()) % N_BUCKETS for part in parts] or [0])


def rate(schedule, lr, done):
    """The learning rate once the share `done` of all steps is behind us."""
    return (
        lr
        * {
            "constant": 1.0,
            "linear": 1.0 - done,
            "cosine": 0.5 * (1.0 + math.cos(math.pi * done)),
            "step": 0.1 ** int(done * 3),
        }[schedule]
    )


class Linear:
    """Softmax over the mean of one weight a feature and class."""

    def __init__(self, n_classes, rng):
        self.weights = np.zeros((N_BUCKETS, n_classes))

    def scores(self, ids):
        return self.weights[ids].sum(axis=0) / math.sqrt(len(ids))

    def learn(self, ids, error, lr):
        np.add.at(self.weights, ids, -lr * error / math.sqrt(len(ids)))


class Embedding:
    """Softmax over the mean of one vector a feature, as fastText has it."""

    def __init__(self, n_classes, rng, width=16):
        self.vectors = rng.normal(0, 0.1, (N_BUCKETS, width))
        self.head = rng.normal(0, 0.1, (width, n_classes))

    def scores(self, ids):
        return self.vectors[ids].mean(axis=0) @ self.head

    def learn(self, ids, error, lr):
        mean = self.vectors[ids].mean(axis=0)
        back = self.head @ error / len(ids)
        self.head -= lr * np.outer(mean, error)
        np.add.at(self.vectors, ids, -lr * back * 8)


def softmax(scores):
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def macro_f1(truth, guesses, n_classes):
    parts = []
    for label in range(n_classes):
        hits = sum(t == g == label for t, g in zip(truth, guesses, strict=True))
        wrong = sum((t == label) != (g == label) for t, g in zip(truth, guesses, strict=True))
        parts.append(2 * hits / (2 * hits + wrong) if hits else 0.0)
    return sum(parts) / n_classes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--arch", choices=["words", "bigrams", "chars", "embedding"], default="words"
    )
    parser.add_argument(
        "--schedule", choices=["constant", "linear", "cosine", "step"], default="constant"
    )
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--augment", type=float, default=0.0, help="share of features left out")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    run = repro.init(config=vars(args))
    run.define_metric("f1", goal="maximize")
    rng, shuffle = np.random.default_rng(args.seed), random.Random(args.seed)

    lines = (HERE / "data/docstrings.tsv").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t", 1) for line in lines]
    labels = sorted({label for label, _ in pairs})
    examples = [(features(text, args.arch), labels.index(label)) for label, text in pairs]
    random.Random(1).shuffle(examples)
    held_out = len(examples) // 5
    test, train = examples[:held_out], examples[held_out:]

    model = (Embedding if args.arch == "embedding" else Linear)(len(labels), rng)
    n_batches = math.ceil(len(train) / args.batch_size)
    for epoch in range(args.epochs):
        shuffle.shuffle(train)
        loss = 0.0
        for number in range(n_batches):
            batch = train[number * args.batch_size : (number + 1) * args.batch_size]
            lr = rate(args.schedule, args.lr, (epoch + number / n_batches) / args.epochs)
            errors = []
            for ids, label in batch:
                kept = ids[rng.random(len(ids)) >= args.augment] if args.augment else ids
                kept = kept if len(kept) else ids
                guess = softmax(model.scores(kept))
                loss -= math.log(max(guess[label], 1e-12)) / len(train)
                guess[label] -= 1.0
                errors.append((kept, guess))
            for ids, error in errors:  # all of a batch see the same weights
                model.learn(ids, error, lr)
        guesses = [int(np.argmax(model.scores(ids))) for ids, _ in test]
        f1 = macro_f1([label for _, label in test], guesses, len(labels))
        repro.log({"loss": loss, "f1": f1}, step=epoch)
        print(f"epoch {epoch}: loss {loss:.3f}, f1 {f1:.3f}")


if __name__ == "__main__":
    main()
