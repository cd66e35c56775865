from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from webapp.problems import ProblemError
from webapp.storage import PhotoStore, StoredColorization, StoredPhoto, colorization_key


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make_store(
    folder: Path, clock: Clock, *, photos: int = 3, colorizations: int = 4, max_bytes: int = 10**6
) -> PhotoStore:
    return PhotoStore(
        folder / "photos",
        lifetime=3600,
        photos_per_session=photos,
        colorizations_per_photo=colorizations,
        max_bytes=max_bytes,
        clock=clock,
    )


def add(store: PhotoStore, owner: str = "anna", data: bytes = b"photo") -> StoredPhoto:
    return store.add(
        data, owner=owner, name="mill", size=(40, 30), file_format="JPEG", has_color=False
    )


def colorization(key: str) -> StoredColorization:
    rng = np.random.default_rng(int(key[:2], 16))
    return StoredColorization(
        key=key,
        document={"model": "photos", "samples": [{"index": 0}]},
        fields=rng.normal(size=(6, 8, 8, 2)).astype(np.float32),
        codes=rng.normal(size=(6, 64)).astype(np.float32),
    )


def test_a_photo_is_found_by_its_owner_only(tmp_path: Path, clock: Clock) -> None:
    store = make_store(tmp_path, clock)
    photo = add(store)
    assert store.find(photo.id, "anna") == photo
    assert store.read(photo) == b"photo"
    for stranger in ("bert", ""):
        with pytest.raises(ProblemError) as caught:
            store.find(photo.id, stranger)
        assert caught.value.status == 404


@pytest.mark.parametrize("photo_id", ["", "..", "../photos", "a" * 32, "a/../b", "x" * 500])
def test_an_unknown_or_hostile_id_finds_nothing(
    tmp_path: Path, clock: Clock, photo_id: str
) -> None:
    store = make_store(tmp_path, clock)
    with pytest.raises(ProblemError, match="Open it again"):
        store.find(photo_id, "anna")


def test_another_process_finds_the_same_photo(tmp_path: Path, clock: Clock) -> None:
    photo = add(make_store(tmp_path, clock))
    assert make_store(tmp_path, clock).find(photo.id, "anna") == photo


def test_the_owner_is_not_written_in_plain_words(tmp_path: Path, clock: Clock) -> None:
    photo = add(make_store(tmp_path, clock), owner="secret-session")
    assert "secret-session" not in (tmp_path / "photos" / photo.id / "photo.json").read_text()


def test_a_photo_expires_an_hour_after_its_last_use(tmp_path: Path, clock: Clock) -> None:
    store = make_store(tmp_path, clock)
    used, unused = add(store), add(store)
    clock.now += 3000
    store.find(used.id, "anna")
    clock.now += 1000
    assert store.sweep(force=True) == 1
    assert store.find(used.id, "anna") == used
    with pytest.raises(ProblemError):
        store.find(unused.id, "anna")
    assert [path.name for path in (tmp_path / "photos").iterdir()] == [used.id]


def test_an_expired_photo_is_gone_even_before_the_sweep(tmp_path: Path, clock: Clock) -> None:
    store = make_store(tmp_path, clock)
    photo = add(store)
    store.sweep(force=True)
    clock.now += 3601
    store._swept = clock.now
    with pytest.raises(ProblemError):
        store.find(photo.id, "anna")


def test_half_written_photos_are_swept(tmp_path: Path, clock: Clock) -> None:
    store = make_store(tmp_path, clock)
    left = tmp_path / "photos" / ".new-left"
    left.mkdir()
    os.utime(left, (clock.now - 7200, clock.now - 7200))
    assert store.sweep(force=True) == 1
    assert not left.exists()


def test_removing_deletes_everything_of_a_photo(tmp_path: Path, clock: Clock) -> None:
    store = make_store(tmp_path, clock)
    photo = add(store)
    store.save_colorization(photo, colorization("0a" * 16))
    store.remove(photo)
    store.remove(photo)
    assert list((tmp_path / "photos").iterdir()) == []
    with pytest.raises(ProblemError):
        store.read(photo)
    with pytest.raises(ProblemError):
        store.save_colorization(photo, colorization("0b" * 16))


def test_the_oldest_photo_of_a_session_gives_way(tmp_path: Path, clock: Clock) -> None:
    store = make_store(tmp_path, clock)
    other = add(store, owner="bert")
    photos = []
    for _ in range(5):
        clock.now += 1
        photos.append(add(store))
    for photo in photos[:2]:
        with pytest.raises(ProblemError):
            store.find(photo.id, "anna")
    for photo in photos[2:]:
        assert store.find(photo.id, "anna") == photo
    assert store.find(other.id, "bert") == other


def test_a_full_store_refuses_new_photos(tmp_path: Path, clock: Clock) -> None:
    store = make_store(tmp_path, clock, max_bytes=5000)
    add(store, data=bytes(3000))
    with pytest.raises(ProblemError) as caught:
        add(store, data=bytes(3000))
    assert caught.value.status == 503
    clock.now += 4000
    add(store, data=bytes(3000))


def test_a_colorization_comes_back_bit_for_bit(tmp_path: Path, clock: Clock) -> None:
    store = make_store(tmp_path, clock)
    photo = add(store)
    made = colorization("0c" * 16)
    store.save_colorization(photo, made)
    kept = make_store(tmp_path, clock).load_colorization(photo, made.key)
    assert kept is not None
    assert kept.document == made.document
    np.testing.assert_array_equal(kept.fields, made.fields)
    np.testing.assert_array_equal(kept.codes, made.codes)
    for key in ("0d" * 16, "../photo", "photo"):
        assert store.load_colorization(photo, key) is None


def test_old_colorizations_give_way_with_their_fields(tmp_path: Path, clock: Clock) -> None:
    store = make_store(tmp_path, clock)
    photo = add(store)
    keys = [f"{number:02x}" * 16 for number in range(7)]
    folder = tmp_path / "photos" / photo.id
    for age, key in enumerate(keys):
        store.save_colorization(photo, colorization(key))
        os.utime(folder / f"{key}.json", (clock.now + age, clock.now + age))
    kept = [key for key in keys if store.load_colorization(photo, key)]
    assert kept == keys[-4:]
    assert len(list(folder.glob("*.npz"))) == 4
    assert store.find(photo.id, "anna") == photo


def test_the_key_depends_on_every_part_but_not_on_their_order() -> None:
    parts = {"seed": 0, "model": "photos", "edits": None}
    assert colorization_key(parts) == colorization_key(dict(reversed(parts.items())))
    for name, value in (("seed", 1), ("model", "faces"), ("edits", {})):
        assert colorization_key({**parts, name: value}) != colorization_key(parts)
