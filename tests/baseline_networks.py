"""New networks of every diverse baseline, as its checkpoints hold them."""

from __future__ import annotations

from torch import nn

from train.baselines import bicycle_gan, cgan, mln_gan, pic, vae_mdn
from train.config import Config


def baseline_networks(config: Config) -> dict[str, dict[str, nn.Module]]:
    """{stage: {network: module}} by a configuration."""
    return {
        "cgan": {"generator": cgan.Generator(config.cgan)},
        "mln_gan": {"generator": mln_gan.Generator(config.mln_gan)},
        "bicycle_gan": {"generator": bicycle_gan.Generator(config.bicycle_gan)},
        "vae_mdn": {"decoder": vae_mdn.Decoder(config.vae_mdn)},
        "vae_mdn_prior": {"mdn": vae_mdn.Mdn(config.vae_mdn, config.vae_mdn_prior)},
        "pic": {"embedding": pic.Embedding(config.pic), "network": pic.Network(config.pic)},
    }
