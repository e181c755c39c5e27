"""Test that texts are read in the right letters, declared or not."""

from __future__ import annotations

import codecs
import encodings.aliases
import random
from collections import Counter

import pytest
from babel import Locale

from inference import InvalidRequest, document_text
from inference.documents import read_document
from inference.documents.encoding_labels import codec_of, name_of
from inference.documents.encodings import decode

UNDECLARED = {
    "cp1251": [
        "Мельница построена в 1871 году на реке.",
        "Хозяин живёт в большом доме.",
        "Млин збудовано в 1871 році на річці.",
    ],
    "koi8-r": ["Мельница построена в 1871 году на реке.", "Хозяин живёт в большом доме."],
    "cp866": ["Мельница построена в 1871 году на реке.", "Хозяин живёт в большом доме."],
    "cp1253": ["Ο μύλος χτίστηκε το 1871 στο ποτάμι.", "Ο ιδιοκτήτης μένει σε ένα μεγάλο σπίτι."],
    "cp1255": ["הטחנה נבנתה בשנת 1871 ליד הנהר.", "הבעלים גר בבית גדול."],
    "cp1256": ["بنيت الطاحونة عام 1871 على النهر.", "يسكن المالك في بيت كبير."],
    "iso8859-6": ["بنيت الطاحونة عام 1871 على النهر."],
    "iso8859-15": ["Le cœur coûte 5 € et l'œuvre aussi."],
    "cp737": ["Ο μύλος χτίστηκε το 1871 στο ποτάμι."],
    "cp862": ["הטחנה נבנתה בשנת 1871 ליד הנהר."],
    "cp874": ["โรงสีสร้างปี 1871 ริมแม่น้ำ", "เจ้าของอาศัยอยู่ในบ้านหลังใหญ่"],
    "cp1254": ["Değirmen 1871 yılında nehrin kıyısında inşa edildi.", "Önünde iki yaşlı ıhlamur ağacı duruyor."],
    "cp1250": [
        "Młyn zbudowano w 1871 roku nad rzeką.",
        "Mlýn byl postaven roku 1871 u řeky.",
        "Előtte két öreg hársfa áll, a ház mögött pedig kert nő.",
    ],
    "iso8859-2": ["Właściciel mieszka w dużym domu, a za domem rośnie ogród, w którym śpiewają ptaki."],
    "cp1257": [
        "Norvēģija un Ziemeļāfrika",
        "Savininkas gyvena name, o už namo auga sodas, kuriame vasarą čiulba paukščiai.",
    ],
    "cp1252": [
        "café",
        "Grüße",
        "Zoë’s café",
        "São João",
        "It’s “fine” – for 5 €.",
        "Le moulin a été construit en 1871 au bord de la rivière.",
        "Møllen blev bygget i 1871 ved åen.",
    ],
    "cp932": ["水車は1871年に川のそばに建てられました。", "家の前には古い木が二本立っています。"],
    "euc-jp": ["水車は1871年に川のそばに建てられました。", "家の前には古い木が二本立っています。"],
    "iso2022-jp": ["水車は1871年に川のそばに建てられました。"],
    "gb18030": ["这座磨坊建于1871年，位于河边。", "主人住在一座大房子里，门前有两棵树。"],
    "big5": ["這座磨坊建於1871年，位於河邊。", "主人住在一座大房子裡，門前有兩棵樹。"],
    "cp949": ["물레방아는 1871년에 강가에 지어졌다.", "주인은 큰 집에 산다. 집 앞에는 오래된 나무가 있다."],
    "utf-16-le": [
        "Hi",
        "The mill was built in 1871.",
        "Мельница построена в 1871 году.",
        "水車は1871年に建てられました。",
    ],
    "utf-16-be": ["The mill was built in 1871.", "Мельница построена в 1871 году.", "水車は1871年に建てられました。"],
    "utf-32-le": ["The mill was built in 1871."],
}


@pytest.mark.parametrize(("encoding", "text"), [(key, text) for key, texts in UNDECLARED.items() for text in texts])
def test_an_undeclared_encoding_is_detected_from_one_sentence(encoding: str, text: str) -> None:
    assert document_text(text.encode(encoding), "a.txt") == text
    assert document_text(("Notes of 2026, at noon.\n" * 500 + text).encode(encoding), "a.txt").endswith(text)


