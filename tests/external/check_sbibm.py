#!/usr/bin/env python3
"""Compares the draws of src/samplers with the reference posteriors of sbibm (Lueckmann et al. 2021) by C2ST.

usage: python3 -m venv V && V/bin/pip install numpy scikit-learn && V/bin/python tests/external/check_sbibm.py
           [--tasks two_moons,slcp] [--observations 1,2] [--size 10000] [--jobs 2] [--draws FOLDER]

- Fetches the package sbibm 1.1.0 from PyPI (its files only: torch is not needed), runs `cargo run --release --example sbibm`
  on its observations, and lets a classifier tell the example's 10,000 draws from the package's 10,000.
- C2ST by the package's settings (metrics/c2st.py): both z-scored by the reference's mean and deviation; multi-layer perceptron
  of two layers of 10 units a dimension, relu, adam, at most 10,000 iterations, seed 1; accuracy in five shuffled folds.
  0.5: nothing tells them apart; 1: all are told apart.
- `--size` compares fewer draws (quicker, less sharp); `--draws` compares draws that are there instead of making them.
- Exit code 1 when the mean over what was compared is above 0.53. All 80 take about three hours of one core.
"""

import argparse
import bz2
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

# One thread a classifier: they run side by side.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
from joblib import Parallel, delayed
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neural_network import MLPClassifier

ROOT = Path(__file__).resolve().parents[2]
BAR = 0.53
TASKS = "gaussian_linear gaussian_linear_uniform gaussian_mixture two_moons slcp bernoulli_glm sir lotka_volterra".split()


def table(text):
    return np.loadtxt(text, delimiter=",", skiprows=1, ndmin=2)


def c2st(reference, draws, seed=1, folds=5):
    mean, deviation = reference.mean(0), reference.std(0, ddof=1)
    width = 10 * reference.shape[1]
    classifier = MLPClassifier(
        activation="relu", hidden_layer_sizes=(width, width), max_iter=10000, solver="adam", random_state=seed
    )
    # The package's tensors are of single precision.
    both = ((np.concatenate([reference, draws]) - mean) / deviation).astype(np.float32)
    labels = np.concatenate([np.zeros(len(reference)), np.ones(len(draws))])
    shuffled = KFold(n_splits=folds, shuffle=True, random_state=seed)
    return float(np.mean(cross_val_score(classifier, both, labels, cv=shuffled, scoring="accuracy")))


def fetch(folder):
    """The package's task files: folder of tasks."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "sbibm==1.1.0", "-d", folder], check=True
    )
    [wheel] = Path(folder).glob("sbibm-*.whl")
    with zipfile.ZipFile(wheel) as package:
        package.extractall(folder)
    return Path(folder) / "sbibm/tasks"


def observations(tasks, folder):
    """The observations as the example reads them."""
    for task in TASKS:
        (folder / task).mkdir(parents=True)
        for k in range(1, 11):
            source = tasks / task / f"files/num_observation_{k}/observation.csv"
            (folder / task / f"{k}.csv").write_bytes(source.read_bytes())
    # The design matrix is a file of torch; its 100 x 10 numbers of single precision stand at the end.
    raw = (tasks / "bernoulli_glm/files/design_matrix.pt").read_bytes()
    design = np.frombuffer(raw[-4000:], "<f4").reshape(100, 10)
    first = tasks / "bernoulli_glm/files/num_observation_1"
    spikes, summaries = table(first / "observation_raw.csv")[0], table(first / "observation.csv")[0]
    if not np.allclose(spikes @ design, summaries, atol=1e-4):
        sys.exit("the design matrix of bernoulli_glm was not read rightly: its summaries are not those of its spikes")
    header = ",".join(f"column_{k}" for k in range(1, 11))
    np.savetxt(folder / "bernoulli_glm/design.csv", design, delimiter=",", header=header, comments="", fmt="%.9g")


def compare(tasks, drawn, task, k, size):
    begun = time.time()
    files = tasks / task / f"files/num_observation_{k}"
    reference = table(bz2.open(files / "reference_posterior_samples.csv.bz2"))
    draws = table(drawn / task / f"{k}.csv")
    chosen = np.random.default_rng(1)
    pair = [sample[chosen.permutation(len(sample))[:size]] for sample in (reference, draws)] \
        if size < len(reference) else [reference, draws]
    return task, k, c2st(*pair), time.time() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--observations", default="1,2,3,4,5,6,7,8,9,10")
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--draws", type=Path)
    arguments = parser.parse_args()
    named = arguments.tasks.split(",")
    numbers = [int(k) for k in arguments.observations.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        tasks = fetch(folder)
        drawn = arguments.draws
        if drawn is None:
            drawn = Path(folder) / "draws"
            observations(tasks, Path(folder) / "observations")
            command = ["cargo", "run", "--release", "--quiet", "--example", "sbibm", "--"]
            subprocess.run(command + [Path(folder) / "observations", drawn, *named], cwd=ROOT, check=True)
        work = [delayed(compare)(tasks, drawn, task, k, arguments.size) for task in named for k in numbers]
        found = {}
        for task, k, score, seconds in Parallel(n_jobs=arguments.jobs, return_as="generator_unordered")(work):
            print(f"{task} {k}: {score:.4f} ({seconds:.0f} s)", file=sys.stderr, flush=True)
            found[task, k] = score
    print("| task | " + " | ".join(map(str, numbers)) + " | mean |")
    print("|---|" + "---|" * (len(numbers) + 1))
    for task in named:
        scores = [found[task, k] for k in numbers]
        print(f"| {task} | " + " | ".join(f"{score:.3f}" for score in scores) + f" | {np.mean(scores):.4f} |")
    mean = np.mean([np.mean([found[task, k] for k in numbers]) for task in named])
    print(f"\nmean {mean:.4f}, at most {BAR} wanted ({arguments.size} draws of each compared)")
    sys.exit(int(mean > BAR))


if __name__ == "__main__":
    main()
