"""The three stages of the paper in a row, decoder and mixture together, the hints network.

python -m train.all --config F --data DIR_OR_ZIP... --out RUN [--resume]
"""

from __future__ import annotations

from train import hints, hoc, joint, mdn, vae
from train.arguments import Stage, run_stage

STAGES = (
    Stage("vae", vae.train),
    Stage("hoc", hoc.train),
    Stage("mdn", mdn.train),
    Stage("joint", joint.train),
    Stage("hints", hints.train),
)

if __name__ == "__main__":
    raise SystemExit(run_stage(STAGES))
