"""What searches find, and what a suggestion costs: `python -m tests.bench.bench_search [SEEDS]`.

Prints the median over the seeds of the best value after 100 trials of functions of six numbers, by
each method, then the time of one suggestion. A Gaussian process is left out without PyTorch.
"""

import sys
from importlib.util import find_spec
from statistics import median
from time import perf_counter

from repro.core.sweep.suggest import make_suggester
from tests.support.searching import hartmann, levy, make_search_spec, play, rastrigin

N_TRIALS = 100
METHODS = ["random", "tpe", "cmaes"] + (["gp"] if find_spec("torch") else [])


def main() -> None:
    """Measure, print."""
    n_seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"best of {N_TRIALS} trials, median of {n_seeds} seeds (least possible)")
    print(f"{'':24}" + "".join(f"{method:>9}" for method in METHODS) + "   seeds won by tpe")
    for function, least in ((hartmann, -3.32237), (levy, 0), (rastrigin, 0)):
        found = {
            method: [
                play(make_search_spec(method, seed=seed), function, N_TRIALS).best()
                for seed in range(n_seeds)
            ]
            for method in METHODS
        }
        won = sum(a < b for a, b in zip(found["tpe"], found["random"], strict=True))
        name = f"{function.__name__} ({least})"
        print(f"{name:24}" + "".join(f"{median(found[one]):9.3f}" for one in METHODS), f"  {won}")

    print("milliseconds of one suggestion")
    for n_trials in (200, 1000):
        ledger = play(make_search_spec("random"), hartmann, n_trials).ledger
        for method in METHODS:
            suggester = make_suggester(make_search_spec(method))
            took = []
            for _ in range(3):
                start = perf_counter()
                suggester.suggest(ledger)
                took.append((perf_counter() - start) * 1000)
            print(f"{n_trials:5} trials, {method:8} first {took[0]:8.1f}   then {min(took):8.1f}")


if __name__ == "__main__":
    main()
