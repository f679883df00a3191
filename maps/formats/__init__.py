"""What leaves the building: one dataset, the same in every format."""
