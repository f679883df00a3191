"""Appearance: the map a planner opens. Imports layers and geo, never the other way round."""
