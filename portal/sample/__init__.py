"""The sample world: invented people and cases that fill a demonstration."""
