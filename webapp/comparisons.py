"""What earlier methods make of stored photos, kept as colourings are.

Called by `webapp.comparison_api`.
"""

from __future__ import annotations

import numpy as np

from huefield.rendering import Renderer
from huefield.strokes import edits_to_json
from webapp.forms import ComparisonRequest
from webapp.methods import Methods
from webapp.previews import to_webp
from webapp.storage import PhotoStore, StoredColorization, StoredPhoto, colorization_key
from webapp.workbench import Workbench


class Comparisons:
    """Samples of earlier methods for photos of a store; safe for several threads."""

    def __init__(self, store: PhotoStore, bench: Workbench, methods: Methods) -> None:
        self.methods = methods
        self._store = store
        self._bench = bench

    def compare(self, stored: StoredPhoto, given: ComparisonRequest) -> StoredColorization:
        """The samples for a request: those kept from before, or new ones, which are kept too."""
        wanted = self.methods.completed(given)
        method = self.methods.find(wanted.method)
        identity: dict[str, object] = {
            "method": wanted.method,
            "seed": wanted.seed,
            "edits": None if wanted.edits is None else edits_to_json(wanted.edits),
        }
        key = colorization_key({**identity, "samples": wanted.samples, "version": method.version})
        kept = self._store.load_colorization(stored, key)
        if kept is not None:
            return kept
        fields = self.methods.fields(self._bench.photo(stored), wanted)
        made = StoredColorization(
            key=key,
            document={**identity, "seconds": self.methods.seconds(wanted.method)},
            fields=fields,
            codes=np.zeros((len(fields), 0), np.float32),
        )
        self._store.save_colorization(stored, made)
        return made

    def preview(
        self, stored: StoredPhoto, made: StoredColorization, index: int, side: int
    ) -> bytes:
        """One sample as WebP; ``side``: pixels of its longer side, at most the photo's own."""
        renderer = Renderer(self._bench.photo(stored).lightness)
        with self._bench.turn():
            return to_webp(renderer.render(made.fields[index], long_side=side))
