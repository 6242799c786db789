"""Which parts of a mail are its body, and which are attachments."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from mailbridge.domain.mail.parts import Part

_REDUNDANT = frozenset({"text/x-amp-html", "text/watch-html"})


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the body: the parts to read it as text, and the parts to read it as HTML, in order."""

    plain: tuple[Part, ...] = ()
    rich: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """The body, in order, and the attachments."""

    segments: tuple[Segment, ...] = ()
    attachments: tuple[Part, ...] = ()

    @property
    def plain(self) -> tuple[Part, ...]:
        """The parts to read the body as text; HTML where there is nothing else."""
        return tuple(chain.from_iterable(segment.plain or segment.rich for segment in self.segments))

    @property
    def rich(self) -> tuple[Part, ...]:
        """The parts to read the body as HTML, plain text among them; empty where no part is HTML."""
        if not any(segment.rich for segment in self.segments):
            return ()
        return tuple(chain.from_iterable(segment.rich or segment.plain for segment in self.segments))

    @property
    def texts(self) -> tuple[Part, ...]:
        """Every part that either reading needs, once."""
        return tuple({part.part_id: part for part in (*self.plain, *self.rich)}.values())


def lay_out(part: Part) -> Layout:
    """The layout of a part and all below it, by its MIME type (RFC 2046, 2387, 6522)."""
    if part.is_container:
        return _container(part)
    if part.is_text:
        return Layout((Segment(rich=(part,)) if part.is_html else Segment(plain=(part,)),))
    return Layout(attachments=(part,))


def _container(part: Part) -> Layout:
    match part.mime_type:
        case "multipart/alternative":
            return _alternative(part.children)
        case "multipart/related":
            return _related(part)
        case "multipart/report":
            return _report(part.children)
    return _joined(lay_out(child) for child in part.children)


def _joined(layouts: Iterable[Layout]) -> Layout:
    known = tuple(layouts)
    return Layout(
        tuple(chain.from_iterable(layout.segments for layout in known)),
        tuple(chain.from_iterable(layout.attachments for layout in known)),
    )


def _alternative(children: Iterable[Part]) -> Layout:
    """The last HTML and the last text; the other alternatives are lost on purpose, their attachments are not."""
    layouts = [lay_out(child) for child in children if child.mime_type not in _REDUNDANT]
    rich = next((layout.rich for layout in reversed(layouts) if layout.rich), ())
    plain = next((layout.plain for layout in reversed(layouts) if _has_plain(layout)), ())
    segments = (Segment(plain, rich),) if plain or rich else ()
    return Layout(segments, _joined(layouts).attachments)


def _has_plain(layout: Layout) -> bool:
    return any(segment.plain for segment in layout.segments)


def _related(part: Part) -> Layout:
    """The root (RFC 2387: the first, or the one that `start` names) is the body; what it may refer to is attached."""
    root = next((child for child in part.children if part.start and child.content_id == part.start), part.children[0])
    return _joined(_related_part(child, root) for child in part.children)


def _related_part(child: Part, root: Part) -> Layout:
    if child is not root and child.content_id and not child.is_container:
        return Layout(attachments=(child,))
    return lay_out(child)


def _report(children: tuple[Part, ...]) -> Layout:
    """The first part is for people, the others for programs (P30)."""
    return _joined([lay_out(children[0]), *(Layout(attachments=_leaves(child)) for child in children[1:])])


def _leaves(part: Part) -> tuple[Part, ...]:
    return tuple(chain.from_iterable(_leaves(child) for child in part.children)) if part.is_container else (part,)
