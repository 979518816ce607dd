"""What: cases and the talk on them."""
