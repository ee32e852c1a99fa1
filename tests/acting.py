"""What in an HTML could act: read by html5lib, which reads as browsers do."""

from xml.etree.ElementTree import Element

import html5lib

_TAGS = {"script", "iframe", "object", "embed", "form", "input", "svg", "math", "link", "base", "meta"}


def found(html: str, *, page: bool = True) -> list[str]:
    """Tags that act, attributes that hold script, and addresses of odd schemes. ``page``: its own meta tags are fine."""
    tree: Element = html5lib.parse(html, namespaceHTMLElements=False)
    acting = []
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        if element.tag in _TAGS and not (page and element.tag == "meta" and not element.get("http-equiv")):
            acting.append(element.tag)
        for name, value in element.attrib.items():
            bad_address = name in ("href", "src", "background", "action") and ":" in value.split("/")[0]
            if str(name).startswith("on") or (
                bad_address and value.partition(":")[0].lower() not in ("http", "https", "mailto", "tel")
            ):
                acting.append(f"{element.tag} {name}={value}")
    return acting
