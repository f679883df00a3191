"""Mechanism: geometry, scores and regions, without domain names, network or folium."""
