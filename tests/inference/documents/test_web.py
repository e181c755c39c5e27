"""Test that the text of a web page is read as a visitor sees it, however the page is built."""

from __future__ import annotations

import pytest

from inference import InvalidRequest, document_text


def text_of(body: str) -> str:
    return document_text(f"<!DOCTYPE html><html><head><title>T</title></head><body>{body}".encode(), "a.html")


def test_an_open_select_ends_where_the_text_begins() -> None:
    assert text_of("<select><option>A<option>B<p>The mill.</p>") == "T\n\nThe mill."
    assert text_of("<select><option>A<option>B<div>The <b>mill</b>.</div>") == "T\n\nThe mill."
    assert text_of("<nav><select><option>A</nav><h2>Mill</h2><select><option>B<table><td>1") == "T\n\nMill\n\n1"


def test_the_options_of_a_select_are_not_read() -> None:
    menu = "<select><optgroup label=x><option>A<option><span>B</span></optgroup><hr><option>C</select>"
    assert text_of(f"<p>The {menu} mill.</p>") == "T\n\nThe\nmill."


@pytest.mark.parametrize("tag", ["noscript", "nav", "button", "select", "div hidden", "div style='display: none'"])
def test_what_is_skipped_elsewhere_is_read_if_the_page_has_nothing_else(tag: str) -> None:
    assert text_of(f"<{tag}><p>The mill.</p></{tag.split()[0]}>").endswith("The mill.")
    assert text_of(f"<p>Shown.</p><{tag}><i>The mill.</i></{tag.split()[0]}>") == "T\n\nShown."


def test_a_menu_that_is_never_closed_does_not_hide_the_page() -> None:
    assert text_of("<nav><a>Home</a><p>The mill.") == "T\n\nHome\nThe mill."


@pytest.mark.parametrize(
    "attributes",
    [
        "hidden",
        "popover",
        "hidden=''",
        "hidden='hidden'",
        "style='display:none'",
        "style='color: red; DISPLAY : none !important'",
        "style='visibility:hidden'",
    ],
)
def test_hidden_text_is_not_read(attributes: str) -> None:
    assert text_of(f"<p>Shown.</p><p {attributes}>Never <b>shown.</b></p><p>Also.</p>") == "T\n\nShown.\n\nAlso."
    assert text_of(f"<p>Shown<span {attributes}> never</span> too.</p>") == "T\n\nShown too."
    hidden = f"<div {attributes}><h1>Never</h1><div>shown.</div></div>"
    assert text_of(f"<p>Shown.</p>{hidden}<p>Also.</p>") == "T\n\nShown.\n\nAlso."


def test_a_closed_dialog_is_not_read() -> None:
    assert text_of("<p>Shown.</p><dialog>Accept?</dialog><dialog open>Read me.</dialog>") == "T\n\nShown.\n\nRead me."


@pytest.mark.parametrize("attributes", ["hidden='until-found'", "style='display:block'", "style='overflow:hidden'"])
def test_text_that_only_seems_hidden_is_read(attributes: str) -> None:
    assert text_of(f"<p>Shown.</p><p {attributes}>Also.</p>") == "T\n\nShown.\n\nAlso."


@pytest.mark.parametrize("tag", ["pre", "textarea", "listing", "xmp", "div style='white-space: pre-wrap'"])
def test_preformatted_text_keeps_its_lines_and_blanks(tag: str) -> None:
    assert text_of(f"<p>Before.</p><{tag}>line one\n  line two\n\nlast</{tag}>After.") == (
        "T\n\nBefore.\n\nline one\n  line two\n\nlast\nAfter."
    )


def test_tags_inside_preformatted_text_do_not_change_its_lines() -> None:
    assert text_of("<pre><code>def <b>f</b>():\r\n\treturn <i>1</i></code></pre>") == "T\n\ndef f():\n\treturn 1"
    assert text_of("<table><tr><td><pre>a\n b</pre><td>c</table>").startswith("T\n\na\n b\nc")


def test_the_text_of_a_form_is_read() -> None:
    assert text_of("<form><label>Note</label> <textarea>The mill.</textarea><input value=x></form>") == (
        "T\n\nNote\nThe mill."
    )


@pytest.mark.parametrize(
    "part", ["<nav><h1>", "<select><p>", "<div>x", "<p hidden>x", "<pre>\n", "<button><nav>x<main>"]
)
def test_many_open_tags_are_read_in_time(part: str) -> None:
    assert text_of("Start." + part * 50_000).startswith("T\n\nStart.")


def test_a_page_of_scripts_alone_is_empty() -> None:
    with pytest.raises(InvalidRequest, match="is empty"):
        document_text(b"<html><script>x</script><style>y</style><svg><text>z</text></svg>", "a.html")


def test_a_formula_is_one_line_without_its_source() -> None:
    rows = "<mrow><msup><mi>x</mi><mn>2</mn></msup>\n<mo>=</mo>\n<mn>4</mn></mrow>"
    formula = f"<math><semantics>{rows}<annotation encoding='application/x-tex'>x^2 = 4</annotation></semantics></math>"
    assert text_of(f"<p>So {formula} holds.") == "T\n\nSo x2 = 4 holds."


def test_a_template_is_read_only_if_it_is_a_shadow_root() -> None:
    assert text_of("<my-card><template shadowrootmode='open'><style>p {}</style><p>Shown.</template></my-card>") == (
        "T\n\nShown."
    )
    assert text_of("<p>Shown.</p><template><p>Never.</template>") == "T\n\nShown."
