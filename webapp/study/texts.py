"""What participants read: the researcher's Markdown, or the texts that come with Huefield.

Markdown is rendered without raw HTML and cleaned again afterwards, so that a definition from
elsewhere cannot bring scripts or other sites' pictures onto the page.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt

from huefield.study.definition import Definition

_TAGS = {"p", "br", "em", "strong", "ul", "ol", "li", "h2", "h3", "h4", "a", "blockquote", "code"}

_TASK = {
    "choice": "two coloured versions of one photo, side by side",
    "flip": "two coloured versions of one photo, in turn, in the same place",
    "real-or-fake": "two versions of one photo, one after the other, each for a moment",
    "ranking": "two coloured versions of one photo at a time, several times for each photo",
}
_QUESTION = {
    "choice": "Which looks more real?",
    "flip": "Which looks more real?",
    "real-or-fake": "Which one had false colours?",
    "ranking": "Which looks more real?",
}


def study_texts(definition: Definition) -> dict[str, str]:
    """The texts of a study as HTML, by name: consent, screen, instructions, debrief."""
    own = definition.texts
    return {
        "consent": render_markdown(own.consent or _consent(definition)),
        "screen": render_markdown(own.screen or _SCREEN),
        "instructions": render_markdown(own.instructions or _instructions(definition)),
        "debrief": render_markdown(own.debrief or _debrief(definition)),
    }


def question_of(definition: Definition) -> str:
    """The question over the pictures, plain text."""
    return definition.texts.question.strip() or _QUESTION[definition.protocol]


def consent_hash(definition: Definition) -> str:
    """SHA-256 of the consent text as shown; a consent names what was agreed to."""
    return hashlib.sha256(study_texts(definition)["consent"].encode()).hexdigest()


@lru_cache(maxsize=256)
def render_markdown(text: str) -> str:
    """Safe HTML of a Markdown text."""
    html = MarkdownIt("commonmark", {"html": False}).render(text)
    cleaned: str = nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )
    return cleaned


def _consent(definition: Definition) -> str:
    return f"""\
You will see {_TASK[definition.protocol]}, and say which looks more real. It takes about \
{_minutes(definition)} minutes. There are no right or wrong opinions.

**What is kept:** your answers, how long each took, the size of your window, whether the page \
lost focus, and what you say about your colour vision. No name, no address, no browser \
details; nothing goes to third parties.

**For how long:** {definition.keep_days} days, then it is deleted. Tables made from the answers \
of everybody may be published.

**Your choice:** taking part is voluntary. You can stop at any time by closing the page. With \
your withdrawal code you can have all your answers deleted, also afterwards.

**Questions:** {definition.contact}
"""


_SCREEN = """\
Please turn the brightness of your screen up, switch off night or reading modes that tint it \
yellow, and avoid glare.
"""


def _instructions(definition: Definition) -> str:
    trials = definition.trials
    how = {
        "choice": "Both show the same photo with different colours. Pick the one that looks more "
        "like a real colour photo.",
        "flip": "The picture changes back and forth between two colourings. Pick the one that "
        "looks more like a real colour photo.",
        "real-or-fake": "One is a real colour photo, the other had its colours made by a computer. "
        f"You see each for {trials.exposure_ms / 1000:g} seconds. Then say which one had false "
        "colours.",
        "ranking": "Each photo comes several times, each time with two of its colourings. Pick "
        "the one that looks more like a real colour photo.",
    }[definition.protocol]
    practice = ""
    if trials.practice:
        them = "one" if trials.practice == 1 else str(trials.practice)
        practice = f"You begin with {them} for practice. "
    return f"""\
{how}

Go by your first impression, but do look at both. {practice}On a keyboard, use the arrow keys or \
**F** and **J**.
"""


def _debrief(definition: Definition) -> str:
    return f"""\
Thank you! You compared colours that different methods gave to the same grey photos. A few pairs \
held an obvious fake, to see that people were looking; some came twice, to see how steady \
judgements are.

Questions, or the results? {definition.contact}
"""


def _minutes(definition: Definition) -> int:
    trials = definition.trials
    shown = trials.practice + trials.count + trials.checks + trials.repeats
    seconds = 6.0
    if definition.protocol == "real-or-fake":
        seconds = 3.0 + (2 * trials.exposure_ms + 3 * trials.blank_ms) / 1000
    return max(2, round(shown * seconds / 60) + 1)
