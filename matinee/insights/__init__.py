"""What behaviour says to those who market and make films: arrays in, arrays out."""
