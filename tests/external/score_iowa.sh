#!/usr/bin/env bash
# Scores the dark half on real sales: for each vendor and panel, builds the market directory with half of it hidden, runs
# ikiz on it and compares potential.csv with the truth. Prints one Markdown table row a market and measure.
#
# usage: tests/external/score_iowa.sh [VENDORS] [PANELS] [SEEDS]      e.g.  score_iowa.sh "306 184 240" "audited" "7"
# Needs the real data and its tools at $IKIZ_SHARED (default ../shared), Python 3, and a release build.
set -euo pipefail
cd "$(dirname "$0")/../.."
shared=${IKIZ_SHARED:-../shared}
vendors=${1:-"306 184 240"}
panels=${2:-"audited full state"}
seeds=${3:-"7"}
command=${IKIZ_COMMAND:-run}
[ -f "$shared/tools/iowa_market.py" ] || { echo "skipped: no real data at $shared (set IKIZ_SHARED)"; exit 0; }
cargo build --release --quiet
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "| vendor | panel | seed | measure | WAPE | skill | rank | total | cover50 | cover90 | hand WAPE |"
echo "|---|---|---|---|---|---|---|---|---|---|---|"
for vendor in $vendors; do
    for panel in $panels; do
        for seed in $seeds; do
            rm -rf "$work/iowa"
            python3 "$shared/tools/iowa_market.py" --out "$work/iowa" --vendor "$vendor" --panel "$panel" --seed "$seed" > "$work/log"
            ./target/release/ikiz "$command" scenarios/iowa.toml --market "$work/iowa/market" --out "$work/out" --quiet || [ $? = 3 ]
            python3 "$shared/tools/score_potential.py" "$work/out/iowa/potential.csv" "$work/iowa/market" \
                "$work/iowa/truth/potential.csv" --measures dark_customers,dark_demand,total_demand --json > "$work/score.json"
            python3 - "$vendor" "$panel" "$seed" "$work/score.json" <<'PY'
import json, sys
vendor, panel, seed, path = sys.argv[1:]
def show(value):
    return "" if value is None else f"{value:.2f}"
for measure, row in json.load(open(path)).items():
    cells = [show(row[key]) for key in ("wape", "skill", "rank", "total", "cover50", "cover90", "hand_wape")]
    print("| " + " | ".join([vendor, panel, seed, measure] + cells) + " |", flush=True)
PY
        done
    done
done
