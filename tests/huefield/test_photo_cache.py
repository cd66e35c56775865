"""The byte-bounded cache: opens once, drops the longest unused, never what is in use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import cast

import pytest

from huefield.colorizer import OpenPhoto
from huefield.photo_cache import PhotoCache


class Held:
    """Stands for an open photo of some size, which may grow."""

    def __init__(self, nbytes: int) -> None:
        self.nbytes = nbytes


def opener(nbytes: int) -> Callable[[], OpenPhoto]:
    return lambda: cast("OpenPhoto", Held(nbytes))


def never() -> OpenPhoto:
    raise AssertionError("opened a second time")


def touch(cache: PhotoCache, key: str, nbytes: int) -> None:
    with cache.using(key, opener(nbytes)):
        pass


def test_a_photo_is_opened_once() -> None:
    cache = PhotoCache(100)
    with cache.using("a", opener(40)) as first:
        pass
    with cache.using("a", never) as second:
        assert second is first
    assert (len(cache), cache.nbytes) == (1, 40)


def test_the_longest_unused_goes_first() -> None:
    cache = PhotoCache(100)
    for key in ("a", "b"):
        touch(cache, key, 40)
    touch(cache, "a", 40)
    touch(cache, "c", 40)
    assert cache.nbytes == 80
    with cache.using("a", never), cache.using("c", never):
        pass
    with pytest.raises(AssertionError, match="second time"), cache.using("b", never):
        pass
    assert len(cache) == 2, "what failed to open leaves nothing"


def test_a_photo_that_grew_counts_at_its_new_size() -> None:
    cache = PhotoCache(100)
    touch(cache, "a", 10)
    with cache.using("b", opener(10)) as photo:
        cast("Held", photo).nbytes = 95
    assert (len(cache), cache.nbytes) == (1, 95)
    with cache.using("b", never):
        pass


def test_a_photo_in_use_stays() -> None:
    cache = PhotoCache(50)
    with cache.using("a", opener(200)):
        touch(cache, "b", 40)
        with cache.using("a", never):
            pass
        assert len(cache) == 1, "b made way, a is in use"
    assert len(cache) == 0, "larger than the whole cache: gone once unused"


def test_discarded_photos_are_opened_anew() -> None:
    cache = PhotoCache(100)
    with cache.using("a", opener(10)) as first:
        cache.discard("a")
    cache.discard("unknown")
    with cache.using("a", opener(10)) as second:
        assert second is not first


def test_threads_wait_for_the_one_that_opens() -> None:
    cache = PhotoCache(100)
    opening, go_on = threading.Event(), threading.Event()
    opened = []

    def slow() -> OpenPhoto:
        opened.append(1)
        opening.set()
        assert go_on.wait(10)
        return cast("OpenPhoto", Held(10))

    def use() -> None:
        with cache.using("a", slow):
            pass

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert opening.wait(10)
    touch(cache, "b", 10)  # another photo does not wait
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert opened == [1]
