"""A run folder together with the inputs that it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from layers import criteria
from layers.criteria import Zoning
from layers.panel import Panel
from maps import inputs, replay, runfolder
from maps.inputs import Inputs, Settings
from maps.runfolder import RunFolder


@dataclass(frozen=True)
class Opened:
    """A run: what its folder holds, and on demand the layers that it read.

    Attributes
    ----------
    folder : RunFolder
        Its files.
    changes : Path, optional
        The folder of ``scripts/compare.py`` in which it is held against another.
    """

    folder: RunFolder
    changes: Path | None = None

    @property
    def year(self) -> int:
        """The reference year."""
        return int(self.folder.summary["year"])

    @cached_property
    def settings(self) -> Settings:
        """The settings of the run; raises a ``SourceError`` if an input has changed since."""
        return replay.settings_of(self.folder.folder)

    @cached_property
    def zoning(self) -> Zoning:
        """The settings' file of the run."""
        return criteria.load(self.settings.config)

    @cached_property
    def inputs(self) -> Inputs:
        """The layers."""
        return inputs.read(self.settings)

    @cached_property
    def panel(self) -> Panel:
        """The joined panel, with the years before and after the reference year."""
        return self.inputs.join(year=self.year, drop_unmatched=self.settings.drop_unmatched)


def open_run(folder: Path, *, changes: Path | None = None) -> Opened:
    """Open a run folder, after a check that it is one.

    Parameters
    ----------
    folder : Path
        The folder.
    changes : Path, optional
        A folder of ``scripts/compare.py``.

    Returns
    -------
    Opened
        The run; its inputs are read, and held against their digests, when first asked for.

    Raises
    ------
    SourceError
        If it is no run folder, or a file of it cannot be read.
    SchemaError
        If its files contradict each other.
    """
    return Opened(runfolder.read(folder), changes)
