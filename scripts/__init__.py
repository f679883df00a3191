"""What a planner runs."""
