"""Single Gaussian, Gaussian mixture and isolation forest as detectors, by scikit-learn.

Usage: detectors.py FIT.csv CALIBRATION.csv TEST.csv SEED

Each is fitted to the first table. Prints, as JSON, the scores that each gives the rows of the second and third:
the lower, the stranger.
"""

import json
import sys

import numpy as np
import sklearn
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture

fit, calibration, test = (np.loadtxt(path, delimiter=",", skiprows=1) for path in sys.argv[1:4])
seed = int(sys.argv[4])


def mixture():
    """As many components as the BIC asks for, full covariances."""
    candidates = (
        GaussianMixture(n, n_init=3, reg_covar=1e-4, random_state=seed).fit(fit) for n in range(1, 9)
    )
    return min(candidates, key=lambda candidate: candidate.bic(fit))


detectors = {
    "single Gaussian": GaussianMixture(1, random_state=seed).fit(fit),
    "Gaussian mixture": mixture(),
    "isolation forest": IsolationForest(n_estimators=300, random_state=seed).fit(fit),
}
scores = {
    name: [detector.score_samples(rows).tolist() for rows in (calibration, test)]
    for name, detector in detectors.items()
}
print(json.dumps({"version": sklearn.__version__, "scores": scores}))
