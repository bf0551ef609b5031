#!/bin/sh
# pertpy's compare_distance(mode="scaled") scales prediction and truth and leaves the control as it is: predicting the control scores well.
#
# Seen: pertpy 1.4.0 (anndata 0.13.4, scanpy 1.12.4, numpy 2.5.5, scikit-learn 1.9.1), Python 3.13; the same lines are in 1.2.0.
# Expected before looking: the score is distance(truth, prediction) / distance(control, prediction): near 0 for a good prediction, large
# for one that predicts no effect. In mode "scaled" the three are brought to the range of the control before.
# Found: in mode "scaled" the control is not brought there. It stays at log expressions of about 3, and all predictions are then far from
# it, so that the lower part of the score is about the same for all of them. Of 20 genes 5 change by 2:
# - another sample of the control's distribution, that is no effect at all, scores 694 by mse in mode "simple" and 0.016 in mode "scaled";
#   by euclidean 26 and 0.13, by edistance 243 and 0.08. Below 1 means nearer to the truth than to the control.
# - the right genes changed by 2.2 times the effect: 0.30 by mse in mode "simple", far better than no effect; 0.029 in mode "scaled", worse
#   than no effect. The order of the methods turns round.
# With all three scaled by the same scaler before, mode "simple" gives 606 for no effect and 0.30 for 2.2 times. No error and no warning.
#
# Why it matters: that predictors of perturbations often predict the control is what such a score is meant to show, and this one hides it.
# Scale all three by hand (MinMaxScaler().fit(control)), call mode "simple" with them, and give any such score the control itself as a
# prediction once: it has to come out as bad.
#
# Needs Python 3.12 or newer and PyPI; makes one environment in a temporary folder, some 40 s of processor time.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python=${PYTHON:-}
for candidate in python3.14 python3.13 python3.12 python3; do
    [ -n "$python" ] || ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || python=$candidate
done
[ -n "$python" ] || { echo "needs Python 3.12 or newer, as pertpy does; name one in PYTHON"; exit 1; }
"$python" -m venv env
env/bin/pip install -q --disable-pip-version-check --no-compile pertpy==1.4.0 anndata==0.13.4 scanpy==1.12.4 h5py==3.16.0 numpy==2.5.5 \
    scipy==1.18.1 pandas==3.1.1 numba==0.68.1 scikit-learn==1.9.1 fast-array-utils==1.5.1

cat >scores.py <<'P'
import sys
import warnings

import numpy
from pertpy.tools import Distance
from sklearn.preprocessing import MinMaxScaler

told = []
warnings.showwarning = lambda message, *more, **named: told.append(str(message))
warnings.simplefilter("always")
random = numpy.random.default_rng(1)
effect = numpy.where(numpy.arange(20) < 5, 2.0, 0.0)


def cells(times):
    return random.normal(3 + times * effect, 0.5, (300, 20))


control, truth = cells(0), cells(1)
predictions = {"80 % of the effect": cells(0.8), "2.2 times the effect": cells(2.2), "no effect": cells(0)}
scaler = MinMaxScaler().fit(control)
ok = True
for metric in "mse", "euclidean", "edistance":
    distance = Distance(metric=metric)
    simple, scaled, by_hand = (
        {k: float(score(v)) for k, v in predictions.items()}
        for score in (
            lambda p: distance.compare_distance(truth, p, control),
            lambda p: distance.compare_distance(truth, p, control, mode="scaled"),
            lambda p: distance.compare_distance(*(scaler.transform(x) for x in (truth, p, control))),
        )
    )
    for name, scores in ("simple", simple), ("scaled", scaled), ("all three scaled before, simple", by_hand):
        print(f"{metric}, {name}: " + ", ".join(f"{k} {v:.3g}" for k, v in scores.items()))
    for right in simple, by_hand:
        ok &= right["80 % of the effect"] < right["2.2 times the effect"] < 1 < right["no effect"]
    ok &= scaled["no effect"] < 0.2 and scaled["no effect"] < scaled["2.2 times the effect"]
if not ok:
    sys.exit("CHANGED: mode scaled alone took no effect for a good prediction")
if [text for text in told if any(word in text.lower() for word in ("scale", "control", "ctrl"))]:
    sys.exit(f"CHANGED: there is a warning: {told}")
P
env/bin/python scores.py 2>log.txt || { tail -n 5 log.txt; exit 1; }
echo "as found"