def test_windows_letters_of_vietnamese_are_detected_and_composed() -> None:
    # Windows-1258 writes a tone after its letter, and has the letters with a hat, a breve or a horn.
    data = "C\u00f4\u0301i xay \u0111\u01b0\u01a1\u0323c xay bên sông.".encode("cp1258")
    page = b'<html><meta charset="windows-1258"><p>' + data
    assert document_text(data, "a.txt") == document_text(page, "a.html") == "Cối xay được xay bên sông."


COUNTRIES = {
    "cp1251": ["ru", "uk", "bg", "sr"],
    "koi8-r": ["ru"],
    "cp866": ["ru"],
    "cp1253": ["el"],
    "cp1255": ["he"],
    "cp1256": ["ar"],
    "cp874": ["th"],
    "cp1254": ["tr"],
    "cp1250": ["pl", "cs", "sk", "hu", "hr"],
    "cp1257": ["lt", "lv", "et"],
    "cp1252": ["de", "fr", "es", "pt", "it", "sv", "da", "fi", "nl", "is"],
    "gb18030": ["zh_Hans"],
    "big5": ["zh_Hant"],
    "cp932": ["ja"],
    "euc-jp": ["ja"],
    "cp949": ["ko"],
}


def test_the_encoding_of_nearly_all_lists_of_countries_is_detected() -> None:
    rng, missed, lists = random.Random(0), Counter[str](), 0
    for encoding, language in [(encoding, each) for encoding, languages in COUNTRIES.items() for each in languages]:
        names = [*Locale.parse(language).territories.values()]
        for _ in range(20):
            data = ", ".join(rng.sample(names, 8)).encode(encoding, "ignore")
            missed[language] += decode(data, "a.txt").text != data.decode(encoding)
            lists += 1
    assert missed.total() < 0.05 * lists
    own_alphabet = {"ru", "uk", "bg", "sr", "el", "he", "ar", "th", "ja", "zh_Hans", "zh_Hant", "ko"}
    assert not {language: count for language, count in missed.items() if count and language in own_alphabet}


def test_a_table_in_an_undeclared_encoding_is_read_in_the_right_letters() -> None:
    text = document_text("город,люди\nРим,28\nОсло,7\n".encode("cp1251"), "a.csv")
    assert text == "город: Рим; люди: 28\nгород: Осло; люди: 7"
    text = document_text("miasto;ludzie\nŁódź;28\nKraków;7\n".encode("cp1250"), "a.csv")
    assert text == "miasto: Łódź; ludzie: 28\nmiasto: Kraków; ludzie: 7"
    text = document_text("都市,人口\nローマ,28\nオスロ,7\n".encode("cp932"), "a.csv")
    assert text == "都市: ローマ; 人口: 28\n都市: オスロ; 人口: 7"


def test_a_damaged_byte_does_not_change_the_detected_encoding() -> None:
    data = "Мельница построена на реке.".encode("cp1251") + b"\x98"
    assert document_text(data, "a.txt") == "Мельница построена на реке.\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("Mlyn bol postavený.".encode("cp1250"), "Windows-1250"),
        ("水車".encode("euc-jp"), "EUC-KR"),
        ("Мельница построена в 1871 году на реке.".encode("cp1251"), ""),
        ("水車は1871年に川のそばに建てられました。".encode("cp932"), ""),
        ("Zoë’s café".encode("cp1252"), ""),
        ("Mlyn bol postavený.".encode(), ""),
        ('<html><meta charset="cp1250"><p>Mlyn bol postavený.'.encode("cp1250"), ""),
    ],
)
def test_an_encoding_is_called_assumed_only_if_another_is_nearly_as_likely(data: bytes, encoding: str) -> None:
    for name in ("a.txt", "a.csv", "a.html"):
        assert read_document(data, name).assumed_encoding == encoding


def test_letters_that_an_encoding_writes_only_together_are_no_obstacle() -> None:
    assert document_text(b"\x88\x62 \xa4\x40\xa4\x51", "a.txt")  # in Big5, the first two bytes are two characters


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_gives_the_encoding(mark: str) -> None:
    assert document_text("水車".encode(mark), "a.txt") == "水車"


