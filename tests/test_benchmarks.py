"""The benchmarks' own parts: what they measure with is right, whatever they measure."""

from __future__ import annotations

import io
import math
import tarfile

import folium
import pytest
from folium.plugins import TimeSliderChoropleth

from benchmarks import peers, webmap

UNUSED = {"bootstrap-glyphicons.css", "leaflet.awesome.rotate.min.css"}


def archive(folder, spec, files):
    path = peers.Inliner(folder).folder / (spec.replace("@", "-") + ".tgz")
    with tarfile.open(path, "w:gz") as packed:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))


@pytest.fixture
def inliner(tmp_path):
    sheet = b"a{background:url(images/layers.png)} b{background:url(../font.woff)}"
    files = {"dist/leaflet.js": b"1;'</script>'\n//# sourceMappingURL=x", "dist/leaflet.css": sheet}
    archive(tmp_path, "leaflet@1.9.3", files | {"dist/images/layers.png": b"png"})
    return peers.Inliner(tmp_path)


def test_what_a_page_would_fetch_is_put_into_it(inliner):
    base = "https://a.example/npm/leaflet@1.9.3/dist/leaflet"
    page = inliner.page(f'<script src="{base}.js"></script><link rel="stylesheet" href="{base}.css"/>')
    style = "a{background:url(data:image/png;base64,cG5n)} b{background:url(data:,)}"
    assert page == f"<script>1;'<\\/script>'</script><style>{style}</style>"
    assert not inliner.absent


def test_what_cannot_be_had_is_left_out_and_named(inliner):
    assert inliner.page('<link rel="stylesheet" href="https://a.example/x/odd.css"/>') == "<style></style>"
    assert inliner.absent == {"odd.css"}


def test_all_that_folium_asks_for_is_known():
    links = [*folium.folium._default_js, *folium.folium._default_css, *TimeSliderChoropleth.default_js]
    assert {link.rsplit("/", 1)[-1] for _, link in links if peers.kept(link) is None} == UNUSED


def test_figures_of_peers_come_with_how_many_times_ours_they_are():
    ours = webmap.Figures(1e6, 4e5, 2.0, 500, 30, 40, 2e7, math.nan)
    peer = webmap.Figures(3.2e7, 8e6, 1.0, 2000, 15, math.nan, 2e8, 3e8)
    assert webmap.cells(ours, ours)[:4] == ["1.00 MB", "0.40 MB", "2.00 s", "500 ms"]
    assert webmap.cells(peer, ours) == [
        "32.00 MB (32×)", "8.00 MB (20×)", "1.00 s (0.5×)", "2000 ms (4.0×)", "15.0 ms (0.5×)", "–", "200 MB (10×)",
        "300 MB",
    ]  # fmt: skip


def test_tables_are_aligned_or_markdown():
    rows = [["one", "2"], ["eleven", "13"]]
    assert webmap.table(["", "n"], rows, markdown=False).split("\n") == ["         n", "one      2", "eleven  13"]
    assert webmap.table(["", "n"], rows, markdown=True).split("\n")[1:3] == ["| --- | ---: |", "| one | 2 |"]
