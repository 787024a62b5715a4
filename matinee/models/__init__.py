"""What is learned: arrays in, arrays out."""
