"""A density layer is known before it is written in the forms that occur; then the same must come back."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from geo.errors import ConfigError, ConservationError, GeometryError, PresenciaError, SchemaError, SourceError
from geo.grid import Grid
from layers import density, gridpolygons
from layers.density import Density
from layers.report import Report
from tests.layers.gridfiles import BOGOTA, FIELDS, NATIONAL, portal_rows, scattered, squares, write_portal, write_raster

YEARS = list(FIELDS)
FINE = Affine(100.0, 0.0, 4_800_000.0, 0.0, -100.0, 2_000_000.0)
COARSE = Affine(1000.0, 0.0, 4_800_000.0, 0.0, -1000.0, 2_000_000.0)


def figures(count: int, *, seed: int = 5) -> pd.DataFrame:
    """Hectares with four decimals, half of them 0 and some blank."""
    chance = np.random.default_rng(seed)
    hectares = chance.uniform(0, 80, (count, len(YEARS))).round(4) * (chance.random((count, len(YEARS))) < 0.5)
    hectares[chance.random(hectares.shape) < 0.05] = np.nan
    hectares[:, 0] = np.nan_to_num(hectares[:, 0])
    return pd.DataFrame(hectares, columns=YEARS)


def assert_same(found: Density, grid: Grid, row: np.ndarray, col: np.ndarray, hectares: pd.DataFrame) -> None:
    assert (found.row.tolist(), found.col.tolist()) == ((row - row.min()).tolist(), (col - col.min()).tolist())
    pd.testing.assert_frame_equal(found.hectares, hectares.reset_index(drop=True), check_exact=True)
    assert {year: found.total_ha(year) for year in YEARS} == {y: math.fsum(hectares[y].dropna()) for y in YEARS}
    assert found.report.totals == {year: found.total_ha(year) for year in YEARS}
    centres = grid.centres(row, col).to_crs(found.grid.crs)
    assert shapely.distance(found.centres().to_numpy(), centres.to_numpy()).max() < 0.05


class TestPolygons:
    @pytest.mark.parametrize("suffix", [".json", ".geojson", ".csv", ".gpkg", ".fgb"])
    @pytest.mark.parametrize(("grid", "crs"), [(NATIONAL, "EPSG:9377"), (BOGOTA, "EPSG:3116")], ids=["9377", "3116"])
    def test_every_form_comes_back_cell_by_cell(self, tmp_path: Path, grid: Grid, crs: str, suffix: str):
        row, col = scattered(grid, 300)
        hectares = figures(300)
        order = np.random.default_rng(2).permutation(300)
        shapes = squares(grid, row, col).iloc[order].reset_index(drop=True)
        path = write_portal(tmp_path / f"coca_grid{suffix}", shapes, hectares.iloc[order].reset_index(drop=True))
        found = density.load(path)
        assert found.grid.crs == crs
        assert found.grid.side_km == pytest.approx(1.0, abs=0.01)
        assert_same(found, grid, row, col, hectares)
        assert found.years == YEARS
        assert (found.report.read, found.report.kept, found.path, found.modelled) == (300, 300, path, False)

    def test_coordinates_with_five_decimals_are_enough(self, tmp_path: Path):
        row, col = scattered(NATIONAL, 300)
        path = write_portal(tmp_path / "g.json", squares(NATIONAL, row, col, decimals=5), figures(300))
        assert_same(density.load(path), NATIONAL, row, col, figures(300))

    def test_a_blank_is_missing_and_told_and_a_zero_is_zero(self, tmp_path: Path):
        row, col = scattered(NATIONAL, 300)
        hectares = figures(300)
        found = density.load(write_portal(tmp_path / "g.json", squares(NATIONAL, row, col), hectares))
        assert (found.hectares.isna() == hectares.isna()).all(axis=None)
        (blank,) = [finding for finding in found.report.findings if "blank" in finding.what]
        assert blank.count == hectares.isna().sum().sum()
        assert f"{hectares[2022].isna().sum()} in 2022" in blank.examples

    def test_a_year_of_blanks_alone_has_no_total(self, tmp_path: Path):
        row, col = scattered(NATIONAL, 20)
        hectares = figures(20)
        hectares[2021] = np.nan
        path = tmp_path / "g.gpkg"
        found = density.load(write_portal(path, squares(NATIONAL, row, col), hectares))
        assert math.isnan(found.total_ha(2021))
        assert 2021 not in found.report.totals
        assert found.totals().notna().sum() == len(YEARS) - 1

    def test_density_is_hectares_per_square_kilometre(self, tmp_path: Path):
        row, col = scattered(NATIONAL, 10)
        found = density.load(write_portal(tmp_path / "g.json", squares(NATIONAL, row, col), figures(10)))
        assert found.cell_ha() == pytest.approx(np.full(10, 100.0))
        assert found.density() == pytest.approx(figures(10).to_numpy(), nan_ok=True)

    def test_cells_of_less_than_1_km_are_summed_unless_asked_for(self, tmp_path: Path):
        half = Grid("EPSG:9377", Affine(500.0, 0.0, 4_700_000.0, 0.0, -500.0, 1_900_000.0), 40, 40)
        row, col = np.divmod(np.arange(1600), 40)
        hectares = figures(1600) / 8
        path = write_portal(tmp_path / "g.json", squares(half, row, col), hectares)
        found = density.load(path)
        assert (len(found.row), found.grid.height, found.grid.transform.a) == (400, 20, 1000.0)
        block = hectares.groupby((row // 2) * 20 + col // 2).sum(min_count=1)
        pd.testing.assert_frame_equal(found.hectares, block.reset_index(drop=True))
        assert len(density.load(path, finer=True).row) == 1600

    def test_shares_are_of_the_cell(self, tmp_path: Path):
        row, col = scattered(NATIONAL, 20)
        shares = figures(20) / 100
        found = density.load(write_portal(tmp_path / "g.json", squares(NATIONAL, row, col), shares), unit="share")
        assert found.hectares.to_numpy() == pytest.approx(shares.to_numpy() * 100, nan_ok=True, rel=1e-6)

    def test_pieces_of_a_cell_are_put_together(self, tmp_path: Path):
        row, col = scattered(NATIONAL, 20)
        hectares, shapes = figures(20), squares(NATIONAL, row, col)
        halves = shapely.clip_by_rect(shapes[4], -180, -90, shapes[4].centroid.x, 90)
        pieces = pd.concat(
            [shapes, gpd.GeoSeries([shapely.difference(shapes[4], halves)], crs=4326)], ignore_index=True
        )
        pieces[4] = halves
        parts = pd.concat([hectares, hectares.loc[[4]] * 0.25], ignore_index=True)
        parts.loc[4] = hectares.loc[4] * 0.75
        found = density.load(write_portal(tmp_path / "g.json", pieces, parts))
        pd.testing.assert_frame_equal(found.hectares, hectares)
        assert any("piece of a cell" in finding.what and finding.count == 2 for finding in found.report.findings)

    def test_a_comma_is_decimal_where_a_cell_could_not_hold_the_thousands(self, tmp_path: Path):
        row, col = scattered(NATIONAL, 3)
        rows = portal_rows(squares(NATIONAL, row, col), pd.DataFrame({2021: [1.125, 2.25, 3.375]}))
        table = pd.DataFrame(rows).assign(areacoca_2021=["1,125", "22,250", "3,375"])
        table["the_geom"] = [shapely.to_wkt(shape) for shape in squares(NATIONAL, row, col)]
        table.to_csv(tmp_path / "g.csv", index=False, sep=";")
        assert density.load(tmp_path / "g.csv").hectares[2021].tolist() == [1.125, 22.25, 3.375]

    def test_the_files_own_projection_is_kept(self, tmp_path: Path):
        row, col = scattered(BOGOTA, 30)
        gpd.GeoDataFrame(figures(30).rename(columns=FIELDS), geometry=BOGOTA.cells(row, col)).to_file(
            tmp_path / "g.gpkg"
        )
        assert_same(density.load(tmp_path / "g.gpkg"), BOGOTA, row, col, figures(30))


class TestPolygonsRefused:
    def write(self, tmp_path: Path, **changes: Any) -> Path:
        row, col = scattered(NATIONAL, 20)
        shapes, hectares = squares(NATIONAL, row, col), figures(20)
        for place, shape in changes.get("shapes", {}).items():
            shapes[place] = shape(shapes[place])
        if "again" in changes:
            at = changes["again"]
            shapes = gpd.GeoSeries([*shapes, shapes[at]], crs=4326)
            hectares = pd.concat([hectares, hectares.loc[[at]]], ignore_index=True)
        for place, value in changes.get("figures", {}).items():
            hectares.loc[place] = value
        return write_portal(tmp_path / "g.json", shapes, hectares)

    def test_a_cell_that_comes_twice(self, tmp_path: Path):
        with pytest.raises(ConservationError, match=r"1 cells come more than once \(rows 8, 21\)"):
            density.load(self.write(tmp_path, again=7))

    def test_pieces_that_all_have_the_whole_cells_figures(self, tmp_path: Path):
        row, col = scattered(NATIONAL, 20)
        shapes = squares(NATIONAL, row, col)
        half = shapely.clip_by_rect(shapes[4], -180, -90, shapes[4].centroid.x, 90)
        pieces = pd.concat([shapes, gpd.GeoSeries([shapely.difference(shapes[4], half)], crs=4326)], ignore_index=True)
        pieces[4] = half
        hectares = figures(20)
        hectares.loc[4] = 5.0
        path = write_portal(tmp_path / "g.json", pieces, pd.concat([hectares, hectares.loc[[4]]], ignore_index=True))
        with pytest.raises(ConservationError, match="same figures"):
            density.load(path)

    def test_a_polygon_that_is_no_cell(self, tmp_path: Path):
        path = self.write(tmp_path, shapes={3: lambda s: affinity.translate(s, 0.004)})
        with pytest.raises(GeometryError, match=r"1 are not .*: 3 "):
            density.load(path)

    @pytest.mark.parametrize("value", [-0.5, 103.0])
    def test_hectares_that_no_cell_holds(self, tmp_path: Path, value: float):
        with pytest.raises(SchemaError, match=rf"5 values are not: {value:g} in 2003 \(row 3\)"):
            density.load(self.write(tmp_path, figures={2: value}))

    def test_shares_above_1(self, tmp_path: Path):
        with pytest.raises(SchemaError, match="shares of the cell, from 0 to 1"):
            density.load(self.write(tmp_path), unit="share")

    def test_coca_without_a_shape(self, tmp_path: Path):
        path = self.write(tmp_path, figures={2: 3.0})
        rows = pd.read_json(path)
        rows["the_geom"] = rows["the_geom"].astype(object)
        rows.loc[2, "the_geom"] = None
        rows.to_json(path, orient="records")
        with pytest.raises(ConservationError, match=r"rows 3 hold 15\.00 ha"):
            density.load(path)

    @pytest.mark.parametrize("text", ["", "[", "[1]", "[]", '{"type": "FeatureCollection", "features": []}'])
    def test_what_is_no_grid(self, tmp_path: Path, text: str):
        (tmp_path / "g.json").write_text(text)
        with pytest.raises(PresenciaError):
            density.load(tmp_path / "g.json")

    def test_a_file_that_is_not_there(self, tmp_path: Path):
        with pytest.raises(SourceError, match="not there"):
            density.load(tmp_path / "g.csv")

    @pytest.mark.parametrize("given", [{"year": 2020}, {"years": [2020, 2021]}, {"years": YEARS[:-1]}])
    def test_years_that_the_fields_contradict(self, tmp_path: Path, given: dict[str, Any]):
        with pytest.raises(ConfigError, match=r"20\d\d were given, and the fields name 2003, 2004, 2021, 2022, 2024"):
            density.load(self.write(tmp_path), **given)

    def test_years_that_the_fields_name_too(self, tmp_path: Path):
        assert density.load(self.write(tmp_path), years=YEARS[::-1]).years == YEARS


class TestFields:
    def fields(self, *names: str, year: int | None = None) -> dict[int, str]:
        return gridpolygons.year_fields(pd.DataFrame(columns=list(names)), Path("g.shp"), year=year)

    def test_the_portals_irregular_names(self):
        portal = [f"areacoca_{y}" for y in (2001, 2003, 2005, 2021)] + ["areacoca2004", "coca2022_", "areacoca2024"]
        assert list(self.fields("grilla1", *portal)) == [2001, 2003, 2004, 2005, 2021, 2022, 2024]

    @pytest.mark.parametrize(
        "name", ["AreaCoca_2020", "ÁREA COCA 2020", "area_coca_2020", "Coca 2020 (ha)", "2020", "a2020"]
    )
    def test_other_spellings(self, name: str):
        assert self.fields("grilla1", name, "perimeter") == {2020: name}

    @pytest.mark.parametrize(
        "cut", [["areacoca_2", "areacoca_1"], ["areacoca20"], ["areacoca_2", "coca2022_"], ["areacoca"]]
    )
    def test_names_that_a_shapefile_has_cut(self, cut: list[str]):
        with pytest.raises(SchemaError, match="cut off"):
            self.fields("grilla1", *cut)

    def test_only_shapefiles_cut_names(self):
        with pytest.raises(SchemaError, match=r"no field tells its year \(areacoca\): state it with --years 2020"):
            gridpolygons.year_fields(pd.DataFrame(columns=["grilla1", "areacoca"]), Path("g.gpkg"))
        with pytest.raises(SchemaError, match=r"no field tells its year \(coca\): state it"):
            gridpolygons.year_fields(pd.DataFrame(columns=["grilla1", "coca"]), Path("g.gpkg"))
        with pytest.raises(SchemaError, match=r"no field tells its year \(areacoca\): give each a name"):
            gridpolygons.year_fields(pd.DataFrame(columns=["areacoca", "coca_2020"]), Path("g.geojson"))

    def test_the_one_field_without_a_year_may_be_told(self):
        assert self.fields("grilla1", "areacoca", year=2019) == {2019: "areacoca"}

    def test_two_fields_of_one_year(self):
        with pytest.raises(SchemaError, match="one field for 2004; found 'areacoca_2004' and 'areacoca2004'"):
            self.fields("areacoca_2004", "areacoca2004")

    def test_no_field_of_a_year(self):
        with pytest.raises(SchemaError, match="fields of hectares by year"):
            self.fields("grilla1", "perimeter")

    def test_a_shapefile_of_the_portal_is_refused_when_it_is_written_so(self, tmp_path: Path):
        row, col = scattered(NATIONAL, 5)
        cut = {2003: "areacoca_2", 2004: "areacoca20"}
        frame = gpd.GeoDataFrame(figures(5)[[2003, 2004]].rename(columns=cut), geometry=squares(NATIONAL, row, col))
        frame.to_file(tmp_path / "g.shp")
        with pytest.raises(SchemaError, match="cut off: areacoca_2, areacoca20"):
            density.load(tmp_path / "g.shp")


class TestRasters:
    def test_a_constant_is_summed_into_blocks(self, tmp_path: Path):
        path = write_raster(tmp_path / "coca_2020.tif", np.full((1, 100, 200), 0.25, dtype="float32"), FINE)
        found = density.load(path)
        assert (found.years, found.grid.height, found.grid.width, len(found.row)) == ([2020], 10, 20, 200)
        assert found.grid.transform == COARSE
        assert (found.hectares[2020] == 25.0).all()
        assert found.total_ha(2020) == 5000.0
        assert found.density()[:, 0] == pytest.approx(np.full(200, 25.0))
        assert any("blocks of 10 x 10" in finding.what for finding in found.report.findings)

    def test_a_checkerboard_with_blocks_that_reach_beyond_the_last_cell(self, tmp_path: Path):
        board = (np.indices((1, 97, 123)).sum(axis=0) % 2).astype("uint8")
        found = density.load(write_raster(tmp_path / "c.tif", board, FINE, names=["coca 2019"]))
        rows, cols = np.indices((97, 123))
        expected = pd.Series(board[0].ravel()).groupby((rows // 10 * 13 + cols // 10).ravel()).sum()
        assert found.hectares[2019].tolist() == expected.tolist()
        assert found.total_ha(2019) == board.sum()

    def test_one_hot_cell_lies_where_it_was(self, tmp_path: Path):
        values = np.zeros((2, 100, 200))
        values[1, 57, 133] = 0.9
        found = density.load(write_raster(tmp_path / "c.tif", values, FINE), years=[2020, 2019])
        assert (found.row.tolist(), found.col.tolist(), found.years) == ([5], [13], [2019, 2020])
        assert list(found.hectares.loc[0]) == [0.9, 0.0]
        assert shapely.get_coordinates(found.centres().to_numpy()).tolist() == [[4_813_500.0, 1_994_500.0]]

    def test_finer_cells_are_kept_when_asked_for(self, tmp_path: Path):
        values = np.zeros((1, 100, 200))
        values[0, 57, 133] = 0.9
        found = density.load(write_raster(tmp_path / "c.tif", values, FINE), year=2020, finer=True)
        assert (found.row.tolist(), found.col.tolist(), found.grid.transform) == ([57], [133], FINE)

    def test_tiles_that_end_within_a_block_lose_nothing(self, tmp_path: Path):
        values = np.random.default_rng(1).uniform(0, 0.09, (2, 1900, 2100)).astype("float32")
        thirty = Affine(30.0, 0.0, 4_800_000.0, 0.0, -30.0, 2_000_000.0)
        profile: dict[str, Any] = {"tiled": True, "blockxsize": 256, "blockysize": 256}
        path = write_raster(tmp_path / "c.tif", values, thirty, names=["2019", "2020"], **profile)
        found = density.load(path)
        rows, cols = np.indices((1900, 2100))
        block = (rows // 34 * found.grid.width + cols // 34).ravel()
        for band, year in enumerate((2019, 2020)):
            expected = np.bincount(block, weights=values[band].astype(float).ravel())
            assert found.hectares[year].to_numpy() == pytest.approx(expected, rel=1e-12)
            assert found.total_ha(year) == pytest.approx(values[band].sum(dtype=float), rel=1e-12)

    def test_shares_of_degrees_by_their_true_area(self, tmp_path: Path):
        degrees = Affine(0.01, 0.0, -77.0, 0.0, -0.01, 10.0)
        path = write_raster(tmp_path / "c.tif", np.full((1, 900, 3), 0.5), degrees, crs="EPSG:4326")
        found = density.load(path, year=2020, unit="share")
        cells = found.grid.cells(found.row[::300], found.col[::300])
        true = gpd.GeoSeries(cells.to_numpy(), crs="EPSG:4326").to_crs("ESRI:54034").area / 1e4
        assert found.hectares[2020][::300].to_numpy() == pytest.approx(true.to_numpy() / 2, rel=1e-6)

    def test_scale_and_offset(self, tmp_path: Path):
        import rasterio

        path = write_raster(tmp_path / "c.tif", np.full((1, 2, 2), 7, dtype="uint8"), COARSE)
        with rasterio.open(path, "r+") as file:
            file.scales, file.offsets = [0.5], [2.0]
        assert density.load(path, year=2020).hectares[2020].tolist() == [5.5] * 4

    def test_missing_is_not_zero(self, tmp_path: Path):
        values = np.zeros((2, 30, 30), dtype="float32")
        values[:, :10, :10] = -1  # never measured
        values[0, :10, 10:20] = -1  # not in the first year
        values[1, :10, 10:20] = 0.5
        values[0, 20:, 20:] = -1  # not in the first year, and none in the second
        values[0, 12, 3] = -1  # a part of a block
        values[0, 13, 3] = 0.75
        path = write_raster(tmp_path / "c.tif", values, FINE, nodata=-1, names=["2019", "2020"])
        found = density.load(path)
        assert list(zip(found.row, found.col, strict=True)) == [(0, 1), (1, 0), (2, 2)]
        assert np.array_equal(found.hectares.to_numpy(), [[np.nan, 50.0], [0.75, 0.0], [np.nan, 0.0]], equal_nan=True)
        assert found.unmeasured is not None
        assert np.argwhere(found.unmeasured).tolist() == [[0, 0]]
        told = " / ".join(found.report.short)
        assert "1 blocks and years of which a part was not measured" in told
        assert "1 cells that no year measured" in told

    def test_a_year_a_file(self, tmp_path: Path):
        names = {2020: "coca_2020.tif", 2019: "coca_20191231.tif"}
        paths = [write_raster(tmp_path / n, np.full((1, 2, 2), y - 2000.0), COARSE) for y, n in names.items()]
        found = density.load(paths)
        assert (found.years, list(found.hectares.loc[0])) == ([2019, 2020], [19.0, 20.0])

    @pytest.mark.parametrize(
        ("bands", "name", "settings", "error", "said"),
        [
            (1, "coca.tif", {}, SchemaError, "state the years"),
            (2, "coca_2020.tif", {}, SchemaError, "state the years"),
            (2, "coca.tif", {"years": [2020]}, ConfigError, "each of the 2 bands; 1 are given"),
            (2, "coca.tif", {"years": [2020, 2020]}, SchemaError, "2020 have several"),
            (1, "coca_2019_2020.tif", {}, SchemaError, "state the years"),
            (1, "coca.tif", {"year": 2020, "unit": "km2"}, ConfigError, "--unit must be ha"),
            (1, "coca_2019.tif", {"year": 2020}, ConfigError, r"2020 was given for coca_2019\.tif, which says 2019"),
        ],
    )
    def test_years_that_cannot_be_told(
        self, tmp_path: Path, bands: int, name: str, settings: dict[str, Any], error: type[Exception], said: str
    ):
        path = write_raster(tmp_path / name, np.zeros((bands, 2, 2)), COARSE)
        with pytest.raises(error, match=said):
            density.load(path, **settings)

    def test_years_that_the_bands_contradict(self, tmp_path: Path):
        path = write_raster(tmp_path / "c.tif", np.zeros((2, 2, 2)), COARSE, names=["coca 2019", "coca 2020"])
        assert density.load(path, years=[2019, 2020]).years == [2019, 2020]
        with pytest.raises(ConfigError, match=r"2020 was given for band 'coca 2019' of c\.tif, which says 2019, "):
            density.load(path, years=[2020, 2019])

    @pytest.mark.parametrize(("value", "unit"), [(-0.1, "ha"), (1.05, "ha"), (1.01, "share"), (-0.1, "share")])
    def test_values_that_no_cell_holds(self, tmp_path: Path, value: float, unit: Any):
        values = np.zeros((1, 30, 40))
        values[0, 7, [9, 11]] = value
        path = write_raster(tmp_path / "c.tif", values, FINE)
        with pytest.raises(SchemaError, match=rf"2 values are not: {value:g} in 2020 \(row 7, column 9\)") as refused:
            density.load(path, year=2020, unit=unit)
        assert ("percent must be divided by 100" in str(refused.value)) == (unit == "share")

    def test_files_on_other_grids(self, tmp_path: Path):
        one = write_raster(tmp_path / "coca_2019.tif", np.zeros((1, 2, 2)), COARSE)
        other = write_raster(tmp_path / "coca_2020.tif", np.zeros((1, 2, 3)), COARSE)
        with pytest.raises(GeometryError, match=r"coca_2020\.tif do not lie on that of coca_2019\.tif"):
            density.load([one, other])

    def test_no_coca_at_all_lists_nothing(self, tmp_path: Path):
        found = density.load(write_raster(tmp_path / "c.tif", np.zeros((1, 20, 20)), FINE), year=2020)
        assert (len(found.row), found.total_ha(2020), found.years, found.density().shape) == (0, 0.0, [2020], (0, 1))

    def test_a_year_that_measured_nothing_has_no_total(self, tmp_path: Path):
        values = np.full((3, 20, 20), np.nan)
        values[1, :10, :10], values[2] = 0.5, 0.0
        path = write_raster(tmp_path / "c.tif", values, FINE, nodata=np.nan, names=["2018", "2019", "2020"])
        found = density.load(path)
        assert found.totals().tolist() == pytest.approx([np.nan, 50.0, 0.0], nan_ok=True)
        assert found.report.totals == {2019: 50.0, 2020: 0.0}
        with pytest.raises(ConfigError, match=r"measured nothing in 2018: .* it measured 2019, 2020"):
            found.require_measured(2018)
        found.require_measured(2020)

    def test_a_file_that_measured_nothing_at_all(self, tmp_path: Path):
        path = write_raster(tmp_path / "c.tif", np.full((1, 20, 20), np.nan), FINE, nodata=np.nan)
        found = density.load(path, year=2020)
        assert (len(found.row), found.maybe_shares, found.report.totals) == (0, False, {})
        assert math.isnan(found.total_ha(2020))

    def test_a_file_says_that_it_is_modelled(self, tmp_path: Path):
        import rasterio

        paths = [write_raster(tmp_path / f"c_{year}.tif", np.zeros((1, 2, 2)), COARSE) for year in (2019, 2020)]
        assert not density.load(paths).modelled
        with rasterio.open(paths[1], "r+") as file:
            file.update_tags(PRESENCIA_MODELLED="YES")
        assert density.load(paths).modelled

    @pytest.mark.parametrize(("transform", "finer"), [(FINE, True), (COARSE, False)], ids=["fine", "coarse"])
    def test_a_layer_knows_whether_its_cells_are_finer(self, tmp_path: Path, transform: Affine, finer: bool):
        path = write_raster(tmp_path / "c_2020.tif", np.full((1, 20, 20), 0.5), transform)
        assert not density.load(path).finer
        assert density.load(path, finer=True).finer == finer

    @pytest.mark.parametrize(
        ("value", "unit", "maybe"), [(0.7, "ha", True), (1.2, "ha", False), (0.0, "ha", False), (0.7, "share", False)]
    )
    def test_values_up_to_1_may_be_shares(self, tmp_path: Path, value: float, unit: Any, maybe: bool):
        values = np.zeros((1, 3, 3))
        values[0, 1, 1] = value
        path = write_raster(tmp_path / "c_2020.tif", values, COARSE)
        assert density.load(path, unit=unit).maybe_shares == maybe

    def test_sheared_cells_show_nothing_finer(self, tmp_path: Path):
        sheared = Affine(1000.0, 0.0, 4_800_000.0, 900.0, -450.0, 2_000_000.0)  # sides of 1.35 and 0.45 km
        path = write_raster(tmp_path / "c_2020.tif", np.ones((1, 12, 12)), sheared)
        with pytest.raises(GeometryError, match=r"about as long as wide; these are 0\.45 by 1\.3\d km: warp"):
            density.load(path)
        leaning = Affine(1000.0, 1000.0, 4_800_000.0, 0.0, -500.0, 2_000_000.0)  # half as high as its sides are long
        found = density.load(write_raster(tmp_path / "d_2020.tif", np.ones((1, 12, 12)), leaning))
        assert found.grid.side_km > 0.99
        assert found.grid.transform.a == 3000.0

    @pytest.mark.parametrize(
        ("names", "error", "said"),
        [
            (["a.tif", "b.csv"], ConfigError, r"not a mix of both; b\.csv are polygons"),
            (["a.geojson", "b.csv"], ConfigError, "one file of polygons .* put them into one file"),
            (["a.dat"], SourceError, r"rasters \(\.asc, \.img, \.tif, \.tiff\), or one file of polygons \(\.csv"),
            (["a.tif", "b.bil"], SourceError, r"found b\.bil"),
        ],
    )
    def test_forms_that_are_refused(self, tmp_path: Path, names: list[str], error: type[Exception], said: str):
        with pytest.raises(error, match=said):
            density.load([tmp_path / name for name in names])

    @settings(max_examples=40)
    @given(data=st.data())
    def test_every_hectare_is_kept(self, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory):
        height, width = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40))
        side = data.draw(st.sampled_from([30.0, 99.0, 333.0, 500.0, 700.0, 1000.0, 2500.0]))
        chance = np.random.default_rng(data.draw(st.integers(0, 10**6)))
        turned = Affine.translation(4.8e6, 2e6) @ Affine.rotation(data.draw(st.sampled_from([0.0, 30.0])))
        most = side**2 / 1e4
        values = chance.uniform(0, most, (2, height, width)) * (chance.random((2, height, width)) < 0.5)
        values[chance.random(values.shape) < 0.2] = np.nan
        folder = tmp_path_factory.mktemp("kept")
        path = write_raster(folder / "c.tif", values, turned @ Affine.scale(side, -side), nodata=np.nan)
        found = density.load(path, years=[2019, 2020])
        assert found.grid.side_km > 0.99
        for band, year in enumerate((2019, 2020)):
            known = values[band][~np.isnan(values[band])]
            expected = known.sum() if len(known) else np.nan
            assert found.total_ha(year) == pytest.approx(expected, rel=1e-12, nan_ok=True)
            assert (year in found.report.totals) == (len(known) > 0)


class TestPermanence:
    def layer(self, hectares: np.ndarray, years: list[int]) -> Density:
        row, col = np.divmod(np.arange(len(hectares)), 10)
        return Density(
            NATIONAL, row, col, pd.DataFrame(hectares, columns=years), Path("m.tif"), Report(), modelled=True
        )

    def by_hand(self, cell: np.ndarray, window: int, recent: int) -> str | None:
        """The class by the definitions, a cell at a time; the last year is the reference."""
        last, before, latest = cell[-window:], cell[:-recent], cell[-recent:]
        if np.isnan(last).any():
            return None
        if (last > 0).all() and (before > 0).any():
            return "permanent"
        kind = "intermittent"
        if not (cell > 0).any():
            kind = "never"
        elif (latest > 0).any() and not (before > 0).any():
            kind = "expansion"
        elif not (last > 0).any():
            kind = "past"
        elif not (latest > 0).any():
            kind = "abandoned"
        return None if np.isnan(cell).any() and kind in ("never", "expansion", "past") else kind

    def test_every_cell_has_the_class_of_its_own_years(self):
        chance = np.random.default_rng(4)
        hectares = chance.uniform(0, 9, (3000, 8)) * (chance.random((3000, 8)) < chance.random((3000, 1)) ** 2)
        hectares[chance.random(hectares.shape) < 0.02] = np.nan
        found = density.permanence(
            self.layer(hectares, list(range(2013, 2021))), year=2020, window_years=5, recent_years=2
        )
        expected = [self.by_hand(cell, 5, 2) for cell in hectares]
        assert [None if pd.isna(each) else each for each in found] == expected
        assert set(found.dropna()) == {"permanent", "intermittent", "expansion", "abandoned", "past", "never"}
