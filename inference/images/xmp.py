"""XMP, a standard for data about a picture in its file: here, how the picture came to be."""

from __future__ import annotations

import re
from typing import Literal

SourceType = Literal[
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
    "algorithmicallyEnhanced",
]
"""How a picture came to be, by the names of the press's standard, IPTC: drawn by a model, drawn by a model into a given
picture, or a given picture made better by a program."""

_VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_PATTERN = re.compile(rb"cv\.iptc\.org/newscodes/digitalsourcetype/(\w{1,60})")
_PACKET = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmp:CreatorTool="Inkling"
 Iptc4xmpExt:DigitalSourceType="{source_type}"/>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def source_type_uri(source_type: SourceType) -> str:
    """Return the address that stands for a source type, in XMP as in C2PA."""
    return _VOCABULARY + source_type


def to_xmp(source_type: SourceType) -> str:
    """Return XMP that says how a picture came to be. It names the program, and no person or server."""
    return _PACKET.format(source_type=source_type_uri(source_type))


def source_type_in(xmp: bytes) -> str:
    """Return the name of the source type that XMP states, such as trainedAlgorithmicMedia; empty if there is none."""
    match = _PATTERN.search(xmp)
    return match[1].decode("ascii", errors="replace") if match else ""