def test_the_mark_of_utf_8_before_another_encoding_is_ignored() -> None:
    assert document_text(codecs.BOM_UTF8 + "Мельница построена на реке.".encode("cp1251"), "a.txt").startswith("Мель")


@pytest.mark.parametrize("cut", [1, 3])
def test_a_marked_text_that_was_cut_is_read_up_to_the_cut(cut: int) -> None:
    text = document_text("水車は".encode("utf-16")[:-cut], "a.txt")
    assert text.startswith("水")


@pytest.mark.parametrize(
    ("label", "encoding", "text"),
    [
        ("gb2312", "gb18030", "朱镕基住在北京。"),
        ("GBK", "gb18030", "㐂"),
        ("iso-8859-1", "cp1252", "“yes” – for 5 €"),
        ("us-ascii", "cp1252", "naïve"),
        ("Shift_JIS", "cp932", "①番の㈱山田は髙い。"),
        ("x-sjis", "cp932", "水"),
        ("EUC-JP", "euc-jis-2004", "①番"),
        ("iso-2022-jp", "iso2022-jp", "水車"),
        ("hz-gb-2312", "hz", "北京"),
        ("euc-kr", "cp949", "똠방각하"),
        ("ks_c_5601-1987", "cp949", "물"),
        ("big5", "big5hkscs", "磨坊"),
        ("windows-874", "cp874", "โรงสีสร้างปี"),
        ("tis-620", "cp874", "ปี"),
        ("windows-1251", "cp1251", "Да"),
        ("koi8-r", "koi8-r", "Да"),
        ("iso-8859-9", "cp1254", "ığş"),
        ("x-mac-cyrillic", "mac-cyrillic", "Да"),
    ],
)
def test_a_page_is_read_in_the_encoding_that_it_declares(label: str, encoding: str, text: str) -> None:
    for head in (f'<meta charset="{label}">', f"<META http-equiv=x content='text/html; charset = {label}'>"):
        page = f"<html><head>{head}</head><body><p>{text}".encode(encoding)
        assert document_text(page, "a.html") == text


@pytest.mark.parametrize("label", ["", "klingon", "idna", "rot13", "zip", "utf-16", "x-user-defined", "\N{SNOWMAN}"])
def test_an_unknown_label_is_ignored(label: str) -> None:
    page = f'<html><meta charset="{label}"><p>Zoë’s café'
    assert document_text(page.encode(), "a.html") == "Zoë’s café"
    assert document_text(page.encode("cp1252", "ignore"), "a.html") == "Zoë’s café"


def test_a_label_of_a_script_or_in_a_comment_is_not_that_of_the_page() -> None:
    head = '<!-- <meta charset="koi8-r"> --><script charset="koi8-r"></script>'
    page = f'<html>{head}<meta charset="windows-1251"><p>Мельница построена на реке.'
    assert document_text(page.encode("cp1251"), "a.html") == "Мельница построена на реке."


def test_the_encoding_in_the_first_lines_of_xml_and_source_code_is_used() -> None:
    assert document_text('<?xml version="1.0" encoding="koi8-r"?><a>Да</a>'.encode("koi8-r"), "a.xml").endswith(
        "Да</a>"
    )
    code = "#!/usr/bin/python\n# -*- coding: koi8-r -*-\nprint('Да')"
    assert document_text(code.encode("koi8-r"), "a.py") == code


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.css", '@charset "iso-8859-15";\n/* 5 € */'),
        ("a.po", 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=ISO-8859-15\\n"\n\nmsgstr "5 €"'),
        ("a.tex", "\\documentclass{article}\n\\usepackage[l9]{inputenc}\n5 €"),
    ],
)
def test_the_declaration_of_each_kind_of_text_is_used(file: str, text: str) -> None:
    assert document_text(text.encode("iso8859-15"), file) == text


def test_a_declaration_after_many_scripts_is_that_of_the_page() -> None:
    page = f'<html><head><script>{"x" * 6000}</script><meta charset="windows-1250"></head><p>Mlyn, kto ťahá.'
    assert document_text(page.encode("cp1250"), "a.html") == "Mlyn, kto ťahá."


