"""Iris by softmax regression, in pure Python: a small experiment with honest results."""

import argparse
import csv
import math
import random

import repro

MOMENTUM = 0.0  # of the last step, what part is taken again


def load(path):
    """Rows of 4 features, standardised, and their class 0, 1 or 2."""
    with open(path) as file:
        rows = list(csv.DictReader(file))
    labels = [int(row.pop("species")) for row in rows]
    columns = [[float(row[name]) for row in rows] for name in rows[0]]
    scaled = []
    for column in columns:
        mean = sum(column) / len(column)
        spread = math.sqrt(sum((x - mean) ** 2 for x in column) / len(column))
        scaled.append([(x - mean) / spread for x in column])
    return [list(row) + [1.0] for row in zip(*scaled)], labels


def predict(weights, row):
    scores = [sum(w * x for w, x in zip(line, row)) for line in weights]
    top = max(scores)
    powers = [math.exp(score - top) for score in scores]
    return [power / sum(powers) for power in powers]


def evaluate(weights, rows, labels):
    guesses = [predict(weights, row) for row in rows]
    loss = -sum(math.log(p[label]) for p, label in zip(guesses, labels)) / len(rows)
    hits = sum(p.index(max(p)) == label for p, label in zip(guesses, labels))
    return loss, hits / len(rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    run = repro.init(config=vars(args))
    repro.define_metric("val_loss", goal="minimize")
    chance = random.Random(args.seed)
    rows, labels = load("iris.csv")
    order = list(range(len(rows)))
    chance.shuffle(order)
    test, train = order[:50], order[50:]
    weights = [[0.0] * 5 for _ in range(3)]
    steps = [[0.0] * 5 for _ in range(3)]
    for epoch in range(args.epochs):
        chance.shuffle(train)
        for start in range(0, len(train), args.batch_size):
            batch = train[start : start + args.batch_size]
            slopes = [[0.0] * 5 for _ in range(3)]
            for index in batch:
                guess = predict(weights, rows[index])
                for label in range(3):
                    error = guess[label] - (labels[index] == label)
                    for k in range(5):
                        slopes[label][k] += error * rows[index][k] / len(batch)
            for label in range(3):
                for k in range(5):
                    steps[label][k] = MOMENTUM * steps[label][k] - args.lr * slopes[label][k]
                    weights[label][k] += steps[label][k]
        loss, _ = evaluate(weights, [rows[i] for i in train], [labels[i] for i in train])
        val_loss, accuracy = evaluate(weights, [rows[i] for i in test], [labels[i] for i in test])
        repro.log({"loss": loss, "val_loss": val_loss, "val_accuracy": accuracy}, step=epoch)
    print(f"val_loss {val_loss:.4f}  val_accuracy {accuracy:.2f}")
    run.finish()


if __name__ == "__main__":
    main()
