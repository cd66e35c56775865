"""What of the paper's own figures is at hand, and what can be compared with them.

Called by `table2` and `table3`. Figures that are not here were not copied from anywhere: the paper
has more than these.

Source: Messaoud et al. 2018, Tables 2 and 3.
"""

from __future__ import annotations

from collections.abc import Mapping

from huefield import lab

ERROR_OF_BEST = 11e-5
PSNR_AT_100 = 30.4  # dB, revealed points
# dB over Levin 2004 at 10, 50 and 100 revealed points, by the titles of our rows.
OVER_LEVIN: Mapping[str, tuple[float, float, float]] = {
    "G-CRF, the paper's setting": (0.2, 0.8, 0.4),
    "Zhang 2017": (1.5, 1.7, 1.5),
}
MARGIN_COUNTS = (10, 50, 100)


def error_note(name: str, measured: Mapping[str, float]) -> str:
    """Which of our errors of the best sample can be what the paper prints, in one paragraph.

    Args:
        name: of a set.
        measured: figures of ours on it, `pixel_mse` in ab/128.
    """
    as_mae = ERROR_OF_BEST * lab.AB_SCALE
    as_mse = ERROR_OF_BEST**0.5 * lab.AB_SCALE
    return (
        f"The paper prints an error of best of {ERROR_OF_BEST * 1e5:.0f}e-5 for its method. As MAE "
        f"in our units it would be {as_mae:.3f} Lab units, less than 8-bit photos resolve; as MSE "
        f"{as_mse:.1f} Lab units a channel over whole photos, which would mean 41.6 dB, where the "
        f"paper has {PSNR_AT_100} dB with 100 true points shown. So it can be neither of our "
        "image-wise errors. Of our three only the pixel-wise MSE, the best sample taken anew at "
        f"each pixel, could be meant; on {name} it is {measured['pixel_mse']:.2g} here, "
        f"{measured['pixel_mse'] / ERROR_OF_BEST:.1f} times as much. It cannot be the same "
        "quantity as the other rows of the paper's table, and no column here holds it."
    )


def margins_note() -> str:
    """The margins that the paper prints over Levin's method, as Markdown."""
    heads = " | ".join(f"{count} points" for count in MARGIN_COUNTS)
    lines = [
        "The paper prints these margins over Levin 2004, in dB, on photos of its own; its method "
        f"reaches {PSNR_AT_100} dB at 100 points. Photo sets differ by about 1 dB, so margins are "
        "what to compare:",
        "",
        f"| over Levin 2004, as printed | {heads} |",
        "| --- |" + " ---: |" * len(MARGIN_COUNTS),
    ]
    for title, margins in OVER_LEVIN.items():
        lines.append(f"| {title} | " + " | ".join(f"{m:+.1f}" for m in margins) + " |")
    return "\n".join(lines)