def test_every_label_names_an_encoding_of_python() -> None:
    for label in [*encodings.aliases.aliases, "utf8", "latin1", "sjis", "gb2312"]:
        if codec := codec_of(label):
            assert codecs.lookup(codec)
    assert codec_of(" UTF-8 ") == "utf-8"


@pytest.mark.parametrize(
    ("codec", "name"),
    [("cp1251", "Windows-1251"), ("cp932", "Shift_JIS"), ("koi8-u", "KOI8-U"), ("iso8859-2", "ISO8859-2")],
)
def test_an_encoding_is_named_as_people_know_it(codec: str, name: str) -> None:
    assert name_of(codec) == name


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"12:00 start\n\0\0\x0012:01 The mill stopped.\n", "12:00 start\n12:01 The mill stopped."),
        (b"start\n" + b"\0" * 4096 + b"stop\n", "start\nstop"),
        (b"a text\0", "a text"),
        ("Мельница стоит\0\0.".encode("cp1251"), "Мельница стоит."),
        (b"the end of a DOS text\r\n\x1a", "the end of a DOS text"),
        (b"one\x0btwo", "one\ntwo"),
        ("one\N{LINE SEPARATOR}two\N{NEXT LINE}three".encode(), "one\ntwo\nthree"),
    ],
)
def test_stray_control_characters_do_not_make_a_text_unreadable(data: bytes, text: str) -> None:
    assert document_text(data, "a.log") == text


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10",
        b"\x7fELF\x02\x01\x01" + b"\0" * 9 + b"\x03\0>\0\x01\0\0\0",
        bytes(range(256)) * 4,
        b"\0\x01\0\x02\0\x03\xff\xfe",
        b"GIF89a\x10\0\x10\0\x80\0\0\xff\xff\xff\0\0\0!\xf9\x04",
    ],
)
def test_binary_data_is_not_taken_for_text(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match="not a document"):
        document_text(data, "a.txt")


def test_the_refusal_of_what_is_no_text_names_every_kind_of_document() -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode(bytes(range(256)) * 9, "a.bin")
    kinds = ("PDF", ".docx", ".xlsx", ".pptx", "OpenDocument", ".rtf", ".epub", ".eml", "web page", "text file")
    assert not [kind for kind in kinds if kind not in refused.value.user_message]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Donau\N{SOFT HYPHEN}dampf\N{SOFT HYPHEN}schiff", "Donaudampfschiff"),
        ("ﬁnally ﬂat oﬃce ﬀ ﬄ ﬅop ﬆ", "finally flat office ff ffl stop st"),
        ("می\N{ZERO WIDTH NON-JOINER}روم", "می\N{ZERO WIDTH NON-JOINER}روم"),
        ("long\N{ZERO WIDTH SPACE}word", "longword"),
        ("ប្រទេស\N{ZERO WIDTH SPACE}កម្ពុជា", "ប្រទេស\N{ZERO WIDTH SPACE}កម្ពុជា"),
        ("one\N{WORD JOINER}two\N{ZERO WIDTH NO-BREAK SPACE}", "onetwo"),
        ("\u202amill\u202c mi\N{LEFT-TO-RIGHT MARK}ll \u20661871\u2069", "mill mill 1871"),
        ("\ufee3\ufeae\ufea3\ufe92\ufe8e", "مرحبا"),  # letters in the shapes that they have inside words
        ("\ufb2a\u05dc\u05d5\u05dd", "\u05e9\u05c1\u05dc\u05d5\u05dd"),
        ("⽇本の⼈", "日本の人"),  # radicals, which are other characters
        ("u\u0308\N{SOFT HYPHEN}ber", "u\u0308ber"),
        ("हिन्\N{ZERO WIDTH SPACE}दी क्\N{ZERO WIDTH JOINER}ष", "हिन्दी क्\N{ZERO WIDTH JOINER}ष"),
        ("👩\N{ZERO WIDTH JOINER}🚀", "👩\N{ZERO WIDTH JOINER}🚀"),
    ],
)
def test_letters_of_typesetting_do_not_divide_words(text: str, read: str) -> None:
    assert document_text(text.encode(), "a.txt") == read
    assert document_text(f"<html><p>{text}".encode(), "a.html") == read
