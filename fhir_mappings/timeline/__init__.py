"""The chart as a picture over time, from the engine's own course of the disease."""
